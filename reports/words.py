"""Figures and findings in words, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from qbr import numbers
from reports.formulas import Aim, Kind
from reports.selectors import Figure, Target
from reports.shape import Part, Report

PLUS = "+"


def language_now() -> str:
    """The language that numbers are written in."""
    return "es" if (get_language() or "en").startswith("es") else "en"


def _places(value: Decimal, decimals: int) -> int:
    """Its decimals, none where they say nothing."""
    return 0 if round(float(value), decimals).is_integer() else decimals


def _unit(part: Part, *, change: bool = False) -> str:
    """What stands behind a figure; shares move by points."""
    if part.kind == Kind.SHARE and (change or not part.unit):
        return _("points") if change else "%"
    return str(part.unit)


def decimals_of(pairs: Iterable[tuple[Part, Decimal | None]], *, change: bool = False) -> dict[str, int]:
    """How many decimals the figures of each unit have where they stand below each other: all of them as many."""
    found: dict[str, int] = {}
    for part, value in pairs:
        if value is not None:
            unit = _unit(part, change=change)
            found[unit] = max(found.get(unit, 0), _places(value, part.decimals))
    return found


def texts_of(part: Part, values: Sequence[Decimal | None], currency: str = "") -> list[str]:
    """The figures of a column, all with as many decimals; the language is asked once for all of them."""
    language, decimals = language_now(), decimals_of((part, value) for value in values)
    return [value_text(part, value, currency, decimals, language) for value in values]


def value_text(
    part: Part,
    value: Decimal | None,
    currency: str = "",
    decimals: Mapping[str, int] | None = None,
    language: str = "",
) -> str:
    """A figure with its unit; with the decimals of its column, or without those that say nothing."""
    if value is None:
        return numbers.NO_VALUE
    language = language or language_now()
    if part.kind == Kind.MONEY:
        return numbers.money(int(value), currency, language)
    found = round(float(value), part.decimals)
    shown = _places(value, part.decimals) if decimals is None else decimals[_unit(part)]
    if part.kind == Kind.SHARE and not part.unit:
        return numbers.percent(found, language, shown)
    text = numbers.number(found, language, shown)
    if (
        part.kind == Kind.SHARE and found > 0
    ):  # a balance of shares, as the NPS is one: its sign says which is larger
        text = f"{PLUS}{text}"
    return f"{text}{numbers.SPACE}{part.unit}" if part.kind == Kind.MEDIAN else text


def change_text(
    part: Part,
    change: Decimal | None,
    currency: str = "",
    *,
    sign: bool = True,
    decimals: Mapping[str, int] | None = None,
) -> str:
    """By how much a figure moved; shares move by points."""
    if change is None:
        return ""
    language = language_now()
    size = abs(change)
    if part.kind == Kind.MONEY:
        text = numbers.money(int(size), currency, language)
    else:
        unit = _unit(part, change=True)
        shown = _places(size, part.decimals) if decimals is None else decimals[unit]
        text = numbers.number(round(float(size), part.decimals), language, shown)
        if unit:
            text = f"{text}{numbers.SPACE}{unit}"
    if not sign or moved(part, change) == 0:
        return text
    return f"{PLUS if change > 0 else numbers.MINUS}{text}"


def moved(part: Part, change: Decimal | None) -> int:
    """1 for up, -1 for down, 0 for what nobody would see."""
    if change is None:
        return 0
    size = change / 100 if part.kind == Kind.MONEY else change
    shown = round(float(size), 0 if part.kind == Kind.MONEY else part.decimals)
    return (shown > 0) - (shown < 0)


def subject_of(report: Report) -> str:
    """What a sentence about the report speaks of."""
    return str(report.subject or report.title)


def finding(figure: Figure) -> str:
    """What the report found, in a sentence."""
    words = {
        "what": subject_of(figure.report),
        "value": value_text(figure.part, figure.value, figure.currency),
        "change": change_text(figure.part, figure.change, figure.currency, sign=False),
        "day": day_text(figure.earlier_day) if figure.earlier_day else "",
    }
    if figure.value is None:
        return _("%(what)s: no data yet") % words
    if figure.change is None:
        return _("%(what)s: %(value)s") % words
    match moved(figure.part, figure.change):
        case 1:
            return _("%(what)s rose by %(change)s to %(value)s since %(day)s") % words
        case -1:
            return _("%(what)s fell by %(change)s to %(value)s since %(day)s") % words
    return _("%(what)s stayed at %(value)s since %(day)s") % words


def target_text(report: Report, target: Target) -> str:
    """What is aimed at, in words; empty where there is nothing."""
    if report.aim == Aim.RISING:
        return _("target: rising")
    if target.low is None or report.aim == Aim.NONE:
        return ""
    part = report.headline
    low = value_text(part, target.low)
    if report.aim == Aim.OVER:
        return _("target over %(low)s") % {"low": low}
    if report.aim == Aim.BETWEEN and target.high is not None:
        return _("target %(low)s to %(high)s") % {"low": low, "high": value_text(part, target.high)}
    return _("target at least %(low)s") % {"low": low}


def day_text(day: date, language: str = "") -> str:
    """A day with its year."""
    return numbers.day_text(day, language or language_now())


def window_text(report: Report, days: int) -> str:
    """The period that a report looks back on; nothing where it says how things stand on its day."""
    if not report.windows:
        return ""
    if report.monthly:
        return {30: _("last complete month"), 90: _("last 3 complete months")}.get(
            days, _("last 12 complete months")
        )
    return _("last %(days)s days") % {"days": days}
