"""How cohort retention looks: the shade of a share, the size of a cohort."""

from __future__ import annotations

from django import template

from accounts.visibility import money_hidden
from reports.cohorts import Cohort
from reports.formulas import Kind
from reports.shape import Part, Report
from reports.words import value_text

register = template.Library()
STEPS = 5  # of shade


@register.filter
def heat(share: float | None) -> str:
    """The class of a share's shade: the more is left the darker."""
    if share is None:
        return ""
    return f"heat-{max(0, min(STEPS, round(min(share, 100.0) / 100 * STEPS)))}"


@register.simple_tag(takes_context=True)
def cohort_size(context: dict[str, object], cohort: Cohort, report: Report) -> str:
    """How many began, or what they paid."""
    if not report.headline.is_money:
        return value_text(Part("", "", Kind.COUNT, decimals=0), cohort.size)
    page = context["page"]
    return "–" if money_hidden() else value_text(Part("", "", Kind.MONEY), cohort.size, page.currency)  # type: ignore[attr-defined]
