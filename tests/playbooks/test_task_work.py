"""Many tasks at once, comments, hand-over, calendars, the feed, and telling the managers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar as ICalendar

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Tenant
from outreach.models import Notification
from playbooks.calendars import calendars_of
from playbooks.feed import feed_address
from playbooks.models import MemberCalendar, Run, Task, TaskComment, WorkSettings
from playbooks.services import (
    add_days_off,
    comment_on_task,
    complete_tasks,
    create_task,
    escalate_overdue,
    move_tasks,
    new_feed_key,
    reassign_task,
    reassign_tasks,
    remove_days_off,
    revoke_feed,
    save_member_calendar,
    save_work_settings,
    start_run,
    undo_change,
)

from .conftest import MONDAY
from .making import at

FRIDAY = date(2026, 3, 6)


def tasks_of(tenant: Tenant, account: Account, count: int, due_on: date = FRIDAY) -> list[int]:
    return [
        create_task(tenant=tenant, account_id=account.pk, title=f"Task {n}", due_on=due_on).pk
        for n in range(count)
    ]


def test_many_are_done_and_that_is_taken_back(inside: Tenant, owned: Account, carl: Membership) -> None:
    run = start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=inside.today())
    ids = list(run.tasks.values_list("pk", flat=True))
    done = complete_tasks(tenant=inside, task_ids=ids, member=carl)
    run.refresh_from_db()
    assert (done.changed, done.skipped, run.state) == (5, 0, Run.State.DONE)
    assert complete_tasks(tenant=inside, task_ids=ids, member=carl).undo is None
    assert done.undo is not None
    assert undo_change(tenant=inside, undo_id=done.undo.pk, member=carl) == 5
    run.refresh_from_db()
    assert (run.state, run.finished_on) == (Run.State.RUNNING, None)
    assert set(run.tasks.values_list("state", "completed_by")) == {("open", None)}
    with pytest.raises(ValidationError, match="already"):
        undo_change(tenant=inside, undo_id=done.undo.pk, member=carl)


def test_what_somebody_changed_meanwhile_is_not_taken_back(
    inside: Tenant, owned: Account, carl: Membership, mona: Membership
) -> None:
    first, second = tasks_of(inside, owned, 2)
    moved = move_tasks(tenant=inside, task_ids=[first, second], days=1, member=carl)
    assert (
        list(Task.objects.filter(pk__in=[first, second]).values_list("due_on", flat=True))
        == [date(2026, 3, 9)] * 2
    )
    reassign_task(tenant=inside, task_id=second, assignee_id=mona.pk, member=carl)
    assert moved.undo is not None
    with pytest.raises(PermissionDenied):
        undo_change(
            tenant=inside,
            undo_id=moved.undo.pk,
            member=Membership.objects.create(tenant=inside, user=_user("other"), role="csm"),
        )
    assert undo_change(tenant=inside, undo_id=moved.undo.pk, member=carl) == 1
    assert dict(Task.objects.values_list("pk", "due_on")) == {first: FRIDAY, second: date(2026, 3, 9)}


def _user(name: str):  # type: ignore[no-untyped-def]
    from accounts.models import User

    return User.objects.create_user(f"{name}@acme.example", "x")


def test_it_is_too_late_to_take_it_back_after_a_while(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    bulk = move_tasks(tenant=inside, task_ids=tasks_of(inside, owned, 1), days=1, member=carl)
    assert bulk.undo is not None
    with (
        time_machine.travel(bulk.undo.made_at + timedelta(minutes=11)),
        pytest.raises(ValidationError, match="too late"),
    ):
        undo_change(tenant=inside, undo_id=bulk.undo.pk, member=carl)


def test_bulk_leaves_alone_what_is_not_yours_and_costs_the_same_for_many(
    inside: Tenant, owned: Account, carl: Membership, mona: Membership
) -> None:
    hers = Account.objects.create(tenant=inside, external_id="hers", name="Hers", owner=mona)
    not_mine = tasks_of(inside, hers, 1)
    counts = []
    for size in (1, 4):
        ids = tasks_of(inside, owned, size)
        with CaptureQueriesContext(connection) as seen:
            bulk = reassign_tasks(
                tenant=inside, task_ids=[*ids, *not_mine], assignee_id=mona.pk, note="Please", member=carl
            )
        assert (bulk.changed, bulk.skipped) == (size, 1)
        counts.append(len(seen))
    assert counts[0] == counts[1]
    told = Notification.objects.filter(member=mona).order_by("id")
    assert [note.title for note in told] == [
        "Handed over to you: Task 0",
        "4 tasks were handed over to you",
    ]
    assert told[0].body == "Please"


def test_a_hand_over_keeps_its_note_and_tells_who_gets_it(
    inside: Tenant, owned: Account, carl: Membership, mona: Membership
) -> None:
    (task,) = tasks_of(inside, owned, 1)
    reassign_task(tenant=inside, task_id=task, assignee_id=mona.pk, note="She knows them", member=carl)
    assert TaskComment.objects.get(task_id=task).text == "She knows them"
    assert Notification.objects.get(member=mona).title == "Handed over to you: Task 0"
    comment_on_task(tenant=inside, task_id=task, text="Thanks, I call them", member=mona)
    assert not Notification.objects.filter(member=carl).exists()
    comment_on_task(tenant=inside, task_id=task, text="They moved house", member=carl)
    assert Notification.objects.filter(member=mona).count() == 2
    with pytest.raises(ValidationError, match="Write something"):
        comment_on_task(tenant=inside, task_id=task, text=" ", member=carl)


def test_a_viewer_does_not_comment(inside: Tenant, owned: Account, vera: Membership) -> None:
    (task,) = tasks_of(inside, owned, 1)
    with pytest.raises(PermissionDenied):
        comment_on_task(tenant=inside, task_id=task, text="Hm", member=vera)


# ── calendars ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_tasks_fall_due_on_the_working_days_of_whoever_does_them(
    inside: Tenant, owned: Account, carl: Membership, alice: Membership
) -> None:
    save_work_settings(
        tenant=inside, week=[0, 1, 2, 3, 4], country="ES", region="", escalate_after_days=2, member=alice
    )
    # Thursday 2 April 2026 is a holiday in Madrid, Good Friday in all of Spain.
    assert calendars_of(inside, [], MONDAY).company.add(date(2026, 4, 1), 1) == date(2026, 4, 2)
    save_member_calendar(tenant=inside, member=carl, week=[0, 1, 2, 3], country="ES", region="MD")
    add_days_off(tenant=inside, first=date(2026, 4, 6), last=date(2026, 4, 7), for_member=carl, member=carl)
    calendars = calendars_of(inside, [carl.pk], MONDAY)
    assert calendars.of(carl.pk).add(date(2026, 4, 1), 1) == date(2026, 4, 8)
    assert calendars.of(None).add(date(2026, 4, 2), 1) == date(2026, 4, 6)
    run = start_run(
        tenant=inside, playbook_key="express_training", account_id=owned.pk, started_on=date(2026, 4, 1)
    )
    assert run.tasks.order_by("step__position")[0].due_on == date(2026, 4, 8)


def test_a_day_off_of_the_company_counts_for_everybody(
    inside: Tenant, carl: Membership, alice: Membership
) -> None:
    row = add_days_off(tenant=inside, first=FRIDAY, last=FRIDAY, for_member=None, member=alice, note="Move")
    assert calendars_of(inside, [carl.pk], MONDAY).of(carl.pk).add(date(2026, 3, 5), 1) == date(2026, 3, 9)
    with pytest.raises(PermissionDenied):
        add_days_off(tenant=inside, first=FRIDAY, last=FRIDAY, for_member=None, member=carl)
    with pytest.raises(PermissionDenied):
        remove_days_off(tenant=inside, day_off_id=row.pk, member=carl)
    remove_days_off(tenant=inside, day_off_id=row.pk, member=alice)
    assert calendars_of(inside, [carl.pk], MONDAY).company.add(date(2026, 3, 5), 1) == FRIDAY


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"week": []}, "at least one working day"),
        ({"week": [7]}, "at least one working day"),
        ({"country": "XX"}, "holidays of “XX” are not known"),
        ({"country": "ES", "region": "ZZ"}, "not a region of this country"),
        ({"escalate_after_days": 99}, "from 0 to 60"),
    ],
)
def test_working_days_that_make_no_sense_are_refused(
    inside: Tenant, alice: Membership, fields: dict[str, object], message: str
) -> None:
    given = {"week": [0], "country": "", "region": "", "escalate_after_days": 2, **fields}
    with pytest.raises(ValidationError, match=message):
        save_work_settings(tenant=inside, member=alice, **given)  # type: ignore[arg-type]
    assert not WorkSettings.objects.exists()


# ── the feed ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_the_feed_shows_open_tasks_without_a_login_until_it_is_taken_back(
    acme: Tenant, rival: Tenant, carl: Membership
) -> None:
    with tenant_scope(acme):
        account = Account.objects.create(tenant=acme, external_id="a", name="Señor & Söhne", owner=carl)
        task = create_task(
            tenant=acme, account_id=account.pk, title="Call; then, write", due_on=FRIDAY, body="Line\nline"
        )
        done = create_task(tenant=acme, account_id=account.pk, title="Done", due_on=FRIDAY)
        complete_tasks(tenant=acme, task_ids=[done.pk], member=carl)
        address = feed_address(new_feed_key(tenant=acme, member=carl))
    path = address.split("://", 1)[1].split("/", 1)[1]
    answer = Client().get(f"/{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    (event,) = ICalendar.from_ical(answer.content).walk("VEVENT")
    assert str(event["summary"]) == "Call; then, write · Señor & Söhne"
    assert event["dtstart"].dt == FRIDAY and str(event["uid"]) == f"task-{task.pk}@acme"
    assert str(event["url"]).endswith(f"/t/acme/tasks/{task.pk}/")
    for broken in (
        path[:-8] + "x.ics",
        path.replace("feeds/tasks/", "feeds/tasks/x"),
        "feeds/tasks/x:y:z.ics",
    ):
        assert Client().get(f"/{broken}").status_code == 404
    with tenant_scope(acme):
        fresh = feed_address(new_feed_key(tenant=acme, member=carl))
    assert Client().get(f"/{path}").status_code == 404
    path = fresh.split("://", 1)[1].split("/", 1)[1]
    assert Client().get(f"/{path}").status_code == 200
    with tenant_scope(acme):
        revoke_feed(tenant=acme, member=carl)
        assert feed_address(MemberCalendar.objects.get(member=carl)) == ""
    assert Client().get(f"/{path}").status_code == 404


@pytest.mark.django_db
def test_the_feed_of_a_member_who_left_is_gone(acme: Tenant, carl: Membership) -> None:
    with tenant_scope(acme):
        address = feed_address(new_feed_key(tenant=acme, member=carl))
    path = "/" + address.split("://", 1)[1].split("/", 1)[1]
    assert Client().get(path).status_code == 200
    Membership.objects.filter(pk=carl.pk).update(is_active=False)
    assert Client().get(path).status_code == 404


# ── escalation ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_managers_hear_once_of_tasks_that_are_long_overdue(
    inside: Tenant, owned: Account, orphan: Account, carl: Membership, mona: Membership, alice: Membership
) -> None:
    tasks_of(inside, owned, 2, FRIDAY)
    tasks_of(inside, orphan, 1, FRIDAY)
    tuesday = date(2026, 3, 10)
    with time_machine.travel(at(inside, date(2026, 3, 11)), tick=False):
        assert escalate_overdue(tenant=inside, day=tuesday) == 0  # two working days late
    with time_machine.travel(at(inside, date(2026, 3, 12)), tick=False):
        assert escalate_overdue(tenant=inside, day=date(2026, 3, 11)) == 3
        assert escalate_overdue(tenant=inside, day=date(2026, 3, 11)) == 0
    notes = Notification.objects.order_by("id")
    assert sorted((note.member_id, note.title) for note in notes) == [
        (mona.pk, "Carl has 2 tasks that are long overdue"),
        (mona.pk, "The pool has 1 task that is long overdue"),
    ]
    assert "Owned: Task 0 (Mar 6, 2026)" in notes[0].body
    task = Task.objects.filter(account=owned).first()
    assert task is not None
    reassign_task(tenant=inside, task_id=task.pk, assignee_id=mona.pk)
    with time_machine.travel(at(inside, date(2026, 3, 13)), tick=False):
        assert (
            escalate_overdue(tenant=inside, day=date(2026, 3, 12)) == 1
        )  # told again for whoever has it now
    assert AuditEntry.objects.filter(action="task.reassigned").exists()
