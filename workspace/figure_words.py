"""Figures in words: what they are called, what they say, and what verifying found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from qbr import numbers
from qbr.figures import SourceGone, figure_query
from qbr.models import Figure
from usage.starter import starter_name
from workspace.formatting import decimals_of

LANGUAGES = ("en", "es")
A_MOMENT = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T\d\d:\d\d.*)?\Z")


def language() -> str:
    """The language of the page, as figures know it."""
    chosen = (get_language() or "en")[:2]
    return chosen if chosen in LANGUAGES else "en"


def figure_title(figure: Figure) -> str:
    """What the figure is of: the query, and the metric where it is about one."""
    try:
        title = str(figure_query(figure.query).title)
    except SourceGone:
        title = figure.query
    subject = starter_name(str(figure.parameters.get("metric", "")), figure.subject, language())
    return f"{subject} · {title}" if subject else title


def figure_value(figure: Figure, value: float | None) -> str:
    """A value of the figure as it is read."""
    return numbers.value_text(value, figure.unit, figure.currency, language())


def figure_line(figure: Figure) -> str:
    """A figure in a list of choices."""
    return f"{figure_title(figure)}: {figure_value(figure, figure.value)} ({figure.as_of.date().isoformat()})"


def verdict_text(figure: Figure) -> str:
    """What the last verification found; empty before the first one."""
    match figure.verdict:
        case Figure.Verdict.HOLDS:
            return _("Holds")
        case Figure.Verdict.CHANGED:
            known = figure.value is not None and figure.now_value is not None
            if known and figure.now_value != figure.value:
                difference = (figure.now_value or 0.0) - (figure.value or 0.0)
                signed = numbers.signed(difference, figure.unit, figure.currency, language())
                return _("Changed by %(difference)s, now %(value)s") % {
                    "difference": signed,
                    "value": figure_value(figure, figure.now_value),
                }
            if known:
                return _("Changed: the rows behind it are others")
            return _("Changed, now %(value)s") % {"value": figure_value(figure, figure.now_value)}
        case Figure.Verdict.SOURCE_GONE:
            return _("Source gone")
    return ""


def parameter_lines(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parameters in words, in the order of their names."""
    words = {
        "metric": _("Metric"),
        "first": _("First day"),
        "last": _("Last day"),
        "kind": _("Score"),
        "currency": _("Currency"),
    }
    return [(words.get(name, name), _shown(value)) for name, value in sorted(parameters.items())]


def column_words(columns: Sequence[str]) -> list[str]:
    """Heads of the rows behind a figure."""
    words = {
        "band": pgettext("column", "Band"),
        "cents": pgettext("column", "Amount in cents"),
        "contact": pgettext("column", "Contact"),
        "day": pgettext("column", "Day"),
        "days": pgettext("column", "Days"),
        "entry": pgettext("column", "Entry"),
        "events": pgettext("column", "Events"),
        "feature": pgettext("column", "Feature"),
        "first": _("First day"),
        "last": _("Last day"),
        "metric": pgettext("column", "Metric"),
        "opened": pgettext("column", "Opened"),
        "people": pgettext("column", "People"),
        "resolved": pgettext("column", "Resolved"),
        "score": pgettext("column", "Score"),
        "severity": pgettext("column", "Severity"),
        "source": pgettext("column", "Source"),
        "ticket": pgettext("column", "Ticket"),
        "title": pgettext("column", "Title"),
        "value": pgettext("column", "Value"),
        "version": pgettext("column", "Version"),
        "week": pgettext("column", "Week"),
    }
    return [words.get(name, name) for name in columns]


@dataclass(frozen=True)
class RowCell:
    """A cell of the rows behind a figure."""

    text: str
    is_number: bool = False


def row_cells(rows: Sequence[Sequence[Any]]) -> list[list[RowCell]]:
    """The rows behind a figure in words; the numbers of a column have as many decimals."""
    columns = list(zip(*rows, strict=True))
    known = [[one for one in column if _is_number(one)] for column in columns]
    decimals = [decimals_of(column) if column else None for column in known]
    return [[_row_cell(one, places) for one, places in zip(row, decimals, strict=True)] for row in rows]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _row_cell(value: Any, decimals: int | None) -> RowCell:
    """A number, a day or a moment as people write them; the number of a ticket is a text and no day."""
    if value is None or _is_number(value):
        return RowCell(numbers.number(value, language(), decimals), decimals is not None)
    if not A_MOMENT.match(str(value)):
        return RowCell(str(value))
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        return RowCell(numbers.day_text(moment.date(), language()))
    moment = timezone.localtime(moment)
    return RowCell(f"{numbers.day_text(moment.date(), language())}, {moment:%H:%M}")


def _shown(value: Any) -> str:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return numbers.day_text(day, language())
