"""Slides that fill from top to bottom: what does not fit any more goes on a next slide under the same title.

Shapes are written as the XML that they are in the file: building them node by node took eight times as long.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image
from pptx.util import Emu, Inches, Pt

from outreach.documents.brand import Brand
from outreach.documents.measure import lines_of

from .deck_file import DeckFile, Slide
from .package import xml_text
from .theme import BOTTOM, FONT, INK, INNER, MARGIN, PLAIN, SOFT, TOP, WIDTH

TITLE_POINTS, LONGEST_TITLE = 26, 2  # lines of a title; the rest of a longer one goes below it
FOOT_TOP = Inches(7.0)
LOGO_BOX = (Inches(1.5), Inches(0.42))
TEXT_BOX = ' txBox="1"'
NUMBER_FIELD = "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}"


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

    deck: DeckFile
    brand: Brand
    title: str
    foot: str
    continued: str
    made: list[Slide] = field(default_factory=list)
    y: int = 0

    def new_slide(self) -> Slide:
        """A next slide with the title, and at its foot whose it is and its number."""
        slide = self.deck.add_slide(PLAIN)
        title = f"{self.title} ({self.continued})" if self.made else self.title
        shown = lines_of(title, TITLE_POINTS, Emu(INNER).pt, bold=True)
        slide.add_placeholder(
            "title", [" ".join(shown[:LONGEST_TITLE]) + ("…" if len(shown) > LONGEST_TITLE else "")]
        )
        self.made.append(slide)
        self.y = TOP
        self._foot(slide)
        add_box(slide, MARGIN, Inches(1.4), Inches(0.55), Pt(3), fill=self.brand.colour)
        if len(shown) > LONGEST_TITLE and len(self.made) == 1:
            self.text([Words(" ".join(shown[LONGEST_TITLE:]), colour=SOFT)], 16)
        return slide

    @property
    def slide(self) -> Slide:
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
            body = paragraph(self.slide, now, points, bullet=self.brand.text_colour if bullet else "")
            add_box(self.slide, MARGIN + indent, self.y, INNER - indent, height, [body])
            self.y += height + Inches(0.09)

    def _foot(self, slide: Slide) -> None:
        # One line, whatever the names are: measured, not hoped for.
        line = Words(lines_of(self.foot, 10, Inches(9.3).pt)[0], colour=SOFT)
        add_box(slide, MARGIN, FOOT_TOP, Inches(9.5), Inches(0.3), [paragraph(slide, [line], 10)])
        # A field, so that the number stays right when slides are moved.
        number = (
            f'<a:p><a:pPr algn="r"/><a:fld id="{NUMBER_FIELD}" type="slidenum"><a:rPr sz="1000"/>'
            f"<a:t>{slide.number}</a:t></a:fld></a:p>"
        )
        add_box(slide, WIDTH - MARGIN - Inches(0.8), FOOT_TOP, Inches(0.8), Inches(0.3), [number])
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


def paragraph(
    slide: Slide, pieces: Sequence[Words], points: float, *, side: str = "", bullet: str = ""
) -> str:
    """Words as a paragraph of this slide, at a side (l, r) or with a bullet of a colour."""
    looks = ""
    if bullet:
        looks = (
            f'<a:pPr marL="{Inches(0.25)}" indent="-{Inches(0.25)}"><a:buClr><a:srgbClr val="{_hex(bullet)}"/></a:buClr>'
            '<a:buFont typeface="Arial"/><a:buChar char="•"/></a:pPr>'
        )
    elif side:
        looks = f'<a:pPr algn="{side}"/>'
    return f"<a:p>{looks}{''.join([_run(slide, one, points) for one in pieces])}</a:p>"


def _run(slide: Slide, one: Words, points: float) -> str:
    raised = ' baseline="30000"' if one.mark else ""
    link = f'<a:hlinkClick r:id="{slide.relate("hyperlink", one.href, outside=True)}"/>' if one.href else ""
    # The order that the format asks for: fill, font, link.
    return (
        f'<a:r><a:rPr sz="{round((one.points or points) * 100)}" b="{int(one.bold)}"{raised}><a:solidFill>'
        f'<a:srgbClr val="{_hex(one.colour or INK)}"/></a:solidFill><a:latin typeface="{FONT}"/>{link}</a:rPr>'
        f"<a:t>{xml_text(one.text)}</a:t></a:r>"
    )


def _hex(colour: str) -> str:
    return colour.lstrip("#").upper()


def add_box(
    slide: Slide,
    left: int,
    top: int,
    width: int,
    height: int,
    paragraphs: Sequence[str] = (),
    *,
    fill: str = "",
    name: str = "",
    edge: int = 0,
) -> None:
    """A box of text, or a rectangle of a colour, which is decoration where nothing stands in it."""
    number = slide.next_id()
    known = xml_text(name) or (f"TextBox {number - 1}" if paragraphs else "Decoration")
    silent = "" if paragraphs else ' descr=""'
    paint = (
        f'<a:solidFill><a:srgbClr val="{_hex(fill)}"/></a:solidFill><a:ln><a:noFill/></a:ln>'
        if fill
        else "<a:noFill/>"
    )
    slide.shapes.append(
        f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="{known}"{silent}/><p:cNvSpPr{"" if fill else TEXT_BOX}/><p:nvPr/>'
        f"</p:nvSpPr><p:spPr>{place(left, top, width, height)}"
        f'<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>{paint}</p:spPr><p:txBody>'
        f'<a:bodyPr wrap="square" lIns="{edge}" tIns="{edge}" rIns="{edge}" bIns="{edge}" anchor="t">'
        f"{'' if fill else '<a:spAutoFit/>'}</a:bodyPr><a:lstStyle/>{''.join(paragraphs) or '<a:p/>'}</p:txBody></p:sp>"
    )


def place(left: int, top: int, width: int, height: int, space: str = "a") -> str:
    """Where a shape is."""
    corner, size = f'x="{int(left)}" y="{int(top)}"', f'cx="{int(width)}" cy="{int(height)}"'
    return f"<{space}:xfrm><a:off {corner}/><a:ext {size}/></{space}:xfrm>"


def add_logo(slide: Slide, brand: Brand, left: int, top: int, *, right: bool = False) -> None:
    """The logo inside its box, in its proportions."""
    if not brand.logo:
        return
    with Image.open(io.BytesIO(brand.logo)) as picture:
        scale = min(LOGO_BOX[0] / picture.width, LOGO_BOX[1] / picture.height)
        width, height = int(picture.width * scale), int(picture.height * scale)
    left += LOGO_BOX[0] - width if right else 0
    number = slide.next_id()
    slide.shapes.append(
        f'<p:pic><p:nvPicPr><p:cNvPr id="{number}" name="Picture {number - 1}" descr="{xml_text(brand.name)}"/><p:cNvPicPr>'
        '<a:picLocks noChangeAspect="1"/></p:cNvPicPr><p:nvPr/></p:nvPicPr><p:blipFill>'
        f'<a:blip r:embed="{slide.relate("image", "../media/image1.png")}"/>'
        "<a:stretch><a:fillRect/></a:stretch></p:blipFill>"
        f'<p:spPr>{place(left, top, width, height)}<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr></p:pic>'
    )
