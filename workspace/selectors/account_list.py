"""The list of accounts: filters, sorting, keyset pages.

Plain SQL, because the page must cost the same at 100,000 accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection

from accounts.models import Tenant
from scoring.selectors.trends import Trend, score_trends
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor
from workspace.selectors.account_filter import SORTS, AccountFilter, conditions, needs_score

HEALTH = 1  # scoring's code of the kind
SPARK_WEEKS = 12
OPTIONS_SECONDS = 60


@dataclass(frozen=True)
class Standing:
    """What an override that stands says, as a list shows it."""

    band: int
    score: float | None
    until: date


@dataclass
class AccountRow:
    """One line of the list."""

    pk: int
    external_id: str
    name: str
    owner_id: int | None
    owner: str
    segment: str
    stage: str
    plan: str
    mrr_cents: int
    currency: str
    renewal_on: date | None
    tags: list[str]
    score: float | None
    band: int | None
    coverage: float | None
    is_new: bool
    scored_on: date | None
    name_search: str
    override_band: int | None
    override_score: float | None
    override_until: date | None
    trend: Trend | None = None
    spark: list[float | None] = field(default_factory=list)

    @property
    def override(self) -> Standing | None:
        """The override that stands, if one does."""
        if self.override_band is None or self.override_until is None:
            return None
        return Standing(self.override_band, self.override_score, self.override_until)


@dataclass(frozen=True)
class AccountPage:
    """The rows of a page, how many there are up to the cap, and where the next page starts."""

    rows: list[AccountRow]
    total: int
    next_cursor: Cursor | None


def _source(with_score: bool) -> str:
    score = "LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = 1 AND s.account_id = a.id"
    return f"FROM accounts_account a {score if with_score else ''}"


def _page_sql(
    tenant: Tenant, wanted: AccountFilter, today: date, after: Cursor | None, limit: int
) -> tuple[str, list[Any]]:
    """Ids of one page in order. Rows without a sort value come last, as a second branch, so that each branch is a plain
    row comparison on an index."""
    sort = SORTS[wanted.sort]
    where, values = conditions(tenant, wanted, today)
    source = _source(needs_score(wanted))
    way, sign = ("DESC", "<") if wanted.descending else ("ASC", ">")
    if sort.on_score and not wanted.q and not wanted.owner:
        # Drive from the index on the score; accounts without a score row are the second branch's.
        scored = "FROM scoring_current s JOIN accounts_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id"
        scored_where, scored_values = [*where, "s.tenant_id = %s", f"s.kind = {HEALTH}"], [*values, tenant.pk]
        order, pk = f"ORDER BY s.score {way}, s.account_id {way}", "s.account_id"
    else:
        scored, scored_where, scored_values = source, list(where), list(values)
        order, pk = f"ORDER BY {sort.column} {way}, a.id {way}", "a.id"
    branches: list[str] = []
    parameters: list[Any] = []
    if after is None or after.value is not None:
        if sort.nullable:
            scored_where.append(f"{sort.column} IS NOT NULL")
        if after is not None:
            scored_where.append(f"({sort.column}, {pk}) {sign} (%s::{sort.cast}, %s)")
            scored_values += [after.value, after.pk]
        branches.append(
            f"(SELECT a.id, 0 AS part {scored} WHERE {' AND '.join(scored_where)} {order} LIMIT {limit})"
        )
        parameters += scored_values
    if sort.nullable:
        empty_where, empty_values = [*where, f"{sort.column} IS NULL"], list(values)
        if after is not None and after.value is None:
            empty_where.append(f"a.id {sign} %s")
            empty_values.append(after.pk)
        branches.append(
            f"(SELECT a.id, 1 AS part {source} WHERE {' AND '.join(empty_where)} ORDER BY a.id {way} LIMIT {limit})"
        )
        parameters += empty_values
    if len(branches) == 1:
        return branches[0], parameters
    return f"{' UNION ALL '.join(branches)} LIMIT {limit}", parameters


_ROW_COLUMNS = """a.id, a.external_id, a.name, a.owner_id, coalesce(nullif(u.name, ''), u.email, ''), a.segment,
  a.stage, a.plan, a.mrr_cents, a.currency, a.renewal_on, a.tags, s.score, s.band, s.coverage,
  coalesce(s.is_new, false), s.day, a.name_search, o.band, o.score, o.until"""
_ROW_JOINS = """JOIN accounts_account a ON a.tenant_id = %s AND a.id = page.id
  LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = 1 AND s.account_id = a.id
  LEFT JOIN accounts_membership m ON m.tenant_id = a.tenant_id AND m.id = a.owner_id
  LEFT JOIN accounts_user u ON u.id = m.user_id
  LEFT JOIN scoring_override o
    ON o.tenant_id = a.tenant_id AND o.account_id = a.id AND o.ended_on IS NULL AND o.until > %s"""


def _rows_sql(page_sql: str) -> str:
    """The columns of a page's rows, in the order of the page."""
    ids = f"SELECT id, row_number() OVER () AS place FROM ({page_sql}) ids"
    return f"SELECT {_ROW_COLUMNS} FROM ({ids}) page {_ROW_JOINS} ORDER BY page.place"


