"""Taking an answer: one per invitation, changed as often as people like for a day, then closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.links import LinkRefused
from accounts.models import Tenant
from accounts.services import enqueue_job
from nps.surveys.events import ANSWER_JOB
from nps.surveys.models import Answer, Invitation
from nps.surveys.scales import category_of, scale_of
from nps.surveys.tokens import is_genuine, places_of

from .installing import settings_of

COMMENT_LENGTH = 4000


class SurveyClosed(Exception):
    """The invitation ran out, or its answer can no longer be changed."""


@dataclass(frozen=True)
class Taken:
    """What became of an answer."""

    answer: Answer
    is_new: bool
    changed: bool


def tenant_of_token(token: str) -> Tenant:
    """The tenant that a token names, so that its scope can be opened; raises `LinkRefused`."""
    places = places_of(token)
    tenant = Tenant.objects.filter(pk=places[0]).first() if places else None
    if tenant is None:
        raise LinkRefused
    return tenant


def open_invitation(*, tenant: Tenant, token: str) -> Invitation:
    """The invitation of a token, inside the tenant's scope; raises `LinkRefused`."""
    places = places_of(token)
    found = None
    if places is not None and places[0] == tenant.pk:
        found = (
            Invitation.objects.select_related("survey", "account", "contact")
            .filter(tenant=tenant, pk=places[1])
            .first()
        )
    # Signed even for an invitation that is not there, so that both failures take the same time.
    if not is_genuine(token, tenant.pk, found.pk if found else 0, found.nonce if found else "") or not found:
        raise LinkRefused
    return found


def note_opened(*, tenant: Tenant, invitation_id: int, at: datetime | None = None) -> None:
    """Count that the page was opened; it says nothing about who did, since mail scanners open links too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE nps_invitation SET opened_count = opened_count + 1, opened_at = coalesce(opened_at, %(at)s) "
            "WHERE tenant_id = %(tenant)s AND id = %(id)s",
            {"tenant": tenant.pk, "id": invitation_id, "at": at or timezone.now()},
        )


def is_open(*, tenant: Tenant, invitation: Invitation, answer: Answer | None, now: datetime) -> bool:
    """Whether an answer may be given or changed now."""
    if answer is not None:
        return now <= answer.answered_at + timedelta(hours=settings_of(tenant).edit_hours)
    return now.astimezone(tenant.tz).date() <= invitation.closes_on


def submit_answer(
    *,
    tenant: Tenant,
    invitation_id: int,
    score: int,
    comment: str | None = None,
    channel: str = Answer.Channel.PAGE,
    language: str = "",
    now: datetime | None = None,
) -> Taken:
    """Keep an answer: the first one, or another one instead of it. The same twice changes nothing.

    `comment` None leaves what was said. What follows runs in the answer's own job at once, and in the night if that never
    came. Raises `SurveyClosed`, `Invitation.DoesNotExist` and a ValidationError for a number that is not on the scale.
    """
    now = now or timezone.now()
    # Whoever holds the invitation is alone with it: a thousand submits at once are one answer.
    invitation = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("survey")
        .get(tenant=tenant, pk=invitation_id)
    )
    kind = invitation.survey.kind
    scale = scale_of(kind)
    if score not in scale:
        raise ValidationError(
            {"score": _("Choose a number from %(low)d to %(high)d.") % {"low": scale[0], "high": scale[-1]}}
        )
    answer = Answer.objects.filter(tenant=tenant, invitation=invitation).first()
    if not is_open(tenant=tenant, invitation=invitation, answer=answer, now=now):
        raise SurveyClosed
    said = None if comment is None else comment.replace("\0", "").strip()[:COMMENT_LENGTH]
    language = language or invitation.language
    if answer is not None:
        return _change(tenant, answer, score, said, language, now)
    answer = Answer.objects.create(
        tenant=tenant,
        invitation=invitation,
        survey=invitation.survey,
        wave=invitation.wave,
        account_id=invitation.account_id,
        contact_id=invitation.contact_id,
        kind=kind,
        score=score,
        category=category_of(kind, score),
        comment=said or "",
        language=language,
        channel=channel,
        answered_at=now,
        changed_at=now,
    )
    Invitation.objects.filter(tenant=tenant, pk=invitation.pk).update(answered_at=now)
    _ring(tenant, answer)
    return Taken(answer, is_new=True, changed=True)


def _change(
    tenant: Tenant, answer: Answer, score: int, said: str | None, language: str, now: datetime
) -> Taken:
    comment = answer.comment if said is None else said
    if (score, comment) == (answer.score, answer.comment):
        return Taken(answer, is_new=False, changed=False)
    answer.score, answer.comment, answer.language = score, comment, language
    answer.category = category_of(answer.kind, score)
    answer.changed_at = now
    answer.revision += 1
    answer.save(
        update_fields=["score", "comment", "language", "category", "changed_at", "revision"],
    )
    _ring(tenant, answer)
    return Taken(answer, is_new=False, changed=True)


def _ring(tenant: Tenant, answer: Answer) -> None:
    """What follows from it is a job of its own, so that the person does not wait for it."""
    enqueue_job(
        tenant=tenant,
        kind=ANSWER_JOB,
        key=f"{answer.pk}-{answer.revision}",
        params={"answer": answer.pk},
    )
