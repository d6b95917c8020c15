"""The catalogue audit: clean as it is, and every rule finds the fault that it is there for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.core.checks import run_checks
from django.db import connection

from accounts.fence import audit, checks, groups
from accounts.fence.audit import RULES, Violation, violations
from accounts.fence.operations import fence_statements

TICKET = "accounts_ticket"
FENCED = "CREATE TABLE loose (tenant_id bigint NOT NULL, id bigint NOT NULL, PRIMARY KEY (tenant_id, id))"
PARTS = (
    "CREATE TABLE parts (tenant_id bigint NOT NULL, day date NOT NULL, PRIMARY KEY (tenant_id, day)) "
    "PARTITION BY RANGE (day)"
)
PART = "CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')"
EMPTY_FUNCTION = (
    "CREATE OR REPLACE FUNCTION app_tenant() RETURNS bigint LANGUAGE sql STABLE AS "
    "$$ SELECT nullif(current_setting('app.tenant_id', true), '')::bigint $$"
)
POLICY = "CREATE POLICY {} ON accounts_ticket TO {} USING ({})"

# rule: the statements that break it, and all that the audit then finds.
FAULTS: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    "table_in_no_group": (
        ["CREATE TABLE loose (id bigint PRIMARY KEY)", "REVOKE ALL ON loose FROM cs_web, cs_worker"],
        [
            ("no_policy_for_role", "loose for cs_web"),
            ("no_policy_for_role", "loose for cs_worker"),
            ("primary_key_without_tenant", "loose"),
            ("security_not_enabled", "loose"),
            ("security_not_forced", "loose"),
            ("table_in_no_group", "loose"),
            ("unique_without_tenant", "loose.loose_pkey"),
        ],
    ),
    "node_local_with_tenant": (
        ["ALTER TABLE django_session ADD COLUMN tenant_id bigint"],
        [("node_local_with_tenant", "django_session")],
    ),
    "named_table_is_missing": (
        ["CREATE SCHEMA aside", "ALTER TABLE account_emailconfirmation SET SCHEMA aside"],
        [("named_table_is_missing", "account_emailconfirmation")],
    ),
    "security_not_enabled": (
        [f"ALTER TABLE {TICKET} DISABLE ROW LEVEL SECURITY"],
        [("security_not_enabled", TICKET)],
    ),
    "security_not_forced": (
        [f"ALTER TABLE {TICKET} NO FORCE ROW LEVEL SECURITY"],
        [("security_not_forced", TICKET)],
    ),
    "no_policy_for_role": (
        [f"ALTER POLICY tenant_fence ON {TICKET} TO cs_web"],
        [("no_policy_for_role", f"{TICKET} for cs_worker")],
    ),
    "policy_lets_more_through": (
        [POLICY.format("wide", "cs_worker", "true")],
        [("policy_lets_more_through", f"{TICKET}.wide")],
    ),
    "policy_for_public": (
        [
            POLICY.format("wide", "PUBLIC", "tenant_id = app_tenant()")
            + " WITH CHECK (tenant_id = app_tenant())"
        ],
        [("policy_for_public", f"{TICKET}.wide")],
    ),
    "policy_with_sub_select": (
        [f"ALTER POLICY tenant_fence ON {TICKET} USING (tenant_id = (SELECT app_tenant()))"],
        [
            ("policy_lets_more_through", f"{TICKET}.tenant_fence"),
            ("policy_with_sub_select", f"{TICKET}.tenant_fence"),
        ],
    ),
    "tenant_function_changed": ([EMPTY_FUNCTION], [("tenant_function_changed", "app_tenant()")]),
    "tenant_nullable_or_not_bigint": (
        [
            "CREATE TABLE loose (tenant_id integer NOT NULL, id bigint NOT NULL, PRIMARY KEY (tenant_id, id))",
            *fence_statements("loose"),
        ],
        [("tenant_nullable_or_not_bigint", "loose")],
    ),
    "primary_key_without_tenant": (
        ["CREATE TABLE loose (tenant_id bigint NOT NULL, id bigint NOT NULL)", *fence_statements("loose")],
        [("primary_key_without_tenant", "loose")],
    ),
    "unique_without_tenant": (
        [f"CREATE UNIQUE INDEX everywhere ON {TICKET} (external_id, tenant_id)"],
        [("unique_without_tenant", f"{TICKET}.everywhere")],
    ),
    "reference_without_tenant": (
        [
            "CREATE UNIQUE INDEX member_id_alone ON accounts_membership (id)",
            f"ALTER TABLE {TICKET} ADD COLUMN member_id bigint REFERENCES accounts_membership (id)",
        ],
        [("reference_without_tenant", f"{TICKET}.{TICKET}_member_id_fkey")],
    ),
    "reference_into_the_fence": (
        [
            "ALTER TABLE django_session ADD COLUMN ticket bigint, ADD COLUMN owner bigint",
            f"ALTER TABLE django_session ADD CONSTRAINT inward "
            f"FOREIGN KEY (owner, ticket) REFERENCES {TICKET} (tenant_id, id)",
        ],
        [("reference_into_the_fence", "django_session.inward")],
    ),
    "reference_sets_null": (
        [
            f"ALTER TABLE {TICKET} ADD COLUMN account2 bigint, ADD CONSTRAINT forgetful FOREIGN KEY (tenant_id, account2) "
            "REFERENCES accounts_account (tenant_id, id) ON DELETE SET NULL (account2)"
        ],
        [("reference_sets_null", f"{TICKET}.forgetful")],
    ),
    "identity_or_small_id": (
        [f"ALTER TABLE {TICKET} ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY"],
        [("identity_or_small_id", f"{TICKET}.number")],
    ),
    "trigger": (
        [
            f"CREATE TRIGGER busy BEFORE UPDATE ON {TICKET} "
            "FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        ],
        [("trigger", f"{TICKET}.busy")],
    ),
    "partition_granted": (
        [PARTS, *fence_statements("parts"), PART, *fence_statements("part")],
        [("partition_granted", "part to cs_web"), ("partition_granted", "part to cs_worker")],
    ),
    "granted_too_much": (
        [f"GRANT TRUNCATE ON {TICKET} TO cs_web"],
        [("granted_too_much", f"{TICKET} to cs_web")],
    ),
    "dispatch_sees_rows_or_writes": (
        ["GRANT DELETE ON accounts_job TO cs_dispatch"],
        [("dispatch_sees_rows_or_writes", "accounts_job")],
    ),
    "dispatch_sees_a_column": (
        ["GRANT SELECT (payload) ON accounts_outbox TO cs_dispatch"],
        [("dispatch_sees_a_column", "accounts_outbox.payload")],
    ),
    "append_only_can_be_rewritten": (
        ["GRANT UPDATE ON accounts_auditentry TO cs_worker"],
        [("append_only_can_be_rewritten", "accounts_auditentry by cs_worker")],
    ),
    "granted_to_public": (
        ["GRANT INSERT ON django_session TO PUBLIC"],
        [
            ("dispatch_sees_rows_or_writes", "django_session"),
            ("granted_to_public", "django_session"),
            ("query_writes", "django_session"),
        ],
    ),
    "view_without_invoker": (
        [
            f"CREATE VIEW peep AS SELECT * FROM {TICKET}",
            "CREATE VIEW fair WITH (security_invoker = true) AS SELECT 1 AS one",
        ],
        [("view_without_invoker", "peep")],
    ),
    "materialized_view_readable": (
        ["CREATE MATERIALIZED VIEW frozen AS SELECT 1 AS one"],
        [("materialized_view_readable", "frozen")],
    ),
    "query_sees_a_column": (
        [f"GRANT SELECT (title) ON {TICKET} TO cs_query"],
        [("query_sees_a_column", f"{TICKET}.title")],
    ),
    "query_writes": (
        [f"GRANT UPDATE (status) ON {TICKET} TO cs_query"],
        [("query_writes", TICKET)],
    ),
    "query_without_policy": (
        [f"DROP POLICY query_fence ON {TICKET}"],
        [("query_without_policy", TICKET)],
    ),
    "query_policy_lets_more_through": (
        [f"CREATE POLICY peep ON {TICKET} FOR SELECT TO cs_query USING (true)"],
        [("query_policy_lets_more_through", f"{TICKET}.peep")],
    ),
    "query_reads_elsewhere": (
        [
            "CREATE SCHEMA aside",
            "CREATE TABLE aside.loot (id int)",
            "GRANT SELECT ON aside.loot TO cs_query",
        ],
        [("query_reads_elsewhere", "aside.loot")],
    ),
    "function_of_its_definer": (
        ["CREATE FUNCTION backdoor() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint'"],
        [("function_of_its_definer", "backdoor")],
    ),
}
# The schema's owner cannot make a role strong or give a table away; the audit is asked about roles of which it is true.
OTHER_ROLES: dict[str, tuple[dict[str, Any], str]] = {
    "role_is_strong": ({"serving": ["cs_web", "cs_migrate"]}, "cs_migrate"),
    "role_is_a_member": ({"serving": ["cs_web", "pg_monitor"]}, "pg_monitor of pg_read_all_settings"),
    "role_may_create": ({"serving": ["cs_web", "cs_migrate"]}, "cs_migrate"),
    "role_is_missing": ({"serving": ["cs_web", "cs_nobody"]}, "cs_nobody"),
    "not_owned_by_migrate": ({"owner": "cs_platform"}, TICKET),
    "query_role_logs_in": ({"query": "cs_platform"}, "cs_platform"),
    "query_role_belongs": ({"query": "cs_web"}, "cs_query"),
    "query_may_change_the_tenant": ({"query": "cs_web"}, "set_config(text,text,boolean)"),
}


@pytest.fixture
def owner(django_db_setup: None) -> Iterator[Any]:
    """A cursor of the schema's owner whose changes are all taken back."""
    database = psycopg2.connect(os.environ["DATABASE_URL_MIGRATE"], dbname=connection.settings_dict["NAME"])
    with database.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
        yield cursor
    database.rollback()
    database.close()


