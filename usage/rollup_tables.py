"""Writing added-up events into the rollup tables: as deltas (drain) or in place of what is there (rebuild)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .copying import date_array, float_array, number_array, text_array
from .matching import ADD, LAST, MAX, OPERATION, Plan
from .rollup import DayCell, Rollup

# The rows come as arrays and not by COPY: each temporary table is truncated on disk at every commit, and these are small.
_DAYS = (
    '(SELECT account_id, day, v::double precision[] AS "values" '
    "FROM unnest(%(accounts)s::bigint[], %(days)s::date[], %(numbers)s::text[]) AS r(account_id, day, v)) AS t"
)
_USERS = (
    "(SELECT account_id, contact_id, day, events, f::bigint[] AS features, m::bigint[] AS metrics "
    "FROM unnest(%(accounts)s::bigint[], %(contacts)s::bigint[], %(days)s::date[], %(events)s::integer[], "
    "%(features)s::text[], %(metrics)s::text[]) AS r(account_id, contact_id, day, events, f, m)) AS t"
)
_DIMENSIONS = (
    "(SELECT * FROM unnest(%(accounts)s::bigint[], %(days)s::date[], %(metrics)s::bigint[], %(keys)s::text[], "
    "%(numbers)s::double precision[], %(decimals)s::integer[]) "
    "AS r(account_id, day, metric_id, key, value, decimals)) AS t"
)


def add_rollup(cursor: Any, tenant_id: int, plan: Plan, rollup: Rollup[DayCell]) -> None:
    """Add a turn's numbers to the rollups; the caller holds the tenant's drain lock."""
    if rollup.days:
        _upsert_days(cursor, tenant_id, rollup, _merging(plan, _touched(rollup)))
    if rollup.users:
        cursor.execute(
            "INSERT INTO usage_user_day AS d (tenant_id, account_id, contact_id, day, events, features, metrics) "
            f"SELECT %(tenant)s, account_id, contact_id, day, events, features, metrics FROM {_USERS} "
            "ORDER BY account_id, day, contact_id "
            "ON CONFLICT (tenant_id, account_id, day, contact_id) DO UPDATE SET events = d.events + excluded.events, "
            "features = CASE WHEN d.features @> excluded.features THEN d.features ELSE "
            "ARRAY(SELECT DISTINCT f FROM unnest(d.features || excluded.features) AS f ORDER BY f) END, "
            "metrics = CASE WHEN d.metrics @> excluded.metrics THEN d.metrics ELSE "
            "ARRAY(SELECT DISTINCT m FROM unnest(d.metrics || excluded.metrics) AS m ORDER BY m) END",
            _user_rows(tenant_id, rollup),
        )
    if rollup.dimensions:
        cursor.execute(
            "INSERT INTO usage_dim_day AS d (tenant_id, account_id, day, metric_id, key, value) "
            f"SELECT %(tenant)s, account_id, day, metric_id, key, value FROM {_DIMENSIONS} "
            "ORDER BY account_id, day, metric_id, key "
            "ON CONFLICT (tenant_id, account_id, day, metric_id, key) DO UPDATE SET value = d.value + excluded.value",
            _dimension_rows(tenant_id, rollup),
        )
        _round_dimensions(cursor, tenant_id, rollup)


def replace_rollup(
    cursor: Any, tenant_id: int, plan: Plan, rollup: Rollup[DayCell], scope: str, params: dict[str, Any]
) -> None:
    """Put these numbers in the place of everything in the scope that events feed; pushed and state values stay.

    `scope` is an SQL condition on `d.account_id` and `d.day`.
    """
    params = params | {"tenant": tenant_id}
    fed = _fed_slots(plan)
    cursor.execute(f"DELETE FROM usage_user_day d WHERE d.tenant_id = %(tenant)s AND {scope}", params)
    cursor.execute(
        f"DELETE FROM usage_dim_day d WHERE d.tenant_id = %(tenant)s AND {scope} AND NOT EXISTS (SELECT 1 "
        "FROM usage_metric m WHERE m.tenant_id = d.tenant_id AND m.id = d.metric_id AND m.kind IN ('pushed', 'state'))",
        params,
    )
    if fed:
        blanked = ", ".join(f'"values"[{slot}] = NULL' for slot in sorted(fed))
        cursor.execute(f"UPDATE usage_day d SET {blanked} WHERE d.tenant_id = %(tenant)s AND {scope}", params)
    cursor.execute(
        f"DELETE FROM usage_day d WHERE d.tenant_id = %(tenant)s AND {scope} "
        'AND array_position(d."values", NULL) IS NOT NULL AND cardinality(array_remove(d."values", NULL)) = 0',
        params,
    )
    if rollup.days:
        _upsert_days(
            cursor,
            tenant_id,
            rollup,
            [f'"values"[{slot}] = excluded."values"[{slot}]' for slot in sorted(fed)],
        )
    if rollup.users:
        cursor.execute(
            "INSERT INTO usage_user_day (tenant_id, account_id, contact_id, day, events, features, metrics) "
            f"SELECT %(tenant)s, account_id, contact_id, day, events, features, metrics FROM {_USERS} "
            "ON CONFLICT (tenant_id, account_id, day, contact_id) DO NOTHING",
            _user_rows(tenant_id, rollup),
        )
    if rollup.dimensions:
        cursor.execute(
            "INSERT INTO usage_dim_day (tenant_id, account_id, day, metric_id, key, value) "
            f"SELECT %(tenant)s, account_id, day, metric_id, key, value FROM {_DIMENSIONS} "
            "ON CONFLICT (tenant_id, account_id, day, metric_id, key) DO UPDATE SET value = excluded.value",
            _dimension_rows(tenant_id, rollup),
        )


def _day_rows(tenant_id: int, rollup: Rollup[DayCell]) -> dict[str, Any]:
    """The account-days as arrays."""
    return {
        "tenant": tenant_id,
        "accounts": number_array(account for account, _ in rollup.days),
        "days": date_array(day for _, day in rollup.days),
        "numbers": _nested(float_array(values) for values in rollup.days.values()),
    }


def _user_rows(tenant_id: int, rollup: Rollup[DayCell]) -> dict[str, Any]:
    """The days of contacts as arrays."""
    return {
        "tenant": tenant_id,
        "accounts": number_array(account for (account, _), _ in rollup.users),
        "contacts": number_array(contact for _, contact in rollup.users),
        "days": date_array(day for (_, day), _ in rollup.users),
        "events": number_array(events for events, _, _ in rollup.users.values()),
        "features": _nested(number_array(sorted(features)) for _, features, _ in rollup.users.values()),
        "metrics": _nested(number_array(sorted(metrics)) for _, _, metrics in rollup.users.values()),
    }


def _dimension_rows(tenant_id: int, rollup: Rollup[DayCell]) -> dict[str, Any]:
    """The numbers kept apart as arrays."""
    places = rollup.dimensions
    return {
        "tenant": tenant_id,
        "accounts": number_array(account for (account, _), _, _ in places),
        "days": date_array(day for (_, day), _, _ in places),
        "metrics": number_array(metric for _, metric, _ in places),
        "keys": text_array(key for _, _, key in places),
        "numbers": float_array(places.values()),
        "decimals": number_array(rollup.decimals[metric] for _, metric, _ in places),
    }


def _nested(arrays: Iterable[str]) -> str:
    """Array literals as texts in an array literal: PostgreSQL's own arrays of arrays must all be of one length."""
    return '{"' + '","'.join(arrays) + '"}'


