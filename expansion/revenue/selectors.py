"""Retention read from the history of what accounts paid: one statement, whatever the number of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import Tenant

from .retention import Movements, Period, Retention

ALL, SEGMENT, OWNER = "all", "segment", "owner"
RATES = """rates AS (
  SELECT u.currency, u.rate, %(base)s::text AS base
  FROM unnest(%(currencies)s::text[], %(rates)s::numeric[]) AS u(currency, rate)
)"""
# Each change adds what is paid from then on and takes away what was paid until then, so the MRR of a morning is a sum.
DELTAS = """
  SELECT n.account_id, n.on, coalesce(x.base, n.currency) AS currency,
         round(n.mrr_cents * coalesce(x.rate, 1))::bigint AS amount
  FROM expansion_mrrchange n LEFT JOIN rates x ON x.currency = n.currency
  WHERE n.tenant_id = %(tenant)s AND n.on < %(after)s
  UNION ALL
  SELECT p.account_id, p.until, coalesce(x.base, p.currency), -round(p.mrr_cents * coalesce(x.rate, 1))::bigint
  FROM (
    SELECT account_id, currency, mrr_cents, lead("on") OVER (PARTITION BY account_id, line_id ORDER BY "on") AS until
    FROM expansion_mrrchange WHERE tenant_id = %(tenant)s AND "on" < %(after)s
  ) p LEFT JOIN rates x ON x.currency = p.currency
  WHERE p.until IS NOT NULL
"""


@dataclass(frozen=True)
class Group:
    """The figures of some accounts; `key` is a segment or a member's id, None for all of them or for nobody's."""

    dimension: str
    key: Any
    by_currency: tuple[Retention, ...]


@dataclass(frozen=True)
class RetentionReport:
    """What was kept in a period: of all accounts, by segment and by owner (as they are today)."""

    period: Period
    groups: list[Group] = field(default_factory=list)

    @property
    def overall(self) -> tuple[Retention, ...]:
        """The figures of all accounts, the largest currency first."""
        return next((group.by_currency for group in self.groups if group.dimension == ALL), ())

    def of(self, dimension: str) -> list[Group]:
        """The groups of a dimension."""
        return [group for group in self.groups if group.dimension == dimension]


def _span_sql(number: int, start: int, end: int) -> str:
    """The sums of one span, between the mornings `start` and `end`; moved: the currency changed in it."""
    o, c = f"m{start}", f"m{end}"
    fine = f"NOT moved{number}"
    parts = [
        f"sum({o})",
        f"sum({c}) FILTER (WHERE {o} = 0 AND {c} > 0 AND NOT before{number})",
        f"sum({c}) FILTER (WHERE {o} = 0 AND {c} > 0 AND before{number})",
        f"sum({c} - {o}) FILTER (WHERE {o} > 0 AND {c} > {o})",
        f"sum({o} - {c}) FILTER (WHERE {c} > 0 AND {c} < {o})",
        f"sum({o}) FILTER (WHERE {o} > 0 AND {c} = 0)",
        f"sum({c})",
        f"count(*) FILTER (WHERE {o} > 0)",
        f"count(*) FILTER (WHERE {o} > 0 AND {c} = 0)",
        f"count(*) FILTER (WHERE {c} > 0 AND {c} < {o})",
        f"count(*) FILTER (WHERE {o} > 0 AND {c} > {o})",
        f"count(*) FILTER (WHERE {o} = 0 AND {c} > 0 AND NOT before{number})",
        f"count(*) FILTER (WHERE {o} = 0 AND {c} > 0 AND before{number})",
    ]
    sums = []
    for part in parts:
        head, found, tail = part.partition(" FILTER (WHERE ")
        condition = f"{fine} AND {tail[:-1]}" if found else fine
        sums.append(f"coalesce({head} FILTER (WHERE {condition}), 0)::bigint")
    return f"ARRAY[{', '.join(sums)}]"


def _spans(edges: int) -> list[tuple[int, int]]:
    """The whole period, then its months, each between two of the mornings."""
    return [(0, edges - 1), *((place, place + 1) for place in range(edges - 1))]


def _judged(edges: int) -> str:
    """What each account paid on each morning in a currency, and whether its currency changed: the WITH of every reader."""
    mornings = ", ".join(
        f"coalesce(sum(d.amount) FILTER (WHERE d.on < %(edge{place})s), 0)::bigint AS m{place}"
        for place in range(edges)
    )
    firsts = "min(d.on) FILTER (WHERE d.amount > 0) AS first_on"
    flags = []
    for number, (start, end) in enumerate(_spans(edges)):
        # Paid in one currency before and in another after: neither churn nor new business.
        switched = (
            f"bool_or(m{start} > 0 AND m{end} = 0) OVER account AND bool_or(m{start} = 0 AND m{end} > 0) OVER account "
            f"AND NOT bool_or(m{start} > 0 AND m{end} > 0) OVER account"
        )
        flags.append(f"({switched}) AND (m{start} > 0) <> (m{end} > 0) AS moved{number}")
        flags.append(f"min(first_on) OVER account < %(edge{start})s AS before{number}")
    return f"""
