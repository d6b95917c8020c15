"""Slides that fill from top to bottom: what does not fit any more goes on a next slide under the same title."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from PIL import Image
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from outreach.documents.brand import Brand
from outreach.documents.measure import lines_of

from .theme import BOTTOM, FONT, INK, INNER, MARGIN, PLAIN, SOFT, TOP, WIDTH, rgb

TITLE_POINTS, LONGEST_TITLE = 26, 2  # lines of a title; the rest of a longer one goes below it
FOOT_TOP = Inches(7.0)
_RUN, _PROPERTIES, _TEXT = qn("a:r"), qn("a:rPr"), qn("a:t")
_FILL, _COLOUR, _LATIN = qn("a:solidFill"), qn("a:srgbClr"), qn("a:latin")
LOGO_BOX = (Inches(1.5), Inches(0.42))


@dataclass(frozen=True)
class Words:
    """A piece of text of one look; `mark` makes it a small raised number."""

    text: str
    bold: bool = False
    colour: str = ""
    points: float = 0.0
    href: str = ""
    mark: bool = False


@dataclass
class Flow:
    """The slides of one section, filled one after the other."""

    deck: Any
    brand: Brand
    title: str
    foot: str
    continued: str
    made: list[Any] = field(default_factory=list)
    y: int = 0

    def new_slide(self) -> Any:
        """A next slide with the title, and at its foot whose it is and its number."""
        slide = self.deck.slides.add_slide(self.deck.slide_layouts[PLAIN])
        title = f"{self.title} ({self.continued})" if self.made else self.title
        shown = lines_of(title, TITLE_POINTS, Emu(INNER).pt, bold=True)
        slide.shapes.title.text = " ".join(shown[:LONGEST_TITLE]) + (
            "…" if len(shown) > LONGEST_TITLE else ""
        )
        self.made.append(slide)
        self.y = TOP
        self._foot(slide)
        rule = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, MARGIN, Inches(1.4), Inches(0.55), Pt(3))
        flat(rule, self.brand.colour)
        decorative(rule)
        if len(shown) > LONGEST_TITLE and len(self.made) == 1:
            self.text([Words(" ".join(shown[LONGEST_TITLE:]), colour=SOFT)], 16)
        return slide

    @property
    def slide(self) -> Any:
        """The slide that is being filled."""
        return self.made[-1] if self.made else self.new_slide()

    @property
    def room(self) -> int:
        """What is left of the slide."""
        return BOTTOM - self.y if self.made else BOTTOM - TOP

    def take(self, height: int, gap: int = Inches(0.16)) -> int:
        """Room of this height: where it begins. On the next slide when it is not left on this one."""
        if not self.made or (height > self.room and self.y > TOP):
            self.new_slide()
        top = self.y
        self.y += height + gap
        return top

    def text(self, pieces: Sequence[Words], points: float, *, bullet: bool = False) -> None:
        """A paragraph, over as many slides as it needs."""
        indent = Inches(0.25) if bullet else 0
        width = Emu(INNER - indent - Inches(0.1)).pt
        line_height = int(Pt(points * 1.24))
        rest = list(pieces)
        while rest:
            if self.room < 2 * line_height or not self.made:
                self.new_slide()
            most = max(1, (self.room - Inches(0.05)) // line_height)
            now, rest = _split(rest, points, width, int(most))
            height = len(lines_of("".join(one.text for one in now), points, width)) * line_height
            box = self.slide.shapes.add_textbox(MARGIN + indent, self.y, INNER - indent, height)
            frame = box.text_frame
            plain(frame)
            write(frame.paragraphs[0], now, points)
            if bullet and now:
                _add_bullet(frame.paragraphs[0], self.brand)
            self.y += height + Inches(0.09)

    def _foot(self, slide: Any) -> None:
        left = slide.shapes.add_textbox(MARGIN, FOOT_TOP, Inches(9.5), Inches(0.3))
        plain(left.text_frame)
        # One line, whatever the names are: measured, not hoped for.
        write(
            left.text_frame.paragraphs[0],
            [Words(lines_of(self.foot, 10, Inches(9.3).pt)[0], colour=SOFT)],
            10,
        )
        number = slide.shapes.add_textbox(WIDTH - MARGIN - Inches(0.8), FOOT_TOP, Inches(0.8), Inches(0.3))
        plain(number.text_frame)
        paragraph = number.text_frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.RIGHT
        slide_number(paragraph, len(self.deck.slides))
        if self.brand.logo:
            add_logo(slide, self.brand, WIDTH - MARGIN - Inches(0.9) - LOGO_BOX[0], Inches(6.93), right=True)


def _split(pieces: list[Words], points: float, width: float, most: int) -> tuple[list[Words], list[Words]]:
    """As many words as fill so many lines, and the rest."""
    whole = "".join(one.text for one in pieces)
    lines = lines_of(whole, points, width)
    if len(lines) <= most:
        return pieces, []
    # Lines are joined by one blank or break each, which broken words do not have: walk along the text itself.
    at = 0
    for line in lines[:most]:
        at = whole.index(line, at) + len(line)
    now: list[Words] = []
    rest: list[Words] = []
    for one in pieces:
        head, tail = one.text[: max(0, at)], one.text[max(0, at) :]
        at -= len(one.text)
        if head:
            now.append(_like(one, head))
        if tail:
            rest.append(_like(one, tail if rest else tail.lstrip()))
    return now, [one for one in rest if one.text]


def _like(one: Words, text: str) -> Words:
    return Words(text, one.bold, one.colour, one.points, one.href, one.mark)


def plain(frame: Any) -> None:
    """A text frame without edges."""
    frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.TOP
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0


def write(paragraph: Any, pieces: Sequence[Words], points: float) -> None:
    """Put words into a paragraph; as elements at once, since setting property after property costs much more."""
    for one in pieces:
        if one.href:
            run = paragraph.add_run()
            run.text, run.hyperlink.address = one.text, one.href
            element = run._r
            properties = element.get_or_add_rPr()
        else:
            element = etree.SubElement(paragraph._p, _RUN)
            properties = etree.SubElement(element, _PROPERTIES)
            etree.SubElement(element, _TEXT).text = one.text
        properties.set("sz", str(round((one.points or points) * 100)))
        properties.set("b", "1" if one.bold else "0")
        if one.mark:
            properties.set("baseline", "30000")
        fill = etree.Element(_FILL)
        etree.SubElement(fill, _COLOUR, val=(one.colour or INK).lstrip("#").upper())
        font = etree.Element(_LATIN, typeface=FONT)
        properties.insert(0, font)
        properties.insert(0, fill)  # the order that the format asks for: fill, font, link


def _add_bullet(paragraph: Any, brand: Brand) -> None:
    properties = paragraph._p.get_or_add_pPr()
    properties.set("marL", str(Inches(0.25)))
    properties.set("indent", str(-Inches(0.25)))
    colour = etree.SubElement(properties, qn("a:buClr"))
    etree.SubElement(colour, qn("a:srgbClr"), val=brand.text_colour.lstrip("#").upper())
    etree.SubElement(properties, qn("a:buFont"), typeface="Arial")
    etree.SubElement(properties, qn("a:buChar"), char="•")


def slide_number(paragraph: Any, number: int) -> None:
    """The slide's number as a field, so that it stays right when slides are moved."""
    made = etree.SubElement(
        paragraph._p, qn("a:fld"), id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", type="slidenum"
    )
    etree.SubElement(made, qn("a:rPr"), sz="1000")
    etree.SubElement(made, qn("a:t")).text = str(number)


