"""Asking: whom today, reminders, and what became of the mails. Set-based, and the same night twice asks nobody twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.utils import timezone

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from nps.surveys.audience import Candidate, candidates, zone_named
from nps.surveys.models import Invitation, Survey, SurveySettings, Wave
from nps.surveys.tokens import new_nonce
from usage.copying import copy_rows, escaped

from .installing import settings_of

REMIND_WITHIN_DAYS = 7  # a reminder that was missed for longer is not sent any more
_ROWS = (
    "contact_id bigint, account_id bigint, wave text, ticket_id bigint, channel text, language text, nonce text, "
    "send_at timestamptz"
)
_INSERT = """
INSERT INTO nps_invitation (tenant_id, survey_id, wave, account_id, contact_id, ticket_id, channel, language, nonce,
  asked_on, send_at, closes_on, lost, opened_count)
SELECT %(tenant)s, %(survey)s, wave, account_id, contact_id, ticket_id, channel, language, nonce,
  %(on)s, send_at, %(closes)s, '', 0
FROM survey_asked
ON CONFLICT (tenant_id, survey_id, wave, contact_id) DO NOTHING
"""
_DUE_REMINDERS = """
SELECT i.id, c.traits->>'timezone' AS zone
FROM nps_invitation i
JOIN nps_survey s ON s.tenant_id = i.tenant_id AND s.id = i.survey_id AND s.enabled
JOIN accounts_contact c ON c.tenant_id = i.tenant_id AND c.id = i.contact_id
WHERE i.tenant_id = %(tenant)s AND i.channel = 'mail' AND i.lost = '' AND i.answered_at IS NULL
  AND i.remind_at IS NULL AND i.message_id IS NOT NULL AND i.closes_on > %(on)s
  AND i.asked_on + s.reminder_days <= %(on)s AND i.asked_on + s.reminder_days > %(on)s::date - %(late)s::int
"""
_REMIND = """
UPDATE nps_invitation i SET remind_at = r.remind_at FROM survey_reminded r
WHERE i.tenant_id = %(tenant)s AND i.id = r.id AND i.remind_at IS NULL
"""
# A mail that was given up asked nobody: its contact may be asked by another survey.
_LOST = """
UPDATE nps_invitation i
SET lost = CASE WHEN m.state = 'failed' THEN 'failed' ELSE coalesce(nullif(m.reason, ''), m.state) END
FROM outreach_message m
WHERE i.tenant_id = %(tenant)s AND m.tenant_id = i.tenant_id AND m.id = i.message_id AND i.lost = ''
  AND m.state IN ('suppressed', 'dropped', 'failed') AND i.answered_at IS NULL AND i.opened_at IS NULL
"""
_DELIVERED = """
UPDATE nps_invitation i SET delivered_at = m.sent_at
FROM outreach_message m
WHERE i.tenant_id = %(tenant)s AND m.tenant_id = i.tenant_id AND m.id = i.message_id AND i.delivered_at IS NULL
  AND m.sent_at IS NOT NULL
"""


@dataclass
class Invited:
    """What a night asked."""

    asked: int = 0
    reminded: int = 0
    lost: int = 0


def invite(*, tenant: Tenant, on: date, now: datetime | None = None) -> Invited:
    """Ask everybody who is due on a day, and remind who has not answered; the mails are written by `write_mails`.

    Programmes from go-live come first, then tickets, then waves: who was asked by one is held back from the next.
    """
    now = now or timezone.now()
    done = Invited(lost=note_deliveries(tenant=tenant))
    choices = settings_of(tenant)
    surveys = list(Survey.objects.filter(tenant=tenant, enabled=True).order_by("position", "id"))
    for trigger in (Survey.Trigger.GO_LIVE, Survey.Trigger.TICKET):
        for survey in surveys:
            if survey.trigger == trigger and (survey.days or trigger == Survey.Trigger.TICKET):
                found = candidates(tenant, survey, choices, on=on, now=now)
                done.asked += _ask(tenant, survey, choices, found, on)
    due = Wave.objects.select_for_update().filter(
        tenant=tenant, state=Wave.State.PLANNED, starts_on__lte=on, survey__enabled=True
    )
    for wave in due.order_by("starts_on", "id"):
        done.asked += ask_wave(tenant=tenant, wave_id=wave.pk, on=on, now=now)
    done.reminded = _remind(tenant, choices, on)
    return done


def ask_wave(*, tenant: Tenant, wave_id: int, on: date, now: datetime | None = None) -> int:
    """Ask the audience of a wave; once. Returns how many."""
    wave = Wave.objects.select_for_update().get(tenant=tenant, pk=wave_id)
    if wave.state != Wave.State.PLANNED:
        return 0
    survey, choices = Survey.objects.get(tenant=tenant, pk=wave.survey_id), settings_of(tenant)
    found = candidates(tenant, survey, choices, on=on, now=now or timezone.now(), wave=wave)
    wave.asked = _ask(tenant, survey, choices, found, on)
    wave.state = Wave.State.STARTED
    wave.save(update_fields=["asked", "state"])
    return wave.asked


def _ask(
    tenant: Tenant, survey: Survey, choices: SurveySettings, found: Iterable[Candidate], on: date
) -> int:
    lines = [
        "\t".join(
            (
                str(one.contact_id),
                str(one.account_id),
                escaped(one.wave),
                "\\N" if one.ticket_id is None else str(one.ticket_id),
                one.channel,
                one.language,
                new_nonce(),
                one.local(tenant, on, choices.send_hour).isoformat(),
            )
        )
        for one in found
    ]
    if not lines:
        return 0
    with connection.cursor() as cursor:
        copy_rows(cursor, "survey_asked", _ROWS, lines)
        cursor.execute(
            _INSERT,
            {
                "tenant": tenant.pk,
                "survey": survey.pk,
                "on": on,
                "closes": on + timedelta(days=survey.open_days),
            },
        )
        return int(cursor.rowcount)


def _remind(tenant: Tenant, choices: SurveySettings, on: date) -> int:
    """Give a reminder its hour; each invitation has one at most."""
    prefer_hash_joins()
    with connection.cursor() as cursor:
        cursor.execute(_DUE_REMINDERS, {"tenant": tenant.pk, "on": on, "late": REMIND_WITHIN_DAYS})
        lines = [
            f"{pk}\t{_local(tenant, zone or '', on, choices.send_hour).isoformat()}"
            for pk, zone in cursor.fetchall()
        ]
        if not lines:
            return 0
        copy_rows(cursor, "survey_reminded", "id bigint, remind_at timestamptz", lines)
        cursor.execute(_REMIND, {"tenant": tenant.pk})
        return int(cursor.rowcount)


def _local(tenant: Tenant, zone: str, on: date, hour: int) -> datetime:
    return datetime(on.year, on.month, on.day, hour, tzinfo=zone_named(zone, tenant.timezone))


def note_deliveries(*, tenant: Tenant) -> int:
    """Take over from the mails which arrived and which were given up; returns how many were given up."""
    prefer_hash_joins()
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERED, {"tenant": tenant.pk})
        cursor.execute(_LOST, {"tenant": tenant.pk})
        return int(cursor.rowcount)


def withdraw(*, tenant: Tenant, invitation_id: int) -> Invitation:
    """Take the links of an invitation back: whoever opens one is told that it is not open."""
    found = Invitation.objects.select_for_update().get(tenant=tenant, pk=invitation_id)
    found.nonce = new_nonce()
    found.save(update_fields=["nonce"])
    return found
