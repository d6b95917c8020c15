"""Writing added-up events into the rollup tables: as deltas (drain) or in place of what is there (rebuild)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .copying import copy_rows, escaped, float_array, number_array
from .matching import ADD, LAST, MAX, OPERATION, Plan
from .rollup import DayCell, Rollup

_DAY = 'account_id bigint, day date, "values" double precision[]'
_USER = "account_id bigint, contact_id bigint, day date, events integer, features bigint[], metrics bigint[]"
_DIMENSION = "account_id bigint, day date, metric_id bigint, key text, value double precision, decimals smallint"


def add_rollup(cursor: Any, tenant_id: int, plan: Plan, rollup: Rollup[DayCell]) -> None:
    """Add a turn's numbers to the rollups; the caller holds the tenant's drain lock."""
    _copy(cursor, rollup)
    if rollup.days:
        _upsert_days(cursor, tenant_id, _merging(plan, _touched(rollup)))
    if rollup.users:
        cursor.execute(
            "INSERT INTO usage_user_day AS d (tenant_id, account_id, contact_id, day, events, features, metrics) "
            "SELECT %s, account_id, contact_id, day, events, features, metrics FROM turn_user "
            "ORDER BY account_id, day, contact_id "
            "ON CONFLICT (tenant_id, account_id, day, contact_id) DO UPDATE SET events = d.events + excluded.events, "
            "features = CASE WHEN d.features @> excluded.features THEN d.features ELSE "
            "ARRAY(SELECT DISTINCT f FROM unnest(d.features || excluded.features) AS f ORDER BY f) END, "
            "metrics = CASE WHEN d.metrics @> excluded.metrics THEN d.metrics ELSE "
            "ARRAY(SELECT DISTINCT m FROM unnest(d.metrics || excluded.metrics) AS m ORDER BY m) END",
            [tenant_id],
        )
    if rollup.dimensions:
        cursor.execute(
            "INSERT INTO usage_dim_day AS d (tenant_id, account_id, day, metric_id, key, value) "
            "SELECT %s, account_id, day, metric_id, key, value FROM turn_dimension "
            "ORDER BY account_id, day, metric_id, key "
            "ON CONFLICT (tenant_id, account_id, day, metric_id, key) DO UPDATE SET value = d.value + excluded.value",
            [tenant_id],
        )
        _round_dimensions(cursor, tenant_id)


def replace_rollup(
    cursor: Any, tenant_id: int, plan: Plan, rollup: Rollup[DayCell], scope: str, params: dict[str, Any]
) -> None:
    """Put these numbers in the place of everything in the scope that events feed; pushed and state values stay.

    `scope` is an SQL condition on `d.account_id` and `d.day`.
    """
    params = params | {"tenant": tenant_id}
    fed = _fed_slots(plan)
    _copy(cursor, rollup)
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
        "AND array_position(d.\"values\", NULL) IS NOT NULL AND cardinality(array_remove(d.\"values\", NULL)) = 0",
        params,
    )
    if rollup.days:
        _upsert_days(cursor, tenant_id, [f'"values"[{slot}] = excluded."values"[{slot}]' for slot in sorted(fed)])
    if rollup.users:
        cursor.execute(
            "INSERT INTO usage_user_day (tenant_id, account_id, contact_id, day, events, features, metrics) "
            "SELECT %s, account_id, contact_id, day, events, features, metrics FROM turn_user "
            "ON CONFLICT (tenant_id, account_id, day, contact_id) DO NOTHING",
            [tenant_id],
        )
    if rollup.dimensions:
        cursor.execute(
            "INSERT INTO usage_dim_day (tenant_id, account_id, day, metric_id, key, value) "
            "SELECT %s, account_id, day, metric_id, key, value FROM turn_dimension "
            "ON CONFLICT (tenant_id, account_id, day, metric_id, key) DO UPDATE SET value = excluded.value",
            [tenant_id],
        )


def _copy(cursor: Any, rollup: Rollup[DayCell]) -> None:
    """The numbers as temporary tables."""
    copy_rows(
        cursor, "turn_day", _DAY,
        (f"{a}\t{d.isoformat()}\t{float_array(values)}" for (a, d), values in _sorted(rollup.days.items())),
    )  # fmt: skip
    copy_rows(
        cursor, "turn_user", _USER,
        (
            f"{a}\t{contact}\t{d.isoformat()}\t{events}\t{number_array(sorted(features))}\t{number_array(sorted(metrics))}"
            for ((a, d), contact), (events, features, metrics) in rollup.users.items()
        ),
    )  # fmt: skip
    copy_rows(
        cursor, "turn_dimension", _DIMENSION,
        (
            f"{a}\t{d.isoformat()}\t{metric}\t{escaped(key)}\t{value!r}\t{rollup.decimals[metric]}"
            for ((a, d), metric, key), value in rollup.dimensions.items()
        ),
    )  # fmt: skip


def _sorted(items: Iterable[tuple[DayCell, list[float | None]]]) -> list[tuple[DayCell, list[float | None]]]:
    return sorted(items)


def _upsert_days(cursor: Any, tenant_id: int, assignments: list[str]) -> None:
    """Insert account-days or assign the slots that changed; array slots can be assigned one by one."""
    action = f"UPDATE SET {', '.join(assignments)}" if assignments else "NOTHING"
    cursor.execute(
        'INSERT INTO usage_day AS d (tenant_id, account_id, day, "values") '
        'SELECT %s, account_id, day, "values" FROM turn_day ORDER BY account_id, day '
        f"ON CONFLICT (tenant_id, account_id, day) DO {action}",
        [tenant_id],
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


def _round_dimensions(cursor: Any, tenant_id: int) -> None:
    cursor.execute(
        "UPDATE usage_dim_day d SET value = round(d.value * 10 ^ t.decimals) / 10 ^ t.decimals FROM turn_dimension t "
        "WHERE d.tenant_id = %s AND t.decimals > 0 AND d.account_id = t.account_id AND d.day = t.day "
        "AND d.metric_id = t.metric_id AND d.key = t.key",
        [tenant_id],
    )
