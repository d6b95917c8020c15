"""Figures and verdicts of parts: edges, and nothing ÷ nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from reports.cohorts import triangle_of
from reports.days import last_month_end, months_before
from reports.definitions import REPORTS
from reports.formulas import Aim, Kind, Sums, Verdict, change_of, value_of, verdict_of
from reports.schedule import next_morning
from reports.selectors import compared, points_of
from reports.services.backfill import past_days
from tests.reports.world import code_of

D = Decimal


@pytest.mark.parametrize(
    ("kind", "sums", "value"),
    [
        (Kind.SHARE, Sums(D(1), D(3), 3), D(100) / 3),
        (Kind.SHARE, Sums(D(0), D(3), 3), D(0)),
        (Kind.SHARE, Sums(D(0), D(0), 0), None),  # nobody: no figure, never 0 %
        (Kind.SHARE, None, None),
        (Kind.MEAN, Sums(D(5), D(2), 2), D("2.5")),
        (Kind.MEAN, Sums(D(5), D(0), 0), None),
        (Kind.COUNT, Sums(D(0), D(0), 0), D(0)),
        (Kind.MONEY, Sums(D(-5), D(1), 1), D(-5)),
        (Kind.MEDIAN, Sums(D(9), D(2), 2, 4.5), D("4.5")),
        (Kind.MEDIAN, Sums(D(9), D(2), 2), None),
    ],
)
def test_a_figure_is_made_of_its_parts(kind: Kind, sums: Sums | None, value: Decimal | None) -> None:
    assert value_of(kind, sums) == value


def test_parts_add_up_and_medians_do_not() -> None:
    one, two = Sums(D(1), D(4), 4, 2.0), Sums(D(2), D(6), 6, 8.0)
    assert one.plus(two) == Sums(D(3), D(10), 10)
    assert one.plus(Sums()) == one == Sums().plus(one)


@pytest.mark.parametrize(
    ("score", "band"), [(80.000001, 3), (80.0, 2), (79.9, 2), (60.0, 2), (59.999999, 1), (float("nan"), 0)]
)
def test_exactly_on_a_threshold_is_at_risk(score: float, band: int) -> None:
    assert code_of(score) == band


@pytest.mark.parametrize(
    ("aim", "value", "earlier", "verdict"),
    [
        (Aim.OVER, D("70.01"), None, Verdict.MET),
        (Aim.OVER, D(70), None, Verdict.MISSED),
        (Aim.LEAST, D(70), None, Verdict.MET),
        (Aim.LEAST, D("69.99"), None, Verdict.MISSED),
        (Aim.BETWEEN, D("69.99"), None, Verdict.MISSED),
        (Aim.BETWEEN, D(70), None, Verdict.MET),
        (Aim.BETWEEN, D(90), None, Verdict.MET),
        (Aim.BETWEEN, D("90.01"), None, Verdict.BEYOND),
        (Aim.RISING, D(5), D(5), Verdict.MISSED),
        (Aim.RISING, D(6), D(5), Verdict.MET),
        (Aim.RISING, D(6), None, Verdict.UNKNOWN),
        (Aim.NONE, D(6), D(5), Verdict.UNKNOWN),
        (Aim.OVER, None, D(5), Verdict.UNKNOWN),
    ],
)
def test_targets_at_their_edges(
    aim: Aim, value: Decimal | None, earlier: Decimal | None, verdict: Verdict
) -> None:
    assert verdict_of(aim, value, D(70), D(90), earlier) == verdict


def test_the_targets_of_the_contract() -> None:
    aims = {report.key: (report.aim, report.low, report.high) for report in REPORTS if report.low is not None}
    assert aims == {
        "health_distribution": (Aim.OVER, D(70), None),
        "health_trend": (Aim.LEAST, D(0), None),
        "engagement": (Aim.OVER, D(70), None),
        "feature_adoption": (Aim.OVER, D(50), None),
        "expansion_revenue": (Aim.BETWEEN, D(15), D(25)),
        "grr": (Aim.LEAST, D(90), None),
        "nrr": (Aim.LEAST, D(120), None),
        "churn_prevented": (Aim.OVER, D(30), None),
    }
    rising = {report.key for report in REPORTS if report.aim == Aim.RISING}
    assert rising == {"upsell_rate", "use_case_expansion"}


def test_what_moved() -> None:
    assert (change_of(D(5), D(3)), change_of(None, D(3)), change_of(D(5), None)) == (D(2), None, None)


def test_days_and_months() -> None:
    assert last_month_end(date(2026, 2, 28)) == date(2026, 2, 28)
    assert last_month_end(date(2026, 3, 30)) == date(2026, 2, 28)
    assert months_before(date(2026, 1, 31), 1) == date(2025, 12, 1)
    days = [date(2026, 5, 18), date(2026, 5, 19), date(2026, 6, 17)]
    months = [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]
    found = compared(days, months, 30)
    assert (found.day, found.earlier) == (date(2026, 6, 17), date(2026, 5, 18))
    assert (found.month, found.earlier_month) == (date(2026, 5, 31), date(2026, 4, 30))
    assert (
        compared(days, months, 90).earlier_month is None
    )  # February is not kept: March to May have no before
    assert compared([], [], 30).day is None
    assert points_of(days, monthly=False) == days
    assert points_of(months, monthly=True) == months
    assert past_days(date(2026, 6, 17), weeks=2, months=2) == [
        date(2026, 4, 30),
        date(2026, 5, 31),
        date(2026, 6, 7),
        date(2026, 6, 14),
    ]


def test_a_triangle_of_cohorts() -> None:
    rows = [
        ("2026-01", date(2026, 1, 31), D(4), D(4)),
        ("2026-01", date(2026, 2, 28), D(3), D(4)),
        ("2026-02", date(2026, 2, 28), D(2), D(2)),
        ("2026-02", date(2026, 3, 31), D(1), D(2)),
    ]
    found = triangle_of(rows)
    assert [(cohort.month, cohort.size, cohort.shares) for cohort in found.cohorts] == [
        (date(2026, 1, 1), D(4), [100.0, 75.0]),
        (date(2026, 2, 1), D(2), [100.0, 50.0]),
    ]
    assert found.means == [100.0, pytest.approx(100 * 4 / 6)]
    assert triangle_of([]).cohorts == []


@pytest.mark.parametrize(
    ("every", "now", "due"),
    [
        ("week", "2026-06-17T05:59:00", "2026-06-22T06:00:00"),  # Madrid in summer: 8:00 is 6:00
        ("month", "2026-06-17T05:59:00", "2026-07-01T06:00:00"),
        ("week", "2026-06-22T05:59:59", "2026-06-22T06:00:00"),
        ("week", "2026-06-22T06:00:00", "2026-06-29T06:00:00"),
        ("week", "2026-10-25T12:00:00", "2026-10-26T07:00:00"),  # winter time by then
    ],
)
def test_mails_are_due_on_the_members_clock(every: str, now: str, due: str) -> None:
    found = next_morning(
        datetime.fromisoformat(now).replace(tzinfo=UTC),
        ZoneInfo("Europe/Madrid"),
        every=every,
        weekday=0,
        month_day=1,
        hour=8,
    )
    assert found.astimezone(UTC) == datetime.fromisoformat(due).replace(tzinfo=UTC)
