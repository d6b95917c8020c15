"""How many rows each view of a member's bar has: asked for once the list is there, up to the cap, kept for minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from accounts.models import Membership, Tenant
from accounts.visibility import visible_owners
from alerts.selectors import alerts_of, waiting
from workspace.lists.columns import Book
from workspace.paging import COUNT_CAP
from workspace.selectors import alerts, expansion, work
from workspace.selectors.account_filter import read_filter
from workspace.selectors.account_list import account_count
from workspace.selectors.saved_views import ViewLine

COUNTED_SECONDS = 300
MOST_COUNTED = 12
Rows = Callable[[Tenant, Mapping[str, str], Membership, date], "QuerySet[Any]"]


def _tasks(tenant: Tenant, said: Mapping[str, str], member: Membership, today: date) -> QuerySet[Any]:
    return work.filtered(tenant, work.read_task_filter(said, member), member, today)


def _alerts(tenant: Tenant, said: Mapping[str, str], member: Membership, today: date) -> QuerySet[Any]:
    wanted = alerts.read_alert_filter(said, member)
    owner = {work.MINE: member.pk, work.EVERYBODY: None}
    found = alerts_of(
        tenant,
        owner_id=owner[wanted.who] if wanted.who in owner else int(wanted.who),
        rule_key=wanted.rule,
        severity=wanted.severity,
    )
    if wanted.state != alerts.WAITING:
        return found.filter(state=wanted.state)
    return waiting(found, today)


def _opportunities(tenant: Tenant, said: Mapping[str, str], member: Membership, today: date) -> QuerySet[Any]:
    return expansion.filtered(tenant, expansion.read_filter(said), member)


ROWS: Mapping[str, Rows] = {"tasks": _tasks, "alerts": _alerts, "opportunities": _opportunities}


def view_counts(
    tenant: Tenant, member: Membership, lines: Sequence[ViewLine], book: Book, today: date
) -> dict[int, int]:
    """How many accounts each view has, up to the cap; counted anew after some minutes, or when the view changes."""

    def count(missing: Sequence[ViewLine]) -> list[int]:
        filters = [read_filter(line.view.parameters, book, member.pk) for line in missing]
        return [account_count(tenant, wanted, today=today) for wanted in filters]

    return _kept(tenant, member, lines, today, count, always_own=False)


def row_counts(tenant: Tenant, member: Membership, key: str, lines: Sequence[ViewLine]) -> dict[int, int]:
    """How many tasks, alerts or opportunities each view has, up to the cap; one query for all that are not kept."""
    today = tenant.today()

    def count(missing: Sequence[ViewLine]) -> list[int]:
        return counted([ROWS[key](tenant, line.view.parameters, member, today) for line in missing])

    return _kept(tenant, member, lines, today, count, always_own=True)


def _kept(
    tenant: Tenant,
    member: Membership,
    lines: Sequence[ViewLine],
    today: date,
    count: Callable[[Sequence[ViewLine]], list[int]],
    *,
    always_own: bool,
) -> dict[int, int]:
    """The counts from the cache, and the others counted. What a view shows may depend on who looks at it."""
    owners = visible_owners()
    eyes = "all" if owners is None else str(hash(tuple(sorted(owners))))
    keys = {
        line.view.pk: f"view-count:{tenant.pk}:{line.view.pk}:{line.view.updated_at.timestamp():.0f}:"
        f"{today.isoformat()}:{eyes}:"
        f"{member.pk if always_own or 'me' in str(line.view.parameters) else 0}"
        for line in lines[:MOST_COUNTED]
    }
    kept = cache.get_many(list(keys.values()))
    missing = [line for line in lines[:MOST_COUNTED] if keys[line.view.pk] not in kept]
    if missing:
        fresh = dict(zip((keys[line.view.pk] for line in missing), count(missing), strict=True))
        cache.set_many(fresh, COUNTED_SECONDS)
        kept |= fresh
    return {pk: int(kept[key]) for pk, key in keys.items()}


def counted(lists: Sequence[QuerySet[Any]]) -> list[int]:
    """How many rows each of these has, up to the cap and one more; one query."""
    parts: list[str] = []
    values: list[Any] = []
    for found in lists:
        try:
            sql, given = found.order_by().values("pk")[: COUNT_CAP + 1].query.sql_with_params()
        except EmptyResultSet:
            parts.append("0")
            continue
        parts.append(f"(SELECT count(*) FROM ({sql}) capped)")
        values.extend(given)
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return [int(one) for one in cursor.fetchone()]
