"""Plans: made when an account goes live, moved with its go-live, closed when it is over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Tenant, TimelineEntry
from accounts.services import record_audit, record_timeline
from playbooks.onboarding import timeline
from playbooks.onboarding.milestones import LAST_DAY, LATE_START_DAYS
from playbooks.onboarding.models import Milestone, OnboardingPlan, PlanMilestone
from playbooks.rights import demand_account

from .template import install_milestones

State = OnboardingPlan.State
PLANS_PER_PASS = 1000  # bounds what is made at once
# An account gets one plan by itself for one go-live; one that was closed by hand does not come back the next night.
FRESH_SQL = """
SELECT a.id, a.go_live_on FROM accounts_account a
WHERE a.tenant_id = %(tenant)s AND a.go_live_on > %(since)s AND (a.churned_on IS NULL OR a.churned_on > %(day)s)
  AND (%(ids)s::bigint[] IS NULL OR a.id = ANY(%(ids)s))
  AND NOT EXISTS (SELECT 1 FROM playbooks_onboardingplan p WHERE p.tenant_id = a.tenant_id AND p.account_id = a.id
                  AND (p.state = 'running' OR p.starts_on = a.go_live_on))
ORDER BY a.id
"""


def begin_plans(*, tenant: Tenant, day: date, account_ids: Collection[int] | None = None) -> int:
    """Make the plans that are missing, move those whose go-live moved, close those that are over; how many began.

    Constant number of queries. An account that went live more than 90 days before gets none by itself.
    """
    lock_onboarding(tenant)
    now = timezone.now()
    _move(tenant, day, now, account_ids)
    _close(tenant, day, now, account_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            FRESH_SQL,
            {
                "tenant": tenant.pk,
                "day": day,
                "since": day - timedelta(days=LATE_START_DAYS + 1),
                "ids": None if account_ids is None else list(account_ids),
            },
        )
        fresh = cursor.fetchall()
    for start in range(0, len(fresh), PLANS_PER_PASS):
        _make(tenant, dict(fresh[start : start + PLANS_PER_PASS]), follows=True, at=now)
    return len(fresh)


def go_live_changed(*, tenant: Tenant, account_ids: Collection[int]) -> None:
    """An account went live, or its go-live moved: its plan is there at once; the night looks at the numbers."""
    begin_plans(tenant=tenant, day=tenant.today(), account_ids=account_ids)


def lock_onboarding(tenant: Tenant) -> None:
    """Take turns per tenant until the transaction ends: the night and a person must not make two plans."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"onboarding:{tenant.pk}"])


def _make(
    tenant: Tenant, starts: dict[int, date], *, follows: bool, at: datetime, member: Membership | None = None
) -> list[OnboardingPlan]:
    template = _template(tenant)
    plans = OnboardingPlan.objects.bulk_create(
        OnboardingPlan(tenant=tenant, account_id=account_id, starts_on=starts_on, follows_go_live=follows)
        for account_id, starts_on in starts.items()
    )
    PlanMilestone.objects.bulk_create(
        (
            PlanMilestone(
                tenant=tenant,
                plan=plan,
                key=one.key,
                name=one.name,
                phase=one.phase,
                position=one.position,
                kind=one.kind,
                params=one.params,
            )
            for plan in plans
            for one in template
        ),
        batch_size=5000,
    )
    _entries(tenant, plans, timeline.STARTED, at, member)
    return plans


def _template(tenant: Tenant) -> list[Milestone]:
    """The milestones of new plans; a tenant that is older than onboarding gets the shipped ones now."""
    if not Milestone.objects.filter(tenant=tenant).exists():
        install_milestones(tenant=tenant)
    return list(Milestone.objects.filter(tenant=tenant, enabled=True))


def _entries(
    tenant: Tenant, plans: Sequence[OnboardingPlan], kind: str, at: datetime, member: Membership | None = None
) -> None:
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            tenant=tenant,
            account_id=plan.account_id,
            kind=kind,
            at=at,
            actor=member,
            title=plan.starts_on.isoformat(),
            data={"plan": plan.pk, "starts_on": plan.starts_on.isoformat(), "state": plan.state},
        )
        for plan in plans
    )


