"""Our mark as PNG files, for those who cannot show the SVG of it. Standard library only; pure but for the file it reads."""

from __future__ import annotations

import re
import struct
import zlib
from itertools import pairwise
from pathlib import Path

SIZES = (32, 180, 192)
VIEW = 32.0  # side of the SVG's view box
Point = tuple[float, float]


def line_of(svg: str) -> list[Point]:
    """The corners of the mark's line: the SVG's path has only M, l, h and numbers."""
    path = re.search(r'<path d="([^"]+)"', svg)
    if path is None:
        raise ValueError("the mark has no path")
    points: list[Point] = []
    for command, text in re.findall(r"([Mlh])([^Mlh]*)", path[1]):
        numbers = [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", text)]
        if command == "h":
            points.append((points[-1][0] + numbers[0], points[-1][1]))
            continue
        for x, y in zip(numbers[::2], numbers[1::2], strict=True):
            points.append((x, y) if command == "M" else (points[-1][0] + x, points[-1][1] + y))
    return points


def _away(at: Point, start: Point, end: Point) -> float:
    """The distance of a point from a piece of the line."""
    (x, y), (ax, ay), (bx, by) = at, start, end
    dx, dy = bx - ax, by - ay
    along = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)))
    return ((x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2) ** 0.5  # type: ignore[no-any-return]


def _corner(at: Point, radius: float) -> float:
    """How far a point is outside the rounded square; negative inside."""
    dx, dy = (abs(one - VIEW / 2) - (VIEW / 2 - radius) for one in at)
    return (max(dx, 0.0) ** 2 + max(dy, 0.0) ** 2) ** 0.5 + min(max(dx, dy), 0.0) - radius  # type: ignore[no-any-return]


def png(svg: str, size: int, *, rounded: bool = True) -> bytes:
    """The mark at a size; edges are smoothed by their distance from the middle of a pixel."""
    points = line_of(svg)
    colour = re.search(r'fill="#([0-9a-f]{6})"', svg)
    width = re.search(r'stroke-width="([\d.]+)"', svg)
    if colour is None or width is None:
        raise ValueError("the mark has no colour or no width")
    back = tuple(bytes.fromhex(colour[1]))
    half, pixel = float(width[1]) / 2, VIEW / size
    pieces = list(pairwise(points))
    rows = []
    for row in range(size):
        line = bytearray(b"\0")
        for column in range(size):
            at = ((column + 0.5) * pixel, (row + 0.5) * pixel)
            ink = _covered(min(_away(at, *piece) for piece in pieces) - half, pixel)
            seen = _covered(_corner(at, VIEW / 4), pixel) if rounded else 1.0
            line += bytes(round(part + (255 - part) * ink) for part in back) + bytes([round(255 * seen)])
        rows.append(bytes(line))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(b"".join(rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _covered(outside: float, pixel: float) -> float:
    """How much of a pixel is covered, from how far its middle is outside."""
    return max(0.0, min(1.0, 0.5 - outside / pixel))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def draw_marks(static: Path) -> None:
    """Write the files beside the SVG that they show; run this file after the SVG was changed.

    The big ones have square corners: a telephone rounds them itself.
    """
    svg = (static / "favicon.svg").read_text(encoding="utf-8")
    for size in SIZES:
        (static / f"icon-{size}.png").write_bytes(png(svg, size, rounded=size == SIZES[0]))


if __name__ == "__main__":
    draw_marks(Path(__file__).resolve().parents[1] / "static")
