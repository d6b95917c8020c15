"""Buying signals of every account on a lead's plan, as a metric that scoring reads and as the words of the board.

Signals are read where everything is read: from metrics, one slot of `usage_day` each. A night for yesterday or today reads
the live rollups; an older day is told by the raw events that had been received by its end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import orjson
from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from pql.decay import Faded, SignalRule, faded, total_points
from pql.models import LeadSettings, Signal
from pql.selectors.scope import lead_plan_kinds
from usage.asof import relations
from usage.matching import normal
from usage.models import Metric
from usage.selectors import days_delivered
from usage.services import write_state_series

from .definitions import POINTS_METRIC, lead_settings

LIVE_DAYS = 1  # as in scoring: yesterday and today read the rollups
ACCOUNTS_AT_ONCE = 10_000  # the rollups of past days are told from raw events, of so many accounts at a time


@dataclass(frozen=True, slots=True)
class _Hit:
    """A signal on a day: known from a day on, and until another, where what came later took it back."""

    key: str
    on: date
    known: date
    until: date | None = None


@dataclass(frozen=True)
class _Plan:
    """The tenant's active signals with the slots they are read from."""

    rules: tuple[SignalRule, ...]
    signals: tuple[Signal, ...]
    metrics: dict[str, Metric]

    @property
    def window(self) -> int:
        """How far back any of them is read."""
        return max((rule.window for rule in self.rules), default=1)

    @property
    def counted(self) -> list[int]:
        """Metrics that events feed: a fresh source says that silence is no signal, and not missing data."""
        states = (Metric.Kind.STATE, Metric.Kind.PUSHED)
        return [metric.pk for metric in self.metrics.values() if metric.kind not in states]


def _plan(tenant: Tenant) -> _Plan:
    wanted = list(Signal.objects.filter(tenant=tenant, active=True).order_by("position", "id"))
    keys = [signal.metric_key for signal in wanted]
    metrics = {m.key: m for m in Metric.objects.filter(tenant=tenant, key__in=keys, active=True) if m.slot}
    usable = tuple(signal for signal in wanted if signal.metric_key in metrics)
    rules = tuple(SignalRule(s.key, s.points, s.half_life_days) for s in usable)
    return _Plan(rules, usable, metrics)


def measure_signals(*, tenant: Tenant, day: date, first_day: date | None = None) -> int:
    """Write the metric `signal_points` for a day, or for every day from `first_day` on; returns how many account-days.

    Runs before scoring. For the newest night the signals also become the standing's, which the board shows; a night for a
    past day leaves that alone.
    """
    prefer_hash_joins()
    settings = lead_settings(tenant)
    first = first_day or day
    plan = _plan(tenant)
    accounts = _register(tenant, day)
    live = first >= tenant.today() - timedelta(days=LIVE_DAYS)
    hits = (
        _live_hits(tenant, plan, day) if live and first == day else _received_hits(tenant, plan, first, day)
    )
    known = days_delivered(tenant, plan.counted, first, day) if plan.counted else set()
    trails = {account_id: _Trail(found) for account_id, found in hits.items()}
    rows: list[tuple[int, date, float | None]] = []
    newest: dict[int, list[Faded]] = {}
    for offset in range((day - first).days + 1):
        current = first + timedelta(days=offset)
        worth = {
            account_id: signals
            for account_id, trail in trails.items()
            if (signals := faded(plan.rules, trail.at(current), current))
        }
        if current in known:
            rows += [
                (account_id, current, total_points(worth.get(account_id, ())))
                for account_id, since in accounts.items()
                if since is not None and since <= current
            ]
        else:
            rows += [(account_id, current, total_points(signals)) for account_id, signals in worth.items()]
        newest = worth
    if plan.rules:
        write_state_series(tenant=tenant, key=POINTS_METRIC, rows=rows)
    if _is_newest(settings, day):
        _remember(tenant, plan, day, newest, known=day in known)
    return len(rows)


def note_signals(*, tenant: Tenant, day: date) -> None:
    """Put the signals of a day on the standings, from the rollups, without writing the metric: for a past told in a row."""
    plan = _plan(tenant)
    _register(tenant, day)
    worth = {
        account_id: signals
        for account_id, found in _live_hits(tenant, plan, day).items()
        if (signals := faded(plan.rules, _Trail(found).at(day), day))
    }
    known = bool(plan.counted) and bool(days_delivered(tenant, plan.counted, day, day))
    _remember(tenant, plan, day, worth, known=known)


