"""Where every account stands on its way to the board, and the leads on it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account
from scoring.models import Version

from .definitions import Disqualifier


class Standing(TenantModel):
    """One row per account that is or was on a trial or self-serve plan: what the newest night knew of it."""

    class Status(models.TextChoices):
        LEAD = "lead", _("On the board")
        CONVERTED = "converted", _("Converted")
        DISQUALIFIED = "disqualified", _("Kept off the board")
        COOLING = "cooling", _("Was a lead a short time ago")
        NO_VALUE = "no_value", _("Has not experienced value yet")
        BELOW = "below", _("Score too low")
        UNSCORED = "unscored", _("No score")

    class ConvertedBy(models.TextChoices):
        LEAD = "lead", _("Lead converted")
        CONTRACT = "contract", _("Moved to a contract")

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    since_on = models.DateField()
    activated_on = models.DateField(null=True)
    raised_on = models.DateField(null=True)  # the newest day on which somebody asked for sales
    signal_points = models.FloatField(null=True)
    signals = models.JSONField(default=list)  # [{"key", "on", "points"}], the strongest first
    disqualifier = TenantForeignKey(Disqualifier, models.SET_NULL, null=True, related_name="+")
    disqualified_why = models.CharField(max_length=300, blank=True, default="")
    status = models.CharField(max_length=12, choices=Status, default=Status.UNSCORED)
    paid_on = models.DateField(
        null=True
    )  # its first paid subscription; from then on a lead is about a contract
    converted_on = models.DateField(null=True)
    converted_by = models.CharField(max_length=12, choices=ConvertedBy, blank=True, default="")

    class Meta:
        verbose_name = _("standing of an account as a lead")
        constraints = [models.UniqueConstraint(fields=["tenant", "account"], name="standing_once")]
        indexes = [
            models.Index(
                fields=["tenant", "status", "account"], name="standing_by_status"
            ),  # who is kept off
            models.Index(
                fields=["tenant", "converted_on"], name="standing_converted", condition=~Q(converted_on=None)
            ),  # thresholds, conversion
        ]


class Lead(TenantModel):
    """An account that somebody should talk to about buying."""

    class State(models.TextChoices):
        NEW = "new", _("New")
        ACCEPTED = "accepted", _("Accepted")
        CONVERTED = "converted", _("Converted")
        REJECTED = "rejected", _("Rejected")
        EXPIRED = "expired", _("Expired")

    class Cause(models.TextChoices):
        SCORE = "score", _("High score")
        HAND_RAISE = "hand_raise", _("Asked for sales")

    class Reason(models.TextChoices):
        NOT_A_FIT = "not_a_fit", _("Not a fit")
        TOO_SMALL = "too_small", _("Too small")
        NO_BUDGET = "no_budget", _("No budget")
        NOT_NOW = "not_now", _("Not now")
        NO_CONTACT = "no_contact", _("Nobody to talk to")
        COMPETITOR = "competitor", _("Competitor")
        DUPLICATE = "duplicate", _("Sales is talking to them already")
        OTHER = "other", _("Something else")

    class Handoff(models.TextChoices):
        MEMBER = "member", _("To a member")
        OUTSIDE = "outside", _("To sales outside this platform")

    OPEN = (State.NEW, State.ACCEPTED)

    account = TenantForeignKey(Account, models.CASCADE, related_name="leads", verbose_name=_("account"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.NEW)
    cause = models.CharField(_("why it is here"), max_length=10, choices=Cause, default=Cause.SCORE)
    opened_on = models.DateField(_("opened"))
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(_("first action due"))
    first_action_at = models.DateTimeField(null=True)
    # the score that put it on the board; empty for a hand-raiser that has none
    score = models.FloatField(null=True)
    band = models.SmallIntegerField(default=0)
    version = TenantForeignKey(Version, models.DO_NOTHING, null=True, related_name="+")
    owner = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    accepted_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    handoff = models.CharField(max_length=10, choices=Handoff, blank=True, default="")
    handed_at = models.DateTimeField(null=True)
    handoff_to = models.CharField(max_length=200, blank=True, default="")
    handoff_note = models.TextField(blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    closed_on = models.DateField(null=True)  # the cool-down counts from here
    closed_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    reject_reason = models.CharField(max_length=12, choices=Reason, blank=True, default="")
    close_note = models.TextField(blank=True, default="")
    plan_before = models.CharField(max_length=10, blank=True, default="")  # undone with the conversion
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "account"],
                name="lead_one_open",
                condition=Q(state__in=["new", "accepted"]),
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-id"], name="lead_by_state"),  # board, list, API
            models.Index(fields=["tenant", "account", "-id"], name="lead_by_account"),  # lead page, cool-down
            models.Index(fields=["tenant", "owner", "-id"], name="lead_by_owner"),  # board: mine
        ]

    def __str__(self) -> str:
        return f"{self.account} ({self.get_state_display()})"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in self.OPEN
