"""Every figure of SPEC 10 equals a table that was computed by hand; rows of the night, API and page say the same."""

from __future__ import annotations

import pytest

from accounts.fence.scope import tenant_scope
from expansion.selectors.whitespace import GAP, matrix_accounts, matrix_offerings
from health.selectors import distribution
from health.services import summarise_day
from nps.surveys.selectors.figures import overall
from nps.surveys.selectors.filtering import Narrowed
from reports.definitions import BY_KEY, REPORTS
from reports.drilling import accounts_behind
from reports.models import ReportDay
from reports.scope import EVERYBODY
from reports.selectors import all_figures
from reports.services import ask_backfill
from reports.services.backfill import fill_day, past_days
from tests.reports.world import Small

# Report, part, days it looks back on, currency → numerator, denominator; the arithmetic stands beside it.
Table = dict[tuple[str, str, int, str], tuple[float, float]]
AS_IT_STANDS: Table = {
    # a 80.1 healthy; b exactly 80 and c exactly 60 at risk; d 59.9 critical; f 95 healthy; e unknown; churned left out
    ("health_distribution", "healthy", 0, ""): (2, 5),
    ("health_distribution", "at_risk", 0, ""): (2, 5),
    ("health_distribution", "critical", 0, ""): (1, 5),
    ("health_distribution", "unknown", 0, ""): (1, 6),
    ("health_distribution", "mean", 0, ""): (375, 5),  # 80.1 + 80 + 60 + 59.9 + 95
    ("health_distribution", "coverage", 0, ""): (3.75, 6),  # 5 × 0.75 + 0
    ("health_distribution", "mrr_healthy", 0, "EUR"): (300_00, 650_00),  # 300 of 300 + 200 + 100 + 50
    ("health_distribution", "mrr_at_risk", 0, "EUR"): (300_00, 650_00),
    ("health_distribution", "mrr_critical", 0, "EUR"): (50_00, 650_00),
    ("health_distribution", "mrr_healthy", 0, "USD"): (900_00, 900_00),
    ("health_distribution", "mrr_at_risk", 0, "USD"): (0, 900_00),
    ("health_distribution", "mrr_critical", 0, "USD"): (0, 900_00),
    # usage 30, engagement 25, adoption 20: a (30×90 + 25×80 + 20×70) ÷ 75, b 100 without adoption, d 20; c has none
    ("engagement", "score", 0, ""): (6100 / 75 + 100 + 20, 3),
    # boards: 3 of 4 + 2 people; sso: 1 of 1 + 1 admins; 28 days ago is a day too old
    ("feature_adoption", "all", 0, ""): (4, 8),
    ("feature_adoption", "boards", 0, ""): (3, 6),
    ("feature_adoption", "sso", 0, ""): (1, 2),
    ("onboarding", "on_track", 0, ""): (1, 4),
    ("onboarding", "behind", 0, ""): (1, 4),
    ("onboarding", "stuck", 0, ""): (2, 4),
    ("book", "accounts", 0, ""): (
        11,
        11,
    ),  # a to f and five of the recovery cases; gone and lost have churned
    ("book", "named", 0, ""): (2, 2),
    ("book", "others", 0, ""): (9, 9),
    ("book", "mrr", 0, "EUR"): (720_00, 5),  # 300 + 200 + 100 + 50 + 70
    ("book", "mrr", 0, "USD"): (900_00, 1),
    ("untouched", "untouched", 0, ""): (10, 11),  # a was touched 30 days ago, b 31; c by a machine only
}
MONTHS: Table = {
    # May against April, same accounts: a 61 (72, 50) − 60, b 82 (74, 90) − 80, back and short 90 − 90
    ("health_trend", "change", 0, ""): (3, 4),
    ("health_trend", "now", 0, ""): (323, 4),
    ("health_trend", "before", 0, ""): (320, 4),
    ("cohorts", "all", 0, ""): (4, 5),
    ("cohorts", "2024-10", 0, ""): (3, 4),  # a, b, f of a, b, c, f
    ("cohorts", "2026-05", 0, ""): (1, 1),
    ("cohort_mrr", "all", 0, "EUR"): (1680_00, 1880_00),
    ("cohort_mrr", "2024-10", 0, "EUR"): (1600_00, 1800_00),  # 1200 + 400 + 0 of 1000 + 500 + 300
    ("cohort_mrr", "2026-05", 0, "EUR"): (80_00, 80_00),
    ("cohort_mrr", "all", 0, "USD"): (700_00, 700_00),
    ("cohort_mrr", "2024-10", 0, "USD"): (700_00, 700_00),
}
for _days, _opening in [
    (30, 1700_00),
    (90, 1700_00),
    (365, 1800_00),
]:  # a 1000, b 400 (a year ago 500), c 300
    MONTHS |= {
        ("expansion_revenue", "share", _days, "EUR"): (200_00, _opening),
        ("expansion_revenue", "share", _days, "USD"): (0, 700_00),
        ("expansion_revenue", "added", _days, "EUR"): (200_00, 1),
        ("grr", "rate", _days, "EUR"): (1400_00, _opening),  # a 1000 + b 400 + c 0
        ("grr", "rate", _days, "USD"): (700_00, 700_00),
        ("grr", "logos", _days, ""): (3, 4),
        ("nrr", "rate", _days, "EUR"): (1600_00, _opening),  # a 1200 + b 400 + c 0
        ("nrr", "rate", _days, "USD"): (700_00, 700_00),
    }
