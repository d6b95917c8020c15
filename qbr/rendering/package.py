"""Files of Office: XML parts in a zip, deflated once where they are always the same; and texts as XML takes them. Pure.

The same parts give the same bytes: entries have no date. `zipfile` cannot take what is deflated already, and a deck is
forty parts that never change beside thirty that do.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from outreach.documents.text import printable

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LEVEL = 4  # the last percent of size takes as long as all the rest
_DEFLATED, _NEEDED, _MIDNIGHT, _FIRST_DAY = 8, 20, 0, 33  # 1980-01-01, the first day that the format knows
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


class Packed(NamedTuple):
    """A part as it stands in the file."""

    check: int
    size: int
    deflated: bytes


def packed(part: str | bytes) -> Packed:
    """The part, deflated."""
    data = part.encode() if isinstance(part, str) else part
    engine = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return Packed(zlib.crc32(data), len(data), engine.compress(data) + engine.flush())


def zipped(parts: Mapping[str, Packed]) -> bytes:
    """All parts as one file, in this order."""
    body, directory, at = [], [], 0
    for name, part in parts.items():
        known = struct.pack(
            "<HHHHIII", 0, _DEFLATED, _MIDNIGHT, _FIRST_DAY, part.check, len(part.deflated), part.size
        )
        label = name.encode("ascii")
        head = b"PK\x03\x04" + struct.pack("<H", _NEEDED) + known + struct.pack("<HH", len(label), 0) + label
        body += [head, part.deflated]
        directory.append(
            b"PK\x01\x02" + struct.pack("<HH", _NEEDED, _NEEDED) + known
            + struct.pack("<HHHHHII", len(label), 0, 0, 0, 0, 0, at) + label
        )  # fmt: skip
        at += len(head) + len(part.deflated)
    listed = b"".join(directory)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(parts), len(parts), len(listed), at, 0)
    return b"".join([*body, listed, end])


def xml_text(text: str) -> str:
    """A text that may stand in an element or an attribute, without signs that XML refuses."""
    return printable(text).translate(_ESCAPED)


def relations(found: list[tuple[str, str, bool]]) -> str:
    """The part that says where `rId1`, `rId2` … lead: kind, target, whether it is outside of the file."""
    lines = "".join(
        f'<Relationship Id="rId{at}" Type="{RELATIONS}/{kind}" Target="{xml_text(target)}"'
        + (' TargetMode="External"/>' if outside else "/>")
        for at, (kind, target, outside) in enumerate(found, 1)
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'{HEAD}<Relationships xmlns="{space}">{lines}</Relationships>'
