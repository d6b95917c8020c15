"""Figures of growth: what is in the pipeline, what it is worth, what was won.

Each currency stands by itself, and what is paid each month apart from what is paid once: they do not add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum, Value
from django.db.models.functions import TruncMonth

from accounts.models import Tenant
from expansion import stages
from expansion.models import Opportunity

WHOLE = 100
Kind = tuple[str, bool]  # the currency, and whether it is paid each month


@dataclass(frozen=True)
class Amount:
    """So much of a currency, each month or once."""

    cents: int
    currency: str
    recurring: bool = True


def amounts(found: dict[Kind, int], main: str) -> list[Amount]:
    """The company's currency first, then the others, each month before once; nothing at all is 0 of the company's."""
    order = sorted(found, key=lambda kind: (kind[0] != main, kind[0], not kind[1]))
    return [Amount(found[kind], *kind) for kind in order] or [Amount(0, main)]


def quarter_of(day: date) -> tuple[date, date]:
    """The first and the last day of a day's quarter."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    after = date(first.year + (first.month == 10), (first.month + 2) % 12 + 1, 1)
    return first, after - timedelta(days=1)


@dataclass(frozen=True)
class StageTotal:
    """A column of the board: how many, what they are worth, and what of it counts in the forecast."""

    stage: str
    count: int
    value: list[Amount]
    weighted: list[Amount]


@dataclass(frozen=True)
class Tiles:
    """What stands above the board."""

    pipeline: list[Amount]
    open_count: int
    weighted: list[Amount]
    weighted_count: int
    won: list[Amount]
    won_count: int
    average_age: float | None
    overdue: int


def stage_totals(tenant: Tenant, found: QuerySet[Opportunity]) -> dict[str, StageTotal]:
    """Each open stage of these opportunities; one query."""
    rows = (
        found.filter(stage__in=stages.OPEN)
        .order_by()
        .values("stage", "currency", "recurring")
        .annotate(n=Count("pk"), value=Sum("net_cents"), weighted=Sum(F("net_cents") * F("probability_pct")))
    )
    out: dict[str, tuple[int, dict[Kind, int], dict[Kind, int]]] = {s: (0, {}, {}) for s in stages.OPEN}
    for row in rows:
        n, value, weighted = out[row["stage"]]
        value[_kind(row)] = row["value"]
        weighted[_kind(row)] = _percent(row["weighted"])
        out[row["stage"]] = (n + row["n"], value, weighted)
    main = tenant.currency
    return {
        stage: StageTotal(stage, n, amounts(value, main), amounts(weighted, main))
        for stage, (n, value, weighted) in out.items()
    }


def tiles(tenant: Tenant, found: QuerySet[Opportunity], today: date) -> Tiles:
    """Pipeline, forecast and wins of the quarter, age of what is open; two queries."""
    first, last = quarter_of(today)
    due = Q(close_on__lte=last)  # what should have closed earlier is expected now
    rows = (
        found.filter(stage__in=stages.OPEN)
        .order_by()
        .values("currency", "recurring")
        .annotate(
            n=Count("pk"),
            value=Sum("net_cents"),
            weighted=Sum(F("net_cents") * F("probability_pct"), filter=due),
            due=Count("pk", filter=due),
            late=Count("pk", filter=Q(close_on__lt=today)),
            ages=Sum(ExpressionWrapper(Value(today) - F("opened_on"), output_field=DurationField())),
        )
    )
    pipeline: dict[Kind, int] = {}
    weighted: dict[Kind, int] = {}
    count = due_count = late = days = 0
    for row in rows:
        pipeline[_kind(row)] = row["value"]
        if row["weighted"] is not None:
            weighted[_kind(row)] = _percent(row["weighted"])
        count, due_count, late = count + row["n"], due_count + row["due"], late + row["late"]
        days += row["ages"].days
    won = (
        found.filter(stage=stages.WON, closed_on__gte=first, closed_on__lte=last)
        .order_by()
        .values("currency", "recurring")
        .annotate(n=Count("pk"), value=Sum("net_cents"))
    )
    won_rows = list(won)
    return Tiles(
        pipeline=amounts(pipeline, tenant.currency),
        open_count=count,
        weighted=amounts(weighted, tenant.currency),
        weighted_count=due_count,
        won=amounts({_kind(row): row["value"] for row in won_rows}, tenant.currency),
        won_count=sum(row["n"] for row in won_rows),
        average_age=days / count if count else None,
        overdue=late,
    )


def expansion_revenue(
    tenant: Tenant, first: date, last: date, account_ids: Sequence[int] | None = None
) -> dict[date, list[Amount]]:
    """MRR that closed opportunities added, by the month (its first day) in which they were won; one query."""
    found = Opportunity.objects.filter(
        tenant=tenant, stage=stages.WON, closed_on__gte=first, closed_on__lte=last, recurring=True
    )
    if account_ids is not None:
        found = found.filter(account_id__in=list(account_ids))
    rows = (
        found.annotate(month=TruncMonth("closed_on"))
        .values("month", "currency")
        .annotate(cents=Sum("won_mrr_cents"))
        .order_by("month")
    )
    months: dict[date, dict[Kind, int]] = {}
    for row in rows:
        months.setdefault(row["month"], {})[row["currency"], True] = row["cents"]
    return {month: amounts(found, tenant.currency) for month, found in months.items()}


def _kind(row: Mapping[str, Any]) -> Kind:
    return row["currency"], row["recurring"]


def _percent(product: int) -> int:
    """A sum of cents times percent, in cents; halves away from zero."""
    return (abs(product) + WHOLE // 2) // WHOLE * (1 if product >= 0 else -1)