FLOWS: Table = {
    ("movers", "worse", 30, ""): (2, 4),  # b 90 → 80 and d 70 → 59.9 of a, b, c, d
    ("movers", "better", 30, ""): (1, 4),  # a 50 → 80.1
    ("renewals", "rate", 30, "EUR"): (1600_00, 2000_00),  # 1000 (of 1500, capped) + 600 of 800 + 0 of 200
    ("renewals", "logos", 30, ""): (2, 3),
    ("renewals", "due", 30, "EUR"): (1800_00, 2),  # in 30 days 1200 and 600; in 31 days 100
    ("renewals", "at_risk", 30, "EUR"): (600_00, 1),
    ("renewals", "rate", 90, "EUR"): (1600_00, 11000_00),  # and 0 of 9000, 40 days ago
    ("renewals", "logos", 90, ""): (3, 5),
    ("renewals", "due", 90, "EUR"): (1900_00, 3),
    ("renewals", "at_risk", 90, "EUR"): (600_00, 1),
    # back was healthy for the 60th day 21 days ago, renewed renewed 60 days ago, lost left 5 days ago; 59 days: open
    ("churn_prevented", "prevented", 30, ""): (1, 2),
    ("churn_prevented", "prevented", 90, ""): (2, 3),
    ("time_to_value", "median", 30, ""): (12 + 20, 2),
    ("time_to_value", "reached", 30, ""): (2, 2),
    ("time_to_value", "median", 90, ""): (12 + 20, 2),
    ("time_to_value", "reached", 90, ""): (2, 3),
    ("time_to_value", "median", 365, ""): (12 + 20 + 50, 3),
    ("time_to_value", "reached", 365, ""): (3, 4),
    ("nps", "nps", 30, ""): (2 - 1, 5),  # 9, 10 · 8, 7 · 6; the 0 was 30 days ago
    ("nps", "promoters", 30, ""): (2, 5),
    ("nps", "passives", 30, ""): (2, 5),
    ("nps", "detractors", 30, ""): (1, 5),
    ("nps", "response", 30, ""): (5, 6),
    ("nps", "nps", 90, ""): (2 - 2, 6),
    ("nps", "promoters", 90, ""): (2, 6),
    ("nps", "passives", 90, ""): (2, 6),
    ("nps", "detractors", 90, ""): (2, 6),
    ("nps", "response", 90, ""): (6, 7),
    ("alerts", "opened", 30, ""): (2, 2),
    ("alerts", "opened", 90, ""): (3, 3),
}
for _place in ["rate", "logos", "due", "at_risk"]:  # nothing more within a year
    _currency = "" if _place == "logos" else "EUR"
    FLOWS["renewals", _place, 365, _currency] = FLOWS["renewals", _place, 90, _currency]
for _place in ["nps", "promoters", "passives", "detractors", "response"]:
    FLOWS["nps", _place, 365, ""] = FLOWS["nps", _place, 90, ""]
FLOWS["churn_prevented", "prevented", 365, ""] = (2, 3)
FLOWS["alerts", "opened", 365, ""] = (3, 3)
for _days in (30, 90, 365):
    FLOWS |= {
        # a bought; b, f, back, renewed, waiting, calm and short could; c, d and e have all they could have
        ("upsell_rate", "rate", _days, ""): (1, 8),
        ("use_case_expansion", "rate", _days, ""): (1, 11),
        ("churn_prevented", "lost", _days, ""): (1, 1),
        ("churn_prevented", "open", _days, ""): (2, 2),
        ("saves", "saves", _days, ""): (1, 2),
        ("alerts", "closed", _days, ""): (1, 1),
        ("alerts", "open", _days, ""): (2, 2),
        ("alerts", "first_action", _days, ""): (4 + 240, 2),
        ("tasks", "overdue", _days, ""): (1, 1),
        ("tasks", "done", _days, ""): (1, 1),
    }