def found(cursor: Any, **roles: Any) -> list[tuple[str, str]]:
    return [(one.rule, one.object) for one in violations(cursor, **roles)]


@pytest.mark.django_db
def test_the_fence_is_whole() -> None:
    with connection.cursor() as cursor:
        assert found(cursor) == []
    assert [str(error) for error in run_checks(databases=["default"]) if error.id == "accounts.E001"] == []


def test_every_rule_has_its_fault() -> None:
    assert sorted({*FAULTS, *OTHER_ROLES}) == sorted(RULES)


@pytest.mark.parametrize("rule", sorted(FAULTS))
def test_the_rule_finds_its_fault(owner: Any, rule: str) -> None:
    statements, expected = FAULTS[rule]
    for statement in statements:
        owner.execute(statement)
    assert found(owner) == expected
    assert rule in [name for name, _object in expected]


@pytest.mark.parametrize("rule", sorted(OTHER_ROLES))
def test_the_rule_finds_the_wrong_role(owner: Any, rule: str) -> None:
    roles, named = OTHER_ROLES[rule]
    assert (rule, named) in found(owner, **roles)
    assert rule not in [name for name, _object in found(owner)]


@pytest.mark.django_db
def test_a_hole_is_an_error_of_the_system_check(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(checks, "violations", lambda cursor: [Violation("trigger", "x.y")])
    assert [error.msg for error in checks.check_fence(None, databases=["default"])] == [
        "The tenant fence has a hole: trigger: x.y."
    ]
    assert checks.check_fence(None, databases=None) == []
    settings.CS_PROCESS = "migrate"
    assert checks.check_fence(None, databases=["default"]) == []


def test_the_expression_is_what_the_migrations_write(owner: Any) -> None:
    owner.execute(
        "SELECT DISTINCT pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) "
        "FROM pg_policy WHERE polcmd = '*'"
    )
    assert owner.fetchall() == [(audit.FENCE_EXPRESSION, audit.FENCE_EXPRESSION)]
    assert groups.DIRECTORY.isdisjoint(groups.NODE_LOCAL)
