"""Runs of plays at accounts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Tenant, TimelineEntry
from playbooks.models import Playbook, PlaybookVersion, Run, Step, Task
from playbooks.services import (
    RunStart,
    advance_runs,
    cancel_task,
    complete_task,
    draft_from_published,
    install_shipped_plays,
    publish_version,
    reopen_task,
    set_outcome,
    start_run,
    start_runs,
    stop_run,
)

from .conftest import MONDAY


def due_dates(run: Run) -> list[date]:
    return [task.due_on for task in run.tasks.order_by("step__position")]


def test_a_run_makes_the_tasks_of_the_play_for_the_owner(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    run = start_run(tenant=inside, playbook_key="express_training", account_id=owned.pk, started_on=MONDAY)
    tasks = list(run.tasks.order_by("step__position"))
    assert [task.due_on for task in tasks] == [
        date(2026, 3, 3),
        date(2026, 3, 5),
        date(2026, 3, 9),
        date(2026, 3, 12),
        date(2026, 3, 23),
    ]
    assert {(task.assignee_id, task.pool, task.state) for task in tasks} == {(carl.pk, "", "open")}
    assert tasks[0].title == "Find out who stopped and why"
    assert tasks[0].body.startswith("Open the account's usage")
    assert (run.state, run.next_position, run.wait_until) == ("running", None, None)
    entry = TimelineEntry.objects.get(account=owned)
    assert (entry.kind, entry.title) == ("run_started", "Express training + template refresh")
    audit = AuditEntry.objects.get(target=f"run:{run.pk}")
    assert (audit.action, audit.actor_label) == ("run.started", "system")


def test_an_account_without_an_owner_goes_to_the_managers_pool(inside: Tenant, orphan: Account) -> None:
    run = start_run(tenant=inside, playbook_key="data_audit", account_id=orphan.pk, started_on=MONDAY)
    assert set(run.tasks.values_list("assignee_id", "pool")) == {(None, "manager")}


def test_an_owner_who_left_counts_as_none(inside: Tenant, owned: Account, carl: Membership) -> None:
    Membership.objects.filter(pk=carl.pk).update(is_active=False)
    run = start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    assert set(run.tasks.values_list("assignee_id", "pool")) == {(None, "manager")}


def test_a_step_for_the_managers_goes_to_their_pool_even_with_an_owner(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    run = start_run(tenant=inside, playbook_key="save_renewal", account_id=owned.pk, started_on=MONDAY)
    assert list(run.tasks.order_by("step__position").values_list("assignee_id", "pool")) == [
        (carl.pk, ""),
        (None, "manager"),
        (carl.pk, ""),
        (carl.pk, ""),
        (carl.pk, ""),
    ]


def test_a_play_that_runs_is_not_started_again(inside: Tenant, owned: Account) -> None:
    first = start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    again = start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    assert again.pk == first.pk
    assert (Run.objects.count(), Task.objects.count()) == (1, 5)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(
            tenant=inside, playbook=first.playbook, version=first.version, account=owned, started_on=MONDAY
        )


def test_starting_twice_in_one_batch_starts_once(inside: Tenant, owned: Account) -> None:
    starts = [RunStart("data_audit", owned.pk, alert_id) for alert_id in (1, 2)]
    found = start_runs(tenant=inside, starts=starts, started_on=MONDAY)
    assert found[starts[0]] is found[starts[1]]
    assert (Run.objects.count(), Task.objects.count()) == (1, 5)


def test_starting_plays_takes_as_many_queries_for_three_accounts_as_for_one(
    inside: Tenant, carl: Membership
) -> None:
    counts = []
    for size in (1, 3):
        accounts = Account.objects.bulk_create(
            Account(tenant=inside, external_id=f"{size}-{n}", name="A", name_search="a", owner=carl)
            for n in range(size)
        )
        with CaptureQueriesContext(connection) as captured:
            found = start_runs(
                tenant=inside,
                starts=[RunStart("hooks_review", account.pk) for account in accounts],
                started_on=MONDAY,
            )
        assert len(found) == size
        counts.append(len(captured))
    # versions, accounts, running, runs, journal (2); steps, calendars (3), owners, tasks, log, place
    assert counts[0] == counts[1] <= 15


def test_a_churned_account_starts_nothing(inside: Tenant, owned: Account) -> None:
    Account.objects.filter(pk=owned.pk).update(churned_on=MONDAY)
    with pytest.raises(ValidationError, match="churned"):
        start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    assert Run.objects.count() == 0


@pytest.mark.parametrize("key", ["no_such_play", "data_audit"])
def test_an_unknown_or_switched_off_play_is_refused(inside: Tenant, owned: Account, key: str) -> None:
    Playbook.objects.filter(key="data_audit").update(enabled=False)
    with pytest.raises(ValidationError, match="no published play"):
        start_run(tenant=inside, playbook_key=key, account_id=owned.pk, started_on=MONDAY)


def test_the_last_task_done_ends_the_run_and_reopening_it_revives_it(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    run = start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    *others, last = run.tasks.order_by("pk")
    for task in others:
        complete_task(tenant=inside, task_id=task.pk, member=carl)
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING
    cancel_task(tenant=inside, task_id=last.pk, member=carl, note="Not needed")
    run.refresh_from_db()
    assert (run.state, run.finished_on) == (Run.State.DONE, inside.today())
    reopen_task(tenant=inside, task_id=last.pk, member=carl)
    run.refresh_from_db()
    assert (run.state, run.finished_on) == (Run.State.RUNNING, None)


def test_a_wait_holds_the_next_task_back_until_it_is_over(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    run = start_run(tenant=inside, playbook_key="payment_recovery", account_id=owned.pk, started_on=MONDAY)
    assert due_dates(run) == [date(2026, 3, 3), date(2026, 3, 4)]
    assert (run.next_position, run.wait_until) == (3, date(2026, 3, 6))
    for task in run.tasks.all():
        complete_task(tenant=inside, task_id=task.pk, member=carl)
    before = advance_runs(tenant=inside, day=date(2026, 3, 5))
    assert (before.tasks_created, before.runs_done) == (0, 0)
    after = advance_runs(tenant=inside, day=date(2026, 3, 6))
    assert (after.tasks_created, after.runs_done) == (1, 0)
    assert due_dates(run)[-1] == date(2026, 3, 9)
    again = advance_runs(tenant=inside, day=date(2026, 3, 6))
    assert (again.tasks_created, again.runs_done) == (0, 0)
    complete_task(tenant=inside, task_id=run.tasks.get(state="open").pk, member=carl)
    run.refresh_from_db()
    assert run.state == Run.State.DONE


def test_nightly_walking_takes_as_many_queries_for_three_runs_as_for_one(
    inside: Tenant, carl: Membership
) -> None:
    counts = []
    for size in (1, 3):
        for n in range(size):
            account = Account.objects.create(tenant=inside, external_id=f"{size}-{n}", name="A", owner=carl)
            start_run(
                tenant=inside, playbook_key="payment_recovery", account_id=account.pk, started_on=MONDAY
            )
        with CaptureQueriesContext(connection) as captured:
            summary = advance_runs(tenant=inside, day=MONDAY + timedelta(days=7))
        assert summary.tasks_created == size
        counts.append(len(captured))
        Task.objects.update(state="cancelled")
        assert advance_runs(tenant=inside, day=MONDAY + timedelta(days=7)).runs_done == size
    # planner, churned; criteria: runs, metric (3), streaks; due, steps, calendars (3), owners, tasks, log, place; idle
    assert counts[0] == counts[1] <= 20


def test_a_churned_account_stops_its_runs_with_that_outcome(inside: Tenant, owned: Account) -> None:
    run = start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    Account.objects.filter(pk=owned.pk).update(churned_on=MONDAY + timedelta(days=2))
    assert advance_runs(tenant=inside, day=MONDAY + timedelta(days=1)).runs_stopped == 0
    assert advance_runs(tenant=inside, day=MONDAY + timedelta(days=2)).runs_stopped == 1
    run.refresh_from_db()
    assert (run.state, run.outcome) == ("stopped", "churned")
    assert set(run.tasks.values_list("state", flat=True)) == {"cancelled"}


def test_stopping_cancels_open_tasks_and_keeps_done_ones(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    run = start_run(tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY)
    done = run.tasks.order_by("pk").first()
    complete_task(tenant=inside, task_id=done.pk, member=carl)
    stop_run(tenant=inside, run_id=run.pk, outcome="recovered", reason="It works again", member=carl)
    run.refresh_from_db()
    assert (run.state, run.outcome, run.stop_reason) == ("stopped", "recovered", "It works again")
    assert sorted(run.tasks.values_list("state", flat=True)) == ["cancelled"] * 4 + ["done"]
    with pytest.raises(ValidationError, match="already ended"):
        stop_run(tenant=inside, run_id=run.pk, outcome="recovered", member=carl)
    with pytest.raises(ValidationError, match="Choose an outcome"):
        set_outcome(tenant=inside, run_id=run.pk, outcome="fine", member=carl)
    assert set_outcome(tenant=inside, run_id=run.pk, outcome="no_effect", member=carl).outcome == "no_effect"


def test_only_those_who_may_work_on_the_account_start_and_stop(
    inside: Tenant, owned: Account, carl: Membership, mona: Membership, vera: Membership
) -> None:
    with pytest.raises(PermissionDenied):
        start_run(
            tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY, member=vera
        )
    run = start_run(
        tenant=inside, playbook_key="data_audit", account_id=owned.pk, started_on=MONDAY, member=carl
    )
    with pytest.raises(PermissionDenied):
        stop_run(tenant=inside, run_id=run.pk, outcome="recovered", member=vera)
    assert stop_run(tenant=inside, run_id=run.pk, outcome="recovered", member=mona).state == "stopped"


def test_a_running_run_keeps_its_version_when_a_new_one_is_published(inside: Tenant, owned: Account) -> None:
    run = start_run(tenant=inside, playbook_key="payment_recovery", account_id=owned.pk, started_on=MONDAY)
    draft = draft_from_published(tenant=inside, playbook_id=run.playbook_id)
    assert draft_from_published(tenant=inside, playbook_id=run.playbook_id).pk == draft.pk
    draft.steps.filter(position=4).update(title="Changed")
    publish_version(tenant=inside, version_id=draft.pk)
    advance_runs(tenant=inside, day=MONDAY + timedelta(days=30))
    assert run.tasks.order_by("-pk")[0].title == "Confirm the payment or call the sponsor"
    states = (
        PlaybookVersion.objects.filter(playbook=run.playbook_id)
        .order_by("number")
        .values_list("number", "state")
    )
    assert list(states) == [(1, "retired"), (2, "published")]
    stop_run(tenant=inside, run_id=run.pk, outcome="no_effect")
    next_run = start_run(
        tenant=inside, playbook_key="payment_recovery", account_id=owned.pk, started_on=MONDAY
    )
    assert next_run.version_id == draft.pk


def test_a_version_that_cannot_be_carried_out_is_not_published(inside: Tenant) -> None:
    book = Playbook.objects.create(tenant=inside, key="mine", name="Mine")
    draft = draft_from_published(tenant=inside, playbook_id=book.pk)
    with pytest.raises(ValidationError, match="at least one step that does something"):
        publish_version(tenant=inside, version_id=draft.pk)
    Step.objects.create(
        tenant=inside, version=draft, position=1, kind="task", title="Call", owner_rule="role"
    )
    Step.objects.create(tenant=inside, version=draft, position=2, kind="email", title="Write")
    Step.objects.create(
        tenant=inside,
        version=draft,
        position=3,
        kind="branch",
        title="Ask",
        config={"when": [{"subject": "x"}]},
    )
    with pytest.raises(ValidationError) as refused:
        publish_version(tenant=inside, version_id=draft.pk)
    assert refused.value.messages == [
        "Step 1, “Call”: choose the role that does it.",
        "Step 2, “Write”: write a subject and a text, or choose a template.",
        "Step 3, “Ask”: Condition 1: choose what it looks at.",
    ]


@pytest.mark.parametrize(
    ("target", "message"),
    [("nowhere", "no step has this label"), ("start", "without a wait in between")],
)
def test_ways_that_lead_nowhere_or_in_circles_are_not_published(
    inside: Tenant, target: str, message: str
) -> None:
    book = Playbook.objects.create(tenant=inside, key="mine", name="Mine")
    draft = draft_from_published(tenant=inside, playbook_id=book.pk)
    Step.objects.create(tenant=inside, version=draft, position=1, title="Call", label="start")
    Step.objects.create(
        tenant=inside,
        version=draft,
        position=2,
        kind="branch",
        title="Ask",
        next_label="end",
        config={
            "when": [{"subject": "band", "name": "health", "compare": "is", "value": "healthy"}],
            "otherwise": target,
        },
    )
    with pytest.raises(ValidationError, match=message):
        publish_version(tenant=inside, version_id=draft.pk)
    Step.objects.filter(version=draft, position=2).update(
        config={
            "when": [{"subject": "band", "name": "health", "compare": "is", "value": "healthy"}],
            "otherwise": "end",
        }
    )
    assert publish_version(tenant=inside, version_id=draft.pk).state == "published"


def test_plays_that_would_start_each_other_for_ever_are_not_published(inside: Tenant) -> None:
    def starts(key: str, other: str) -> PlaybookVersion:
        book = Playbook.objects.get_or_create(tenant=inside, key=key, defaults={"name": key})[0]
        draft = draft_from_published(tenant=inside, playbook_id=book.pk)
        draft.steps.all().delete()
        Step.objects.create(
            tenant=inside, version=draft, position=1, kind="start_play", title="Go", config={"play": other}
        )
        return draft

    with pytest.raises(ValidationError, match="no play “b”"):
        publish_version(tenant=inside, version_id=starts("a", "b").pk)
    publish_version(tenant=inside, version_id=starts("b", "data_audit").pk)
    publish_version(tenant=inside, version_id=starts("a", "b").pk)
    with pytest.raises(ValidationError, match="start itself again"):
        publish_version(tenant=inside, version_id=starts("b", "a").pk)


def test_a_hold_out_share_needs_a_good_outcome_to_be_measured(inside: Tenant) -> None:
    book = Playbook.objects.get(key="nps_recovery")
    draft = draft_from_published(tenant=inside, playbook_id=book.pk)
    PlaybookVersion.objects.filter(pk=draft.pk).update(holdout_pct=10)
    with pytest.raises(ValidationError, match="exit criterion with a good outcome"):
        publish_version(tenant=inside, version_id=draft.pk)


def test_shipped_plays_are_installed_once_and_not_over_what_was_changed(inside: Tenant) -> None:
    Playbook.objects.filter(key="hooks_review").update(name="Our own words")
    Playbook.objects.filter(key="value_review").delete()
    assert [book.key for book in install_shipped_plays(tenant=inside)] == ["value_review"]
    assert install_shipped_plays(tenant=inside) == []
    assert Playbook.objects.get(key="hooks_review").name == "Our own words"
    assert Playbook.objects.count() == 15


@pytest.mark.django_db
def test_a_spanish_tenant_gets_spanish_plays() -> None:
    spanish = Tenant.objects.create(slug="es", name="Es", language="es")
    with tenant_scope(spanish):
        install_shipped_plays(tenant=spanish)
        assert list(Playbook.objects.filter(key="data_audit").values_list("name", flat=True)) == [
            "Auditoría de datos e integraciones"
        ]
        assert (
            Step.objects.get(version__playbook__key="data_audit", position=1).title
            == "Decir al cliente quién se ocupa"
        )
