"""Probe over champions: contacts with that role who fell silent or are there no more; the subject is the contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection

from alerts.lifecycle import Key
from alerts.params import ChampionGone

from .night import Evidence, Needs, Night, OpenAlert, Reading
from .sources import ANY_EVENT

# Who is champion of which account, as remembered from night to night: a role that was taken away leaves no other trace.
KNOWN_SQL = """
SELECT h.account_id, h.contact_id, c.name, c.email, c.user_id, h.since_on, h.until_on
FROM alerts_champion h
JOIN accounts_contact c ON c.tenant_id = h.tenant_id AND c.id = h.contact_id
WHERE h.tenant_id = %(tenant)s AND h.since_on <= %(day)s AND (h.until_on IS NULL OR h.until_on > %(oldest)s)
UNION ALL
SELECT c.account_id, c.id, c.name, c.email, c.user_id, NULL, NULL
FROM accounts_contact c
WHERE c.tenant_id = %(tenant)s AND c.account_id IS NOT NULL AND c.merged_into_id IS NULL
  AND %(roles)s && c.roles::text[]
  AND NOT EXISTS (SELECT 1 FROM alerts_champion h WHERE h.tenant_id = c.tenant_id AND h.contact_id = c.id
                  AND h.account_id = c.account_id AND h.until_on IS NULL)
"""
SEEN_SQL = """
SELECT u.contact_id, max(u.day) FROM {table} AS u
WHERE u.tenant_id = %(tenant)s AND u.account_id = ANY(%(accounts)s) AND u.contact_id = ANY(%(contacts)s)
  AND u.day <= %(day)s AND u.known_on <= %(day)s AND u.day > %(oldest)s
GROUP BY u.contact_id
"""
SYNC_END_SQL = """
UPDATE alerts_champion h SET until_on = %(day)s
WHERE h.tenant_id = %(tenant)s AND h.until_on IS NULL AND NOT EXISTS (
  SELECT 1 FROM accounts_contact c WHERE c.tenant_id = h.tenant_id AND c.id = h.contact_id
    AND c.account_id = h.account_id AND c.merged_into_id IS NULL AND %(roles)s && c.roles::text[])
"""
SYNC_NEW_SQL = """
INSERT INTO alerts_champion (tenant_id, account_id, contact_id, since_on)
SELECT c.tenant_id, c.account_id, c.id, %(day)s FROM accounts_contact c
WHERE c.tenant_id = %(tenant)s AND c.account_id IS NOT NULL AND c.merged_into_id IS NULL
  AND %(roles)s && c.roles::text[]
ON CONFLICT (tenant_id, account_id, contact_id) DO UPDATE SET until_on = NULL WHERE alerts_champion.until_on IS NOT NULL
"""
CHAMPION_ROLES = ("champion",)


def sync_champions(night: Night) -> None:
    """Remember who is champion today, and since when somebody is no more; the running night alone does this."""
    parameters: dict[str, Any] = {
        "tenant": night.tenant.pk,
        "day": night.day,
        "roles": list(CHAMPION_ROLES),
    }
    with connection.cursor() as cursor:
        cursor.execute(SYNC_END_SQL, parameters)
        cursor.execute(SYNC_NEW_SQL, parameters)


def needs_champion_gone(night: Night, params: ChampionGone) -> Needs:
    """Contacts and their days; they are read by themselves."""
    return Needs(since=night.day - timedelta(days=params.forget_days))


def probe_champion_gone(night: Night, params: ChampionGone, watched: Mapping[Key, OpenAlert]) -> Reading:
    """A champion who was active and is silent, or who is no champion of the account any more."""
    first = night.day - timedelta(days=params.inactive_days)
    oldest = night.day - timedelta(days=params.forget_days)
    rows = _known(night, oldest)
    if not rows:
        return Reading(cleared=set(watched))
    seen = _seen(night, rows, oldest)
    counted = bool(night.unbroken([ANY_EVENT], since=first))
    fires: dict[Key, Evidence] = {}
    active: set[int] = set()
    known: set[Key] = set()
    for account, contact, name, email, user_id, _since, until in rows:
        subject = user_id or email or f"contact-{contact}"
        last = seen.get(contact)
        known.add((account, subject))
        evidence: Evidence = {"contact": name or email or user_id, "last_seen_on": last and last.isoformat()}
        if until is not None and until <= night.day:
            fires[account, subject] = {**evidence, "removed_on": until.isoformat()}
        elif last is not None and last > first:
            active.add(account)
        elif last is not None and counted:
            fires[account, subject] = {**evidence, "days": params.inactive_days}
    if params.unless_another:
        fires = {key: evidence for key, evidence in fires.items() if key[0] not in active}
    # Silence that cannot be told from a source that died neither fires nor clears.
    cleared = {
        key for key in watched if key not in fires and (counted or key[0] in active or key not in known)
    }
    return Reading(set(fires), cleared, lambda keys: {key: fires[key] for key in keys})


Row = tuple[int, int, str, str, str | None, date | None, date | None]


def _known(night: Night, oldest: date) -> Sequence[Row]:
    with connection.cursor() as cursor:
        cursor.execute(
            KNOWN_SQL,
            {
                "tenant": night.tenant.pk,
                "day": night.day,
                "oldest": oldest,
                "roles": list(CHAMPION_ROLES),
            },
        )
        return list(cursor.fetchall())


def _seen(night: Night, rows: Sequence[Row], oldest: date) -> dict[int, date]:
    tables = night.relations_from(oldest)
    with connection.cursor() as cursor:
        cursor.execute(
            SEEN_SQL.format(table=tables.user_day_table),
            {
                "tenant": night.tenant.pk,
                "accounts": sorted({row[0] for row in rows}),
                "contacts": sorted({row[1] for row in rows}),
                "day": night.day,
                "oldest": oldest,
            },
        )
        return dict(cursor.fetchall())
