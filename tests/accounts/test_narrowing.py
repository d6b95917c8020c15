"""Statements of somebody who sees some accounts: each gives what it would give if there were no others, or is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.fence.narrowing import conditions, narrowed_sql
from accounts.fence.scope import tenant_scope
from accounts.fence.statements import Unnarrowable, template_of
from accounts.models import Account, Contact, Membership, Tenant, Ticket
from accounts.visibility import EVERYTHING, Visibility, seeing

# Ways to name a table that are called `a` afterwards.
NAMES = [
    "accounts_account a",
    "accounts_account AS a",
    'ACCOUNTS_Account As "a"',
    '"accounts_account" a',
    "public.accounts_account a",
    '"public" . "accounts_account" AS a',
    "accounts_account -- , FROM accounts_account\n a",
    "accounts_account /* a */ a",
    "(SELECT * FROM accounts_account) a",
    "(SELECT accounts_account.* FROM accounts_account) AS a",
    "LATERAL (SELECT * FROM accounts_account WHERE 'é' <> '%%' OFFSET 0) AS a",
    "(TABLE owned) a",
]
# What reads it; each says something else when there are more accounts.
SHAPES = [
    "SELECT a.name FROM {a}",
    "SELECT a.name, a FROM {a}",
    "SELECT a.name FROM accounts_tenant t, {a} WHERE a.tenant_id = t.id AND t.id = %(tenant)s",
    "SELECT a.name FROM accounts_tenant t CROSS JOIN {a}",
    "SELECT q.name FROM (SELECT a.name FROM {a}) q",
    "WITH q AS (SELECT a.name FROM {a}) SELECT name FROM q UNION ALL SELECT name FROM q",
    "WITH q AS MATERIALIZED (SELECT a.* FROM {a}), r AS (SELECT b.name FROM q b) SELECT * FROM r",
    "SELECT q.name FROM accounts_tenant t, LATERAL (SELECT a.name FROM {a} WHERE a.tenant_id = t.id) q",
    "SELECT a.name FROM {a} UNION SELECT c.name FROM accounts_contact c",
    "(SELECT a.name FROM {a} EXCEPT SELECT 'carls') ORDER BY 1",
    "SELECT name FROM accounts_contact INTERSECT SELECT 'of ' || a.name FROM {a}",
    "SELECT (SELECT string_agg(a.name, ',' ORDER BY a.name) FROM {a}), %(text)s::text",
    "SELECT m.id FROM accounts_membership m WHERE EXISTS (SELECT 1 FROM {a} WHERE a.owner_id = m.id)",
    "SELECT m.id FROM accounts_membership m WHERE m.id NOT IN (SELECT a.owner_id FROM {a} WHERE a.owner_id > 0)",
    "SELECT c.name, a.name FROM accounts_contact c LEFT JOIN {a} ON a.id = c.account_id",
    "SELECT m.id, a.name FROM accounts_membership m FULL JOIN ({a} JOIN accounts_ticket k ON k.account_id = a.id) "
    "ON a.owner_id = m.id",
    "SELECT a.name, b.name FROM {a} JOIN accounts_account b USING (tenant_id) WHERE a.id <= b.id",
    "SELECT count(*), sum(a.id) FILTER (WHERE a.name LIKE '%%s') FROM {a}",
    "SELECT a.name, count(*) OVER () FROM {a} WHERE a.name LIKE %(like)s LIMIT 10",
    "SELECT a.segment, array_agg(a.name ORDER BY a.name) FROM {a} GROUP BY GROUPING SETS ((a.segment), ())",
    "SELECT ARRAY(SELECT a.name FROM {a} ORDER BY 1)",
    "SELECT CASE WHEN (SELECT count(*) FROM {a}) > 1 THEN 'many' ELSE 'one' END",
    "VALUES ((SELECT count(*) FROM {a})), (0)",
    "WITH RECURSIVE n(name, k) AS (SELECT a.name, 1 FROM {a} UNION ALL SELECT b.name, k + 1 FROM n "
    "JOIN accounts_account b ON b.name = n.name WHERE k < 3) SELECT * FROM n",
    "SELECT DISTINCT ON (a.owner_id) a.owner_id, a.name FROM {a} ORDER BY a.owner_id, a.name",
    "SELECT row_to_json(a)->>'name' FROM {a} ORDER BY a.name LIMIT ALL OFFSET 0",
]
# Tables that are no account's own, with names of their own.
OTHERS = [
    "SELECT name FROM accounts_account",
    'SELECT "accounts_account"."name" FROM "accounts_account" WHERE "accounts_account"."tenant_id" = %(tenant)s',
    "SELECT accounts_contact.name, accounts_account.name FROM accounts_contact JOIN accounts_account "
    "ON accounts_account.id = accounts_contact.account_id",
    "SELECT name FROM accounts_contact",
    "SELECT k.title FROM accounts_ticket AS k(tenant) WHERE k.tenant IS NOT NULL",
    "SELECT t.title FROM accounts_ticket t, accounts_contact c WHERE t.account_id = c.account_id",
    "SELECT d.account_id, d.day FROM usage_day d JOIN accounts_account a ON a.id = d.account_id",
    "SELECT count(*) FROM usage_day, usage_user_day, usage_event",
    "WITH gone AS (DELETE FROM accounts_ticket RETURNING title) SELECT title FROM gone",
    "WITH new AS (UPDATE accounts_contact SET email = 'x' RETURNING name) SELECT name FROM new",
    "WITH new AS (UPDATE accounts_ticket k SET title = a.name FROM accounts_account a WHERE a.id = k.account_id OR false "
    "RETURNING k.title) SELECT title FROM new",
    "WITH new AS (INSERT INTO accounts_tag_of_test SELECT name FROM accounts_account RETURNING name) SELECT name FROM new",
]
REFUSED = {
    "COPY accounts_account TO STDOUT": "no condition",
    "TRUNCATE usage_day": "no condition",
    "LOCK TABLE accounts_ticket": "no condition",
    "SELECT 1 FROM ONLY accounts_account": "no condition",
    "SELECT 1 FROM accounts_account TABLESAMPLE system (1)": "no condition",
    "CREATE TEMPORARY TABLE accounts_ticket (a int)": "no condition",
    "MERGE INTO accounts_ticket k USING accounts_account a ON true WHEN MATCHED THEN DELETE": "no condition",
    "DELETE FROM ONLY accounts_ticket": "takes no condition",
    "UPDATE accounts_ticket SET title = '' WHERE CURRENT OF c": "takes no condition",
    "WITH accounts_account AS (SELECT 1) SELECT * FROM accounts_account": "gives the name",
    'SELECT 1 FROM U&"\\0061ccounts_account" a': "not known",
    "SELECT * FROM query.accounts": "not known",
    "SELECT query_to_xml('SELECT * FROM accounts_account', true, true, '')": "told by a text",
    "DO $$ BEGIN PERFORM 1; END $$": "cannot be looked at",
    "CALL something()": "cannot be looked at",
    "SELECT name FROM accounts_account WHERE": "does not understand",
    "SELECT 1 \0 FROM accounts_account": "NUL",
}
LEFT_ALONE = [
    "INSERT INTO accounts_account (id) VALUES (1)",
    "COPY accounts_account (id) FROM STDIN",
    "SELECT accounts_account.id, 1",
    "SELECT 'FROM accounts_account a', $x$ JOIN accounts_account $x$ -- FROM accounts_account",
    "SELECT 1 FROM accounts_team, accounts_accounts, pg_temp.accounts_account",
    "CREATE TEMPORARY TABLE copied (LIKE accounts_account)",
    "SAVEPOINT accounts_account",
    "INSERT INTO accounts_account (id) VALUES (1) ON CONFLICT (id) WHERE id > 0 DO NOTHING",
    "INSERT INTO accounts_team (id) SELECT 1 ON CONFLICT (id) DO UPDATE SET name = 'x' WHERE true",
]
TWO = Visibility((7, 9), unowned=False)


def test_what_reads_nothing_of_accounts_is_left_alone() -> None:
    for statement in LEFT_ALONE:
        assert narrowed_sql(statement, TWO).decode() == statement


def test_places_are_those_of_the_parser() -> None:
    """Parameters, other alphabets and comments stay what they are; a condition is put where the parser says."""
    read = narrowed_sql('SELECT \'é%%\', %s FROM "accounts_account" "ä" WHERE x = %(éa)s -- ü', TWO).decode()
    rows = '(SELECT * FROM "accounts_account" WHERE owner_id IN (7, 9))'
    assert read == f"SELECT 'é%%', %s FROM {rows} \"ä\" WHERE x = %(éa)s -- ü"
    kept = narrowed_sql("DELETE FROM accounts_account a WHERE a OR b -- é", TWO).decode()
    assert kept == 'DELETE FROM accounts_account a WHERE "a".owner_id IN (7, 9) AND ( a OR b) -- é'
    met = "INSERT INTO accounts_account AS a (id) SELECT 1 WHERE 1 = %s ON CONFLICT (id) WHERE é IN (1) DO UPDATE SET id = 2"
    kept = narrowed_sql(f"WITH w AS ({met}) SELECT 1", TWO).decode()
    assert kept == f'WITH w AS ({met} WHERE "a".owner_id IN (7, 9)) SELECT 1'
    kept = narrowed_sql(f"{met} WHERE a OR b RETURNING id", TWO).decode()
    assert kept == f'{met} WHERE "a".owner_id IN (7, 9) AND ( a OR b) RETURNING id'
    assert narrowed_sql("SELECT 5 %% 2", TWO, with_values=True) == b"SELECT 5 %% 2"
    assert narrowed_sql("SELECT 5 % 2", TWO, with_values=False) == b"SELECT 5 % 2"


@pytest.mark.parametrize("statement", REFUSED)
def test_what_cannot_be_narrowed_is_refused(statement: str) -> None:
    with pytest.raises(Unnarrowable, match=REFUSED[statement]):
        narrowed_sql(statement, TWO, with_values=False)


def test_a_statement_is_read_once_whoever_asks() -> None:
    from accounts.fence import narrowing

    narrowing._template.cache_clear()
    statement = "SELECT name FROM accounts_account a WHERE 17 = 17"
    first, second = (narrowed_sql(statement, Visibility((n,))) for n in (1, 2))
    assert b"owner_id IN (1)" in first and b"owner_id IN (2)" in second
    assert b"owner_id IS NULL" in first  # those nobody owns are seen with the teams
    assert narrowing._template.cache_info().misses == 1
    assert template_of(statement.encode(), [], with_values=True) == (statement.encode(),)
    assert len(conditions()) > 60


# ── What the database says ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def eyes(acme: Tenant, carl: Membership, mona: Membership) -> Iterator[Visibility]:
    """An account each of carl, mona and nobody with what belongs to it, and carl's eyes; the scope is open."""
    with tenant_scope(acme):
        for name, owner in (("carls", carl), ("monas", mona), ("nobodys", None)):
            account = Account.objects.create(external_id=name, name=name, owner=owner)
            Contact.objects.create(account=account, name=f"of {name}")
            Ticket.objects.create(account=account, external_id=name, title=name, opened_at=timezone.now())
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO usage_day VALUES (%s, %s, '2026-01-01', '{1}')",
                    [acme.pk, account.pk],
                )
        Contact.objects.create(account=None, name="of nobody at all")
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE accounts_tag_of_test (name text) ON COMMIT DROP")
        yield Visibility((carl.pk,), unowned=False)


