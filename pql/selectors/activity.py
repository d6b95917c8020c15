"""What people at accounts near the board did: one row a person, read from the rollups without a Python step per row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Tenant
from pql.decay import SignalRule, faded, total_points
from pql.models import Signal
from pql.people import ACTIVE, EVENTS, FADED, FEATURES, SIGNALS, PersonMeasure
from scoring.bands import MIDDLE
from scoring.matrix.columns import FADE_UNIT
from scoring.models import KIND_CODES
from scoring.scales import Array
from scoring.windows import DAYS_PER_WEEK
from usage.copying import number_array
from usage.matching import normal
from usage.models import Metric

SHOWN_DAYS = 28  # what the page says beside the score
PEOPLE_PER_ACCOUNT = 50  # the most active ones; nobody calls the fifty-first
FEW = 500  # so many accounts are looked up one by one, more are read as a range
SHOWN = -1  # stands for the events of the days that the page shows

Ints = NDArray[np.int64]
Histogram = tuple[list[int], list[int]]  # rising values, and how many people have each


@dataclass(frozen=True)
class People:
    """Contacts in rows, sorted by account and contact, and what is known of them."""

    accounts: Ints
    contacts: Ints
    events: Ints
    active_days: Ints
    last_on: Ints  # ordinals
    raw: Array

    def __len__(self) -> int:
        return len(self.contacts)

    def pairs(self) -> list[tuple[int, int]]:
        """Account and contact of each row."""
        return list(zip(self.accounts.tolist(), self.contacts.tolist(), strict=True))


NEAR_SQL = """
SELECT c.version_id, array_agg(c.account_id ORDER BY c.account_id) FROM pql_standing s
JOIN scoring_score c ON c.tenant_id = s.tenant_id AND c.account_id = s.account_id AND c.kind = %(kind)s AND c.day = %(day)s
WHERE s.tenant_id = %(tenant)s AND (c.band >= %(middle)s OR s.status = 'lead') AND s.status <> 'converted'
  AND s.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR s.account_id < %(last)s)
  AND c.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR c.account_id < %(last)s)
