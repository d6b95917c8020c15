"""The ROI register as it stood at a moment: later changes are taken back. Reads what it is given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from qbr.models import RegisterChange, RoiEntry


@dataclass(frozen=True)
class RoiLine:
    """One entry of the register."""

    id: int
    title: str
    kind: str
    source: str
    amount_cents: int
    currency: str
    first_month: date
    last_month: date
    figure_id: int | None = None


def roi_as_of(entries: Iterable[RoiEntry], later: Iterable[RegisterChange]) -> dict[int, list[RoiLine]]:
    """Account → lines by their ids; `later` are the changes since the moment, the newest first."""
    lines: dict[int, RoiLine | None] = {}
    account_of: dict[int, int] = {}
    for entry in entries:
        account_of[entry.pk] = entry.account_id
        lines[entry.pk] = None if entry.removed_at is not None else line_of(entry)
    for change in later:
        account_of[change.entry_id] = change.account_id
        before = change.before
        lines[change.entry_id] = None if before is None else _line(change.entry_id, before)
    out: dict[int, list[RoiLine]] = defaultdict(list)
    for entry_id in sorted(lines):
        line = lines[entry_id]
        if line is not None:
            out[account_of[entry_id]].append(line)
    return out


def line_of(entry: RoiEntry) -> RoiLine:
    """The line that an entry is now."""
    return RoiLine(
        entry.pk,
        entry.title,
        entry.kind,
        entry.source,
        entry.amount_cents,
        entry.currency,
        entry.first_month,
        entry.last_month,
        entry.figure_id,
    )


def _line(entry_id: int, stored: Mapping[str, Any]) -> RoiLine:
    return RoiLine(
        entry_id,
        stored["title"],
        stored["kind"],
        stored["source"],
        int(stored["amount_cents"]),
        stored["currency"],
        date.fromisoformat(stored["first_month"]),
        date.fromisoformat(stored["last_month"]),
        stored.get("figure"),
    )
