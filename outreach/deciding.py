"""Whether a mail may go out now: suppression, the contact's mails of the week, quiet hours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from accounts.models import Contact, Tenant
from outreach.models import Message, OutreachSettings, Suppression
from outreach.models.messages import Purpose
from outreach.quiet import Quiet, next_allowed

CAP_DAYS = 7
REASON_OF = {
    Suppression.Cause.BOUNCED: Message.Reason.BOUNCED,
    Suppression.Cause.COMPLAINED: Message.Reason.COMPLAINED,
    Suppression.Cause.MANUAL: Message.Reason.BLOCKED,
    Suppression.Cause.UNSUBSCRIBED: Message.Reason.UNSUBSCRIBED,
}


@dataclass(frozen=True)
class Decision:
    """What becomes of a mail now: `queued` (it may go), `held` until a moment, `suppressed` or `dropped`."""

    state: str
    reason: str = ""
    until: datetime | None = None

    def write_to(self, message: Message, now: datetime) -> None:
        """Note it on the message; an engagement mail that may go takes one of the contact's mails of the week."""
        message.state, message.reason, message.held_until = self.state, self.reason, self.until
        counts = self.state == Message.State.QUEUED and message.purpose == Purpose.ENGAGEMENT
        if counts and message.counted_at is None:
            message.counted_at = now


def settings_of(tenant: Tenant) -> OutreachSettings:
    """The tenant's choices; the defaults where it has made none."""
    return OutreachSettings.objects.filter(tenant=tenant).first() or OutreachSettings(tenant=tenant)


def zone_of(tenant: Tenant, contact: Contact | None) -> ZoneInfo:
    """The clock of the contact, where a trait says it, else the tenant's."""
    said = (contact.traits or {}).get("timezone") if contact is not None else None
    return ZoneInfo(said) if isinstance(said, str) and said in available_timezones() else tenant.tz


def erased_mark(tenant: Tenant, address: str) -> str:
    """What is left of the suppressed address of a person who was erased: it can be compared and not be read."""
    return "sha256:" + hashlib.sha256(f"{tenant.pk}:{address.strip().lower()}".encode()).hexdigest()


def suppressed_by(tenant: Tenant, address: str, purpose: str) -> str:
    """Why this address must not be written to for this purpose; empty when it may be."""
    causes = set(
        Suppression.objects.filter(
            tenant=tenant, address__in=[address.lower(), erased_mark(tenant, address)]
        ).values_list("cause", flat=True)
    )
    if purpose == Purpose.SERVICE:  # a bill may come to somebody who wants no news
        causes.discard(Suppression.Cause.UNSUBSCRIBED)
    for cause, reason in REASON_OF.items():
        if cause in causes:
            return reason
    return ""


def decide(
    *, tenant: Tenant, choices: OutreachSettings, message: Message, contact: Contact | None, now: datetime
) -> Decision:
    """What becomes of this mail now; the caller holds the contact's row, so that two mails cannot take the last place."""
    suppressed = suppressed_by(tenant, message.address, message.purpose) if message.address else ""
    free = now
    if message.purpose != Purpose.SERVICE and not suppressed and message.counted_at is None:
        free = cap_free_at(tenant, contact, choices.cap_count, now)
    return decision_of(
        choices=choices,
        message=message,
        suppressed=suppressed,
        free=free,
        zone=zone_of(tenant, contact),
        now=now,
    )


def decision_of(
    *,
    choices: OutreachSettings,
    message: Message,
    suppressed: str,
    free: datetime,
    zone: ZoneInfo,
    now: datetime,
    not_before: datetime | None = None,
) -> Decision:
    """The same from what was read: why the address is suppressed, from when on the cap is free, the contact's clock."""
    if not message.address:
        return Decision(Message.State.SUPPRESSED, Message.Reason.NO_ADDRESS)
    if suppressed:
        return Decision(Message.State.SUPPRESSED, suppressed)
    start = max(now, not_before) if not_before is not None else now
    if message.purpose == Purpose.SERVICE:
        return (
            Decision(Message.State.QUEUED)
            if start <= now
            else Decision(Message.State.HELD, Message.Reason.QUIET_HOURS, start)
        )
    quiet = Quiet(choices.quiet_from, choices.quiet_until, choices.quiet_weekends)
    until = next_allowed(max(free, start), quiet, zone)
    if until <= now:
        return Decision(Message.State.QUEUED)
    if until > max(message.created_at, start) + timedelta(days=choices.hold_days):
        return Decision(Message.State.DROPPED, Message.Reason.TOO_LATE)
    why = Message.Reason.NO_CAP_LEFT if free > start else Message.Reason.QUIET_HOURS
    return Decision(Message.State.HELD, why, until)


def cap_free_at(tenant: Tenant, contact: Contact | None, most: int, now: datetime) -> datetime:
    """From when on the contact may have another engagement mail."""
    if contact is None:
        return now
    rows = Message.objects.filter(
        tenant=tenant, contact=contact, counted_at__gt=now - timedelta(days=CAP_DAYS)
    )
    taken = rows.order_by("-counted_at").values_list("counted_at", flat=True)[:most]
    return free_after([at for at in taken if at is not None], most, now)


def free_after(taken: Sequence[datetime], most: int, now: datetime) -> datetime:
    """From when on there is room again, given the mails of the last days, the newest first."""
    return taken[most - 1] + timedelta(days=CAP_DAYS) if len(taken) >= most else now
