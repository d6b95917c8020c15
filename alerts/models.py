"""Rules, what they found, and what is still on its way to being found."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account
from playbooks.models import Run


class Severity(models.TextChoices):
    """How bad a finding is."""

    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")


class Channel(models.TextChoices):
    """Ways an alert reaches people besides the inbox, which always has it."""

    EMAIL = "email", _("E-mail to the owner")


class Rule(TenantModel):
    """A condition that opens an alert at every account it holds for."""

    class Kind(models.TextChoices):
        USAGE_UNDER_TARGET = "usage_under_target", _("Usage under target")
        RATE_FALLING = "rate_falling", _("Rate falling against its own past")
        METRIC_AT_ZERO = "metric_at_zero", _("Too little of something the account should have")
        TICKET_UNRESOLVED = "ticket_unresolved", _("Ticket unresolved")
        HEALTH_DROPPED = "health_dropped", _("Health dropped")

    class Play(models.TextChoices):
        NONE = "none", _("None")
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
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.OWN, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["position", "key"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="rule_key")]

    def __str__(self) -> str:
        return self.name


class Alert(TenantModel):
    """One finding of one rule about one account and, where the rule is about a ticket, one subject."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        SNOOZED = "snoozed", _("Snoozed")
        CLOSED = "closed", _("Closed")
        RESOLVED = "resolved", _("Resolved by itself")

    class Verdict(models.TextChoices):
        USEFUL = "useful", _("Useful")
        NOISE = "noise", _("Noise")
        KNOWN = "known", _("Already known")

    rule = TenantForeignKey(Rule, models.CASCADE, related_name="alerts", verbose_name=_("rule"))
    account = TenantForeignKey(Account, models.CASCADE, related_name="alerts", verbose_name=_("account"))
    subject = models.CharField(_("subject"), max_length=200, blank=True, default="", db_collation="C")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity, default=Severity.MEDIUM)
    opened_on = models.DateField(_("opened"))
    last_seen_on = models.DateField(_("last held on"))
    ended_on = models.DateField(_("ended"), null=True)  # closed or resolved: the cool-down counts from here
    evidence = models.JSONField(_("what fired it"), default=dict)
    run = TenantForeignKey(Run, models.SET_NULL, null=True, related_name="+", verbose_name=_("playbook run"))
    # Kept after the snooze is over or the alert has ended: it blocks firing again until that date.
    snoozed_until = models.DateField(_("snoozed until"), null=True)
    snooze_reason = models.CharField(_("why it is snoozed"), max_length=300, blank=True)
    close_verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict, blank=True)
    close_note = models.TextField(_("note"), blank=True)
    closed_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    closed_at = models.DateTimeField(_("closed"), null=True)
    first_action_at = models.DateTimeField(null=True)  # time to first action, in reports
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "rule", "account", "subject"],
                name="alert_one_open",
                condition=Q(state__in=["open", "snoozed"]),
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "account", "-id"], name="alert_by_account"),  # account page
            models.Index(fields=["tenant", "state", "-id"], name="alert_by_state"),  # inbox, API
            models.Index(fields=["tenant", "ended_on"], name="alert_by_end"),  # cool-down of the nightly run
            models.Index(
                fields=["tenant", "rule", "close_verdict"], name="alert_by_verdict"
            ),  # precision ledger
        ]

    # Annotated by `selectors.with_priority`.
    priority: float
    score: float | None
    band: int | None

    def __str__(self) -> str:
        return f"{self.rule} · {self.account}"


class Match(TenantModel):
    """A condition that holds but has not held long enough; only rules with a dwell have any."""

    rule = TenantForeignKey(Rule, models.CASCADE, related_name="+")
    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200, blank=True, default="", db_collation="C")
    since_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "rule", "account", "subject"], name="match_once"),
        ]