def _running(tenant: Tenant, account_ids: Collection[int] | None) -> Q:
    mine = Q(tenant=tenant, state=State.RUNNING)
    return mine if account_ids is None else mine & Q(account_id__in=list(account_ids))


def _move(tenant: Tenant, day: date, now: datetime, account_ids: Collection[int] | None) -> None:
    """Plans that follow a go-live which has moved begin anew; what a person has ticked stays."""
    moved = list(
        OnboardingPlan.objects.filter(_running(tenant, account_ids), follows_go_live=True)
        .annotate(goes_live_on=F("account__go_live_on"))
        .filter(Q(goes_live_on__lt=F("starts_on")) | Q(goes_live_on__gt=F("starts_on")))
    )
    if not moved:
        return
    for plan in moved:
        plan.starts_on, plan.value_on = plan.goes_live_on, None
    OnboardingPlan.objects.bulk_update(moved, ["starts_on", "value_on"], batch_size=1000)
    PlanMilestone.objects.filter(tenant=tenant, plan__in=moved, done_how=PlanMilestone.How.SYSTEM).update(
        done_on=None, done_how="", moved_on=None, progress=0.0
    )
    _entries(tenant, moved, timeline.MOVED, now)


def _close(tenant: Tenant, day: date, now: datetime, account_ids: Collection[int] | None) -> None:
    """End plans of accounts that left or lost their go-live, and those that are half a year old."""
    gone = Q(account__churned_on__lte=day) | Q(follows_go_live=True, account__go_live_on=None)
    old = Q(starts_on__lt=day - timedelta(days=LAST_DAY))
    over = list(OnboardingPlan.objects.filter(_running(tenant, account_ids)).filter(gone | old))
    if over:
        for plan in over:
            plan.state, plan.finished_on = State.ENDED, day
        OnboardingPlan.objects.bulk_update(over, ["state", "finished_on"], batch_size=1000)
        _entries(tenant, over, timeline.FINISHED, now)


def start_plan(
    *, tenant: Tenant, account_id: int, starts_on: date | None = None, member: Membership | None = None
) -> OnboardingPlan:
    """Begin an account's onboarding by hand, counted from a day (its go-live unless said)."""
    account = Account.objects.get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    lock_onboarding(tenant)
    day = tenant.today()
    start = starts_on or account.go_live_on or day
    if not day - timedelta(days=LAST_DAY) <= start <= day + timedelta(days=LAST_DAY):
        raise ValidationError(
            {
                "starts_on": _("Choose a day that is at most %(days)d days before or after today.")
                % {"days": LAST_DAY}
            }
        )
    if OnboardingPlan.objects.filter(tenant=tenant, account=account, state=State.RUNNING).exists():
        raise ValidationError({"starts_on": _("The onboarding of this account is already running.")})
    follows = start == account.go_live_on
    (plan,) = _make(tenant, {account.pk: start}, follows=follows, at=timezone.now(), member=member)
    record_audit(
        tenant=tenant,
        actor=member,
        action="onboarding.started",
        target=f"account:{account.pk}",
        after={"starts_on": start.isoformat()},
    )
    from .evaluation import evaluate_onboarding  # it closes plans with what is here

    evaluate_onboarding(tenant=tenant, day=day, account_ids=[account.pk])
    plan.refresh_from_db()
    return plan


def end_plan(
    *, tenant: Tenant, plan_id: int, reason: str = "", member: Membership | None = None
) -> OnboardingPlan:
    """Close a plan before it is done, with a reason."""
    plan = OnboardingPlan.objects.select_for_update().get(tenant=tenant, pk=plan_id)
    demand_account(member, Account.objects.get(tenant=tenant, pk=plan.account_id))
    if plan.state != State.RUNNING:
        raise ValidationError(_("This onboarding is already over."), code="over")
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it ends.")})
    plan.state, plan.finished_on = State.ENDED, tenant.today()
    plan.save(update_fields=["state", "finished_on"])
    record_timeline(
        tenant=tenant,
        account_id=plan.account_id,
        kind=timeline.FINISHED,
        at=timezone.now(),
        title=reason.strip()[:300],
        actor=member,
        data={"plan": plan.pk, "state": plan.state},
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action="onboarding.ended",
        target=f"plan:{plan.pk}",
        after={"reason": reason.strip()[:300]},
    )
    return plan