GROUP BY 1 ORDER BY 1
"""


def accounts_near_board(
    tenant: Tenant, day: date, first: int = 0, last: int | None = None
) -> dict[int, list[int]]:
    """Accounts that are leads or in the medium band or better, by the version that scored them; `last` is left out."""
    values: dict[str, Any] = {
        "tenant": tenant.pk,
        "kind": KIND_CODES["pql"],
        "day": day,
        "middle": MIDDLE,
        "first": first,
        "last": last,
    }
    with connection.cursor() as cursor:
        cursor.execute(NEAR_SQL, values)
        return dict(cursor.fetchall())


# The most active people of each account, with everything of them that whole days tell.
_PEOPLE = """
SELECT * FROM (
  SELECT g.*, row_number() OVER (PARTITION BY g.account_id ORDER BY g.days DESC, g.events DESC, g.contact_id) AS place
  FROM (
    SELECT u.account_id, u.contact_id, coalesce(sum(u.events) FILTER (WHERE {shown}), 0) AS events,
           count(*) FILTER (WHERE {shown}) AS days, max(u.day) - date '0001-01-01' + 1 AS last_on{picks}
    FROM usage_user_day u WHERE {rows} AND u.day > %(day)s::date - {back} GROUP BY 1, 2
  ) AS g
  JOIN accounts_contact c ON c.tenant_id = %(tenant)s AND c.id = g.contact_id AND c.merged_into_id IS NULL
  WHERE g.days > 0
) AS ranked WHERE place <= %(most)s"""


def _rows(accounts: Sequence[int]) -> str:
    """Which user-days `u` belong to the accounts and to somebody."""
    span = "" if len(accounts) <= FEW else " AND u.account_id BETWEEN %(low)s AND %(high)s"
    return (
        f"u.tenant_id = %(tenant)s{span} AND u.account_id = ANY(%(accounts)s::bigint[]) AND u.contact_id > 0 "
        "AND u.day <= %(day)s"
    )


def _parameters(
    tenant: Tenant, accounts: Sequence[int], day: date, measures: Sequence[PersonMeasure]
) -> dict[str, Any]:
    return {
        "tenant": tenant.pk,
        "accounts": number_array(accounts),
        "low": min(accounts),
        "high": max(accounts),
        "day": day,
        "most": PEOPLE_PER_ACCOUNT,
        **{f"fade_{n}": number_array(m.fade()) for n, m in enumerate(measures) if m.what == FADED},
    }


def _people_sql(accounts: Sequence[int], measures: Sequence[PersonMeasure], places: Sequence[int]) -> str:
    back = max([SHOWN_DAYS, *(measures[n].window_days for n in places)])
    return _PEOPLE.format(
        shown=f"u.day > %(day)s::date - {SHOWN_DAYS}",
        picks="".join(f", coalesce({_pick(n, measures[n])}, 0) AS m{n}" for n in places),
        rows=_rows(accounts),
        back=int(back),
    )


def _pick(column: int, measure: PersonMeasure) -> str:
    inside = f"FILTER (WHERE u.day > %(day)s::date - {int(measure.window_days)})"
    if measure.what == ACTIVE:
        return f"count(*) {inside}"
    if measure.what == EVENTS:
        return f"sum(u.events) {inside}"
    return f"sum((%(fade_{column})s::bigint[])[%(day)s::date - u.day + 1]) {inside}"


def people_at(
    tenant: Tenant, accounts: Sequence[int], day: date, measures: Sequence[PersonMeasure]
) -> People:
    """The most active people of these accounts; what a person cannot have is missing, what they did not do is zero."""
    daily = [n for n, m in enumerate(measures) if m.what in (ACTIVE, FADED, EVENTS)]
    names = ["account_id", "contact_id", "events", "days", "last_on", *(f"m{n}" for n in daily)]
    found = np.empty((0, len(names)), dtype=np.int64)
    if accounts:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {', '.join(f'{name}::bigint' for name in names)} "
                f"FROM ({_people_sql(accounts, measures, daily)}) AS p ORDER BY account_id, contact_id",
                _parameters(tenant, accounts, day, measures),
            )
            found = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, len(names))
    raw = np.full((len(found), len(measures)), np.nan)
    for place, column in enumerate(daily, start=5):
        raw[:, column] = measure_values(measures[column], found[:, place])
    people = People(found[:, 0], found[:, 1], found[:, 2], found[:, 3], found[:, 4], raw)
    if not len(people):
        return people
    features = [n for n, m in enumerate(measures) if m.what == FEATURES]
    said = [n for n, m in enumerate(measures) if m.what == SIGNALS]
    places = {pair: row for row, pair in enumerate(people.pairs())} if features or said else {}
    for column in features:
        raw[:, column] = 0.0
        for pair, count in _features(tenant, accounts, day, measures[column]):
            if (row := places.get(pair)) is not None:
                raw[row, column] = count
    if said:
        raw[:, said] = 0.0
        for pair, points in _signals(tenant, accounts, day).items():
            if (row := places.get(pair)) is not None:
                raw[row, said] = points
    return people


def measure_values(measure: PersonMeasure, counted: Ints) -> Array:
    """From whole numbers to the raw measure."""
    if measure.what == FADED:
        return counted / FADE_UNIT
    if measure.what == EVENTS and measure.per_week:
        return counted * DAYS_PER_WEEK / measure.window_days
    return counted.astype(np.float64)


def _features(
    tenant: Tenant, accounts: Sequence[int], day: date, measure: PersonMeasure
) -> list[tuple[tuple[int, int], int]]:
    """How many different features each person used in the window."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, contact_id, count(*) FROM ("
            "SELECT DISTINCT u.account_id, u.contact_id, unnest(u.features) FROM usage_user_day u "
            f"WHERE {_rows(accounts)} AND u.day > %(day)s::date - {int(measure.window_days)}"
            ") AS seen GROUP BY 1, 2",
            _parameters(tenant, accounts, day, ()),
        )
        return [((account_id, contact_id), count) for account_id, contact_id, count in cursor.fetchall()]


