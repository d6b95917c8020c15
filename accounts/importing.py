"""Accounts from a CSV file: its columns are the fields of the API, its rows the items of a bulk request."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from accounts.upserts import MAX_ITEMS, upsert_accounts
from accounts.upserts.fields import Field
from accounts.upserts.resources import ACCOUNT_FIELDS

CLEARED = "null"
NESTED = ("targets", "custom")
MAX_CELL = 131_072
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class NotACsvFile(Exception):
    """The file as a whole cannot be read; the text says why."""


@dataclass
class ImportResult:
    """What became of the rows; `faults` are pairs of line number and reason."""

    created: int = 0
    updated: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    custom_columns: list[str] = field(default_factory=list)


def import_accounts(*, tenant: Tenant, path: Path) -> ImportResult:
    """Read the file and store its rows in portions of a bulk request, each in a transaction; opens the scopes itself.

    An empty cell leaves the field as it is, the word `null` clears it. Tags are separated by `;` or `,`. Columns
    `targets.KEY` and `custom.KEY` fill the objects; a column nobody knows is stored as a custom field.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _import(tenant, file)
    except UnicodeDecodeError as error:
        raise NotACsvFile(f"{path} is not UTF-8 text (byte {error.start}).") from error
    except OSError as error:
        raise NotACsvFile(f"{path} cannot be read: {error.strerror}.") from error


def _import(tenant: Tenant, file: Any) -> ImportResult:
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(file, dialect=_dialect(file))
    header = next(reader, None)
    columns = _columns(header or [])
    result = ImportResult(custom_columns=[name for name, _f, path in columns if path and name == path[1]])
    rows = _rows(reader, columns, result)
    while portion := list(islice(rows, MAX_ITEMS)):
        with tenant_scope(tenant):
            outcome = upsert_accounts(tenant=tenant, items=[item for _line, item in portion])
        result.created += outcome.created
        result.updated += outcome.updated
        result.faults += [(portion[one.index][0], one.message) for one in outcome.rejected]
    result.faults.sort()
    return result


Column = tuple[str, Field | None, tuple[str, str] | None]


def _dialect(file: Any) -> type[csv.Dialect]:
    """Comma, semicolon or tab, whichever separates the header."""
    head = file.readline()
    file.seek(0)

    class Found(csv.excel):
        delimiter = max(",;\t", key=head.count)

    return Found


def _columns(header: Sequence[str]) -> list[Column]:
    """For each column its name, and the field or the key of an object that it fills."""
    names = [name.strip() for name in header]
    if "external_id" not in names:
        known = ", ".join(one.name for one in ACCOUNT_FIELDS)
        raise NotACsvFile(f"The first line must name the columns, external_id among them. Columns: {known}.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NotACsvFile(f"A column is named twice: {', '.join(twice)}.")
    if "" in names:
        raise NotACsvFile(f"Column {names.index('') + 1} has no name.")
    fields = {one.name: one for one in ACCOUNT_FIELDS}
    columns: list[Column] = []
    for name in names:
        top, dot, key = name.partition(".")
        if name in fields:
            columns.append((name, fields[name], None))
        elif dot and key and top in NESTED:
            columns.append((name, None, (top, key)))
        else:
            columns.append((name, None, ("custom", name)))
    return columns


def _rows(
    reader: Any, columns: Sequence[Column], result: ImportResult
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each readable row with the number of its line; the others go to the faults."""
    while True:
        first_line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            result.faults.append((first_line, f"not readable: {error}"))
            continue
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(columns):
            result.faults.append((first_line, f"has {len(row)} cells, the header has {len(columns)}"))
        elif any("\x00" in cell for cell in row):
            result.faults.append((first_line, "contains NUL"))
        else:
            yield first_line, _item(row, columns)


def _item(row: Sequence[str], columns: Sequence[Column]) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for cell, (name, known, path) in zip(row, columns, strict=True):
        text = cell.strip()
        if not text:
            continue
        value: Any = None if text == CLEARED else text
        if path is not None:
            top, key = path
            inner = item.setdefault(top, {})
            if isinstance(inner, dict):
                inner[key] = _number_or_text(value)
        elif known is not None:
            whole = _cell_value(known, value)
            beside = item.get(name)  # columns custom.KEY may stand before the column custom
            item[name] = (
                {**whole, **beside} if isinstance(whole, dict) and isinstance(beside, dict) else whole
            )
    return item


def _cell_value(known: Field, text: str | None) -> Any:
    """What the API would get: a list for tags, an object for targets; a cell that is not JSON is refused there."""
    if text is None:
        return None
    if known.name == "tags":
        return [one for one in re.split("[;,]", text) if one.strip()]
    if known.merges:
        with suppress(ValueError):
            return json.loads(text)
    return text


def _number_or_text(text: str | None) -> Any:
    if text is None or not NUMBER.fullmatch(text) or len(text) > 15:
        return text
    return float(text) if "." in text else int(text)