def _upsert_days(cursor: Any, tenant_id: int, rollup: Rollup[DayCell], assignments: list[str]) -> None:
    """Insert account-days or assign the slots that changed; array slots can be assigned one by one."""
    action = f"UPDATE SET {', '.join(assignments)}" if assignments else "NOTHING"
    cursor.execute(
        'INSERT INTO usage_day AS d (tenant_id, account_id, day, "values") '
        f'SELECT %(tenant)s, account_id, day, "values" FROM {_DAYS} ORDER BY account_id, day '
        f"ON CONFLICT (tenant_id, account_id, day) DO {action}",
        _day_rows(tenant_id, rollup),
    )


def _touched(rollup: Rollup[DayCell]) -> set[int]:
    """Slots (1-based) in which any account-day of this turn has a value."""
    touched: set[int] = set()
    for values in rollup.days.values():
        touched.update(n for n, value in enumerate(values, 1) if value is not None)
    return touched


def _fed_slots(plan: Plan) -> set[int]:
    """Slots that events feed."""
    return {d.slot for d in plan.definitions if d.slot is not None and d.kind in OPERATION}


def _merging(plan: Plan, touched: set[int]) -> list[str]:
    """How each touched slot joins what is there."""
    assignments = []
    for definition in plan.definitions:
        slot = definition.slot
        if slot is None or slot not in touched:
            continue
        old, new = f'd."values"[{slot}]', f'excluded."values"[{slot}]'
        operation = OPERATION[definition.kind]
        if operation == ADD:
            total = f"coalesce({old}, 0) + {new}"
            if definition.decimals:
                scale = 10**definition.decimals
                # Rounded again after each addition, so the total does not depend on the order of arrival.
                total = f"round(({total}) * {scale}) / {scale}"
            merged = f"CASE WHEN {new} IS NULL THEN {old} ELSE {total} END"
        elif operation == MAX:
            merged = f"greatest({old}, {new})"
        else:
            assert operation == LAST
            merged = f"coalesce({new}, {old})"  # recomputed from raw events before it comes here
        assignments.append(f'"values"[{slot}] = {merged}')
    return assignments


def _round_dimensions(cursor: Any, tenant_id: int, rollup: Rollup[DayCell]) -> None:
    if not any(rollup.decimals.values()):
        return
    cursor.execute(
        f"UPDATE usage_dim_day d SET value = round(d.value * 10 ^ t.decimals) / 10 ^ t.decimals FROM {_DIMENSIONS} "
        "WHERE d.tenant_id = %(tenant)s AND t.decimals > 0 AND d.account_id = t.account_id AND d.day = t.day "
        "AND d.metric_id = t.metric_id AND d.key = t.key",
        _dimension_rows(tenant_id, rollup),
    )
