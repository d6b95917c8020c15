"""What people do with a lead: accept it, hand it to sales, convert it, reject it, open it again.

Each may be sent twice: what is so already stays as it is, and nothing is written a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import has_role
from accounts.models import Account, Membership, Role, Tenant
from accounts.services import record_audit, record_timeline
from pql import timeline
from pql.models import Lead, Standing
from pql.rights import demand_lead

from .night import lock_leads

State = Lead.State
NOTE_LENGTH = 4000


def accept_lead(*, tenant: Tenant, lead_id: int, member: Membership | None = None) -> Lead:
    """Take a lead: from now on somebody works on it."""
    lead = _locked(tenant, lead_id, member)
    if lead.state == State.ACCEPTED:
        return lead
    _demand_open(lead)
    lead.state, lead.accepted_by, lead.accepted_at = State.ACCEPTED, member, timezone.now()
    lead.owner = lead.owner or member or lead.account.owner
    _keep(tenant, lead, timeline.LEAD_ACCEPTED, member, {"state": State.NEW}, title=str(lead.owner or ""))
    return lead


def hand_over_lead(
    *,
    tenant: Tenant,
    lead_id: int,
    to_member_id: int | None = None,
    outside: str = "",
    note: str = "",
    member: Membership | None = None,
) -> Lead:
    """Hand a lead to sales: to a member of the platform, or to somebody outside it who is named."""
    lead = _locked(tenant, lead_id, member)
    _demand_open(lead)
    outside, note = outside.strip()[:200], note.strip()[:NOTE_LENGTH]
    if (to_member_id is None) == (not outside):
        raise ValidationError({"to": _("Choose a member, or name who has it outside this platform.")})
    before = _who_has(lead)
    if to_member_id is not None:
        seller = Membership.objects.filter(tenant=tenant, pk=to_member_id, is_active=True).first()
        if seller is None or not has_role(seller, Role.CSM):
            raise ValidationError({"to": _("Choose an active member who may work on accounts.")})
        lead.owner, lead.handoff, lead.handoff_to = seller, Lead.Handoff.MEMBER, str(seller)[:200]
    else:
        lead.handoff, lead.handoff_to = Lead.Handoff.OUTSIDE, outside
    lead.handoff_note = note
    if lead.state == State.ACCEPTED and before == _who_has(lead):
        return lead
    now = timezone.now()
    if lead.state == State.NEW:
        lead.state, lead.accepted_by, lead.accepted_at = State.ACCEPTED, member, now
    lead.handed_at = now
    _keep(tenant, lead, timeline.LEAD_HANDED, member, before, title=lead.handoff_to, text=note)
    return lead


def convert_lead(
    *,
    tenant: Tenant,
    lead_id: int,
    note: str = "",
    to_contract: bool = False,
    member: Membership | None = None,
) -> Lead:
    """The account buys; with `to_contract` its kind of plan becomes a contract, too."""
    lead = _locked(tenant, lead_id, member)
    if lead.state == State.CONVERTED:
        return lead
    _demand_open(lead)
    before = {"state": lead.state, "plan_kind": lead.account.plan_kind}
    now, today = timezone.now(), tenant.today()
    lead.state, lead.closed_at, lead.closed_on, lead.closed_by = State.CONVERTED, now, today, member
    lead.close_note = note.strip()[:NOTE_LENGTH]
    if to_contract and lead.account.plan_kind != Account.PlanKind.CONTRACT:
        lead.plan_before, lead.account.plan_kind = lead.account.plan_kind, Account.PlanKind.CONTRACT
        lead.account.save(update_fields=["plan_kind", "updated_at"])
    Standing.objects.filter(tenant=tenant, account_id=lead.account_id, converted_on=None).update(
        converted_on=today, converted_by=Standing.ConvertedBy.LEAD, status=Standing.Status.CONVERTED
    )
    _keep(
        tenant, lead, timeline.LEAD_CONVERTED, member, before, title=lead.account.name, text=lead.close_note
    )
    return lead


def reject_lead(
    *, tenant: Tenant, lead_id: int, reason: str, note: str = "", member: Membership | None = None
) -> Lead:
    """No lead after all, for a reason of the list; *something else* needs words."""
    lead = _locked(tenant, lead_id, member)
    problems: dict[str, str] = {}
    note = note.strip()[:NOTE_LENGTH]
    if reason not in Lead.Reason.values:
        problems["reason"] = _("Choose why the lead is rejected.")
    elif reason == Lead.Reason.OTHER and not note:
        problems["note"] = _("Say in a few words why.")
    if problems:
        raise ValidationError(problems)
    if lead.state == State.REJECTED and lead.reject_reason == reason:
        return lead
    _demand_open(lead)
    before = {"state": lead.state}
    lead.state, lead.closed_at, lead.closed_by = State.REJECTED, timezone.now(), member
    lead.closed_on, lead.reject_reason, lead.close_note = tenant.today(), reason, note
    Standing.objects.filter(tenant=tenant, account_id=lead.account_id, converted_on=None).update(
        status=Standing.Status.COOLING
    )
    _keep(
        tenant,
        lead,
        timeline.LEAD_REJECTED,
        member,
        before,
        title=str(lead.get_reject_reason_display()),
        text=note,
    )
    return lead


def reopen_lead(*, tenant: Tenant, lead_id: int, member: Membership | None = None) -> Lead:
    """Undo the end of a lead, with the plan that a conversion had changed; refused when the account has a newer one."""
    lock_leads(tenant)
    lead = _locked(tenant, lead_id, member)
    if lead.is_open:
        return lead
    same = Lead.objects.filter(tenant=tenant, account_id=lead.account_id, state__in=Lead.OPEN)
    if same.exists():
        raise ValidationError(_("This account has another lead that is open."), code="open")
    if lead.account.churned_on is not None and lead.account.churned_on <= tenant.today():
        raise ValidationError(_("This account has churned; it cannot be a lead."), code="churned")
    before = {"state": lead.state, "reason": lead.reject_reason}
    standing = Standing.objects.filter(tenant=tenant, account_id=lead.account_id)
    if lead.state == State.CONVERTED:
        if lead.plan_before and lead.account.plan_kind == Account.PlanKind.CONTRACT:
            lead.account.plan_kind = lead.plan_before
            lead.account.save(update_fields=["plan_kind", "updated_at"])
        standing.filter(converted_by=Standing.ConvertedBy.LEAD).update(converted_on=None, converted_by="")
    standing.filter(converted_on=None).update(status=Standing.Status.LEAD)
    lead.state = State.ACCEPTED if lead.accepted_at else State.NEW
    lead.closed_at = lead.closed_on = lead.closed_by = None
    lead.reject_reason = lead.close_note = lead.plan_before = ""
    _keep(tenant, lead, timeline.LEAD_REOPENED, member, before, title=lead.account.name)
    return lead


def _locked(tenant: Tenant, lead_id: int, member: Membership | None) -> Lead:
    lead = (
        Lead.objects.select_for_update(of=("self",))
        .select_related("account__owner__user", "owner__user")
        .get(tenant=tenant, pk=lead_id)
    )
    demand_lead(member, lead)
    return lead


def _demand_open(lead: Lead) -> None:
    if not lead.is_open:
        raise ValidationError(
            _("This lead is closed: %(state)s.") % {"state": lead.get_state_display()}, code="closed"
        )


def _who_has(lead: Lead) -> dict[str, Any]:
    return {"owner": lead.owner_id, "handoff": lead.handoff, "to": lead.handoff_to, "note": lead.handoff_note}


def _keep(
    tenant: Tenant,
    lead: Lead,
    kind: str,
    member: Membership | None,
    before: Mapping[str, Any],
    *,
    title: str,
    text: str = "",
) -> None:
    """Save the lead, and write down what happened in the timeline and the audit log."""
    now = timezone.now()
    lead.first_action_at = lead.first_action_at or now
    lead.save()
    after = {"state": lead.state, "reason": lead.reject_reason, "to": lead.handoff_to, "note": text}
    said = {key: value for key, value in after.items() if value}
    record_timeline(
        tenant=tenant,
        account_id=lead.account_id,
        kind=kind,
        at=now,
        title=title or lead.account.name,
        actor=member,
        data={"lead": lead.pk, **said, **({"text": text} if text else {})},
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target=f"lead:{lead.pk}",
        before=dict(before),
        after=said,
    )
