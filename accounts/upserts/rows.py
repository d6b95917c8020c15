"""Rows in and out of a table, a constant number of statements for any number of items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from accounts.models import Tenant

from .fields import Field
from .items import Change, Item

Row = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A table, its columns with their types (the first one is the natural key), and what a new row starts with."""

    table: str
    columns: Mapping[str, str]
    conflict: str = "external_id"
    own: frozenset[str] = frozenset()  # columns that the house fills in by itself
    whole: tuple[str, ...] = ()  # columns that are written only when the row is new

    @property
    def key(self) -> str:
        """The column that finds a row again."""
        return next(iter(self.columns))


def hold(tenant: Tenant) -> None:
    """One writer of the tenant's customers at a time, so that what was read is still so when it is written.

    It is the drain's lock: usage makes accounts and contacts too, and two that lock the same rows in another order would
    stop each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('usage.drain'), %s)", [tenant.pk % 2**31])


def existing_rows(tenant: Tenant, target: Target, keys: Iterable[str]) -> dict[str, Row]:
    """The rows with these keys, held until the transaction ends."""
    names = ["id", *target.columns]
    sql = (
        f"SELECT {', '.join(names)} FROM {target.table} WHERE tenant_id = %s AND {target.key} = ANY(%s) "
        f"ORDER BY {target.key} FOR UPDATE"
    )
    return {
        row[target.key]: row for row in _select(sql, [tenant.pk, sorted(set(keys))], names, target.columns)
    }


def _select(sql: str, params: Sequence[Any], names: Sequence[str], columns: Mapping[str, str]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        for name, kind in columns.items():
            if kind == "jsonb" and isinstance(row[name], str):  # Django's cursor leaves jsonb as text
                row[name] = orjson.loads(row[name])
    return rows


def new_ids(target: Target, count: int) -> list[int]:
    """Ids for new rows, so that rows of one list can point at each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [f"{target.table}_id_seq", count]
        )
        return [row[0] for row in cursor.fetchall()]


def write_rows(tenant: Tenant, target: Target, rows: Sequence[Row]) -> None:
    """Insert or overwrite these rows in one statement."""
    names = ["id", *target.columns]
    types = {"id": "bigint", **target.columns}
    record = ", ".join(f"{name} {types[name]}" for name in names)
    changes = ", ".join(
        f"{name} = excluded.{name}" for name in target.columns if name not in {*target.whole, target.conflict}
    )
    sql = (
        f"INSERT INTO {target.table} (tenant_id, {', '.join(names)}) "
        f"SELECT %s, {', '.join('u.' + name for name in names)} FROM jsonb_to_recordset(%s::jsonb) AS u({record}) "
        f"ON CONFLICT (tenant_id, {target.conflict}) DO UPDATE SET {changes}"
    )
    payload = orjson.dumps([{name: row[name] for name in names} for row in rows]).decode()
    with connection.cursor() as cursor:
        cursor.execute(sql, [tenant.pk, payload])


def rows_by_id(tenant: Tenant, target: Target, ids: Iterable[int]) -> dict[int, Row]:
    """The rows with these ids, held until the transaction ends."""
    names = ["id", *target.columns]
    sql = f"SELECT {', '.join(names)} FROM {target.table} WHERE tenant_id = %s AND id = ANY(%s) ORDER BY id FOR UPDATE"
    return {row["id"]: row for row in _select(sql, [tenant.pk, sorted(set(ids))], names, target.columns)}


class History:
    """What rows were before the items of a list were put into them."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._was: dict[int, Row | None] = {}

    def made(self, row: Row) -> None:
        """The row is new."""
        self._was[row["id"]] = None

    def differs(self, row: Row, column: str, old: Any) -> None:
        """A column of the row is about to be another one than it was."""
        was = self._was.setdefault(row["id"], {})
        if was is not None:
            was.setdefault(column, old)

    def changes(self, rows: Iterable[Row]) -> tuple[Change, ...]:
        """What became of these rows."""
        names = [name for name in self._target.columns if name not in self._target.own]
        found = []
        for row in rows:
            was = self._was[row["id"]]
            now = {name: row[name] for name in (names if was is None else was)}
            found.append(Change(self._target.table, row["id"], was, now))
        return tuple(found)


def merged(
    fields: Sequence[Field], row: Row, item: Item, column_of: Mapping[str, str], history: History
) -> bool:
    """Put the item's keys into the row; true when something is different now."""
    changed = False
    for field in fields:
        if field.name not in item.values:
            continue
        column, value = column_of.get(field.name, field.name), item.values[field.name]
        if field.merges and value:
            both = {**row[column], **value}
            value = {key: one for key, one in both.items() if one is not None}
        if isinstance(value, tuple | list):
            value = list(value)
        if row[column] != value:
            history.differs(row, column, row[column])
            row[column], changed = value, True
    return changed


def fresh_row(fields: Sequence[Field], column_of: Mapping[str, str], **more: Any) -> Row:
    """A row as it is before anything is known of it."""
    row: Row = {}
    for field in fields:
        empty = field.empty
        row[column_of.get(field.name, field.name)] = (
            list(empty) if isinstance(empty, tuple) else (dict(empty) if isinstance(empty, dict) else empty)
        )
    return {**row, **more}


def account_ids(tenant: Tenant, external_ids: Iterable[str]) -> dict[str, int]:
    """Our ids of these accounts; the id of one that was merged means the account it went into."""
    wanted = sorted(set(external_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT external_id, id, 0 FROM accounts_account WHERE tenant_id = %s AND external_id = ANY(%s) "
            "UNION ALL SELECT external_id, account_id, 1 FROM accounts_accountalias "
            "WHERE tenant_id = %s AND external_id = ANY(%s) ORDER BY 3",
            [tenant.pk, wanted, tenant.pk, wanted],
        )
        return {external_id: pk for external_id, pk, _rank in cursor.fetchall()}
