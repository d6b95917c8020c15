"""What the house says in a pack beside its content, in the pack's language; and where its figures come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from accounts.models import Tenant
from qbr import numbers
from qbr.building.asking import EVER
from qbr.figures import SourceGone, figure_query
from qbr.models import Figure
from usage.starter import starter_name

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
        title=f"{_subject(figure, language)}: {title}" if figure.subject else title,
        query=f"{figure.query} v{figure.version}",
        period=_period(figure.parameters, language),
        as_of=f"{numbers.day_text(at.date(), language)} {at:%H:%M} {at.tzname() or ''}".strip(),
        value=numbers.value_text(figure.value, figure.unit, figure.currency, language),
        rows=figure.rows,
        hash=figure.hash,
    )


def whole(day: date, language: str) -> str:
    """A day that no line breaks apart."""
    return numbers.day_text(day, language).replace(" ", numbers.SPACE)


def _subject(figure: Figure, language: str) -> str:
    """What the figure is about, as the pack calls it: a shipped metric or score has a name in both languages."""
    key = str(figure.parameters.get("metric", ""))
    if key:
        return starter_name(key, figure.subject, language)
    return _("Health score") if figure.parameters.get("kind", figure.subject) == "health" else figure.subject


def _period(parameters: Mapping[str, Any], language: str) -> str:
    """First and last day, one day, or the parameters as they are."""

    def day(key: str) -> date:
        return date.fromisoformat(str(parameters[key]))

    try:
        if "first" in parameters and "last" in parameters:
            if day("first") <= EVER:
                return _("until %(day)s") % {"day": whole(day("last"), language)}
            return f"{whole(day('first'), language)} – {whole(day('last'), language)}"
        if "on" in parameters:
            return whole(day("on"), language)
    except ValueError:
        return str(parameters)
    return numbers.NO_VALUE
