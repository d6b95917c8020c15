"""The score quality page: how much is known, how fresh, how steady, and whether people were right to disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import may_work_on
from accounts.models import Account, Membership, Tenant
from scoring.backtest.parameters import Settled
from scoring.backtest.words import outcome_words, verdict_title, verdict_words
from scoring.models import Backtest, BandWeek
from scoring.overrides.disagreement import Disagreement, Disagreements, disagreements
from scoring.overrides.selectors import Calibration, OpenOverrides, open_overrides, override_calibration
from scoring.overrides.services import may_override
from scoring.quality import (
    WEEKS_SHOWN,
    BandChange,
    Snapshot,
    VersionShare,
    band_changes,
    band_weeks,
    score_snapshot,
)
from scoring.selectors import version_marks
from scoring.selectors.backtests import latest_backtest
from usage.selectors import sources_with_state
from usage.selectors.delivery import SourceState
from workspace.charts import Chart, Mark
from workspace.formatting import number, percent, short_date
from workspace.insight_charts import band_changes as band_changes_figure
from workspace.paging import address
from workspace.selectors.overview import accounts_url

QUEUE_SHOWN, OVERRIDES_SHOWN = 6, 10
QUEUE_PAGE = 50


@dataclass(frozen=True)
class CoverageStep:
    """How many accounts have so much of the weight known."""

    words: str
    accounts: int
    share: float
    url: str


@dataclass(frozen=True)
class VersionLine:
    """How many accounts a version scores."""

    found: VersionShare
    url: str


@dataclass(frozen=True)
class BacktestVerdict:
    """What the newest backtest says."""

    found: Backtest
    title: str
    words: str
    outcome: str


@dataclass(frozen=True)
class Quality:
    """Everything the page shows."""

    snapshot: Snapshot
    coverage: list[CoverageStep]
    versions: list[VersionLine]
    sources: list[SourceState]
    weeks: list[BandWeek]
    chart: Chart | None
    finding: str
    overrides: OpenOverrides
    calibration: Calibration
    queue: Disagreements
    backtest: BacktestVerdict | None

    @property
    def quiet(self) -> int:
        """Sources that went quiet."""
        return sum(state.is_quiet for state in self.sources)

    @property
    def coverage_pct(self) -> float | None:
        """Mean coverage in percent."""
        return None if self.snapshot.coverage is None else 100 * self.snapshot.coverage

    @property
    def steadiness(self) -> float | None:
        """The mean share of accounts that change band within a week, 0-1."""
        compared = sum(week.compared for week in self.weeks)
        return sum(week.better + week.worse for week in self.weeks) / compared if compared else None


def quality(tenant: Tenant) -> Quality:
    """What the score quality page shows; a fixed number of queries however many accounts there are."""
    snapshot = score_snapshot(tenant)
    weeks = band_weeks(tenant)
    today = tenant.today()
    marks = [
        Mark(_day(mark["day"]), _("v%(number)d") % {"number": mark["version"]})
        for mark in version_marks(tenant, today - timedelta(weeks=WEEKS_SHOWN), today)
    ]
    return Quality(
        snapshot=snapshot,
        coverage=_coverage(snapshot),
        versions=[
            VersionLine(found, accounts_url(version=str(found.version.pk), sort="score"))
            for found in snapshot.versions
        ],
        sources=sources_with_state(tenant),
        weeks=weeks,
        chart=_chart(weeks, marks) if weeks else None,
        finding=_finding(weeks),
        overrides=open_overrides(tenant, limit=OVERRIDES_SHOWN),
        calibration=override_calibration(tenant),
        backtest=_verdict(tenant),
        queue=disagreements(tenant, limit=QUEUE_SHOWN),  # last: from here on the planner is told to hash
    )


def _verdict(tenant: Tenant) -> BacktestVerdict | None:
    found = latest_backtest(tenant)
    if found is None or not found.figures:
        return None
    settled = Settled.from_dict(found.parameters)
    return BacktestVerdict(
        found, verdict_title(found.figures), verdict_words(found.figures, settled), outcome_words(settled)
    )


def _day(value: object) -> date:
    assert isinstance(value, date)
    return value


def _coverage(snapshot: Snapshot) -> list[CoverageStep]:
    """The steps of coverage from the best to the worst, each with a way to its accounts."""
    steps = []
    for (low, high), accounts in sorted(snapshot.by_coverage.items(), reverse=True):
        if low == high:
            words, parameters = _("everything is known"), {"coverage_from": f"{low}"}
        else:
            words = _("%(low)s to under %(high)s") % {"low": percent(low), "high": percent(high)}
            parameters = {"coverage_from": f"{low}", "coverage_to": f"{high - 0.0001:g}"}
            if high < 100:
                parameters["coverage_to"] = f"{high}"
        share = accounts / snapshot.accounts if snapshot.accounts else 0.0
        steps.append(CoverageStep(words, accounts, share, accounts_url(**parameters, sort="score")))
    return steps


def _finding(weeks: Sequence[BandWeek]) -> str:
    if not weeks:
        return _("No complete week to compare yet")
    last = weeks[-1]
    moved = last.better + last.worse
    return ngettext(
        "%(moved)s account changed band in the last complete week (%(better)s better, %(worse)s worse)",
        "%(moved)s accounts changed band in the last complete week (%(better)s better, %(worse)s worse)",
        moved,
    ) % {"moved": number(moved), "better": number(last.better), "worse": number(last.worse)}


def changes_url(week: date) -> str:
    """The accounts behind a week."""
    return address(reverse("workspace:quality_changes"), {"week": week.isoformat()})


def _chart(weeks: Sequence[BandWeek], marks: Sequence[Mark]) -> Chart:
    figure = band_changes_figure(
        [week.week for week in weeks],
        [week.better for week in weeks],
        [week.worse for week in weeks],
        better_name=_("to a better band"),
        worse_name=_("to a worse band"),
        marks=[mark for mark in marks if mark.on >= weeks[0].week],
        links=[changes_url(week.week) for week in weeks],
        axis=_("Accounts"),
    )
    rows = [
        [
            short_date(week.week),
            number(week.better),
            number(week.worse),
            number(week.better_new_model + week.worse_new_model),
            number(week.compared),
        ]
        for week in reversed(weeks)
    ]
    return Chart(
        id="chart-band-changes",
        figure=figure,
        summary=_finding(weeks),
        columns=[
            _("Week from"),
            _("Better"),
            _("Worse"),
            _("of these under another version"),
            _("Accounts compared"),
        ],
        rows=rows,
        links=[changes_url(week.week) for week in reversed(weeks)],
    )


@dataclass(frozen=True)
class QueueLine:
    """An account of the disagreement queue and what the member may do about it."""

    found: Disagreement
    may_override: bool
    may_feel: bool


@dataclass(frozen=True)
class Queue:
    """A page of the disagreement queue."""

    lines: list[QueueLine]
    total: int
    mrr_cents: int
    next_after: tuple[int, int] | None


def disagreement_queue(
    tenant: Tenant, member: Membership, *, mine: bool, after: tuple[int, int] | None
) -> Queue:
    """Where score, team and customers disagree, largest MRR first; three statements."""
    found = disagreements(tenant, owner_id=member.pk if mine else None, after=after, limit=QUEUE_PAGE)
    last = found.rows[-1] if found.more else None
    return Queue(
        queue_lines(member, found.rows),
        found.total,
        found.mrr_cents,
        (last.mrr_cents, last.id) if last else None,
    )


def queue_lines(member: Membership, rows: Sequence[Disagreement]) -> list[QueueLine]:
    """The rows with what the member may do at each."""
    lines = []
    for row in rows:
        account = Account(tenant_id=member.tenant_id, pk=row.id, owner_id=row.owner_id)
        lines.append(QueueLine(row, may_override(member, account), may_work_on(member, account)))
    return lines


def changed_accounts(tenant: Tenant, parameters: Mapping[str, str]) -> tuple[date, list[BandChange]] | None:
    """The accounts whose band changed in the week of the address (any of its days), else in the last complete one.

    None where the address names no complete week.
    """
    try:
        said = parameters.get("week")
        day = date.fromisoformat(said) if said else tenant.today() - timedelta(days=7)
        monday = day - timedelta(days=day.weekday())
        end = monday + timedelta(days=7)
    except (ValueError, OverflowError):
        return None
    if not date(1970, 1, 5) <= monday or end > tenant.today():
        return None
    return monday, band_changes(tenant, monday)
