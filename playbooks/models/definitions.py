"""Plays and their versions: what is done, for whom, how often and until when."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Role
from playbooks.terms import MAX_HOLDOUT_PCT, MAX_MEASURE_DAYS, MIN_MEASURE_DAYS
from playbooks.workdays import MAX_WORKING_DAYS


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
    # How runs of this version behave: see `playbooks.terms`. Frozen with the version, so a running run keeps its rules.
    entry = models.JSONField(_("for which accounts"), default=dict, blank=True, editable=False)
    exits = models.JSONField(_("when it has done its work"), default=list, blank=True, editable=False)
    group = models.SlugField(
        _("group"),
        max_length=60,
        blank=True,
        db_index=False,
        help_text=_("Of the plays of one group, only one runs at an account at a time."),
    )
    reentry_days = models.PositiveSmallIntegerField(
        _("days before it may run again"),
        null=True,
        blank=True,
        default=0,
        help_text=_("Counted from the end of the last run at the account; empty: never again."),
    )
    holdout_pct = models.PositiveSmallIntegerField(
        _("hold-out share in percent"),
        default=0,
        validators=[MaxValueValidator(MAX_HOLDOUT_PCT)],
        help_text=_("For so many of a hundred accounts nothing is done, to see what the play achieves."),
    )
    measure_days = models.PositiveSmallIntegerField(
        _("days until the outcome is measured"),
        default=60,
        validators=[MinValueValidator(MIN_MEASURE_DAYS), MaxValueValidator(MAX_MEASURE_DAYS)],
    )
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
        PERSON = "person", _("One person")
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
    owner_member = TenantForeignKey(
        "accounts.Membership",
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("person"),
    )
    # Where other steps lead to, and where this one leads when it is not the next step ("end": behind the last).
    label = models.SlugField(_("label"), max_length=40, blank=True, db_index=False)
    next_label = models.SlugField(_("goes on with"), max_length=40, blank=True, db_index=False)
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
