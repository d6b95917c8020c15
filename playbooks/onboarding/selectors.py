"""Reads of onboarding, each a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import connection
from django.db.models import Count, QuerySet

from accounts.models import Tenant
from usage.models import Metric
from usage.starter import shown_name

from .milestones import DONE, PHASES, PLAY, phase_on
from .models import Milestone, OnboardingLink, OnboardingPlan, PlanMilestone
from .words import rule_of

State = OnboardingPlan.State
RECENT_DAYS = 30  # how long a finished plan stays on the board


@dataclass(frozen=True)
class Line:
    """A milestone of a plan with what its page says of it."""

    milestone: PlanMilestone
    rule: str
    opens_on: date
    due_on: date

    @property
    def is_open(self) -> bool:
        """Whether it has still to be reached."""
        return self.milestone.state != DONE

    @property
    def percent(self) -> int:
        """How far it is."""
        return round(100 * self.milestone.progress)


@dataclass(frozen=True)
class PlanView:
    """A plan with its milestones."""

    plan: OnboardingPlan
    lines: list[Line]
    day_number: int
    phase: int
    names: dict[str, str] = field(default_factory=dict)  # of the metrics in the evidence
    links: list[OnboardingLink] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many milestones are reached."""
        return sum(not line.is_open for line in self.lines)

    @property
    def next(self) -> Line | None:
        """The open milestone that is due first; of those due on one day, the one that is worst."""
        worst = {"stuck": 0, "behind": 1, "on_track": 2, "upcoming": 3}
        return min(
            (line for line in self.lines if line.is_open),
            key=lambda line: (line.due_on, worst[line.milestone.state], line.milestone.position),
            default=None,
        )

    @property
    def phases(self) -> list[tuple[int, list[Line]]]:
        """The lines by phase."""
        found: dict[int, list[Line]] = defaultdict(list)
        for line in self.lines:
            found[line.milestone.phase].append(line)
        return sorted(found.items())

    @property
    def value_days(self) -> int | None:
        """Days from go-live to the first value."""
        return None if self.plan.value_on is None else (self.plan.value_on - self.plan.starts_on).days


def metric_names(tenant: Tenant) -> dict[str, str]:
    """The names of the tenant's metrics by key; of those that still have a shipped name the one in the reader's language."""
    rows = Metric.objects.filter(tenant=tenant).values_list("key", "name")
    return {key: shown_name(key, name) for key, name in rows}


def views_of(
    tenant: Tenant, plans: Sequence[OnboardingPlan], day: date, *, inside: bool = True
) -> list[PlanView]:
    """Plans with their milestones; two queries. Customers do not see what is planned to sell them."""
    names = metric_names(tenant)
    lines: dict[int, list[PlanMilestone]] = defaultdict(list)
    found = PlanMilestone.objects.filter(tenant=tenant, plan__in=list(plans)).select_related("done_by__user")
    for one in found:
        if inside or one.kind != PLAY:
            lines[one.plan_id].append(one)
    return [
        PlanView(
            plan=plan,
            lines=[
                Line(
                    one,
                    rule_of(one.kind, one.params, names),
                    plan.starts_on + timedelta(days=PHASES[one.phase][0]),
                    plan.starts_on + timedelta(days=PHASES[one.phase][1]),
                )
                for one in lines[plan.pk]
            ],
            day_number=(day - plan.starts_on).days,
            phase=phase_on((day - plan.starts_on).days),
            names=names,
        )
        for plan in plans
    ]


