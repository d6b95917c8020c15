"""What people do with answers: tags, and closing the loop with whoever was unhappy."""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import has_role, may_work_on
from accounts.models import Membership, Role, Tenant
from accounts.services import record_timeline
from nps.surveys import timeline
from nps.surveys.models import Answer
from nps.surveys.scales import DETRACTOR

TAG_LENGTH = 40
MOST_TAGS = 20
MOST_AT_ONCE = 1000
NOTE_LENGTH = 500

_ADD = """
UPDATE nps_answer SET tags = tags || %(tag)s::varchar
WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s) AND NOT tags @> ARRAY[%(tag)s]::varchar[]
  AND cardinality(tags) < %(most)s
"""
_REMOVE = """
UPDATE nps_answer SET tags = array_remove(tags, %(tag)s::varchar)
WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s) AND tags @> ARRAY[%(tag)s]::varchar[]
"""


def tag_answers(
    *,
    tenant: Tenant,
    answer_ids: Collection[int],
    tag: str,
    remove: bool = False,
    member: Membership | None = None,
) -> int:
    """Give answers a tag or take it from them; returns how many changed. Tags say what an answer is about, to everybody."""
    if member is not None and not has_role(member, Role.CSM):
        raise PermissionDenied
    tag = " ".join(tag.replace("\0", "").split()).lower()
    if not tag or len(tag) > TAG_LENGTH:
        raise ValidationError({"tag": _("A tag has 1 to %(most)d characters.") % {"most": TAG_LENGTH}})
    if len(answer_ids) > MOST_AT_ONCE:
        raise ValidationError(_("At most %(most)d answers at once.") % {"most": MOST_AT_ONCE})
    with connection.cursor() as cursor:
        cursor.execute(
            _REMOVE if remove else _ADD,
            {"tenant": tenant.pk, "ids": list(answer_ids), "tag": tag, "most": MOST_TAGS},
        )
        return int(cursor.rowcount)


def close_answer(*, tenant: Tenant, answer_id: int, note: str, member: Membership | None = None) -> Answer:
    """Say what came of a detractor's answer; the time from the answer to now is its time to close."""
    answer = _worked_on(tenant, answer_id, member)
    if answer.category != DETRACTOR:
        raise ValidationError(_("Only a detractor's answer is closed."))
    if answer.closed_at is not None:
        return answer
    note = note.replace("\0", "").strip()
    if not note:
        raise ValidationError({"note": _("Say what came of it.")})
    answer.closed_at, answer.closed_by, answer.close_note = timezone.now(), member, note[:NOTE_LENGTH]
    answer.save(update_fields=["closed_at", "closed_by", "close_note"])
    record_timeline(
        tenant=tenant,
        account_id=answer.account_id,
        kind=timeline.SURVEY_CLOSED,
        at=answer.closed_at,
        title=note[:300],
        actor=member,
        data={"answer": answer.pk},
    )
    return answer


def reopen_answer(*, tenant: Tenant, answer_id: int, member: Membership | None = None) -> Answer:
    """Open it again: it was not settled after all."""
    answer = _worked_on(tenant, answer_id, member)
    answer.closed_at, answer.closed_by, answer.close_note = None, None, ""
    answer.save(update_fields=["closed_at", "closed_by", "close_note"])
    return answer


def _worked_on(tenant: Tenant, answer_id: int, member: Membership | None) -> Answer:
    answer = (
        Answer.objects.select_for_update(of=("self",))
        .select_related("account")
        .get(tenant=tenant, pk=answer_id)
    )
    if member is not None and not may_work_on(member, answer.account):
        raise PermissionDenied
    return answer
