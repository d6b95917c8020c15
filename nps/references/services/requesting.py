"""Sales asks for a reference; who looks after the customer accepts or declines."""

from __future__ import annotations

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import has_role
from accounts.models import Membership, Role, Tenant
from accounts.services import record_audit, record_timeline
from nps.references import timeline
from nps.references.models import Reference, ReferenceRequest, ReferenceType
from nps.references.rights import demand_account, demand_sales
from outreach.services import notify_members
from playbooks.models import Task
from playbooks.services import complete_task, create_task

from .using import log_use

State = ReferenceRequest.State
ANSWER_DAYS = 2
PATH = "/references/requests/"


def request_reference(
    *,
    tenant: Tenant,
    deal: str,
    kind: str,
    reference_id: int | None = None,
    wanted: str = "",
    needed_on: date | None = None,
    member: Membership | None = None,
) -> ReferenceRequest:
    """Ask for a certain reference (its owner gets a task), or for one that would fit (the managers are told)."""
    demand_sales(member)
    faults: dict[str, str] = {}
    if not deal.strip():
        faults["deal"] = _("Say for which deal.")
    if kind not in ReferenceType.values:
        faults["kind"] = _("Choose what for.")
    if reference_id is None and not wanted.strip():
        faults["wanted"] = _("Choose a reference, or say what would fit.")
    if faults:
        raise ValidationError(faults)
    reference = None
    if reference_id is not None:
        reference = Reference.objects.select_related("account__owner").get(tenant=tenant, pk=reference_id)
        if reference.state not in Reference.LISTED:
            raise ValidationError(_("Only customers in the library can be asked for."))
    request = ReferenceRequest.objects.create(
        tenant=tenant,
        reference=reference,
        deal=deal.strip()[:200],
        kind=kind,
        wanted=wanted.strip()[:2000],
        needed_on=needed_on,
        requested_by=member,
    )
    if reference is not None:
        due = tenant.today() + timedelta(days=ANSWER_DAYS)
        request.task = create_task(
            tenant=tenant,
            account_id=reference.account_id,
            title=_("Answer a request for a reference: %(deal)s") % {"deal": request.deal},
            body=request.wanted,
            due_on=min(due, needed_on) if needed_on and needed_on >= tenant.today() else due,
        )
        request.save()
        record_timeline(
            tenant=tenant,
            account_id=reference.account_id,
            kind=timeline.REQUESTED,
            at=timezone.now(),
            title=request.deal,
            actor=member,
            data={"request": request.pk, "kind": kind},
        )
    _tell(tenant, request, reference)
    return request


def _tell(tenant: Tenant, request: ReferenceRequest, reference: Reference | None) -> None:
    owner = reference.account.owner if reference is not None else None
    people = [owner] if owner is not None else list(
        Membership.objects.filter(tenant=tenant, is_active=True, role__in=[Role.MANAGER, Role.ADMIN])
    )  # fmt: skip
    notify_members(
        tenant=tenant,
        members=people,
        kind="reference_request",
        title=_("A reference is asked for: %(deal)s") % {"deal": request.deal},
        body=request.wanted,
        url=PATH,
        account=reference.account if reference is not None else None,
        dedupe_key=f"reference-request:{request.pk}",
    )


def decide_request(
    *,
    tenant: Tenant,
    request_id: int,
    accept: bool,
    reference_id: int | None = None,
    note: str = "",
    member: Membership | None = None,
) -> ReferenceRequest:
    """Accept a request (which writes the use down and so keeps the limits), or decline it with a reason."""
    request = ReferenceRequest.objects.select_for_update().get(tenant=tenant, pk=request_id)
    if request.state != State.OPEN:
        raise ValidationError(_("This request was answered already."))
    chosen = request.reference_id or reference_id
    if accept and chosen is None:
        raise ValidationError({"reference": _("Choose the reference that fits.")})
    if chosen is not None:
        reference = Reference.objects.select_related("account").get(tenant=tenant, pk=chosen)
        demand_account(member, reference.account)
        request.reference = reference
    elif member is not None and not has_role(member, Role.MANAGER):
        raise PermissionDenied
    note = note.strip()[:2000]
    if not accept and not note:
        raise ValidationError({"note": _("Say why, so that sales knows what to do.")})
    if accept and chosen is not None:
        log_use(
            tenant=tenant,
            reference_id=chosen,
            deal=request.deal,
            kind=request.kind,
            used_on=max(request.needed_on, tenant.today()) if request.needed_on else None,
            request=request,
            member=member,
        )
    request.state = State.ACCEPTED if accept else State.DECLINED
    request.decided_by, request.decided_at, request.decision_note = member, timezone.now(), note
    request.save()
    _close(tenant, request, note)
    if request.requested_by is not None:
        words = _("Your request for a reference was accepted: %(deal)s") if accept else _(
            "Your request for a reference was declined: %(deal)s"
        )  # fmt: skip
        notify_members(
            tenant=tenant,
            members=[request.requested_by],
            kind="reference_request",
            title=words % {"deal": request.deal},
            body=note,
            url=PATH,
            dedupe_key=f"reference-decision:{request.pk}",
        )
    return request


def cancel_request(*, tenant: Tenant, request_id: int, member: Membership | None = None) -> ReferenceRequest:
    """Take a request back: who made it, or a manager."""
    request = ReferenceRequest.objects.select_for_update().get(tenant=tenant, pk=request_id)
    if member is not None and request.requested_by_id != member.pk and not has_role(member, Role.MANAGER):
        raise PermissionDenied
    if request.state != State.OPEN:
        raise ValidationError(_("This request was answered already."))
    request.state, request.decided_by, request.decided_at = State.CANCELLED, member, timezone.now()
    request.save()
    _close(tenant, request, "")
    return request


def _close(tenant: Tenant, request: ReferenceRequest, note: str) -> None:
    """The task is done with the answer."""
    if (
        request.task_id
        and Task.objects.filter(tenant=tenant, pk=request.task_id, state=Task.State.OPEN).exists()
    ):
        complete_task(tenant=tenant, task_id=request.task_id, note=note)
    record_audit(
        tenant=tenant,
        actor=request.decided_by,
        action=f"reference_request.{request.state}",
        target=f"reference_request:{request.pk}",
        after={"note": note, "reference": request.reference_id},
    )
