"""Plays in versions, their runs at accounts, and the tasks of members."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Role

from .workdays import MAX_WORKING_DAYS


class Playbook(TenantModel):
    """A play: what to do at an account in a given situation. What it consists of is in its versions."""

    class Origin(models.TextChoices):
        SHIPPED = "shipped", _("Shipped")
        OWN = "own", _("Own")

    key = models.SlugField(_("key"), max_length=60, db_index=False)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("when to use it"), blank=True)
    # The score components this play repairs: "health dropped" starts the play of the component that lost most points.
    components = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, verbose_name=_("components it repairs")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    origin = models.CharField(_("origin"), max_length=10, choices=Origin, default=Origin.OWN, editable=False)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("playbook")
        verbose_name_plural = _("playbooks")
        ordering = ["position", "key"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="playbook_key")]

    # Annotated by `selectors.playbooks_with_steps`.
    published_steps: list[Step]
    running: int

    def __str__(self) -> str:
        return self.name


class PlaybookVersion(TenantModel):
    """The steps of a play as they were published; a run keeps the version it started with."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    playbook = TenantForeignKey(Playbook, models.CASCADE, related_name="versions", verbose_name=_("playbook"))
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    note = models.CharField(_("what changed"), max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    published_at = models.DateTimeField(_("published"), null=True, editable=False)
    published_by = TenantForeignKey(
        "accounts.Membership",
        models.DO_NOTHING,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("published by"),
    )

    class Meta:
        verbose_name = _("playbook version")
        verbose_name_plural = _("playbook versions")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "playbook", "number"], name="playbook_version_number"),
            models.UniqueConstraint(
                fields=["tenant", "playbook"], name="playbook_one_published", condition=Q(state="published")
            ),
            models.UniqueConstraint(
                fields=["tenant", "playbook"], name="playbook_one_draft", condition=Q(state="draft")
            ),
        ]

    def __str__(self) -> str:
        return _("%(playbook)s, version %(number)s") % {"playbook": self.playbook, "number": self.number}


class Priority(models.IntegerChoices):
    """How soon a task wants attention among those due on the same day."""

    HIGH = 1, _("High")
    NORMAL = 2, _("Normal")
    LOW = 3, _("Low")


class Step(TenantModel):
    """One step of a version of a play."""

    class Kind(models.TextChoices):
        TASK = "task", _("Task")
        EMAIL = "email", _("E-mail")
        IN_APP = "in_app", _("In-app message")
        WAIT = "wait", _("Wait")
        BRANCH = "branch", _("Branch")
        WEBHOOK = "webhook", _("Webhook")
        SET_FIELD = "set_field", _("Set a field")
        START_PLAY = "start_play", _("Start another play")

    class OwnerRule(models.TextChoices):
        OWNER = "owner", _("The account's owner")
        MANAGER_POOL = "manager_pool", _("The managers' pool")
        ROLE = "role", _("Everyone with a role")

    version = TenantForeignKey(
        PlaybookVersion, models.CASCADE, related_name="steps", verbose_name=_("version")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.TASK)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("what to do, and what good looks like"), blank=True)
    due_in_days = models.PositiveSmallIntegerField(
        _("working days"),
        default=1,
        validators=[MinValueValidator(0), MaxValueValidator(MAX_WORKING_DAYS)],
        help_text=_("For a task: until it is due. For a wait: how long it lasts."),
    )
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    owner_rule = models.CharField(_("who does it"), max_length=12, choices=OwnerRule, default=OwnerRule.OWNER)
    owner_role = models.CharField(_("role"), max_length=10, choices=Role, blank=True)
    config = models.JSONField(_("settings of this kind of step"), default=dict, blank=True, editable=False)

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["position"]
        constraints = [
            # Deferred: reordering steps swaps positions within one transaction.
            models.UniqueConstraint(
                fields=["tenant", "version", "position"],
                name="step_position",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]

    def __str__(self) -> str:
        return self.title


class Run(TenantModel):
    """One play at one account, from its start to its outcome."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    class Outcome(models.TextChoices):
        RECOVERED = "recovered", _("Recovered")
        EXPANDED = "expanded", _("Expanded")
        CHURNED = "churned", _("Churned")
        NO_EFFECT = "no_effect", _("No effect")

    playbook = TenantForeignKey(Playbook, models.CASCADE, related_name="runs", verbose_name=_("playbook"))
    version = TenantForeignKey(
        PlaybookVersion, models.CASCADE, related_name="runs", verbose_name=_("version")
    )
    account = TenantForeignKey(Account, models.CASCADE, related_name="runs", verbose_name=_("account"))
    alert_id = models.BigIntegerField(null=True)  # no key: alerts live on a floor above
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    started_on = models.DateField(_("started"))
    started_by = TenantForeignKey(
        "accounts.Membership", models.DO_NOTHING, null=True, related_name="+", verbose_name=_("started by")
    )
    finished_on = models.DateField(_("finished"), null=True)
    stop_reason = models.CharField(_("why it was stopped"), max_length=300, blank=True)
    # Where the run stands: the first step not yet reached (null when all are), and the date a wait lasts until.
    next_position = models.PositiveIntegerField(null=True)
    wait_until = models.DateField(null=True)

    class Meta:
        verbose_name = _("playbook run")
        verbose_name_plural = _("playbook runs")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "playbook", "account"], name="run_one_running", condition=Q(state="running")
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "account", "-started_on", "-id"], name="run_by_account"
            ),  # account page
            models.Index(fields=["tenant", "-id"], name="run_newest"),  # API list
            models.Index(fields=["tenant", "alert_id"], name="run_by_alert"),  # alert page
            models.Index(
                fields=["tenant", "wait_until"], name="run_waiting", condition=Q(state="running")
            ),  # nightly
        ]

    # Annotated by `selectors.runs_of`.
    tasks_total: int
    tasks_done: int

    def __str__(self) -> str:
        return f"{self.playbook} · {self.account}"


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

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        constraints = [
            # A step of a run makes one task, whatever is run twice.
            models.UniqueConstraint(fields=["tenant", "run", "step"], name="task_once_per_step"),
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
