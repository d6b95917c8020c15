"""Rows whose parent is another row of the file: they stand or fall with it, however far apart the two are.

While the parts of a file are worked off, a row whose parent is not there yet is written down as waiting, and so is every row
that was refused. What became of those that wait is told once all parts are done, by one statement over the whole file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django.db import connection

from accounts.fence.planning import prefer_hash_joins
from accounts.models import FileImport, ImportPart, Tenant

from .splitting import LONGEST_VALUE

UNKNOWN_PARENT = "unknown_parent"
PARENT = "parent_id"

# Rows that wait are stored when their parent is, and their parent when its own is: from those whose parent is there for
# certain downwards. What is not reached waits for a row that was refused, for one that is in no line, or for itself.
_LOST_SQL = """
WITH RECURSIVE waiting AS MATERIALIZED (
  SELECT p.ordinal, (w ->> 0)::bigint AS line, w ->> 1 AS key, w ->> 2 AS parent, (w ->> 3)::boolean AS known
  FROM accounts_importpart p CROSS JOIN LATERAL jsonb_array_elements(p.waiting) AS w
  WHERE p.tenant_id = %(tenant)s AND p.source_id = %(source)s
), refused AS MATERIALIZED (
  SELECT (r ->> 0)::bigint AS line, r ->> 1 AS key
  FROM accounts_importpart p CROSS JOIN LATERAL jsonb_array_elements(p.refused) AS r
  WHERE p.tenant_id = %(tenant)s AND p.source_id = %(source)s
), named AS MATERIALIZED (
  SELECT DISTINCT k.key FROM accounts_importpart p CROSS JOIN LATERAL unnest(p.keys) AS k(key)
  WHERE p.tenant_id = %(tenant)s AND p.source_id = %(source)s AND k.key IN (SELECT parent FROM waiting)
), stored(key) AS (
  SELECT w.key FROM waiting w
  WHERE w.parent IN (SELECT key FROM named) AND NOT EXISTS (SELECT FROM waiting o WHERE o.key = w.parent)
    AND NOT EXISTS (SELECT FROM refused r WHERE r.key = w.parent)
  UNION
  SELECT w.key FROM waiting w JOIN stored s ON s.key = w.parent
)
SELECT w.ordinal, w.line, w.parent, w.known, coalesce(r.line, o.line)
FROM waiting w LEFT JOIN refused r ON r.key = w.parent LEFT JOIN waiting o ON o.key = w.parent
WHERE NOT EXISTS (SELECT FROM stored s WHERE s.key = w.key) ORDER BY w.ordinal, w.line
"""
Lost = tuple[int, int, str, bool, int | None]


def refuse_lost(*, tenant: Tenant, source: FileImport, column: str, counted: bool) -> None:
    """Make a fault of each row whose parent is not stored, naming the line of the parent.

    `counted` says that those rows were counted as made or changed, as trying a file does.
    """
    if not source.parts.exclude(waiting=[]).exists():
        return
    prefer_hash_joins()
    for ordinal, rows in groupby(_lost(tenant, source), key=lambda row: row[0]):
        part = source.parts.select_for_update().get(ordinal=ordinal)
        _refuse(part, list(rows), column, counted=counted)


def _lost(tenant: Tenant, source: FileImport) -> Iterator[Lost]:
    with connection.chunked_cursor() as cursor:  # a whole file may hang on one row
        cursor.execute(_LOST_SQL, {"tenant": tenant.pk, "source": source.pk})
        while rows := cursor.fetchmany(2000):
            yield from rows


def _refuse(part: ImportPart, rows: Sequence[Lost], column: str, *, counted: bool) -> None:
    lines = {line for _ordinal, line, _parent, _known, _of in rows}
    faults: list[list[Any]] = [fault for fault in part.faults if fault[0] not in lines]
    faults += [
        [line, column, parent[:LONGEST_VALUE], _reason(parent, of)] for _o, line, parent, _k, of in rows
    ]
    part.faults = sorted(faults, key=lambda fault: fault[0])
    if counted:
        known = sum(row[3] for row in rows)
        part.updated -= known
        part.created -= len(rows) - known
    part.save(update_fields=["faults", "created", "updated"])


def _reason(parent: str, line: int | None) -> str:
    if line is None:
        return f"there is no account “{parent}”"
    return f"its parent “{parent}” in line {line} is refused"