MEDIANS = {
    ("time_to_value", "median", 30): 16.0,
    ("time_to_value", "median", 90): 16.0,
    ("time_to_value", "median", 365): 20.0,
    ("alerts", "first_action", 30): 122.0,
    ("alerts", "first_action", 90): 122.0,
    ("alerts", "first_action", 365): 122.0,
}


def found_rows(dimension: str = "all", key: str = "") -> Table:
    return {
        (row.metric, row.part, row.days, row.currency): (float(row.numerator), float(row.denominator))
        for row in ReportDay.objects.filter(dimension=dimension, key=key).exclude(metric="")
    }


def test_the_night_equals_the_table_made_by_hand(kept: Small) -> None:
    table = {key: pytest.approx(value, abs=1e-5) for key, value in (AS_IT_STANDS | MONTHS | FLOWS).items()}
    rows = found_rows()
    assert set(rows) == set(table)
    assert {key: value for key, value in rows.items() if value != table[key]} == {}
    assert {report for report, *_rest in rows} == {report.key for report in REPORTS}
    medians = ReportDay.objects.filter(dimension="all", median__isnull=False)
    assert {(row.metric, row.part, row.days): row.median for row in medians} == MEDIANS
    # of an owner, of the team he is in, of a segment, of nobody
    carl = str(kept.members["carl"].pk)
    his = found_rows("owner", carl)
    assert his["health_distribution", "healthy", 0, ""] == (1, 3)
    assert his["book", "accounts", 0, ""] == (3, 3)
    assert his["tasks", "overdue", 30, ""] == (1, 1)
    assert ("tasks", "done", 30, "") not in his
    team = ReportDay.objects.filter(dimension="team").values_list("key", flat=True).distinct().get()
    assert found_rows("team", team) == his
    assert found_rows("segment", "smb")["health_distribution", "at_risk", 0, ""] == (1, 2)
    assert found_rows("plan", "pro")["nps", "nps", 30, ""] == (2, 3)  # a 9 and 10, b 8
    assert found_rows("owner", "")["book", "mrr", 0, "USD"] == (900_00, 1)


def test_one_definition_each(kept: Small) -> None:
    """The other pages that show a figure show the same."""
    tenant = kept.tenant
    summarise_day(tenant=tenant, day=kept.today)
    figures = all_figures(tenant, window=30)
    shown = distribution(tenant)
    healthy = figures["health_distribution"]["healthy"]
    assert (shown["healthy_pct"], shown["scored"]) == (float(healthy.value or 0), healthy.n)
    line = overall(tenant, Narrowed(since=kept.ago(29), until=kept.today))
    assert (line.score.value, line.score.n) == (20.0, figures["nps"]["nps"].n)
    assert line.reach.rate == pytest.approx(float(figures["nps"]["response"].value or 0))
    gaps = {
        account.external_id
        for offering in matrix_offerings(tenant)
        for account in matrix_accounts(tenant, offering=offering, state=GAP)
    }
    listed = accounts_behind(
        tenant,
        BY_KEY["upsell_rate"],
        BY_KEY["upsell_rate"].headline,
        day=kept.today,
        window=30,
        which=EVERYBODY,
    )
    assert [row.external_id for row in listed.rows] == ["a"]
    assert len(gaps | {"a"}) == 8


def test_the_past_is_filled_in_once_and_never_rewritten(filled: Small) -> None:
    """The first night asks for it, though it has kept the month before already."""
    with tenant_scope(filled.tenant):
        job = ask_backfill(tenant=filled.tenant, day=filled.today)
        assert job is not None
        for day in past_days(filled.today, weeks=2, months=2):
            fill_day(filled.tenant, job, {"day": day.isoformat()})
        assert ask_backfill(tenant=filled.tenant, day=filled.today) is None
        kept = ReportDay.objects.filter(is_final=True).order_by("id")
        before = list(kept.values_list("id", "numerator"))
        assert {day for (day,) in kept.filter(metric="", part="day").values_list("day")} == set(
            past_days(filled.today, weeks=2, months=2)
        )
        assert not kept.filter(metric="onboarding").exists()  # nobody knows how plans stood then
        filled.account("later", mrr_cents=1)
        for day in past_days(filled.today, weeks=2, months=2):
            assert filled.keep(day) == 0
        assert list(kept.values_list("id", "numerator")) == before
