"""The list of accounts: filters, sorting, keyset pages.

Plain SQL, because the page must cost the same at 100,000 accounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from typing import Any

from django.core.cache import cache
from django.db import connection

from accounts.models import Tenant
from accounts.visibility import current_visibility
from scoring.selectors.trends import Trend, score_trends
from workspace.formatting import decimals_of
from workspace.lists import columns as c
from workspace.lists.facts import joins
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor
from workspace.selectors.account_filter import (
    INDEXED,
    SPARK,
    AccountFilter,
    is_everywhere,
    needs_score,
    planned,
    read_wanted,
)

HEALTH = 1  # scoring's code of the kind
SPARK_WEEKS = 12
OPTIONS_SECONDS = 60
FEW = 5000  # accounts whose facts are looked up one by one


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
    cells: dict[str, Any] = field(default_factory=dict)  # of the columns that are not fields here
    trend: Trend | None = None
    spark: list[float | None] = field(default_factory=list)

    @property
    def override(self) -> Standing | None:
        """The override that stands, if one does."""
        if self.override_band is None or self.override_until is None:
            return None
        return Standing(self.override_band, self.override_score, self.override_until)


ROW_FIELDS = [one.name for one in fields(AccountRow)][:-3]  # as the query gives them
# Columns whose values every row has anyway.
BUILT_IN = frozenset({"owner", "segment", "stage", "plan", "mrr", "renewal", "score", SPARK})


@dataclass(frozen=True)
class AccountPage:
    """The rows of a page, how many there are up to the cap, and where the next page starts."""

    rows: list[AccountRow]
    total: int
    next_cursor: Cursor | None

    @cached_property
    def decimals(self) -> dict[str, int]:
        """How many decimals the numbers of each chosen column have, by the column's key."""
        return {
            key: decimals_of(row.cells[key] for row in self.rows if isinstance(row.cells[key], int | float))
            for key in (self.rows[0].cells if self.rows else ())
        }


Found = tuple[int, int, Any]  # id, part, the value it is sorted by


def _by_reading(
    wanted: AccountFilter, found: str, values: Sequence[Any], after: Cursor | None, limit: int
) -> tuple[str, list[Any]]:
    """One page of all that `found` selects (`id, place`), in order."""
    sort, more = wanted.order, []
    way, sign = ("DESC", "<") if wanted.descending else ("ASC", ">")
    given = list(values)
    if after is not None and after.value is None:
        more = ["place IS NULL", f"id {sign} %s"]
        given.append(after.pk)
    elif after is not None:
        more = [f"((place, id) {sign} (%s::{sort.cast}, %s) OR place IS NULL)"]
        given += [after.value, after.pk]
    beyond = f"WHERE {' AND '.join(more)}" if more else ""
    order = f"{'place IS NULL, ' if sort.nullable else ''}place {way}, id {way}"
    return (
        f"SELECT id, (place IS NULL)::int AS part, place FROM ({found}) found {beyond} ORDER BY {order} LIMIT {limit}",
        given,
    )


def _of_some(tenant: Tenant, wanted: AccountFilter, today: date) -> tuple[str, list[Any]] | None:
    """What some accounts are sorted by, looked up one by one; None where the conditions find more than a few.

    One query. Joined to every account before the conditions, a fact to sort by costs as much as all of them.
    """
    read = read_wanted(tenant, wanted, today)
    with planned(wanted), connection.cursor() as cursor:
        # In an order, or PostgreSQL takes the limit for near and reads in one process; in none that an index has.
        cursor.execute(f"SELECT a.id {read.text()} ORDER BY a.id + 0 LIMIT {FEW + 1}", read.values)
        found = cursor.fetchall()
    if len(found) > FEW:
        return None
    facts = joins(tenant, wanted.order.facts, by_row=True)
    return (
        f"SELECT a.id, {wanted.order.sql} AS place FROM unnest(%s::bigint[]) AS few(id) "
        f"JOIN accounts_account a ON a.tenant_id = %s AND a.id = few.id {facts}",
        [[row[0] for row in found], tenant.pk],
    )


