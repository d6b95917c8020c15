"""Numbers as the reader of a pack writes them, in English or Spanish. Pure."""

from __future__ import annotations

from datetime import date

NO_VALUE = "–"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "BRL": "R$"}
MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
}
SEPARATORS = {"en": (",", "."), "es": (".", ",")}
HOURS = {"en": "h", "es": "h"}
DAYS = {"en": "d", "es": "d"}


def number(value: float | None, language: str, decimals: int | None = None) -> str:
    """A number with the language's separators; without `decimals` as few places as say the same, up to two."""
    if value is None:
        return NO_VALUE
    if decimals is None:
        decimals = places(value, 1 if abs(value) >= 10 else 2)
    text = f"{abs(value):,.{decimals}f}"
    group, point = SEPARATORS[language]
    text = text.replace(",", "\0").replace(".", point).replace("\0", group)
    negative = value < 0 and any(digit in text for digit in "123456789")
    return f"{MINUS}{text}" if negative else text


def places(value: float, most: int) -> int:
    """As few decimals as say the same as `most` of them."""
    return next(some for some in range(most + 1) if round(float(value), some) == round(float(value), most))


def percent(value: float | None, language: str, decimals: int | None = None) -> str:
    """Per cent from a figure of 0 to 100."""
    if value is None:
        return NO_VALUE
    figure = number(value, language, decimals)
    return f"{figure}{SPACE}%" if language == "es" else f"{figure}%"


def money(cents: float | None, currency: str, language: str) -> str:
    """An amount without its cents."""
    if cents is None:
        return NO_VALUE
    figure = number(abs(round(cents / 100)), language, 0)
    sign = SIGNS.get(currency, currency)
    minus = MINUS if round(cents / 100) < 0 else ""
    if not sign:
        return f"{minus}{figure}"
    if language == "es":
        return f"{minus}{figure}{SPACE}{sign}"
    return f"{minus}{sign}{figure}" if currency in SIGNS else f"{minus}{sign}{SPACE}{figure}"


def value_text(value: float | None, unit: str, currency: str, language: str) -> str:
    """A figure's value by its unit."""
    if value is None:
        return NO_VALUE
    match unit:
        case "cents":
            return money(value, currency, language)
        case "ratio":
            return percent(value * 100, language, places(value * 100, 1))
        case "%":
            return percent(value, language, places(value, 1))
        case "h":
            return f"{number(value, language)}{SPACE}{HOURS[language]}"
        case "d":
            return f"{number(value, language)}{SPACE}{DAYS[language]}"
    return f"{number(value, language)}{SPACE}{unit}" if unit else number(value, language)


def signed(value: float | None, unit: str, currency: str, language: str) -> str:
    """The same with a plus where it is one; nothing where there is nothing to compare."""
    if value is None:
        return ""
    text = value_text(value, unit, currency, language)
    grows = value > 0 and any(digit in text for digit in "123456789")
    return f"+{text}" if grows else text


def day_text(day: date, language: str) -> str:
    """A day with its year."""
    month = MONTHS[language][day.month - 1]
    return f"{day.day} {month} {day.year}" if language == "es" else f"{month} {day.day}, {day.year}"


def month_text(month: date, language: str) -> str:
    """A month with its year."""
    return f"{MONTHS[language][month.month - 1]} {month.year}"


def quarter_text(day: date, language: str) -> str:
    """The quarter that a day is in."""
    quarter = (day.month + 2) // 3
    return f"T{quarter} {day.year}" if language == "es" else f"Q{quarter} {day.year}"


def period_text(first: date, last: date, language: str) -> str:
    """From one day to another."""
    dash = "\N{EN DASH}"
    return f"{day_text(first, language)} {dash} {day_text(last, language)}"
