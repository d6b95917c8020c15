"""Numbers, money and times as the member reads them; pure but for the active language and who sees money."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.utils import formats, timezone
from django.utils.translation import get_language, gettext, ngettext, pgettext

from accounts.percent import with_percent
from accounts.visibility import money_hidden
from qbr.numbers import MINUS, places

CURRENCY_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "BRL": "R$"}
DAYS_IN_WORDS = 14  # further away a day is a date
SIGN_LAST = ("es",)  # languages that write "1 234 €"
MINUTE, HOUR, DAY = 60, 3600, 86400
NO_VALUE = "–"


def number(value: float | int | None, decimals: int | None = None) -> str:
    """A number with the member's separators; at most `decimals` places, else as few as say the same (up to two)."""
    if value is None:
        return NO_VALUE
    if decimals is None:
        decimals = places(value, 1 if abs(value) >= 10 else 2)
    found = round(float(value), decimals)
    text = formats.number_format(abs(found), decimal_pos=decimals, force_grouping=True)
    return f"{MINUS}{text}" if found < 0 else text


def decimals_of(values: Iterable[float | int | None]) -> int:
    """The decimals of a column's numbers: all are told as finely as the largest one, without zeros at every end."""
    known = [float(one) for one in values if one is not None]
    most = 1 if any(abs(one) >= 10 for one in known) else 2
    return max((places(one, most) for one in known), default=0)


def percent(value: float | None, decimals: int = 0) -> str:
    """A 0–100 figure with its sign."""
    return NO_VALUE if value is None else with_percent(number(value, decimals))


def money(cents: int | None, currency: str = "", decimals: int = 0) -> str:
    """An amount with its currency, without cents unless asked; only a word for roles that see no money."""
    if cents is None:
        return NO_VALUE
    if money_hidden():
        return hidden()
    figure = number(cents / 100, decimals)
    sign = CURRENCY_SIGNS.get(currency, currency)
    if not sign:
        return figure
    if (get_language() or "en")[:2] in SIGN_LAST:
        return f"{figure}\N{NO-BREAK SPACE}{sign}"
    minus, figure = (MINUS, figure[1:]) if figure.startswith(MINUS) else ("", figure)
    return (
        f"{minus}{sign}{figure}" if currency in CURRENCY_SIGNS else f"{minus}{sign}\N{NO-BREAK SPACE}{figure}"
    )


def hidden() -> str:
    """What stands in the place of an amount that somebody's role does not see."""
    return pgettext("an amount of money", "hidden")


def money_cell(cents: int | None) -> float | None:
    """An amount in a file: empty for roles that see no money."""
    return None if cents is None or money_hidden() else cents / 100


def short_money(cents: int | None, currency: str = "") -> str:
    """An amount for a tile or an axis: $12.4k, $1.2M."""
    if cents is None:
        return NO_VALUE
    if money_hidden():
        return hidden()
    for unit, letter in ((100_000_000, "M"), (100_000, "k")):
        if abs(cents) >= unit:
            figure = cents / unit
            scaled = money(round(figure * 100), currency, 0 if abs(figure) >= 100 else 1)
            sign = CURRENCY_SIGNS.get(currency, currency)
            return (
                f"{scaled[: -len(sign) - 1]}{letter}\N{NO-BREAK SPACE}{sign}"
                if sign and scaled.endswith(sign)
                else scaled + letter
            )
    return money(cents, currency)


def short_date(day: date, today: date | None = None) -> str:
    """A day without its year when that is this year."""
    today = today or timezone.localdate()
    if day.year == today.year:
        return formats.date_format(day, pgettext("date format of a day in this year", "M j"))
    return formats.date_format(day, pgettext("date format of a day in another year", "M j, Y"))


def relative_day(day: date, today: date) -> str:
    """How far a day is from today, in words up to two weeks and as a date beyond."""
    away = (day - today).days
    if away == 0:
        return gettext("today")
    if away == 1:
        return gettext("tomorrow")
    if away == -1:
        return gettext("yesterday")
    if 0 < away <= DAYS_IN_WORDS:
        return ngettext("in %(days)d day", "in %(days)d days", away) % {"days": away}
    if -DAYS_IN_WORDS <= away < 0:
        return ngettext("%(days)d day ago", "%(days)d days ago", -away) % {"days": -away}
    return short_date(day, today)


def relative_time(at: datetime, now: datetime) -> str:
    """How long ago something happened, or how soon it will."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < MINUTE:
        return gettext("just now")
    if 0 < seconds < HOUR:
        return gettext("%(n)d min ago") % {"n": seconds // MINUTE}
    if 0 < seconds < DAY:
        return gettext("%(n)d h ago") % {"n": seconds // HOUR}
    if -HOUR < seconds < 0:
        return gettext("in %(n)d min") % {"n": -seconds // MINUTE}
    if -DAY < seconds < 0:
        return gettext("in %(n)d h") % {"n": -seconds // HOUR}
    zone = timezone.get_current_timezone()
    return relative_day(at.astimezone(zone).date(), now.astimezone(zone).date())


def spark_path(values: list[float | None], width: float, height: float) -> str:
    """The SVG path of a sparkline; a gap where a value is missing, a flat middle line when nothing moves."""
    present = [v for v in values if v is not None]
    if len(present) < 2:
        return ""
    low, high = min(present), max(present)
    span = high - low
    step = width / (len(values) - 1)
    parts: list[str] = []
    pen_up = True
    for index, value in enumerate(values):
        if value is None:
            pen_up = True
            continue
        y = height / 2 if span == 0 else height - (value - low) / span * height
        parts.append(f"{'M' if pen_up else 'L'}{index * step:.1f} {y:.1f}")
        pen_up = False
    return " ".join(parts)
