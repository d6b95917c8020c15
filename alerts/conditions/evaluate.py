"""Conditions over columns: what holds, what surely does not, and what is not known. Pure.

Three-valued: AND holds when every part holds and surely fails when one surely fails. OR holds when a part holds, and surely
fails when none holds, one surely fails, and none is without its data tonight: a part that does not apply to an account (no
limit of volume, say) must not keep the others' alert open for ever. Nothing fires on what is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .kinds import TOLERANCE, Array, Mask
from .tree import Group, Leaf, Node, Number, PastShare, TargetShare, Words


@dataclass(frozen=True)
class Column:
    """What a comparison compares: the accounts' values, and what a share is taken of (NaN where there is none).

    For words, `value` is 1 where the account has one of them, 0 where not, NaN where it is not known. `blocked`: its data
    was not delivered, for anybody.
    """

    value: Array
    base: Array | None = None
    blocked: bool = False


@dataclass(frozen=True)
class Truth:
    """Where it holds, where it surely does not, and where it waits for data that was not delivered."""

    yes: Mask
    no: Mask
    blocked: Mask


def evaluate(node: Node, columns: Mapping[str, Column], *, releasing: bool = False) -> Truth:
    """The truth of a condition for every account; `columns` by the path of the comparison.

    With `releasing`, by the thresholds from which open alerts may resolve.
    """
    if isinstance(node, Group):
        parts = [evaluate(part, columns, releasing=releasing) for part in node.parts]
        yes, no, blocked = (
            np.stack([getattr(part, name) for part in parts]) for name in ("yes", "no", "blocked")
        )
        fails = np.asarray(no.any(axis=0))
        if node.joined == "all":
            return Truth(np.asarray(yes.all(axis=0)), fails, np.asarray(blocked.any(axis=0)) & ~fails)
        holds, waits = np.asarray(yes.any(axis=0)), np.asarray(blocked.any(axis=0))
        return Truth(holds, ~holds & fails & ~waits, waits & ~holds)
    return _compare(node, columns[node.path], releasing)


def bound_of(leaf: Leaf, column: Column, *, releasing: bool = False) -> Array:
    """The number that each account's value is compared with; NaN where there is none."""
    shape = column.value.shape
    if isinstance(leaf.bound, Words):
        return np.ones(shape)
    wanted = leaf.release if releasing and leaf.release is not None else None
    if isinstance(leaf.bound, Number):
        return np.full(shape, leaf.bound.value if wanted is None else wanted)
    share = leaf.bound.share if wanted is None else wanted
    base = column.base if column.base is not None else np.full(shape, np.nan)
    bound: Array = share * base
    return bound


def _compare(leaf: Leaf, column: Column, releasing: bool) -> Truth:
    value, bound = column.value, bound_of(leaf, column, releasing=releasing)
    known = ~np.isnan(value) & ~np.isnan(bound)
    slack = TOLERANCE * np.maximum(1.0, np.abs(np.nan_to_num(bound)))
    match leaf.op:
        case "is":
            holds = value == 1
        case "is_not":
            holds = value == 0
        case "under":
            holds = value < bound - slack
        case "at_most":
            holds = value <= bound + slack
        case "over":
            holds = value > bound + slack
        case "at_least":
            holds = value >= bound - slack
        case _:
            upper = (
                leaf.bound.upper if isinstance(leaf.bound, Number) and leaf.bound.upper is not None else 0.0
            )
            holds = (value >= bound - slack) & (value <= upper + TOLERANCE * max(1.0, abs(upper)))
    applies = _applies(leaf, column)
    yes, no = known & holds & applies, (known & ~holds) | (~np.isnan(value) & ~applies)
    return Truth(yes, no, np.full(value.shape, column.blocked))


def _applies(leaf: Leaf, column: Column) -> Mask:
    """Whether there is anything to compare with: no target, or too little before, is no reason to fire."""
    if column.base is None or not isinstance(leaf.bound, TargetShare | PastShare):
        return np.ones(column.value.shape, dtype=bool)
    if isinstance(leaf.bound, TargetShare):
        return np.asarray(column.base > 0)
    return ~(column.base < leaf.bound.least)