def _by_index(
    tenant: Tenant, wanted: AccountFilter, today: date, after: Cursor | None, limit: int
) -> tuple[str, list[Any]]:
    """Two branches, with and without a sort value, so that each is a plain row comparison on an index."""
    sort = wanted.order
    read = unsorted = read_wanted(tenant, wanted, today, frozenset(sort.facts))
    way, sign = ("DESC", "<") if wanted.descending else ("ASC", ">")
    pk = "a.id"
    scored_where: list[str] = []
    scored_values = list(read.values)
    if wanted.sort == "score" and not wanted.q and not wanted.owner and not wanted.tree:
        # Drive from the index on the score; accounts without a score row are the second branch's.
        read = replace(
            read,
            source="FROM scoring_current s JOIN accounts_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id",
        )
        scored_where += ["s.tenant_id = %s", f"s.kind = {HEALTH}"]
        scored_values.append(tenant.pk)
        pk = "s.account_id"
    branches: list[str] = []
    parameters: list[Any] = []
    if after is None or after.value is not None:
        if sort.nullable:
            scored_where.append(f"{sort.sql} IS NOT NULL")
        if after is not None:
            scored_where.append(f"({sort.sql}, {pk}) {sign} (%s::{sort.cast}, %s)")
            scored_values += [after.value, after.pk]
        branches.append(
            f"(SELECT a.id, 0 AS part, {sort.sql} AS place {read.text(*scored_where)} "
            f"ORDER BY {sort.sql} {way}, {pk} {way} LIMIT {limit})"
        )
        parameters += scored_values
    if sort.nullable:
        kind = sort.cast.removesuffix(' COLLATE "C"')
        empty_where, empty_values = [f"{sort.sql} IS NULL"], list(unsorted.values)
        if after is not None and after.value is None:
            empty_where.append(f"a.id {sign} %s")
            empty_values.append(after.pk)
        branches.append(
            f"(SELECT a.id, 1 AS part, NULL::{kind} AS place {unsorted.text(*empty_where)} "
            f"ORDER BY a.id {way} LIMIT {limit})"
        )
        parameters += empty_values
    if len(branches) == 1:
        return branches[0], parameters
    return f"{' UNION ALL '.join(branches)} LIMIT {limit}", parameters


def page_ids(
    tenant: Tenant, wanted: AccountFilter, *, today: date, after: Cursor | None = None, limit: int = PAGE_SIZE
) -> list[Found]:
    """Ids and sort values of a page, in order, those without a value last; one query, two of a list found and sorted by
    facts."""
    sort, some = wanted.order, None
    if is_everywhere(wanted) and wanted.is_narrow and sort.facts:
        some = _of_some(tenant, wanted, today)
    if wanted.sort in INDEXED and not is_everywhere(wanted):
        text, values = _by_index(tenant, wanted, today, after, limit)
    elif some is not None:
        text, values = _by_reading(wanted, *some, after, limit)
    else:
        read = read_wanted(tenant, wanted, today, frozenset(sort.facts))
        found = f"SELECT a.id, {sort.sql} AS place {read.text()}"
        text, values = _by_reading(wanted, found, read.values, after, limit)
    with planned(wanted, everywhere=some is None), connection.cursor() as cursor:
        cursor.execute(text, values)
        return list(cursor.fetchall())


_ROW_COLUMNS = """a.id, a.external_id, a.name, a.owner_id, coalesce(nullif(u.name, ''), u.email, ''), a.segment,
  a.stage, a.plan, a.mrr_cents, a.currency, a.renewal_on, a.tags, s.score, s.band, s.coverage,
  coalesce(s.is_new, false), s.day, a.name_search, o.band, o.score, o.until"""
_ROW_SOURCE = """FROM unnest(%s::bigint[]) WITH ORDINALITY AS page(id, place)
  JOIN accounts_account a ON a.tenant_id = %s AND a.id = page.id"""
_ROW_JOINS = """LEFT JOIN accounts_membership m ON m.tenant_id = a.tenant_id AND m.id = a.owner_id
  LEFT JOIN accounts_user u ON u.id = m.user_id
  LEFT JOIN scoring_override o
    ON o.tenant_id = a.tenant_id AND o.account_id = a.id AND o.ended_on IS NULL AND o.until > %s"""


def rows_of(tenant: Tenant, wanted: AccountFilter, ids: list[int], today: date) -> list[AccountRow]:
    """The rows of these accounts in this order, with what each chosen column shows; one query."""
    more = wanted.book.chosen(key for key in wanted.shown if key not in BUILT_IN)
    facts = {fact for column in more for fact in column.facts} | {"s"}
    extra = "".join(f", {column.sql}" for column in more)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_ROW_COLUMNS}{extra} {_ROW_SOURCE} {joins(tenant, facts, by_row=True)} {_ROW_JOINS} "
            "ORDER BY page.place",
            [ids, tenant.pk, today],
        )
        found = cursor.fetchall()
    width = len(ROW_FIELDS)
    rows = []
    for row in found:
        line = AccountRow(*row[:width])
        line.cells = dict(zip((column.key for column in more), row[width:], strict=True))
        rows.append(line)
    return rows