def flat(shape: Any, colour: str, outline: str = "") -> None:
    """A shape of one colour without shadow."""
    style = shape._element.find(qn("p:style"))
    if style is not None:  # it brings the theme's shadow and outline
        shape._element.remove(style)
    shape.fill.solid()
    shape.fill.fore_color.rgb = rgb(colour)
    if outline:
        shape.line.color.rgb, shape.line.width = rgb(outline), Pt(0.75)
    else:
        shape.line.fill.background()


def describe(shape: Any, text: str) -> None:
    """The text that a screen reader says for a picture or chart."""
    properties = shape._element.xpath(".//p:cNvPr")[0]
    properties.set("descr", text)


def decorative(shape: Any) -> None:
    """Nothing to say about it: a line, a panel."""
    describe(shape, "")
    shape.name = "Decoration"


def add_logo(slide: Any, brand: Brand, left: int, top: int, *, right: bool = False) -> None:
    """The logo inside its box, in its proportions."""
    if not brand.logo:
        return
    with Image.open(io.BytesIO(brand.logo)) as picture:
        scale = min(LOGO_BOX[0] / picture.width, LOGO_BOX[1] / picture.height)
        width, height = int(picture.width * scale), int(picture.height * scale)
    left += LOGO_BOX[0] - width if right else 0
    shape = slide.shapes.add_picture(io.BytesIO(brand.logo), left, top, width, height)
    describe(shape, brand.name)


def add_notes(slides: Sequence[Any], lines: Sequence[str]) -> None:
    """What the speaker sees: where the figures of these slides come from."""
    for slide in slides:
        slide.notes_slide.notes_text_frame.text = "\n".join(lines)
