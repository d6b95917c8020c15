"""Answers, surveys, waves and invitations as pages and the API read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet

from accounts.models import Contact, Tenant
from nps.surveys.models import Answer, Invitation, Survey, Wave

from .filtering import Narrowed, answers_of

EXPORT_CHUNK = 2000


def with_names(found: QuerySet[Answer]) -> QuerySet[Answer]:
    """With everything that a line shows."""
    return found.select_related(
        "survey", "account__owner__user", "contact", "run__playbook", "closed_by__user"
    )


@dataclass(frozen=True)
class AnswerPage:
    """A page of answers and how many there are, up to a cap."""

    rows: list[Answer]
    total: int
    more: bool


def answer_page(
    tenant: Tenant,
    wanted: Narrowed,
    *,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
    count_cap: int = 1000,
    oldest_first: bool = False,
) -> AnswerPage:
    """A page of answers, the newest first (a work list: the oldest). Two queries."""
    found = answers_of(tenant, wanted)
    total = found.order_by()[: count_cap + 1].count()
    if after is not None:
        at, pk = after
        found = found.filter(
            Q(answered_at__gt=at) | Q(answered_at=at, pk__gt=pk)
            if oldest_first
            else Q(answered_at__lt=at) | Q(answered_at=at, pk__lt=pk)
        )
    order = ("answered_at", "pk") if oldest_first else ("-answered_at", "-pk")
    rows = list(with_names(found).order_by(*order)[: limit + 1])
    return AnswerPage(rows[:limit], total, len(rows) > limit)


def export_answers(tenant: Tenant, wanted: Narrowed) -> Iterator[Answer]:
    """All of them, the newest first, some thousands in memory at a time."""
    after: tuple[datetime, int] | None = None
    while True:
        page = answer_page(tenant, wanted, after=after, limit=EXPORT_CHUNK, count_cap=0)
        yield from page.rows
        if not page.more:
            return
        after = (page.rows[-1].answered_at, page.rows[-1].pk)


def answer_by_id(tenant: Tenant, pk: int) -> Answer | None:
    """One answer."""
    return with_names(Answer.objects.filter(tenant=tenant, pk=pk)).select_related("invitation").first()


def answers_at(tenant: Tenant, account_id: int, limit: int = 20) -> list[Answer]:
    """The newest answers of an account, of every survey. One query."""
    found = Answer.objects.filter(tenant=tenant, account=account_id)
    return list(with_names(found).order_by("-answered_at", "-pk")[:limit])


def surveys(tenant: Tenant) -> list[Survey]:
    """Every survey in its order. One query."""
    return list(Survey.objects.filter(tenant=tenant).order_by("position", "id"))


def waves_of(tenant: Tenant, survey_id: int, limit: int = 20) -> list[Wave]:
    """The newest waves of a survey. One query."""
    found = Wave.objects.filter(tenant=tenant, survey=survey_id).select_related("created_by__user")
    return list(found.order_by("-starts_on", "-id")[:limit])


def pending_for(tenant: Tenant, contact: Contact, today: date) -> list[Invitation]:
    """What the product may ask a contact now: open, in the product, not answered. One query."""
    found = Invitation.objects.filter(
        tenant=tenant,
        contact=contact,
        answered_at=None,
        closes_on__gte=today,
        asked_on__lte=today,
        survey__in_app=True,
        survey__enabled=True,
    )
    return list(found.select_related("survey").order_by("asked_on", "id")[:5])


def contact_named(tenant: Tenant, user_id: str) -> Contact | None:
    """The person whom the product calls so; of merged ones the one that stays. Two queries at most."""
    found = Contact.objects.select_related("merged_into").filter(tenant=tenant, user_id=user_id).first()
    return found.merged_into or found if found else None
