"""What people do with an opportunity: open it, fill it in, move it, lose it, open it again.

Each may be sent twice: what is so already stays as it is, and nothing is written a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import has_role
from accounts.models import Account, Membership, Role, Tenant
from expansion import stages, timeline
from expansion.models import (
    Discount,
    ExpansionSettings,
    Offering,
    Opportunity,
    OpportunityType,
    Stage,
    StageChange,
)
from expansion.pricing import net_cents
from expansion.rights import demand_account, demand_work
from expansion.words import not_moved

from .definitions import expansion_settings, lock_expansion
from .telling import publish, write_down

NOTE_LENGTH = 4000
MOST_CENTS = 10**13  # a hundred billion: more is a slip of the hand
MOST_SEATS = 1_000_000
EDITABLE = frozenset(
    {
        "what",
        "value_cents",
        "seats",
        "probability_pct",
        "close_on",
        "owner_id",
        "next_step",
        "next_on",
        "note",
        "case_text",
        "roi_cents",
        "proposed_on",
        "pilot_goal",
        "pilot_until",
        "pilot_result",
        "pilot_note",
    }
)


def open_opportunity(
    *,
    tenant: Tenant,
    account_id: int,
    type: str,
    what: str = "",
    value_cents: int | None = None,
    member: Membership | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Opportunity:
    """Open an opportunity by hand; raises `Account.DoesNotExist`, and a ValidationError when the same one is open."""
    lock_expansion(tenant)
    account = Account.objects.get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    settings = expansion_settings(tenant)
    if type not in OpportunityType.values:
        raise ValidationError({"type": _("Choose a type.")})
    if account.churned_on is not None and account.churned_on <= tenant.today():
        raise ValidationError(_("This account has churned."), code="churned")
    offering = _offering(tenant, type, what)
    if Opportunity.objects.filter(
        tenant=tenant, account=account, type=type, what=what, stage__in=stages.OPEN
    ).exists():
        raise ValidationError(_("This opportunity is open at this account already."), code="open")
    today = tenant.today()
    seats = (fields or {}).get("seats")
    one = Opportunity(
        tenant=tenant,
        account=account,
        type=type,
        what=what,
        offering=offering,
        stage=Stage.CASE,
        stage_since=today,
        currency=account.currency or tenant.currency,
        recurring=offering.recurring if offering else True,
        probability_pct=settings.probability(Stage.CASE),
        opened_by=Opportunity.OpenedBy.PERSON,
        opened_on=today,
        created_by=member,
        owner=account.owner or member,
        close_on=today + timedelta(days=settings.close_days),
    )
    one.value_cents = list_price(one, offering, seats) if value_cents is None else value_cents
    _assign(tenant, settings, one, {**(fields or {}), "value_cents": one.value_cents})
    one.save()
    note_move(tenant, one, before="", member=member)
    write_down(tenant, one, timeline.OPENED, member, {}, title=one.title)
    publish(tenant, one, "opened")
    return one


def list_price(one: Opportunity, offering: Offering | None, seats: int | None) -> int:
    """What the offering costs by its list, in the company's currency; 0 where there is no price for this account."""
    if offering is None or one.currency != one.tenant.currency:
        return 0
    return offering.price_cents * (seats or 1) if offering.per_seat else offering.price_cents


def edit_opportunity(
    *, tenant: Tenant, opportunity_id: int, fields: Mapping[str, Any], member: Membership | None = None
) -> Opportunity:
    """Change what is known of an opportunity; a value or an offering that changes is written into the audit log."""
    one = locked(tenant, opportunity_id, member)
    demand_open(one)
    unknown = set(fields) - EDITABLE
    if unknown:
        raise ValueError(f"{sorted(unknown)} cannot be edited.")
    before = _state(one)
    _assign(tenant, expansion_settings(tenant), one, fields)
    after = _state(one)
    if before == after:
        return one
    one.save()
    changed = {key: value for key, value in after.items() if before[key] != value}
    write_down(tenant, one, "", member, {key: before[key] for key in changed}, title=one.title, after=changed)
    return one


def move_opportunity(
    *, tenant: Tenant, opportunity_id: int, to: str, note: str = "", member: Membership | None = None
) -> Opportunity:
    """Move an opportunity to another open stage; what the stage rules miss is said in words."""
    one = locked(tenant, opportunity_id, member)
    if to not in stages.OPEN:
        raise ValidationError(
            _("Win or lose it with the button for that; this moves it between the stages before.")
        )
    if one.stage == to:
        return one
    demand_stage(one, to)
    settings = expansion_settings(tenant)
    before = one.stage
    one.stage = Stage(to)
    if not one.probability_is_own:
        one.probability_pct = settings.probability(to)
    if one.bundle_pct and to != stages.CLOSING:  # the bundle belongs to closing
        one.bundle_pct = 0
        one.net_cents = net_cents(one.value_cents, one.discount_pct, 0)
    note_move(tenant, one, before=before, member=member, note=note)
    one.save()
    write_down(
        tenant,
        one,
        timeline.MOVED,
        member,
        {"stage": before},
        title=f"{one.title}: {Stage(to).label}",
        text=note.strip()[:NOTE_LENGTH],
    )
    return one


