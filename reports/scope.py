"""Whose figures somebody may see, as slices of the stored rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.visibility import Visibility

ALL = "all"
OWNER, TEAM, SEGMENT, PLAN = "owner", "team", "segment", "plan"
NOBODYS = ""


@dataclass(frozen=True)
class Slice:
    """Which stored rows a figure is added up from: one, or some owners' together."""

    dimension: str = ALL
    keys: tuple[str, ...] = ("",)

    @property
    def key(self) -> str:
        """The key of a slice of one."""
        return self.keys[0] if len(self.keys) == 1 else ""


EVERYBODY = Slice()


def allowed(wanted: Slice, seen: Visibility) -> Slice | None:
    """The part of a slice that may be shown; None where nothing of it may be.

    Who sees only some accounts gets the sums of their owners: of segments and plans only all accounts' sums are kept.
    """
    if seen.owners is None:
        return wanted
    keys = [str(owner) for owner in seen.owners] + ([NOBODYS] if seen.unowned else [])
    if wanted.dimension == ALL:
        return Slice(OWNER, tuple(keys))
    if wanted.dimension == OWNER and set(wanted.keys) <= set(keys):
        return wanted
    return None


def allowed_keys(dimension: str, keys: Sequence[str], seen: Visibility) -> list[str]:
    """The bars of a breakdown that may be shown."""
    return [key for key in keys if allowed(Slice(dimension, (key,)), seen) is not None]