def _is_newest(settings: LeadSettings, day: date) -> bool:
    return settings.evaluated_on is None or settings.evaluated_on <= day


REGISTER_SQL = """
INSERT INTO pql_standing (tenant_id, account_id, since_on, signals, disqualified_why, status, converted_by)
SELECT a.tenant_id, a.id, least(a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date), '[]', '', 'unscored', ''
FROM accounts_account a
WHERE a.tenant_id = %(tenant)s AND a.plan_kind = ANY(%(plans)s) AND (a.churned_on IS NULL OR a.churned_on > %(day)s)
  AND least(a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date) <= %(day)s
ON CONFLICT (tenant_id, account_id) DO NOTHING
"""
ACCOUNTS_SQL = """
SELECT a.id, a.first_seen_on FROM accounts_account a
WHERE a.tenant_id = %(tenant)s AND a.plan_kind = ANY(%(plans)s) AND (a.churned_on IS NULL OR a.churned_on > %(day)s)
ORDER BY a.id
"""


def _register(tenant: Tenant, day: date) -> dict[int, date | None]:
    """Give every account on a lead's plan its standing; returns them with the first day of their usage."""
    values: dict[str, Any] = {
        "tenant": tenant.pk,
        "zone": tenant.timezone,
        "plans": lead_plan_kinds(tenant),
        "day": day,
    }
    with connection.cursor() as cursor:
        cursor.execute(REGISTER_SQL, values)
        cursor.execute(ACCOUNTS_SQL, values)
        return dict(cursor.fetchall())


def _live_hits(tenant: Tenant, plan: _Plan, day: date) -> dict[int, list[_Hit]]:
    """The newest day of each signal, from the rollups: one pass over the window."""
    if not plan.rules:
        return {}
    picks = [
        f'max(u.day) FILTER (WHERE u."values"[{int(plan.metrics[signal.metric_key].slot or 0)}] >= %(least_{n})s '
        f"AND u.day > %(day)s::date - {int(rule.window)})"
        for n, (signal, rule) in enumerate(zip(plan.signals, plan.rules, strict=True))
    ]
    # Few days have a signal; grouping all of them would sort whole rows of metrics where the planner knows no better.
    there = " OR ".join(
        f'u."values"[{int(plan.metrics[signal.metric_key].slot or 0)}] >= %(least_{n})s'
        for n, signal in enumerate(plan.signals)
    )
    values: dict[str, Any] = {f"least_{n}": signal.at_least for n, signal in enumerate(plan.signals)}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT u.account_id, {', '.join(picks)} FROM usage_day u "
            "JOIN pql_standing s ON s.tenant_id = u.tenant_id AND s.account_id = u.account_id "
            f"WHERE u.tenant_id = %(tenant)s AND u.day > %(day)s::date - {int(plan.window)} AND u.day <= %(day)s "
            f"AND ({there}) GROUP BY 1 HAVING num_nonnulls({', '.join(picks)}) > 0",
            values | {"tenant": tenant.pk, "day": day},
        )
        return {
            account_id: [
                _Hit(rule.key, found, found) for rule, found in zip(plan.rules, days, strict=True) if found
            ]
            for account_id, *days in cursor.fetchall()
        }


NAMES_SQL = """
SELECT DISTINCT e.name FROM usage_event e
JOIN pql_standing s ON s.tenant_id = e.tenant_id AND s.account_id = e.account_id
WHERE e.tenant_id = %(tenant)s AND e.day > %(begin)s AND e.day <= %(last)s AND e.received_at < %(cutoff)s
"""
RECEIVED_SQL = """
SELECT account_id, signal, day, greatest(day, (received_at AT TIME ZONE %(zone)s)::date) FROM (
  SELECT e.account_id, n.signal, n.least, e.day, e.received_at,
         row_number() OVER (PARTITION BY e.account_id, n.signal, e.day ORDER BY e.received_at) AS nth
  FROM usage_event e
  JOIN pql_standing s ON s.tenant_id = e.tenant_id AND s.account_id = e.account_id
  JOIN unnest(%(names)s::text[], %(signals)s::text[], %(leasts)s::int[]) AS n(name, signal, least) ON n.name = e.name
  WHERE e.tenant_id = %(tenant)s AND e.day > %(begin)s AND e.day <= %(last)s AND e.received_at < %(cutoff)s
) AS counted WHERE nth = least
"""


