"""Data → PDF: typst sets our templates in our fonts; data goes in as data and never becomes markup."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import typst
from django.conf import settings

from .brand import Brand
from .fonts import FAMILIES, fonts
from .text import cleaned

HOUSE = Path(__file__).parent / "house.typ"
LOGO = "logo.png"
STANDARD = "ua-1"  # PDF/UA: tagged, titled, every picture with a text
_IMAGE = re.compile(r"[a-z0-9][a-z0-9_-]*\.(?:svg|png)\Z")
_NO_GLYPH = "could not be displayed with"


def render_pdf(
    *,
    template: str,
    data: Mapping[str, Any],
    brand: Brand,
    language: Literal["en", "es"] | str,
    images: Mapping[str, bytes] | None = None,
    at: datetime | None = None,
) -> bytes:
    """The PDF that a template (`qbr/documents/pack.typ`) makes of the data.

    The template begins with `#import "/house.typ": *` and reads `data`, `brand`, `language`; `picture(name, alt)` shows
    one of the images. The same arguments give the same bytes; `at` is the date that the file says.
    """
    with _desk(template, data, brand, language, images, at) as (root, inputs):
        return _compiled(root, inputs)


def render_pages(
    *,
    template: str,
    data: Mapping[str, Any],
    brand: Brand,
    language: Literal["en", "es"] | str,
    images: Mapping[str, bytes] | None = None,
    ppi: int,
) -> list[bytes]:
    """A PNG of each page of the same document, for a preview."""
    with _desk(template, data, brand, language, images, None) as (root, inputs):
        compiler = typst.Compiler(root=str(root), font_paths=fonts(), ignore_system_fonts=True)
        made = compiler.compile(str(root / "main.typ"), format="png", ppi=ppi, sys_inputs=inputs)
        return list(made) if isinstance(made, list) else [made] if isinstance(made, bytes) else []


def query_document(
    *,
    template: str,
    data: Mapping[str, Any],
    brand: Brand,
    language: Literal["en", "es"] | str,
    images: Mapping[str, bytes] | None = None,
    selector: str,
) -> list[Any]:
    """What the same document says of itself: the values of the metadata under a label (`<leaf>`)."""
    with _desk(template, data, brand, language, images, None) as (root, inputs):
        compiler = typst.Compiler(
            str(root / "main.typ"),
            root=str(root),
            font_paths=fonts(),
            ignore_system_fonts=True,
            sys_inputs=inputs,
        )
        found: list[Any] = json.loads(compiler.query(selector, field="value"))
        return found


@contextmanager
def _desk(
    template: str,
    data: Mapping[str, Any],
    brand: Brand,
    language: str,
    images: Mapping[str, bytes] | None,
    at: datetime | None,
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder of its own, which is all that the document can see, and its inputs."""
    inputs = {
        "data": json.dumps(cleaned(dict(data)), ensure_ascii=False),
        "brand": json.dumps(
            {
                "name": cleaned(brand.name),
                "logo": LOGO if brand.logo else "",
                "colour": brand.colour,
                "text": brand.text_colour,
                "ink": brand.ink,
                "footer": cleaned(brand.footer),
            },
            ensure_ascii=False,
        ),
        "language": language,
        "fonts": json.dumps(FAMILIES),
        "at": json.dumps([at.year, at.month, at.day] if at else None),
    }
    pictures = dict(images or {})
    if brand.logo:
        pictures[LOGO] = brand.logo
    wrong = [name for name in pictures if not _IMAGE.match(name)]
    if wrong:
        raise ValueError(f"Names of images are small letters and end in .svg or .png: {wrong}")
    with tempfile.TemporaryDirectory(prefix="cs-document-") as folder:
        root = Path(folder)
        shutil.copyfile(HOUSE, root / "house.typ")
        shutil.copyfile(Path(settings.BASE_DIR) / template, root / "main.typ")
        for name, content in pictures.items():
            (root / name).write_bytes(content)
        yield root, inputs


def _compiled(root: Path, inputs: dict[str, str]) -> bytes:
    compiler = typst.Compiler(root=str(root), font_paths=fonts(), ignore_system_fonts=True)

    def compile_as(standards: list[Any]) -> bytes:
        made = compiler.compile(
            str(root / "main.typ"), format="pdf", sys_inputs=inputs, pdf_standards=standards, timestamp=0
        )
        assert isinstance(made, bytes)
        return made

    try:
        return compile_as([STANDARD])
    except typst.TypstError as error:
        if _NO_GLYPH not in str(error):
            raise
        # A sign that none of our fonts can draw, Chinese or Thai: PDF/UA forbids the empty box that stands for it,
        # while the text itself stays readable to machines.
        return compile_as([])
