"""Rules: what opens an alert, how patiently, about whom, and what happens then."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.fence.models import TenantModel


class Severity(models.TextChoices):
    """How bad a finding is."""

    LOW = "low", pgettext_lazy("severity", "Low")
    MEDIUM = "medium", pgettext_lazy("severity", "Medium")
    HIGH = "high", pgettext_lazy("severity", "High")


class Channel(models.TextChoices):
    """Ways an alert reaches people besides the inbox, which always has it."""

    IN_APP = "in_app", _("Bell of the owner")
    EMAIL = "email", _("E-mail to the owner")
    SLACK = "slack", _("Slack")
    WEBHOOK = "webhook", _("Webhook")


class Interrupts(models.TextChoices):
    """Whether an alert goes to a person or only sets automation in motion."""

    AUTO = "auto", _("Where a person is asked for: critical, expansion, enterprise, complex")
    ALWAYS = "always", _("Always")
    NEVER = "never", _("Never: automation only")


class Topic(models.TextChoices):
    """What a rule is about."""

    RISK = "risk", _("Risk")
    EXPANSION = "expansion", _("Expansion")
    OPERATIONS = "operations", _("Operations")


class Rule(TenantModel):
    """A condition that opens an alert at every account it holds for."""

    class Kind(models.TextChoices):
        USAGE_UNDER_TARGET = "usage_under_target", _("Usage under target")
        RATE_FALLING = "rate_falling", _("Rate falling against its own past")
        METRIC_AT_ZERO = "metric_at_zero", _("Too little of something the account should have")
        TICKET_UNRESOLVED = "ticket_unresolved", _("Ticket unresolved")
        HEALTH_DROPPED = "health_dropped", _("Health dropped")
        FEATURE_ADOPTION = "feature_adoption", _("Key feature used by too few")
        CHAMPION_GONE = "champion_gone", _("Champion gone")
        SOURCE_QUIET = "source_quiet", _("Source gone quiet")
        CONDITIONS = "conditions", _("Conditions of your own")

    class Play(models.TextChoices):
        NONE = "none", pgettext_lazy("a rule's play", "None")
        FIXED = "fixed", _("The play named here")
        WEAKEST = "weakest", _("The play of the component that lost most points")

    class Origin(models.TextChoices):
        SHIPPED = "shipped", _("Shipped")
        OWN = "own", _("Own")

    key = models.SlugField(_("key"), max_length=60, db_index=False)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    params = models.JSONField(_("thresholds"), default=dict, blank=True)  # checked by alerts.params
    severity = models.CharField(_("severity"), max_length=10, choices=Severity, default=Severity.MEDIUM)
    play = models.CharField(_("starts a play"), max_length=10, choices=Play, default=Play.NONE)
    play_key = models.CharField(_("play"), max_length=60, blank=True)
    channels = ArrayField(
        models.CharField(max_length=10, choices=Channel), default=list, blank=True, verbose_name=_("channels")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    dwell_days = models.PositiveSmallIntegerField(
        _("days it must hold before it fires"), default=0, validators=[MaxValueValidator(90)]
    )
    cooldown_days = models.PositiveSmallIntegerField(
        _("days of silence after an alert has ended"), default=7, validators=[MaxValueValidator(365)]
    )
    clear_days = models.PositiveSmallIntegerField(
        _("days it must be clear before an alert resolves"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
    )
    reentry_max = models.PositiveSmallIntegerField(
        _("most alerts per account"),
        default=0,
        validators=[MaxValueValidator(100)],
        help_text=_("Within the days below; 0 is no limit."),
    )
    reentry_days = models.PositiveSmallIntegerField(
        _("within days"), default=30, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    # Whom it is about: empty lists are everybody.
    segments = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, verbose_name=_("only these segments")
    )
    stages = ArrayField(
        models.CharField(max_length=50), default=list, blank=True, verbose_name=_("only these stages")
    )
    plan_kinds = ArrayField(
        models.CharField(max_length=10), default=list, blank=True, verbose_name=_("only these kinds of plan")
    )
    include_churned = models.BooleanField(_("churned accounts, too"), default=False)
    grace_days = models.PositiveSmallIntegerField(
        _("days of silence after go-live"), default=0, validators=[MaxValueValidator(365)]
    )
    volume_metric = models.CharField(_("only with enough of this metric"), max_length=60, blank=True)
    volume_least = models.FloatField(
        _("at least, in the last 28 days"), default=0, validators=[MinValueValidator(0)]
    )
    interrupts = models.CharField(
        _("goes to a person"), max_length=10, choices=Interrupts, default=Interrupts.AUTO
    )
    topic = models.CharField(_("is about"), max_length=10, choices=Topic, default=Topic.RISK)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.OWN, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["position", "key"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="rule_key")]

    def __str__(self) -> str:
        return self.name
