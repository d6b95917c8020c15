"""Discounts: granted at once within the limit of one's role, else asked for and decided by a stronger one."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.access import has_role
from accounts.models import Membership, Role, Tenant
from expansion import stages, timeline
from expansion.events import DISCOUNT_NOTICE
from expansion.models import Discount, Opportunity
from expansion.pricing import MOST_PCT, may_grant, net_cents, role_needed
from expansion.rights import demand_work
from outreach.services import notify_members

from .definitions import expansion_settings
from .opportunities import NOTE_LENGTH, demand_open, locked, withdraw_pending
from .telling import write_down

BUNDLE_DAYS = 30  # opportunities of an account that close within so many days are one bundle
State = Discount.State


def ask_discount(
    *, tenant: Tenant, opportunity_id: int, pct: int, reason: str, member: Membership | None = None
) -> Discount:
    """Ask for a discount; within the limit of the member's role it is granted at once. A newer wish replaces one that waits.

    Without a member it is the system or an API key: nobody's limit, so an admin decides.
    """
    one = locked(tenant, opportunity_id, member)
    demand_open(one)
    reason = reason.strip()[:NOTE_LENGTH]
    problems: dict[str, str] = {}
    if not 0 <= pct <= MOST_PCT:
        problems["pct"] = _("Enter a percentage from 0 to %(most)d.") % {"most": MOST_PCT}
    if not reason and pct:
        problems["reason"] = _("Say why: it is what the one who decides reads.")
    if problems:
        raise ValidationError(problems)
    limits = expansion_settings(tenant).discount_limits
    granted = pct == 0 or (member is not None and may_grant(member.role, pct, limits))
    withdraw_pending(tenant, one, member)
    now = timezone.now()
    wish = Discount.objects.create(
        tenant=tenant,
        opportunity=one,
        pct=pct,
        reason=reason,
        state=State.APPROVED if granted else State.PENDING,
        needs=role_needed(pct, limits) if member is not None else Role.ADMIN,
        asked_by=member,
        asked_at=now,
        decided_by=member if granted else None,
        decided_at=now if granted else None,
    )
    before = {"discount_pct": one.discount_pct}
    if granted:
        _grant(one, pct)
    write_down(
        tenant,
        one,
        timeline.DISCOUNT_DECIDED if granted else timeline.DISCOUNT_ASKED,
        member,
        before,
        title=_("%(what)s: %(pct)d%%") % {"what": one.title, "pct": pct},
        text=reason,
        after={"discount_pct": pct, "state": wish.state},
    )
    if not granted:
        _tell_deciders(tenant, one, wish)
    return wish


def decide_discount(
    *, tenant: Tenant, discount_id: int, approve: bool, reason: str = "", member: Membership
) -> Discount:
    """Approve or refuse a discount that waits; refusing needs a reason. Raises `PermissionDenied` above one's limit."""
    wish = Discount.objects.select_for_update().get(tenant=tenant, pk=discount_id)
    one = locked(tenant, wish.opportunity_id, member)
    if not has_role(member, wish.needs):
        raise PermissionDenied
    wanted = State.APPROVED if approve else State.REFUSED
    if wish.state == wanted:
        return wish
    if wish.state != State.PENDING:
        raise ValidationError(
            _("This discount was decided already: %(state)s.") % {"state": wish.get_state_display()},
            code="closed",
        )
    demand_open(one)
    reason = reason.strip()[:NOTE_LENGTH]
    if not approve and not reason:
        raise ValidationError({"reason": _("Say why it is refused.")})
    wish.state, wish.decided_by, wish.decided_at = wanted, member, timezone.now()
    wish.decision = reason
    wish.save()
    before = {"discount_pct": one.discount_pct}
    if approve:
        _grant(one, wish.pct)
    write_down(
        tenant,
        one,
        timeline.DISCOUNT_DECIDED,
        member,
        before,
        title=_("%(what)s: %(pct)d%%, %(state)s")
        % {"what": one.title, "pct": wish.pct, "state": wish.get_state_display()},
        text=reason,
        after={"discount_pct": one.discount_pct, "state": wish.state},
    )
    asked_by = wish.asked_by
    if asked_by is not None and asked_by.pk != member.pk:
        with override(asked_by.user.language or tenant.language):
            notify_members(
                tenant=tenant,
                members=[asked_by],
                kind=DISCOUNT_NOTICE,
                title=_("Discount of %(pct)d%% for %(account)s: %(state)s")
                % {"pct": wish.pct, "account": one.account.name, "state": wish.get_state_display()},
                body=reason,
                url=f"/expansion/{one.pk}/",
                account=one.account,
                dedupe_key=f"discount-decided-{wish.pk}",
            )
    return wish


