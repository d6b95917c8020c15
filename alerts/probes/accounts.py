"""The accounts of a night as columns of numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from accounts.models import Tenant
from alerts.conditions import Array, Mask

from .columns import read_columns


class AccountColumn(NamedTuple):
    """A number per account: SQL over `a`, with `{0}`, `{1}`… where its values go and `{day}` for the day."""

    sql: str
    values: tuple[Any, ...] = ()


def ordinal(column: str) -> str:
    """SQL of a date as a number, the same as `date.toordinal()`."""
    return f"{column} - date '0001-01-01' + 1"


def target_of(metric: str) -> AccountColumn:
    """The account's weekly target of a metric; missing where there is none or it is no number."""
    return AccountColumn(
        "CASE WHEN jsonb_typeof(a.targets -> {0}) = 'number' THEN (a.targets ->> {0})::float8 END", (metric,)
    )


ID = "a.id"
STARTED = ordinal("coalesce(a.go_live_on, a.first_seen_on)")
FIRST_SEEN = ordinal("a.first_seen_on")
CHURNED = "CASE WHEN a.churned_on <= %(day)s OR a.stage = 'churned' THEN 1 ELSE 0 END"
EXISTS = "CASE WHEN least(a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date) <= %(day)s THEN 1 ELSE 0 END"
BASE = (ID, STARTED, FIRST_SEEN, CHURNED, EXISTS)


@dataclass
class Accounts:
    """Every account in the order of ids; days are proleptic ordinals, NaN where there is none."""

    ids: NDArray[np.int64]
    started: Array  # go-live, else first seen
    first_seen: Array
    churned: Mask
    exists: Mask  # by the end of the day
    columns: dict[AccountColumn, Array]

    def __len__(self) -> int:
        return len(self.ids)


def read_accounts(tenant: Tenant, day: date, columns: Collection[AccountColumn]) -> Accounts:
    """All accounts with these columns, in one statement."""
    wanted = sorted(columns, key=repr)
    parameters: dict[str, Any] = {"tenant": tenant.pk, "day": day, "zone": tenant.timezone}
    written = []
    for place, column in enumerate(wanted):
        names = [f"c{place}_{n}" for n in range(len(column.values))]
        parameters |= {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in zip(names, column.values, strict=True)
        }
        written.append(column.sql.format(*(f"%({name})s" for name in names), day="%(day)s"))
    found = read_columns(
        "FROM accounts_account a WHERE a.tenant_id = %(tenant)s ORDER BY a.id", [*BASE, *written], parameters
    )
    return Accounts(
        found[:, 0].astype(np.int64),
        found[:, 1],
        found[:, 2],
        found[:, 3] == 1,
        found[:, 4] == 1,
        {column: found[:, len(BASE) + place] for place, column in enumerate(wanted)},
    )
