"""The empty deck: wide slides, the tenant's colours and a font that customers have in the theme, titles in placeholders."""

from __future__ import annotations

import io
from typing import Any

from lxml import etree
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from outreach.documents.brand import Brand
from outreach.documents.charts import colours

FONT = "Calibri"  # on every Windows and Mac with Office; LibreOffice has its twin, Carlito
WIDTH, HEIGHT = Inches(13.333), Inches(7.5)
MARGIN = Inches(0.6)
INNER = WIDTH - 2 * MARGIN
TITLE_TOP, TITLE_HEIGHT = Inches(0.42), Inches(0.95)
TOP, BOTTOM = Inches(1.55), Inches(6.85)
INK, SOFT, PANEL, LINE = "1A1D23", "565D6B", "F5F6F8", "DFE2E8"
FIRST, PLAIN = 0, 5  # layouts of the built-in template: title slide, title only
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_THEME = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/theme"


def rgb(colour: str) -> RGBColor:
    """A colour as python-pptx takes it."""
    made: RGBColor = RGBColor.from_string(colour.lstrip("#").upper())
    return made


def new_deck(brand: Brand) -> Any:
    """A presentation without slides in the brand's look."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = WIDTH, HEIGHT
    _paint(deck, brand)
    for layout in deck.slide_layouts:
        for shape in list(layout.placeholders):
            if shape.placeholder_format.idx >= 10:  # date, foot, number: set on the slides themselves
                shape._element.getparent().remove(shape._element)
    plain = deck.slide_layouts[PLAIN].placeholders[0]
    _place(plain, MARGIN, TITLE_TOP, INNER, TITLE_HEIGHT)
    _set_text(plain, 26, INK, MSO_ANCHOR.BOTTOM)
    first = deck.slide_layouts[FIRST]
    _place(first.placeholders[0], MARGIN, Inches(2.3), INNER, Inches(1.9))
    _set_text(first.placeholders[0], 40, brand.ink.lstrip("#"), MSO_ANCHOR.BOTTOM)
    _place(first.placeholders[1], MARGIN, Inches(4.35), INNER, Inches(1.4))
    _set_text(first.placeholders[1], 20, brand.ink.lstrip("#"), MSO_ANCHOR.TOP)
    background = first.background.fill
    background.solid()
    background.fore_color.rgb = rgb(brand.colour)
    return deck


def saved(deck: Any) -> bytes:
    """The deck as a file."""
    made = io.BytesIO()
    deck.save(made)
    return made.getvalue()


def _paint(deck: Any, brand: Brand) -> None:
    """Put colours and font into the theme, so that what the customer adds looks the same."""
    part = deck.slide_master.part.part_related_by(_THEME)
    theme = etree.fromstring(part.blob)
    scheme = theme.find(f".//{_DRAWING}clrScheme")
    wanted = {"dk1": INK, "lt1": "FFFFFF", "dk2": INK, "lt2": PANEL, "hlink": brand.text_colour.lstrip("#")}
    wanted |= {f"accent{n}": c.lstrip("#") for n, c in enumerate(colours(brand, 6), 1)}
    for name, colour in wanted.items():
        entry = scheme.find(f"{_DRAWING}{name}")
        for child in list(entry):
            entry.remove(child)
        etree.SubElement(entry, f"{_DRAWING}srgbClr", val=colour.upper())
    for kind in ("majorFont", "minorFont"):
        theme.find(f".//{_DRAWING}{kind}/{_DRAWING}latin").set("typeface", FONT)
    part._blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)


def _place(shape: Any, left: int, top: int, width: int, height: int) -> None:
    shape.left, shape.top, shape.width, shape.height = Emu(left), Emu(top), Emu(width), Emu(height)


def _set_text(placeholder: Any, points: float, colour: str, anchor: MSO_ANCHOR) -> None:
    """Size, colour and place of a layout's placeholder, which the slides inherit."""
    frame = placeholder.text_frame
    frame.word_wrap, frame.vertical_anchor = True, anchor
    frame.margin_left = frame.margin_right = 0
    body = placeholder._element.txBody
    styles = body.find(qn("a:lstStyle"))
    for child in list(styles):
        styles.remove(child)
    level = etree.SubElement(styles, qn("a:lvl1pPr"), algn="l", marL="0", indent="0")
    etree.SubElement(level, qn("a:buNone"))
    run = etree.SubElement(level, qn("a:defRPr"), sz=str(int(Pt(points).pt * 100)), b="1")
    fill = etree.SubElement(run, qn("a:solidFill"))
    etree.SubElement(fill, qn("a:srgbClr"), val=colour.upper())
