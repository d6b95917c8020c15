"""Runs: one play at one account, and every step that it has reached."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account

from .definitions import Playbook, PlaybookVersion, Step


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
    # Where the run stands (`playbooks.engine.Place`): the step it goes on with (null behind the last), since which day,
    # until when it waits there, how often it was at each step.
    next_position = models.PositiveIntegerField(null=True)
    stood_on = models.DateField(null=True)
    wait_until = models.DateField(null=True)
    visits = models.JSONField(default=dict)
    # The wait it stands at may end before its time, by a condition; such a run is looked at every night.
    watching = models.BooleanField(default=False)
    paused_on = models.DateField(_("paused"), null=True)
    # Nothing is done in a run that is held out; what becomes of the account is measured as in the others.
    held_out = models.BooleanField(_("held out"), default=False)
    measure_until = models.DateField(null=True)
    measured = models.CharField(max_length=10, choices=Outcome, blank=True)
    measured_on = models.DateField(null=True)
    streaks = models.JSONField(default=dict)  # since when each exit criterion holds
    looked_on = models.DateField(null=True)  # the last night whose facts the criteria saw
    exit_reason = models.JSONField(default=dict)  # what was seen when a criterion ended the run
    parent_id = models.BigIntegerField(null=True)  # the run whose step started this one

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
            ),  # nightly: waits that are over
            models.Index(
                fields=["tenant", "id"], name="run_watching", condition=Q(state="running", watching=True)
            ),  # nightly: waits for a condition
            models.Index(
                fields=["tenant", "measure_until"],
                name="run_to_measure",
                condition=Q(measured="", measure_until__isnull=False),
            ),  # nightly: outcomes not known yet
            models.Index(fields=["tenant", "version", "account"], name="run_by_version"),  # lift, re-entry
        ]

    # Annotated by `selectors.runs_of`.
    tasks_total: int
    tasks_done: int

    def __str__(self) -> str:
        return f"{self.playbook} · {self.account}"

    @property
    def is_paused(self) -> bool:
        """Whether it stands still because somebody said so."""
        return self.state == Run.State.RUNNING and self.paused_on is not None


class RunStep(TenantModel):
    """A step that a run has reached: when, why it went on as it did, and what came of it.

    One row per run, step and visit, written in the transaction of the deed: whatever is run twice is done once.
    """

    class State(models.TextChoices):
        DONE = "done", _("Done")
        WAITING = "waiting", _("Waiting")
        SUPPRESSED = "suppressed", _("Not sent: the run was for a past day")
        SKIPPED = "skipped", _("Skipped")

    run = TenantForeignKey(Run, models.CASCADE, related_name="log", verbose_name=_("playbook run"))
    step = TenantForeignKey(Step, models.CASCADE, related_name="+", verbose_name=_("step"))
    visit = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DONE)
    reached_on = models.DateField(_("reached"))
    left_on = models.DateField(null=True)
    waits_until = models.DateField(null=True)
    why = models.JSONField(default=list)  # conditions with what was seen
    result = models.JSONField(
        default=dict
    )  # what was made of it: a message, a field before and after, a refusal
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("step of a run")
        verbose_name_plural = _("steps of a run")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "run", "step", "visit"], name="run_step_once")
        ]

    def __str__(self) -> str:
        return f"{self.run_id} · {self.step_id} · {self.visit}"
