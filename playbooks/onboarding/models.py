"""The template of milestones, the plans of accounts, and links that customers open."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account

from . import milestones
from .words import KIND_NAMES, PHASE_NAMES, STATE_NAMES, title_of


class MilestoneFields(models.Model):
    """What a milestone of the template and one of a plan share."""

    key = models.SlugField(_("key"), max_length=60, db_index=False)
    name = models.CharField(_("name"), max_length=120, blank=True)  # empty: the shipped name
    phase = models.PositiveSmallIntegerField(
        _("phase"), choices=list(PHASE_NAMES.items()), validators=[MinValueValidator(1), MaxValueValidator(3)]
    )
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    kind = models.CharField(_("how it is known"), max_length=10, choices=list(KIND_NAMES.items()))
    params = models.JSONField(_("thresholds"), default=dict)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """Its name in the reader's language."""
        return title_of(self.key, self.name)


class Milestone(TenantModel, MilestoneFields):
    """A milestone of the tenant's template; a plan copies it when it begins."""

    enabled = models.BooleanField(_("in new plans"), default=True)

    class Meta:
        verbose_name = _("onboarding milestone")
        verbose_name_plural = _("onboarding milestones")
        ordering = ["phase", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="milestone_key")]


class OnboardingPlan(TenantModel):
    """The first 90 days of one account."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        ENDED = "ended", _("Ended before it was done")

    class Status(models.TextChoices):
        ON_TRACK = milestones.ON_TRACK, STATE_NAMES[milestones.ON_TRACK]
        BEHIND = milestones.BEHIND, STATE_NAMES[milestones.BEHIND]
        STUCK = milestones.STUCK, STATE_NAMES[milestones.STUCK]
        DONE = milestones.DONE, STATE_NAMES[milestones.DONE]

    account = TenantForeignKey(
        Account, models.CASCADE, related_name="onboarding_plans", verbose_name=_("account")
    )
    starts_on = models.DateField(_("go-live"))
    follows_go_live = models.BooleanField(default=True)  # else a person chose the day
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ON_TRACK)
    # When the last milestone of activation was reached: time to value is counted to this day.
    value_on = models.DateField(_("first value"), null=True)
    evaluated_on = models.DateField(null=True)
    finished_on = models.DateField(_("finished"), null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("onboarding plan")
        verbose_name_plural = _("onboarding plans")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "account"], name="plan_one_running", condition=Q(state="running")
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "account", "-id"], name="plan_by_account"),  # account page
            models.Index(
                fields=["tenant", "state", "starts_on"], name="plan_by_start"
            ),  # list, time to value
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.starts_on}"


class PlanMilestone(TenantModel, MilestoneFields):
    """A milestone of a plan, with the thresholds that it began with."""

    class State(models.TextChoices):
        UPCOMING = milestones.UPCOMING, STATE_NAMES[milestones.UPCOMING]
        ON_TRACK = milestones.ON_TRACK, STATE_NAMES[milestones.ON_TRACK]
        BEHIND = milestones.BEHIND, STATE_NAMES[milestones.BEHIND]
        STUCK = milestones.STUCK, STATE_NAMES[milestones.STUCK]
        DONE = milestones.DONE, STATE_NAMES[milestones.DONE]

    class How(models.TextChoices):
        SYSTEM = "system", _("by the numbers")
        HAND = "hand", _("by hand")

    plan = TenantForeignKey(OnboardingPlan, models.CASCADE, related_name="milestones")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPCOMING)
    progress = models.FloatField(default=0.0)
    moved_on = models.DateField(null=True)
    evidence = models.JSONField(default=dict)
    done_on = models.DateField(_("reached"), null=True)
    done_how = models.CharField(max_length=6, choices=How, blank=True)
    done_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    note = models.TextField(_("note"), blank=True)
    # Somebody has unticked what the numbers had ticked: the numbers are not asked again until somebody says so.
    ignore_numbers = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("milestone of a plan")
        verbose_name_plural = _("milestones of plans")
        ordering = ["phase", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "plan", "key"], name="plan_milestone_key")]


class OnboardingLink(TenantModel):
    """An address under which the customer sees the plan without a login; it ends by date or is taken back."""

    plan = TenantForeignKey(OnboardingPlan, models.CASCADE, related_name="links")
    key = models.CharField(max_length=40)
    language = models.CharField(_("language"), max_length=5, choices=[("en", "English"), ("es", "Español")])
    expires_on = models.DateField(_("open until"))
    revoked_at = models.DateTimeField(null=True)
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("link to an onboarding plan")
        verbose_name_plural = _("links to onboarding plans")

    def __str__(self) -> str:
        return f"{self.plan_id} {self.expires_on}"
