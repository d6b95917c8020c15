"""What answers are narrowed to, for pages, files and the API alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet

from accounts.models import Account, Contact, Tenant
from nps.surveys.models import Answer, Invitation, Survey


@dataclass(frozen=True)
class Narrowed:
    """A filter; empty fields let everything through. Both days are inside."""

    kind: str = Survey.Kind.NPS
    since: date | None = None
    until: date | None = None
    survey: str = ""
    segment: str = ""
    owner_id: int | None = None
    account_id: int | None = None
    category: str = ""
    tag: str = ""
    text: str = ""
    open_only: bool = False
    commented: bool = False


def _moment(tenant: Tenant, day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=tenant.tz)


def answers_of(tenant: Tenant, wanted: Narrowed) -> QuerySet[Answer]:
    """The answers that a filter lets through, in no order."""
    found = Answer.objects.filter(tenant=tenant, kind=wanted.kind)
    if wanted.since is not None:
        found = found.filter(answered_at__gte=_moment(tenant, wanted.since))
    if wanted.until is not None:
        found = found.filter(answered_at__lt=_moment(tenant, wanted.until + timedelta(days=1)))
    if wanted.survey:
        found = found.filter(survey__key=wanted.survey)
    if wanted.segment:
        found = found.filter(account__segment=wanted.segment)
    if wanted.owner_id is not None:
        found = found.filter(account__owner=wanted.owner_id)
    if wanted.account_id is not None:
        found = found.filter(account=wanted.account_id)
    if wanted.category:
        found = found.filter(category=wanted.category)
    if wanted.tag:
        found = found.filter(tags__contains=[wanted.tag])
    if wanted.open_only:
        found = found.filter(category="detractor", closed_at=None)
    if wanted.commented:
        found = found.exclude(comment="")
    if wanted.text:
        # Accounts and people are looked through once, not once for each answer.
        accounts = Account.objects.filter(tenant=tenant, name_search__contains=wanted.text.lower())
        people = Contact.objects.filter(tenant=tenant).filter(
            Q(name__icontains=wanted.text) | Q(email__icontains=wanted.text)
        )
        found = found.filter(
            Q(comment__icontains=wanted.text)
            | Q(account_id__in=accounts.values("id"))
            | Q(contact_id__in=people.values("id"))
        )
    return found


def invitations_of(tenant: Tenant, wanted: Narrowed) -> QuerySet[Invitation]:
    """The invitations of the same surveys, accounts and days; an answer's category or words say nothing about them."""
    found = Invitation.objects.filter(tenant=tenant, survey__kind=wanted.kind)
    if wanted.since is not None:
        found = found.filter(asked_on__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(asked_on__lte=wanted.until)
    if wanted.survey:
        found = found.filter(survey__key=wanted.survey)
    if wanted.segment:
        found = found.filter(account__segment=wanted.segment)
    if wanted.owner_id is not None:
        found = found.filter(account__owner=wanted.owner_id)
    if wanted.account_id is not None:
        found = found.filter(account=wanted.account_id)
    return found
