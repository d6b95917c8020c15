"""How cohort retention looks: the shade of a share, the size of a cohort."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts.visibility import money_hidden
from reports.cohorts import Cohort
from reports.formulas import Kind
from reports.shape import Part, Report
from reports.words import value_text

register = template.Library()
STEPS = 5  # of shade
USUAL_HOUR = 8


@register.filter
def heat(share: float | None) -> str:
    """The class of a share's shade: the more is left the darker."""
    if share is None:
        return ""
    return f"heat-{max(0, min(STEPS, round(min(share, 100.0) / 100 * STEPS)))}"


@register.simple_tag
@lru_cache(maxsize=32)
def hour_options(chosen: int | str) -> SafeString:
    """The hours of a day as options; 8 o'clock where nothing was chosen."""
    hour = chosen if isinstance(chosen, int) else USUAL_HOUR
    return format_html_join(
        "",
        '<option value="{}"{}>{}:00</option>',
        ((one, mark_safe(" selected") if one == hour else "", one) for one in range(24)),
    )


@register.simple_tag(takes_context=True)
def cohort_size(context: dict[str, object], cohort: Cohort, report: Report) -> str:
    """How many began, or what they paid."""
    if not report.headline.is_money:
        return value_text(Part("", "", Kind.COUNT, decimals=0), cohort.size)
    page = context["page"]
    return "–" if money_hidden() else value_text(Part("", "", Kind.MONEY), cohort.size, page.currency)  # type: ignore[attr-defined]
