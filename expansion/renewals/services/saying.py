"""What people say of a renewal: category and forecast, calls, the end and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Tenant
from accounts.services import record_audit, record_timeline
from expansion.renewals import stepping, timeline
from expansion.renewals.amounts import forecast_of, outcome_of
from expansion.renewals.events import RENEWAL_FORECAST, RENEWAL_LOST, RENEWAL_RENEWED
from expansion.renewals.judging import CATEGORY
from expansion.renewals.models import Renewal, RenewalChange, RenewalCheckpoint
from playbooks.rights import demand_account

from .telling import publish

NOTE_LENGTH = 4000
UNCHANGED = object()  # of a part that was not given; None takes back what was said
Kind = RenewalChange.Kind


def refusal(field: str, message: str, code: str) -> ValidationError:
    """Why something cannot be said, beside its field; the code survives only inside."""
    return ValidationError({field: ValidationError(message, code=code)})


def renewal_for(tenant: Tenant, renewal_id: int, member: Membership | None) -> Renewal:
    """The renewal with its account, locked, for a member who may work on it; raises `Renewal.DoesNotExist`."""
    locked = Renewal.objects.select_for_update().get(tenant=tenant, pk=renewal_id)
    locked.account = Account.objects.select_related("owner").get(tenant=tenant, pk=locked.account_id)
    demand_account(member, locked.account)
    return locked


def standing_of(renewal: Renewal) -> stepping.Standing:
    """The renewal as the pure modules know it."""
    names = stepping.Standing.__dataclass_fields__
    values = {name: getattr(renewal, name) for name in names} | {"risks": tuple(renewal.risks)}
    return stepping.Standing(**values)


def note_change(
    tenant: Tenant,
    renewal: Renewal,
    kind: str,
    by: Membership | None,
    data: Mapping[str, Any] | None = None,
    note: str = "",
) -> RenewalChange:
    """Add a line to the history of a renewal."""
    return RenewalChange.objects.create(
        tenant=tenant, renewal=renewal, kind=kind, at=timezone.now(), by=by, data=dict(data or {}), note=note
    )


def journal(
    tenant: Tenant,
    renewal: Renewal,
    kind: str,
    member: Membership | None,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    """The account's timeline and the audit log."""
    record_timeline(
        tenant=tenant,
        account_id=renewal.account_id,
        kind=kind,
        at=timezone.now(),
        title=f"{renewal.plan} {renewal.due_on.isoformat()}".strip(),
        actor=member,
        data={"renewal": renewal.pk, **after},
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target=f"renewal:{renewal.pk}",
        before=before,
        after=after,
    )


def set_forecast(
    *,
    tenant: Tenant,
    renewal_id: int,
    category: Any = UNCHANGED,
    forecast_cents: Any = UNCHANGED,
    note: str = "",
    member: Membership | None = None,
) -> Renewal:
    """Say how likely a renewal is and what it will come to.

    None leaves it to the numbers again. The forecast is at most the target. A renewal that is at risk, or is put there,
    needs an action plan first.
    """
    renewal = renewal_for(tenant, renewal_id, member)
    if not renewal.is_open:
        raise refusal("category", _("This renewal is closed; nothing more is forecast."), "closed")
    before = {"category": renewal.category, "forecast": renewal.forecast_cents}
    if category is not UNCHANGED:
        if category not in (None, "", *Renewal.Category.values):
            raise refusal("category", _("Choose a category."), "category")
        renewal.category_by_hand = bool(category)
        renewal.category = category or renewal.computed_category
    if forecast_cents is not UNCHANGED:
        renewal.said_cents = _checked(forecast_cents, renewal)
    if stepping.needs_plan(
        standing_of(renewal), category=renewal.category, has_plan=renewal.has_plan, risks=renewal.risks
    ):
        raise refusal(
            "category",
            _("This renewal is at risk. Make an action plan first: steps with an owner and a due date."),
            "plan",
        )
    renewal.forecast_cents = forecast_of(renewal.said_cents, renewal.target_cents, renewal.category)
    _settle_risk(renewal)
    renewal.changed_at = timezone.now()
    renewal.save()
    after = {"category": renewal.category, "forecast": renewal.forecast_cents}
    if after == before and not note.strip():
        return renewal
    if after["category"] != before["category"]:
        note_change(
            tenant,
            renewal,
            Kind.CATEGORY,
            member,
            {"from": before["category"], "to": after["category"]},
            note,
        )
    if after["forecast"] != before["forecast"] or after["category"] == before["category"]:
        note_change(
            tenant,
            renewal,
            Kind.FORECAST,
            member,
            {"from": before["forecast"], "to": after["forecast"]},
            note if after["category"] == before["category"] else "",
        )
    journal(tenant, renewal, timeline.RENEWAL_FORECAST, member, before, after)
    publish(tenant=tenant, renewal=renewal, event_type=RENEWAL_FORECAST, key=renewal.changed_at.isoformat())
    return renewal


def _checked(cents: Any, renewal: Renewal) -> int | None:
    if cents is None:
        return None
    if not isinstance(cents, int) or isinstance(cents, bool) or cents < 0:
        raise refusal("forecast_cents", _("Write an amount of 0 or more."), "amount")
    if cents > renewal.target_cents:
        raise refusal(
            "forecast_cents",
            _("The forecast is at most the target. What comes on top is an opportunity of its own."),
            "above_target",
        )
    return cents


