"""A logo that somebody uploads → a PNG of our own making, which mail, PDF and decks can all show.

What was uploaded is never kept or sent on: pictures are decoded and written anew, drawings are checked and painted.
"""

from __future__ import annotations

import io
import re
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import typst
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from .fonts import fonts

LOGO_BYTES = 300 * 1024
PNG = "image/png"
FORMATS = ("PNG", "JPEG", "GIF")
MOST_PIXELS = 25_000_000  # decoded; a small file can claim to be a huge picture
WIDTH, HEIGHT = 1000, 400  # sharp on paper at the size that logos have there
SVG = "http://www.w3.org/2000/svg"
# Shapes, paints and words; nothing that runs, animates or fetches.
ELEMENTS = frozenset(
    [
        "svg",
        "g",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "defs",
        "linearGradient",
        "radialGradient",
        "stop",
        "clipPath",
        "mask",
        "use",
        "symbol",
        "title",
        "desc",
        "metadata",
        "text",
        "tspan",
        "style",
    ]
)
_FOREIGN = re.compile(r"@import|url\(\s*['\"]?(?!#)|expression\(|javascript:", re.IGNORECASE)
_LENGTH = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(?:px|pt|mm|cm|in)?\s*\Z")


def logo_png(data: bytes) -> bytes:
    """The logo as a PNG; raises a ValidationError by field that says what is wrong with it."""
    if len(data) > LOGO_BYTES:
        raise ValidationError({"logo": _("The logo must not be larger than 300 KB.")})
    if b"<svg" in data[:2000].lower():
        data = painted(data)
    return _decoded(data)


def painted(data: bytes) -> bytes:
    """An SVG as a PNG, after everything in it was held against a list."""
    root = _checked(data)
    width, height = _size(root)
    scale = min(WIDTH / width, HEIGHT / height)
    root.set("viewBox", root.get("viewBox") or f"0 0 {width:g} {height:g}")
    root.set("width", f"{max(1, round(width * scale))}")
    root.set("height", f"{max(1, round(height * scale))}")
    ElementTree.register_namespace("", SVG)
    with tempfile.TemporaryDirectory(prefix="cs-logo-") as folder:  # all that the drawing can see
        place = Path(folder)
        (place / "logo.svg").write_bytes(ElementTree.tostring(root, encoding="utf-8"))
        (place / "main.typ").write_text(
            f"#set page(width: {root.get('width')}pt, height: {root.get('height')}pt, margin: 0pt, fill: none)\n"
            '#image("logo.svg", width: 100%, height: 100%, fit: "stretch")'
        )
        compiler = typst.Compiler(root=folder, font_paths=fonts(), ignore_system_fonts=True)
        try:
            made = compiler.compile(str(place / "main.typ"), format="png", ppi=72)  # a point is a pixel
        except typst.TypstError as error:
            raise ValidationError({"logo": _("The SVG cannot be drawn; save it as PNG.")}) from error
    assert isinstance(made, bytes)
    return made


def _checked(data: bytes) -> ElementTree.Element:
    """The drawing without what is not on the list: other namespaces, event handlers; what could fetch is refused."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        # Editors write a harmless one; entities could be anything.
        data = re.sub(rb"<!DOCTYPE\s[^\[>]*>", b"", data)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _not_allowed("<!DOCTYPE [ … ]>")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise ValidationError({"logo": _("The SVG cannot be read; save it again, or as PNG.")}) from error
    if root.tag != f"{{{SVG}}}svg":
        raise ValidationError({"logo": _("The SVG cannot be read; save it again, or as PNG.")})
    for parent in list(root.iter()):
        for child in list(parent):
            if not str(child.tag).startswith(f"{{{SVG}}}"):
                parent.remove(child)  # notes of the drawing program
    for element in root.iter():
        name = str(element.tag).removeprefix(f"{{{SVG}}}")
        if name not in ELEMENTS:
            raise _not_allowed(f"<{name[:40]}>")
        if name == "style" and _FOREIGN.search(element.text or ""):
            raise _not_allowed("url()")
        for key, value in list(element.attrib.items()):
            short = key.rpartition("}")[2]
            if short.lower().startswith("on"):
                del element.attrib[key]
            elif (short == "href" and not value.startswith("#")) or _FOREIGN.search(value):
                raise _not_allowed(f"{short[:40]}=…")
    return root


def _not_allowed(what: str) -> ValidationError:
    return ValidationError(
        {"logo": _("The SVG has %(what)s, which a logo may not have; save it as PNG.") % {"what": what}}
    )


def _size(root: ElementTree.Element) -> tuple[float, float]:
    """Width and height by the view box, else by what the drawing says of itself."""
    box = (root.get("viewBox") or "").replace(",", " ").split()
    said = [root.get("width") or "", root.get("height") or ""]
    try:
        width, height = (
            [float(part) for part in box[2:4]] if len(box) == 4 else [_length(one) for one in said]
        )
    except ValueError:
        width = height = 0.0
    if not (0.01 < width < 1e6 and 0.01 < height < 1e6):
        raise ValidationError({"logo": _("The SVG does not say how large it is; save it as PNG.")})
    return width, height


def _length(text: str) -> float:
    match = _LENGTH.match(text)
    if match is None:
        raise ValueError(text)
    return float(match[1])


def _decoded(data: bytes) -> bytes:
    """A picture written anew: nothing but its pixels stays, not larger than needed."""
    wrong = ValidationError({"logo": _("The logo must be a PNG, JPEG, GIF or SVG picture.")})
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValidationError({"logo": _("The logo has too many pixels; make it smaller.")})
            picture = opened.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise wrong from error
    picture.thumbnail((WIDTH, HEIGHT))
    while True:
        made = io.BytesIO()
        picture.save(made, "PNG", optimize=True)
        if made.tell() <= LOGO_BYTES:
            return made.getvalue()
        picture = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)))