def _received_hits(tenant: Tenant, plan: _Plan, first: date, last: date) -> dict[int, list[_Hit]]:
    """Each day on which a signal was there, with the day it was known: from raw events and metrics as they were known."""
    hits: dict[int, list[_Hit]] = defaultdict(list)
    if not plan.rules:
        return hits
    params: dict[str, Any] = {
        "tenant": tenant.pk,
        "zone": tenant.timezone,
        "begin": first - timedelta(days=plan.window),
        "last": last,
        "cutoff": datetime.combine(last + timedelta(days=1), time.min, tzinfo=tenant.tz),
    }
    signals_of: dict[str, list[Signal]] = defaultdict(list)
    for signal in plan.signals:
        for event in signal.events:
            signals_of[normal(event)].append(signal)
    with connection.cursor() as cursor:
        if signals_of:
            cursor.execute(NAMES_SQL, params)
            pairs = [(name, s) for (name,) in cursor.fetchall() for s in signals_of.get(normal(name), ())]
            cursor.execute(
                RECEIVED_SQL,
                params
                | {
                    "names": [name for name, _signal in pairs],
                    "signals": [signal.key for _name, signal in pairs],
                    "leasts": [max(1, round(signal.at_least)) for _name, signal in pairs],
                },
            )
            for account_id, key, day, known in cursor.fetchall():
                hits[account_id].append(_Hit(key, day, known))
    for hit_of, hit in _metric_hits(tenant, plan, params):
        hits[hit_of].append(hit)
    return hits


# What a metric was on a day as more of that day became known, and until when it was that.
_TOLD_SQL = """
SELECT account_id, day, known_on, next_known FROM (
  SELECT u.account_id, u.day, u.known_on, {value} AS value,
         lead(u.known_on) OVER (PARTITION BY u.account_id, u.day ORDER BY u.known_on) AS next_known
  FROM {table} AS u
  JOIN pql_standing s ON s.tenant_id = u.tenant_id AND s.account_id = u.account_id
  WHERE u.tenant_id = %(tenant)s AND u.account_id BETWEEN %(low)s AND %(high)s AND u.day > %(begin)s AND u.day <= %(last)s
    AND u.known_on <= %(last)s AND u."values"[{slot}] IS NOT NULL
) AS told WHERE value >= %(least)s
"""
_SO_FAR = "OVER (PARTITION BY u.account_id, u.day ORDER BY u.known_on)"
_RANGES_SQL = """
SELECT min(account_id), max(account_id) FROM (
  SELECT account_id, (row_number() OVER (ORDER BY account_id) - 1) / %s AS part FROM pql_standing WHERE tenant_id = %s
) AS s GROUP BY part ORDER BY 1
"""


def _so_far(metric: Metric) -> str:
    """The value of a day from all parts of it that were known by then; a state is there at once."""
    cell = f'u."values"[{int(metric.slot or 0)}]'
    if metric.kind in (Metric.Kind.SUM, Metric.Kind.COUNT, Metric.Kind.ALL_EVENTS):
        return f"round(sum({cell}::numeric) {_SO_FAR}, {int(metric.decimals)})"
    return f"max({cell}) {_SO_FAR}" if metric.kind == Metric.Kind.MAX else cell


def _metric_hits(tenant: Tenant, plan: _Plan, params: Mapping[str, Any]) -> Iterator[tuple[int, _Hit]]:
    """Days on which a metric reached a signal's value, of the signals that read a metric instead of events of their own."""
    signals = [signal for signal in plan.signals if not signal.events]
    if not signals:
        return
    with connection.cursor() as cursor:
        cursor.execute(_RANGES_SQL, [ACCOUNTS_AT_ONCE, tenant.pk])
        ranges = cursor.fetchall()
    for low, high in ranges:
        table = _told_table(tenant, plan, signals, params, (low, high))
        for signal in signals:
            metric = plan.metrics[signal.metric_key]
            sql = _TOLD_SQL.format(table=table, value=_so_far(metric), slot=int(metric.slot or 0))
            with connection.cursor() as cursor:
                cursor.execute(sql, {**params, "low": low, "high": high, "least": signal.at_least})
                rows = cursor.fetchall()
            for account_id, day, known, until in rows:
                yield account_id, _Hit(signal.key, day, known, until)


