"""Lists of what has to be done: tasks, one of them, and the plays they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet

from accounts.access import has_role
from accounts.models import Membership, Role, Tenant
from playbooks.models import Playbook, Priority, Run, Step, Task, TaskComment
from playbooks.selectors import pools_of
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor

MINE, EVERYBODY = "mine", "all"
DUE = ("overdue", "today", "week")
POOLS = tuple((role.value, role.label) for role in (Role.CSM, Role.MANAGER, Role.ADMIN))


@dataclass(frozen=True)
class TaskFilter:
    """What a list of tasks is narrowed to; each field is a parameter of the address."""

    who: str
    state: str = Task.State.OPEN
    due: str = ""
    pool: str = ""
    priority: str = ""

    def parameters(self, default_who: str) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "who": "" if self.who == default_who else self.who,
            "state": "" if self.state == Task.State.OPEN else self.state,
            "due": self.due,
            "pool": self.pool,
            "priority": self.priority,
        }
        return {name: value for name, value in said.items() if value}


def default_who(member: Membership) -> str:
    """Whose work a member looks at first: their own, and everybody's for those who have none."""
    return MINE if member.role == Role.CSM else EVERYBODY


def read_task_filter(parameters: Mapping[str, str], member: Membership) -> TaskFilter:
    """The filter of an address; what cannot be understood is left out."""
    who, state, due = parameters.get("who", ""), parameters.get("state", ""), parameters.get("due", "")
    if who not in (MINE, EVERYBODY) and not (who.isascii() and who.isdigit() and len(who) < 19):
        who = default_who(member)
    pool, priority = parameters.get("pool", ""), parameters.get("priority", "")
    return TaskFilter(
        who=who,
        state=state if state in Task.State.values else Task.State.OPEN,
        due=due if due in DUE else "",
        pool=pool if pool in dict(POOLS) else "",
        priority=priority if priority in {str(each) for each in Priority.values} else "",
    )


def mine(member: Membership) -> Q:
    """Tasks that are a member's: assigned to them, or waiting in a pool they take from."""
    return Q(assignee_id=member.pk) | Q(pool__in=pools_of(member))


def filtered(tenant: Tenant, wanted: TaskFilter, member: Membership, today: date) -> QuerySet[Task]:
    """The tasks that a filter lets through."""
    found = Task.objects.filter(tenant=tenant, state=wanted.state)
    if wanted.who == MINE:
        found = found.filter(mine(member))
    elif wanted.who != EVERYBODY:
        found = found.filter(assignee_id=int(wanted.who))
    if wanted.pool:
        found = found.filter(pool=wanted.pool)
    if wanted.priority:
        found = found.filter(priority=int(wanted.priority))
    if wanted.due == "overdue":
        found = found.filter(due_on__lt=today)
    elif wanted.due == "today":
        found = found.filter(due_on=today)
    elif wanted.due == "week":
        found = found.filter(due_on__lte=today + timedelta(days=7))
    return found


@dataclass(frozen=True)
class TaskPage:
    """A page of tasks, how many there are up to the cap, and where the next page starts."""

    rows: list[Task]
    total: int
    next_cursor: Cursor | None


def task_page(
    tenant: Tenant,
    wanted: TaskFilter,
    member: Membership,
    *,
    today: date,
    after: Cursor | None = None,
    limit: int = PAGE_SIZE,
) -> TaskPage:
    """Tasks by due date; two queries."""
    found = filtered(tenant, wanted, member, today)
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None and isinstance(after.value, str):
        day = date.fromisoformat(after.value)
        found = found.filter(Q(due_on__gt=day) | Q(due_on=day, pk__gt=after.pk), due_on__gte=day)
    rows = list(
        found.select_related("account", "assignee__user", "run__playbook").order_by("due_on", "pk")[
            : limit + 1
        ]
    )
    more, rows = len(rows) > limit, rows[:limit]
    return TaskPage(rows, total, Cursor(rows[-1].due_on.isoformat(), rows[-1].pk) if more else None)


def usable(after: Cursor | None) -> Cursor | None:
    """The cursor, unless somebody has written it by hand."""
    if after is None or not isinstance(after.value, str):
        return None
    try:
        date.fromisoformat(after.value)
    except ValueError:
        return None
    return after


def task(tenant: Tenant, pk: int) -> Task | None:
    """One task with all that its page names."""
    found = Task.objects.filter(tenant=tenant, pk=pk)
    return found.select_related(
        "account__owner__user", "assignee__user", "run__playbook", "step", "completed_by__user"
    ).first()


def comments(tenant: Tenant, task_id: int) -> list[TaskComment]:
    """What was said about a task, the oldest first."""
    found = TaskComment.objects.filter(tenant=tenant, task_id=task_id).select_related("author__user")
    return list(found.order_by("id")[:200])


@dataclass(frozen=True)
class PlayLine:
    """A play with how it has been used."""

    playbook: Playbook
    version: int | None
    steps: int
    running: int
    ended: int
    recovered: int


def plays(tenant: Tenant) -> list[PlayLine]:
    """Every play with its published version and its runs; three queries."""
    counts = {
        row["playbook_id"]: row
        for row in Run.objects.filter(tenant=tenant, held_out=False)
        .values("playbook_id")
        .order_by()
        .annotate(
            running=Count("pk", filter=Q(state=Run.State.RUNNING)),
            ended=Count("pk", filter=~Q(state=Run.State.RUNNING)),
            recovered=Count("pk", filter=Q(outcome=Run.Outcome.RECOVERED)),
        )
    }
    published = {
        row["version__playbook_id"]: (row["version__number"], row["count"])
        for row in Step.objects.filter(tenant=tenant, version__state="published")
        .values("version__playbook_id", "version__number")
        .order_by()
        .annotate(count=Count("pk"))
    }
    nothing = {"running": 0, "ended": 0, "recovered": 0}
    return [
        PlayLine(
            book,
            *published.get(book.pk, (None, 0)),
            *(counts.get(book.pk, nothing)[name] for name in ("running", "ended", "recovered")),
        )
        for book in Playbook.objects.filter(tenant=tenant).order_by("position", "key")
    ]


def sees_everybody(member: Membership) -> bool:
    """Whether Today shows the member the whole company."""
    return member.role == Role.VIEWER or has_role(member, Role.MANAGER)
