"""Whom a survey asks on a day: statements over all contacts, and the hour on each contact's clock.

A contact is asked when the account is a customer, roles and segment fit, there is a way to reach them (an address that is
not suppressed, or a user of the product), this wave has not asked them, and no other survey has within the throttle.
Invitations whose mail never arrived asked nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant

from .models import Invitation, Survey, SurveySettings, Wave
from .texts import language_for

LATE_DAYS = (
    14  # a night that was missed, or another survey that was in the way, may delay a survey by so much
)
TICKET_DAYS = 4  # a ticket that was resolved longer ago is not asked about

_REACHABLE = """
  (%(by_mail)s AND btrim(c.email) <> '' AND NOT EXISTS (
     SELECT 1 FROM outreach_suppression s WHERE s.tenant_id = c.tenant_id AND s.address = lower(btrim(c.email))))
"""
_SAID = """
  c.traits->>'timezone' AS zone,
  coalesce(nullif(c.traits->>'language', ''), nullif(c.traits->>'locale', ''), a.custom->>'language') AS language
"""
_FROM = """
FROM accounts_contact c
JOIN accounts_account a ON a.tenant_id = c.tenant_id AND a.id = c.account_id
"""
_WHERE = """
WHERE c.tenant_id = %(tenant)s AND c.merged_into_id IS NULL
  AND (a.churned_on IS NULL OR a.churned_on > %(on)s)
  AND (cardinality(%(roles)s::text[]) = 0 OR c.roles::text[] && %(roles)s::text[])
  AND (cardinality(%(segments)s::text[]) = 0 OR a.segment = ANY(%(segments)s::text[]))
"""
_FREE = """
  AND NOT EXISTS (
    SELECT 1 FROM nps_invitation i
    WHERE i.tenant_id = c.tenant_id AND i.contact_id = c.id AND i.lost = ''
      AND i.asked_on > %(on)s::date - %(throttle)s::int
      AND NOT (%(pair)s AND i.survey_id = %(survey)s))
"""
_IS_REQUESTER = (
    "(t.requester <> '' AND (c.user_id = t.requester OR lower(btrim(c.email)) = lower(btrim(t.requester))))"
)
_GO_LIVE = f"""
SELECT * FROM (
  SELECT c.id AS contact_id, a.id AS account_id, 'day-' || d.day AS wave, NULL::bigint AS ticket_id,
         {_REACHABLE} AS by_mail, coalesce(c.user_id, '') <> '' AS in_app,
         {_SAID}
  {_FROM}
  JOIN unnest(%(days)s::int[], %(late)s::int[]) AS d(day, late)
    ON a.go_live_on + d.day <= %(on)s::date AND a.go_live_on + d.day >= %(on)s::date - d.late
  {_WHERE} {_FREE}
) AS found
WHERE (by_mail OR (in_app AND %(in_app)s)) AND NOT EXISTS (
    SELECT 1 FROM nps_invitation i
    WHERE i.tenant_id = %(tenant)s AND i.survey_id = %(survey)s AND i.wave = found.wave
      AND i.contact_id = found.contact_id)
ORDER BY contact_id
"""
_WAVE = f"""
SELECT * FROM (
  SELECT c.id AS contact_id, a.id AS account_id, %(wave)s AS wave, NULL::bigint AS ticket_id,
         {_REACHABLE} AS by_mail, coalesce(c.user_id, '') <> '' AS in_app,
         {_SAID}
  {_FROM} {_WHERE} {_FREE}
) AS found
WHERE (by_mail OR (in_app AND %(in_app)s)) AND NOT EXISTS (
    SELECT 1 FROM nps_invitation i
    WHERE i.tenant_id = %(tenant)s AND i.survey_id = %(survey)s AND i.wave = found.wave
      AND i.contact_id = found.contact_id)
