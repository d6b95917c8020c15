"""How likely a renewal is before anybody has said so. Pure."""

from __future__ import annotations

from .amounts import AT_RISK, BEST_CASE, COMMIT

WEAK_ENGAGEMENT = 50.0  # of 100: below it the category is one step worse
CRITICAL, SEVERE, NOTICE, CATEGORY = "critical", "severe", "notice", "category"  # why a renewal is at risk
UNKNOWN_BAND, CRITICAL_BAND, MIDDLE_BAND, HEALTHY_BAND = 0, 1, 2, 3


def default_category(
    band: int, engagement: float | None, *, severe: bool = False, notice: bool = False
) -> str:
    """The category by the numbers: the health band, one step worse where people stay away.

    Healthy is commit, at risk is best case, critical is at risk. Health that nobody knows is best case: no news is not good
    news. An end that has been announced, or a severe alert, is at risk whatever the score says.
    """
    if notice or severe or band == CRITICAL_BAND:
        return AT_RISK
    weak = engagement is not None and engagement < WEAK_ENGAGEMENT
    if band == HEALTHY_BAND:
        return BEST_CASE if weak else COMMIT
    return AT_RISK if weak else BEST_CASE
