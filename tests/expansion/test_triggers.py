"""From what customers do to an opportunity: each trigger fires once with its evidence, and one that must not."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Tenant, TimelineEntry
from expansion.models import Offering, Opportunity, StageChange, Trigger
from expansion.services import evaluate_expansion, install_expansion, lose_opportunity
from expansion.triggers.looking import phrase_pattern
from outreach.models import Notification
from playbooks.models import PlaybookVersion, Run
from tests.expansion.conftest import Growth
from tests.pql.conftest import Leads, leads  # noqa: F401  # a fixture of theirs
from workspace.services.notes import add_note


def test_roi_over_the_amount_month_after_month(growth: Growth) -> None:
    steady, dipped, young = (growth.account(key) for key in ("steady", "dipped", "young"))
    growth.push(steady, "roi_cents", d80=520_000, d50=600_000, d10=700_000)
    growth.push(
        dipped, "roi_cents", d80=900_000, d50=500_000, d10=900_000
    )  # exactly the amount is not over it
    growth.push(young, "roi_cents", d50=900_000, d10=900_000)
    assert growth.night().by_trigger == {"roi_sustained": 1}
    assert growth.found() == [("steady", "cross_product", "course", "case")]
    one = growth.only()
    assert one.evidence == {
        "trigger": "roi_sustained",
        "metric": "roi_cents",
        "at_least": 500_000,
        "periods": 3,
        "values": [
            {"on": growth.ago(80).isoformat(), "value": 520_000},
            {"on": growth.ago(50).isoformat(), "value": 600_000},
            {"on": growth.ago(10).isoformat(), "value": 700_000},
        ],
    }
    assert (one.roi_cents, one.value_cents, one.net_cents, one.probability_pct) == (
        700_000,
        40_000,
        40_000,
        10,
    )
    assert (one.opened_by, one.owner, one.opened_on) == ("trigger", growth.members["carl"], growth.today)
    assert growth.night().opened == 0  # the same night again
    growth.push(steady, "roi_cents", d0=800_000)
    assert growth.night().opened == 0  # more of the same while it is open
    with tenant_scope(growth.tenant):
        assert StageChange.objects.values_list("before", "after", "value_cents").get() == ("", "case", 40_000)
        entry = TimelineEntry.objects.get(kind="opportunity_opened")
        assert (entry.title, entry.data) == ("Course: ROI sustained", {"opportunity": one.pk})
        assert Notification.objects.get().title == "1 new opportunity to expand"


def test_winning_variants_that_are_stable(growth: Growth) -> None:
    stable, lately = growth.account("stable"), growth.account("lately")
    growth.events(stable, "Variant Won", 3, 9, 30, 45)
    growth.events(lately, "Variant Won", 1, 2, 3, 4, 40)  # one in the stretch before
    assert growth.night().by_trigger == {"winners_stable": 1}
    assert growth.found() == [("stable", "cross_department", "dept_sales", "case")]
    values = growth.only().evidence["values"]
    assert [value["value"] for value in values] == [2, 2]
    assert growth.night().opened == 0


def test_the_team_asks_by_event_by_tag_and_by_note(growth: Growth) -> None:
    by_event, _by_tag, by_note, quiet = (growth.account(key) for key in ("event", "tag", "note", "quiet"))
    growth.events(by_event, "Seats Requested", 2)
    growth.events(quiet, "Seats Requested", 20)  # too long ago
    growth.post(
        "tickets/bulk",
        {
            "items": [
                ticket("t1", "tag", growth, title="Could we have ten more?", tags=["More-Seats"]),
                ticket("t2", "quiet", growth, title="More seats", tags=["billing"]),
            ]
        },
    )
    with tenant_scope(growth.tenant):
        add_note(
            tenant=growth.tenant,
            actor=growth.members["carl"],
            account=by_note,
            text="Good call\nTheir other\nteam would like MORE  seats by May",
        )
        add_note(
            tenant=growth.tenant, actor=growth.members["carl"], account=quiet, text="An upgrader, no more"
        )
    assert growth.night().by_trigger == {"asks_for_more": 3}
    assert sorted(row[0] for row in growth.found()) == ["event", "note", "tag"]
    with tenant_scope(growth.tenant):
        asks = {
            one.account.external_id: one.evidence["asks"][0]
            for one in Opportunity.objects.select_related("account")
        }
    assert asks["event"]["text"] == "reach_requests"
    assert (asks["tag"]["source"], asks["tag"]["text"]) == ("ticket", "Could we have ten more?")
    assert (asks["note"]["source"], asks["note"]["text"]) == ("note", "Good call")
    assert asks["event"]["on"] == growth.ago(2).isoformat()
    assert growth.night().opened == 0


def ticket(key: str, account: str, growth: Growth, **more: object) -> dict[str, object]:
    opened = datetime.combine(growth.ago(1), time(9), tzinfo=UTC)
    return {"external_id": key, "account_id": account, "opened_at": opened.isoformat(), **more}


def test_a_limit_by_seats_in_use_or_by_running_into_it(growth: Growth) -> None:
    full, roomy, blocked = (
        growth.account("full", seats=2),
        growth.account("roomy", seats=9),
        growth.account("hit"),
    )
    people = [
        {"event": "Work", "account_id": key, "user_id": f"{key}{n}", "event_id": f"{key}{n}"}
        for key in ("full", "roomy")
        for n in range(2)
    ]
    growth.post("events", {"events": people})
    growth.events(blocked, "Limit Reached", 1, 2, 3)
    with tenant_scope(growth.tenant):  # the shipped play asks for a health band, which nobody has here
        PlaybookVersion.objects.filter(playbook__key="expansion_sequence").update(entry={})
    summary = growth.night()
    assert (summary.by_trigger, summary.runs) == ({"limit_reached": 2}, 2)
    with tenant_scope(growth.tenant):
        by_seats = Opportunity.objects.get(account=full)
        by_hits = Opportunity.objects.get(account=blocked)
        assert not Opportunity.objects.filter(account=roomy).exists()
        # The known gap: what was detected starts the shipped play, once.
        assert sorted(Run.objects.values_list("account__external_id", "playbook__key")) == [
            ("full", "expansion_sequence"),
            ("hit", "expansion_sequence"),
        ]
        assert by_seats.run_id == Run.objects.get(account=full).pk
    assert (by_seats.what, by_seats.seats, by_seats.value_cents) == (
        "seats",
        1,
        100_000,
    )  # a seat at what two cost
    assert by_seats.evidence["values"] == [{"on": growth.today.isoformat(), "value": 100}]
    assert (by_hits.evidence["metric"], by_hits.evidence["values"][0]["value"]) == ("limit_hits", 3)
    assert growth.night().opened == 0
    with tenant_scope(growth.tenant):
        assert Run.objects.count() == 2


def test_a_high_pql_score(leads: Leads) -> None:  # noqa: F811
    busy, calm = leads.account("busy", mrr_cents=0), leads.account("calm")
    leads.busy(busy, days=28, users=12)
    leads.events(busy, "Contact Sales", 0)
    leads.events(calm, "Work", 1)
    leads.night()
    with tenant_scope(leads.tenant):
        Trigger.objects.exclude(key="pql_high").update(enabled=False)
        assert evaluate_expansion(tenant=leads.tenant, day=leads.today).by_trigger == {"pql_high": 1}
        assert evaluate_expansion(tenant=leads.tenant, day=leads.today).opened == 0
        one = Opportunity.objects.select_related("account").get()
    assert one.account.external_id == "busy"
    assert one.evidence["band"] == "high"
    assert one.evidence["values"][0]["value"] > 70


def test_silence_after_one_was_lost_and_then_once_again(growth: Growth) -> None:
    account = growth.account("asks")
    growth.events(account, "Contact Sales", 95, 1)
    assert growth.night(94).opened == 1
    one = growth.only()
    with tenant_scope(growth.tenant):
        lose_opportunity(tenant=growth.tenant, opportunity_id=one.pk, reason="not_now")
        Opportunity.objects.update(closed_on=growth.ago(90 - 1))
    assert growth.night().opened == 0  # a day is missing
    with tenant_scope(growth.tenant):
        Opportunity.objects.update(closed_on=growth.ago(90))
    assert growth.night().opened == 1
    with tenant_scope(growth.tenant):
        Opportunity.objects.filter(stage="case").update(stage="lost", closed_on=growth.ago(1))
        Trigger.objects.update(cooldown_days=0)
    assert growth.night().opened == 0  # what was asked before it was lost does not count again


def test_who_has_it_or_cannot_have_it_is_offered_the_next_thing(growth: Growth) -> None:
    account = growth.account("buyer", segment="Small")
    growth.post(
        "subscriptions/bulk",
        {
            "items": [
                {
                    "external_id": "s1",
                    "account_id": "buyer",
                    "plan": "COURSE",
                    "mrr_cents": 5,
                    "currency": "USD",
                }
            ]
        },
    )
    with tenant_scope(growth.tenant):
        Offering.objects.filter(key="marketing").update(segments=["Enterprise"])
    growth.push(account, "roi_cents", d80=520_000, d50=600_000, d10=700_000)
    assert growth.night().opened == 1
    assert growth.found() == [("buyer", "cross_product", "docs", "case")]


def test_churned_accounts_get_none_and_lose_theirs(growth: Growth) -> None:
    here, gone = growth.account("here"), growth.account("gone", churned_on=growth.ago(1))
    for account in (here, gone):
        growth.events(account, "Contact Sales", 2)
    assert growth.night(1).opened == 1
    with tenant_scope(growth.tenant):
        Account.objects.filter(pk=here.pk).update(churned_on=growth.today)
    summary = growth.night()
    assert (summary.opened, summary.ended) == (0, 1)
    one = growth.only()
    assert (one.stage, one.lost_reason, one.closed_on) == ("lost", "churned", growth.today)
    with tenant_scope(growth.tenant):
        assert StageChange.objects.latest("id").before == "case"
        assert TimelineEntry.objects.filter(kind="opportunity_lost").count() == 1


def test_the_metric_says_how_many_are_open_and_a_month_long_that_none_is(growth: Growth) -> None:
    account = growth.account("asks")
    growth.events(account, "Contact Sales", 1)
    growth.account("silent")

    def told() -> list[float | None]:
        with tenant_scope(growth.tenant), connection.cursor() as cursor:
            cursor.execute(
                "SELECT p.value FROM usage_pushed_value p "
                "JOIN usage_metric m ON m.tenant_id = p.tenant_id AND m.id = p.metric_id "
                "WHERE p.tenant_id = %s AND m.key = 'expansion_open' AND p.day = %s",
                [growth.tenant.pk, growth.today],
            )
            return [row[0] for row in cursor.fetchall()]

    growth.night()
    assert told() == [1.0]
    one = growth.only()
    with tenant_scope(growth.tenant):
        lose_opportunity(tenant=growth.tenant, opportunity_id=one.pk, reason="not_now")
    growth.night()
    assert told() == [0.0]
    with tenant_scope(growth.tenant):
        Opportunity.objects.update(closed_on=growth.ago(40))
        Trigger.objects.update(enabled=False)
    growth.night()
    assert told() == [None]


def test_the_board_never_goes_back_and_triggers_that_are_off_find_nothing(growth: Growth) -> None:
    growth.events(growth.account("asks"), "Contact Sales", 3)
    with tenant_scope(growth.tenant):
        Trigger.objects.update(enabled=False)
    assert growth.night().opened == 0
    with tenant_scope(growth.tenant):
        Trigger.objects.update(enabled=True)
    assert growth.night(1).skipped
    assert growth.found() == []
    assert growth.night().opened == 1


def test_a_night_asks_as_much_for_three_accounts_as_for_one(growth: Growth) -> None:
    counts = []
    for n in range(3):
        for key in (["warm"], ["one"], ["a", "b", "c"])[
            n
        ]:  # the first night makes temporary tables and a source
            growth.events(growth.account(key), "Limit Reached", 1, 2, 3)
        with tenant_scope(growth.tenant), CaptureQueriesContext(connection) as queries:
            assert evaluate_expansion(tenant=growth.tenant, day=growth.today).opened == (1, 1, 3)[n]
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_another_tenant_is_not_looked_at(growth: Growth, acme: Tenant) -> None:

    growth.events(growth.account("asks"), "Contact Sales", 1)
    with tenant_scope(acme):
        install_expansion(tenant=acme)
        assert evaluate_expansion(tenant=acme, day=acme.today()).opened == 0
        assert Opportunity.objects.count() == 0
    assert growth.night().opened == 1


@pytest.mark.parametrize(
    ("phrases", "pattern"),
    [([], ""), (["  "], ""), (["more  seats", "c++"], r"(^|\W)(more\s+seats|c\+\+)(\W|$)")],
)
def test_words_become_one_pattern(phrases: list[str], pattern: str) -> None:
    assert phrase_pattern(phrases) == pattern
