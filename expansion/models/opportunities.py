"""Opportunities to grow an account, how they moved, and the discounts that were asked for."""

from __future__ import annotations

from datetime import date

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Subscription
from expansion import stages

from .definitions import Offering, OpportunityType, Trigger

PCT = [MinValueValidator(0), MaxValueValidator(100)]


class Stage(models.TextChoices):
    """Where an opportunity is."""

    CASE = stages.CASE, _("Internal case and ROI")
    PROPOSAL = stages.PROPOSAL, _("Proposal")
    PILOT = stages.PILOT, _("Short pilot")
    CLOSING = stages.CLOSING, _("Closing")
    WON = stages.WON, _("Won")
    LOST = stages.LOST, _("Lost")


class Opportunity(TenantModel):
    """A chance to sell an account more; money is a month's unless it is sold once."""

    class OpenedBy(models.TextChoices):
        TRIGGER = "trigger", _("A trigger")
        PERSON = "person", _("A person")

    class LostReason(models.TextChoices):
        NO_BUDGET = "no_budget", _("No budget")
        NO_NEED = "no_need", _("No need")
        NOT_NOW = "not_now", _("Not now")
        PRICE = "price", _("Too expensive")
        COMPETITOR = "competitor", _("Competitor")
        NO_DECISION = "no_decision", _("Nobody decided")
        PILOT_FAILED = "pilot_failed", _("The pilot failed")
        MISTAKE = "mistake", _("It was no opportunity")
        CHURNED = "churned", _("The account churned")
        OTHER = "other", _("Something else")

    class PilotResult(models.TextChoices):
        REACHED = "reached", _("Goal reached")
        PARTLY = "partly", _("Partly reached")
        MISSED = "missed", _("Goal missed")

    OPEN = tuple(Stage(stage) for stage in stages.OPEN)

    account = TenantForeignKey(
        Account, models.CASCADE, related_name="opportunities", verbose_name=_("account")
    )
    type = models.CharField(_("type"), max_length=20, choices=OpportunityType)
    # The key of an offering; empty while nobody has said what is sold. Product, department, seats or service by the type.
    what = models.CharField(_("what"), max_length=40, blank=True, default="", db_collation="C")
    offering = TenantForeignKey(Offering, models.SET_NULL, null=True, related_name="+")
    stage = models.CharField(_("stage"), max_length=10, choices=Stage, default=Stage.CASE)
    stage_since = models.DateField(_("in this stage since"))
    value_cents = models.BigIntegerField(_("value in cents"), default=0, validators=[MinValueValidator(0)])
    currency = models.CharField(_("currency"), max_length=3)
    recurring = models.BooleanField(_("paid every month"), default=True)
    seats = models.PositiveIntegerField(_("seats to add"), null=True, blank=True)
    probability_pct = models.PositiveSmallIntegerField(_("probability, %"), default=0, validators=PCT)
    probability_is_own = models.BooleanField(default=False)  # a person set it: a stage does not change it
    discount_pct = models.PositiveSmallIntegerField(_("discount, %"), default=0, validators=PCT)
    bundle_pct = models.PositiveSmallIntegerField(_("bundle discount, %"), default=0, validators=PCT)
    net_cents = models.BigIntegerField(_("price after discounts in cents"), default=0)
    evidence = models.JSONField(_("evidence"), default=dict)
    opened_by = models.CharField(_("opened by"), max_length=10, choices=OpenedBy, default=OpenedBy.PERSON)
    trigger = TenantForeignKey(Trigger, models.SET_NULL, null=True, related_name="+")
    opened_on = models.DateField(_("opened"))
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    owner = TenantForeignKey(
        "accounts.Membership",
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    close_on = models.DateField(_("expected to close"))
    next_step = models.CharField(_("next step"), max_length=300, blank=True, default="")
    next_on = models.DateField(_("next step on"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True, default="")
    case_text = models.TextField(_("internal case"), blank=True, default="")
    roi_cents = models.BigIntegerField(_("ROI a month in cents"), null=True, blank=True)
    proposed_on = models.DateField(_("proposal sent"), null=True, blank=True)
    pilot_goal = models.CharField(_("goal of the pilot"), max_length=500, blank=True, default="")
    pilot_until = models.DateField(_("pilot ends"), null=True, blank=True)
    pilot_result = models.CharField(
        _("result of the pilot"), max_length=10, choices=PilotResult, blank=True, default=""
    )
    pilot_note = models.TextField(_("what the pilot showed"), blank=True, default="")
    run_id = models.BigIntegerField(null=True)  # the play that the trigger started
    closed_on = models.DateField(_("closed"), null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    lost_reason = models.CharField(
        _("why it was lost"), max_length=12, choices=LostReason, blank=True, default=""
    )
    lost_note = models.TextField(_("in words"), blank=True, default="")
    subscription = TenantForeignKey(Subscription, models.SET_NULL, null=True, related_name="+")
    mrr_before_cents = models.BigIntegerField(null=True)  # the account's, when it was won
    won_mrr_cents = models.BigIntegerField(null=True)  # what it added to MRR; 0 for what is paid once
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("opportunity")
        verbose_name_plural = _("opportunities")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "account", "type", "what"],
                name="opportunity_one_open",
                condition=Q(stage__in=stages.OPEN),
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "stage", "close_on"], name="opportunity_by_stage"
            ),  # board, forecast
            models.Index(
                fields=["tenant", "account", "-id"], name="opportunity_by_account"
            ),  # account, cool-down
            models.Index(
                fields=["tenant", "closed_on"], name="opportunity_closed", condition=~Q(closed_on=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.title}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still works on it."""
        return self.stage in stages.OPEN

    @property
    def title(self) -> str:
        """What is sold, else what kind of growth it is."""
        return self.offering.name if self.offering else str(self.get_type_display())

    def days_in_stage(self, today: date) -> int:
        """How long it has been where it is."""
        return max((today - self.stage_since).days, 0)


class StageChange(TenantModel):
    """One move of an opportunity; the first one has no stage before it."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="moves")
    before = models.CharField(max_length=10, blank=True, default="")
    after = models.CharField(max_length=10, choices=Stage)
    on = models.DateField()
    at = models.DateTimeField()
    by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    days = models.PositiveIntegerField(default=0)  # how long it had been in the stage before
    value_cents = models.BigIntegerField(default=0)
    note = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("change of stage")
        indexes = [
            models.Index(fields=["tenant", "opportunity", "-id"], name="move_by_opportunity")
        ]  # opportunity page


class Discount(TenantModel):
    """A discount that somebody asked for: granted at once within the limit of the role, else decided by a stronger one."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waits for approval")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="discounts")
    pct = models.PositiveSmallIntegerField(
        _("discount, %"), validators=[MinValueValidator(0), MaxValueValidator(90)]
    )
    reason = models.TextField(_("why"))
    state = models.CharField(_("state"), max_length=10, choices=State)
    needs = models.CharField(max_length=10, default="csm")  # the weakest role that may decide
    asked_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("discount")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "opportunity"], name="discount_one_pending", condition=Q(state="pending")
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "opportunity", "-id"], name="discount_by_opportunity"),
            models.Index(
                fields=["tenant", "id"], name="discount_pending", condition=Q(state="pending")
            ),  # inbox
        ]


class Proposal(TenantModel):
    """A proposal document as it was made: a version of its own, never changed."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="proposals")
    number = models.PositiveIntegerField()
    language = models.CharField(max_length=5)
    content = models.JSONField()  # all that the document says
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    valid_until = models.DateField()
    net_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    made_at = models.DateTimeField()
    made_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")

    class Meta:
        verbose_name = _("proposal")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "opportunity", "number"], name="proposal_number")
        ]


class Holding(TenantModel):
    """Since when an account has an offering, and until when: what the whitespace matrix reads instead of usage."""

    class Source(models.TextChoices):
        PLAN = "plan", _("Subscription")
        METRIC = "metric", _("Usage")
        WON = "won", _("Opportunity won")

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    offering = TenantForeignKey(Offering, models.CASCADE, related_name="+")
    source = models.CharField(max_length=10, choices=Source)
    since_on = models.DateField()
    until_on = models.DateField(null=True)
    mrr_cents = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("offering that an account has")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "account", "offering"], name="holding_once", condition=Q(until_on=None)
            )
        ]
        indexes = [models.Index(fields=["tenant", "offering", "account"], name="holding_by_offering")]
