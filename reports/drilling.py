"""The accounts behind a bar: the very rows that the night added up, read again for the day that it was kept for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from reports.facts import FACTS
from reports.formulas import Kind
from reports.scope import ALL, OWNER, PLAN, SEGMENT, TEAM, Slice
from reports.services.keeping import facts_params, lay_down_movements
from reports.shape import Part, Report

PAGE = 100
MOST = 50_000  # of a file


@dataclass(frozen=True)
class Row:
    """An account with what it adds to the figure."""

    account_id: int
    external_id: str
    name: str
    owner_id: int | None
    segment: str
    plan: str
    mrr_cents: int
    account_currency: str
    numerator: Decimal
    denominator: Decimal
    currency: str


@dataclass(frozen=True)
class Listing:
    """Some rows, and how many there are."""

    rows: list[Row]
    total: int


CONDITIONS = {
    ALL: "TRUE",
    OWNER: "coalesce(a.owner_id::text, '') = ANY(%(keys)s)",
    SEGMENT: "a.segment = ANY(%(keys)s)",
    PLAN: "a.plan = ANY(%(keys)s)",
    TEAM: (
        "a.owner_id IN (SELECT t.member_id FROM accounts_teammember t "
        "WHERE t.tenant_id = %(tenant)s AND t.team_id::text = ANY(%(keys)s))"
    ),
}


_SHOWN = """
SELECT a.id, a.external_id, a.name, a.owner_id, a.segment, a.plan, a.mrr_cents, a.currency
FROM accounts_account a WHERE a.tenant_id = %s AND a.id = ANY(%s)
"""


def accounts_behind(
    tenant: Tenant,
    report: Report,
    part: Part,
    *,
    day: date,
    window: int,
    which: Slice,
    start: int = 0,
    most: int = PAGE,
) -> Listing:
    """The accounts of a bar, those that weigh most first.

    Owners, segments and plans are those of today. Of a share these are the accounts that count in it, of a mean all of them.
    """
    if report.by_member:
        return Listing([], 0)
    prefer_hash_joins()
    if report.monthly and report.windows:
        lay_down_movements(tenant, day, [window])
    behind = "f.denominator <> 0 OR f.numerator <> 0" if part.lists == "denominator" else "f.numerator <> 0"
    order = (
        "f.numerator"
        if part.kind in (Kind.MEAN, Kind.MEDIAN) or part.lists == "denominator"
        else "-f.numerator"
    )
    params: dict[str, Any] = facts_params(tenant, day) | {
        "days": report.window(window),
        "part": part.key,
        "currency": tenant.currency if part.is_money else "",
        "keys": list(which.keys),
        "start": start,
        "most": most,
    }
    # Only what sorts is carried through the sort; the rest is read of the accounts that are shown.
    statement = f"""
SELECT a.id, f.numerator, f.denominator, f.currency, count(*) OVER ()
FROM ({FACTS[report.key]}) AS f JOIN accounts_account a ON a.tenant_id = %(tenant)s AND a.id = f.account_id
WHERE f.days = %(days)s AND f.part = %(part)s AND f.currency = %(currency)s
  AND ({behind}) AND {CONDITIONS[which.dimension]}
ORDER BY {order}, a.name_search, a.id, f.currency OFFSET %(start)s LIMIT %(most)s"""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '32MB'")  # 100,000 narrow rows are sorted in memory
        cursor.execute(statement, params)
        found = cursor.fetchall()
        cursor.execute(_SHOWN, [tenant.pk, sorted({row[0] for row in found})])
        accounts = {row[0]: row for row in cursor.fetchall()}
    rows = [Row(*accounts[pk], *figures) for pk, *figures, _total in found]
    return Listing(rows, found[0][-1] if found else 0)
