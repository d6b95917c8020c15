"""What steps do: mails, messages, events, fields, other plays; once, and not for a past day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AuditEntry, Contact, Membership, Tenant, TimelineEntry
from outreach.models import Message
from playbooks.models import Run, RunStep
from playbooks.services import advance_runs, start_run

from .conftest import MONDAY
from .making import make_play

MAIL = {
    "kind": "email",
    "title": "Write",
    "config": {
        "subject": "About {{ account.name }}",
        "body": "Hello {{ contact.first_name|there }}",
        "purpose": "service",
    },
}


@pytest.fixture
def ada(inside: Tenant, owned: Account) -> Contact:
    """The champion of Carl's account."""
    return Contact.objects.create(
        tenant=inside, account=owned, name="Ada Lovelace", email="ada@x.example", roles=["Champion"]
    )


def start(tenant: Tenant, account: Account, *steps: dict[str, Any], day: date | None = None) -> Run:
    make_play(tenant, "mine", *steps)
    return start_run(
        tenant=tenant, playbook_key="mine", account_id=account.pk, started_on=day or tenant.today()
    )


def test_a_mail_goes_to_the_contact_once_in_the_words_of_the_step(
    inside: Tenant, owned: Account, ada: Contact
) -> None:
    run = start(
        inside, owned, {**MAIL, "config": {**MAIL["config"], "to_role": "champion"}}, {"title": "Call"}
    )
    message = Message.objects.get(account=owned)
    assert (message.contact_id, message.channel, message.by_step) == (ada.pk, "email", "Write")
    row = run.log.get(step__title="Write")
    assert (row.state, row.result) == ("done", {"message": message.pk, "to": "ada@x.example"})
    advance_runs(tenant=inside, day=inside.today())
    advance_runs(tenant=inside, day=inside.today())
    assert Message.objects.count() == 1


@pytest.mark.parametrize("role", ["billing", ""])
def test_nobody_to_write_to_is_said_and_the_run_goes_on(inside: Tenant, owned: Account, role: str) -> None:
    run = start(inside, owned, {**MAIL, "config": {**MAIL["config"], "to_role": role}}, {"title": "Call"})
    row = run.log.get(step__title="Write")
    assert (row.state, row.result) == ("skipped", {"reason": "nobody", "role": role})
    assert (Message.objects.count(), run.tasks.count()) == (0, 1)


def test_a_template_that_is_gone_stops_nobody_else(inside: Tenant, owned: Account, ada: Contact) -> None:
    run = start(
        inside, owned, {**MAIL, "config": {"template": "gone", "purpose": "service"}}, {"title": "Call"}
    )
    row = run.log.get(step__title="Write")
    assert (row.state, row.result["reason"]) == ("skipped", "refused")
    assert row.result["error"] == "The template “gone” was taken away."
    assert run.tasks.count() == 1


def test_who_was_there_last_gets_it_when_no_role_is_asked_for(
    inside: Tenant, owned: Account, ada: Contact
) -> None:
    from django.utils import timezone

    Contact.objects.create(
        tenant=inside, account=owned, name="Bob", email="bob@x.example", last_seen_at=timezone.now()
    )
    Contact.objects.create(tenant=inside, account=owned, name="No address", last_seen_at=timezone.now())
    run = start(inside, owned, MAIL)
    assert run.log.get().result["to"] == "bob@x.example"


def test_messages_of_a_past_day_are_suppressed_and_tasks_are_made(
    inside: Tenant, owned: Account, ada: Contact
) -> None:
    run = start(
        inside,
        owned,
        MAIL,
        {"kind": "in_app", "title": "Say", "config": {"text": "Hello"}},
        {"kind": "webhook", "title": "Tell"},
        {"title": "Call"},
        day=MONDAY,
    )
    states = dict(run.log.values_list("step__title", "state"))
    assert states == {"Write": "suppressed", "Say": "suppressed", "Tell": "suppressed", "Call": "done"}
    assert (Message.objects.count(), run.tasks.count()) == (0, 1)


def test_last_nights_run_still_sends(inside: Tenant, owned: Account, ada: Contact) -> None:
    start(inside, owned, MAIL, day=inside.today() - timedelta(days=1))
    assert Message.objects.count() == 1


def test_in_app_messages_are_stored_for_the_account_or_for_one_contact(
    inside: Tenant, owned: Account, ada: Contact
) -> None:
    everybody = {"kind": "in_app", "title": "All", "config": {"text": "Hello", "heading": "News"}}
    one = {"kind": "in_app", "title": "One", "config": {"text": "Hello", "to_role": "champion"}}
    start(inside, owned, everybody, one)
    assert list(Message.objects.order_by("id").values_list("channel", "contact_id", "subject")) == [
        ("in_app", None, "News"),
        ("in_app", ada.pk, "One"),
    ]