def plans_of(
    tenant: Tenant,
    *,
    day: date,
    owner_id: int | None = None,
    nobodys: bool = False,
    status: str = "",
    phase: int | None = None,
    text: str = "",
    over: bool = False,
) -> QuerySet[OnboardingPlan]:
    """Plans that run, or with `over` those that are over; narrowed, the newest go-live first."""
    found = OnboardingPlan.objects.filter(tenant=tenant).select_related("account__owner__user")
    found = found.exclude(state=State.RUNNING) if over else found.filter(state=State.RUNNING)
    if nobodys:
        found = found.filter(account__owner=None)
    elif owner_id is not None:
        found = found.filter(account__owner_id=owner_id)
    if status:
        found = found.filter(status=status)
    if phase is not None:
        opens, due = PHASES[phase]
        if phase > min(PHASES):
            found = found.filter(starts_on__lte=day - timedelta(days=opens))
        if phase < max(PHASES):
            found = found.filter(starts_on__gte=day - timedelta(days=due))
    if text:
        start = text.lower()
        found = found.filter(account__name_search__gte=start, account__name_search__lt=start + "\U0010ffff")
    return found.order_by("-id")


def status_counts(tenant: Tenant, found: QuerySet[OnboardingPlan]) -> dict[str, int]:
    """How many plans have each status."""
    return dict(found.order_by("status").values_list("status").annotate(n=Count("id")))


def recently_finished(found: QuerySet[OnboardingPlan], day: date) -> QuerySet[OnboardingPlan]:
    """Of plans that are over those that were finished in the last month."""
    return found.filter(state=State.DONE, finished_on__gt=day - timedelta(days=RECENT_DAYS))


@dataclass(frozen=True)
class ValueMonth:
    """Time to value of the accounts that went live in a month."""

    month: date
    plans: int
    reached: int
    median_days: float | None


_VALUE_SQL = """
SELECT date_trunc('month', p.starts_on)::date, count(*), count(p.value_on),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY p.value_on - p.starts_on) FILTER (WHERE p.value_on IS NOT NULL)
FROM playbooks_onboardingplan p
WHERE p.tenant_id = %(tenant)s AND p.starts_on >= %(since)s AND p.starts_on <= %(day)s
GROUP BY 1 ORDER BY 1
"""


def time_to_value(tenant: Tenant, day: date, months: int = 12) -> list[ValueMonth]:
    """Median days from go-live to the end of activation, by month of go-live; one query.

    The median is of those that have reached it: the months that are young look faster than they are, so both counts are
    there.
    """
    first = day.replace(day=1)
    for _ in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute(_VALUE_SQL, {"tenant": tenant.pk, "since": first, "day": day})
        return [
            ValueMonth(month, plans, reached, None if median is None else float(median))
            for month, plans, reached, median in cursor.fetchall()
        ]


def median_to_value(tenant: Tenant, day: date, days: int = 180) -> tuple[float | None, int, int]:
    """The median of the accounts that went live in the last days, how many reached value, and how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY value_on - starts_on) "
            "FILTER (WHERE value_on IS NOT NULL), count(value_on), count(*) FROM playbooks_onboardingplan "
            "WHERE tenant_id = %s AND starts_on BETWEEN %s AND %s",
            [tenant.pk, day - timedelta(days=days), day],
        )
        median, reached, plans = cursor.fetchone()
    return (None if median is None else float(median)), reached, plans


def plan_of_account(tenant: Tenant, account_id: int) -> OnboardingPlan | None:
    """The plan of an account that runs, else its last one."""
    found = OnboardingPlan.objects.filter(tenant=tenant, account_id=account_id).select_related(
        "account__owner__user"
    )
    return found.order_by("-id").first()


def plan_by_id(tenant: Tenant, plan_id: int) -> OnboardingPlan | None:
    """One plan with its account."""
    found = OnboardingPlan.objects.filter(tenant=tenant, pk=plan_id).select_related("account__owner__user")
    return found.first()


def view_with_links(tenant: Tenant, plan: OnboardingPlan, day: date) -> PlanView:
    """A plan with its milestones and the links that are open."""
    (view,) = views_of(tenant, [plan], day)
    links = OnboardingLink.objects.filter(
        tenant=tenant, plan=plan, revoked_at=None, expires_on__gte=day
    ).select_related("created_by__user")
    view.links.extend(links.order_by("-id"))
    return view


def template_of(tenant: Tenant) -> list[Milestone]:
    """The tenant's milestones in their order."""
    return list(Milestone.objects.filter(tenant=tenant))
