"""Adding raw events up again: for rebuilds, late memberships, last values, past runs and the check job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from .days import Calendar
from .matching import FeatureBook, Plan
from .rollup import Cell, DayCell, ReceiptCell, Rollup

_CHUNK = 20_000
_READ = (
    "SELECT account_id, coalesce(contact_id, 0), name, feature, occurred_at, day, received_at, key, properties::text "
    "FROM usage_event d WHERE d.tenant_id = %(tenant)s AND d.account_id IS NOT NULL AND {scope}"
)


def raw_events(cursor: Any, tenant_id: int, scope: str, params: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Raw events with an account in the scope, a condition on `d`."""
    cursor.execute(_READ.format(scope=scope), params | {"tenant": tenant_id})
    while rows := cursor.fetchmany(_CHUNK):
        yield from rows


def roll_up_raw(
    cursor: Any,
    tenant_id: int,
    plan: Plan,
    book: FeatureBook,
    scope: str,
    params: dict[str, Any],
    cell: Callable[[int, date, Any], Cell],
) -> Rollup[Cell]:
    """Everything that the raw events in the scope add up to, by the cell of each event."""
    rollup: Rollup[Cell] = Rollup(plan.width, keep_last=True)
    for account, contact, name, feature, at, day, received_at, key, properties in raw_events(
        cursor, tenant_id, scope, params
    ):
        feature_id = book.known(feature or name) or 0
        text = properties.encode() if properties else b""
        rollup.add(cell(account, day, received_at), contact, feature_id, plan.feeds(name), text, at, key.hex)
    return rollup


def by_day(account: int, day: date, received_at: Any) -> DayCell:
    """Cells of the live rollups."""
    return account, day


def by_receipt(calendar: Calendar) -> Callable[[int, date, Any], ReceiptCell]:
    """Cells that also say on which local day an event was received."""
    return lambda account, day, received_at: (account, day, calendar.day(received_at))


def fill_last_values(
    cursor: Any, tenant_id: int, plan: Plan, book: FeatureBook, rollup: Rollup[DayCell]
) -> None:
    """Replace the `last` slots of a turn by what all raw events of those account-days say."""
    if not rollup.last_cells:
        return
    scope, params = cells_scope(rollup.last_cells)
    whole = roll_up_raw(cursor, tenant_id, plan, book, scope, params, by_day)
    for cell, slot in whole.lasts:
        rollup.days[cell][slot] = whole.days[cell][slot]


def cells_scope(cells: Iterable[DayCell]) -> tuple[str, dict[str, Any]]:
    """The scope of certain account-days."""
    ordered = sorted(cells)
    return (
        "(d.account_id, d.day) IN (SELECT a, b FROM unnest(%(accounts)s::bigint[], %(days)s::date[]) AS c(a, b))",
        {
            "accounts": "{" + ",".join(str(account) for account, _ in ordered) + "}",
            "days": "{" + ",".join(day.isoformat() for _, day in ordered) + "}",
        },
    )
