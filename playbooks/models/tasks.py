"""Tasks, what people say about them, and what can be undone."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Role

from .definitions import Priority, Step
from .runs import Run


class Task(TenantModel):
    """Something that a member, or anyone of a pool, has to do at an account by a date."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    account = TenantForeignKey(Account, models.CASCADE, related_name="tasks", verbose_name=_("account"))
    run = TenantForeignKey(
        Run, models.CASCADE, null=True, related_name="tasks", verbose_name=_("playbook run")
    )
    step = TenantForeignKey(Step, models.CASCADE, null=True, related_name="tasks", verbose_name=_("step"))
    visit = models.PositiveSmallIntegerField(default=1)  # the how-manieth time the run was at the step
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("what to do"), blank=True)
    assignee = TenantForeignKey(
        "accounts.Membership", models.DO_NOTHING, null=True, related_name="tasks", verbose_name=_("assignee")
    )
    # Whose pool it waits in while nobody has it; empty as soon as somebody does.
    pool = models.CharField(_("pool"), max_length=10, choices=Role, blank=True)
    due_on = models.DateField(_("due"))
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    note = models.TextField(_("what came of it"), blank=True)
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    completed_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    completed_at = models.DateTimeField(_("completed"), null=True)
    escalated_on = models.DateField(null=True)  # when the managers were told that it is overdue

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        constraints = [
            # A visit of a run at a step makes one task, whatever is run twice.
            models.UniqueConstraint(fields=["tenant", "run", "step", "visit"], name="task_once_per_visit"),
            models.CheckConstraint(
                name="task_has_assignee_or_pool",
                condition=Q(assignee__isnull=True, pool__gt="") | Q(assignee__isnull=False, pool=""),
            ),
        ]
        indexes = [
            models.Index(  # Today: my open tasks by due date
                fields=["tenant", "assignee", "due_on", "id"], name="task_mine", condition=Q(state="open")
            ),
            models.Index(  # Today of a manager: the pool
                fields=["tenant", "pool", "due_on", "id"], name="task_pool", condition=Q(state="open")
            ),
            models.Index(fields=["tenant", "due_on", "id"], name="task_by_due"),  # task list, API
            models.Index(
                fields=["tenant", "account", "state", "due_on"], name="task_by_account"
            ),  # account page
        ]

    def __str__(self) -> str:
        return self.title


class TaskComment(TenantModel):
    """What a member says about a task."""

    task = TenantForeignKey(Task, models.CASCADE, related_name="comments", verbose_name=_("task"))
    author = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    text = models.TextField(_("comment"))
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        indexes = [models.Index(fields=["tenant", "task", "id"], name="comment_by_task")]

    def __str__(self) -> str:
        return self.text[:80]


class Undo(TenantModel):
    """How things were before somebody changed many at once, for as long as it can be taken back."""

    class Kind(models.TextChoices):
        TASKS = "tasks", _("Tasks")
        RUN = "run", _("Dates of a run")
        ASIDE = "aside", _("Things put aside")

    kind = models.CharField(max_length=10, choices=Kind)
    member = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    made_at = models.DateTimeField(db_default=Now())
    undone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("change that can be undone")
        verbose_name_plural = _("changes that can be undone")

    def __str__(self) -> str:
        return f"{self.kind} {self.made_at}"
