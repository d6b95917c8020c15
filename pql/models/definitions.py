"""What makes a lead, as the tenant says it: settings, signals, and what keeps an account off the board."""

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
MAX_HALF_LIFE = 90
EVENTS_HELP = _("Names of events; case, spaces and punctuation do not matter.")


class LeadSettings(TenantModel):
    """One row per tenant: when value has been experienced, and the clock of the board."""

    activation_events = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        verbose_name=_("activation events"),
        help_text=_(
            "An account has experienced value once one of these happened; none named: once it was active at all."
        ),
    )
    activation_days = models.PositiveSmallIntegerField(
        _("on how many different days"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("On so many days, counted over 90 days. With a telling event, 1 is enough."),
    )
    hand_raise_days = models.PositiveSmallIntegerField(
        _("days a request for sales puts an account on the board"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
    )
    cooldown_days = models.PositiveSmallIntegerField(
        _("days before a rejected lead may come back"),
        default=60,
        validators=[MaxValueValidator(365)],
        help_text=_("A new request for sales brings it back at once."),
    )
    expire_days = models.PositiveSmallIntegerField(
        _("days after which a new lead nobody took expires"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
    )
    sla_hours = models.PositiveSmallIntegerField(
        _("working hours to the first action"),
        default=8,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
    )
    work_from = models.PositiveSmallIntegerField(
        _("working time from (hour)"), default=9, validators=[MaxValueValidator(23)]
    )
    work_until = models.PositiveSmallIntegerField(
        _("working time until (hour)"),
        default=18,
        validators=[MinValueValidator(1), MaxValueValidator(24)],
    )
    weekends = models.BooleanField(_("weekends are working days"), default=False)
    # The last night whose findings are on the board: it only moves forward.
    evaluated_on = models.DateField(null=True, editable=False)

    class Meta:
        verbose_name = _("lead settings")
        verbose_name_plural = _("lead settings")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_lead_settings_row")]

    def __str__(self) -> str:
        return str(_("Lead settings"))

    def clean(self) -> None:
        """A working day must have hours."""
        if self.work_from >= self.work_until:
            raise ValidationError({"work_until": _("The working day must end after it begins.")})


class Signal(TenantModel):
    """Something that hints at buying: events of the product, or a metric that reaches a value.

    It counts from the newest day on which it happened and fades with its half-life. With events it has a counted metric
    of its own (`metric_key`), which `pql.services.save_signal` keeps in step; without, it reads a metric that is there.
    """

    class Kind(models.TextChoices):
        LIMIT = "limit", _("Hits a limit")
        BILLING = "billing", _("Looks at billing")
        INVITE = "invite", _("Invites colleagues")
        SALES = "sales", _("Asks for sales")
        OTHER = "other", _("Something else")

    key = models.CharField(_("key"), max_length=40, validators=[KEY], db_collation="C")
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=Kind,
        help_text=_("Who asks for sales goes to the board whatever the score."),
    )
    events = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        verbose_name=_("events"),
        help_text=EVENTS_HELP,
    )
    metric_key = models.CharField(
        _("or a metric"),
        max_length=60,
        blank=True,
        help_text=_("Key of a metric that is read instead of events, such as seats_used_pct."),
    )
    at_least = models.FloatField(
        _("from this value on"),
        default=1,
        help_text=_(
            "The signal is there on days on which the metric reaches it; for events: how many a day."
        ),
    )
    points = models.FloatField(
        _("points"), default=30, validators=[MinValueValidator(1), MaxValueValidator(200)]
    )
    half_life_days = models.PositiveSmallIntegerField(
        _("half-life in days"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_HALF_LIFE)],
        help_text=_("After so many days it counts half; after four times as many it is forgotten."),
    )
    position = models.PositiveSmallIntegerField(_("order"), default=100)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("signal")
        verbose_name_plural = _("signals")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="pql_signal_key")]

    def __str__(self) -> str:
        return self.name


class Disqualifier(TenantModel):
    """A reason that keeps an account off the board, shown where somebody looks for it there."""

    class Kind(models.TextChoices):
        DOMAIN = "domain", _("E-mail domain of a contact")
        FREE_MAIL = "free_mail", _("Only free e-mail addresses")
        TAG = "tag", _("Tag of the account")
        SEGMENT = "segment", _("Segment")
        STAGE = "stage", _("Lifecycle stage")
        PLAN_KIND = "plan_kind", _("Kind of plan")
        CHURNED = "churned", _("Has churned")

    NEEDS_VALUES = frozenset(
        {Kind.DOMAIN, Kind.FREE_MAIL, Kind.TAG, Kind.SEGMENT, Kind.STAGE, Kind.PLAN_KIND}
    )

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=120)
    # `values` would hide a method of the model's managers in templates
    words = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        verbose_name=_("values"),
        help_text=_("One of these; none named: the rule matches nobody."),
    )
    position = models.PositiveSmallIntegerField(_("order"), default=100)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("disqualifier")
        verbose_name_plural = _("disqualifiers")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name
