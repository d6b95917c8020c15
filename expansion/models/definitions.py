"""What a tenant says about growing its customers: settings, what it sells, what sets an opportunity off."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantModel

KEY = RegexValidator(
    r"^[a-z][a-z0-9_]*\Z", _("Use small letters, digits and underscores, starting with a letter.")
)
PCT = [MinValueValidator(0), MaxValueValidator(100)]
DAYS = [MinValueValidator(1), MaxValueValidator(365)]


class OpportunityType(models.TextChoices):
    """What kind of growth it is."""

    CROSS_PRODUCT = "cross_product", _("Another product")
    CROSS_DEPARTMENT = "cross_department", _("Another department")
    SEATS = "seats", _("Seats and volume")
    SERVICES = "services", _("Services")


class ExpansionSettings(TenantModel):
    """One row per tenant: how likely each stage is, how long it may take, who may grant which discount."""

    case_pct = models.PositiveSmallIntegerField(
        _("probability of the internal case, %"), default=10, validators=PCT
    )
    proposal_pct = models.PositiveSmallIntegerField(
        _("probability of a proposal, %"), default=30, validators=PCT
    )
    pilot_pct = models.PositiveSmallIntegerField(_("probability of a pilot, %"), default=50, validators=PCT)
    closing_pct = models.PositiveSmallIntegerField(
        _("probability when closing, %"), default=75, validators=PCT
    )
    case_days = models.PositiveSmallIntegerField(
        _("days an internal case may take"), default=14, validators=DAYS
    )
    proposal_days = models.PositiveSmallIntegerField(
        _("days a proposal may take"), default=21, validators=DAYS
    )
    pilot_days = models.PositiveSmallIntegerField(_("days a pilot may take"), default=30, validators=DAYS)
    closing_days = models.PositiveSmallIntegerField(_("days closing may take"), default=14, validators=DAYS)
    csm_discount_pct = models.PositiveSmallIntegerField(
        _("discount a CSM may grant, %"), default=10, validators=[MaxValueValidator(90)]
    )
    manager_discount_pct = models.PositiveSmallIntegerField(
        _("discount a manager may grant, %"),
        default=20,
        validators=[MaxValueValidator(90)],
        help_text=_("Above it an admin decides."),
    )
    bundle_pct = models.PositiveSmallIntegerField(
        _("bundle discount at closing, %"),
        default=10,
        validators=[MaxValueValidator(50)],
        help_text=_("For accounts that close two or more opportunities together; it needs no approval."),
    )
    close_days = models.PositiveSmallIntegerField(
        _("days until a new opportunity is expected to close"), default=60, validators=DAYS
    )
    valid_days = models.PositiveSmallIntegerField(_("days a proposal is valid"), default=30, validators=DAYS)
    # The last night whose findings are on the board: it only moves forward.
    evaluated_on = models.DateField(null=True, editable=False)

    class Meta:
        verbose_name = _("expansion settings")
        verbose_name_plural = _("expansion settings")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_expansion_settings_row")]

    def __str__(self) -> str:
        return str(_("Expansion settings"))

    def clean(self) -> None:
        """A manager may grant what a CSM may."""
        if (self.csm_discount_pct or 0) > (self.manager_discount_pct or 0):
            raise ValidationError({"manager_discount_pct": _("A manager may grant at least what a CSM may.")})

    def probability(self, stage: str) -> int:
        """How likely an opportunity in this stage is won."""
        closed = {"won": 100, "lost": 0}
        return closed[stage] if stage in closed else int(getattr(self, f"{stage}_pct"))

    def days_in(self, stage: str) -> int:
        """How long an opportunity may stay in an open stage before it is old."""
        return int(getattr(self, f"{stage}_days"))

    @property
    def discount_limits(self) -> dict[str, int]:
        """Highest discount by role."""
        return {"csm": self.csm_discount_pct, "manager": self.manager_discount_pct}


class Offering(TenantModel):
    """Something the tenant sells beside what an account has: a product, a department's use, seats or volume, a service.

    An account owns it when a running subscription has one of its plans, when its metric shows use, or when an opportunity
    for it was won. Seats, volume and services can be sold again and again.
    """

    REPEATABLE = frozenset({OpportunityType.SEATS, OpportunityType.SERVICES})

    key = models.CharField(_("key"), max_length=40, validators=[KEY], db_collation="C")
    name = models.CharField(_("name"), max_length=120)
    type = models.CharField(_("type"), max_length=20, choices=OpportunityType)
    price_cents = models.BigIntegerField(
        _("price in cents"),
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("A month, or once for what is sold once, in the company's currency; 0 is no list price."),
    )
    per_seat = models.BooleanField(_("price for each seat"), default=False)
    recurring = models.BooleanField(
        _("paid every month"), default=True, help_text=_("What is paid once adds no MRR.")
    )
    plans = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        verbose_name=_("plans that include it"),
        help_text=_("Names of plans of subscriptions, in any case."),
    )
    metric_key = models.CharField(
        _("metric"),
        max_length=60,
        blank=True,
        help_text=_(
            "Products and departments: an account has it when this metric reached the value below in 28 days. Seats and "
            "volume: the share in use, such as seats_used_pct."
        ),
    )
    metric_least = models.FloatField(_("from this value on"), default=1, validators=[MinValueValidator(0)])
    segments = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, verbose_name=_("only these segments")
    )
    plan_kinds = ArrayField(
        models.CharField(max_length=10), default=list, blank=True, verbose_name=_("only these kinds of plan")
    )
    pitch = models.TextField(_("what it brings, for proposals"), blank=True, max_length=1000, default="")
    position = models.PositiveSmallIntegerField(_("order"), default=100)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("offering")
        verbose_name_plural = _("offerings")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="offering_key")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_repeatable(self) -> bool:
        """Whether an account that has it can buy more of it."""
        return self.type in self.REPEATABLE


class Trigger(TenantModel):
    """A rule that opens an opportunity once at every account it holds for, with its evidence."""

    class Kind(models.TextChoices):
        ROI = "roi", _("ROI above an amount, month after month")
        WINNERS = "winners", _("Winning variants are stable")
        ASKS = "asks", _("The team asks for more")
        LIMIT = "limit", _("A limit is reached")
        PQL = "pql", _("PQL score is high")

    key = models.CharField(_("key"), max_length=40, validators=[KEY], db_collation="C")
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    metrics = ArrayField(
        models.CharField(max_length=60),
        default=list,
        blank=True,
        verbose_name=_("metrics"),
        help_text=_("Keys of metrics; one of them is enough."),
    )
    at_least = models.FloatField(
        _("from this value on"),
        default=1,
        validators=[MinValueValidator(0)],
        help_text=_(
            "ROI: in cents, and more than it. Limits: percent. Winners, requests: how many. PQL: the score."
        ),
    )
    periods = models.PositiveSmallIntegerField(
        _("so many times in a row"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
        help_text=_("ROI: months of 31 days. Winning variants: stretches of 28 days. Else ignored."),
    )
    window_days = models.PositiveSmallIntegerField(
        _("within days"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("Requests and events of a limit."),
    )
    hits = models.PositiveSmallIntegerField(
        _("or so many events of a limit"),
        default=3,
        validators=[MaxValueValidator(1000)],
        help_text=_("Limits: the metric limit_hits within the days above; 0 does not look at it."),
    )
    tags = ArrayField(
        models.CharField(max_length=50),
        default=list,
        blank=True,
        verbose_name=_("tags of tickets"),
        help_text=_("Requests: in any case."),
    )
    phrases = ArrayField(
        models.CharField(max_length=80),
        default=list,
        blank=True,
        verbose_name=_("words in notes"),
        help_text=_("Requests: whole words or phrases, in any case."),
    )
    type = models.CharField(_("opens an opportunity of type"), max_length=20, choices=OpportunityType)
    what = models.CharField(
        _("for this offering"),
        max_length=40,
        blank=True,
        help_text=_("Its key; empty: the first one of the type that the account could have and has not."),
    )
    value_cents = models.BigIntegerField(
        _("suggested value in cents a month"),
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("0: the offering's list price, else the share of MRR below."),
    )
    value_pct = models.PositiveSmallIntegerField(
        _("or share of MRR, %"), default=20, validators=[MinValueValidator(1), MaxValueValidator(500)]
    )
    cooldown_days = models.PositiveSmallIntegerField(
        _("days of silence after one was won or lost"), default=90, validators=[MaxValueValidator(730)]
    )
    play_key = models.CharField(
        _("starts this play"),
        max_length=60,
        blank=True,
        help_text=_("Key of a play, such as expansion_sequence; empty starts none."),
    )
    position = models.PositiveSmallIntegerField(_("order"), default=100)
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("expansion trigger")
        verbose_name_plural = _("expansion triggers")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="expansion_trigger_key")]

    def __str__(self) -> str:
        return self.name
