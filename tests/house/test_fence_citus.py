"""The rules that let the database be sharded by tenant one day, and the statements that must work then, run on plain
PostgreSQL as `cs_web`. Run the same file on Citus before a move (research of the fence: see ARCHITECTURE.md).
"""

from __future__ import annotations

import ast
import io
import re
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from psycopg2.errors import FeatureNotSupported

from accounts.fence.models import TenantForeignKey, tenant_models
from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Job, Tenant, Ticket
from accounts.upserts import upsert_accounts

HOUSE = Path(__file__).resolve().parents[2]
APPS = [
    *(
        "accounts",
        "alerts",
        "cs_platform",
        "expansion",
        "health",
        "nps",
        "outreach",
        "playbooks",
        "pql",
        "qbr",
    ),
    *("reports", "scoring", "usage", "workspace"),
]


@cache
def sources() -> list[tuple[str, str]]:
    """Every Python file of the product with its text."""
    return [
        (str(path.relative_to(HOUSE)), path.read_text(encoding="utf-8"))
        for app in APPS
        for path in sorted((HOUSE / app).rglob("*.py"))
    ]


SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return)


@cache
def sql_texts() -> list[tuple[str, str]]:
    """The strings of each statement of the product's code that look like SQL, joined, with the place they stand in."""
    found = []
    for name, text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, SIMPLE):
                parts = [
                    n.value
                    for n in ast.walk(node)
                    if isinstance(n, ast.Constant) and isinstance(n.value, str)
                ]
                sql = " ".join(parts)
                if re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|COPY)\b", sql):
                    found.append((f"{name}:{node.lineno}", sql))
    return found


# ── What the code must not say ──────────────────────────────────────────────────────────────────────────────────


def test_the_tenant_is_set_by_set_local_and_in_one_place_only() -> None:
    assert [place for place, sql in sql_texts() if "set_config(" in sql] == []
    places = [name for name, text in sources() if re.search(r"""["']SET (LOCAL )?app\.tenant_id""", text)]
    assert places == ["accounts/fence/scope.py"]


def test_nothing_makes_a_trigger_or_a_materialized_view() -> None:
    pattern = re.compile(r"CREATE\s+(OR\s+REPLACE\s+)?(CONSTRAINT\s+)?(TRIGGER|MATERIALIZED)", re.IGNORECASE)
    assert [place for place, sql in sql_texts() if pattern.search(sql)] == []


def test_every_insert_from_a_select_says_what_happens_on_conflict() -> None:
    """Else Citus copies into the shard, which row-level security refuses. Partitions are filled by the owner."""
    bare = [
        place
        for place, sql in sql_texts()
        if re.search(r"INSERT INTO(?!\s+\w*(temp|incoming|staged))((?!VALUES).)*?\bSELECT\b", sql, re.DOTALL)
        and "ON CONFLICT" not in sql
        and "RETURNING" not in sql
        and not place.startswith("usage/partitions.py")
    ]
    assert bare == []


def test_no_function_is_called_in_an_update_on_conflict() -> None:
    pattern = re.compile(r"DO UPDATE SET.*\b(now|clock_timestamp|random)\(", re.IGNORECASE | re.DOTALL)
    assert [place for place, sql in sql_texts() if pattern.search(sql)] == []


def test_no_reference_between_tenant_tables_is_set_null_by_the_database() -> None:
    assert [place for place, sql in sql_texts() if re.search(r"ON DELETE SET (NULL|DEFAULT)", sql)] == []


def test_constraint_names_are_not_read_from_errors() -> None:
    assert [name for name, text in sources() if "diag.constraint_name" in text] == []


def test_exclude_is_not_used_across_relations() -> None:
    """It correlates on the tenant alone and silently drops rows; `~Exists` does what is meant."""
    offenders = [
        (name, line)
        for name, text in sources()
        for line in re.findall(
            r"\.exclude\((?:[^()]*\b)?\w+__(?!in\b|isnull\b|gt\b|lt\b|gte\b|lte\b)\w+=", text
        )
    ]
    assert offenders == []


# ── What the models must be ─────────────────────────────────────────────────────────────────────────────────────


def test_ids_are_bigint_and_the_directory_holds_no_hot_column() -> None:
    house = [m for m in apps.get_models() if m._meta.managed and m.__module__.split(".")[0] in APPS]
    assert [m.__name__ for m in house if not isinstance(m._meta.pk, models.BigAutoField)] == []
    directory = {m for m in house if m not in tenant_models()}
    assert {m.__name__ for m in directory} == {
        "User",
        "Tenant",
        "Membership",
        "ApiKey",
        "OperatorEntry",
    }
    hot = {"last_login", "last_used_at", "last_seen_at", "nightly_at", "updated_at"}
    assert [(m.__name__, f.name) for m in directory for f in m._meta.fields if f.name in hot] == []


