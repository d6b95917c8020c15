"""Telling the managers about tasks that are overdue, once for each task."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership, Role, Tenant
from accounts.visibility import visibilities_of
from outreach.services import notify_members
from playbooks.calendars import calendars_of
from playbooks.events import TASK_OVERDUE
from playbooks.links import overdue_path
from playbooks.models import Task, WorkSettings

BODY_LINES = 10


def escalate_overdue(*, tenant: Tenant, day: date) -> int:
    """Tell the managers of tasks that have been overdue for too many working days of whoever has them; how many.

    One line per person who is late and not one per task. A task is told once; moved or handed over, it may be told again.
    """
    settings = WorkSettings.objects.filter(tenant=tenant).first() or WorkSettings()
    late = list(
        Task.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("account", "assignee__user")
        .filter(tenant=tenant, state=Task.State.OPEN, due_on__lt=day, escalated_on=None)
        .order_by("due_on", "pk")
    )
    if not late:
        return 0
    calendars = calendars_of(tenant, [t.assignee_id for t in late if t.assignee_id is not None], day)
    by_person: dict[Membership | None, list[Task]] = defaultdict(list)
    for task in late:
        if calendars.of(task.assignee_id).between(task.due_on, day) > settings.escalate_after_days:
            by_person[task.assignee].append(task)
    told = [task for tasks in by_person.values() for task in tasks]
    managers = _managers(tenant)
    eyes = visibilities_of(tenant, managers)
    for person, tasks in by_person.items():
        for manager in managers:
            seen = [task for task in tasks if eyes[manager.pk].shows(task.account.owner_id)]
            if seen and (person is None or manager.pk != person.pk):
                _tell(tenant, manager, person, seen, day)
    Task.objects.filter(tenant=tenant, pk__in=[task.pk for task in told]).update(escalated_on=day)
    return len(told)


def _managers(tenant: Tenant) -> list[Membership]:
    """The managers; where there is none, the admins."""
    people = Membership.objects.select_related("user").filter(
        tenant=tenant, is_active=True, role__in=[Role.MANAGER, Role.ADMIN]
    )
    found = [member for member in people if member.role == Role.MANAGER]
    return found or list(people)


def _tell(
    tenant: Tenant, manager: Membership, person: Membership | None, tasks: list[Task], day: date
) -> None:
    with translation.override(manager.user.language or tenant.language):
        who = str(person) if person is not None else _("The pool")
        title = ngettext(
            "%(who)s has %(count)d task that is long overdue",
            "%(who)s has %(count)d tasks that are long overdue",
            len(tasks),
        ) % {"who": who, "count": len(tasks)}
        lines = [
            f"{task.account.name}: {task.title} ({date_format(task.due_on)})" for task in tasks[:BODY_LINES]
        ]
    notify_members(
        tenant=tenant,
        members=[manager],
        kind=TASK_OVERDUE,
        title=title,
        body="\n".join(lines),
        url=overdue_path(person.pk if person is not None else None),
        dedupe_key=f"overdue:{day.isoformat()}:{person.pk if person else 'pool'}:{manager.pk}",
    )