def lose_opportunity(
    *, tenant: Tenant, opportunity_id: int, reason: str, note: str = "", member: Membership | None = None
) -> Opportunity:
    """Close an opportunity without a sale, for a reason of the list; *something else* needs words."""
    one = locked(tenant, opportunity_id, member)
    note = note.strip()[:NOTE_LENGTH]
    problems: dict[str, str] = {}
    if reason not in Opportunity.LostReason.values:
        problems["reason"] = _("Choose why it was lost.")
    elif reason == Opportunity.LostReason.OTHER and not note:
        problems["note"] = _("Say in a few words why.")
    if problems:
        raise ValidationError(problems)
    if one.stage == stages.LOST and one.lost_reason == reason:
        return one
    demand_stage(one, stages.LOST)
    before = one.stage
    one.stage, one.lost_reason, one.lost_note = Stage.LOST, reason, note
    one.probability_pct, one.bundle_pct = 0, 0
    one.net_cents = net_cents(one.value_cents, one.discount_pct, 0)
    one.closed_at, one.closed_on, one.closed_by = timezone.now(), tenant.today(), member
    withdraw_pending(tenant, one, member)
    note_move(tenant, one, before=before, member=member, note=note)
    one.save()
    write_down(
        tenant,
        one,
        timeline.LOST,
        member,
        {"stage": before},
        title=f"{one.title}: {one.get_lost_reason_display()}",
        text=note,
    )
    publish(tenant, one, "lost")
    return one


def reopen_opportunity(
    *, tenant: Tenant, opportunity_id: int, member: Membership | None = None
) -> Opportunity:
    """Undo a loss: back to the stage before it. What was won has changed a subscription and stays."""
    lock_expansion(tenant)
    one = locked(tenant, opportunity_id, member)
    if one.is_open:
        return one
    if one.stage == stages.WON:
        raise ValidationError(
            _("It was won and has changed the subscription; end or change that where it comes from."),
            code="won",
        )
    if one.account.churned_on is not None and one.account.churned_on <= tenant.today():
        raise ValidationError(_("This account has churned."), code="churned")
    same = Opportunity.objects.filter(
        tenant=tenant, account_id=one.account_id, type=one.type, what=one.what, stage__in=stages.OPEN
    )
    if same.exists():
        raise ValidationError(_("This opportunity is open at this account already."), code="open")
    last = (
        StageChange.objects.filter(tenant=tenant, opportunity=one, after=stages.LOST).order_by("-id").first()
    )
    back_to = last.before if last is not None and last.before in stages.OPEN else stages.CASE
    one.stage = Stage(back_to)
    one.lost_reason = one.lost_note = ""
    one.closed_at = one.closed_on = one.closed_by = None
    if not one.probability_is_own:
        one.probability_pct = expansion_settings(tenant).probability(back_to)
    note_move(tenant, one, before=stages.LOST, member=member)
    one.save()
    write_down(tenant, one, timeline.REOPENED, member, {"stage": stages.LOST}, title=one.title)
    return one


def locked(tenant: Tenant, opportunity_id: int, member: Membership | None) -> Opportunity:
    """The opportunity, held until the transaction ends; raises `PermissionDenied` where the member may not work on it."""
    one = (
        Opportunity.objects.select_for_update(of=("self",))
        .select_related("account__owner__user", "owner__user", "offering", "tenant")
        .get(tenant=tenant, pk=opportunity_id)
    )
    demand_work(member, one)
    return one


def demand_open(one: Opportunity) -> None:
    """Raise a ValidationError for one that is closed."""
    if not one.is_open:
        raise ValidationError(
            _("This opportunity is closed: %(state)s.") % {"state": one.get_stage_display()}, code="closed"
        )


def demand_stage(one: Opportunity, to: str) -> None:
    """Raise a ValidationError that says everything which is missing for a stage."""
    codes = stages.refusals(standing_of(one), to)
    if codes:
        code = "closed" if codes == [stages.NOT_OPEN] else "stage"
        raise ValidationError(not_moved(str(Stage(to).label), codes), code=code)


def standing_of(one: Opportunity) -> stages.Standing:
    """What the stage rules look at; one query for the discount that waits."""
    return stages.Standing(
        stage=one.stage,
        what=bool(one.what),
        value=one.value_cents > 0,
        case=bool(one.case_text.strip()),
        roi=one.roi_cents is not None,
        proposed=one.proposed_on is not None,
        pilot_planned=bool(one.pilot_goal.strip()) and one.pilot_until is not None,
        pilot_judged=bool(one.pilot_result),
        discount_waits=Discount.objects.filter(
            tenant_id=one.tenant_id, opportunity=one, state=Discount.State.PENDING
        ).exists(),
    )


