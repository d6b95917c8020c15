"""Every table that names a row of another one, as the catalogue has it: a new table cannot be forgotten."""

from __future__ import annotations

from django.db import connection

# By a foreign key, or by a column that is called so: raw tables have no keys.
NAMING_SQL = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND EXISTS (SELECT 1 FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped)
  AND (a.attname = %(column)s OR EXISTS (
    SELECT 1 FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'
      AND f.confrelid = %(table)s::regclass AND a.attnum = ANY(f.conkey) AND a.attname <> 'tenant_id'))
ORDER BY 1, 2
"""


def naming_columns(table: str, column: str) -> list[tuple[str, str]]:
    """Each table and the column in which it names rows of this one; one query."""
    with connection.cursor() as cursor:
        cursor.execute(NAMING_SQL, {"table": table, "column": column})
        return [(name, attribute) for name, attribute in cursor.fetchall()]
