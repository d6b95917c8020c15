"""Every table that holds rows of a tenant, read from the database's catalogue: a new table cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Neither shown nor given out: what could open something.
SECRET = re.compile(r"secret|sealed|token|nonce|feed_key|password")
_TABLES = """
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum), array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY c.relname HAVING bool_or(a.attname = 'tenant_id') ORDER BY c.relname
"""
_REFERENCES = """
SELECT DISTINCT k.conrelid::regclass::text, k.confrelid::regclass::text FROM pg_constraint k
WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND k.conrelid <> k.confrelid
"""


@dataclass(frozen=True)
class Table:
    """A table of tenants' rows with the types of its columns."""

    name: str
    columns: Mapping[str, str]

    @property
    def shown(self) -> list[str]:
        """The columns that may be given out."""
        return [name for name in self.columns if name != "tenant_id" and not SECRET.search(name)]

    @property
    def texts(self) -> dict[str, str]:
        """The columns in which a name or an address may stand, with their types."""
        return {
            name: kind
            for name, kind in self.columns.items()
            if kind in ("text", "text[]", "jsonb") or kind.startswith("character varying")
        }


def tables_of_tenants(cursor: Any) -> list[Table]:
    """Every table with rows of tenants, the directory's too, in the order of their names."""
    cursor.execute(_TABLES)
    return [Table(name, dict(zip(columns, kinds, strict=True))) for name, columns, kinds in cursor.fetchall()]


def in_order_of_deletion(cursor: Any, names: Sequence[str]) -> list[str]:
    """The tables so that whatever points at rows of another goes before it; rings stay together at the end."""
    cursor.execute(_REFERENCES)
    wanted = set(names)
    pointed: dict[str, set[str]] = {name: set() for name in names}  # by whom
    for source, target in cursor.fetchall():
        if source in wanted and target in wanted:
            pointed[target].add(source)
    ordered: list[str] = []
    left = list(names)
    while left:
        free = [name for name in left if not pointed[name] - set(ordered)]
        if not free:
            return ordered + left
        ordered += free
        left = [name for name in left if name not in free]
    return ordered