def account_page(
    tenant: Tenant, wanted: AccountFilter, *, today: date, after: Cursor | None = None, limit: int = PAGE_SIZE
) -> AccountPage:
    """One page of accounts with owner and score, the count up to the cap, trends, and three months for the sparklines.

    At most six queries whatever the number of accounts. The first page finds as many as are counted: what can be answered
    only by reading every account is then read once.
    """
    if after is None:
        found = page_ids(tenant, wanted, today=today, limit=max(COUNT_CAP, limit) + 1)
        total = len(found)
    else:
        found = page_ids(tenant, wanted, today=today, after=after, limit=limit + 1)
        total = account_count(tenant, wanted, today=today)
    more, found = len(found) > limit, found[:limit]
    rows = rows_of(tenant, wanted, [pk for pk, _part, _value in found], today)
    add_sparks(tenant, rows, today)
    trends = score_trends(tenant, [row.pk for row in rows])
    for row in rows:
        row.trend = trends.get(row.pk)
    return AccountPage(rows, total, cursor_after(found[-1]) if more else None)


def account_count(tenant: Tenant, wanted: AccountFilter, *, today: date, cap: int | None = COUNT_CAP) -> int:
    """How many accounts the list has, counted up to the cap; one query."""
    read = read_wanted(tenant, wanted, today)
    limit = "" if cap is None else f"LIMIT {cap + 1}"
    text = f"SELECT count(*) FROM (SELECT 1 {read.text()} {limit}) capped"
    with planned(wanted), connection.cursor() as cursor:
        cursor.execute(text, read.values)
        return int(cursor.fetchone()[0])


def all_ids(tenant: Tenant, wanted: AccountFilter, *, today: date) -> list[int]:
    """The ids of every account of the list, in the order they were made; one query."""
    read = read_wanted(tenant, wanted, today)
    with planned(wanted), connection.cursor() as cursor:
        cursor.execute(f"SELECT a.id {read.text()} ORDER BY a.id", read.values)
        return [row[0] for row in cursor.fetchall()]


def usable(after: Cursor | None, wanted: AccountFilter) -> Cursor | None:
    """The cursor, unless it was made for another order: an address can be edited."""
    if after is None:
        return None
    if after.value is None:
        return after if wanted.order.nullable else None
    if wanted.order.kind in (c.NUMBER, c.MONEY):
        return after if isinstance(after.value, (int, float)) and abs(after.value) < 2**63 else None
    if not isinstance(after.value, str):
        return None
    try:
        if wanted.order.kind == c.DATE:
            date.fromisoformat(after.value)
        elif wanted.order.kind == c.MOMENT:
            datetime.fromisoformat(after.value)
    except ValueError:
        return None
    return after


def cursor_after(found: Found) -> Cursor:
    """Where a page that ends with this row ends."""
    pk, _part, value = found
    if isinstance(value, (date, datetime)):
        return Cursor(value.isoformat(), pk)
    return Cursor(float(value) if isinstance(value, Decimal) else value, pk)


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
        found = page_ids(tenant, wanted, today=today, after=after, limit=batch)
        yield from rows_of(tenant, wanted, [pk for pk, _part, _value in found], today)
        if len(found) < batch:
            return
        after = cursor_after(found[-1])


@dataclass(frozen=True)
class Options:
    """What the filters of the list offer."""

    segments: list[str]
    stages: list[str]
    plans: list[str]
    tags: list[str]


def filter_options(tenant: Tenant) -> Options:
    """The values that occur in the accounts the reader may see; kept for a minute, because finding them reads them all."""
    seen = current_visibility()
    eyes = "all" if seen.owners is None else f"{sorted(seen.owners)} {seen.unowned}"
    key = f"account-options:{tenant.pk}:{blake2b(eyes.encode(), digest_size=16).hexdigest()}"
    found: Options | None = cache.get(key)
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 'g', array_agg(ARRAY[segment, stage, plan]) FROM "
                "(SELECT segment, stage, plan FROM accounts_account WHERE tenant_id = %s "
                "GROUP BY 1, 2, 3) kinds UNION ALL SELECT 't', array_agg(ARRAY[tag]) FROM "
                "(SELECT DISTINCT unnest(tags) AS tag FROM accounts_account WHERE tenant_id = %s) tags",
                [tenant.pk, tenant.pk],
            )
            kinds = {kind: rows or [] for kind, rows in cursor.fetchall()}
        segments, stages, plans = (
            sorted({row[place] for row in kinds["g"]} - {""}, key=str.lower) for place in range(3)
        )
        found = Options(segments, stages, plans, sorted({row[0] for row in kinds["t"]}, key=str.lower))
        cache.set(key, found, OPTIONS_SECONDS)
    return found


def overrides_beside(tenant: Tenant, wanted: AccountFilter, today: date) -> int:
    """How many accounts show an override while the list goes by what is computed; one query, none for other lists."""
    if not needs_score(wanted):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM scoring_override o JOIN accounts_account a ON a.tenant_id = o.tenant_id "
            "AND a.id = o.account_id WHERE o.tenant_id = %s AND o.ended_on IS NULL AND o.until > %s",
            [tenant.pk, today],
        )
        return int(cursor.fetchone()[0])
