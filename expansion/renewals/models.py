"""Renewals with what was said of them, and the history of what accounts paid."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account
from playbooks.models import Run, Task

from . import amounts
from .terms import MOST_MONTHS


class RenewalSettings(TenantModel):
    """What a company decides about its renewals; without a row these defaults hold."""

    usual_term_months = models.PositiveSmallIntegerField(
        _("usual term, months"),
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)],
        help_text=_("For subscriptions of which no term can be seen."),
    )
    shortest_term_months = models.PositiveSmallIntegerField(
        _("shortest term that is followed, months"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)],
        help_text=_("Subscriptions that renew each month are no renewals that anybody prepares."),
    )
    commit_pct = models.PositiveSmallIntegerField(
        _("probability of “commit”, %"), default=95, validators=[MaxValueValidator(100)]
    )
    best_case_pct = models.PositiveSmallIntegerField(
        _("probability of “best case”, %"), default=70, validators=[MaxValueValidator(100)]
    )
    at_risk_pct = models.PositiveSmallIntegerField(
        _("probability of “at risk”, %"), default=30, validators=[MaxValueValidator(100)]
    )
    # {"USD": "0.92"}: one of these is so much of the tenant's currency. Text, so that no float touches money.
    rates = models.JSONField(_("rates to the company's currency"), default=dict, blank=True)

    class Meta:
        verbose_name = _("renewal settings")
        verbose_name_plural = _("renewal settings")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_renewal_settings_row")]

    def __str__(self) -> str:
        return str(_("Renewal settings"))

    @property
    def probabilities(self) -> dict[str, int]:
        """How likely each category is, in percent."""
        return {
            amounts.COMMIT: self.commit_pct,
            amounts.BEST_CASE: self.best_case_pct,
            amounts.AT_RISK: self.at_risk_pct,
            amounts.LOST: 0,
        }


class Renewal(TenantModel):
    """The end of one term of one subscription, and what is expected of it."""

    class State(models.TextChoices):
        OPEN = amounts.OPEN, _("Open")
        RENEWED = amounts.RENEWED, _("Renewed")
        LOST = amounts.GONE, pgettext_lazy("renewal", "Lost")
        VOID = "void", _("No longer applies")

    class Category(models.TextChoices):
        COMMIT = amounts.COMMIT, _("Commit")
        BEST_CASE = amounts.BEST_CASE, _("Best case")
        AT_RISK = amounts.AT_RISK, _("At risk")
        LOST = amounts.LOST, pgettext_lazy("renewal", "Given up")

    class Outcome(models.TextChoices):
        FLAT = amounts.FLAT, _("Same amount")
        MORE = amounts.MORE, _("With more")
        LESS = amounts.LESS, _("With less")

    class Reason(models.TextChoices):
        NO_VALUE = "no_value", _("Saw no value")
        PRICE = "price", _("Price")
        BUDGET = "budget", _("Budget was cut")
        COMPETITOR = "competitor", _("Went to a competitor")
        MISSING = "missing_feature", _("Something is missing in the product")
        CHAMPION = "champion_left", _("The champion left")
        SERVICE = "service", _("Service or quality")
        CLOSED = "closed", _("The company closed or was bought")
        FEWER = "fewer_seats", _("Needs fewer seats")
        OTHER = "other", _("Something else")

    account = TenantForeignKey(Account, models.CASCADE, related_name="renewals", verbose_name=_("account"))
    # The subscription, or 0 where the account has none and is renewed as a whole. No foreign key: what a source deletes
    # keeps its history here.
    line_id = models.BigIntegerField(default=0)
    plan = models.CharField(_("plan"), max_length=100, blank=True)
    due_on = models.DateField(_("due"))
    term_months = models.PositiveSmallIntegerField(_("term, months"))
    term_by_hand = models.BooleanField(default=False)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    mrr_cents = models.BigIntegerField(_("MRR in cents"))
    target_cents = models.BigIntegerField(_("target in cents"))
    said_cents = models.BigIntegerField(
        null=True
    )  # the CSM's forecast as it was said; capped anew when the target moves
    forecast_cents = models.BigIntegerField(_("forecast in cents"))
    final_cents = models.BigIntegerField(_("final amount in cents"), null=True)
    category = models.CharField(_("category"), max_length=10, choices=Category)
    computed_category = models.CharField(max_length=10, choices=Category)  # what the numbers say
    category_by_hand = models.BooleanField(default=False)
    at_risk = models.BooleanField(default=False)
    risks = ArrayField(
        models.CharField(max_length=10), default=list
    )  # why: judging.CRITICAL, SEVERE, NOTICE, CATEGORY
    has_plan = models.BooleanField(default=False)
    ends_on = models.DateField(null=True)  # the end that was announced before the renewal
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, blank=True)
    reason_note = models.TextField(_("in your words"), blank=True)
    opened_on = models.DateField()
    closed_on = models.DateField(_("closed"), null=True)
    closed_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("renewal")
        verbose_name_plural = _("renewals")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "account", "line_id"], condition=Q(state="open"), name="renewal_open_once"
            ),
            models.CheckConstraint(
                name="renewal_forecast_capped",
                condition=Q(forecast_cents__gte=0) & Q(forecast_cents__lte=F("target_cents")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "due_on", "id"], name="renewal_by_due"
            ),  # list, calendar, forecast
            models.Index(
                fields=["tenant", "account", "due_on"], name="renewal_by_account"
            ),  # account page, night
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.due_on}"

    @property
    def is_open(self) -> bool:
        """Whether it is still to be decided."""
        return self.state == self.State.OPEN

    @property
    def plan_missing(self) -> bool:
        """Whether it is at risk and nobody has said what will be done."""
        return self.is_open and self.at_risk and not self.has_plan

    @property
    def reason_missing(self) -> bool:
        """Whether something was lost and nobody has said why."""
        less = self.state == self.State.LOST or self.outcome == self.Outcome.LESS
        return less and not self.reason


class RenewalChange(TenantModel):
    """What happened to a renewal: the history that a forecast is judged by."""

    class Kind(models.TextChoices):
        OPENED = "opened", pgettext_lazy("renewal", "Opened")
        DATE = "date", _("Date moved")
        TARGET = "target", _("Target changed")
        FORECAST = "forecast", _("Forecast")
        CATEGORY = "category", _("Category")
        RISK = "risk", _("Became at risk")
        SAFE = "safe", _("No longer at risk")
        PLAN = "plan", _("Action plan")
        CHECKPOINT = "checkpoint", _("Checkpoint")
        CALL = "call", _("Call noted")
        CLOSED = "closed", pgettext_lazy("renewal", "Closed")
        REASON = "reason", _("Reason given")

    renewal = TenantForeignKey(Renewal, models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField()
    by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    data = models.JSONField(default=dict)
    note = models.TextField(blank=True)

    class Meta:
        verbose_name = _("change of a renewal")
        indexes = [models.Index(fields=["tenant", "renewal", "id"], name="renewal_change_by_one")]

    def __str__(self) -> str:
        return f"{self.renewal_id} {self.kind}"


class RenewalCheckpoint(TenantModel):
    """A look at a renewal six and three months before: what was started for it, and what the CSM says."""

    class Way(models.TextChoices):
        CALL = "call", _("CSM call")
        PLAY = "play", _("Automated")
        MISSED = "missed", _("Had passed already")

    renewal = TenantForeignKey(Renewal, models.CASCADE, related_name="checkpoints")
    months = models.PositiveSmallIntegerField(_("months before"))
    on = models.DateField(_("day"))
    way = models.CharField(max_length=10, choices=Way)
    task = TenantForeignKey(Task, models.SET_NULL, null=True, related_name="+")
    run = TenantForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    computed_category = models.CharField(
        max_length=10, choices=Renewal.Category
    )  # what the numbers said then
    called_category = models.CharField(
        max_length=10, choices=Renewal.Category, blank=True
    )  # what the CSM said
    called_on = models.DateField(null=True)
    called_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "renewal", "months"], name="renewal_checkpoint_once")
        ]

    def __str__(self) -> str:
        return f"{self.renewal_id} {self.months}"

    @property
    def disagrees(self) -> bool:
        """Whether person and numbers say different things; not averaged away, shown to the manager."""
        return bool(self.called_category) and self.called_category != self.computed_category


class RenewalStep(TenantModel):
    """A step of the action plan: a task with an owner and a due date."""

    renewal = TenantForeignKey(Renewal, models.CASCADE, related_name="steps")
    task = TenantForeignKey(Task, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("step to a renewal")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "renewal", "task"], name="renewal_step_once")
        ]

    def __str__(self) -> str:
        return f"{self.renewal_id} {self.task_id}"


class MrrChange(TenantModel):
    """From a day on, a line of an account pays this much a month: the history that retention is computed from."""

    account = TenantForeignKey(Account, models.CASCADE, related_name="mrr_changes")
    line_id = models.BigIntegerField(default=0)  # the subscription, or 0 for an account without one
    on = models.DateField()
    mrr_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        verbose_name = _("change of MRR")
        verbose_name_plural = _("changes of MRR")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "account", "line_id", "on"], name="mrr_change_once")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.on} {self.mrr_cents}"


class RetentionStore(TenantModel):
    """At most one row per tenant: the report of the last twelve complete months as the night computed it."""

    first = models.DateField()
    last = models.DateField()
    basis = models.JSONField()  # currency and rates it was computed with: with others it is another report
    groups = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("stored retention")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_retention_store")]

    def __str__(self) -> str:
        return f"{self.first} {self.last}"
