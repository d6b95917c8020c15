"""Migration operations that put a table behind the fence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from django.db.migrations.operations.base import Operation

from .models import TenantForeignKey

SERVING_ROLES = "cs_web, cs_worker"

APP_TENANT_SQL = """
CREATE OR REPLACE FUNCTION app_tenant() RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  value text := current_setting('app.tenant_id', true);
BEGIN
  -- Raises instead of giving NULL: a forgotten scope must be loud, also in streams and data migrations.
  IF value IS NULL OR value = '' THEN
    RAISE EXCEPTION 'no tenant context' USING ERRCODE = '42501';
  END IF;
  RETURN value::bigint;
END
$$;
"""


def fence_statements(table: str, *, append_only: bool = False) -> list[str]:
    """Row-level security and grants of one table whose key already starts with `tenant_id`."""
    verbs = "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE"
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        # The bare call, no sub-select: Citus refuses those in policies.
        f'CREATE POLICY tenant_fence ON "{table}" TO {SERVING_ROLES} '
        "USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant())",
        f'REVOKE ALL ON "{table}" FROM PUBLIC, {SERVING_ROLES}',
        f'GRANT {verbs} ON "{table}" TO {SERVING_ROLES}',
    ]


def dispatch_statements(table: str, columns: Sequence[str]) -> list[str]:
    """Let `cs_dispatch` see which tenants have work: these columns, of every tenant, read only."""
    return [
        f'CREATE POLICY dispatch_sees_work ON "{table}" FOR SELECT TO cs_dispatch USING (true)',
        f'GRANT SELECT ({", ".join(columns)}) ON "{table}" TO cs_dispatch',
    ]


def distribute_if_citus(schema_editor: Any, table: str) -> None:
    """Distribute the table by tenant where the Citus extension is installed; nothing to do elsewhere."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
        if cursor.fetchone():
            cursor.execute("SELECT create_distributed_table(%s, 'tenant_id')", [table])


def key_statements(table: str) -> list[str]:
    """Turn Django's identity key into `(tenant_id, id)` with an id from a plain sequence."""
    return [
        f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey"',
        f'ALTER TABLE "{table}" ALTER COLUMN id DROP IDENTITY IF EXISTS',
        f'CREATE SEQUENCE "{table}_id_seq" OWNED BY "{table}".id',
        f"ALTER TABLE \"{table}\" ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq')",
        f'ALTER TABLE "{table}" ADD PRIMARY KEY (tenant_id, id)',
        f'GRANT USAGE, SELECT ON SEQUENCE "{table}_id_seq" TO {SERVING_ROLES}',
    ]


def foreign_key_statements(model: type[models.Model]) -> list[str]:
    """Composite foreign keys, and an index for each unless the model has one that starts the same way."""
    table = model._meta.db_table
    starts = {tuple(index.fields[:2]) for index in model._meta.indexes}
    starts |= {
        tuple(c.fields[:2])
        for c in model._meta.constraints
        if isinstance(c, models.UniqueConstraint) and not c.condition
    }
    statements = []
    for field in model._meta.local_fields:
        if not isinstance(field, TenantForeignKey):
            continue
        other = field.remote_field.model._meta.db_table
        action = " ON DELETE CASCADE" if field.remote_field.on_delete is models.CASCADE else ""
        statements.append(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table[:40]}_{field.column[:16]}_fk" '
            f'FOREIGN KEY (tenant_id, "{field.column}") REFERENCES "{other}" (tenant_id, id){action} '
            "DEFERRABLE INITIALLY DEFERRED"
        )
        if ("tenant", field.name) not in starts:
            statements.append(
                f'CREATE INDEX "{table[:40]}_{field.column[:16]}_ix" ON "{table}" (tenant_id, "{field.column}")'
            )
    return statements


class FenceTables(Operation):
    """Fence the tables of these models: keys, composite foreign keys, row-level security, grants.

    The last operation of each migration that creates tenant tables. `append_only` models get no UPDATE and DELETE;
    `dispatch` maps a model to the columns that the dispatcher may see across tenants.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(
        self,
        app_label: str,
        model_names: Sequence[str],
        append_only: Sequence[str] = (),
        dispatch: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.target_app = app_label
        self.model_names = list(model_names)
        self.append_only = list(append_only)
        self.dispatch = dict(dispatch or {})

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (
            "FenceTables",
            [self.target_app, self.model_names],
            {"append_only": self.append_only, "dispatch": self.dispatch},
        )

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The fence is the database's; Django's state does not know it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        found = [to_state.apps.get_model(self.target_app, name) for name in self.model_names]
        for model in found:
            for statement in key_statements(model._meta.db_table):
                schema_editor.execute(statement, params=None)
            distribute_if_citus(schema_editor, model._meta.db_table)
        for model in found:
            table, name = model._meta.db_table, model.__name__
            statements = foreign_key_statements(model) + fence_statements(
                table, append_only=name in self.append_only
            )
            if name in self.dispatch:
                statements += dispatch_statements(table, self.dispatch[name])
            for statement in statements:
                schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing to undo: the tables go with the CreateModel operations of the same migration."""

    def describe(self) -> str:
        return f"Fence {', '.join(self.model_names)}"


class FenceRawTable(Operation):
    """Fence a table made by hand-written SQL, which brings its own keys that start with `tenant_id`."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, table: str, append_only: bool = False, dispatch: Sequence[str] = ()) -> None:
        self.table = table
        self.append_only = append_only
        self.dispatch = list(dispatch)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return "FenceRawTable", [self.table], {"append_only": self.append_only, "dispatch": self.dispatch}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The fence is the database's; Django's state does not know it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        distribute_if_citus(schema_editor, self.table)
        statements = fence_statements(self.table, append_only=self.append_only)
        if self.dispatch:
            statements += dispatch_statements(self.table, self.dispatch)
        for statement in statements:
            schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing to undo: the table goes with the SQL that made it."""

    def describe(self) -> str:
        return f"Fence {self.table}"