# Only days on which the account's own metric saw the signal are looked at: nobody gave it on another one.
_SIGNALS_SQL = """
SELECT e.account_id, e.contact_id, e.name, max(e.day) FROM usage_event e
JOIN (
  SELECT u.account_id, u.day FROM usage_day u
  JOIN pql_standing s ON s.tenant_id = u.tenant_id AND s.account_id = u.account_id AND s.signal_points > 0
  WHERE u.tenant_id = %(tenant)s AND u.account_id = ANY(%(accounts)s::bigint[])
    AND u.day > %(day)s::date - %(back)s AND u.day <= %(day)s AND ({seen})
) AS d ON d.account_id = e.account_id AND d.day = e.day
WHERE e.tenant_id = %(tenant)s AND e.account_id = ANY(%(accounts)s::bigint[]) AND e.contact_id IS NOT NULL
  AND e.day > %(day)s::date - %(back)s AND e.day <= %(day)s GROUP BY 1, 2, 3
"""


def _signals(tenant: Tenant, accounts: Sequence[int], day: date) -> Mapping[tuple[int, int], float]:
    """Points of the signals that people gave; a full house of seats is nobody's own signal."""
    signals = [
        s for s in Signal.objects.filter(tenant=tenant, active=True).order_by("position", "id") if s.events
    ]
    slots = Metric.objects.filter(
        tenant=tenant, active=True, slot__isnull=False, key__in=[s.metric_key for s in signals]
    ).values_list("slot", flat=True)
    seen = " OR ".join(f'u."values"[{int(slot)}] > 0' for slot in slots if slot)
    if not seen:
        return {}
    rules = [SignalRule(signal.key, signal.points, signal.half_life_days) for signal in signals]
    keys: dict[str, list[str]] = defaultdict(list)
    for signal in signals:
        for event in signal.events:
            keys[normal(event)].append(signal.key)
    newest: dict[tuple[int, int], dict[str, date]] = defaultdict(dict)
    values = _parameters(tenant, accounts, day, ()) | {"back": max(rule.window for rule in rules)}
    with connection.cursor() as cursor:
        cursor.execute(_SIGNALS_SQL.format(seen=seen), values)
        for account_id, contact_id, name, on in cursor.fetchall():
            for key in keys.get(normal(name), ()):
                found = newest[account_id, contact_id]
                found[key] = max(on, found.get(key, on))
    return {pair: total_points(faded(rules, days, day)) for pair, days in newest.items()}


def events_of_people(
    tenant: Tenant, accounts: Sequence[int], day: date, measures: Sequence[PersonMeasure]
) -> dict[int, Counter[int]]:
    """How many of the people have how many events: in the days that are shown, and in each measure of events."""
    counted = [n for n, m in enumerate(measures) if m.what == EVENTS]
    out: dict[int, Counter[int]] = {SHOWN: Counter(), **{n: Counter() for n in counted}}
    if not accounts:
        return out
    values = ", ".join(["events", *(f"m{n}" for n in counted)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT which, value::bigint, count(*) FROM (SELECT unnest(%(which)s::int[]) AS which, "
            f"unnest(ARRAY[{values}]) AS value FROM ({_people_sql(accounts, measures, counted)}) AS p"
            ") AS v GROUP BY 1, 2",
            _parameters(tenant, accounts, day, measures) | {"which": number_array([SHOWN, *counted])},
        )
        for which, value, people in cursor.fetchall():
            out[which][value] = people
    return out
