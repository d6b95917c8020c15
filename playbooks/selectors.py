"""Reads of playbooks; each takes a number of queries that does not depend on how many rows there are."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.access import RANK
from accounts.models import Membership, Role, Tenant

from .models import Playbook, PlaybookVersion, Run, Step, Task


def tasks_of(
    tenant: Tenant,
    *,
    state: str = "",
    assignee_id: int | None = None,
    pool: str = "",
    account_id: int | None = None,
    due_by: date | None = None,
    due_from: date | None = None,
) -> QuerySet[Task]:
    """Tasks with their account, assignee and play, the first due first; each filter is optional."""
    tasks = Task.objects.filter(tenant=tenant).select_related(
        "account", "assignee__user", "run__playbook", "step"
    )
    if state:
        tasks = tasks.filter(state=state)
    if assignee_id is not None:
        tasks = tasks.filter(assignee_id=assignee_id)
    if pool:
        tasks = tasks.filter(pool=pool)
    if account_id is not None:
        tasks = tasks.filter(account_id=account_id)
    if due_by is not None:
        tasks = tasks.filter(due_on__lte=due_by)
    if due_from is not None:
        tasks = tasks.filter(due_on__gte=due_from)
    return tasks.order_by("due_on", "id")


def my_open_tasks(
    member: Membership, *, due_by: date | None = None, with_pools: bool = True
) -> QuerySet[Task]:
    """What this member has to do, with the pools of the member's role: due first, and of one day the urgent first."""
    tasks = tasks_of(member.tenant, state=Task.State.OPEN, due_by=due_by)
    mine = Q(assignee_id=member.pk)
    if with_pools:
        mine |= Q(pool__in=pools_of(member))
    return tasks.filter(mine).order_by("due_on", "priority", "id")


def pools_of(member: Membership) -> list[str]:
    """The pools a member takes tasks from: of the own role and, for managers and admins, of the weaker ones."""
    if member.role == Role.VIEWER:
        return []
    return [role for role in (Role.CSM, Role.MANAGER, Role.ADMIN) if RANK[role] <= RANK[Role(member.role)]]


def task_counts(member: Membership, today: date) -> dict[str, int]:
    """How many open tasks of the member are overdue, due today, and later; one query."""
    return (
        my_open_tasks(member)
        .order_by()
        .aggregate(
            overdue=Count("pk", filter=Q(due_on__lt=today)),
            today=Count("pk", filter=Q(due_on=today)),
            later=Count("pk", filter=Q(due_on__gt=today)),
        )
    )


def tasks_for_account(tenant: Tenant, account_id: int, *, done: int = 10) -> list[Task]:
    """The account's open tasks by due date, then the ones that were finished last."""
    tasks = tasks_of(tenant, account_id=account_id)
    finished = tasks.exclude(state=Task.State.OPEN).order_by("-completed_at", "-id")[:done]
    return [*tasks.filter(state=Task.State.OPEN), *finished]


def runs_of(
    tenant: Tenant,
    *,
    state: str = "",
    account_id: int | None = None,
    playbook_key: str = "",
    alert_ids: Collection[int] | None = None,
) -> QuerySet[Run]:
    """Runs with play, version, account and how many tasks are done, the newest first; each filter is optional."""
    runs = Run.objects.filter(tenant=tenant).select_related(
        "playbook", "version", "account", "started_by__user"
    )
    if state:
        runs = runs.filter(state=state)
    if account_id is not None:
        runs = runs.filter(account_id=account_id)
    if playbook_key:
        runs = runs.filter(playbook__key=playbook_key)
    if alert_ids is not None:
        runs = runs.filter(alert_id__in=alert_ids)
    tasks = Task.objects.filter(tenant=tenant, run_id=OuterRef("pk"))
    done = tasks.filter(state=Task.State.DONE)
    return runs.annotate(  # type: ignore[no-redef]  # the model declares them for its readers
        tasks_total=_count(tasks, "run_id"), tasks_done=_count(done, "run_id")
    ).order_by("-id")


def _count(rows: QuerySet[Any], key: str) -> Coalesce:
    """How many of these rows the outer row has.

    A sub-query and not a joined Count: Django would group by `id` alone, which is not the whole key of a fenced table.
    """
    counted = rows.order_by().values(key).annotate(rows=Count("pk")).values("rows")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def runs_for_account(tenant: Tenant, account_id: int) -> list[Run]:
    """The account's runs with their tasks, the newest first."""
    tasks = (
        Task.objects.filter(tenant=tenant).select_related("assignee__user", "step").order_by("due_on", "id")
    )
    runs = runs_of(tenant, account_id=account_id).prefetch_related(Prefetch("tasks", queryset=tasks))
    return list(runs.order_by("-started_on", "-id"))


def playbooks_with_steps(tenant: Tenant) -> list[Playbook]:
    """Every play with the steps of its published version in `published_steps` and its running runs in `running`."""
    steps = Step.objects.filter(tenant=tenant, version__state=PlaybookVersion.State.PUBLISHED)
    by_version: dict[int, list[Step]] = {}
    for step in steps.annotate(playbook_id=F("version__playbook_id")).order_by("position"):
        by_version.setdefault(step.playbook_id, []).append(step)
    running = Run.objects.filter(tenant=tenant, playbook_id=OuterRef("pk"), state=Run.State.RUNNING)
    books: list[Playbook] = list(
        Playbook.objects.filter(tenant=tenant).annotate(  # type: ignore[no-redef]  # declared by the model
            running=_count(running, "playbook_id")
        )
    )
    for book in books:
        book.published_steps = by_version.get(book.pk, [])
    return books


def startable_playbooks(tenant: Tenant | int) -> QuerySet[Playbook]:
    """The plays a person can start now."""
    return Playbook.objects.filter(
        tenant=tenant, enabled=True, versions__state=PlaybookVersion.State.PUBLISHED
    ).order_by("position", "key")


def plays_by_component(tenant: Tenant) -> dict[str, str]:
    """For each score component, the key of the first startable play that repairs it."""
    found: dict[str, str] = {}
    for key, components in startable_playbooks(tenant).values_list("key", "components"):
        for component in components:
            found.setdefault(component, key)
    return found
