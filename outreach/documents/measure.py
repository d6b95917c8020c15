"""How much room a text takes on a slide or beside an axis, so that nothing is cut. Pure but for a font file.

Measured in Inter, which is wider than the fonts that customers have, so the guess errs on the safe side.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from unicodedata import east_asian_width

from PIL import ImageFont

from .fonts import font_folder

MEASURED_AT = 100  # points; widths grow with the size
LINE_HEIGHT = 1.24
EMOJI = 1.3  # how wide one is, in its size


@lru_cache(maxsize=2)
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_folder() / f"Inter-{'Bold' if bold else 'Regular'}.ttf"), MEASURED_AT)


@lru_cache(maxsize=20_000)
def _measured(word: str, bold: bool) -> float:
    if word.isascii():
        return float(_font(bold).getlength(word)) / MEASURED_AT
    # Chinese and emoji are set in other fonts, a square or a bit more each.
    wide = [sign for sign in word if east_asian_width(sign) in "WF"]
    rest = "".join(sign for sign in word if sign not in wide) if wide else word
    taken = sum(EMOJI if sign >= "\U0001f000" else 1.0 for sign in wide)
    return taken + float(_font(bold).getlength(rest)) / MEASURED_AT


def width_of(text: str, points: float, *, bold: bool = False) -> float:
    """The width in points of a text on one line; words are measured once."""
    words = text.split(" ")
    return points * (sum(_measured(word, bold) for word in words) + _measured(" ", bold) * (len(words) - 1))


def lines_of(text: str, points: float, width: float, *, bold: bool = False) -> list[str]:
    """The text broken into lines of at most this width in points; a word that is too long is broken too."""
    lines: list[str] = []
    blank = points * _measured(" ", bold)
    for paragraph in text.split("\n"):
        line, taken = "", 0.0
        for word in paragraph.split(" "):
            for part in _parts(word, points, width, bold):
                needed = width_of(part, points, bold=bold)
                if line and taken + blank + needed > width:
                    lines.append(line)
                    line, taken = part, needed
                else:
                    line, taken = (f"{line} {part}", taken + blank + needed) if line else (part, needed)
        lines.append(line)
    return lines


def _parts(word: str, points: float, width: float, bold: bool) -> Sequence[str]:
    if width_of(word, points, bold=bold) <= width:
        return [word]
    parts, part = [], ""
    for letter in word:
        if part and width_of(part + letter, points, bold=bold) > width:
            parts.append(part)
            part = ""
        part += letter
    return [*parts, part]


def height_of(lines: int, points: float) -> float:
    """The height in points of so many lines."""
    return lines * points * LINE_HEIGHT
