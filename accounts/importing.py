"""Accounts from a file in one go, for the command: columns are fields of the API, rows the items of a bulk request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from accounts.custom_fields import Declared, declared_fields
from accounts.fence.scope import tenant_scope
from accounts.imports.cells import NESTED, Column, columns_of, item_of
from accounts.imports.files import (
    Faulty,
    NotReadable,
    Row,
    Shape,
    fitted,
    header_of,
    is_blank,
    reading,
    shape_of,
)
from accounts.models import Tenant
from accounts.upserts import MAX_ITEMS, upsert_accounts
from accounts.upserts.resources import ACCOUNT_FIELDS


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
        with path.open("rb") as file:
            shape = shape_of(file, path.stat().st_size)
            if shape.encoding == "cp1252":
                raise NotACsvFile(f"{path} is not UTF-8 text; save it as CSV (UTF-8).")
            with reading(file, shape) as rows:
                return _import(tenant, rows, shape)
    except NotReadable as error:
        raise NotACsvFile(str(error)) from error
    except OSError as error:
        raise NotACsvFile(f"{path} cannot be read: {error.strerror}.") from error


def _import(tenant: Tenant, lines: Iterator[Row], shape: Shape) -> ImportResult:
    columns = _columns(header_of(next(lines, None)))
    known = {one.name for one in ACCOUNT_FIELDS}
    result = ImportResult(
        custom_columns=[
            one.name for one in columns if one.inside == ("custom", one.name) and one.name not in known
        ]
    )
    with tenant_scope(tenant):
        declared = declared_fields(tenant)
        declared.members  # noqa: B018  (read while the scope is open)
    rows = _rows(lines, columns, declared, shape, result)
    while portion := list(islice(rows, MAX_ITEMS)):
        with tenant_scope(tenant):
            outcome = upsert_accounts(tenant=tenant, items=[item for _line, item in portion])
        result.created += outcome.created
        result.updated += outcome.updated
        result.faults += [(portion[one.index][0], one.message) for one in outcome.rejected]
    result.faults.sort()
    return result


def _columns(names: Sequence[str]) -> list[Column]:
    """For each column the field or the key of an object that it fills."""
    fields = {one.name for one in ACCOUNT_FIELDS}
    if "external_id" not in names:
        known = ", ".join(one.name for one in ACCOUNT_FIELDS)
        raise NotACsvFile(f"The first line must name the columns, external_id among them. Columns: {known}.")
    inside = {name for name in names if name.partition(".")[0] in NESTED and name.partition(".")[2]}
    targets = [name if name in fields or name in inside else f"custom.{name}" for name in names]
    return columns_of(names, targets, ACCOUNT_FIELDS, {})


def _rows(
    lines: Iterator[Row], columns: Sequence[Column], declared: Declared, shape: Shape, result: ImportResult
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each readable row with the number of its line; the others go to the faults."""
    for line, read in lines:
        if is_blank(read):
            continue
        cells = read if isinstance(read, Faulty) else fitted(read, len(columns), shape.form)
        if isinstance(cells, Faulty):
            result.faults.append((line, str(cells)))
            continue
        item, faults = item_of(cells, columns, declared)
        if faults:
            result.faults.append((line, "; ".join(str(fault) for fault in faults)))
        else:
            yield line, item