def answers(statement: str, tenant: Tenant, seen: Visibility) -> list[Any]:
    """What a statement gives to these eyes; what it writes is undone."""
    values: dict[str, int | str] = {"tenant": tenant.pk, "text": "%s", "like": "%s"}
    with transaction.atomic(), connection.cursor() as cursor:
        with seeing(seen):
            cursor.execute(statement, values)
            rows = cursor.fetchall()
        transaction.set_rollback(True)
    return sorted(map(repr, rows))


def all_statements() -> list[str]:
    """Every shape with some names, so that every name meets many shapes; and those that have names of their own."""
    names = NAMES[:-1]
    made = [
        shape.replace("{a}", names[(place + step) % len(names)])
        for place, shape in enumerate(SHAPES)
        for step in (0, 3, 6, 9)
    ]
    owned = [
        "WITH owned AS (SELECT * FROM accounts_account) " + shape.replace("{a}", NAMES[-1])
        for shape in SHAPES
        if not shape.startswith(("WITH", "("))
    ]
    return made + owned + OTHERS


@pytest.mark.django_db
def test_it_is_as_if_there_were_no_other_accounts(acme: Tenant, eyes: Visibility) -> None:
    """The oracle: the same statements by somebody who sees everything, where only these accounts exist."""
    statements = all_statements()
    narrow = [answers(one, acme, eyes) for one in statements]
    whole = [answers(one, acme, EVERYTHING) for one in statements]
    with connection.cursor() as cursor:
        others = "(SELECT id FROM accounts_account WHERE owner_id IS DISTINCT FROM %s)"
        for table in ("accounts_ticket", "accounts_contact", "usage_day"):
            cursor.execute(f"DELETE FROM {table} WHERE account_id IN {others}", [eyes.owners[0]])  # type: ignore[index]
        cursor.execute("DELETE FROM accounts_account WHERE owner_id IS DISTINCT FROM %s", [eyes.owners[0]])  # type: ignore[index]
    oracle = [answers(one, acme, EVERYTHING) for one in statements]
    assert len(statements) > 130
    assert [one for one, a, b in zip(statements, narrow, oracle, strict=True) if a != b] == []
    # The control: to whoever sees everything nearly all of them said something else.
    same = [one for one, a, b in zip(statements, whole, oracle, strict=True) if a == b]
    assert len(same) <= 12, same


