"""What members say about tasks."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_timeline
from outreach.services import notify_members
from playbooks import timeline
from playbooks.links import task_path
from playbooks.models import Task, TaskComment
from playbooks.rights import demand_account, may_do_task

COMMENT_LENGTH = 4000


def comment_on_task(*, tenant: Tenant, task_id: int, text: str, member: Membership) -> TaskComment:
    """Say something about a task; whoever has it hears of it."""
    task = Task.objects.select_related("account", "assignee__user").get(tenant=tenant, pk=task_id)
    if not may_do_task(member, task):
        demand_account(member, task.account)
    if not text.strip():
        raise ValidationError(_("Write something first."), code="text")
    comment = TaskComment.objects.create(
        tenant=tenant, task=task, author=member, text=text.strip()[:COMMENT_LENGTH]
    )
    record_timeline(
        tenant=tenant,
        account_id=task.account_id,
        kind=timeline.TASK_COMMENTED,
        at=timezone.now(),
        title=task.title,
        actor=member,
        data={"task": task.pk, "comment": comment.pk},
    )
    if task.assignee is not None and task.assignee_id != member.pk:
        notify_members(
            tenant=tenant,
            members=[task.assignee],
            kind=timeline.TASK_COMMENTED,
            title=_("%(who)s wrote about “%(task)s”") % {"who": member, "task": task.title},
            body=comment.text[:500],
            url=task_path(task),
            account=task.account,
            dedupe_key=f"task-comment:{comment.pk}",
        )
    return comment