WITH {RATES}, deltas AS ({DELTAS}), balances AS (
  SELECT d.account_id, d.currency, {mornings}, {firsts} FROM deltas d GROUP BY 1, 2
), judged AS (
  SELECT b.*, {", ".join(flags)} FROM balances b WINDOW account AS (PARTITION BY b.account_id)
)"""


def _sql(edges: int) -> str:
    sums = ", ".join(_span_sql(number, *span) for number, span in enumerate(_spans(edges)))
    return f"""{_judged(edges)}
SELECT CASE WHEN grouping(a.segment) = 0 THEN 'segment' WHEN grouping(a.owner_id) = 0 THEN 'owner' ELSE 'all' END,
       a.segment, a.owner_id, j.currency, count(*) FILTER (WHERE j.moved0 AND j.m0 > 0), {sums}
FROM judged j JOIN accounts_account a ON a.tenant_id = %(tenant)s AND a.id = j.account_id
GROUP BY GROUPING SETS ((j.currency), (j.currency, a.segment), (j.currency, a.owner_id))
"""


def movements_sql(period: Period) -> str:
    """The same figures account by account: `account_id, currency, counted, opening, closing, sold`.

    `counted` is false where the currency changed in the period; `sold` is what upgrades brought, month by month.
    """
    edges = len(period.edges())
    sold = " + ".join(
        f"CASE WHEN NOT moved{number} AND m{start} > 0 AND m{end} > m{start} THEN m{end} - m{start} ELSE 0 END"
        for number, (start, end) in enumerate(_spans(edges))
        if number
    )
    return f"""{_judged(edges)}
SELECT j.account_id, j.currency, NOT j.moved0 AS counted, j.m0 AS opening, j.m{edges - 1} AS closing, {sold} AS sold
FROM judged j
"""


def period_params(tenant: Tenant, period: Period, rates: Mapping[str, Decimal] | None) -> dict[str, Any]:
    """The values that the statements of a period read."""
    known = dict(rates or {})
    return {
        "tenant": tenant.pk,
        "after": period.after,
        "base": tenant.currency,
        "currencies": list(known),
        "rates": list(known.values()),
        **{f"edge{place}": edge for place, edge in enumerate(period.edges())},
    }


def retention(tenant: Tenant, period: Period, rates: Mapping[str, Decimal] | None = None) -> RetentionReport:
    """The retention of a period; with rates, all currencies that have one are counted in the tenant's own. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_sql(len(period.edges())), period_params(tenant, period, rates))
        rows = cursor.fetchall()
    found: dict[tuple[str, Any], list[Retention]] = {}
    for dimension, segment, owner_id, currency, moved, whole, *months in rows:
        key = segment if dimension == SEGMENT else owner_id if dimension == OWNER else None
        spans = [Movements(*values) for values in (whole, *months)]
        one = Retention(currency, spans[0], tuple(spans[1:]), int(moved))
        if one.left_out or any(span != Movements() for span in spans):
            found.setdefault((dimension, key), []).append(one)
    groups = [
        Group(
            dimension,
            key,
            tuple(sorted(parts, key=lambda one: (-one.whole.opening_cents, one.currency))),
        )
        for (dimension, key), parts in found.items()
    ]
    order = {ALL: 0, SEGMENT: 1, OWNER: 2}
    groups.sort(
        key=lambda group: (
            order[group.dimension],
            -max(one.whole.opening_cents for one in group.by_currency),
            str(group.key),
        )
    )
    return RetentionReport(period, groups)


def trailing_year(day: date) -> Period:
    """The twelve complete months before the month of a day."""
    last_month = date(day.year, day.month, 1)
    return Period(
        date(last_month.year - 1, last_month.month, 1), date.fromordinal(last_month.toordinal() - 1)
    )
