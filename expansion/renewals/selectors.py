"""Every read of renewals, each a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Least, TruncMonth

from accounts.models import Account, Tenant
from scoring.models import KIND_CODES, CurrentScore

from .amounts import Amounts, Forecast, converted, forecasts
from .models import Renewal, RenewalChange, RenewalCheckpoint, RenewalSettings, RenewalStep
from .services.settings import rates_of

HISTORY = 100
OPEN_STATE = Renewal.State.OPEN


@dataclass(frozen=True)
class Wanted:
    """Which renewals: by state, due date (both ends included), whose, category, and what is missing."""

    state: str = ""
    due_from: date | None = None
    due_to: date | None = None
    owner_id: int | None = None
    nobodys: bool = False
    category: str = ""
    at_risk: bool | None = None
    plan_missing: bool = False
    reason_missing: bool = False
    disagrees: bool = False
    segment: str = ""
    text: str = ""
    account: str = ""  # its external id


def renewals_of(tenant: Tenant, wanted: Wanted | None = None) -> QuerySet[Renewal]:
    """The renewals that are wanted; those that no longer apply are in no list."""
    w = wanted or Wanted()
    found = Renewal.objects.filter(tenant=tenant).select_related("account__owner__user")
    found = found.filter(state=w.state) if w.state else found.filter(~Q(state=Renewal.State.VOID))
    if w.due_from is not None:
        found = found.filter(due_on__gte=w.due_from)
    if w.due_to is not None:
        found = found.filter(due_on__lte=w.due_to)
    if w.nobodys:
        found = found.filter(account__owner=None)
    elif w.owner_id is not None:
        found = found.filter(account__owner_id=w.owner_id)
    if w.category:
        found = found.filter(category=w.category)
    if w.at_risk is not None:
        found = found.filter(at_risk=w.at_risk)
    if w.plan_missing:
        found = found.filter(PLAN_MISSING)
    if w.reason_missing:
        found = found.filter(REASON_MISSING)
    if w.disagrees:
        found = found.filter(pk__in=_disagreeing(tenant))
    if w.segment:
        found = found.filter(account__segment=w.segment)
    if w.account:
        found = found.filter(account__external_id=w.account)
    if w.text:
        text = w.text.lower()
        found = found.filter(account__name_search__gte=text, account__name_search__lt=text + "\U0010ffff")
    return found


PLAN_MISSING = Q(state=OPEN_STATE, at_risk=True, has_plan=False)
REASON_MISSING = Q(reason="") & (
    Q(state=Renewal.State.LOST) | Q(state=Renewal.State.RENEWED, outcome=Renewal.Outcome.LESS)
)


def _disagreeing(tenant: Tenant) -> QuerySet[RenewalCheckpoint, Any]:
    """Renewals at whose last called checkpoint person and numbers said different things."""
    last = (
        RenewalCheckpoint.objects.filter(tenant=tenant, renewal=OuterRef("renewal"), called_on__isnull=False)
        .order_by("months")
        .values("pk")[:1]
    )
    found = RenewalCheckpoint.objects.filter(tenant=tenant, called_on__isnull=False, pk=Subquery(last))
    return found.filter(~Q(called_category=F("computed_category"))).values("renewal_id")


def by_due(found: QuerySet[Renewal]) -> QuerySet[Renewal]:
    """The next one first."""
    return found.order_by("due_on", "id")


def by_target(found: QuerySet[Renewal]) -> QuerySet[Renewal]:
    """The largest first."""
    return found.order_by("-target_cents", "-id")


def renewal_of(tenant: Tenant, account: Account | int) -> Renewal | None:
    """The account's next renewal; None where none is in sight."""
    account_id = account if isinstance(account, int) else account.pk
    found = Renewal.objects.filter(tenant=tenant, account_id=account_id, state=OPEN_STATE)
    return found.select_related("account__owner__user").order_by("due_on", "id").first()


