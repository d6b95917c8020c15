"""Scores of people at accounts that are leads or near it: the heaviest user is often not the buyer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection

from accounts.models import Tenant
from pql.decay import SignalRule, faded, total_points
from pql.models import Signal
from pql.people import ACTIVE, EVENTS, FADED, FEATURES, SIGNALS, PersonMeasure, person_measures, person_spec
from scoring.bands import MIDDLE
from scoring.engine import Scores, score
from scoring.models import KIND_CODES, Version
from scoring.proposal import propose_reference
from scoring.scales import Array
from scoring.specs import LoadedVersion, load_versions
from scoring.windows import DAYS_PER_WEEK
from usage.copying import copy_rows, float_array
from usage.matching import normal
from usage.models import Metric

from .definitions import POINTS_METRIC

SHOWN_DAYS = 28  # what the page says beside the score
PEOPLE_PER_ACCOUNT = 50  # the most active ones; nobody calls the fifty-first
COLUMNS = (
    "account_id bigint, contact_id bigint, version_id bigint, day date, score float8, band smallint, coverage float8, "
    "events integer, active_days integer, last_on date, peers_pct float8, components float8[], points float8[], "
    "raw float8[], scaled float8[]"
)
NAMES = ", ".join(column.split()[0] for column in COLUMNS.split(", "))


@dataclass
class _People:
    """Contacts in rows, and what is read of them."""

    accounts: list[int]
    contacts: list[int]
    events: list[int]
    active_days: list[int]
    last_on: list[date | None]

    def places(self) -> dict[tuple[int, int], int]:
        """The row of a contact at an account."""
        return {pair: row for row, pair in enumerate(zip(self.accounts, self.contacts, strict=True))}


def score_contacts(*, tenant: Tenant, day: date) -> int:
    """Score the people of every account that is a lead or in the medium band or better; returns how many.

    What is stored of these accounts is replaced; other accounts keep what they had, with its day.
    """
    versions = _accounts_by_version(tenant, day)
    loaded = load_versions(
        tenant,
        list(Version.objects.filter(tenant=tenant, pk__in=list(versions)).select_related("model")),
    )
    lines: list[str] = []
    for version_id, accounts in versions.items():
        lines += _score(tenant, loaded[version_id], accounts, day)
    everybody = sorted(account for accounts in versions.values() for account in accounts)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM pql_contactscore WHERE tenant_id = %s AND account_id = ANY(%s)",
            [tenant.pk, everybody],
        )
        if lines:
            copy_rows(cursor, "person_score", COLUMNS, lines)
            cursor.execute(
                f"INSERT INTO pql_contactscore (tenant_id, {NAMES}) SELECT %s, {NAMES} FROM person_score "
                "ON CONFLICT (tenant_id, account_id, contact_id) DO NOTHING",
                [tenant.pk],
            )
    return len(lines)


ACCOUNTS_SQL = """
SELECT c.version_id, array_agg(c.account_id ORDER BY c.account_id) FROM pql_standing s
JOIN scoring_score c ON c.tenant_id = s.tenant_id AND c.account_id = s.account_id AND c.kind = %(kind)s AND c.day = %(day)s
WHERE s.tenant_id = %(tenant)s AND (c.band >= %(middle)s OR s.status = 'lead') AND s.status <> 'converted'
GROUP BY 1 ORDER BY 1
"""


def _accounts_by_version(tenant: Tenant, day: date) -> dict[int, list[int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            ACCOUNTS_SQL,
            {"tenant": tenant.pk, "kind": KIND_CODES["pql"], "day": day, "middle": MIDDLE},
        )
        return dict(cursor.fetchall())


def _score(tenant: Tenant, version: LoadedVersion, accounts: list[int], day: date) -> list[str]:
    """Lines to store, one for each person."""
    everything = Metric.objects.filter(tenant=tenant, kind=Metric.Kind.ALL_EVENTS).values_list(
        "key", flat=True
    )
    measures = person_measures(version.sources, everything=next(iter(everything), ""), signals=POINTS_METRIC)
    people = _people(tenant, accounts, day)
    if not people.contacts:
        return []
    raw = _raw(tenant, people, measures, accounts, day)
    ranks = [
        propose_reference(raw[:, column]) if measure.what == EVENTS else None
        for column, measure in enumerate(measures)
    ]
    spec = person_spec(version.spec, measures, ranks)
    out = score(spec, raw)
    return _lines(people, version, raw, out, day)


PEOPLE_SQL = """
SELECT account_id, contact_id, events, days, last_on FROM (
  SELECT u.account_id, u.contact_id, sum(u.events)::int AS events, count(*)::int AS days, max(u.day) AS last_on,
         row_number() OVER (PARTITION BY u.account_id ORDER BY count(*) DESC, sum(u.events) DESC, u.contact_id) AS place
  FROM usage_user_day u
  JOIN accounts_contact c ON c.tenant_id = u.tenant_id AND c.id = u.contact_id AND c.merged_into_id IS NULL
  WHERE u.tenant_id = %(tenant)s AND u.account_id = ANY(%(accounts)s) AND u.contact_id > 0
    AND u.day > %(day)s::date - %(days)s AND u.day <= %(day)s
  GROUP BY 1, 2
) AS ranked WHERE place <= %(most)s ORDER BY account_id, contact_id
"""


def _people(tenant: Tenant, accounts: list[int], day: date) -> _People:
    with connection.cursor() as cursor:
        cursor.execute(
            PEOPLE_SQL,
            {
                "tenant": tenant.pk,
                "accounts": accounts,
                "day": day,
                "days": SHOWN_DAYS,
                "most": PEOPLE_PER_ACCOUNT,
            },
        )
        rows = cursor.fetchall()
    return _People(
        [r[0] for r in rows],
        [r[1] for r in rows],
        [r[2] for r in rows],
        [r[3] for r in rows],
        [r[4] for r in rows],
    )


def _raw(
    tenant: Tenant, people: _People, measures: Sequence[PersonMeasure], accounts: list[int], day: date
) -> Array:
    """People × measures; what a person cannot have is missing, what they did not do is zero."""
    raw = np.full((len(people.contacts), len(measures)), np.nan)
    places = people.places()
    daily = [n for n, m in enumerate(measures) if m.what in (ACTIVE, FADED, EVENTS)]
    features = [n for n, m in enumerate(measures) if m.what == FEATURES]
    params: dict[str, Any] = {
        "tenant": tenant.pk,
        "accounts": accounts,
        "day": day,
        **{f"fade_{n}": measures[n].fade() for n in daily if measures[n].what == FADED},
    }
    with connection.cursor() as cursor:
        for columns, table, pick in (
            (daily, "usage_user_day u", _daily),
            (features, "usage_user_day u CROSS JOIN LATERAL unnest(u.features) AS f(key)", _features),
        ):
            if not columns:
                continue
            raw[:, columns] = 0.0
            back = max(measures[n].window_days for n in columns)
            cursor.execute(
                f"SELECT u.account_id, u.contact_id, {', '.join(pick(n, measures[n]) for n in columns)} FROM {table} "
                "WHERE u.tenant_id = %(tenant)s AND u.account_id = ANY(%(accounts)s) AND u.contact_id > 0 "
                f"AND u.day > %(day)s::date - {int(back)} AND u.day <= %(day)s GROUP BY 1, 2",
                params,
            )
            for account_id, contact_id, *values in cursor.fetchall():
                row = places.get((account_id, contact_id))
                if row is not None:
                    raw[row, columns] = [float(value or 0) for value in values]
    for column, measure in enumerate(measures):
        if measure.what == EVENTS and measure.per_week:
            raw[:, column] = raw[:, column] * DAYS_PER_WEEK / measure.window_days
    said = [n for n, m in enumerate(measures) if m.what == SIGNALS]
    if said:
        points = _signals(tenant, people, day)
        for column in said:
            raw[:, column] = points
    return raw


def _daily(column: int, measure: PersonMeasure) -> str:
    inside = f"FILTER (WHERE u.day > %(day)s::date - {int(measure.window_days)})"
    if measure.what == ACTIVE:
        return f"count(*) {inside}"
    if measure.what == EVENTS:
        return f"sum(u.events) {inside}"
    return f"sum((%(fade_{column})s::float8[])[%(day)s::date - u.day + 1]) {inside}"


def _features(column: int, measure: PersonMeasure) -> str:
    return f"count(DISTINCT f.key) FILTER (WHERE u.day > %(day)s::date - {int(measure.window_days)})"


EVENTS_SQL = """
SELECT e.account_id, e.contact_id, e.name, max(e.day) FROM usage_event e
JOIN pql_standing s ON s.tenant_id = e.tenant_id AND s.account_id = e.account_id AND s.signal_points > 0
WHERE e.tenant_id = %(tenant)s AND e.account_id = ANY(%(accounts)s) AND e.contact_id IS NOT NULL
  AND e.day > %(day)s::date - %(back)s AND e.day <= %(day)s GROUP BY 1, 2, 3
