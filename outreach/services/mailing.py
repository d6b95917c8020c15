"""Many mails to contacts at once: a number of statements that does not depend on how many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, Contact, Membership, Outbox, Tenant, TimelineEntry
from outreach import timeline
from outreach.deciding import (
    CAP_DAYS,
    REASON_OF,
    decision_of,
    erased_mark,
    free_after,
    settings_of,
    zone_of,
)
from outreach.delivery import MESSAGE
from outreach.fields import check_merge_fields, flat, values_of
from outreach.keys import short_key
from outreach.merge import merge
from outreach.models import Message, Suppression, Template
from outreach.models.messages import Purpose


@dataclass(frozen=True)
class Mail:
    """One mail that is to be written; its account is read with owner and owner's user."""

    account: Account
    contact: Contact
    language: str
    subject: str
    body_md: str
    dedupe_key: str
    context: Mapping[str, Any] = field(default_factory=dict)
    private: Sequence[str] = ()  # fields that are filled when it leaves (outreach.mail.private)
    purpose: str = Purpose.ENGAGEMENT
    not_before: datetime | None = None
    sender: Membership | None = None  # who signs it, where it is not the one who signs them all
    template: Template | None = None  # where the text comes from
    by_step: str = ""  # title of the step of a play that asked for it


def send_emails(
    *, tenant: Tenant, mails: Sequence[Mail], sender: Membership | None = None
) -> dict[str, Message]:
    """Write mails down, each once, as `send_email` does with one; answers with the message of each dedupe key.

    Raises a ValidationError for a text with a field that nobody knows.
    """
    for texts in {
        (mail.subject, mail.body_md, tuple(flat(mail.context)), tuple(mail.private)) for mail in mails
    }:
        check_merge_fields(texts[0], texts[1], also=(*texts[2], *texts[3]))
    people = {mail.contact.pk for mail in mails}
    # One at a time per contact, always in the same order: two mails must not both take the last place of the week.
    list(
        Contact.objects.select_for_update()
        .filter(tenant=tenant, pk__in=people)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    wanted = {short_key(mail.dedupe_key): mail for mail in mails}
    known = _known(tenant, wanted)
    fresh = [(key, mail) for key, mail in wanted.items() if key not in known]
    made = _decided(tenant, fresh, sender)
    Message.objects.bulk_create([message for _mail, message in made])
    waiting = [m for _mail, m in made if m.state in (Message.State.QUEUED, Message.State.HELD)]
    now = timezone.now()
    Outbox.objects.bulk_create(
        [
            Outbox(tenant=tenant, kind=MESSAGE, key=str(m.pk), payload={}, next_at=m.held_until or now)
            for m in waiting
        ],
        ignore_conflicts=True,
    )
    _say_unsent(tenant, [message for _mail, message in made if message not in waiting], now)
    known |= {message.dedupe_key: message for _mail, message in made}
    return {mail.dedupe_key: known[key] for key, mail in wanted.items()}


def _known(tenant: Tenant, keys: Iterable[str]) -> dict[str, Message]:
    found = Message.objects.filter(tenant=tenant, channel=Message.Channel.EMAIL, dedupe_key__in=list(keys))
    return {message.dedupe_key: message for message in found}


def _decided(
    tenant: Tenant, mails: Sequence[tuple[str, Mail]], sender: Membership | None
) -> list[tuple[Mail, Message]]:
    """The messages with what becomes of them; none is stored yet."""
    now, choices = timezone.now(), settings_of(tenant)
    causes = _suppressions(tenant, {(mail.contact.email or "").strip().lower() for _key, mail in mails})
    taken = _taken(tenant, [mail.contact.pk for _key, mail in mails], now)
    made = []
    for key, mail in mails:
        message = _message(tenant, key, mail, mail.sender or sender, now)
        mine = taken[mail.contact.pk]
        decision = decision_of(
            choices=choices,
            message=message,
            suppressed=_reason(causes.get(message.address.lower(), set()), mail.purpose),
            free=free_after(mine, choices.cap_count, now),
            zone=zone_of(tenant, mail.contact),
            now=now,
            not_before=mail.not_before,
        )
        decision.write_to(message, now)
        if message.counted_at is not None:
            mine.insert(0, message.counted_at)
        made.append((mail, message))
    return made


def _message(tenant: Tenant, key: str, mail: Mail, sender: Membership | None, now: datetime) -> Message:
    return Message(
        tenant=tenant,
        account=mail.account,
        contact=mail.contact,
        channel=Message.Channel.EMAIL,
        purpose=mail.purpose,
        dedupe_key=key,
        address=(mail.contact.email or "").strip(),
        language=mail.language,
        subject=mail.subject[:300],
        body=mail.body_md,
        merged=values_of(
            tenant=tenant,
            account=mail.account,
            contact=mail.contact,
            sender=sender,
            context=mail.context,
            language=mail.language,
        ),
        template=mail.template,
        template_version=mail.template.version if mail.template else None,
        sender=sender,
        by_step=mail.by_step[:100],
        created_at=now,
    )


def _suppressions(tenant: Tenant, addresses: set[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    asked = {address: address for address in addresses - {""}}
    asked |= {erased_mark(tenant, address): address for address in addresses - {""}}
    rows = Suppression.objects.filter(tenant=tenant, address__in=list(asked))
    for address, cause in rows.values_list("address", "cause"):
        found[asked[address]].add(cause)
    return found


def _reason(causes: set[str], purpose: str) -> str:
    """Why an address must not be written to; a bill may come to somebody who wants no news."""
    counting = causes - {Suppression.Cause.UNSUBSCRIBED} if purpose == Purpose.SERVICE else causes
    return next((str(reason) for cause, reason in REASON_OF.items() if cause in counting), "")


def _taken(tenant: Tenant, contact_ids: Sequence[int], now: datetime) -> dict[int, list[datetime]]:
    """The engagement mails of the last days by contact, the newest first."""
    found: dict[int, list[datetime]] = defaultdict(list)
    rows = Message.objects.filter(
        tenant=tenant, contact__in=contact_ids, counted_at__gt=now - timedelta(days=CAP_DAYS)
    )
    for contact_id, at in rows.order_by("-counted_at").values_list("contact_id", "counted_at"):
        if contact_id is not None and at is not None:
            found[contact_id].append(at)
    return found


def _say_unsent(tenant: Tenant, messages: Sequence[Message], at: datetime) -> None:
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            tenant=tenant,
            account_id=message.account_id,
            kind=timeline.MESSAGE_NOT_SENT,
            at=at,
            title=merge(message.subject, message.merged)[:300],
            data={"message": message.pk, "channel": message.channel, "reason": message.reason},
            actor=message.sender,
        )
        for message in messages
    )