def renewals_of_account(tenant: Tenant, account_id: int, most: int = 10) -> list[Renewal]:
    """Open ones first, then what came of the others, the newest first; one query."""
    closed_last = Case(When(state=OPEN_STATE, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = Renewal.objects.filter(tenant=tenant, account_id=account_id).filter(~Q(state=Renewal.State.VOID))
    return list(found.order_by(closed_last, "-due_on", "-id")[:most])


@dataclass(frozen=True)
class Health:
    """The score of an account as it stands."""

    score: float | None
    band: int


def health_of(tenant: Tenant, account_ids: Collection[int]) -> dict[int, Health]:
    """The health of these accounts; one query."""
    rows = CurrentScore.objects.filter(
        tenant=tenant, kind=KIND_CODES["health"], account_id__in=list(account_ids)
    ).values_list("account_id", "score", "band")
    return {account_id: Health(score, band) for account_id, score, band in rows}


# ── sums ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _amounts(found: QuerySet[Renewal], *keys: str) -> list[tuple[tuple[Any, ...], Amounts]]:
    """Sums by currency, state, category and risk, within other keys; one query."""
    rows = (
        found.select_related(None)
        .order_by()
        .values(*keys, "currency", "state", "category", "at_risk")
        .annotate(
            targets=Sum("target_cents"),
            forecasts=Sum("forecast_cents"),
            finals=Coalesce(Sum("final_cents"), 0),
            kept=Coalesce(Sum(Least("final_cents", "target_cents")), 0),
            n=Count("id"),
        )
    )
    return [
        (
            tuple(row[key] for key in keys),
            Amounts(
                currency=row["currency"],
                state=row["state"],
                category=row["category"],
                target_cents=int(row["targets"]),
                forecast_cents=int(row["forecasts"]),
                final_cents=int(row["finals"]),
                # PostgreSQL's least() skips nulls: an open one would count its whole target
                kept_cents=0 if row["state"] == OPEN_STATE else int(row["kept"]),
                count=row["n"],
                at_risk=row["at_risk"],
            ),
        )
        for row in rows
    ]


def totals(settings: RenewalSettings, found: QuerySet[Renewal]) -> list[Forecast]:
    """What these renewals come to, by currency, or in the company's where rates are configured; one query."""
    return _forecasts(settings, [one for _key, one in _amounts(found)])


def _forecasts(settings: RenewalSettings, rows: Iterable[Amounts]) -> list[Forecast]:
    into = settings.tenant.currency
    return forecasts(converted(rows, rates_of(settings), into), settings.probabilities)


@dataclass(frozen=True)
class Month:
    """The renewals that are due in a month."""

    first: date
    sums: list[Forecast]

    @property
    def count(self) -> int:
        """How many."""
        return sum(one.count for one in self.sums)


def calendar(settings: RenewalSettings, found: QuerySet[Renewal], first: date, months: int) -> list[Month]:
    """So many months from one on, also those in which nothing is due; one query."""
    starts = []
    day = first.replace(day=1)
    for _ in range(months):
        starts.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    due = found.filter(due_on__gte=starts[0], due_on__lt=day).annotate(month=TruncMonth("due_on"))
    parts: dict[date, list[Amounts]] = defaultdict(list)
    for (month,), one in _amounts(due, "month"):
        parts[month].append(one)
    return [Month(start, _forecasts(settings, parts[start])) for start in starts]


@dataclass(frozen=True)
class OwnerLine:
    """What one CSM's renewals come to; None is nobody's."""

    owner_id: int | None
    sums: list[Forecast]
    plans_missing: int
    disagreements: int

    @property
    def count(self) -> int:
        """How many."""
        return sum(one.count for one in self.sums)


def by_owner(tenant: Tenant, settings: RenewalSettings, found: QuerySet[Renewal]) -> list[OwnerLine]:
    """The forecast by owner, the largest first; three queries."""
    parts: dict[int | None, list[Amounts]] = defaultdict(list)
    for (owner_id,), one in _amounts(found, "account__owner_id"):
        parts[owner_id].append(one)
    bare = found.select_related(None).order_by()
    missing = _counts(bare.filter(PLAN_MISSING))
    disagreeing = _counts(bare.filter(state=OPEN_STATE, pk__in=_disagreeing(tenant)))
    lines = [
        OwnerLine(owner, _forecasts(settings, rows), missing.get(owner, 0), disagreeing.get(owner, 0))
        for owner, rows in parts.items()
    ]
    return sorted(lines, key=lambda line: (-sum(one.target_cents for one in line.sums), line.owner_id or 0))


def _counts(found: QuerySet[Renewal]) -> dict[int | None, int]:
    return dict(found.values_list("account__owner_id").annotate(n=Count("id")))


@dataclass(frozen=True)
class ReasonLine:
    """Why something was lost, and how much."""

    reason: str
    currency: str
    count: int
    lost_cents: int


def reasons(tenant: Tenant, first: date, last: date) -> list[ReasonLine]:
    """Why renewals that closed in a period came to less, the most expensive first; one query."""
    less = Q(state=Renewal.State.LOST) | Q(state=Renewal.State.RENEWED, outcome=Renewal.Outcome.LESS)
    rows = (
        Renewal.objects.filter(less, tenant=tenant, closed_on__gte=first, closed_on__lte=last)
        .values("reason", "currency")
        .annotate(n=Count("id"), lost=Sum(F("target_cents") - F("final_cents")))
    )
    found = [ReasonLine(row["reason"], row["currency"], row["n"], int(row["lost"])) for row in rows]
    return sorted(found, key=lambda one: (-one.lost_cents, one.reason, one.currency))


# ── one renewal ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class RenewalDetail:
    """A renewal with everything that was said of it."""

    renewal: Renewal
    changes: list[RenewalChange]
    checkpoints: list[RenewalCheckpoint]
    steps: list[RenewalStep]
    health: Health | None

    @property
    def waiting(self) -> RenewalCheckpoint | None:
        """The newest checkpoint that waits for the CSM's call."""
        reached = [one for one in self.checkpoints if one.called_on is None and one.way != one.Way.MISSED]
        return min(reached, key=lambda one: one.months, default=None)

    @property
    def steps_done(self) -> int:
        """How many steps of the plan are done."""
        return sum(step.task.state == "done" for step in self.steps)


def renewal_detail(tenant: Tenant, renewal_id: int) -> RenewalDetail | None:
    """One renewal; five queries."""
    renewal = (
        Renewal.objects.filter(tenant=tenant, pk=renewal_id)
        .select_related("account__owner__user", "closed_by__user")
        .first()
    )
    if renewal is None:
        return None
    changes = RenewalChange.objects.filter(tenant=tenant, renewal=renewal).select_related("by__user")
    checkpoints = RenewalCheckpoint.objects.filter(tenant=tenant, renewal=renewal)
    steps = RenewalStep.objects.filter(tenant=tenant, renewal=renewal)
    return RenewalDetail(
        renewal,
        list(changes.order_by("-id")[:HISTORY]),
        list(checkpoints.select_related("called_by__user", "task", "run__playbook").order_by("-months")),
        list(steps.select_related("task__assignee__user").order_by("task__due_on", "id")),
        health_of(tenant, [renewal.account_id]).get(renewal.account_id),
    )


def segments(tenant: Tenant) -> list[str]:
    """The segments of accounts that have a renewal; one query."""
    rows = Renewal.objects.filter(tenant=tenant, state=OPEN_STATE).order_by().values_list("account__segment")
    return sorted({row[0] for row in rows.distinct() if row[0]})