"""


def _signals(tenant: Tenant, people: _People, day: date) -> Array:
    """Points of the signals that each person gave; a full house of seats is nobody's own signal."""
    signals = [
        s for s in Signal.objects.filter(tenant=tenant, active=True).order_by("position", "id") if s.events
    ]
    rules = [SignalRule(signal.key, signal.points, signal.half_life_days) for signal in signals]
    keys: dict[str, list[str]] = defaultdict(list)
    for signal in signals:
        for event in signal.events:
            keys[normal(event)].append(signal.key)
    newest: dict[tuple[int, int], dict[str, date]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(
            EVENTS_SQL,
            {
                "tenant": tenant.pk,
                "accounts": sorted(set(people.accounts)),
                "day": day,
                "back": max((rule.window for rule in rules), default=1),
            },
        )
        for account_id, contact_id, name, on in cursor.fetchall():
            for key in keys.get(normal(name), ()):
                found = newest[account_id, contact_id]
                found[key] = max(on, found.get(key, on))
    return np.array(
        [
            total_points(faded(rules, newest.get(pair, {}), day))
            for pair in zip(people.accounts, people.contacts, strict=True)
        ],
        dtype=np.float64,
    )


def _lines(people: _People, version: LoadedVersion, raw: Array, out: Scores, day: date) -> list[str]:
    """Rows for COPY."""
    events = np.array(people.events)
    below = 100.0 * np.searchsorted(np.sort(events), events, side="left") / len(events)
    scaled = out.scaled if out.scaled is not None else raw
    lines = []
    for row, contact in enumerate(people.contacts):
        cells = (
            people.accounts[row],
            contact,
            version.id,
            day.isoformat(),
            _cell(out.score[row]),
            int(out.band[row]),
            float(out.coverage[row]),
            people.events[row],
            people.active_days[row],
            people.last_on[row] or "\\N",
            float(below[row]),
            _array(out.values[row]),
            _array(out.points[row]),
            _array(raw[row]),
            _array(scaled[row]),
        )
        lines.append("\t".join(map(str, cells)))
    return lines


def _cell(value: float) -> str:
    return "\\N" if np.isnan(value) else repr(float(value))


def _array(values: Array) -> str:
    # as plain floats: asking numpy of each number whether it is one costs more than the rest of the row
    return float_array([value if value == value else None for value in values.tolist()])
