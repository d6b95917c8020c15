"""Reading an admin's SQL: what may be written, what is refused and why, and what is sent instead."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from usage.sql import VIEWS, SqlRefused, read_sql
from usage.sql.check import every_node

DAY, MOMENT = date(2026, 1, 2), datetime(2026, 1, 3, tzinfo=UTC)


def sent(text: str) -> str:
    return read_sql(text, DAY, MOMENT).sql


def refused(text: str) -> str:
    with pytest.raises(SqlRefused) as error:
        read_sql(text, DAY, MOMENT)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "select account_id, count(*) from tickets group by 1;",
            "SELECT account_id, count(*) FROM query.tickets GROUP BY 1",
        ),
        (
            "select account_id, current_date - max(day) from usage_days -- how long ago\nwhere metric = 'sends' group by 1",
            "SELECT account_id, CAST('2026-01-02' AS date) - max(day) FROM query.usage_days "
            "WHERE metric = 'sends' GROUP BY 1",
        ),
        (
            "select account_id, 1 from tickets where opened_at > now() - interval '3 days'",
            "SELECT account_id, 1 FROM query.tickets "
            "WHERE opened_at > CAST('2026-01-03T00:00:00+00:00' AS timestamp with time zone) - CAST('3 days' AS interval)",
        ),
    ],
)
def test_the_text_is_written_anew_with_views_and_the_day_put_in(text: str, expected: str) -> None:
    assert sent(text).replace("pg_catalog.", "") == expected


@pytest.mark.parametrize(
    "text",
    [
        "select a.account_id, count(t.account_id) filter (where t.resolved_at is null) from accounts a "
        "left join tickets t using (account_id) group by 1",
        "with x as (select account_id, extract(epoch from age(now(), opened_at)) / 3600 as h from tickets) "
        "select account_id, percentile_cont(0.5) within group (order by h) from x group by account_id",
        "select account_id, (case when mrr_cents > 100 then 1 else 0 end)::numeric(10, 2) from accounts "
        "where tags @> array['x'] and custom ->> 'tier' = 'gold'",
        "select account_id, 1 from accounts union all select account_id, 2 from tickets",
        "select account_id, row_number() over (partition by segment order by mrr_cents desc) from accounts",
        "select account_id, 1 from accounts a where exists (select 1 from contacts c where c.account_id = a.account_id)",
        "select distinct on (account_id) account_id, mrr_cents from subscriptions order by account_id, starts_on desc",
        "select s.account_id, s.n from (select account_id, count(*) as n from events group by 1) as s where s.n > 3",
        "select account_id, coalesce(sum(value) / nullif(count(*), 0), greatest(1, 2)) from usage_days "
        "where day between current_date - 30 and current_date and metric in ('a', 'b') group by 1 having sum(value) > 3",
        "select account_id, position('a' in name) + length(substring(name from 1 for 3)) from accounts",
        "select account_id, 1 from tickets where opened_at at time zone 'utc' > date '2026-01-01' and status not like 'x%'",
    ],
)
def test_what_people_need_is_allowed(text: str) -> None:
    assert sent(text).startswith(("SELECT", "WITH"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write a SELECT with two columns"),
        ("selec account_id", "Line 1, column 1: This is not SQL: syntax error at or near"),
        ("select account_id,\n  count(* from tickets", "Line 2, column 11: This is not SQL"),
        ("select account_id, 1 from accounts; select account_id, 2 from accounts", "exactly one SELECT"),
        ("delete from accounts", "exactly one SELECT"),
        ("copy accounts to stdout", "exactly one SELECT"),
        ("do $$ begin end $$", "exactly one SELECT"),
        ("set app.tenant_id = 2", "exactly one SELECT"),
        ("explain select 1, 2", "exactly one SELECT"),
        (
            "with d as (delete from accounts returning 1) select account_id, 1 from accounts",
            "Only SELECT may stand in WITH",
        ),
        ("select account_id, 1 into loot from accounts", "leave INTO out"),
        ("select account_id, 1 from accounts for update", "lock rows"),
        (
            "with recursive r as (select 1 as n union all select n + 1 from r) select n, n from r",
            "WITH RECURSIVE",
        ),
        (
            "select account_id, 1 from accounts_account",
            "There is no view “accounts_account”. There are: accounts, contacts",
        ),
        ("select account_id, 1 from query.accounts", "without a schema"),
        ("select account_id, 1 from pg_catalog.pg_class", "without a schema"),
        ("select oid, 1 from pg_class", "There is no view “pg_class”"),
        ("select * from accounts", "exactly two columns"),
        ("select account_id from accounts", "exactly two columns"),
        ("select account_id, 1, 2 from accounts", "exactly two columns"),
        ("table accounts", "exactly two columns"),
        (
            "select account_id, tier from accounts",
            "There is no column “tier”. accounts: account_id, external_id, name",
        ),
        ("select account_id, a.pg_typeof from accounts a", "There is no column “pg_typeof”"),
        (
            "select account_id, (a).row_to_json from accounts a",
            "This part of SQL cannot be used here (A_Indirection)",
        ),
        ("select account_id, count(a) from accounts a group by 1", "There is no column “a”"),
        ("select account_id, public.accounts.mrr_cents from accounts", "view.name"),
        ("select account_id, $1 from accounts", "(ParamRef)"),
        ("select account_id, current_user from accounts", "Only CURRENT_DATE"),
        ("select account_id, localtimestamp from accounts", "Only CURRENT_DATE"),
        ("select account_id, 1 from accounts tablesample system (1)", "(RangeTableSample)"),
        ("select account_id, 1 from accounts, generate_series(1, 10)", "(RangeFunction)"),
        ("select account_id, 1 from accounts where name ~ 'x'", "The operator ~ cannot be used here"),
        ("select account_id, 1 from accounts where 1 operator(public.=) 1", "The operator public.= cannot"),
        ("select account_id, 'pg_authid'::regclass from accounts", "The type regclass cannot be used here"),
        ("select account_id, mrr_cents::public.money from accounts", "The type public.money"),
        ("select account_id, 1 from accounts where name collate \"C\" = 'x'", "(CollateClause)"),
        ("select account_id, xmlelement(name x) from accounts", "(XmlExpr)"),
        ("select account_id, row(1, 2) from accounts", "(RowExpr)"),
        ("select account_id, 1 from accounts where x = 1 and y = 2", "There is no column “y”"),
        (
            "with accounts as (select 1 as account_id) select account_id, 1 from accounts",
            "is the name of a view",
        ),
        ("select account_id, 1 from accounts\0", "at most 10000 characters"),
        ("select account_id, 1 " + " " * 10_000 + "from accounts", "at most 10000 characters"),
    ],
)
def test_what_is_refused_says_why(text: str, words: str) -> None:
    assert words in refused(text)


@pytest.mark.parametrize(
    "call",
    [
        "set_config('app.tenant_id', '2', true)",
        "pg_catalog.set_config('app.tenant_id', '2', true)",
        "current_setting('app.tenant_id')",
        "public.app_tenant()",
        "app_tenant()",
        "query_to_xml('select 1', true, true, '')",
        "pg_sleep(60)",
        "pg_read_file('/etc/passwd')",
        "pg_ls_dir('/')",
        "lo_import('/etc/passwd')",
        "lo_create(1)",
        "dblink('x', 'y')",
        "pg_terminate_backend(1)",
        "pg_advisory_lock(1)",
        "pg_notify('a', 'b')",
        "nextval('accounts_account_id_seq')",
        "txid_current()",
        "repeat('x', 1000000000)",
        "string_agg(name, '')",
        "array_agg(name)",
        "random()",
        "ts_stat('select 1')",
        "to_regclass('x')",
        "count(variadic array[1])",
    ],
)
def test_only_functions_of_the_list_may_be_called(call: str) -> None:
    words = refused(f"select account_id, {call} from accounts group by 1")
    assert "cannot be used here. There are: abs, age, array_length" in words


def test_a_query_too_deep_for_the_parser_is_refused_in_words() -> None:
    words = refused("select account_id, " + "abs(" * 1500 + "1" + ")" * 1500 + " from accounts")
    assert "deep" in words or "not SQL" in words


def test_what_is_sent_reads_as_what_was_checked() -> None:
    from pglast import parse_sql

    text = sent("select account_id, 'a''b; drop table x' || E'\\n' from accounts where \"name\" = $$it's$$")
    tree = parse_sql(text)[0].stmt
    assert [type(node).__name__ for node in every_node(tree)].count("SelectStmt") == 1
    assert "drop table x" in text  # as a text, still inside its quotes
    assert len(parse_sql(text)) == 1


def test_every_view_names_what_it_is_made_of() -> None:
    assert {view.name for view in VIEWS} == {
        "accounts", "contacts", "subscriptions", "tickets", "invoices", "usage_days", "events",
    }  # fmt: skip
    for view in VIEWS:
        assert "tenant_id" not in view.columns
        assert all("tenant_id" in columns for _table, columns in view.reads)
