"""Probe over features: a key feature used by too few of those who have access; the subject is the feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import connection

from alerts.lifecycle import Key
from alerts.params import FeatureAdoption
from usage.models import Feature

from .night import Evidence, Needs, Night, OpenAlert, Reading, number
from .sources import ANY_EVENT

# Access: contacts of the account that had been seen by the day, all of them or those with the role admin.
PEOPLE_SQL = """
SELECT c.account_id, count(*), count(*) FILTER (WHERE 'admin' = ANY(c.roles))
FROM accounts_contact c
WHERE c.tenant_id = %(tenant)s AND c.account_id IS NOT NULL AND c.merged_into_id IS NULL AND c.user_id IS NOT NULL
  AND (c.first_seen_at IS NULL OR c.first_seen_at < %(until)s)
GROUP BY c.account_id
"""
USED_SQL = """
SELECT u.account_id, f.id, count(DISTINCT u.contact_id),
       count(DISTINCT u.contact_id) FILTER (WHERE 'admin' = ANY(c.roles))
FROM {table} AS u CROSS JOIN LATERAL unnest(u.features) AS f(id)
JOIN accounts_contact c ON c.tenant_id = u.tenant_id AND c.id = u.contact_id AND c.account_id = u.account_id
WHERE u.tenant_id = %(tenant)s AND u.day BETWEEN %(first)s AND %(day)s AND u.known_on <= %(day)s
  AND u.contact_id > 0 AND f.id = ANY(%(features)s)
GROUP BY u.account_id, f.id
"""


def needs_feature_adoption(night: Night, params: FeatureAdoption) -> Needs:
    """Contacts and the days on which they used features; they are read by themselves."""
    return Needs(since=night.day - timedelta(days=params.days - 1))


def probe_feature_adoption(
    night: Night, params: FeatureAdoption, watched: Mapping[Key, OpenAlert]
) -> Reading:
    """Users of a key feature ÷ contacts with access, under a share; without enough people nothing is said."""
    features = {f.pk: f for f in Feature.objects.filter(tenant=night.tenant, active=True, is_key=True)}
    if not features:
        return Reading(cleared=set(watched))
    first = night.day - timedelta(days=params.days - 1)
    if not night.unbroken([ANY_EVENT], since=first):
        return Reading(suspended=True)
    people, used = _people(night), _used(night, list(features), params.days)
    shares: dict[Key, tuple[int, int, str]] = {}
    for pk, feature in features.items():
        admins = feature.access == Feature.Access.ADMINS
        for account, counts in people.items():
            access = counts[1] if admins else counts[0]
            if access >= params.least_people:
                users = used.get((account, pk), (0, 0))[1 if admins else 0]
                shares[account, feature.key] = (users, access, feature.name)
    started = night.accounts.started
    rows = night.rows({account for account, _subject in shares})
    in_time = night.day.toordinal() - params.grace_days
    fires = {
        key
        for key, (users, access, _name) in shares.items()
        if users < params.below * access and key[0] in rows and started[rows[key[0]]] <= in_time
    }
    cleared = {
        key
        for key in watched
        if key[1] not in {feature.key for feature in features.values()}
        or (key in shares and shares[key][0] >= params.resolve_at * shares[key][1])
    }

    def evidence_of(keys: Sequence[Key]) -> dict[Key, Evidence]:
        return {
            key: {
                "feature": shares[key][2],
                "users": shares[key][0],
                "access": shares[key][1],
                "share": number(shares[key][0] / shares[key][1]),
                "below": params.below,
                "days": params.days,
            }
            for key in keys
        }

    return Reading(fires, cleared - fires, evidence_of)


def _people(night: Night) -> dict[int, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE_SQL, {"tenant": night.tenant.pk, "until": night.known_until})
        return {account: (everybody, admins) for account, everybody, admins in cursor.fetchall()}


def _used(night: Night, features: list[int], days: int) -> dict[tuple[int, int], tuple[int, int]]:
    first = night.day - timedelta(days=days - 1)
    tables = night.relations_from(first)
    with connection.cursor() as cursor:
        cursor.execute(
            USED_SQL.format(table=tables.user_day_table),
            {"tenant": night.tenant.pk, "first": first, "day": night.day, "features": features},
        )
        return {(account, feature): (users, admins) for account, feature, users, admins in cursor.fetchall()}
