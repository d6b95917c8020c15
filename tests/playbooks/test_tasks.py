"""Tasks of members and pools."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AuditEntry, Membership, Tenant, TimelineEntry
from playbooks.models import Run, Task
from playbooks.selectors import (
    my_open_tasks,
    playbooks_with_steps,
    plays_by_component,
    runs_for_account,
    task_counts,
    tasks_for_account,
)
from playbooks.services import (
    cancel_task,
    change_due_date,
    complete_task,
    create_task,
    reassign_task,
    reopen_task,
    start_run,
    stop_run,
)

from .conftest import MONDAY


def hello(tenant: Tenant, account: Account, member: Membership | None = None, due_on: date = MONDAY) -> Task:
    return create_task(tenant=tenant, account_id=account.pk, title="Say hello", due_on=due_on, member=member)


def test_a_task_without_an_assignee_goes_to_the_owner_else_to_the_managers(
    inside: Tenant, owned: Account, orphan: Account, carl: Membership
) -> None:
    assert (hello(inside, owned).assignee_id, hello(inside, owned).pool) == (carl.pk, "")
    assert (hello(inside, orphan).assignee_id, hello(inside, orphan).pool) == (None, "manager")


def test_a_task_needs_a_title_and_an_assignee_who_may_work(
    inside: Tenant, owned: Account, vera: Membership
) -> None:
    with pytest.raises(ValidationError, match="needs a title"):
        create_task(tenant=inside, account_id=owned.pk, title=" ", due_on=MONDAY)
    with pytest.raises(ValidationError, match="active member"):
        create_task(tenant=inside, account_id=owned.pk, title="x", due_on=MONDAY, assignee_id=vera.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.create(tenant=inside, account=owned, title="Nobody's", due_on=MONDAY)


def test_done_is_written_down_once(inside: Tenant, owned: Account, carl: Membership) -> None:
    task = hello(inside, owned, carl)
    complete_task(tenant=inside, task_id=task.pk, note="Went well", member=carl)
    complete_task(tenant=inside, task_id=task.pk, note="Again", member=carl)
    task.refresh_from_db()
    assert (task.state, task.note, task.completed_by_id) == ("done", "Went well", carl.pk)
    assert task.completed_at is not None
    assert list(TimelineEntry.objects.order_by("id").values_list("kind", "title", "actor_id")) == [
        ("task_created", "Say hello", carl.pk),
        ("task_done", "Say hello", carl.pk),
    ]
    assert list(AuditEntry.objects.order_by("id").values_list("action", "target")) == [
        ("task.created", f"task:{task.pk}"),
        ("task.done", f"task:{task.pk}"),
    ]


def test_every_other_deed_is_written_down_too(inside: Tenant, owned: Account, mona: Membership) -> None:
    task = hello(inside, owned, mona)
    change_due_date(tenant=inside, task_id=task.pk, due_on=MONDAY + timedelta(days=3), member=mona)
    reassign_task(tenant=inside, task_id=task.pk, assignee_id=mona.pk, member=mona)
    cancel_task(tenant=inside, task_id=task.pk, member=mona)
    reopen_task(tenant=inside, task_id=task.pk, member=mona)
    reassign_task(tenant=inside, task_id=task.pk, assignee_id=None, member=mona)
    task.refresh_from_db()
    assert (task.state, task.due_on, task.assignee_id, task.pool) == (
        "open",
        date(2026, 3, 5),
        None,
        "manager",
    )
    kinds = [
        "task_created",
        "task_moved",
        "task_reassigned",
        "task_cancelled",
        "task_reopened",
        "task_reassigned",
    ]
    assert list(TimelineEntry.objects.order_by("id").values_list("kind", flat=True)) == kinds
    moved = AuditEntry.objects.get(action="task.moved")
    assert (moved.before, moved.after) == ({"due_on": "2026-03-02"}, {"due_on": "2026-03-05"})


def test_what_is_done_or_cancelled_changes_no_more(inside: Tenant, owned: Account, carl: Membership) -> None:
    task = hello(inside, owned)
    cancel_task(tenant=inside, task_id=task.pk, member=carl)
    with pytest.raises(ValidationError, match="cancelled"):
        complete_task(tenant=inside, task_id=task.pk, member=carl)
    with pytest.raises(ValidationError, match="open task"):
        change_due_date(tenant=inside, task_id=task.pk, due_on=MONDAY, member=carl)
    with pytest.raises(ValidationError, match="open task"):
        cancel_task(tenant=inside, task_id=task.pk, member=carl)


def test_a_task_of_a_stopped_run_stays_cancelled(inside: Tenant, owned: Account) -> None:
    run = start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    stop_run(tenant=inside, run_id=run.pk, outcome="no_effect")
    with pytest.raises(ValidationError, match="was stopped"):
        reopen_task(tenant=inside, task_id=run.tasks.all()[0].pk)


def test_reopening_is_refused_when_the_play_runs_again(inside: Tenant, owned: Account) -> None:
    run = start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    tasks = list(run.tasks.all())
    for task in tasks:
        complete_task(tenant=inside, task_id=task.pk)
    start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    with pytest.raises(ValidationError, match="already runs again"):
        reopen_task(tenant=inside, task_id=tasks[0].pk)
    assert sorted(Run.objects.values_list("state", flat=True)) == ["done", "running"]


def test_who_may_do_a_task(
    inside: Tenant, owned: Account, carl: Membership, mona: Membership, vera: Membership
) -> None:
    Account.objects.filter(pk=owned.pk).update(owner=mona.pk)
    theirs = create_task(
        tenant=inside, account_id=owned.pk, title="Theirs", due_on=MONDAY, assignee_id=mona.pk
    )
    for member in (carl, vera):
        with pytest.raises(PermissionDenied):
            complete_task(tenant=inside, task_id=theirs.pk, member=member)
    mine = create_task(tenant=inside, account_id=owned.pk, title="Mine", due_on=MONDAY, assignee_id=carl.pk)
    assert complete_task(tenant=inside, task_id=mine.pk, member=carl).state == "done"
    pooled = create_task(tenant=inside, account_id=owned.pk, title="Pool", due_on=MONDAY)
    reassign_task(tenant=inside, task_id=pooled.pk, assignee_id=None, pool="csm")
    assert complete_task(tenant=inside, task_id=pooled.pk, member=carl).state == "done"
    assert complete_task(tenant=inside, task_id=theirs.pk, member=mona).state == "done"


def test_my_tasks_are_mine_and_my_pools(
    inside: Tenant, owned: Account, orphan: Account, carl: Membership, mona: Membership, vera: Membership
) -> None:
    late = hello(inside, owned, due_on=MONDAY + timedelta(days=1))
    first = hello(inside, owned, due_on=MONDAY - timedelta(days=1))
    pooled = hello(inside, orphan)
    assert list(my_open_tasks(carl)) == [first, late]
    assert list(my_open_tasks(carl, due_by=MONDAY)) == [first]
    assert list(my_open_tasks(mona)) == [pooled]
    assert list(my_open_tasks(mona, with_pools=False)) == []
    assert list(my_open_tasks(vera)) == []
    assert task_counts(carl, MONDAY) == {"overdue": 1, "today": 0, "later": 1}
    assert task_counts(mona, MONDAY) == {"overdue": 0, "today": 1, "later": 0}


def test_pages_take_as_many_queries_for_three_runs_as_for_one(inside: Tenant, owned: Account) -> None:
    counts = []
    for keys in (["data_audit"], ["hooks_review", "value_review"]):
        for key in keys:
            start_run(tenant=inside, playbook_key=key, account_id=owned.pk, started_on=MONDAY)
        with CaptureQueriesContext(connection) as captured:
            runs = runs_for_account(inside, owned.pk)
            titles = [task.title for run in runs for task in run.tasks.all()]
            tasks = tasks_for_account(inside, owned.pk)
            names = {(task.run.playbook.name, task.assignee.user.email) for task in tasks}
            books = playbooks_with_steps(inside)
        assert len(titles) == len(tasks)
        assert len(names) == len(runs)
        assert sum(book.running for book in books) == len(runs)
        counts.append(len(captured))
    assert counts == [6, 6]  # runs and their tasks; open and finished tasks; steps, plays
    assert [len(book.published_steps) for book in playbooks_with_steps(inside)] == [
        *(6, 6, 5, 5, 4, 4, 4, 6, 6),
        *(2, 9, 6, 9, 7, 8),
    ]


def test_each_component_has_its_play(inside: Tenant) -> None:
    assert plays_by_component(inside) == {
        "usage": "express_training",
        "response": "hooks_review",
        "support": "data_audit",
        "risk": "data_audit",
        "engagement": "re_engagement",
        "adoption": "feature_adoption",
        "payment": "payment_recovery",
        "value": "value_review",
    }
