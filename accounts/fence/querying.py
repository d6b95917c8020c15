"""What `cs_query` may read: the views of the schema `query`, and the columns that they are made of.

An admin's SQL runs as this role, which nobody can log in as. It has no right but to select these columns, and row-level
security lets it see the scope's tenant only. It may not call `set_config`, the one function that could say another tenant.
Knows no Django: the making of roles reads it too.
"""

from __future__ import annotations

from collections.abc import Sequence

QUERY_ROLE = "cs_query"
QUERY_SCHEMA = "query"
POLICY = "query_fence"

# Functions of the server that a reading statement could do harm with; taken from everybody, given back to our roles.
SETTING_FUNCTIONS = ("set_config(text, text, boolean)",)


def schema_statements() -> list[str]:
    """The schema of the views; run by a migration, as the owner."""
    return [
        f"CREATE SCHEMA IF NOT EXISTS {QUERY_SCHEMA}",
        f"REVOKE ALL ON SCHEMA {QUERY_SCHEMA} FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA {QUERY_SCHEMA} TO {QUERY_ROLE}",
    ]


def view_statements(name: str, sql: str) -> list[str]:
    """One view, readable by the role alone, with the rights and the rows of whoever reads it."""
    return [
        f'CREATE OR REPLACE VIEW {QUERY_SCHEMA}."{name}" WITH (security_invoker = true) AS {sql}',
        f'GRANT SELECT ON {QUERY_SCHEMA}."{name}" TO {QUERY_ROLE}',
    ]


def table_statements(table: str, columns: Sequence[str]) -> list[str]:
    """The columns of a table that views are made of, of the scope's tenant only."""
    picked = ", ".join(f'"{column}"' for column in columns)
    return [
        f'DROP POLICY IF EXISTS {POLICY} ON "{table}"',
        f'CREATE POLICY {POLICY} ON "{table}" FOR SELECT TO {QUERY_ROLE} USING (tenant_id = app_tenant())',
        f'REVOKE ALL ON "{table}" FROM {QUERY_ROLE}',
        f'GRANT SELECT ({picked}) ON "{table}" TO {QUERY_ROLE}',
    ]


def server_statements(roles: Sequence[str]) -> list[str]:
    """Inside a database, as superuser: only our own roles may say a setting by a function."""
    statements = []
    for function in SETTING_FUNCTIONS:
        statements.append(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC")
        statements.append(f"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO {', '.join(roles)}")
    return statements
