"""Every table that names an account, as the catalogue has it: a new table cannot be forgotten."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Tenant
from accounts.naming import naming_columns

UNIQUE_SQL = """
SELECT c.relname, array_agg(a.attname::text ORDER BY k.place), pg_get_expr(i.indpred, i.indrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND NOT c.relispartition
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(number, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
GROUP BY i.indexrelid, c.relname, i.indpred, i.indrelid ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Unique:
    """Columns of which there is one row for each account, and for which rows that is so."""

    columns: tuple[str, ...]  # without the tenant and the account
    condition: str


@dataclass(frozen=True)
class Naming:
    """A table and the column in which it names an account."""

    table: str
    column: str
    unique: tuple[Unique, ...]

    @property
    def may_collide(self) -> bool:
        """Whether both accounts may have a row of which there can be one."""
        return bool(self.unique)


def naming_tables() -> list[Naming]:
    """Every table that names an account; two queries."""
    columns = naming_columns("accounts_account", "account_id")
    with connection.cursor() as cursor:
        cursor.execute(UNIQUE_SQL)
        unique: dict[str, list[tuple[list[str], str]]] = defaultdict(list)
        for table, names, condition in cursor.fetchall():
            unique[table].append((names, condition or "true"))
    return [
        Naming(
            table,
            column,
            tuple(
                Unique(tuple(name for name in names if name not in ("tenant_id", column)), condition)
                for names, condition in unique[table]
                if column in names and names != ["tenant_id", column, "id"]
            ),
        )
        for table, column in columns
    ]


def counts(tenant: Tenant, account_id: int, tables: list[Naming]) -> dict[str, int]:
    """How many rows of each table name the account; one query."""
    parts = " UNION ALL ".join(
        f"SELECT '{one.table}', count(*) FROM {one.table} WHERE tenant_id = %(tenant)s AND {one.column} = %(account)s"
        for one in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(parts, {"tenant": tenant.pk, "account": account_id})
        return {table: count for table, count in cursor.fetchall() if count}


def colliding(one: Naming, unique: Unique) -> str:
    """The condition of rows of the account that goes which have their like at the one that stays."""
    like = " AND ".join(f's."{name}" = o."{name}"' for name in unique.columns) or "true"
    return (
        f"EXISTS (SELECT 1 FROM (SELECT * FROM {one.table} WHERE tenant_id = %(tenant)s AND {one.column} = %(into)s "
        f"AND ({unique.condition})) s WHERE {like})"
    )


def collisions_sql(one: Naming, unique: Unique, select: str = "o.*") -> str:
    """Rows of the account that goes which have their like at the one that stays."""
    return (
        f"SELECT {select} FROM (SELECT * FROM {one.table} WHERE tenant_id = %(tenant)s AND {one.column} = %(from)s "
        f"AND ({unique.condition})) o WHERE {colliding(one, unique)}"
    )


def drop_collisions(cursor: Any, one: Naming, params: dict[str, Any]) -> int:
    """Delete the rows that have their like at the account that stays; returns how many."""
    dropped = 0
    for unique in one.unique:
        keys = [f'"{name}"' for name in unique.columns]
        if keys:
            found = collisions_sql(one, unique, ", ".join(f"o.{key}" for key in keys))
            rows = f"({', '.join(keys)}) IN ({found})"
        else:
            rows = f"EXISTS ({collisions_sql(one, unique, '1')})"
        cursor.execute(
            f"DELETE FROM {one.table} WHERE tenant_id = %(tenant)s AND {one.column} = %(from)s "
            f"AND ({unique.condition}) AND {rows}",
            params,
        )
        dropped += cursor.rowcount
    return dropped


def move_rows(cursor: Any, one: Naming, params: dict[str, Any]) -> int:
    """Give the rows of the account that goes to the one that stays; returns how many."""
    cursor.execute(
        f"UPDATE {one.table} SET {one.column} = %(into)s WHERE tenant_id = %(tenant)s AND {one.column} = %(from)s",
        params,
    )
    return int(cursor.rowcount)