def account_page(
    tenant: Tenant, wanted: AccountFilter, *, today: date, after: Cursor | None = None, limit: int = PAGE_SIZE
) -> AccountPage:
    """One page of accounts with owner and score, the count up to the cap, trends, and three months for the sparklines.

    Four queries whatever the number of accounts.
    """
    page_sql, parameters = _page_sql(tenant, wanted, today, after, limit + 1)
    with connection.cursor() as cursor:
        cursor.execute(
            _rows_sql(page_sql),
            [*parameters, tenant.pk, today],
        )
        rows = [AccountRow(*row) for row in cursor.fetchall()]
        where, values = conditions(tenant, wanted, today)
        narrowed = f"{_source(wanted.reads_score)} WHERE {' AND '.join(where)}"
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 {narrowed} LIMIT {COUNT_CAP + 1}) capped", values)
        total = int(cursor.fetchone()[0])
    more, rows = len(rows) > limit, rows[:limit]
    add_sparks(tenant, rows, today)
    trends = score_trends(tenant, [row.pk for row in rows])
    for row in rows:
        row.trend = trends.get(row.pk)
    return AccountPage(rows, total, cursor_after(rows[-1], wanted) if more else None)


def usable(after: Cursor | None, wanted: AccountFilter) -> Cursor | None:
    """The cursor, unless it was made for another order: an address can be edited."""
    if after is None:
        return None
    if after.value is None:
        return after if SORTS[wanted.sort].nullable else None
    if wanted.sort in ("score", "mrr"):
        return after if isinstance(after.value, (int, float)) and abs(after.value) < 2**63 else None
    if not isinstance(after.value, str):
        return None
    if wanted.sort == "renewal":
        try:
            date.fromisoformat(after.value)
        except ValueError:
            return None
    return after


def cursor_after(row: AccountRow, wanted: AccountFilter) -> Cursor:
    """Where a page that ends with this row ends."""
    value: str | int | float | None = {
        "name": row.name_search,
        "score": row.score,
        "mrr": row.mrr_cents,
        "renewal": row.renewal_on.isoformat() if row.renewal_on else None,
    }[wanted.sort]
    return Cursor(value, row.pk)


def add_sparks(tenant: Tenant, rows: list[AccountRow], today: date) -> None:
    """Give each row one score a week of the last three months; one query for all of them."""
    days = [today - timedelta(days=1 + 7 * back) for back in range(SPARK_WEEKS - 1, -1, -1)]
    places = {day: place for place, day in enumerate(days)}
    by_pk = {row.pk: row for row in rows}
    for row in rows:
        row.spark = [None] * SPARK_WEEKS
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT account_id, day, score FROM scoring_score WHERE tenant_id = %s AND kind = {HEALTH} "
            "AND account_id = ANY(%s) AND day = ANY(%s)",
            [tenant.pk, list(by_pk), days],
        )
        for account_id, day, score in cursor.fetchall():
            by_pk[account_id].spark[places[day]] = score


def export_rows(
    tenant: Tenant, wanted: AccountFilter, *, today: date, batch: int = 2000
) -> Iterator[AccountRow]:
    """Every row of a filtered list, page by page; the caller holds the scope open."""
    after: Cursor | None = None
    while True:
        page_sql, parameters = _page_sql(tenant, wanted, today, after, batch)
        with connection.cursor() as cursor:
            cursor.execute(
                _rows_sql(page_sql),
                [*parameters, tenant.pk, today],
            )
            rows = [AccountRow(*row) for row in cursor.fetchall()]
        yield from rows
        if len(rows) < batch:
            return
        after = cursor_after(rows[-1], wanted)


@dataclass(frozen=True)
class Options:
    """What the filters of the list offer."""

    segments: list[str]
    stages: list[str]
    plans: list[str]
    tags: list[str]


def filter_options(tenant: Tenant) -> Options:
    """The values that occur in the tenant's accounts; kept for a minute, because finding them reads every account."""
    found: Options | None = cache.get(f"account-options:{tenant.pk}")
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 'g', array_agg(ARRAY[segment, stage, plan]) FROM "
                "(SELECT segment, stage, plan FROM accounts_account WHERE tenant_id = %s GROUP BY 1, 2, 3) kinds "
                "UNION ALL SELECT 't', array_agg(ARRAY[tag]) FROM "
                "(SELECT DISTINCT unnest(tags) AS tag FROM accounts_account WHERE tenant_id = %s) tags",
                [tenant.pk, tenant.pk],
            )
            kinds = {kind: rows or [] for kind, rows in cursor.fetchall()}
        segments, stages, plans = (
            sorted({row[place] for row in kinds["g"]} - {""}, key=str.lower) for place in range(3)
        )
        found = Options(segments, stages, plans, sorted({row[0] for row in kinds["t"]}, key=str.lower))
        cache.set(f"account-options:{tenant.pk}", found, OPTIONS_SECONDS)
    return found


def overrides_beside(tenant: Tenant, wanted: AccountFilter, today: date) -> int:
    """How many accounts show an override while the list goes by what is computed; one query, none for other lists."""
    if not needs_score(wanted):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM scoring_override WHERE tenant_id = %s AND ended_on IS NULL AND until > %s",
            [tenant.pk, today],
        )
        return int(cursor.fetchone()[0])