@pytest.mark.django_db
def test_rows_of_others_are_neither_changed_nor_deleted(acme: Tenant, eyes: Visibility) -> None:
    with connection.cursor() as cursor, seeing(eyes):
        cursor.execute("UPDATE accounts_account SET name = 'x'")
        assert cursor.rowcount == 1
        cursor.execute("DELETE FROM accounts_ticket k USING accounts_account a WHERE k.id > 0 OR k.id < 0")
        assert cursor.rowcount == 1
        cursor.executemany("UPDATE accounts_contact SET email = %s", [["one"], ["two"]])
        assert Account.objects.update(plan="y") == Ticket.objects.update(title="z") + 1 == 1
        assert Contact.objects.filter(account__name="monas").delete() == (0, {})
        assert Contact.objects.count() == 2
    assert sorted(Account.objects.values_list("name", "plan")) == [("monas", ""), ("nobodys", ""), ("x", "y")]
    assert Ticket.objects.filter(title="z").count() == 0 and Ticket.objects.count() == 2
    assert Contact.objects.filter(email="two").count() == 2 and Contact.objects.count() == 4


# What an INSERT meets: the rows of the same keys. Each would change all three without the fence.
TICKET_COLUMNS = ", ".join(f'"{field.column}"' for field in Ticket._meta.local_concrete_fields)
TICKETS = f"({TICKET_COLUMNS}) SELECT {TICKET_COLUMNS} FROM copied WHERE true"
OVERWRITES = [
    f"INSERT INTO accounts_ticket {TICKETS} ON CONFLICT (tenant_id, external_id) DO UPDATE SET title = 'x' RETURNING id",
    f'INSERT INTO public . "accounts_ticket" AS "A ""b" {TICKETS} ON CONFLICT (tenant_id, external_id) DO UPDATE '
    "SET title = (SELECT 'é' WHERE true) WHERE \"A \"\"b\".title = '' OR excluded.title <> '%%' -- WHERE\n RETURNING id;",
    f"WITH new AS (INSERT INTO accounts_ticket {TICKETS} ON CONFLICT (tenant_id, id) DO UPDATE "
    "SET (title, status) = ROW ('x', excluded.status) RETURNING id) SELECT id FROM new",
    f"INSERT INTO accounts_ticket AS k {TICKETS} ON CONFLICT (tenant_id, external_id) DO UPDATE "
    "SET title = CASE WHEN k.title = %(text)s THEN 'x' ELSE 'y' END RETURNING id",
    "INSERT INTO usage_day AS d (tenant_id, account_id, day, \"values\") SELECT %(tenant)s, account_id, '2026-01-01', '{2}' "
    'FROM copied ON CONFLICT (tenant_id, account_id, day) DO UPDATE SET "values"[1] = 2 RETURNING account_id',
]


