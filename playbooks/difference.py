"""What changed between two versions of a play. Pure: versions as plain values in, lines of codes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

ADDED, REMOVED, CHANGED, MOVED, TERM = "added", "removed", "changed", "moved", "term"


@dataclass(frozen=True)
class Line:
    """One difference: of a step (`title`), or of what the whole version says (`name`)."""

    code: str
    title: str = ""
    name: str = ""
    before: Any = None
    after: Any = None


def difference(
    old_steps: Sequence[Mapping[str, Any]],
    new_steps: Sequence[Mapping[str, Any]],
    old_terms: Mapping[str, Any],
    new_terms: Mapping[str, Any],
) -> list[Line]:
    """Steps that came, went, moved or changed, then what is different for the whole version."""
    lines = []
    old_keys, new_keys = _keys(old_steps), _keys(new_steps)
    gone = {key: step for key, step in zip(old_keys, old_steps, strict=True) if key not in set(new_keys)}
    for key, step in zip(old_keys, old_steps, strict=True):
        if key in gone:
            lines.append(Line(REMOVED, str(step["title"])))
    old_staying = [key for key in old_keys if key in set(new_keys)]
    blocks = SequenceMatcher(
        a=old_staying, b=[key for key in new_keys if key in set(old_keys)], autojunk=False
    ).get_matching_blocks()
    still = {key for block in blocks for key in old_staying[block.a : block.a + block.size]}
    before = dict(zip(old_keys, old_steps, strict=True))
    for key, step in zip(new_keys, new_steps, strict=True):
        title = str(step["title"])
        if key not in before:
            lines.append(Line(ADDED, title))
            continue
        if key not in still:
            lines.append(Line(MOVED, title))
        names = [name for name in step if name != "position" and step[name] != before[key].get(name)]
        lines += [Line(CHANGED, title, name, before[key].get(name), step[name]) for name in names]
    terms = [name for name in new_terms if new_terms[name] != old_terms.get(name)]
    return lines + [Line(TERM, "", name, old_terms.get(name), new_terms[name]) for name in terms]


def _keys(steps: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int]]:
    """Steps are the same when kind and title are; of equal ones the first is the first."""
    counts: dict[tuple[str, str], int] = {}
    keys = []
    for step in steps:
        name = (str(step["kind"]), str(step["title"]))
        counts[name] = counts.get(name, 0) + 1
        keys.append((*name, counts[name]))
    return keys
