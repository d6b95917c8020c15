"""From the cells of a row to an item of the API: what each column fills, and what its text means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from accounts.custom_fields import Declared
from accounts.field_kinds import BadValue, api_words, plain_number
from accounts.upserts.fields import Field
from accounts.upserts.items import Fault

CLEARED = "null"
NESTED = ("targets", "custom")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
ISO, DAY_FIRST, MONTH_FIRST = "iso", "day", "month"
DATE_ORDERS = (ISO, DAY_FIRST, MONTH_FIRST)
WRITTEN_DATE = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4}|[0-9]{2})")


@dataclass(frozen=True)
class Column:
    """A column of a file: its name, and the field, the amount or the key of an object that it fills."""

    name: str
    target: str  # name of a field, `custom.KEY`, `targets.KEY`, or empty: left out
    field: Field | None = None
    amount_of: str = ""  # the field in cents that an amount in whole units fills
    inside: tuple[str, str] | None = None


def columns_of(
    names: Sequence[str], targets: Sequence[str], fields: Sequence[Field], amounts: Mapping[str, str]
) -> list[Column]:
    """The columns with what they fill."""
    by_name = {field.name: field for field in fields}
    found = []
    for name, target in zip(names, targets, strict=True):
        top, dot, key = target.partition(".")
        if target in amounts:
            found.append(Column(name, target, amount_of=amounts[target]))
        elif target in by_name:
            found.append(Column(name, target, field=by_name[target]))
        elif dot and key and top in NESTED:
            found.append(Column(name, target, inside=(top, key)))
        else:
            found.append(Column(name, ""))
    return found


def item_of(
    cells: Sequence[str], columns: Sequence[Column], declared: Declared, dates: str = ISO
) -> tuple[dict[str, Any], list[Fault]]:
    """The item of a row and what is wrong with its cells. An empty cell says nothing, the word `null` clears."""
    item: dict[str, Any] = {}
    faults: list[Fault] = []
    for cell, column in zip(cells, columns, strict=True):
        text = cell.strip()
        if not text or not column.target:
            continue
        value: Any = None if text == CLEARED else text
        try:
            if column.inside is not None:
                _put_inside(item, column.inside, value, declared, dates)
            elif column.amount_of:
                item[column.amount_of] = None if value is None else _cents(text)
            elif column.field is not None:
                whole = _cell_value(column.field, value, dates)
                beside = item.get(column.target)  # columns custom.KEY may stand before the column custom
                if isinstance(whole, dict) and isinstance(beside, dict):
                    whole = {**whole, **beside}
                item[column.target] = whole
        except BadValue as error:
            faults.append(Fault(column.target, "invalid", api_words(error)))
    return item, faults


def _put_inside(
    item: dict[str, Any], inside: tuple[str, str], text: str | None, declared: Declared, dates: str
) -> None:
    top, key = inside
    holder = item.setdefault(top, {})
    if not isinstance(holder, dict):
        return
    if top == "custom" and declared.spec(key) is not None:
        if declared.fields[key].kind == "date" and text is not None:
            text = iso_day(text, dates)
        holder[key] = declared.read(key, None) if text is None else declared.read_text(key, text)
    else:
        holder[key] = _number_or_text(text)


def _cents(text: str) -> int:
    try:
        cents = Decimal(plain_number(text.strip("€$£ "))) * 100
    except InvalidOperation:
        raise BadValue("amount") from None
    if not cents.is_finite() or cents != cents.to_integral_value() or abs(cents) > 2**53:
        raise BadValue("amount")
    return int(cents)


def _cell_value(field: Field, text: str | None, dates: str) -> Any:
    """What the API would get: a list for tags, an object for targets; a cell that is not JSON is refused there."""
    if text is None:
        return None
    if field.schema.get("type") == "array":
        return [one for one in re.split("[;,]", text) if one.strip()]
    if field.schema.get("format") == "date":
        return iso_day(text, dates)
    if field.schema.get("type") == "number":
        with suppress(InvalidOperation, OverflowError):
            return float(Decimal(plain_number(text)))
    if field.merges:
        with suppress(ValueError):
            return json.loads(text)
    return text


def iso_day(text: str, order: str) -> str:
    """A date that a person wrote as the API writes it; what is no date stays as it is, and is refused there."""
    if order == ISO:
        return text[:10] if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]00:00(:00)?", text) else text
    found = WRITTEN_DATE.fullmatch(text)
    if found is None:
        return text
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    day, month = (first, second) if order == DAY_FIRST else (second, first)
    try:
        return date(year + 2000 if year < 100 else year, month, day).isoformat()
    except ValueError:
        return text


def date_order(samples: Sequence[str]) -> str:
    """How dates of these texts are written; day first where it cannot be told."""
    written = [found for text in samples if (found := WRITTEN_DATE.fullmatch(text.strip()))]
    if not written:
        return ISO
    days, months = (sum(int(found[place]) > 12 for found in written) for place in (1, 2))
    return MONTH_FIRST if months > days else DAY_FIRST


def _number_or_text(text: str | None) -> Any:
    if text is None or not NUMBER.fullmatch(text) or len(text) > 15:
        return text
    return float(text) if "." in text else int(text)