ORDER BY contact_id
"""
# Who opened the ticket is asked, where it says who (by user id or address) and that person may be asked at all; else
# whoever of the account may be asked and was seen last. A requester who is held back by the throttle is not stood in for:
# somebody else would answer about a ticket that was not theirs.
_TICKET = f"""
SELECT DISTINCT ON (found.contact_id) contact_id, account_id, wave, ticket_id, by_mail, in_app, zone, language
FROM (
  SELECT DISTINCT ON (t.id) c.id AS contact_id, a.id AS account_id, 'ticket-' || t.id AS wave, t.id AS ticket_id,
         t.resolved_at, {_REACHABLE} AS by_mail, coalesce(c.user_id, '') <> '' AS in_app,
         {_SAID}
  {_FROM}
  JOIN accounts_ticket t ON t.tenant_id = a.tenant_id AND t.account_id = a.id
    AND t.resolved_at >= %(since)s AND t.resolved_at <= %(now)s
    AND NOT EXISTS (SELECT 1 FROM nps_invitation i WHERE i.tenant_id = t.tenant_id AND i.ticket_id = t.id)
  {_WHERE} {_FREE}
  AND ({_REACHABLE} OR (coalesce(c.user_id, '') <> '' AND %(in_app)s))
  AND ({_IS_REQUESTER} OR NOT EXISTS (
    SELECT 1 FROM accounts_contact r WHERE r.tenant_id = t.tenant_id AND r.account_id = t.account_id
      AND r.merged_into_id IS NULL AND {_IS_REQUESTER.replace("c.", "r.")}))
  ORDER BY t.id, c.last_seen_at DESC NULLS LAST, c.id
) AS found
ORDER BY found.contact_id, found.resolved_at DESC
"""


@dataclass(frozen=True)
class Candidate:
    """Somebody who is asked."""

    contact_id: int
    account_id: int
    wave: str
    ticket_id: int | None
    channel: str
    language: str
    zone: str

    def local(self, tenant: Tenant, on: date, hour: int) -> datetime:
        """This hour of the day on the contact's clock."""
        return datetime.combine(on, time(hour), tzinfo=zone_named(self.zone, tenant.timezone))


@lru_cache(maxsize=1024)
def zone_named(name: str, other: str) -> ZoneInfo:
    """The zone of this name, else the other one."""
    return ZoneInfo(name if name in _zones() else other)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def late_days(days: Sequence[int]) -> list[int]:
    """How late each day of a programme may be: never so late that it meets the next one."""
    ordered = sorted(days)
    room = [later - day - 1 for day, later in pairwise(ordered)] + [LATE_DAYS]
    return [min(LATE_DAYS, one) for one in room]


def candidates(
    tenant: Tenant,
    survey: Survey,
    choices: SurveySettings,
    *,
    on: date,
    now: datetime,
    wave: Wave | None = None,
) -> Iterator[Candidate]:
    """Whom this survey asks on a day; one statement."""
    given = _given(tenant, survey, choices, on)
    if survey.trigger == Survey.Trigger.GO_LIVE:
        days = sorted(survey.days)
        statement, given = _GO_LIVE, given | {"days": days, "late": late_days(days)}
    elif survey.trigger == Survey.Trigger.TICKET:
        since = datetime.combine(on - timedelta(days=TICKET_DAYS), time(0), tzinfo=tenant.tz)
        given |= {"since": since, "now": now}
        statement = _TICKET
    else:
        statement, given = _WAVE, given | {"wave": wave.key if wave else ""}
    prefer_hash_joins()
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        rows = cursor.fetchall()
    for contact_id, account_id, key, ticket_id, by_mail, _in_app, zone, language in rows:
        yield Candidate(
            contact_id,
            account_id,
            key,
            ticket_id,
            Invitation.Channel.MAIL if by_mail else Invitation.Channel.IN_APP,
            language_for(language, tenant),
            zone or "",
        )


def _given(tenant: Tenant, survey: Survey, choices: SurveySettings, on: date) -> dict[str, Any]:
    return {
        "tenant": tenant.pk,
        "survey": survey.pk,
        "on": on,
        "throttle": choices.throttle_days,
        "pair": survey.trigger == Survey.Trigger.GO_LIVE,
        "by_mail": survey.by_mail,
        "in_app": survey.in_app,
        "roles": survey.roles,
        "segments": survey.segments,
    }


_COUNT = f"""
SELECT count(*) FILTER (WHERE by_mail OR (in_app AND %(in_app)s)) AS reachable, count(*) AS fitting,
       count(*) FILTER (WHERE (by_mail OR (in_app AND %(in_app)s)) AND NOT free) AS throttled
FROM (
  SELECT {_REACHABLE} AS by_mail, coalesce(c.user_id, '') <> '' AS in_app, (true {_FREE}) AS free
  {_FROM} {_WHERE}
) AS found
"""


def audience_counts(
    tenant: Tenant, survey: Survey, choices: SurveySettings, on: date
) -> tuple[int, int, int]:
    """How many contacts fit, can be reached, and of those are held back by the throttle today. One statement."""
    prefer_hash_joins()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, _given(tenant, survey, choices, on))
        reachable, fitting, throttled = cursor.fetchone()
    return fitting, reachable, throttled
