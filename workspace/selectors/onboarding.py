"""What the onboarding pages show: the board, the list, one plan with its evidence in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.models import Membership, Role, Tenant
from playbooks.onboarding import selectors as onboarding
from playbooks.onboarding.milestones import PHASES, RATIO
from playbooks.onboarding.models import OnboardingPlan
from usage.models import Metric
from workspace import formatting
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor
from workspace.wording import metric_figure

MINE, EVERYBODY, NOBODY = "mine", "all", "none"
CARDS = 30  # of a column; the list has the rest
COLUMNS = (
    OnboardingPlan.Status.STUCK,
    OnboardingPlan.Status.BEHIND,
    OnboardingPlan.Status.ON_TRACK,
)


@dataclass(frozen=True)
class PlanFilter:
    """What plans are narrowed to; each field is a parameter of the address."""

    who: str
    view: str = "board"
    status: str = ""
    phase: int | None = None
    text: str = ""

    def parameters(self, default_who: str) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "view": "" if self.view == "board" else self.view,
            "who": "" if self.who == default_who else self.who,
            "status": self.status,
            "phase": str(self.phase or ""),
            "q": self.text,
        }
        return {name: value for name, value in said.items() if value}

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the person is chosen."""
        return bool(self.status or self.phase or self.text)

    def choices(self, member: Membership) -> dict[str, Any]:
        """The filter as the selectors of plans take it."""
        owner = member.pk if self.who == MINE else int(self.who) if self.who.isdigit() else None
        return {
            "owner_id": owner,
            "nobodys": self.who == NOBODY,
            "status": self.status,
            "phase": self.phase,
            "text": self.text,
        }


def default_who(member: Membership) -> str:
    """Whose plans a member looks at first: a CSM the own ones."""
    return MINE if member.role == Role.CSM else EVERYBODY


def read_plan_filter(parameters: Mapping[str, str], member: Membership) -> PlanFilter:
    """The filter of an address; what cannot be understood is left out."""
    who, status, phase = (parameters.get(name, "") for name in ("who", "status", "phase"))
    if who not in (MINE, EVERYBODY, NOBODY) and not (who.isascii() and who.isdigit() and len(who) < 19):
        who = default_who(member)
    return PlanFilter(
        who=who,
        view=parameters.get("view", "") if parameters.get("view") in ("list", "over") else "board",
        status=status if status in OnboardingPlan.Status.values else "",
        phase=int(phase) if phase in {str(one) for one in PHASES} else None,
        text=parameters.get("q", "").replace("\0", "").strip()[:100],
    )


@dataclass(frozen=True)
class Column:
    """A column of the board."""

    status: OnboardingPlan.Status
    plans: list[onboarding.PlanView]
    total: int


@dataclass(frozen=True)
class Board:
    """Plans by status, those that were finished lately, and the counts of all that run."""

    columns: list[Column]
    finished: Column
    counts: dict[str, int]

    @property
    def running(self) -> int:
        """How many plans run."""
        return sum(self.counts.values())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in any column."""
        return not (self.running or self.finished.total)


def board(tenant: Tenant, wanted: PlanFilter, member: Membership, day: date) -> Board:
    """The board: eight queries however many plans there are."""
    choices = wanted.choices(member)
    running = onboarding.plans_of(tenant, day=day, **choices)
    over = onboarding.recently_finished(onboarding.plans_of(tenant, day=day, over=True, **choices), day)
    counts = onboarding.status_counts(tenant, running)
    picked = {
        status: list(running.filter(status=status).order_by("starts_on", "id")[:CARDS]) for status in COLUMNS
    }
    done = list(over.order_by("-finished_on", "-id")[:CARDS])
    every = [plan for plans in picked.values() for plan in plans] + done
    views = {view.plan.pk: view for view in onboarding.views_of(tenant, every, day)}
    return Board(
        columns=[
            Column(status, [views[plan.pk] for plan in picked[status]], counts.get(status, 0))
            for status in COLUMNS
        ],
        finished=Column(
            OnboardingPlan.Status.DONE,
            [views[plan.pk] for plan in done],
            len(done) if len(done) < CARDS else over.order_by()[: COUNT_CAP + 1].count(),
        ),
        counts=counts,
    )


@dataclass(frozen=True)
class PlanPage:
    """A page of the list."""

    views: list[onboarding.PlanView]
    total: int
    next_cursor: Cursor | None


def plan_list(
    tenant: Tenant, wanted: PlanFilter, member: Membership, day: date, after: Cursor | None = None
) -> PlanPage:
    """Plans that run, or those that are over, the newest first; four queries."""
    found = onboarding.plans_of(tenant, day=day, over=wanted.view == "over", **wanted.choices(member))
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None:
        found = found.filter(pk__lt=after.pk)
    rows = list(found[: PAGE_SIZE + 1])
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    views = onboarding.views_of(tenant, rows, day)
    return PlanPage(views, total, Cursor(rows[-1].pk, rows[-1].pk) if more else None)


@dataclass(frozen=True)
class EvidenceLine:
    """One week of a milestone's evidence."""

    week: date
    figure: str
    parts: str
    complete: bool
    fulfils: bool


@dataclass(frozen=True)
class Proof:
    """A milestone with its evidence in words."""

    line: onboarding.Line
    weeks: list[EvidenceLine]
    by_value: list[tuple[str, str]]
    total: str
    play_on: date | None

    @property
    def no_data(self) -> bool:
        """Whether nobody delivers what it reads."""
        return bool(self.line.milestone.evidence.get("no_data"))

    @property
    def has_evidence(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.weeks or self.by_value or self.play_on)


def proofs_of(tenant: Tenant, view: onboarding.PlanView, currency: str) -> dict[int, Proof]:
    """The evidence of a plan's milestones in words; one query."""
    units = dict(Metric.objects.filter(tenant=tenant).values_list("key", "unit"))
    return {line.milestone.pk: _proof(line, units, currency) for line in view.lines}


def _proof(line: onboarding.Line, units: Mapping[str, str], currency: str) -> Proof:
    evidence: Mapping[str, Any] = line.milestone.evidence
    metrics = evidence.get("metrics") or [""]
    is_share = line.milestone.kind == RATIO

    def figure(value: float | None) -> str:
        if value is None:
            return formatting.NO_VALUE
        if is_share:
            return formatting.percent(value, 1)
        return metric_figure(
            value, key=metrics[0], unit=units.get(metrics[0], ""), kind="", currency=currency
        )

    weeks = [
        EvidenceLine(
            week=date.fromisoformat(week["week"]),
            figure=figure(week["value"]),
            parts=(
                f"{formatting.number(week['part'])} ÷ {formatting.number(week['whole'])}"
                if is_share and week.get("whole")
                else ""
            ),
            complete=week["complete"],
            fulfils=week["fulfils"],
        )
        for week in evidence.get("weeks", ())
    ]
    total = evidence.get("total")
    played = evidence.get("play_on")
    return Proof(
        line=line,
        weeks=weeks,
        by_value=[(key, formatting.number(value)) for key, value in evidence.get("by_value", {}).items()],
        total="" if total is None else figure(total),
        play_on=date.fromisoformat(played) if played else None,
    )
