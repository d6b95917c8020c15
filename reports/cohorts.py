"""The triangle of cohort retention: months in which accounts began to pay against the months since. By pandas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

import pandas as pd
from django.db import connection

from accounts.models import Tenant
from reports.definitions import COHORT_MRR, COHORTS
from reports.scope import EVERYBODY, Slice

SHOWN = 24  # months
ROWS_SQL = """
SELECT part, day, sum(numerator), sum(denominator) FROM reports_day
WHERE tenant_id = %(tenant)s AND metric = %(metric)s AND dimension = %(dimension)s AND key = ANY(%(keys)s) AND days = 0
  AND part <> 'all' AND currency = %(currency)s AND day <= %(on)s
GROUP BY part, day ORDER BY part, day
"""


@dataclass(frozen=True)
class Cohort:
    """Who began in a month: how many, or what they paid, and the share that is left after each month."""

    month: date
    size: Decimal
    shares: list[float | None]  # percent; the first is the month itself


@dataclass(frozen=True)
class Triangle:
    """The cohorts, the oldest first, and the mean share of each age, weighted by size."""

    cohorts: list[Cohort]
    means: list[float | None]

    @property
    def ages(self) -> int:
        """How many months there are columns for."""
        return len(self.means)


def triangle(tenant: Tenant, *, on: date, which: Slice = EVERYBODY, by_mrr: bool = False) -> Triangle:
    """The triangle as it stood at the end of the last month by a day. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            ROWS_SQL,
            {
                "tenant": tenant.pk,
                "metric": (COHORT_MRR if by_mrr else COHORTS).key,
                "dimension": which.dimension,
                "keys": list(which.keys),
                "currency": tenant.currency if by_mrr else "",
                "on": on,
            },
        )
        return _remembered(tuple(cursor.fetchall()))


def triangle_of(rows: Sequence[tuple[str, date, Decimal, Decimal]]) -> Triangle:
    """Cohort, end of month, what is left and what there was → the triangle. Pure."""
    frame = pd.DataFrame(rows, columns=["cohort", "day", "kept", "size"])
    if frame.empty:
        return Triangle([], [])
    frame["kept"], frame["size"] = frame["kept"].astype(float), frame["size"].astype(float)
    begun = pd.PeriodIndex(frame["cohort"], freq="M")
    ended = pd.PeriodIndex(pd.to_datetime(frame["day"]), freq="M")
    frame["age"] = ended.year * 12 + ended.month - begun.year * 12 - begun.month
    frame = frame[(frame["age"] >= 0) & (frame["size"] > 0)]
    newest = sorted(frame["cohort"].unique())[-SHOWN:]
    frame = frame[frame["cohort"].isin(newest)]
    if frame.empty:
        return Triangle([], [])
    frame["share"] = 100 * frame["kept"] / frame["size"]
    table = frame.pivot_table(index="cohort", columns="age", values="share", aggfunc="first")
    table = table.reindex(columns=range(int(frame["age"].max()) + 1))
    sums = frame.groupby("age")[["kept", "size"]].sum().reindex(table.columns)
    sizes = frame.sort_values("day").groupby("cohort")["size"].last()
    cohorts = [
        Cohort(
            date.fromisoformat(f"{name}-01"),
            Decimal(str(sizes[name])),
            [None if pd.isna(value) else float(value) for value in row],
        )
        for name, row in zip(table.index, table.to_numpy().tolist(), strict=True)
    ]
    means = [
        None if not size or pd.isna(size) else float(100 * kept / size)
        for kept, size in zip(sums["kept"], sums["size"], strict=True)
    ]
    return Triangle(cohorts, means)


# The rows of a company change once a month, and a page is drawn from them each time.
_remembered = lru_cache(maxsize=64)(triangle_of)
