"""Metrics defined by SQL: computed every night, kept for past days, tried before they are saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant, Ticket
from scoring.models import Measure, ScoreModel
from scoring.services import DefinitionError, create_draft, install_templates, publish_version, score_accounts
from usage.models import Metric
from usage.selectors import metric_values
from usage.services import (
    create_metric,
    edit_metric,
    evaluate_sql_metrics,
    install_starter_metrics,
    rebuild,
    try_query,
)

OPENED = (
    "select a.account_id, count(t.account_id) from accounts a left join tickets t on t.account_id = a.account_id "
    "and t.opened_at > now() - interval '30 days' group by 1"
)
BROKEN = "select account_id, 1 / (mrr_cents - mrr_cents) from accounts"


@pytest.fixture
def company(acme: Tenant) -> Tenant:
    """Two accounts with one and two tickets, and the metrics that everybody has."""
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
        for n in (1, 2):
            account = Account.objects.create(
                external_id=f"a{n}", name=f"A{n}", first_seen_on=acme.today() - timedelta(days=90)
            )
            for m in range(n):
                Ticket.objects.create(
                    account=account, external_id=f"t{n}{m}", opened_at=timezone.now() - timedelta(days=3)
                )
    return acme


def define(tenant: Tenant, query: str = OPENED, key: str = "tickets_opened", **fields: Any) -> Metric:
    with tenant_scope(tenant):
        return create_metric(
            tenant=tenant,
            fields={"key": key, "name": "Tickets opened", "kind": "sql", "query": query, **fields},
        )


def evaluated(tenant: Tenant, ago: int = 0) -> int:
    with tenant_scope(tenant):
        return evaluate_sql_metrics(tenant=tenant, day=tenant.today() - timedelta(days=ago))


def stored(tenant: Tenant, ago: int = 0, key: str = "tickets_opened") -> list[float | None]:
    """What the rollup has of the metric on a day, account by account."""
    day = tenant.today() - timedelta(days=ago)
    with tenant_scope(tenant):
        found = metric_values(tenant, [key], day, window_days=1)
        return [found[pk][key] for pk in Account.objects.order_by("external_id").values_list("pk", flat=True)]


def test_the_night_stores_a_value_per_account(company: Tenant) -> None:
    metric = define(company)
    assert evaluated(company) == 1
    assert stored(company) == [1.0, 2.0]
    with tenant_scope(company):
        metric.refresh_from_db()
    assert (metric.query_error, metric.query_ran_at is not None) == ("", True)


def test_the_day_is_the_one_that_is_scored(company: Tenant) -> None:
    define(company, "select account_id, current_date - date '2000-01-01' from accounts")
    evaluated(company, ago=1)
    day = company.today() - timedelta(days=1)
    assert stored(company, ago=1) == [float((day - day.replace(year=2000, month=1, day=1)).days)] * 2


def test_a_past_day_keeps_what_was_stored(company: Tenant) -> None:
    define(company)
    evaluated(company)
    with tenant_scope(company):
        Ticket.objects.all().delete()
    assert evaluated(company, ago=2) == 0
    assert (stored(company), stored(company, ago=2)) == ([1.0, 2.0], [None, None])
    evaluated(company)
    assert stored(company) == [0.0, 0.0]  # the running day is computed anew


def test_an_account_that_the_query_names_no_more_loses_its_value_of_the_day(company: Tenant) -> None:
    define(company, "select account_id, count(*) from tickets group by 1")
    evaluated(company)
    with tenant_scope(company):
        Ticket.objects.filter(account__external_id="a2").delete()
    evaluated(company)
    assert stored(company) == [1.0, None]


def test_a_query_that_fails_leaves_the_day_empty_and_says_why(company: Tenant) -> None:
    metric = define(company)
    define(company, BROKEN, key="broken")
    evaluated(company)
    with tenant_scope(company):
        Metric.objects.filter(pk=metric.pk).update(query=BROKEN)
    assert evaluated(company) == 0
    assert (stored(company), stored(company, key="broken")) == ([None, None], [None, None])
    with tenant_scope(company):
        assert "divides by zero" in Metric.objects.get(pk=metric.pk).query_error


def test_a_changed_query_takes_a_new_slot_and_the_old_days_stay_its_own(company: Tenant) -> None:
    metric = define(company)
    evaluated(company)
    slot = metric.slot
    with tenant_scope(company):
        edited = edit_metric(
            tenant=company, metric=metric, fields={"query": OPENED.replace("30 days", "1 day")}
        )
        assert edited.slot != slot
        same = edit_metric(tenant=company, metric=edited, fields={"name": "Another name"})
        assert same.slot == edited.slot
    assert stored(company) == [None, None]
    evaluated(company)
    assert stored(company) == [0.0, 0.0]


def test_rebuilding_from_events_leaves_the_values_alone(company: Tenant) -> None:
    define(company)
    evaluated(company)
    with tenant_scope(company):
        rebuild(tenant=company, days=(company.today(), company.today()))
    assert stored(company) == [1.0, 2.0]


def test_a_switched_off_metric_is_not_computed(company: Tenant) -> None:
    define(company, active=False)
    assert evaluated(company) == 0


@pytest.mark.parametrize(
    ("fields", "at", "words"),
    [
        ({"kind": "sql", "query": ""}, "query", "Write a SELECT"),
        ({"kind": "sql", "query": "delete from accounts"}, "query", "exactly one SELECT"),
        ({"kind": "sql", "query": "select account_id, 1 from accounts_user"}, "query", "There is no view"),
        ({"kind": "pushed", "query": "select 1"}, "query", "Only the kind “SQL query” has a query."),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(
    company: Tenant, fields: dict[str, str], at: str, words: str
) -> None:
    with tenant_scope(company), pytest.raises(ValidationError) as error:
        create_metric(tenant=company, fields={"key": "x", "name": "X", **fields})
    assert words in " ".join(error.value.message_dict[at])


def test_trying_shows_twenty_rows_and_keeps_nothing(company: Tenant) -> None:
    with tenant_scope(company):
        for n in range(30):
            Account.objects.create(external_id=f"b{n}", name=f"B{n}")
        trial = try_query(tenant=company, text=OPENED)
        assert (len(trial.rows), trial.accounts, trial.missing) == (20, 32, 0)
        assert trial.rows[:2] == [("a1", "A1", 1.0), ("a2", "A2", 2.0)]
        assert (trial.low, trial.mean, trial.high) == (0.0, 3 / 32, 2.0)
        with translation.override("es"):
            assert "divide entre cero" in try_query(tenant=company, text=BROKEN).problem
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM usage_day WHERE tenant_id = %s", [company.pk])
            assert cursor.fetchone() == (0,)


def test_the_number_of_statements_does_not_depend_on_the_number_of_accounts(company: Tenant) -> None:
    define(company)
    counts = []
    for made in (0, 20):
        with tenant_scope(company):
            for n in range(made):
                Account.objects.create(external_id=f"b{n}", name=f"B{n}")
            with CaptureQueriesContext(connection) as seen:
                evaluate_sql_metrics(tenant=company, day=company.today())
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_model_may_measure_it_and_is_not_published_while_it_fails(company: Tenant) -> None:
    metric = define(company)
    with tenant_scope(company):
        install_templates(tenant=company)
        draft = create_draft(tenant=company, model=ScoreModel.objects.get(key="plg"))
        measure = Measure.objects.get(component__version=draft, metric_key="failed_charges")
        measure.metric_key, measure.aggregate = "tickets_opened", "latest"
        measure.scale_kind, measure.scale_params = "linear", {"worst": 4, "best": 0}
        measure.save()
        Metric.objects.filter(pk=metric.pk).update(query=BROKEN)
        with pytest.raises(DefinitionError) as refused:
            publish_version(tenant=company, version=draft)
        assert refused.value.problems[0][0] == "payment.tickets_opened"
        assert "divides by zero" in refused.value.problems[0][1]
        Metric.objects.filter(pk=metric.pk).update(query=OPENED)
        publish_version(tenant=company, version=draft)
        evaluate_sql_metrics(tenant=company, day=company.today())
        score_accounts(tenant=company, day=company.today(), kinds=["health"])
        from scoring.models import CurrentScore

        raws = CurrentScore.objects.filter(kind=1).order_by("account_id").values_list("raw", flat=True)
        assert [raw[-1] for raw in raws] == [1.0, 2.0]


def test_the_form_tries_and_saves(company: Tenant, alice: Membership) -> None:
    client = Client()
    client.force_login(alice.user)
    form = {"name": "Opened", "key": "opened", "kind": "sql", "query": OPENED, "decimals": 0, "hold_days": 7,
            "grace_days": 0, "higher_is_better": "on", "active": "on", "events": ""}  # fmt: skip
    path = "/t/acme/admin/usage/metric/add/"
    assert "What a query may read" in client.get(path).text
    tried = client.post(path, {**form, "_try": "Try it"})
    assert tried.status_code == 200
    assert "2 accounts, 0 of them without a value" in tried.text
    assert "interval &#x27;30 days&#x27;" in tried.text  # what was typed is still there
    assert "errornote" not in tried.text
    with tenant_scope(company):
        assert not Metric.objects.filter(key="opened").exists()
    broken = client.post(path, {**form, "query": BROKEN, "_try": "Try it"})
    assert "divides by zero" in broken.text
    assert client.post(path, {**form, "query": "drop table x"}).status_code == 200
    assert client.post(path, {**form, "_save": "Save"}).status_code == 302
    with tenant_scope(company):
        metric = Metric.objects.get(key="opened")
        Metric.objects.filter(pk=metric.pk).update(query=BROKEN)
        evaluate_sql_metrics(tenant=company, day=company.today())
    page = client.get(f"/t/acme/admin/usage/metric/{metric.pk}/change/").text
    assert "failed, so that day has no values" in page


def test_a_query_that_fails_or_runs_long_is_not_saved(
    company: Tenant, alice: Membership, settings: Any
) -> None:
    client = Client()
    client.force_login(alice.user)
    form = {"name": "Opened", "key": "opened", "kind": "sql", "query": BROKEN, "decimals": 0, "hold_days": 7,
            "grace_days": 0, "higher_is_better": "on", "active": "on", "events": "", "_save": "Save"}  # fmt: skip
    path = "/t/acme/admin/usage/metric/add/"
    assert "divides by zero" in client.post(path, form).text
    settings.SQL_METRIC_SECONDS = 0.05
    crossed = ", ".join(f"accounts a{n}" for n in range(24))
    slow = client.post(path, {**form, "query": f"select 1, count(*) from {crossed}"})
    assert "took longer than 0.05 seconds" in slow.text
    with tenant_scope(company):
        assert not Metric.objects.filter(key="opened").exists()