@pytest.mark.django_db
@pytest.mark.parametrize("statement", OVERWRITES)
def test_rows_of_others_are_not_changed_by_an_insert_that_meets_them(
    acme: Tenant, eyes: Visibility, statement: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copied ON COMMIT DROP AS SELECT * FROM accounts_ticket")
    assert len(answers(statement, acme, eyes)) == 1
    assert len(answers(statement, acme, EVERYTHING)) == 3


@pytest.mark.django_db
def test_the_orms_own_upserts_are_narrowed(acme: Tenant, eyes: Visibility) -> None:
    def rows() -> list[Ticket]:
        return [Ticket(tenant=acme, external_id=one.external_id, account=one.account, title="x", opened_at=one.opened_at)
                for one in before]  # fmt: skip

    before = list(Ticket.objects.select_related("account"))
    for seen, changed in ((eyes, 1), (EVERYTHING, 3)):
        with seeing(seen):
            Ticket.objects.bulk_create(
                rows(),
                update_conflicts=True,
                unique_fields=["tenant", "external_id"],
                update_fields=["title"],
            )
        assert Ticket.objects.filter(title="x").count() == changed


@pytest.mark.django_db
def test_raw_cursors_copy_and_streams_are_narrowed_too(acme: Tenant, eyes: Visibility) -> None:
    target = io.StringIO()
    with seeing(eyes):
        with connection.cursor() as cursor:
            cursor.copy_expert("COPY (SELECT name FROM accounts_account) TO STDOUT", target)
            with pytest.raises(Unnarrowable):
                cursor.copy_expert("COPY accounts_account TO STDOUT", io.StringIO())
            with pytest.raises(Unnarrowable):
                cursor.copy_to(io.StringIO(), "accounts_account")
        with connection.connection.cursor() as raw:
            raw.execute("SELECT name FROM accounts_account")
            assert raw.fetchall() == [("carls",)]
        assert [one.name for one in Account.objects.iterator(chunk_size=1)] == ["carls"]
    assert target.getvalue() == "carls\n"