def withdraw_discount(*, tenant: Tenant, opportunity_id: int, member: Membership | None = None) -> int:
    """Take back a discount that waits; how many there were."""
    one = locked(tenant, opportunity_id, member)
    taken = withdraw_pending(tenant, one, member)
    if taken:
        write_down(
            tenant,
            one,
            "",
            member,
            {"discount": State.PENDING},
            title=one.title,
            after={"discount": State.WITHDRAWN},
        )
    return taken


def bundle(*, tenant: Tenant, opportunity_id: int, on: bool, member: Membership | None = None) -> Opportunity:
    """Give or take the bundle discount at closing, for accounts that close two or more together."""
    one = locked(tenant, opportunity_id, member)
    demand_open(one)
    pct = expansion_settings(tenant).bundle_pct if on else 0
    if on and one.stage != stages.CLOSING:
        raise ValidationError(_("The bundle discount belongs to closing: move it there first."))
    if on and not bundle_partners(tenant, one):
        raise ValidationError(
            _(
                "A bundle is two or more: no other opportunity of this account is closing or was won in %(days)d days."
            )
            % {"days": BUNDLE_DAYS}
        )
    if one.bundle_pct == pct:
        return one
    before = {"bundle_pct": one.bundle_pct}
    one.bundle_pct = pct
    one.net_cents = net_cents(one.value_cents, one.discount_pct, pct)
    one.save(update_fields=["bundle_pct", "net_cents"])
    write_down(tenant, one, "", member, before, title=one.title, after={"bundle_pct": pct})
    return one


def bundle_partners(tenant: Tenant, one: Opportunity) -> int:
    """How many other opportunities of the account close with this one."""
    others = Opportunity.objects.filter(tenant=tenant, account_id=one.account_id).exclude(pk=one.pk)
    closing = others.filter(stage=stages.CLOSING).count()
    recent = tenant.today() - timedelta(days=BUNDLE_DAYS)
    return closing + others.filter(stage=stages.WON, closed_on__gt=recent).count()


def may_decide(member: Membership, wish: Discount, one: Opportunity) -> bool:
    """Whether a member may approve or refuse this wish."""
    try:
        demand_work(member, one)
    except PermissionDenied:
        return False
    return wish.state == State.PENDING and has_role(member, wish.needs)


def _grant(one: Opportunity, pct: int) -> None:
    one.discount_pct = pct
    one.net_cents = net_cents(one.value_cents, pct, one.bundle_pct)
    one.save(update_fields=["discount_pct", "net_cents"])


def _tell_deciders(tenant: Tenant, one: Opportunity, wish: Discount) -> None:
    roles = [Role.ADMIN] if wish.needs == Role.ADMIN else [Role.MANAGER]
    deciders = Membership.objects.filter(tenant=tenant, role__in=roles, is_active=True).select_related("user")
    for member in deciders:
        with override(member.user.language or tenant.language):
            notify_members(
                tenant=tenant,
                members=[member],
                kind=DISCOUNT_NOTICE,
                title=_("%(account)s: a discount of %(pct)d%% waits for you")
                % {"account": one.account.name, "pct": wish.pct},
                body=wish.reason,
                url=f"/expansion/{one.pk}/",
                account=one.account,
                dedupe_key=f"discount-{wish.pk}",
            )
