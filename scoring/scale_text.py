"""Scales as people type them: `0: 0, 5: 40, 20: 65` is a curve, `worst: 0, best: 20` a line. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

CURVES = {"piecewise": "points", "steps": "steps"}
BAD_PAIR = "Write pairs such as 5: 40, separated by commas."
_SEPARATOR = re.compile(r"[,;\n]+")
_YES = {"yes": True, "true": True, "no": False, "false": False}


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


def read_scale_text(kind: str, text: str) -> dict[str, Any]:
    """The parameters of a scale; whether they make sense is the scale's matter."""
    params: dict[str, Any] = {}
    pairs: list[list[float]] = []
    for part in filter(None, (piece.strip() for piece in _SEPARATOR.split(text))):
        left, colon, right = (piece.strip() for piece in part.partition(":"))
        value = _YES.get(right.lower(), _number(right))
        if not colon or value is None:
            raise ScaleTextError(part)
        at = _number(left)
        if at is None:
            params[left] = value
        elif kind in CURVES:
            pairs.append([at, value])
        else:
            raise ScaleTextError(part)
    if pairs:
        params[CURVES[kind]] = pairs
    return params


def write_scale_text(kind: str, params: Mapping[str, Any]) -> str:
    """The text for a form; the peers of a percentile scale are not typed and not shown."""
    pieces = [f"{at:g}: {grade:g}" for at, grade in params.get(CURVES.get(kind, ""), [])]
    for name, value in params.items():
        if name in (*CURVES.values(), "reference"):
            continue
        pieces.append(f"{name}: {('no', 'yes')[value]}" if isinstance(value, bool) else f"{name}: {value:g}")
    return ", ".join(pieces)