def note_move(
    tenant: Tenant, one: Opportunity, *, before: str, member: Membership | None, note: str = ""
) -> StageChange:
    """Write a move down, and count the days in the new stage from today."""
    today = tenant.today()
    days = one.days_in_stage(today) if before else 0
    one.stage_since = today
    return StageChange.objects.create(
        tenant=tenant,
        opportunity=one,
        before=before,
        after=one.stage,
        on=today,
        at=timezone.now(),
        by=member,
        days=days,
        value_cents=one.value_cents,
        note=note.strip()[:NOTE_LENGTH],
    )


def withdraw_pending(tenant: Tenant, one: Opportunity, member: Membership | None) -> int:
    """Nobody has to decide about an opportunity that is over."""
    waiting = Discount.objects.filter(tenant=tenant, opportunity=one, state=Discount.State.PENDING)
    return waiting.update(state=Discount.State.WITHDRAWN, decided_by=member, decided_at=timezone.now())


def _offering(tenant: Tenant, type: str, what: str) -> Offering | None:
    if not what:
        return None
    found = Offering.objects.filter(tenant=tenant, key=what, active=True).first()
    if found is None or found.type != type:
        raise ValidationError({"what": _("There is no offering of this type with this key.")})
    return found


def _assign(tenant: Tenant, settings: ExpansionSettings, one: Opportunity, fields: Mapping[str, Any]) -> None:
    """Put checked values on the row; raises a ValidationError that names every wrong one."""
    problems: dict[str, str] = {}
    given, price = dict(fields), one.value_cents
    if "what" in given:
        given_what = given.pop("what") or ""
        if given_what != one.what:
            problems |= _choose(tenant, one, given_what)
    if "owner_id" in given:
        problems |= _give(tenant, one, given.pop("owner_id"))
    if "probability_pct" in given:
        wanted = given.pop("probability_pct")
        one.probability_is_own = wanted is not None and wanted != settings.probability(one.stage)
        one.probability_pct = settings.probability(one.stage) if wanted is None else wanted
    for name, value in given.items():
        if name not in EDITABLE:
            raise ValueError(f"{name} cannot be edited.")
        setattr(one, name, value.strip() if isinstance(value, str) else value)
    problems |= _faults(one)
    if one.pk and one.value_cents != price and standing_of(one).discount_waits:
        problems["value_cents"] = _("A discount on the price before waits for approval; withdraw it first.")
    if problems:
        raise ValidationError(problems)
    one.net_cents = net_cents(one.value_cents, one.discount_pct, one.bundle_pct)


def _choose(tenant: Tenant, one: Opportunity, what: str) -> dict[str, str]:
    try:
        offering = _offering(tenant, one.type, what)
    except ValidationError as error:
        return {"what": " ".join(error.messages)}
    taken = Opportunity.objects.filter(
        tenant=tenant, account_id=one.account_id, type=one.type, what=what, stage__in=stages.OPEN
    )
    if taken.exclude(pk=one.pk).exists():
        return {"what": _("This opportunity is open at this account already.")}
    one.what, one.offering = what, offering
    if offering is not None:
        one.recurring = offering.recurring
    return {}


def _give(tenant: Tenant, one: Opportunity, owner_id: int | None) -> dict[str, str]:
    if owner_id is None:
        one.owner = None
        return {}
    owner = (
        Membership.objects.filter(tenant=tenant, pk=owner_id, is_active=True).select_related("user").first()
    )
    if owner is None or not has_role(owner, Role.CSM):
        return {"owner": _("Choose an active member who may work on accounts.")}
    one.owner = owner
    return {}


def _faults(one: Opportunity) -> dict[str, str]:
    faults: dict[str, str] = {}
    if not 0 <= one.value_cents <= MOST_CENTS:
        faults["value_cents"] = _("Enter an amount of 0 or more.")
    if not 0 <= one.probability_pct <= 100:
        faults["probability_pct"] = _("Enter a percentage from 0 to 100.")
    if one.seats is not None and not 0 <= one.seats <= MOST_SEATS:
        faults["seats"] = _("Enter a number of seats of 0 or more.")
    if one.roi_cents is not None and abs(one.roi_cents) > MOST_CENTS:
        faults["roi_cents"] = _("Enter an amount that can be.")
    if one.pilot_result and one.pilot_result not in Opportunity.PilotResult.values:
        faults["pilot_result"] = _("Choose how the pilot ended.")
    if not isinstance(one.close_on, date):
        faults["close_on"] = _("Say when it is expected to close.")
    if len(one.next_step) > 300:
        faults["next_step"] = _("At most %(most)d characters.") % {"most": 300}
    if len(one.pilot_goal) > 500:
        faults["pilot_goal"] = _("At most %(most)d characters.") % {"most": 500}
    for name in ("note", "case_text", "pilot_note"):
        if len(getattr(one, name)) > NOTE_LENGTH * 2:
            faults[name] = _("At most %(most)d characters.") % {"most": NOTE_LENGTH * 2}
    return faults


def _state(one: Opportunity) -> dict[str, Any]:
    names = EDITABLE | {"net_cents", "probability_is_own"}
    return {
        name: value.isoformat() if isinstance(value := getattr(one, name), date) else value
        for name in sorted(names)
    }
