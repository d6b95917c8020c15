"""What a PDF really has on its pages, read by another program than the one that made it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as raw


@dataclass(frozen=True)
class Page:
    """A page's text, and the boxes of its letters that lie outside of it."""

    text: str
    outside: list[tuple[str, tuple[float, float, float, float]]]


def pages_of(pdf: bytes) -> list[Page]:
    """Every page as it is drawn."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    for page in document:
        width, height = page.get_size()
        text = page.get_textpage()
        outside = []
        for index in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(index)
            if left < -0.5 or bottom < -0.5 or right > width + 0.5 or top > height + 0.5:
                outside.append((text.get_text_range(index, 1), (left, bottom, right, top)))
        found.append(Page(text.get_text_range(), outside))
    return found


def text_of(pdf: bytes) -> str:
    """The text of all pages, without the places where long words may break."""
    return "\n".join(page.text for page in pages_of(pdf)).replace("\u200b", "")


def fonts_of(pdf: bytes) -> dict[str, bool]:
    """The fonts that text is set in, and whether each is inside the file."""
    found: dict[str, bool] = {}
    for page in pypdfium2.PdfDocument(pdf):
        for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
            font = raw.FPDFTextObj_GetFont(item.raw)
            name = ctypes.create_string_buffer(200)
            raw.FPDFFont_GetBaseFontName(font, name, 200)
            found[name.value.decode()] = bool(raw.FPDFFont_GetIsEmbedded(font))
    return found


def says(pdf: bytes, key: str) -> str:
    """What the file says of itself: Title, Author."""
    return str(pypdfium2.PdfDocument(pdf).get_metadata_value(key))
