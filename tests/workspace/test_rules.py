"""Building, trying and switching rules, and working through many alerts at once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.models import AuditEntry, Membership, Ticket, TimelineEntry
from alerts.conditions import leaves_of, parse_tree
from alerts.conditions.tree import Number, PastShare
from alerts.models import Alert, Deed, DryRun, MemberAttention, Rule
from alerts.selectors import open_alerts
from alerts.services import assign_alerts
from alerts.shipped import shipped_rules
from outreach.models import Notification
from workspace.rule_builder import builder_of, read_builder

from .test_actions import SignIn, said
from .world import World

METRICS = [("sends", "Sends"), ("replies", "Replies"), ("nps", "NPS")]
ROW = {"g0-c0-fact": "metric", "g0-c0-metric": "sends", "g0-c0-days": "7", "g0-c0-op": "under"}
REST = {
    "name": "Hardly any sends",
    "severity": "high",
    "topic": "risk",
    "interrupts": "always",
    "play": "none",
    "grace_days": "0",
    "dwell_days": "2",
    "clear_days": "1",
    "cooldown_days": "7",
    "reentry_max": "0",
    "reentry_days": "30",
}


def query(**values: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update(values)
    return data


# ── The form of a condition ─────────────────────────────────────────────────────────────────────────────────────


def test_every_shipped_condition_survives_the_form() -> None:
    seen = 0
    for rule in shipped_rules():
        if rule.kind != "conditions":
            continue
        tree = parse_tree(rule.params["tree"])
        builder = builder_of(tree, METRICS, [])
        assert builder is not None
        parsed = builder.parsed()
        assert parsed is not None, [row.errors for group in builder.groups for row in group.rows]
        assert parsed.joined == tree.joined or len(builder.groups) == 1
        seen += 1
    assert seen == 5


def test_rows_and_groups_come_and_go_and_what_was_typed_stays() -> None:
    data = query(**{**ROW, "g0-join": "all", "join": "any", "g0-c0-value": "12.5"})
    data["do"] = "add:0"
    builder = read_builder(data, METRICS, [])
    assert [len(group.rows) for group in builder.groups] == [2]
    assert builder.groups[0].rows[0]["value"].value() == "12.5"
    data["do"] = "group"
    assert [len(group.rows) for group in read_builder(data, METRICS, []).groups] == [1, 1]
    data["do"] = "remove:0:0"
    empty = read_builder(data, METRICS, [])
    assert empty.parsed() is None
    assert empty.error == "Add at least one condition."


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"g0-c0-value": ""}, "value", "Enter a number."),
        ({"g0-c0-value": "many"}, "value", "Enter a number."),
        ({"g0-c0-value": "5", "g0-c0-release": "3"}, "release", "It must resolve at 5 or more"),
        ({"g0-c0-value": "5", "g0-c0-days": "10", "g0-c0-complete_weeks": "on"}, "days", "multiple of 7"),
        (
            {"g0-c0-value": "60", "g0-c0-against": "past", "g0-c0-times": "99", "g0-c0-least": "1"},
            "times",
            "from 1 to 26",
        ),
    ],
)
def test_a_fault_stands_at_its_field(changes: dict[str, str], field: str, words: str) -> None:
    builder = read_builder(query(**{**ROW, **changes}), METRICS, [])
    assert builder.parsed() is None
    row = builder.groups[0].rows[0]
    assert words in " ".join(row.errors[field])
    assert builder.error == ""


def test_shares_are_typed_as_percent() -> None:
    data = {**ROW, "g0-c0-against": "past", "g0-c0-value": "60", "g0-c0-times": "4", "g0-c0-release": "80"}
    parsed = read_builder(query(**data), METRICS, []).parsed()
    assert parsed is not None
    again = builder_of(parsed, METRICS, [])
    assert again is not None
    row = again.groups[0].rows[0]
    assert (row["value"].value(), row["release"].value(), row.against) == ("60", "80", "past")


def test_money_is_typed_in_its_currency_and_stored_in_cents() -> None:
    names = [("roi_cents", "ROI per month"), *METRICS]
    data = {
        **ROW, "g0-c0-metric": "roi_cents", "g0-c0-op": "at_least", "g0-c0-value": "5000.5", "g0-c0-release": "6000",
    }  # fmt: skip
    builder = read_builder(query(**data), names, [], "EUR")
    assert builder.groups[0].rows[0].fields["value"].label == "Amount in EUR or percent"
    assert builder.parsed() is None
    assert "resolve at 5,000.50 or less" in builder.groups[0].rows[0].errors["release"].as_text()
    parsed = read_builder(query(**{**data, "g0-c0-release": "4000"}), names, [], "EUR").parsed()
    assert parsed is not None
    (leaf,) = leaves_of(parsed)
    assert (leaf.bound, leaf.release) == (Number(500050.0), 400000.0)
    again = builder_of(parsed, names, [], "EUR")
    assert again is not None
    row = again.groups[0].rows[0]
    assert (row["value"].value(), row["release"].value()) == ("5000.5", "4000")
    past = {
        **data,
        "g0-c0-against": "past",
        "g0-c0-value": "80",
        "g0-c0-release": "70",
        "g0-c0-least": "4000",
    }
    parsed = read_builder(query(**past), names, [], "EUR").parsed()
    assert parsed is not None
    (leaf,) = leaves_of(parsed)
    assert (leaf.bound, leaf.release) == (PastShare(0.8, 4, 400000.0), 0.7)


# ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_admin_builds_a_rule_from_nothing_and_switches_it_on(
    world: World, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    assert "The rule fires where" in client.get("/t/acme/rules/new/").text
    step = client.post("/t/acme/rules/new/", {**ROW, **REST, "do": "add:0"}, headers={"HX-Request": "true"})
    assert step.status_code == 200
    assert step.text.count('class="condition"') == 2 and "<html" not in step.text
    refused = client.post("/t/acme/rules/new/", {**ROW, **REST})
    assert refused.status_code == 400 and "Enter a number." in refused.text
    assert 'value="Hardly any sends"' in refused.text
    found = client.post(
        "/t/acme/rules/new/",
        {
            "name": "",
            "g0-c0-fact": "field",
            "g0-c0-field": "mrr",
            "g0-c0-op": "at_least",
            "g0-c0-value": "0",
            **{name: value for name, value in REST.items() if name != "name"},
            "do": "affects",
        },
        headers={"HX-Request": "true"},
    )
    assert found.status_code == 200
    assert "The MRR is 0 or more." in found.text
    number = re.search(r"It would now find (\d+) match", found.text)
    assert number is not None and int(number[1]) == len(world.accounts)
    with tenant_scope(world.tenant):
        assert not Rule.objects.filter(origin="own").exists()

    answer = client.post("/t/acme/rules/new/", {**ROW, **REST, "g0-c0-value": "5"})
    with tenant_scope(world.tenant):
        rule = Rule.objects.get(origin="own")
        assert AuditEntry.objects.filter(action="rule.added", target=f"rule:{rule.key}").exists()
    assert answer.headers["Location"].endswith(f"/rules/{rule.pk}/")
    assert (rule.key, rule.enabled, rule.dwell_days, rule.interrupts) == (
        "hardly_any_sends",
        False,
        2,
        "always",
    )
    page = client.get(f"/t/acme/rules/{rule.pk}/").text
    assert "in the last 7 days is under 5." in page
    edit = client.get(f"/t/acme/rules/{rule.pk}/edit/").text
    assert 'name="g0-c0-value" value="5"' in edit
    client.post(f"/t/acme/rules/{rule.pk}/edit/", {**ROW, **REST, "g0-c0-value": "6"})
    said(client, f"/t/acme/rules/{rule.pk}/switch/", enabled="yes", existing="new")
    with tenant_scope(world.tenant):
        rule.refresh_from_db()
        assert rule.enabled and rule.params["tree"]["all"][0]["all"][0]["value"] == 6
    refused_delete = said(client, f"/t/acme/rules/{rule.pk}/delete/")
    assert refused_delete == ["“Hardly any sends” is deleted."]


def test_a_rule_is_tried_and_its_page_says_what_came_of_it(
    world: World, alice: Membership, mona: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    with tenant_scope(world.tenant):
        rule = Rule.objects.get(key="ticket_unresolved")
        ticket = Ticket.objects.order_by("pk")[0]
        long_ago = timezone.now() - timedelta(days=30)
        Ticket.objects.filter(pk=ticket.pk).update(opened_at=long_ago, received_at=long_ago, resolved_at=None)
    client.post(f"/t/acme/rules/{rule.pk}/dry-run/")
    assert "being tried" in client.get(f"/t/acme/rules/{rule.pk}/").text
    run_jobs(world.tenant)
    with tenant_scope(world.tenant):
        run = DryRun.objects.get()
        assert run.done_until == run.last_on
        count = run.alerts.count()
    assert count > 0
    page = browser(mona).get(f"/t/acme/rules/{rule.pk}/").text
    assert f"{count} alert" in page and "chart-dry-run" in page and "Switch off" not in page


def test_the_page_of_a_rule_takes_as_many_queries_for_three_alerts_as_for_one(
    world: World, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    counts = []
    with tenant_scope(world.tenant):
        rule = Rule.objects.get(key="ticket_unresolved")
    for rows in (3, 1):
        with tenant_scope(world.tenant):
            keep = list(Alert.objects.filter(rule=rule).values_list("pk", flat=True)[:rows])
            Alert.objects.filter(rule=rule).exclude(pk__in=keep).delete()
        client.get(f"/t/acme/rules/{rule.pk}/")
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/t/acme/rules/{rule.pk}/").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 16


# ── Many alerts ─────────────────────────────────────────────────────────────────────────────────────────────────


def open_ids(world: World, member: Membership) -> list[int]:
    with tenant_scope(world.tenant):
        return list(
            Alert.objects.filter(account__owner=member, state="open")
            .order_by("pk")
            .values_list("pk", flat=True)
        )


def test_many_alerts_are_closed_at_once_and_taken_back(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    client, ids = browser(carl), open_ids(world, carl)
    assert len(ids) >= 3
    with tenant_scope(world.tenant):
        foreign = Alert.objects.exclude(pk__in=ids).filter(state="open").select_related("account")[0]
        foreign.account.owner = mona
        foreign.account.save()
        before = list(Alert.objects.filter(pk__in=ids).order_by("pk").values())
    assert said(client, "/t/acme/alerts/bulk/", alert=[], action="close", verdict="useful") == [
        "Choose at least one alert."
    ]
    assert "Say whether" in said(client, "/t/acme/alerts/bulk/", alert=ids, action="close", verdict="fine")[0]
    text = said(client, "/t/acme/alerts/bulk/", alert=[*ids, foreign.pk], action="close", verdict="noise")[0]
    assert text.startswith(f"{len(ids)} alerts are closed.")
    assert text.endswith("1 was left out: it is not yours or has ended meanwhile.")
    with tenant_scope(world.tenant):
        assert set(Alert.objects.filter(pk__in=ids).values_list("state", "close_verdict")) == {
            ("closed", "noise")
        }
        assert TimelineEntry.objects.filter(kind="alert_closed").count() == len(ids)
        deed = Deed.objects.get()
    assert said(client, f"/t/acme/alerts/undo/{deed.pk}/") == [f"{len(ids)} alerts are as they were."]
    with tenant_scope(world.tenant):
        assert list(Alert.objects.filter(pk__in=ids).order_by("pk").values()) == before
    assert said(client, f"/t/acme/alerts/undo/{deed.pk}/") == ["This has been taken back already."]


def test_taking_back_has_an_end_and_leaves_what_came_after(
    world: World, carl: Membership, browser: SignIn
) -> None:
    client, ids = browser(carl), open_ids(world, carl)
    until = (world.today + timedelta(days=5)).isoformat()
    said(client, "/t/acme/alerts/bulk/", alert=ids, action="snooze", until=until, reason="Holidays")
    with tenant_scope(world.tenant):
        deed = Deed.objects.get()
        Alert.objects.filter(pk=ids[0]).update(state="resolved")
    assert said(client, f"/t/acme/alerts/undo/{deed.pk}/") == [f"{len(ids) - 1} alerts are as they were."]
    said(client, "/t/acme/alerts/bulk/", alert=ids[1:], action="snooze", until=until, reason="Holidays")
    with tenant_scope(world.tenant):
        late = Deed.objects.latest("pk")
        Deed.objects.filter(pk=late.pk).update(created_at=late.created_at - timedelta(minutes=1))
    assert "too late" in said(client, f"/t/acme/alerts/undo/{late.pk}/")[0]


def test_many_alerts_are_assigned_at_once_and_taken_back(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    client, ids = browser(carl), open_ids(world, carl)
    path = "/t/acme/alerts/bulk/"
    assert said(client, path, alert=ids, action="assign", assignee="") == [
        "Choose an active member who may work on accounts."
    ]
    given, kept = ids[:2], ids[2:]
    text = said(client, path, alert=given, action="assign", assignee=str(mona.pk))
    assert text == ["2 alerts are assigned."]
    hers, his = (
        browser(mona).get("/t/acme/alerts/?who=mine").text,
        client.get("/t/acme/alerts/?who=mine").text,
    )
    assert all(f"/t/acme/alerts/{pk}/" in hers and f"/t/acme/alerts/{pk}/" not in his for pk in given)
    assert all(f"/t/acme/alerts/{pk}/" in his for pk in kept)
    with tenant_scope(world.tenant):
        assert TimelineEntry.objects.filter(kind="alert_assigned").count() == 2
        told = Notification.objects.get(member=mona, title="2 alerts were assigned to you")
        assert told.url == "/alerts/?who=mine"
        deed = Deed.objects.get()
        Alert.objects.filter(pk=given[1]).update(assignee=carl)  # somebody passed it on meanwhile
    assert said(client, f"/t/acme/alerts/undo/{deed.pk}/") == ["1 alert is as it was."]
    with tenant_scope(world.tenant):
        assert list(
            Alert.objects.filter(pk__in=given).order_by("pk").values_list("assignee_id", flat=True)
        ) == [None, carl.pk]


def test_an_alert_comes_back_to_its_owner_when_its_assignee_leaves(
    world: World, carl: Membership, mona: Membership
) -> None:
    with tenant_scope(world.tenant):
        alert = Alert.objects.filter(account__owner=carl, state="open")[0]
        assign_alerts(tenant=world.tenant, member=None, alert_ids=[alert.pk], assignee_id=mona.pk)
        assert alert not in open_alerts(world.tenant, owner_id=carl.pk)
        assert alert in open_alerts(world.tenant, owner_id=mona.pk)
        mona.is_active = False
        mona.save()
        assert alert in open_alerts(world.tenant, owner_id=carl.pk)
        assert alert not in open_alerts(world.tenant, owner_id=mona.pk)


def test_an_inbox_shows_what_may_interrupt_and_folds_the_rest(
    world: World, carl: Membership, browser: SignIn
) -> None:
    client, ids = browser(carl), open_ids(world, carl)
    with tenant_scope(world.tenant):
        Alert.objects.filter(pk__in=ids[:2]).update(person_reason="critical")
    said(client, "/t/acme/alerts/attention/", budget="1", digest_hour="7", wants_digest="on")
    with tenant_scope(world.tenant):
        assert MemberAttention.objects.get().budget == 1
    page = client.get("/t/acme/alerts/").text
    above, folded = page.split("In the digest")
    assert above.count('data-row="alert-') == 1 and "is critical" in above
    assert folded.count('data-row="alert-') == len(ids) - 1