def _told_table(
    tenant: Tenant,
    plan: _Plan,
    signals: Sequence[Signal],
    params: Mapping[str, Any],
    accounts: tuple[int, int],
) -> str:
    """The account-days as they were known; where only states are read, which a day keeps, the live ones."""
    if all(plan.metrics[signal.metric_key].kind == Metric.Kind.STATE for signal in signals):
        return (
            '(SELECT tenant_id, account_id, day, day AS known_on, "values" FROM usage_day '
            f"WHERE tenant_id = {int(tenant.pk)})"
        )
    days = (params["begin"] + timedelta(days=1), params["last"])
    return relations(tenant=tenant, days=days, cutoff=params["cutoff"], accounts=accounts).day_table


class _Trail:
    """What an account's newest day of each signal was, day by day; days are asked for in rising order."""

    def __init__(self, found: Sequence[_Hit]) -> None:
        lasting = [hit for hit in found if hit.until is None]
        self._waiting = sorted(lasting, key=lambda hit: max(hit.on, hit.known), reverse=True)
        self._taken_back = [hit for hit in found if hit.until is not None]
        self._newest: dict[str, date] = {}

    def at(self, day: date) -> dict[str, date]:
        """The newest day of each signal that had come, was known by a day, and not taken back by then."""
        while self._waiting and max(self._waiting[-1].on, self._waiting[-1].known) <= day:
            _put(self._newest, self._waiting.pop())
        passing = [
            hit
            for hit in self._taken_back
            if max(hit.on, hit.known) <= day and hit.until is not None and day < hit.until
        ]
        if not passing:
            return self._newest
        newest = dict(self._newest)
        for hit in passing:
            _put(newest, hit)
        return newest


def _put(newest: dict[str, date], hit: _Hit) -> None:
    if hit.key not in newest or hit.on > newest[hit.key]:
        newest[hit.key] = hit.on


REMEMBER_SQL = """
UPDATE pql_standing p SET signal_points = n.points, signals = n.signals, raised_on = n.raised_on
FROM (
  SELECT s.id, coalesce(f.points, %(silent)s) AS points, coalesce(f.signals, '[]')::jsonb AS signals,
         coalesce(f.raised_on, CASE WHEN s.raised_on <= %(day)s THEN s.raised_on END) AS raised_on
  FROM pql_standing s LEFT JOIN
    unnest(%(accounts)s::bigint[], %(points)s::float8[], %(signals)s::text[], %(raised)s::date[])
      AS f(account_id, points, signals, raised_on) ON f.account_id = s.account_id
  WHERE s.tenant_id = %(tenant)s
) AS n
WHERE p.tenant_id = %(tenant)s AND p.id = n.id
  AND (p.signal_points IS DISTINCT FROM n.points OR p.signals <> n.signals OR p.raised_on IS DISTINCT FROM n.raised_on)
"""


def _remember(tenant: Tenant, plan: _Plan, day: date, worth: dict[int, list[Faded]], *, known: bool) -> None:
    """Put the night's signals on the standings, where they changed; a raised hand is remembered after it has faded."""
    sales = {signal.key for signal in plan.signals if signal.kind == Signal.Kind.SALES}
    accounts = sorted(worth)
    with connection.cursor() as cursor:
        cursor.execute(
            REMEMBER_SQL,
            {
                "tenant": tenant.pk,
                "day": day,
                "silent": 0.0 if known else None,
                "accounts": accounts,
                "points": [total_points(worth[account]) for account in accounts],
                "signals": [
                    orjson.dumps(
                        [{"key": s.key, "on": s.on, "points": s.points} for s in worth[account]]
                    ).decode()
                    for account in accounts
                ],
                "raised": [max((s.on for s in worth[a] if s.key in sales), default=None) for a in accounts],
            },
        )
