"""What each report counts, account by account: one SELECT per report, read by the night and by the drill-down alike.

Every statement gives `account_id, days, part, currency, numerator, denominator` for each account, window, part and
currency (of tasks: for each member; of alerts: for each alert). What is kept of it are sums.
"""

from __future__ import annotations

from collections.abc import Mapping

from reports import definitions as d

from . import growth, health, service, team

FACTS: Mapping[str, str] = {
    d.HEALTH.key: health.DISTRIBUTION,
    d.TREND.key: health.TREND,
    d.MOVERS.key: health.MOVERS,
    d.ADOPTION.key: health.ADOPTION,
    d.ENGAGEMENT.key: health.ENGAGEMENT,
    d.EXPANSION.key: growth.EXPANSION,
    d.UPSELL.key: growth.UPSELL,
    d.USE_CASES.key: growth.USE_CASES,
    d.GRR.key: growth.GRR,
    d.NRR.key: growth.NRR,
    d.RENEWALS.key: growth.RENEWALS,
    d.COHORTS.key: growth.COHORTS,
    d.COHORT_MRR.key: growth.COHORT_MRR,
    d.CHURN.key: service.CHURN_PREVENTED,
    d.ONBOARDING.key: service.ONBOARDING,
    d.VALUE.key: service.TIME_TO_VALUE,
    d.NPS.key: service.NPS,
    d.ALERTS.key: service.ALERTS,
    d.BOOK.key: team.BOOK,
    d.UNTOUCHED.key: team.UNTOUCHED,
    d.TASKS.key: team.TASKS,
    d.SAVES.key: team.SAVES,
}
