"""Running an admin's SQL: another company's rows cannot be had, nothing is written, what goes wrong is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.fence.audit import violations
from accounts.fence.querying import QUERY_SCHEMA
from accounts.fence.scope import NoTenant, tenant_scope
from accounts.models import Account, Contact, Invoice, Subscription, Tenant, Ticket
from usage.services import install_starter_metrics, write_state_values
from usage.sql import VIEWS, QueryResult, SqlFailed, run_sql
from usage.sql.run import as_query_role
from usage.sql.views import columns_read

PER_ACCOUNT = "select a.account_id, count(t.account_id) from accounts a left join tickets t using (account_id) group by 1"


@pytest.fixture
def companies(acme: Tenant, rival: Tenant) -> dict[str, list[int]]:
    """Three accounts with 0, 1, 2 tickets in each of two companies."""
    made: dict[str, list[int]] = {}
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            install_starter_metrics(tenant=tenant)
            accounts = [
                Account.objects.create(
                    external_id=f"{tenant.slug}-{n}", name=f"{tenant.slug} {n}", mrr_cents=100 * n
                )
                for n in range(3)
            ]
            for n, account in enumerate(accounts):
                Contact.objects.create(account=account, user_id=f"u{n}")
                Subscription.objects.create(account=account, external_id=f"s{n}", mrr_cents=n)
                Invoice.objects.create(account=account, external_id=f"i{n}", amount_cents=n)
                for m in range(n):
                    Ticket.objects.create(
                        account=account,
                        external_id=f"t{n}-{m}",
                        opened_at=timezone.now() - timedelta(days=m + 1),
                    )
            write_state_values(
                tenant=tenant,
                day=tenant.today(),
                values={"open_tickets": {account.pk: float(n) for n, account in enumerate(accounts)}},
            )
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO usage_event (tenant_id, account_id, name, occurred_at, day, received_at, source, key, "
                    "by_membership) SELECT %s, a, 'secret', now(), %s, now(), 's', gen_random_uuid(), false "
                    "FROM unnest(%s) AS a",
                    [tenant.pk, tenant.today(), [account.pk for account in accounts]],
                )
        made[tenant.slug] = [account.pk for account in accounts]
    return made


def run(tenant: Tenant, text: str) -> QueryResult:
    with tenant_scope(tenant):
        return run_sql(tenant, text, tenant.today(), timezone.now())


def failed(tenant: Tenant, text: str) -> str:
    with pytest.raises(SqlFailed) as error:
        run(tenant, text)
    return str(error.value)


def test_a_query_gives_one_number_per_account(acme: Tenant, companies: dict[str, list[int]]) -> None:
    found = run(acme, PER_ACCOUNT)
    assert found.values == dict(zip(companies["acme"], [0.0, 1.0, 2.0], strict=True))
    assert found.seconds >= 0


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
def test_every_view_shows_the_scope_s_company_and_no_other(
    view: str, acme: Tenant, rival: Tenant, companies: dict[str, list[int]]
) -> None:
    for tenant in (acme, rival):
        found = run(tenant, f"select account_id, count(*) from {view} group by account_id")
        assert set(found.values) <= set(companies[tenant.slug])
        assert len(found.values) >= 2  # the positive control: its own rows are there


def test_usage_days_have_the_values_of_slots_by_metric(acme: Tenant, companies: dict[str, list[int]]) -> None:
    found = run(
        acme, "select account_id, value from usage_days where metric = 'open_tickets' and day = current_date"
    )
    assert found.values == dict(zip(companies["acme"], [0.0, 1.0, 2.0], strict=True))


@pytest.fixture
def role(acme: Tenant, companies: dict[str, list[int]]) -> Iterator[Any]:
    """A cursor as the query's role in acme's scope, with no check of the text before it: what if one got through."""
    with tenant_scope(acme), as_query_role(5) as cursor:
        yield cursor


def refused_by_the_server(cursor: Any, statement: str) -> str:
    with pytest.raises(DatabaseError) as error:
        cursor.execute(statement)
        cursor.fetchall()
    return str(error.value)


@pytest.mark.parametrize(
    ("trick", "words"),
    [
        (
            "SELECT set_config('app.tenant_id', '%(other)s', true)",
            "permission denied for function set_config",
        ),
        ("SELECT pg_catalog.set_config('role', 'cs_web', true)", "permission denied for function set_config"),
        (
            "SELECT query_to_xml($$SELECT set_config('app.tenant_id', '1', true)$$, true, true, '')",
            "permission denied",
        ),
        (
            "SELECT * FROM ts_stat($$SELECT set_config('app.tenant_id', '1', true)::tsvector$$)",
            "permission denied",
        ),
        ("SELECT title FROM public.accounts_ticket", "permission denied for table accounts_ticket"),
        ("SELECT traits FROM public.accounts_contact", "permission denied for table accounts_contact"),
        ("SELECT email FROM public.accounts_user", "permission denied for table accounts_user"),
        ("SELECT * FROM public.accounts_tenant", "permission denied for table accounts_tenant"),
        ("SELECT * FROM public.accounts_apikey", "permission denied for table accounts_apikey"),
        ("SELECT * FROM public.scoring_score", "permission denied for table scoring_score"),
        ("SELECT * FROM public.usage_event_default", "permission denied for table usage_event_default"),
        ("SELECT * FROM pg_catalog.pg_authid", "permission denied for table pg_authid"),
        ("SELECT pg_read_file('/etc/passwd')", "permission denied for function pg_read_file"),
        ("SELECT nextval('public.accounts_account_id_seq')", "permission denied for sequence"),
        ("UPDATE public.accounts_account SET name = 'x'", "read-only transaction"),
        ("INSERT INTO query.accounts (name) VALUES ('x')", "permission denied for view accounts"),
        ("CREATE TABLE query.loot (id int)", "read-only transaction"),
        ("CREATE TEMPORARY TABLE loot (id int)", "read-only transaction"),
        ("SELECT lo_create(0)", "read-only transaction"),
        ("COPY public.accounts_account TO PROGRAM 'cat'", "permission denied"),
        ("SET LOCAL transaction_read_only = off", "cannot set transaction read-write mode"),
        ("SELECT pg_sleep(20)", "statement timeout"),
    ],
)
def test_the_role_alone_stops_what_the_check_would_have_refused(
    role: Any, rival: Tenant, trick: str, words: str
) -> None:
    if "pg_sleep" in trick:
        role.execute("SET LOCAL statement_timeout = '50ms'")
    assert words in refused_by_the_server(role, trick % {"other": rival.pk} if "%(" in trick else trick)


def test_the_role_sees_no_row_of_another_company_in_the_tables_behind_the_views(
    role: Any, acme: Tenant, rival: Tenant
) -> None:
    for table in sorted(columns_read()):
        role.execute(f"SELECT DISTINCT tenant_id FROM public.{table}")
        assert role.fetchall() == [(acme.pk,)]
        role.execute(f"SELECT count(*) FROM public.{table} WHERE tenant_id = {rival.pk}")
        assert role.fetchone() == (0,)


def test_even_a_statement_that_changed_the_tenant_leaves_no_trace(acme: Tenant, rival: Tenant) -> None:
    """SET is a statement, and only one SELECT is ever sent; if it were sent, the savepoint would take it back."""
    with tenant_scope(acme):
        with as_query_role(5) as cursor:
            cursor.execute(f"SET LOCAL app.tenant_id = '{rival.pk}'")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('app.tenant_id'), current_user, current_setting('transaction_read_only'), "
                "current_setting('search_path'), current_setting('statement_timeout')"
            )
            tenant, user, read_only, path, timeout = cursor.fetchone()
    assert (tenant, user, read_only) == (str(acme.pk), "cs_web", "off")
    assert (path, timeout) == ('"$user", public', "15s")


def test_the_scope_goes_on_after_a_query_that_failed(acme: Tenant, companies: dict[str, list[int]]) -> None:
    with tenant_scope(acme):
        Account.objects.filter(external_id="acme-0").update(name="before")
        with pytest.raises(SqlFailed):
            run_sql(
                acme,
                "select account_id, 1 / (mrr_cents - mrr_cents) from accounts",
                acme.today(),
                timezone.now(),
            )
        Account.objects.filter(external_id="acme-1").update(name="after")
    with tenant_scope(acme):
        assert set(Account.objects.values_list("name", flat=True)) == {"before", "after", "acme 2"}


def test_without_a_scope_there_is_no_query(acme: Tenant) -> None:
    with pytest.raises(NoTenant), as_query_role(1):
        pass


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "select account_id, 1 / (mrr_cents - mrr_cents) from accounts",
            "divides by zero. Write the divisor as nullif",
        ),
        (
            "select account_id, name from accounts",
            "The columns must be account_id and a number: invalid input syntax",
        ),
        ("select account_id, mrr_cents > 0 from accounts", "cannot cast type boolean to double precision"),
        ("select name, 1 from accounts", "invalid input syntax for type bigint"),
        (
            "select account_id, mrr_cents from tickets",
            "The views have: tickets: account_id, external_id, status",
        ),
        ("select account_id, max(mrr_cents) from accounts", "must appear in the GROUP BY clause"),
        ("select account_id, 1 from tickets", "several rows for 1 accounts (acme 2 …); it must give one"),
        ("select account_id + 1000000, 1 from accounts", "3 rows name no account"),
        ("select parent_id, 1 from accounts", "rows without an account"),
        ("select account_id, 1e308::float8 from accounts", "no finite number"),
        ("select account_id, status - 1 from tickets", "operator does not exist"),
    ],
)
def test_what_goes_wrong_is_said_with_how_to_mend_it(
    acme: Tenant, companies: dict[str, list[int]], text: str, words: str
) -> None:
    assert words in failed(acme, text)


def test_a_query_that_runs_long_is_stopped(
    acme: Tenant, companies: dict[str, list[int]], settings: Any
) -> None:
    settings.SQL_METRIC_SECONDS = 0.05
    crossed = ", ".join(f"accounts a{n}" for n in range(14))
    assert "took longer than 0.05 seconds" in failed(acme, f"select 1, count(*) from {crossed}")


def test_a_query_with_too_many_rows_is_refused(
    acme: Tenant, companies: dict[str, list[int]], settings: Any
) -> None:
    settings.SQL_METRIC_ROWS = 2
    assert "more than 2 rows" in failed(acme, "select account_id, 1 from accounts")
    settings.SQL_METRIC_ROWS = 3
    assert len(run(acme, "select account_id, 1 from accounts").values) == 3


def test_the_views_have_the_columns_that_are_said_and_need_those_that_are_granted(acme: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns "
            "WHERE table_schema = %s GROUP BY 1",
            [QUERY_SCHEMA],
        )
        # information_schema shows what one may see; the web role sees no view.
        assert cursor.fetchall() == []
        cursor.execute(
            "SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relnamespace = %s::regnamespace GROUP BY 1",
            [QUERY_SCHEMA],
        )
        assert dict(cursor.fetchall()) == {view.name: list(view.columns) for view in VIEWS}
        assert violations(cursor) == []


def test_the_serving_role_has_nothing_of_the_query_s(acme: Tenant, companies: dict[str, list[int]]) -> None:
    with tenant_scope(acme):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            Account.objects.raw("SELECT account_id AS id FROM query.accounts")[0]
        assert Account.objects.count() == 3
