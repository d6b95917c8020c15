"""A recorded figure as it is printed in a story: its number, and where it comes from; in the language that is on."""

from __future__ import annotations

from datetime import date

from django.utils import formats, timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from accounts.models import Tenant
from accounts.percent import with_percent
from qbr.figures.registry import SourceGone, figure_query
from qbr.models import Figure
from qbr.numbers import places

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "BRL": "R$"}
CHANGES = frozenset({"metric_change", "experiment", "score_change"})
HASH_SHOWN = 16
SPACE = "\N{NO-BREAK SPACE}"


def number_text(value: float) -> str:
    """A number with as few decimals as say the same: none from 100 on, one from 1 on, else up to two."""
    decimals = 0 if abs(value) >= 100 else places(value, 1 if abs(value) >= 1 else 2)
    return str(formats.number_format(round(value, decimals), decimal_pos=decimals, force_grouping=True))


def money_text(cents: float, currency: str) -> str:
    """An amount without cents, with its currency where the language puts it."""
    figure = number_text(round(cents / 100))
    sign = SIGNS.get(currency, currency)
    if not sign:
        return figure
    if (get_language() or "en")[:2] == "es":
        return f"{figure}{SPACE}{sign}"
    return f"{sign}{figure}" if currency in SIGNS else f"{sign}{SPACE}{figure}"


def value_text(figure: Figure) -> str:
    """The figure's number as it is printed; a dash where there was no data."""
    value = figure.value
    if value is None:
        return "–"
    if figure.unit == "cents":
        return money_text(value, figure.currency)
    sign = "+" if figure.query in CHANGES and value > 0 else ""
    if figure.unit == "ratio":
        return with_percent(f"{sign}{number_text(value * 100)}")
    if figure.unit == "%":
        return with_percent(f"{sign}{number_text(value)}")
    unit = f"{SPACE}{figure.unit}" if figure.unit else ""
    return f"{sign}{number_text(value)}{unit}"


def source_text(tenant: Tenant, figure: Figure) -> str:
    """Where the number comes from: query, period, as of, rows, and the beginning of the hash of its record."""
    try:
        title = str(figure_query(figure.query).title)
    except SourceGone:
        title = figure.query
    days = [figure.parameters.get(name) for name in ("first", "last")]
    period = " – ".join(_day(str(day)) for day in days if day)
    as_of = _("as of %(day)s") % {"day": _day(timezone.localtime(figure.as_of, tenant.tz).date().isoformat())}
    rows = ngettext("%(n)s row", "%(n)s rows", figure.rows) % {"n": number_text(figure.rows)}
    said = [title, figure.subject, period, as_of, rows, figure.hash[:HASH_SHOWN]]
    return " · ".join(part for part in said if part)[:300]


def _day(text: str) -> str:
    return str(formats.date_format(date.fromisoformat(text), "SHORT_DATE_FORMAT"))