def test_references_between_tenant_tables_are_composite_and_constraints_begin_with_the_tenant() -> None:
    tenant_owned = set(tenant_models()) | {apps.get_model("accounts.Membership")}
    for model in tenant_models():
        for field in model._meta.local_fields:
            if isinstance(field, models.ForeignKey) and field.name != "tenant":
                assert isinstance(field, TenantForeignKey) == (field.remote_field.model in tenant_owned), (
                    field
                )
        assert not [f for f in model._meta.local_fields if f.unique and not f.primary_key], model
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint):
                assert constraint.fields[0] == "tenant", constraint.name


# ── Statements that must work for the web role ──────────────────────────────────────────────────────────────────


@pytest.fixture
def two(transactional_db: None) -> tuple[Tenant, Tenant]:
    """Two tenants with three accounts each, a contact and a ticket at the first."""
    tenants = Tenant.objects.create(slug="one", name="One"), Tenant.objects.create(slug="two", name="Two")
    for tenant in tenants:
        with tenant_scope(tenant):
            upsert_accounts(tenant=tenant, items=[{"external_id": f"a{n}", "mrr_cents": n} for n in range(3)])
            first = Account.objects.get(external_id="a0")
            Contact.objects.create(user_id="u", account=first)
            Ticket.objects.create(external_id="t", account=first, opened_at="2026-01-01T00:00:00Z")
    return tenants


T = "tenant_id = %(t)s"
BOTH = "c.tenant_id = a.tenant_id AND c.account_id = a.id"
READS: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "filter": (f"SELECT count(*) FROM accounts_account WHERE {T}", [(3,)]),
    "left join on both": (
        f"SELECT a.external_id, c.user_id FROM accounts_account a LEFT JOIN accounts_contact c ON {BOTH} "
        f"WHERE a.{T} ORDER BY 1",
        [("a0", "u"), ("a1", None), ("a2", None)],
    ),
    "join of a directory table": (
        f"SELECT t.slug, count(*) FROM accounts_account a JOIN accounts_tenant t ON t.id = a.tenant_id "
        f"WHERE a.{T} GROUP BY 1",
        [("one", 3)],
    ),
    "keyset": (
        f"SELECT external_id FROM accounts_account WHERE {T} AND (mrr_cents, id) > (0, 0) ORDER BY mrr_cents, id LIMIT 2",
        [("a0",), ("a1",)],
    ),
    "window": (
        f"SELECT external_id, rank() OVER (ORDER BY mrr_cents DESC) FROM accounts_account WHERE {T} ORDER BY 2 LIMIT 1",
        [("a2", 1)],
    ),
    "common table expression": (
        f"WITH big AS (SELECT * FROM accounts_account WHERE {T} AND mrr_cents > 0) SELECT count(*) FROM big",
        [(2,)],
    ),
    "lateral": (
        f"SELECT a.external_id, k.n FROM accounts_account a "
        f"CROSS JOIN LATERAL (SELECT count(*) AS n FROM accounts_contact c "
        f"WHERE {BOTH}) k WHERE a.{T} ORDER BY 1 LIMIT 1",
        [("a0", 1)],
    ),
    "recursive": (
        f"WITH RECURSIVE up AS (SELECT id, parent_id FROM accounts_account WHERE {T} UNION "
        f"SELECT a.id, a.parent_id FROM accounts_account a JOIN up ON a.id = up.parent_id WHERE a.{T}) "
        "SELECT count(*) FROM up",
        [(3,)],
    ),
    "filtered aggregates": (
        f"SELECT sum(mrr_cents) FILTER (WHERE external_id > 'a0'), count(*) FROM accounts_account WHERE {T}",
        [(3, 3)],
    ),
    "claim of one tenant": (
        f"SELECT count(*) FROM (SELECT id FROM accounts_ticket WHERE {T} ORDER BY id LIMIT 5 FOR UPDATE SKIP LOCKED) x",
        [(1,)],
    ),
    "advisory lock": ("SELECT pg_try_advisory_xact_lock(hashtext('x'), 1)", [(True,)]),
}


@pytest.mark.parametrize("name", READS)
def test_reading(two: tuple[Tenant, Tenant], name: str) -> None:
    sql, rows = READS[name]
    with tenant_scope(two[0]), connection.cursor() as cursor:
        cursor.execute(sql, {"t": two[0].pk})
        assert cursor.fetchall() == rows


UNNEST = (
    "INSERT INTO accounts_ticket (tenant_id, external_id, account_id, title, status, severity, opened_at, tags) "
    "SELECT %(t)s, x, %(a)s, '', '', 'low', '2026-01-01', '{}' FROM unnest(%(x)s::text[]) AS x "
)


