"""Scales as people type them: `0: 0, 5: 40, 20: 65` is a curve, `worst: 0, best: 20` a line. Pure.

`segment Enterprise: 500` is the target of a segment; a name with a comma or a colon stands in double quotes.
`from day 90` on a line of its own begins the values for accounts that went live 90 days ago or longer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

CURVES = {"piecewise": "points", "steps": "steps"}
NOT_TYPED = ("reference", "segment_references")
BAD_PAIR = "Write pairs such as 5: 40, separated by commas."
_PIECE = re.compile(r'(?:"(?:[^"]|"")*"|[^,;\n"])+')
_STAGE = re.compile(r"from day (\d{1,5}):?", re.IGNORECASE)
_SEGMENT = re.compile(r"segment\s+(.+)", re.IGNORECASE)
_PLAIN_NAME = re.compile(r'[^,;:"\n]+')
_YES = {"yes": True, "true": True, "no": False, "false": False}
_WORDS = {"tenant", "segment", "version", "day"}  # what a percentile scale may be told


class ScaleTextError(ValueError):
    """A text that is no list of pairs; says which part."""

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(f"{part}: {BAD_PAIR}")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _value(text: str) -> Any:
    word = text.lower()
    if word in _YES:
        return _YES[word]
    return word if word in _WORDS else _number(text)


def read_scale_text(kind: str, text: str) -> dict[str, Any]:
    """The parameters of a scale; whether they make sense is the scale's matter."""
    first: dict[str, Any] = {}
    stages: list[dict[str, Any]] = []
    for part in filter(None, (piece.strip() for piece in _PIECE.findall(text))):
        if found := _STAGE.fullmatch(part):
            if not stages and first:
                stages.append({"from_days": 0, **first})
            stages.append({"from_days": int(found[1])})
        else:
            _add(kind, part, stages[-1] if stages else first)
    return {"by_tenure": stages} if stages else first


def _add(kind: str, part: str, params: dict[str, Any]) -> None:
    """One piece of the text into the parameters that it belongs to."""
    left, colon, right = (piece.strip() for piece in part.rpartition(":"))
    value = _value(right)
    if not colon or value is None:
        raise ScaleTextError(part)
    if segment := _SEGMENT.fullmatch(left):
        params.setdefault("segment_targets", {})[_unquoted(segment[1])] = value
        return
    at = _number(left)
    if at is None:
        params[left] = value
    elif kind in CURVES:
        params.setdefault(CURVES[kind], []).append([at, value])
    else:
        raise ScaleTextError(part)


def _unquoted(name: str) -> str:
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        return name[1:-1].replace('""', '"')
    return name


def _quoted(name: str) -> str:
    plain = _PLAIN_NAME.fullmatch(name) and name == name.strip()
    return name if plain else '"' + name.replace('"', '""') + '"'


def write_scale_text(kind: str, params: Mapping[str, Any]) -> str:
    """The text for a form; the peers of a percentile scale are not typed and not shown."""
    if stages := params.get("by_tenure"):
        return "\n".join(
            f"from day {stage.get('from_days', 0)}\n{_written(kind, stage)}".rstrip() for stage in stages
        )
    return _written(kind, params)


def _written(kind: str, params: Mapping[str, Any]) -> str:
    pieces = [f"{at:g}: {grade:g}" for at, grade in params.get(CURVES.get(kind, ""), [])]
    for name, value in params.items():
        if name in (*CURVES.values(), *NOT_TYPED, "from_days"):
            continue
        if name == "segment_targets":
            pieces += [f"segment {_quoted(segment)}: {target:g}" for segment, target in sorted(value.items())]
        elif isinstance(value, bool):
            pieces.append(f"{name}: {('no', 'yes')[value]}")
        else:
            pieces.append(f"{name}: {value}" if isinstance(value, str) else f"{name}: {value:g}")
    return ", ".join(pieces)
