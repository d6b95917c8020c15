"""Training texts: headings, lists, paragraphs and bold words, as parts that a template draws. Pure; no HTML goes through."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

BOLD = re.compile(r"\*\*(.+?)\*\*")


@dataclass(frozen=True)
class Part:
    """A heading, a paragraph or a list; each line is a list of (text, is bold)."""

    kind: str  # heading, paragraph, list
    lines: list[list[tuple[str, bool]]] = field(default_factory=list)


def spans_of(line: str) -> list[tuple[str, bool]]:
    """A line as runs of plain and bold text."""
    return [(run, place % 2 == 1) for place, run in enumerate(BOLD.split(line)) if run]


def parts_of(text: str) -> list[Part]:
    """A text in parts: `# heading`, `- item`, everything else paragraphs that end at an empty line."""
    parts: list[Part] = []
    fresh = True
    for raw in text.replace("\r\n", "\n").split("\n"):
        line = raw.strip()
        if not line:
            fresh = True
            continue
        kind = "heading" if line.startswith("#") else "list" if line.startswith(("- ", "* ")) else "paragraph"
        words = spans_of(
            line.lstrip("#").strip() if kind == "heading" else line[2:] if kind == "list" else line
        )
        if kind == "heading" or fresh or not parts or parts[-1].kind != kind:
            parts.append(Part(kind, [words]))
        elif kind == "list":
            parts[-1].lines.append(words)
        else:
            parts[-1].lines[-1].extend([(" ", False), *words])
        fresh = False
    return parts
