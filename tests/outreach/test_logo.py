"""Logos: whatever is uploaded becomes a small PNG of ours or is refused with what to do."""

from __future__ import annotations

import io
import os
import struct
import zlib

import pytest
from django.core.exceptions import ValidationError
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from outreach.documents.logo import HEIGHT, LOGO_BYTES, WIDTH, logo_png
from tests.outreach.pictures import picture

OPEN = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 200 50">'
)
GOOD = (
    '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">'
    f'{OPEN}<style>.a{{fill:#c00}}</style><defs><linearGradient id="g"><stop offset="0" stop-color="#00c"/></linearGradient>'
    '</defs><rect class="a" width="100" height="50"/><rect x="100" width="100" height="50" fill="url(#g)" '
    'onclick="alert(1)"/><x:note xmlns:x="urn:editor">hello</x:note></svg>'
)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=("PNG",))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_pictures_are_written_anew_as_png(kind: str) -> None:
    made = opened(logo_png(picture(300, 100, kind)))
    assert made.size == (300, 100)
    assert made.mode == "RGBA"


def test_nothing_but_the_pixels_stays() -> None:
    info, made = PngInfo(), io.BytesIO()
    info.add_text("Comment", "secret <script>")
    Image.new("RGB", (10, 10)).save(made, "PNG", pnginfo=info)
    raw = made.getvalue() + b"<?php trailing"
    assert b"secret" in raw
    kept = logo_png(raw)
    assert b"secret" not in kept and b"php" not in kept


def test_large_pictures_are_made_smaller() -> None:
    assert opened(logo_png(picture(5000, 1000))).size == (WIDTH, 200)
    noise = Image.frombytes("RGB", (350, 250), os.urandom(350 * 250 * 3))
    made = io.BytesIO()
    noise.save(made, "PNG")
    assert len(made.getvalue()) < LOGO_BYTES
    assert len(logo_png(made.getvalue())) <= LOGO_BYTES


def test_a_drawing_is_painted_in_its_proportions() -> None:
    made = opened(logo_png(GOOD.encode()))
    assert made.size == (WIDTH, WIDTH // 4)
    assert made.getpixel((100, 100)) == (204, 0, 0, 255)
    assert made.getpixel((900, 100)) == (0, 0, 204, 255)
    tall = OPEN.replace('viewBox="0 0 200 50"', 'width="10mm" height="20mm"') + '<circle r="4"/></svg>'
    assert opened(logo_png(tall.encode())).size == (HEIGHT // 2, HEIGHT)


@pytest.mark.parametrize(
    ("inside", "named"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ('<image href="file:///etc/passwd" width="9" height="9"/>', "<image>"),
        ("<foreignObject/>", "<foreignObject>"),
        ('<use xlink:href="https://evil.example/x.svg#a"/>', "href"),
        ('<rect fill="url(https://evil.example/x)"/>', "fill"),
        ("<rect style=\"background:url( '//evil.example')\"/>", "style"),
        ("<style>@import 'https://evil.example/x.css'</style>", "url()"),
        ("<animate/>", "<animate>"),
    ],
)
def test_what_could_run_or_fetch_is_refused_by_name(inside: str, named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        logo_png(f"{OPEN}{inside}</svg>".encode())
    assert named in refused.value.message_dict["logo"][0]


BOMB = '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + OPEN + "<text>&b;</text></svg>"


def huge_claim() -> bytes:
    """A PNG of 60,000 × 60,000 pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        picture(10, 10)[:-30],
        b"x" * (LOGO_BYTES + 1),
        BOMB.encode(),
        b"<svg",
        b"<svg/>",
        OPEN.replace("200 50", "0 0").encode() + b"</svg>",
        OPEN.replace("200 50", "1e300 1").encode() + b"</svg>",
        OPEN.replace('viewBox="0 0 200 50"', "").encode() + b"</svg>",
        huge_claim(),
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_logo_is_refused_with_words(data: bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        logo_png(data)
    assert refused.value.message_dict["logo"][0]
