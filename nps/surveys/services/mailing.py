"""The mails of invitations and reminders; outreach decides about caps, quiet hours and suppression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import QuerySet

from accounts.models import Tenant, Ticket
from nps.surveys.events import MAIL_KEY
from nps.surveys.models import Invitation
from nps.surveys.texts import PRIVATE_FIELDS, body_of, context_of, page_url
from nps.surveys.tokens import token_of
from outreach.models import Message
from outreach.services import Mail, send_emails

PER_TURN = 500
FIRST, REMINDER = "first", "reminder"
UNDELIVERED = (Message.State.SUPPRESSED, Message.State.DROPPED)
NO_LINK = "hidden"  # what stands for the token where a mail is only looked at


def write_mails(*, tenant: Tenant, limit: int = PER_TURN) -> int:
    """Write the mails of invitations that have none yet, then those of reminders; returns how many were looked at.

    Each mail waits in the outbox for its hour on the contact's clock. Two workers share the rows.
    """
    open_ones = Invitation.objects.filter(
        tenant=tenant,
        channel=Invitation.Channel.MAIL,
        lost="",
        answered_at=None,
        survey__enabled=True,
        closes_on__gte=tenant.today(),
    )
    first = _locked(open_ones.filter(message=None), limit)
    _write(tenant, first, FIRST)
    rest = _locked(open_ones.filter(remind_at__isnull=False, reminder=None), limit - len(first))
    _write(tenant, rest, REMINDER)
    return len(first) + len(rest)


def _locked(found: QuerySet[Invitation], limit: int) -> list[Invitation]:
    if limit <= 0:
        return []
    rows = found.select_for_update(of=("self",), skip_locked=True)
    return list(rows.select_related("survey", "contact", "account__owner__user").order_by("id")[:limit])


def _write(tenant: Tenant, invitations: Sequence[Invitation], which: str) -> None:
    if not invitations:
        return
    tickets = _ticket_titles(tenant, invitations)
    bodies: dict[tuple[int, str], tuple[str, str]] = {}
    mails = []
    for one in invitations:
        place = (one.survey_id, one.language)
        if place not in bodies:
            bodies[place] = (one.survey.text("subject", one.language), body_of(one.survey, one.language))
        subject, body = bodies[place]
        mails.append(
            Mail(
                account=one.account,
                contact=one.contact,
                language=one.language,
                subject=subject,
                body_md=body,
                dedupe_key=mail_key(one, which),
                context=context_of(one.survey, tenant, one.language, ticket=tickets.get(one.ticket_id, "")),
                private=PRIVATE_FIELDS,
                not_before=one.send_at if which == FIRST else one.remind_at,
            )
        )
    messages = send_emails(tenant=tenant, mails=mails)
    for one in invitations:
        message = messages[mail_key(one, which)]
        if which == REMINDER:
            one.reminder = message
            continue
        one.message = message
        if message.state in UNDELIVERED:
            one.lost = message.reason
    Invitation.objects.bulk_update(invitations, ["message", "reminder", "lost"])


def _ticket_titles(tenant: Tenant, invitations: Sequence[Invitation]) -> Mapping[int | None, str]:
    ids = {one.ticket_id for one in invitations if one.ticket_id is not None}
    if not ids:
        return {}
    return dict(Ticket.objects.filter(tenant=tenant, pk__in=ids).values_list("pk", "title"))


def mail_key(invitation: Invitation, which: str) -> str:
    """What makes a mail happen once, and names the invitation it belongs to."""
    return f"{MAIL_KEY}:{invitation.pk}:{which}"


def private_link(*, tenant: Tenant, message: Message, looked_at: bool) -> dict[str, str]:
    """The link of the invitation that a mail belongs to, made at the moment the mail leaves (outreach.mail.private)."""
    if looked_at:
        return {"survey.link": page_url(NO_LINK)}
    pk = message.dedupe_key.split(":")[1]
    nonce = Invitation.objects.filter(tenant=tenant, pk=int(pk)).values_list("nonce", flat=True).first()
    return {"survey.link": page_url(token_of(tenant.pk, int(pk), nonce))} if nonce else {}