def _settle_risk(renewal: Renewal) -> None:
    """Whether it is at risk, with the category as it is now; the other causes are the night's."""
    risks = [risk for risk in renewal.risks if risk != CATEGORY]
    if renewal.category in (Renewal.Category.AT_RISK, Renewal.Category.LOST):
        risks = [CATEGORY, *risks]
    renewal.risks, renewal.at_risk = risks, bool(risks)


def note_call(
    *,
    tenant: Tenant,
    renewal_id: int,
    note: str,
    checkpoint_id: int | None = None,
    category: str = "",
    member: Membership | None = None,
) -> Renewal:
    """Write down a call; at a checkpoint also what the CSM thinks, which is kept beside what the numbers say."""
    renewal = renewal_for(tenant, renewal_id, member)
    text = note.strip()[:NOTE_LENGTH]
    if not text:
        raise refusal("note", _("Write what was said."), "required")
    if category and category not in Renewal.Category.values:
        raise refusal("category", _("Choose a category."), "category")
    if checkpoint_id is not None:
        found = RenewalCheckpoint.objects.filter(tenant=tenant, renewal=renewal, pk=checkpoint_id).first()
        if found is None:
            raise refusal("checkpoint", _("This checkpoint is not one of the renewal."), "checkpoint")
        if not category:
            raise refusal("category", _("At a checkpoint, say what you expect."), "required")
        found.called_category, found.called_on, found.called_by = category, tenant.today(), member
        found.computed_category, found.note = renewal.computed_category, text
        found.save()
    data: dict[str, Any] = {"category": category} if category else {}
    note_change(tenant, renewal, Kind.CALL, member, data, text)
    journal(tenant, renewal, timeline.RENEWAL_CALL, member, {}, {**data, "note": text[:300]})
    return renewal


def close_renewal(
    *,
    tenant: Tenant,
    renewal_id: int,
    final_cents: int,
    reason: str = "",
    reason_note: str = "",
    member: Membership | None = None,
) -> Renewal:
    """Close a renewal by hand, before the subscription says so: at an amount, or lost with 0.

    Less than the target needs a reason. The night does not open the same term again.
    """
    renewal = renewal_for(tenant, renewal_id, member)
    if not renewal.is_open:
        raise refusal("final", _("This renewal is closed already."), "closed")
    if not isinstance(final_cents, int) or isinstance(final_cents, bool) or final_cents < 0:
        raise refusal("final", _("Write an amount of 0 or more."), "amount")
    _demand_reason(final_cents < renewal.target_cents, reason, reason_note)
    before = {"state": renewal.state}
    renewal.final_cents = final_cents
    renewal.state = Renewal.State.RENEWED if final_cents else Renewal.State.LOST
    renewal.outcome = outcome_of(final_cents, renewal.target_cents) if final_cents else ""
    renewal.reason, renewal.reason_note = reason, reason_note.strip()[:NOTE_LENGTH]
    renewal.at_risk, renewal.risks = False, []
    renewal.closed_on, renewal.closed_by, renewal.changed_at = tenant.today(), member, timezone.now()
    renewal.save()
    after = {"state": renewal.state, "outcome": renewal.outcome, "final": final_cents}
    note_change(tenant, renewal, Kind.CLOSED, member, {**after, "reason": reason}, renewal.reason_note)
    journal(tenant, renewal, timeline.RENEWAL_CLOSED, member, before, after)
    publish(
        tenant=tenant,
        renewal=renewal,
        event_type=RENEWAL_RENEWED if final_cents else RENEWAL_LOST,
        key=renewal.changed_at.isoformat(),
    )
    return renewal


def give_reason(
    *, tenant: Tenant, renewal_id: int, reason: str, reason_note: str = "", member: Membership | None = None
) -> Renewal:
    """Say why a renewal was lost or came to less, after it closed by itself."""
    renewal = renewal_for(tenant, renewal_id, member)
    less = renewal.state == Renewal.State.LOST or renewal.outcome == Renewal.Outcome.LESS
    if not less:
        raise refusal("reason", _("Nothing was lost here."), "not_lost")
    _demand_reason(True, reason, reason_note)
    before = {"reason": renewal.reason}
    renewal.reason, renewal.reason_note = reason, reason_note.strip()[:NOTE_LENGTH]
    renewal.changed_at = timezone.now()
    renewal.save(update_fields=["reason", "reason_note", "changed_at"])
    note_change(tenant, renewal, Kind.REASON, member, {"reason": reason}, renewal.reason_note)
    journal(tenant, renewal, timeline.RENEWAL_CLOSED, member, before, {"reason": reason})
    return renewal


def _demand_reason(less: bool, reason: str, note: str) -> None:
    if reason and reason not in Renewal.Reason.values:
        raise refusal("reason", _("Choose a reason."), "reason")
    if less and not reason:
        raise refusal("reason", _("Say why it comes to less."), "required")
    if reason == Renewal.Reason.OTHER and not note.strip():
        raise refusal("reason_note", _("Say in your words what it was."), "required")
