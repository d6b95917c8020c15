"""What usage knows of one account goes to another one: events by their rows, rollups from raw events."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import connection

from accounts.models import Tenant
from usage.definitions import load_features, load_plan
from usage.drain.batches import wait_for_drain
from usage.matching import ADD, MAX, OPERATION, Plan
from usage.raw import by_day, cells_scope, roll_up_raw
from usage.rollup_tables import replace_rollup

from .rebuilding import CHUNK_DAYS, Days

OWN_TABLES = ("usage_event", "usage_day", "usage_user_day", "usage_dim_day", "usage_pushed_value")
SPAN_SQL = "SELECT min(first), max(last) FROM ({}) s(first, last)"


def spans_of_account(*, tenant: Tenant, account_id: int) -> list[Days]:
    """Spans of days on which something is known of an account, each small enough for one transaction."""
    parts = " UNION ALL ".join(
        f"SELECT min(day), max(day) FROM {table} WHERE tenant_id = %(tenant)s AND account_id = %(account)s"
        for table in OWN_TABLES
    )
    with connection.cursor() as cursor:
        cursor.execute(SPAN_SQL.format(parts), {"tenant": tenant.pk, "account": account_id})
        first, last = cursor.fetchone()
    spans: list[Days] = []
    while first is not None and first <= last:
        end = min(first + timedelta(days=CHUNK_DAYS - 1), last)
        spans.append((first, end))
        first = end + timedelta(days=1)
    return spans


def merge_usage(*, tenant: Tenant, from_id: int, into_id: int, days: Days) -> int:
    """Move what is known of some days from one account to another; returns how many events went.

    Days with raw events are added up again from them. Numbers of days whose raw events are gone are added to what stands;
    where both accounts have a value that somebody pushed or that is a state, the one that stays keeps its own.
    """
    params: dict[str, Any] = {
        "tenant": tenant.pk, "from": from_id, "into": into_id, "first": days[0], "last": days[1]
    }  # fmt: skip
    with connection.cursor() as cursor:
        wait_for_drain(cursor, tenant.pk)
        plan, book = load_plan(), load_features()
        cursor.execute(f"SELECT DISTINCT day FROM usage_event WHERE {_MINE}", params)
        with_events = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"UPDATE usage_event SET account_id = %(into)s WHERE {_MINE}", params)
        moved = cursor.rowcount
        if with_events:
            scope, cells = cells_scope(
                (account, day) for day in with_events for account in (from_id, into_id)
            )
            rollup = roll_up_raw(cursor, tenant.pk, plan, book, scope, cells, by_day)
            replace_rollup(cursor, tenant.pk, plan, rollup, scope, cells)
        _move_pushed(cursor, params)
        _move_rollups(cursor, plan, params)
        _note_first_day(cursor, params, with_events)
    return int(moved)


_MINE = "tenant_id = %(tenant)s AND account_id = %(from)s AND day BETWEEN %(first)s AND %(last)s"


def _move_pushed(cursor: Any, params: dict[str, Any]) -> None:
    """Pushed values as they came in, beside the value that counts, which is in the rollup."""
    cursor.execute(
        "INSERT INTO usage_pushed_value (tenant_id, account_id, metric_id, day, key, value, received_at) "
        f"SELECT tenant_id, %(into)s, metric_id, day, key, value, received_at FROM usage_pushed_value WHERE {_MINE} "
        "ON CONFLICT (tenant_id, account_id, metric_id, day, key) DO NOTHING",
        params,
    )
    cursor.execute(f"DELETE FROM usage_pushed_value WHERE {_MINE}", params)


def _move_rollups(cursor: Any, plan: Plan, params: dict[str, Any]) -> None:
    """What is left in the rollups: numbers whose raw events are gone, and numbers that no event made."""
    slots = _joining(plan)
    cursor.execute(
        'INSERT INTO usage_day AS d (tenant_id, account_id, day, "values") '
        f'SELECT tenant_id, %(into)s, day, "values" FROM usage_day WHERE {_MINE} '
        f"ON CONFLICT (tenant_id, account_id, day) DO {f'UPDATE SET {slots}' if slots else 'NOTHING'}",
        params,
    )
    cursor.execute(
        "INSERT INTO usage_user_day AS d (tenant_id, account_id, contact_id, day, events, features, metrics) "
        "SELECT tenant_id, %(into)s, contact_id, day, events, features, metrics FROM usage_user_day "
        f"WHERE {_MINE} ON CONFLICT (tenant_id, account_id, day, contact_id) DO UPDATE SET "
        "events = d.events + excluded.events, "
        "features = ARRAY(SELECT DISTINCT f FROM unnest(d.features || excluded.features) AS f ORDER BY f), "
        "metrics = ARRAY(SELECT DISTINCT m FROM unnest(d.metrics || excluded.metrics) AS m ORDER BY m)",
        params,
    )
    cursor.execute(
        "INSERT INTO usage_dim_day AS d (tenant_id, account_id, day, metric_id, key, value) "
        f"SELECT tenant_id, %(into)s, day, metric_id, key, value FROM usage_dim_day WHERE {_MINE} "
        "ON CONFLICT (tenant_id, account_id, day, metric_id, key) DO UPDATE SET value = CASE WHEN EXISTS (SELECT 1 "
        "FROM usage_metric m WHERE m.tenant_id = d.tenant_id AND m.id = d.metric_id "
        "AND m.kind IN ('pushed', 'state')) THEN d.value ELSE d.value + excluded.value END",
        params,
    )
    for table in ("usage_day", "usage_user_day", "usage_dim_day"):
        cursor.execute(f"DELETE FROM {table} WHERE {_MINE}", params)


def _joining(plan: Plan) -> str:
    """How each slot of a day joins the one that stands."""
    assignments = []
    for definition in plan.definitions:
        if definition.slot is None:
            continue
        old, new = f'd."values"[{definition.slot}]', f'excluded."values"[{definition.slot}]'
        operation = OPERATION.get(definition.kind)
        if operation == ADD:
            joined = f"CASE WHEN {new} IS NULL THEN {old} ELSE coalesce({old}, 0) + {new} END"
        elif operation == MAX:
            joined = f"greatest({old}, {new})"
        else:
            joined = f"coalesce({old}, {new})"
        assignments.append(f'"values"[{definition.slot}] = {joined}')
    return ", ".join(assignments)


def _note_first_day(cursor: Any, params: dict[str, Any], with_events: list[date]) -> None:
    if with_events:
        cursor.execute(
            "UPDATE accounts_account SET first_seen_on = least(first_seen_on, %(day)s) "
            "WHERE tenant_id = %(tenant)s AND id = %(into)s",
            params | {"day": min(with_events)},
        )
