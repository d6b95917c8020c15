"""Reads the database's catalogue and names every hole in the fence.

A table of the schema is in the directory, node-local, or fenced; `groups.py` names the first two. Every rule is a query
that gives the objects breaking it; `tests/house/test_fence_audit.py` breaks each of them once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import groups
from .querying import QUERY_ROLE, QUERY_SCHEMA, SETTING_FUNCTIONS

SERVING = ("cs_web", "cs_worker")
OWNER = "cs_migrate"
DISPATCH = "cs_dispatch"
QUERY = QUERY_ROLE
FENCE_EXPRESSION = "(tenant_id = app_tenant())"


@dataclass(frozen=True, order=True)
class Violation:
    """An object that breaks a rule."""

    rule: str
    object: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.object}"


# t: tables with tenant rows, f: those of them that are not the directory's, serving: the roles of web and worker.
PRELUDE = """
WITH named AS (
  SELECT c.oid, c.relname::text AS name, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relispartition,
         (SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
           AS tenant_column
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
), f AS (
  SELECT * FROM named WHERE name <> ALL (%(directory)s) AND name <> ALL (%(node_local)s)
), serving AS (
  SELECT oid, rolname FROM pg_roles WHERE rolname = ANY (%(serving)s)
), outsiders AS (
  SELECT oid, rolname FROM pg_roles WHERE rolname = ANY (%(serving)s) OR rolname = %(dispatch)s
), readers AS (
  SELECT oid, rolname FROM pg_roles WHERE rolname = ANY (%(serving)s) OR rolname = %(query)s
)
"""
RULES: dict[str, str] = {
    # Groups
    "table_in_no_group": "SELECT name FROM f WHERE tenant_column IS NULL",
    "node_local_with_tenant": "SELECT name FROM named WHERE name = ANY (%(node_local)s) AND tenant_column IS NOT NULL",
    "named_table_is_missing": """
        SELECT g FROM unnest(%(directory)s || %(node_local)s || %(append_only)s) AS g
        WHERE g NOT IN (SELECT name FROM named)""",
    # Row-level security
    "security_not_enabled": "SELECT name FROM f WHERE NOT relrowsecurity",
    "security_not_forced": "SELECT name FROM f WHERE NOT relforcerowsecurity",
    "no_policy_for_role": """
        SELECT f.name || ' for ' || s.rolname FROM f CROSS JOIN serving s WHERE NOT EXISTS (
          SELECT 1 FROM pg_policy p WHERE p.polrelid = f.oid AND p.polcmd = '*' AND s.oid = ANY (p.polroles))""",
    "policy_lets_more_through": """
        SELECT f.name || '.' || p.polname FROM f JOIN pg_policy p ON p.polrelid = f.oid
        WHERE (p.polroles = '{0}' OR EXISTS (SELECT 1 FROM serving s WHERE s.oid = ANY (p.polroles)))
          AND (pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM %(expression)s
               OR pg_get_expr(p.polwithcheck, p.polrelid) IS DISTINCT FROM %(expression)s)""",
    "policy_for_public": """
        SELECT f.name || '.' || p.polname FROM f JOIN pg_policy p ON p.polrelid = f.oid WHERE p.polroles @> '{0}'""",
    "policy_with_sub_select": """
        SELECT f.name || '.' || p.polname FROM f JOIN pg_policy p ON p.polrelid = f.oid
        WHERE concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) ~* '\\mselect\\M'""",
    "tenant_function_changed": """
        SELECT 'app_tenant()' WHERE NOT EXISTS (
          SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
          WHERE n.nspname = 'public' AND p.proname = 'app_tenant' AND p.pronargs = 0 AND p.provolatile = 's'
            AND NOT p.prosecdef AND p.prorettype = 'bigint'::regtype
            AND p.prosrc LIKE '%%RAISE EXCEPTION ''no tenant context''%%'
            AND p.proowner = (SELECT oid FROM pg_roles WHERE rolname = %(owner)s))""",
    # Keys
    "tenant_nullable_or_not_bigint": """
        SELECT f.name FROM f JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = f.tenant_column
        WHERE NOT a.attnotnull OR a.atttypid <> 'bigint'::regtype""",
    "primary_key_without_tenant": """
        SELECT name FROM f WHERE NOT EXISTS (
          SELECT 1 FROM pg_index x WHERE x.indrelid = f.oid AND x.indisprimary AND x.indkey[0] = f.tenant_column)""",
    "unique_without_tenant": """
        SELECT f.name || '.' || x.indexrelid::regclass FROM f JOIN pg_index x ON x.indrelid = f.oid
        WHERE x.indisunique AND x.indkey[0] IS DISTINCT FROM f.tenant_column""",
    "reference_without_tenant": """
        SELECT f.name || '.' || c.conname FROM pg_constraint c JOIN f ON f.oid = c.conrelid
        JOIN named d ON d.oid = c.confrelid
        WHERE c.contype = 'f' AND d.tenant_column IS NOT NULL AND NOT (
          c.conkey[1] = f.tenant_column AND c.confkey[1] = d.tenant_column)""",
    "reference_into_the_fence": """
        SELECT c.conrelid::regclass || '.' || c.conname FROM pg_constraint c JOIN f ON f.oid = c.confrelid
        WHERE c.contype = 'f' AND c.conrelid NOT IN (SELECT oid FROM f)""",
    "reference_sets_null": """
        SELECT f.name || '.' || c.conname FROM pg_constraint c JOIN f ON f.oid = c.conrelid
        WHERE c.contype = 'f' AND c.confdeltype IN ('n', 'd')""",
    "identity_or_small_id": """
        SELECT f.name || '.' || a.attname FROM f
        JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE a.attidentity <> '' OR (a.attname = 'id' AND a.atttypid <> 'bigint'::regtype)""",
    "trigger": """
        SELECT f.name || '.' || g.tgname FROM f JOIN pg_trigger g ON g.tgrelid = f.oid WHERE NOT g.tgisinternal""",
    # Owners and rights
    "not_owned_by_migrate": """
        SELECT name FROM named JOIN pg_roles r ON r.oid = named.relowner WHERE r.rolname <> %(owner)s""",
    "partition_granted": """
        SELECT f.name || ' to ' || o.rolname FROM f CROSS JOIN outsiders o WHERE f.relispartition
          AND has_table_privilege(o.oid, f.oid, 'SELECT, INSERT, UPDATE, DELETE')""",
    "granted_too_much": """
        SELECT n.name || ' to ' || o.rolname FROM named n CROSS JOIN outsiders o
        WHERE has_table_privilege(o.oid, n.oid, 'TRUNCATE, REFERENCES, TRIGGER, MAINTAIN')""",
    "dispatch_sees_rows_or_writes": """
        SELECT n.name FROM named n JOIN pg_roles r ON r.rolname = %(dispatch)s
        WHERE has_table_privilege(r.oid, n.oid, 'SELECT, INSERT, UPDATE, DELETE')
           OR has_any_column_privilege(r.oid, n.oid, 'INSERT, UPDATE')""",
    "dispatch_sees_a_column": """
        SELECT n.name || '.' || a.attname FROM named n JOIN pg_roles r ON r.rolname = %(dispatch)s
        JOIN pg_attribute a ON a.attrelid = n.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE a.attname <> ALL (%(dispatch_columns)s) AND has_column_privilege(r.oid, n.oid, a.attnum, 'SELECT')""",
    "append_only_can_be_rewritten": """
        SELECT n.name || ' by ' || s.rolname FROM named n CROSS JOIN serving s
        WHERE n.name = ANY (%(append_only)s) AND has_table_privilege(s.oid, n.oid, 'UPDATE, DELETE')""",
    "granted_to_public": """
        SELECT n.name FROM named n JOIN pg_class c ON c.oid = n.oid CROSS JOIN aclexplode(c.relacl) a WHERE a.grantee = 0""",
    # Ways round
    "view_without_invoker": """
        SELECT DISTINCT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN readers s
        WHERE n.nspname IN ('public', %(schema)s) AND c.relkind = 'v' AND has_table_privilege(s.oid, c.oid, 'SELECT')
          AND NOT coalesce('security_invoker=true' = ANY (c.reloptions)
                           OR 'security_invoker=on' = ANY (c.reloptions), false)""",
    "materialized_view_readable": """
        SELECT DISTINCT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN readers s
        WHERE n.nspname IN ('public', %(schema)s) AND c.relkind = 'm' AND has_table_privilege(s.oid, c.oid, 'SELECT')""",
    "function_of_its_definer": """
        SELECT DISTINCT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace CROSS JOIN readers s
        WHERE n.nspname IN ('public', %(schema)s) AND p.prosecdef AND has_function_privilege(s.oid, p.oid, 'EXECUTE')""",
    "role_is_strong": """
        SELECT r.rolname::text FROM pg_roles r
        WHERE r.oid IN (SELECT oid FROM outsiders UNION SELECT oid FROM readers)
          AND (r.rolsuper OR r.rolbypassrls OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication)""",
    "role_is_a_member": """
        SELECT o.rolname || ' of ' || g.rolname FROM pg_auth_members m JOIN outsiders o ON o.oid = m.member
        JOIN pg_roles g ON g.oid = m.roleid
        WHERE g.rolname <> %(query)s OR m.inherit_option OR m.admin_option
           OR o.oid NOT IN (SELECT oid FROM serving)""",
    "role_may_create": """
        SELECT o.rolname::text FROM (SELECT * FROM outsiders UNION SELECT * FROM readers) o
        WHERE has_schema_privilege(o.oid, 'public', 'CREATE')
           OR has_database_privilege(o.oid, current_database(), 'CREATE')""",
    "role_is_missing": """
        SELECT r FROM unnest(%(serving)s || ARRAY[%(dispatch)s, %(owner)s, %(query)s]) AS r
        WHERE r NOT IN (SELECT rolname FROM pg_roles)""",
    # An admin's SQL: the role sees what the published views are made of, of one tenant, and nothing else
    "query_role_logs_in": "SELECT r.rolname::text FROM pg_roles r WHERE r.rolname = %(query)s AND r.rolcanlogin",
    "query_role_belongs": """
        SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
        JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = %(query)s""",
    "query_sees_a_column": """
        SELECT n.name || '.' || a.attname FROM named n JOIN pg_roles r ON r.rolname = %(query)s
        JOIN pg_attribute a ON a.attrelid = n.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE has_column_privilege(r.oid, n.oid, a.attnum, 'SELECT') AND (n.tenant_column IS NULL OR NOT EXISTS (
          SELECT 1 FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid JOIN pg_class v ON v.oid = w.ev_class
          JOIN pg_namespace s ON s.oid = v.relnamespace
          WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = n.oid
            AND (d.refobjsubid = a.attnum OR a.attnum = n.tenant_column) AND s.nspname = %(schema)s))""",
    "query_writes": """
        SELECT n.name FROM named n JOIN pg_roles r ON r.rolname = %(query)s
        WHERE has_table_privilege(r.oid, n.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN')
           OR has_any_column_privilege(r.oid, n.oid, 'INSERT, UPDATE, REFERENCES')""",
    "query_without_policy": """
        SELECT n.name FROM named n JOIN pg_roles r ON r.rolname = %(query)s
        WHERE has_any_column_privilege(r.oid, n.oid, 'SELECT') AND NOT EXISTS (
          SELECT 1 FROM pg_policy p WHERE p.polrelid = n.oid AND p.polcmd = 'r' AND r.oid = ANY (p.polroles))""",
    "query_policy_lets_more_through": """
        SELECT n.name || '.' || p.polname FROM named n JOIN pg_policy p ON p.polrelid = n.oid
        JOIN pg_roles r ON r.oid = ANY (p.polroles) AND r.rolname = %(query)s
        WHERE p.polcmd <> 'r' OR pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM %(expression)s""",
    "query_may_change_the_tenant": """
        SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_roles r ON r.rolname = %(query)s
        WHERE p.oid = ANY (%(setting)s::regprocedure[]) AND has_function_privilege(r.oid, p.oid, 'EXECUTE')""",
    "query_reads_elsewhere": """
        SELECT s.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
        JOIN pg_roles r ON r.rolname = %(query)s
        WHERE s.nspname NOT IN ('public', %(schema)s, 'pg_catalog', 'information_schema') AND s.nspname !~ '^pg_'
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_any_column_privilege(r.oid, c.oid, 'SELECT')""",
}


def violations(
    cursor: Any,
    serving: Sequence[str] = SERVING,
    dispatch: str = DISPATCH,
    owner: str = OWNER,
    query: str = QUERY,
) -> list[Violation]:
    """Every hole, in the order of rule and name; empty when the fence is whole."""
    parts = [
        f"SELECT '{rule}' AS rule, o::text AS object FROM ({query}) AS q(o)" for rule, query in RULES.items()
    ]
    cursor.execute(
        f"{PRELUDE} {' UNION '.join(parts)} ORDER BY 1, 2",
        {
            "directory": sorted(groups.DIRECTORY),
            "node_local": sorted(groups.NODE_LOCAL),
            "append_only": sorted(groups.APPEND_ONLY),
            "dispatch_columns": sorted(groups.DISPATCH_COLUMNS),
            "serving": list(serving),
            "dispatch": dispatch,
            "owner": owner,
            "query": query,
            "schema": QUERY_SCHEMA,
            "setting": [f"pg_catalog.{function}" for function in SETTING_FUNCTIONS],
            "expression": FENCE_EXPRESSION,
        },
    )
    return [Violation(rule, name) for rule, name in cursor.fetchall()]
