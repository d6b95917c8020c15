"""Every figure of the manager reports: what it is in words, how it is made of its parts, what is aimed at. The registry.

A report has parts; the first is its headline. What the parts count is said once, in `reports/facts/`, as one row per
account; the night adds those rows up and the drill-down lists them, so both are always the same accounts.
"""

from __future__ import annotations

from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from expansion.revenue.retention import EXPANSION_TARGET_PCT, GRR_TARGET_PCT, NRR_TARGET_PCT
from health.selectors import HEALTHY_TARGET_PCT
from reports.days import WINDOWS
from reports.formulas import Aim, Kind
from reports.shape import Part, Report


def _share(key: str, title: str | Promise, **more: object) -> Part:
    return Part(key, title, Kind.SHARE, **more)  # type: ignore[arg-type]  # the fields of a part


HEALTH = Report(
    "health_distribution",
    _("Health distribution"),
    _(
        "Accounts with a health band on the day, churned ones left out: healthy is over the upper threshold of "
        "the model, at risk between the two (both included), critical below the lower one. Shares are of the "
        "accounts with a band; by MRR each account counts with its MRR. Coverage is the mean share of the score's "
        "weight that was known."
    ),
    (
        _share("healthy", pgettext_lazy("accounts", "Healthy")),
        _share("at_risk", pgettext_lazy("band", "At risk")),
        _share("critical", pgettext_lazy("band", "Critical")),
        _share("unknown", _("Without a band")),
        _share("mrr_healthy", _("Healthy, by MRR"), is_money=True),
        _share("mrr_at_risk", _("At risk, by MRR"), is_money=True),
        _share("mrr_critical", _("Critical, by MRR"), is_money=True),
        Part("mean", _("Mean score"), Kind.MEAN, _("points"), lists="denominator"),
        _share("coverage", _("Coverage"), lists="denominator"),
    ),
    aim=Aim.OVER,
    low=Decimal(str(HEALTHY_TARGET_PCT)),
    stacked=("healthy", "at_risk", "critical"),
    subject=_("Healthy share"),
)
TREND = Report(
    "health_trend",
    _("Health trend"),
    _(
        "The mean score of the last complete month minus that of the month before, of the same accounts: those "
        "that had a band in both months and have not churned."
    ),
    (
        Part("change", _("Change of the mean score"), Kind.MEAN, _("points"), lists="denominator"),
        Part("now", _("Mean of the month"), Kind.MEAN, _("points"), lists="denominator"),
        Part("before", _("Mean of the month before"), Kind.MEAN, _("points"), lists="denominator"),
    ),
    monthly=True,
    aim=Aim.LEAST,
    low=Decimal(0),
    subject=_("Mean score against the month before"),
)
MOVERS = Report(
    "movers",
    _("Movers"),
    _(
        "Accounts that stand in a worse band than at the start of the period, of those that had a band on both "
        "days under the same version of the model."
    ),
    (_share("worse", _("Into a worse band")), _share("better", _("Into a better band"))),
    windows=WINDOWS,
    better=-1,
    subject=_("Share of accounts in a worse band"),
)
ADOPTION = Report(
    "feature_adoption",
    _("Feature adoption"),
    _(
        "People who used a key feature within 28 days ÷ people who have access to it × 100. All key features "
        "together: the sums of both. Which features are key, and who has access, is said in the settings of "
        "features."
    ),
    (_share("all", _("All key features"), n_of_parts=True, lists="denominator"),),
    aim=Aim.OVER,
    low=Decimal(50),
    loose=True,
)
ENGAGEMENT = Report(
    "engagement",
    _("Engagement score"),
    _(
        "The weighted mean of the score's components that are measured in usage alone (in the shipped model: "
        "usage, engagement and feature adoption), with the weights of the version that scored the account; the "
        "mean of all accounts that have one. 0 to 100."
    ),
    (Part("score", _("Engagement score"), Kind.MEAN, _("points"), lists="denominator"),),
    aim=Aim.OVER,
    low=Decimal(70),
)
EXPANSION = Report(
    "expansion_revenue",
    _("Expansion revenue"),
    _(
        "MRR that upgrades and add-ons brought, month by month, in the last complete months (1, 3 or 12) ÷ MRR at "
        "their start. What was sold in March and lost in October was sold all the same. Currencies are added at "
        "the configured rates only."
    ),
    (
        _share("share", _("Share of the MRR at the start"), is_money=True),
        Part("added", _("MRR added"), Kind.MONEY, is_money=True),
    ),
    windows=WINDOWS,
    monthly=True,
    aim=Aim.BETWEEN,
    low=Decimal(str(EXPANSION_TARGET_PCT[0])),
    high=Decimal(str(EXPANSION_TARGET_PCT[1])),
    subject=_("Expansion share of MRR"),
)
UPSELL = Report(
    "upsell_rate",
    _("Upsell rate"),
    _(
        "Accounts at which an upgrade or add-on was won in the period ÷ accounts that could have one: not "
        "churned, and with a product or department that they could have and do not have, or that they were sold "
        "in the period."
    ),
    (_share("rate", _("Accounts that bought more")),),
    windows=WINDOWS,
    aim=Aim.RISING,
)
USE_CASES = Report(
    "use_case_expansion",
    _("Use-case expansion"),
    _(
        "Accounts that have more products or departments than at the start of the period ÷ accounts that were "
        "there at the start and have not churned."
    ),
    (_share("rate", _("Accounts with more use cases")),),
    windows=WINDOWS,
    aim=Aim.RISING,
)
CHURN = Report(
    "churn_prevented",
    _("Churn prevented"),
    _(
        "A case is an account that was critical when a recovery play started, or within the seven days before. It "
        "is prevented when the account is then healthy for 60 days in a row or renews, and lost when it churns "
        "first. Prevented ÷ decided cases of the period; open cases stand apart."
    ),
    (
        _share("prevented", _("Prevented"), n_of_parts=True),
        Part("lost", _("Lost in spite of it"), Kind.COUNT, decimals=0),
        Part("open", _("Open cases"), Kind.COUNT, decimals=0),
    ),
    windows=WINDOWS,
    aim=Aim.OVER,
    low=Decimal(30),
    subject=_("Share of churn prevented"),
)
GRR = Report(
    "grr",
    _("Gross revenue retention (GRR)"),
    _(
        "Of the accounts that paid when the period began: (MRR at the start − churn − downgrades) ÷ MRR at the "
        "start, over the last complete months (1, 3 or 12)."
    ),
    (_share("rate", _("GRR"), is_money=True), _share("logos", _("Accounts kept"))),
    windows=WINDOWS,
    monthly=True,
    aim=Aim.LEAST,
    low=Decimal(str(GRR_TARGET_PCT)),
)
NRR = Report(
    "nrr",
    _("Net revenue retention (NRR)"),
    _(
        "GRR plus what the same accounts pay more: their MRR at the end of the period ÷ their MRR at its start, "
        "over the last complete months (1, 3 or 12)."
    ),
    (_share("rate", _("NRR"), is_money=True),),
    windows=WINDOWS,
    monthly=True,
    aim=Aim.LEAST,
    low=Decimal(str(NRR_TARGET_PCT)),
)
RENEWALS = Report(
    "renewals",
    _("Renewals"),
    _(
        "Renewals that closed in the period: what they came to, each at most at its target, ÷ their targets. Due: "
        "targets of open renewals in the days to come, as many as the period has; at risk: those of them that "
        "are."
    ),
    (
        _share("rate", _("Renewed, by amount"), is_money=True),
        _share("logos", _("Renewed, by number"), n_of_parts=True),
        Part("due", _("Due"), Kind.MONEY, is_money=True),
        Part("at_risk", _("Due and at risk"), Kind.MONEY, is_money=True),
    ),
    windows=WINDOWS,
    subject=_("Renewal rate by amount"),
)
ONBOARDING = Report(
    "onboarding",
    _("Onboarding"),
    _(
        "Running onboarding plans by how they stand. Behind: more than half of the window behind an even pace, or "
        "open a quarter of the window beyond its end; stuck: behind for 14 days in which nothing moved."
    ),
    (
        _share("on_track", _("On track")),
        _share("behind", _("Behind")),
        _share("stuck", _("Stuck")),
    ),
    stacked=("on_track", "behind", "stuck"),
    now_only=True,
    subject=_("Share of onboarding plans on track"),
)
VALUE = Report(
    "time_to_value",
    _("Time to value"),
    _(
        "Days from go-live to the last milestone of activation: the median of the accounts that went live in the "
        "period and have reached it. How many have stands beside it, because those who are quick come first."
    ),
    (
        Part("median", _("Median"), Kind.MEDIAN, _("days"), lists="denominator", decimals=0),
        _share("reached", _("Have reached it")),
    ),
    windows=WINDOWS,
    better=-1,
)
NPS = Report(
    "nps",
    _("NPS"),
    _(
        "Promoters (9–10) − detractors (0–6), in percent of the answers of the period; n is how many answered. "
        "Response rate: answered ÷ invitations of the period that arrived."
    ),
    (
        Part("nps", _("NPS"), Kind.SHARE, _("points"), True, "denominator", decimals=0),
        _share("promoters", _("Promoters"), n_of_parts=True),
        _share("passives", _("Passives"), n_of_parts=True),
        _share("detractors", _("Detractors"), n_of_parts=True),
        _share("response", _("Response rate"), n_of_parts=True),
    ),
    windows=WINDOWS,
    stacked=("promoters", "passives", "detractors"),
)
ALERTS = Report(
    "alerts",
    _("Alerts"),
    _(
        "Alerts that opened and that ended in the period, those that are open, and the median of the hours from "
        "an alert to the first thing somebody did about it, of the alerts acted on in the period."
    ),
    (
        Part("opened", pgettext_lazy("alerts", "Opened"), Kind.COUNT, decimals=0),
        Part("closed", pgettext_lazy("alerts", "Closed"), Kind.COUNT, decimals=0),
        Part("open", _("Open at the end"), Kind.COUNT, decimals=0),
        Part("first_action", _("To first action"), Kind.MEDIAN, _("hours"), decimals=0),
    ),
    windows=WINDOWS,
    better=-1,
    subject=_("Opened alerts"),
)
BOOK = Report(
    "book",
    _("Accounts and MRR"),
    _(
        "Accounts that have not churned, and their MRR. A CSM carries 20–50 named accounts, or 100–500 that are "
        "pooled or tech touch; the scorecards say who is over or under."
    ),
    (
        Part("accounts", _("Accounts"), Kind.COUNT, decimals=0),
        Part("named", _("Named"), Kind.COUNT, decimals=0),
        Part("others", _("Pooled, tech"), Kind.COUNT, decimals=0),
        Part("mrr", _("MRR"), Kind.MONEY, is_money=True),
    ),
    better=0,
    subject=_("Number of accounts"),
)
UNTOUCHED = Report(
    "untouched",
    _("Untouched accounts"),
    _(
        "Accounts on whose timeline nobody of the team did anything for more than 30 days ÷ accounts that have "
        "not churned."
    ),
    (_share("untouched", _("Untouched")),),
    better=-1,
    subject=_("Share of untouched accounts"),
)
TASKS = Report(
    "tasks",
    _("Tasks"),
    _(
        "Open tasks past their date, by whoever they are assigned to, and the tasks that were ticked off in the "
        "period, by whoever did."
    ),
    (
        Part("overdue", pgettext_lazy("tasks", "Overdue"), Kind.COUNT, decimals=0),
        Part("done", pgettext_lazy("tasks", "Done"), Kind.COUNT, decimals=0),
    ),
    windows=WINDOWS,
    better=-1,
    by_member=True,
    subject=_("Overdue tasks"),
)
SAVES = Report(
    "saves",
    _("Saves"),
    _("Plays that ended with “recovered” in the period ÷ plays that ended with an outcome."),
    (_share("saves", pgettext_lazy("plays", "Recovered"), n_of_parts=True),),
    windows=WINDOWS,
    subject=_("Share of plays that recovered an account"),
)
COHORTS = Report(
    "cohorts",
    _("Cohort retention"),
    _(
        "Accounts by the month in which they began to pay: how many of them still pay at the end of each month "
        "since, and what they pay ÷ what they paid at the end of their first month."
    ),
    (_share("all", _("Still paying")),),
    monthly=True,
    loose=True,
)
COHORT_MRR = Report(
    "cohort_mrr",
    _("Cohort retention by MRR"),
    COHORTS.definition,
    (_share("all", _("MRR kept"), is_money=True),),
    monthly=True,
    loose=True,
)

REPORTS: tuple[Report, ...] = (
    HEALTH,
    TREND,
    MOVERS,
    ENGAGEMENT,
    ADOPTION,
    EXPANSION,
    UPSELL,
    USE_CASES,
    GRR,
    NRR,
    RENEWALS,
    CHURN,
    SAVES,
    COHORTS,
    COHORT_MRR,
    ONBOARDING,
    VALUE,
    NPS,
    ALERTS,
    BOOK,
    UNTOUCHED,
    TASKS,
)
BY_KEY = {report.key: report for report in REPORTS}
GROUPS: tuple[tuple[str | Promise, tuple[Report, ...]], ...] = (
    (_("Health and use"), (HEALTH, TREND, MOVERS, ENGAGEMENT, ADOPTION)),
    (_("Growth"), (EXPANSION, UPSELL, USE_CASES)),
    (_("Retention"), (GRR, NRR, RENEWALS, CHURN, COHORTS)),
    (_("Customers' voice and start"), (NPS, ONBOARDING, VALUE)),
    (_("The team's work"), (BOOK, UNTOUCHED, TASKS, ALERTS, SAVES)),
)
DIMENSIONS = ("all", "owner", "team", "segment", "plan")
