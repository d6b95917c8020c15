"""What the house says in a pack beside its content, in the pack's language; and where its figures come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from accounts.models import Tenant
from outreach.documents.charts import number_text
from qbr.figures import SourceGone, figure_query
from qbr.models import Figure

from .printing import Fact


def words_of(language: str) -> dict[str, str]:
    """The labels of page, PDF and deck."""
    with override(language):
        return {
            "page": pgettext("foot of a document", "Page"),
            "summary": _("Summary"),
            "nothing": _("There is nothing to report here this time."),
            "no_data": _("There is no data for this chart."),
            "sources": _("Where these figures come from"),
            "sources_note": _(
                "Every numbered figure was computed by the query named here from what was known at the given time. "
                "The check value shows that nothing was changed since; ask us and we compute any of them again."
            ),
            "figure": _("Figure"),
            "query": _("Query"),
            "period": _("Period"),
            "as_of": _("As of"),
            "value": _("Value"),
            "rows": _("Rows"),
            "hash": _("Check value"),
            "target": _("Target"),
            "continued": pgettext("a section goes on", "continued"),
            "empty": _("Without content this time"),
            "section": pgettext("part of a pack", "Section"),
            "reason": _("Why"),
            "logo": _("Logo"),
        }


def facts_of(tenant: Tenant, figure_ids: Iterable[int], language: str) -> dict[int, Fact]:
    """The facts of these figures, in one query; ids of nobody are left out."""
    found = Figure.objects.filter(tenant=tenant, pk__in=list(figure_ids))
    with override(language):
        return {figure.pk: _fact(tenant, figure, language) for figure in found}


def _fact(tenant: Tenant, figure: Figure, language: str) -> Fact:
    try:
        title = str(figure_query(figure.query).title)
    except SourceGone:
        title = figure.query
    at = figure.as_of.astimezone(tenant.tz)
    return Fact(
        title=f"{figure.subject}: {title}" if figure.subject else title,
        query=f"{figure.query} v{figure.version}",
        period=_period(figure.parameters),
        as_of=f"{formats.date_format(at, 'SHORT_DATE_FORMAT')} {at:%H:%M} {at.tzname() or ''}".strip(),
        value=_value(figure, language),
        rows=figure.rows,
        hash=figure.hash,
    )


def _period(parameters: Mapping[str, Any]) -> str:
    """First and last day, one day, or the parameters as they are."""

    def said(key: str) -> str:
        return formats.date_format(date.fromisoformat(str(parameters[key])), "SHORT_DATE_FORMAT")

    try:
        if "first" in parameters and "last" in parameters:
            return f"{said('first')} – {said('last')}"
        if "on" in parameters:
            return said("on")
    except ValueError:
        return str(parameters)
    return "–"


def _value(figure: Figure, language: str) -> str:
    if figure.value is None:
        return "–"
    if figure.unit == "cents":
        return f"{number_text(figure.value / 100, language)} {figure.currency}".strip()
    if figure.unit == "ratio":
        return f"{number_text(figure.value * 100, language)} %"
    return f"{number_text(figure.value, language)} {figure.unit}".strip()
