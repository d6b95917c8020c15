"""The job that takes an import back: the last portion first, then once more what only a later portion held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import FileImport, ImportChange, Job, Membership, Tenant
from accounts.services.jobs import enqueue_job
from accounts.services.journal import record_audit

from .taking_back import DAYS, left_by_reason, take_back_part, try_again, undo_until
from .work import UNDO, UNDO_KIND

PASSES = 3  # a family of accounts may be as deep


def begin_undo(*, tenant: Tenant, member: Membership, source: FileImport) -> Job:
    """Begin to take an import back; raises `ValidationError` where it is too late or nothing was kept."""
    held = FileImport.objects.select_for_update().get(tenant=tenant, pk=source.pk)
    if held.state in (FileImport.State.UNDOING, FileImport.State.UNDONE):
        raise ValidationError(_("This import is being taken back already."))
    if undo_until(held) is None:
        raise ValidationError(
            _("An import can be taken back for %(days)s days after it was stored; that is over.")
            % {"days": DAYS}
        )
    if not held.changes.exists():
        raise ValidationError(_("This import changed nothing that could be taken back."))
    held.state, held.undone_at, held.undone_by, held.taken_back = (
        FileImport.State.UNDOING,
        timezone.now(),
        member,
        {"removed": 0, "restored": 0, "left": {}},
    )
    held.save(update_fields=["state", "undone_at", "undone_by", "taken_back"])
    record_audit(
        tenant=tenant,
        actor=member,
        action="import.undo_started",
        target=f"import:{held.pk}",
        before={"created": held.created, "updated": held.updated, "file": held.name},
    )
    source.state = held.state
    return enqueue_job(
        tenant=tenant,
        kind=UNDO_KIND,
        key=f"{held.token}-{UNDO}",
        params={"import": held.pk},
        requested_by=member,
        again=True,
    )


def _source(tenant: Tenant, job: Job) -> FileImport:
    found = FileImport.objects.select_for_update(of=("self",)).select_related("undone_by__user")
    return found.get(tenant=tenant, pk=job.params["import"])


def _plan(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    source = _source(tenant, job)
    ordinals = list(source.changes.order_by("-ordinal").values_list("ordinal", flat=True))
    parts = [Chunk(1, "back", {"ordinal": n}) for n in ordinals]
    again = [Chunk(stage, "again", {}) for stage in range(2, 2 + PASSES)]
    return [*parts, *again, Chunk(2 + PASSES, "finish", {})]


def _back(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    source = _source(tenant, job)
    change = source.changes.get(ordinal=params["ordinal"])
    actor = source.undone_by
    if actor is None:
        raise LookupError(f"import {source.pk} says not who takes it back")
    with translation.override(actor.user.language or tenant.language):
        title = _("Import taken back: %(file)s") % {"file": source.name}
    done = take_back_part(tenant=tenant, change=change, resource=source.resource, actor=actor, title=title)
    change.left = [list(one) for one in done.left]
    change.save(update_fields=["left"])
    _count(source, removed=done.removed, restored=done.restored)


def _count(source: FileImport, *, removed: int, restored: int = 0) -> None:
    source.taken_back["removed"] += removed
    source.taken_back["restored"] += restored
    source.save(update_fields=["taken_back"])


def _again(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    source = _source(tenant, job)
    removed = 0
    for pk in list(source.changes.exclude(left=[]).order_by("-ordinal").values_list("pk", flat=True)):
        removed += try_again(tenant=tenant, change=source.changes.get(pk=pk))
    _count(source, removed=removed)


def _finish(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    source = _source(tenant, job)
    source.taken_back["left"] = left_by_reason(source.changes.exclude(left=[]).only("left"))
    source.state = FileImport.State.UNDONE
    source.save(update_fields=["state", "taken_back"])
    ImportChange.objects.filter(tenant=tenant, source=source, left=[]).delete()
    ImportChange.objects.filter(tenant=tenant, source=source).update(data=b"")
    record_audit(
        tenant=tenant,
        actor=source.undone_by,
        action="import.taken_back",
        target=f"import:{source.pk}",
        after={"resource": source.resource, "file": source.name, **source.taken_back},
    )


def register_undo_jobs() -> None:
    """Make the job known; called when the ground floor is ready."""
    steps = {"back": Step(_back), "again": Step(_again), "finish": Step(_finish)}
    register_job_kind(UNDO_KIND, JobKind(_plan, steps))
