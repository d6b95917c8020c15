"""The bytes of a request: inflated with a limit, whatever its headers say about it."""

from __future__ import annotations

import base64
import binascii
import zlib

from .shapes import MAX_BODY_BYTES, BadBody

GZIP_MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"


def inflate(body: bytes, limit: int = MAX_BODY_BYTES) -> bytes:
    """The body without its gzip wrapping (told by its first bytes) and byte-order mark; more than `limit` bytes are a 413.

    Clients label gzip as text and JSON as a form, so no header is believed. A bomb costs at most `limit` bytes of memory.
    """
    if body[:2] == GZIP_MAGIC:
        stream = zlib.decompressobj(wbits=31)
        try:
            body = stream.decompress(body, limit + 1)
        except zlib.error:
            raise BadBody(400, "invalid_gzip", "The body is not valid gzip.") from None
        if len(body) <= limit and not stream.eof:
            raise BadBody(400, "invalid_gzip", "The gzip body ends too early.")
    if len(body) > limit:
        raise BadBody(413, "too_large", f"The body may have at most {limit} bytes.")
    return body.removeprefix(BOM)


def basic_user(header: str) -> str | None:
    """The user name of a Basic authorization header, which is where Segment clients put the write key."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text.partition(":")[0] or None