def test_bulk_writing(two: tuple[Tenant, Tenant]) -> None:
    with tenant_scope(two[0]), connection.cursor() as cursor:
        params = {"t": two[0].pk, "a": Account.objects.get(external_id="a1").pk, "x": ["t", "u"]}
        cursor.execute(
            UNNEST + "ON CONFLICT (tenant_id, external_id) DO NOTHING RETURNING external_id", params
        )
        assert cursor.fetchall() == [("u",)]
        cursor.execute(
            UNNEST + "ON CONFLICT (tenant_id, external_id) DO UPDATE SET severity = excluded.severity", params
        )
        assert cursor.rowcount == 2
        cursor.execute("CREATE TEMP TABLE incoming (external_id text, mrr bigint) ON COMMIT DROP")
        cursor.execute("INSERT INTO incoming VALUES ('a0', 100), ('a9', 900)")
        cursor.execute(
            f"UPDATE accounts_account a SET mrr_cents = i.mrr FROM incoming i WHERE a.{T} AND a.external_id = i.external_id",
            params,
        )
        assert cursor.rowcount == 1
        cursor.execute(
            f"SELECT i.external_id FROM incoming i LEFT JOIN accounts_account a ON a.{T} AND a.external_id = i.external_id "
            "WHERE a.id IS NULL",
            params,
        )
        assert cursor.fetchall() == [("a9",)]
        cursor.execute(f"DELETE FROM accounts_ticket WHERE {T} AND external_id = 'u'", params)
        assert cursor.rowcount == 1
        cursor.execute(
            "SELECT sum(mrr_cents), count(*) FROM accounts_account WHERE tenant_id = %s", [two[0].pk]
        )
        assert cursor.fetchall() == [(103, 3)]


def test_copy_into_a_fenced_table_is_refused_so_bulk_goes_through_a_temporary_one(
    two: tuple[Tenant, Tenant],
) -> None:
    with (
        pytest.raises(FeatureNotSupported, match="row-level security"),
        tenant_scope(two[0]),
        connection.cursor() as cursor,
    ):
        cursor.copy_expert("COPY accounts_ticket (tenant_id) FROM STDIN", io.StringIO(f"{two[0].pk}\n"))


def test_savepoints_errors_and_the_tenant_afterwards(two: tuple[Tenant, Tenant]) -> None:
    with tenant_scope(two[0]):
        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.create(external_id="a0", name="again")
        assert Account.objects.count() == 3
        with transaction.atomic():
            Account.objects.create(external_id="a3", name="A3")
        assert Account.objects.count() == 4
    with tenant_scope(two[1]):
        assert Account.objects.count() == 3


def test_the_orm_in_the_ways_it_is_used(two: tuple[Tenant, Tenant]) -> None:
    with tenant_scope(two[0]):
        first = Account.objects.get(external_id="a0")
        assert Contact.objects.select_related("account").get().account == first
        assert [
            len(a.contacts.all()) for a in Account.objects.order_by("id").prefetch_related("contacts")
        ] == [1, 0, 0]
        at_work = Contact.objects.filter(account=models.OuterRef("pk"))
        assert [a.external_id for a in Account.objects.filter(~models.Exists(at_work)).order_by("id")] == [
            "a1",
            "a2",
        ]
        counted = (
            Account.objects.annotate(n=models.Count("contacts"))
            .order_by("-n", "id")
            .values_list("external_id", "n")
        )
        assert list(counted) == [("a0", 1), ("a1", 0), ("a2", 0)]
        made, created = Job.objects.get_or_create(kind="k", key="1")
        assert (created, Job.objects.update_or_create(kind="k", key="1", defaults={"message": "x"})[1]) == (
            True,
            False,
        )
        assert Job.objects.select_for_update(skip_locked=True).get(pk=made.pk).message == "x"
        Job.objects.bulk_create(
            [Job(tenant=two[0], kind="k", key=str(n)) for n in range(3)], ignore_conflicts=True
        )
        assert Job.objects.count() == 3
        rows = list(Account.objects.iterator(chunk_size=1))
        for row in rows:
            row.segment = "x"
        assert Account.objects.bulk_update(rows, ["segment"]) == 3
        assert first.delete()[0] == 2  # with its ticket; the contact stays, without an account
    with tenant_scope(two[1]):
        assert Account.objects.filter(segment="").count() == 3


def test_a_tenant_cannot_be_changed_inside_a_transaction_that_has_one(two: tuple[Tenant, Tenant]) -> None:
    with tenant_scope(two[0]), pytest.raises(RuntimeError), transaction.atomic(), tenant_scope(two[1]):
        pytest.fail("a second scope was opened")