def test_fields_are_set_with_before_and_after_in_the_audit_log(inside: Tenant, owned: Account) -> None:
    Account.objects.filter(pk=owned.pk).update(tags=["old"], custom={"a": "1"})
    run = start(
        inside,
        owned,
        *(
            {"kind": "set_field", "title": title, "config": config}
            for title, config in {
                "stage": {"field": "stage", "value": "at-risk"},
                "tag": {"field": "add_tag", "value": "vip"},
                "untag": {"field": "remove_tag", "value": "old"},
                "custom": {"field": "custom", "key": "b", "value": "2"},
                "again": {"field": "add_tag", "value": "vip"},
            }.items()
        ),
    )
    owned.refresh_from_db()
    assert (owned.stage, owned.tags, owned.custom) == ("at-risk", ["vip"], {"a": "1", "b": "2"})
    assert run.log.get(step__title="untag").result == {
        "field": "tags",
        "before": ["old", "vip"],
        "after": ["vip"],
    }
    audits = AuditEntry.objects.filter(target="account:owned").order_by("id")
    assert [entry.after for entry in audits] == [
        {"stage": "at-risk", "run": run.pk},
        {"tags": ["old", "vip"], "run": run.pk},
        {"tags": ["vip"], "run": run.pk},
        {"custom.b": "2", "run": run.pk},
    ]


def test_a_step_starts_another_play_which_knows_where_it_comes_from(inside: Tenant, owned: Account) -> None:
    make_play(inside, "second", {"title": "Second task"})
    run = start(inside, owned, {"kind": "start_play", "title": "Go", "config": {"play": "second"}})
    other = Run.objects.get(playbook__key="second")
    assert (other.parent_id, other.tasks.get().title) == (run.pk, "Second task")
    advance_runs(tenant=inside, day=inside.today())
    assert Run.objects.filter(playbook__key="second").count() == 1


def test_a_task_goes_to_the_person_of_the_step_while_the_person_is_there(
    inside: Tenant, owned: Account, mona: Membership, carl: Membership
) -> None:
    step = {"title": "Sign", "owner_rule": "person", "owner_member_id": mona.pk}
    run = start(inside, owned, step)
    assert run.tasks.get().assignee_id == mona.pk
    Membership.objects.filter(pk=mona.pk).update(is_active=False)
    make_play(inside, "later", step)
    run = start_run(tenant=inside, playbook_key="later", account_id=owned.pk, started_on=inside.today())
    assert (run.tasks.get().assignee_id, run.tasks.get().pool) == (None, "manager")


def test_a_loop_makes_its_task_once_per_visit(inside: Tenant, owned: Account) -> None:
    run = start(
        inside,
        owned,
        {"title": "Ask", "label": "ask"},
        {
            "kind": "wait",
            "title": "Pause",
            "due_in_days": 1,
            "config": {"unit": "calendar"},
            "next_label": "ask",
        },
        day=inside.today() - timedelta(days=2),
    )
    for offset in (2, 1, 0, 0):
        advance_runs(tenant=inside, day=inside.today() - timedelta(days=offset))
    visits = list(run.tasks.order_by("visit").values_list("visit", flat=True))
    assert visits == [1, 2, 3]
    assert RunStep.objects.filter(run=run, state="waiting").count() == 1


def test_deeds_of_many_runs_take_as_many_queries_as_those_of_one(inside: Tenant, carl: Membership) -> None:
    make_play(
        inside,
        "mine",
        {"kind": "wait", "due_in_days": 1, "config": {"unit": "calendar"}},
        {"title": "Call"},
        {"kind": "set_field", "config": {"field": "add_tag", "value": "x"}},
        {
            "kind": "branch",
            "config": {
                "when": [
                    {"subject": "metric", "name": "sends", "compare": "above", "value": 1, "window_days": 7}
                ],
                "otherwise": "end",
            },
            "next_label": "end",
        },
    )
    counts = []
    for size in (1, 3):
        for n in range(size):
            account = Account.objects.create(tenant=inside, external_id=f"{size}-{n}", name="A", owner=carl)
            start_run(tenant=inside, playbook_key="mine", account_id=account.pk, started_on=MONDAY)
        with CaptureQueriesContext(connection) as captured:
            assert advance_runs(tenant=inside, day=MONDAY + timedelta(days=1)).tasks_created == size
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_mails_of_many_runs_take_as_many_queries_as_that_of_one(inside: Tenant, carl: Membership) -> None:
    make_play(inside, "mine", {"kind": "wait", "due_in_days": 1, "config": {"unit": "calendar"}}, MAIL)
    counts, today = [], inside.today()
    for size in (1, 3):
        for n in range(size):
            account = Account.objects.create(
                tenant=inside, external_id=f"{size}-{n}", name=f"A{n}", owner=carl
            )
            Contact.objects.create(tenant=inside, account=account, name="Ada", email=f"{size}{n}@x.example")
            day = today - timedelta(days=1)
            start_run(tenant=inside, playbook_key="mine", account_id=account.pk, started_on=day)
        with CaptureQueriesContext(connection) as captured:
            advance_runs(tenant=inside, day=today)
        counts.append(len(captured))
        sent = Message.objects.filter(account__external_id__startswith=f"{size}-")
        assert {(m.merged["account.name"], m.merged["sender.name"], m.address) for m in sent} == {
            (f"A{n}", str(carl), f"{size}{n}@x.example") for n in range(size)
        }
    assert counts[0] == counts[1]


def test_what_a_run_does_is_on_the_timeline(inside: Tenant, owned: Account, ada: Contact) -> None:
    start(inside, owned, MAIL)
    kinds = set(TimelineEntry.objects.filter(account=owned).values_list("kind", flat=True))
    assert "run_started" in kinds
