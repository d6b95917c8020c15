"""Scores of people at accounts that are leads or near it: the heaviest user is often not the buyer.

Two steps, because one person's use is ranked among everybody's: `note_peers` counts how much the people of all these
accounts do, and `score_contacts` then scores the people of a range of accounts, a transaction a range in a night.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

import numpy as np
from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from pql.models import LeadSettings, PeoplePeers
from pql.people import EVENTS, PersonMeasure, person_measures, person_spec
from pql.selectors.activity import (
    SHOWN,
    Ints,
    People,
    accounts_near_board,
    events_of_people,
    measure_values,
    people_at,
)
from scoring.engine import Scores, score
from scoring.models import Version
from scoring.proposal import propose_reference
from scoring.scales import Array, Percentile
from scoring.specs import LoadedVersion, load_versions
from usage.copying import array_fields, copy_columns, number_array, number_fields
from usage.models import Metric

from .definitions import POINTS_METRIC

ACCOUNTS_AT_ONCE = 10_000
Peers = Mapping[
    int, tuple[Ints, Ints]
]  # by place of the measure: rising values, and how many people have each
COLUMNS = (
    "account_id bigint, contact_id bigint, version_id bigint, day date, score float8, band smallint, coverage float8, "
    "events integer, active_days integer, last_on date, peers_pct float8, components float8[], points float8[], "
    "raw float8[], scaled float8[]"
)
_NAMES = [column.split()[0] for column in COLUMNS.split(", ")]
_VALUES = _NAMES[2:]


def note_peers(*, tenant: Tenant, day: date) -> None:
    """Count how much the people at leads, or near it, did by a day: what each of them is ranked against."""
    near = accounts_near_board(tenant, day)
    versions = _load(tenant, near)
    rows: list[PeoplePeers] = []
    for version_id, accounts in near.items():
        measures = _measures(tenant, versions[version_id])
        together: dict[int, Counter[int]] = {}
        for start in range(0, len(accounts), ACCOUNTS_AT_ONCE):
            part = events_of_people(tenant, accounts[start : start + ACCOUNTS_AT_ONCE], day, measures)
            for place, counts in part.items():
                together.setdefault(place, Counter()).update(counts)
        for place, counts in together.items():
            values = sorted(counts)
            rows.append(
                PeoplePeers(
                    tenant=tenant,
                    version_id=version_id,
                    measure=place,
                    day=day,
                    events=values,
                    people=[counts[value] for value in values],
                )
            )
    PeoplePeers.objects.filter(tenant=tenant).delete()
    PeoplePeers.objects.bulk_create(rows)


def score_contacts(*, tenant: Tenant, day: date, first: int = 0, last: int | None = None) -> int:
    """Score the people of every account that is a lead or in the medium band or better; returns how many.

    Of the accounts from `first` on and before `last`, against the peers of the day. What is stored of these accounts is
    brought up to date; other accounts keep what they had, with its day. Nothing to do when the board stands at another day.
    """
    if not LeadSettings.objects.filter(tenant=tenant, evaluated_on=day).exists():
        return 0
    prefer_hash_joins()
    near = accounts_near_board(tenant, day, first, last)
    versions = _load(tenant, near)
    peers = _peers(tenant, day)
    scored = 0
    for version_id, accounts in near.items():
        version = versions[version_id]
        measures = _measures(tenant, version)
        for start in range(0, len(accounts), ACCOUNTS_AT_ONCE):
            part = accounts[start : start + ACCOUNTS_AT_ONCE]
            people = people_at(tenant, part, day, measures)
            _store(tenant, part, people, version, measures, peers.get(version_id, {}), day)
            scored += len(people)
    return scored


def _load(tenant: Tenant, near: Mapping[int, list[int]]) -> dict[int, LoadedVersion]:
    found = Version.objects.filter(tenant=tenant, pk__in=list(near)).select_related("model")
    return load_versions(tenant, list(found))


def _measures(tenant: Tenant, version: LoadedVersion) -> list[PersonMeasure]:
    everything = Metric.objects.filter(tenant=tenant, kind=Metric.Kind.ALL_EVENTS).values_list(
        "key", flat=True
    )
    return person_measures(version.sources, everything=next(iter(everything), ""), signals=POINTS_METRIC)


def _peers(tenant: Tenant, day: date) -> dict[int, Peers]:
    out: dict[int, dict[int, tuple[Ints, Ints]]] = {}
    for row in PeoplePeers.objects.filter(tenant=tenant, day=day):
        pair = np.array(row.events, dtype=np.int64), np.array(row.people, dtype=np.int64)
        out.setdefault(row.version_id, {})[row.measure] = pair
    return dict(out)


def _ranks(measures: list[PersonMeasure], peers: Peers) -> list[Percentile | None]:
    """A scale of its own for each measure of events; None where there are too few peers."""
    return [
        propose_reference(measure_values(measure, np.repeat(*peers[place])))
        if measure.what == EVENTS and place in peers
        else None
        for place, measure in enumerate(measures)
    ]


def _below(people: People, peers: Peers) -> Array:
    """The share of all these people who do less, in percent."""
    values, counts = peers.get(SHOWN, (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)))
    if not counts.size:
        return np.full(len(people), np.nan)
    less = np.concatenate([[0], np.cumsum(counts)])[np.searchsorted(values, people.events, side="left")]
    share: Array = 100.0 * less / counts.sum()
    return share


# Every night changes the day of every row; what else runs twice writes nothing.
_KEEP = f"""
INSERT INTO pql_contactscore (tenant_id, {", ".join(_NAMES)})
SELECT %(tenant)s, {", ".join(_NAMES)} FROM person_score ORDER BY account_id, contact_id
ON CONFLICT (tenant_id, account_id, contact_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _VALUES)}
WHERE ({", ".join(f"pql_contactscore.{name}" for name in _VALUES)})
   IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _VALUES)})"""
_FORGET = """
DELETE FROM pql_contactscore p WHERE p.tenant_id = %(tenant)s AND p.account_id = ANY(%(accounts)s::bigint[])
  AND NOT EXISTS (SELECT 1 FROM person_score n WHERE n.account_id = p.account_id AND n.contact_id = p.contact_id)"""


def _store(
    tenant: Tenant,
    accounts: list[int],
    people: People,
    version: LoadedVersion,
    measures: list[PersonMeasure],
    peers: Peers,
    day: date,
) -> None:
    """Score and keep the people of some accounts; who is not among them any more goes."""
    fields: list[list[bytes]] = [[] for _name in _NAMES]
    if len(people):
        out = score(person_spec(version.spec, measures, _ranks(measures, peers)), people.raw)
        fields = _fields(people, version, out, _below(people, peers), day)
    with connection.cursor() as cursor:
        copy_columns(cursor, "person_score", COLUMNS, fields)
        cursor.execute(_KEEP, {"tenant": tenant.pk})
        cursor.execute(_FORGET, {"tenant": tenant.pk, "accounts": number_array(accounts)})


def _fields(
    people: People, version: LoadedVersion, out: Scores, below: Array, day: date
) -> list[list[bytes]]:
    """Columns for COPY."""
    rows = len(people)
    days = {
        ordinal: date.fromordinal(ordinal).isoformat().encode() for ordinal in set(people.last_on.tolist())
    }
    return [
        number_fields(people.accounts),
        number_fields(people.contacts),
        [str(version.id).encode()] * rows,
        [day.isoformat().encode()] * rows,
        number_fields(out.score),
        number_fields(out.band),
        number_fields(out.coverage),
        number_fields(people.events),
        number_fields(people.active_days),
        [days[ordinal] for ordinal in people.last_on.tolist()],
        number_fields(below),
        array_fields(out.values),
        array_fields(out.points),
        array_fields(people.raw),
        array_fields(people.raw if out.scaled is None else out.scaled),
    ]
