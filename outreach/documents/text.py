"""Texts of people as documents take them: prose as plain data, nothing that breaks a line or a page. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from outreach.formatting import INLINE, blocks_of, is_safe_link

# Control characters are no text; overrides of direction would let a name rewrite what stands around it.
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
LONGEST_WORD = 24
_LONG_WORD = re.compile(rf"[^\s\u200b]{{{LONGEST_WORD + 1},}}")
_ZERO_WIDTH_SPACE = "\u200b"


def printable(text: str) -> str:
    """The text without what nobody can see or draw."""
    return _NOT_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def breakable(text: str) -> str:
    """The text with places where a very long word may be broken, so that it cannot run off the page."""

    def broken(match: re.Match[str]) -> str:
        word = match[0]
        parts = [word[at : at + LONGEST_WORD // 2] for at in range(0, len(word), LONGEST_WORD // 2)]
        return _ZERO_WIDTH_SPACE.join(parts)

    return _LONG_WORD.sub(broken, text)


def cleaned(value: Any) -> Any:
    """The same data with every text printable and breakable."""
    if isinstance(value, str):
        return breakable(printable(value))
    if isinstance(value, Mapping):
        return {str(key): cleaned(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [cleaned(one) for one in value]
    return value


def prose(body: str) -> list[dict[str, Any]]:
    """Markdown as paragraphs and lists of lines of runs: `{"list", "lines": [[{"text", "bold", "href"}]]}`."""
    return [
        {"list": block.is_list, "lines": [runs(line) for line in block.lines]}
        for block in blocks_of(printable(body))
    ]


def runs(line: str) -> list[dict[str, Any]]:
    """A line's words with what is bold and where they lead."""
    found: list[dict[str, Any]] = []
    at = 0
    for match in INLINE.finditer(line):
        _add(found, line[at : match.start()])
        if match["label"] is not None:
            target = match["target"]
            _add(found, match["label"], href=target if is_safe_link(target) else "")
        elif match["bold"] is not None:
            _add(found, match["bold"], bold=True)
        elif match["bare"] is not None:
            _add(found, match["bare"], href=match["bare"])
        else:  # a merge field means nothing here: it stays what was typed
            _add(found, match[0])
        at = match.end()
    _add(found, line[at:])
    return found


def plain(body: str) -> str:
    """Markdown as plain text: paragraphs and lines, without marks."""
    return "\n".join(
        ("• " if block["list"] else "") + "".join(run["text"] for run in line)
        for block in prose(body)
        for line in block["lines"]
    )


def _add(found: list[dict[str, Any]], text: str, *, bold: bool = False, href: str = "") -> None:
    if text:
        found.append({"text": text, "bold": bold, "href": href})
