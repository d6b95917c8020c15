"""A book goes to another CSM: preview, what goes along, one notice, and back; in a request and as a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.models import Account, AuditEntry, Membership, Tenant, TimelineEntry
from alerts.models import Alert
from expansion.models import Opportunity
from outreach.models import Notification
from playbooks.models import Handover, HandoverAccount, Task
from scoring.models import Sentiment
from scoring.overrides.services import set_sentiment
from tests.conftest import make_member
from workspace.selectors.handover import Narrow, preview
from workspace.services import handover as service

from .days import full_days, make_accounts_from

SignIn = Callable[[Membership], Client]
PAGE = "/t/acme/hand-over/"
NOTE = "Ana is the one to talk to."


@pytest.fixture
def clara(acme: Tenant) -> Membership:
    """Another CSM."""
    return make_member(acme, "clara", "csm")


@pytest.fixture
def book(acme: Tenant, carl: Membership) -> list[Account]:
    """Three accounts of Carl at which everything is open."""
    with tenant_scope(acme):
        found = full_days(acme, carl, 3)
        Alert.objects.filter(account=found[0]).update(assignee=carl)
        set_sentiment(tenant=acme, account_id=found[0].pk, value=4, note="Warm", member=carl)
        return found


def give(client: Client, carl: Membership, clara: Membership, **more: Any) -> str:
    data = {
        "from": carl.pk, "to": clara.pk, "which": "all", "note": NOTE,
        "with_tasks": "on", "with_alerts": "on", "ask_sentiment": "on",
    }  # fmt: skip
    response = client.post(
        PAGE, {key: value for key, value in (data | more).items() if value is not None}, follow=True
    )
    return response.text


def owners(tenant: Tenant) -> dict[str, int | None]:
    with tenant_scope(tenant):
        return dict(Account.objects.values_list("name", "owner_id"))


def test_a_book_is_seen_handed_over_and_taken_back(
    book: list[Account], acme: Tenant, carl: Membership, clara: Membership, mona: Membership, browser: SignIn
) -> None:
    client = browser(mona)
    page = client.get(f"{PAGE}?from={carl.pk}").text
    assert book[0].name in page and "All 3 accounts" in page
    with tenant_scope(acme):
        Opportunity.objects.create(
            account=book[0], type="services", currency="USD", opened_on=acme.today(), owner=carl,
            stage_since=acme.today(), close_on=acme.today(),
        )  # fmt: skip
        totals = preview(acme, carl.pk, Narrow(), acme.today()).totals
        assert (totals.accounts, totals.tasks, totals.alerts, totals.renewals, totals.reviews) == (
            3,
            3,
            3,
            3,
            3,
        )
    page = give(client, carl, clara)
    assert "3 accounts were handed over." in page
    with tenant_scope(acme):
        made = Handover.objects.get()
        assert made.state == Handover.State.DONE
        assert set(Account.objects.values_list("owner_id", flat=True)) == {clara.pk}
        assert set(Task.objects.filter(title__startswith="Call").values_list("assignee_id", flat=True)) == {
            clara.pk
        }
        assert Opportunity.objects.get().owner_id == clara.pk
        assert Alert.objects.get(account=book[0]).assignee_id == clara.pk
        asked = Task.objects.filter(title__startswith="Say how you see")
        latest = acme.today() + timedelta(days=service.SENTIMENT_DAYS + 4)  # a week-end and a holiday further
        assert asked.count() == 3 and all(task.due_on <= latest for task in asked)
        assert Sentiment.objects.get().ended_on == acme.today()
        entry = TimelineEntry.objects.get(account=book[0], kind="handover_moved")
        assert NOTE in entry.title
        summary = entry.data["summary"]
        assert (summary["score"], summary["tasks"], summary["alerts"], summary["sentiment"]) == (
            55.0,
            1,
            1,
            4,
        )
        assert [note.title for note in Notification.objects.filter(member=clara)] == [
            "3 accounts of Carl are yours now"
        ]
        assert AuditEntry.objects.filter(action="handover.made", actor=mona).count() == 1
    assert "3 accounts are back." in client.post(f"{PAGE}{made.pk}/undo/", follow=True).text
    with tenant_scope(acme):
        assert set(Account.objects.values_list("owner_id", flat=True)) == {carl.pk}
        assert set(Task.objects.filter(title__startswith="Call").values_list("assignee_id", flat=True)) == {
            carl.pk
        }
        assert Opportunity.objects.get().owner_id == carl.pk
        assert Alert.objects.get(account=book[0]).assignee_id == carl.pk
        assert Sentiment.objects.get().ended_on is None
        assert not Task.objects.filter(title__startswith="Say how you see", state="open").exists()
    assert "taken back already" in client.post(f"{PAGE}{made.pk}/undo/", follow=True).text


def test_chosen_accounts_go_and_open_work_stays_if_it_should(
    book: list[Account], acme: Tenant, carl: Membership, clara: Membership, mona: Membership, browser: SignIn
) -> None:
    chosen = [book[1].pk]
    give(
        browser(mona), carl, clara, which="ticked", account=chosen,
        with_tasks=None, with_alerts=None, ask_sentiment=None,
    )  # fmt: skip
    assert owners(acme) == {book[0].name: carl.pk, book[1].name: clara.pk, book[2].name: carl.pk}
    with tenant_scope(acme):
        assert Task.objects.get(account=book[1]).assignee_id == carl.pk
        assert Alert.objects.get(account=book[1]).assignee_id == carl.pk
        assert Sentiment.objects.get().ended_on is None
        made = Handover.objects.get()
        assert HandoverAccount.objects.get().account_id == book[1].pk
    back = browser(mona).get(f"{PAGE}?from={clara.pk}&to={carl.pk}&of={made.pk}").text
    assert book[1].name in back and "This account" in back


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"note": "take it"}, "Say in a sentence what the new owner should know."),
        ({"to": "0"}, "Choose an active member who may work on accounts."),
        ({"which": "ticked"}, "Choose at least one account."),
        ({"segment": "Nobody is in it"}, "Choose at least one account."),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    more: dict[str, Any], words: str, book: list[Account], acme: Tenant, carl: Membership, clara: Membership,
    mona: Membership, browser: SignIn,
) -> None:  # fmt: skip
    page = give(browser(mona), carl, clara, **more)
    assert words.split(" ")[0] in page
    assert set(owners(acme).values()) == {carl.pk}
    with tenant_scope(acme):
        assert not Handover.objects.exists()


def test_to_themselves_is_refused_and_only_managers_may(
    book: list[Account], acme: Tenant, carl: Membership, clara: Membership, mona: Membership, browser: SignIn
) -> None:
    assert "their accounts already" in give(browser(mona), carl, carl)
    assert browser(clara).get(PAGE).status_code == 403
    assert browser(clara).post(PAGE, {}).status_code == 403


def test_what_changed_hands_since_stays_and_later_it_is_too_late(
    book: list[Account], acme: Tenant, carl: Membership, clara: Membership, mona: Membership, browser: SignIn
) -> None:
    give(browser(mona), carl, clara)
    with tenant_scope(acme):
        made = Handover.objects.get()
        Account.objects.filter(pk=book[2].pk).update(owner=mona)
        Handover.objects.update(done_at=timezone.now() - timedelta(minutes=11))
    assert "too late" in browser(mona).post(f"{PAGE}{made.pk}/undo/", follow=True).text
    with tenant_scope(acme):
        Handover.objects.update(done_at=timezone.now())
    browser(mona).post(f"{PAGE}{made.pk}/undo/")
    assert owners(acme) == {book[0].name: carl.pk, book[1].name: carl.pk, book[2].name: mona.pk}


def test_a_large_book_is_moved_by_a_job_and_the_receiver_told_once(
    acme: Tenant, carl: Membership, clara: Membership, mona: Membership, browser: SignIn
) -> None:
    count = service.AT_ONCE + 1
    with tenant_scope(acme):
        made = make_accounts_from(acme, carl, 0, count)
        Task.objects.bulk_create(
            Task(tenant=acme, account=one, title="Call", assignee=carl, due_on=acme.today()) for one in made
        )
    page = give(browser(mona), carl, clara)
    assert "You can leave this page." in page and "waiting for a worker" in page
    assert set(owners(acme).values()) == {carl.pk}
    run_jobs(acme)
    run_jobs(acme)
    assert set(owners(acme).values()) == {clara.pk}
    with tenant_scope(acme):
        assert Handover.objects.get().state == Handover.State.DONE
        assert Notification.objects.filter(member=clara).count() == 1
        assert Task.objects.filter(assignee=clara, title="Call").count() == count
        asked = list(Task.objects.filter(title__startswith="Say how").values_list("due_on", flat=True))
        busiest = max(asked.count(day) for day in set(asked))
        assert len(asked) == count and busiest <= 2 * service.SENTIMENTS_A_DAY


def test_moving_costs_the_same_for_one_account_and_for_many(
    acme: Tenant, carl: Membership, clara: Membership, mona: Membership
) -> None:
    counts = []
    for size in (2, 20):
        with tenant_scope(acme):
            ids = [one.pk for one in full_days(acme, carl, size)]
            with CaptureQueriesContext(connection) as seen:
                service.hand_over(
                    tenant=acme, actor=mona, from_id=carl.pk, to_id=clara.pk, account_ids=ids, note=NOTE
                )
            counts.append(len(seen))
    assert counts[0] == counts[1], counts
