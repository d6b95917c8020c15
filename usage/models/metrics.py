"""What is counted: metrics (a number per account and day) and features (what can be adopted)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantModel
from usage.starter import shown_name

KEY = RegexValidator(
    r"^[a-z][a-z0-9_]*\Z", _("Use small letters, digits and underscores, starting with a letter.")
)


class Metric(TenantModel):
    """A number per account and day.

    Kinds with a slot live in `usage_day.values[slot]` (1-based, in natural units, rounded to `decimals`): `all_events`,
    `count`, `sum`, `max`, `last`, `pushed`, `state`, `sql`. Kinds without one are computed when they are read:
    `distinct_users` (rows of `usage_user_day` with `contact_id > 0`; when `events` names some, those whose `metrics` contain
    this id), `active_days` (days with a `usage_user_day` row), `features_used` (distinct `usage_user_day.features`), `ratio`
    (pooled `numerator` over `denominator` of the window, times 10^0; `unit` says how it is shown).

    A slot is never used twice: editing what a metric counts gives it a new slot, which is filled from raw events.
    """

    class Kind(models.TextChoices):
        ALL_EVENTS = "all_events", _("All events")
        COUNT = "count", _("Number of events")
        SUM = "sum", _("Sum of a property")
        LAST = "last", _("Last value of a property")
        MAX = "max", _("Largest value of a property")
        DISTINCT_USERS = "distinct_users", _("Distinct users")
        ACTIVE_DAYS = "active_days", _("Active days")
        FEATURES_USED = "features_used", _("Distinct features used")
        RATIO = "ratio", _("Ratio of two metrics")
        PUSHED = "pushed", _("Pushed value")
        STATE = "state", _("State of the account")
        SQL = "sql", _("SQL query")

    key = models.CharField(_("key"), max_length=60, validators=[KEY])
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    events = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        verbose_name=_("events"),
        help_text=_("Names of the events that feed it; case, spaces and punctuation do not matter."),
    )
    property = models.CharField(_("property"), max_length=100, blank=True)
    query = models.TextField(
        _("SQL query"),
        blank=True,
        help_text=_(
            "One SELECT with two columns: account_id and a number, one row for each account. Run every night for the day "
            "that is scored; current_date and now() mean that day and its end. Accounts that it does not name have no value."
        ),
    )
    query_error = models.TextField(_("why the query failed"), blank=True, editable=False)
    query_ran_at = models.DateTimeField(_("query last run"), null=True, editable=False)
    query_seconds = models.FloatField(_("seconds of the query"), null=True, editable=False)
    slot = models.IntegerField(null=True, editable=False)
    numerator = models.CharField(_("numerator"), max_length=60, blank=True)
    denominator = models.CharField(_("denominator"), max_length=60, blank=True)
    dimension = models.CharField(
        _("dimension"),
        max_length=100,
        blank=True,
        help_text=_("Property whose value is kept apart, such as variant, product or channel."),
    )
    decimals = models.PositiveSmallIntegerField(_("decimals"), default=0, validators=[MaxValueValidator(6)])
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    hold_days = models.PositiveSmallIntegerField(_("days a pushed value holds"), default=7)
    grace_days = models.PositiveSmallIntegerField(_("days of grace after go-live"), default=0)
    higher_is_better = models.BooleanField(_("higher is better"), default=True)
    is_system = models.BooleanField(default=False, editable=False)
    active = models.BooleanField(_("active"), default=True)
    start_on = models.DateField(_("counted from"), null=True, editable=False)

    class Meta:
        db_table = "usage_metric"
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="metric_key"),
            models.UniqueConstraint(fields=["tenant", "slot"], name="metric_slot"),
        ]

    def __str__(self) -> str:
        return shown_name(self.key, self.name)


class Feature(TenantModel):
    """A part of the tenant's product that can be adopted: the events that count as using it, and who has access.

    `key` is the normalised feature label of an event, else its name; unknown labels register themselves.
    """

    class Access(models.TextChoices):
        EVERYBODY = "everybody", _("Everybody")
        ADMINS = "admins", _("Contacts with the role admin")

    key = models.CharField(_("key"), max_length=200, db_collation="C")
    name = models.CharField(_("name"), max_length=200)
    events = ArrayField(models.CharField(max_length=200), default=list, blank=True, verbose_name=_("events"))
    access = models.CharField(_("who has access"), max_length=10, choices=Access, default=Access.EVERYBODY)
    is_key = models.BooleanField(_("key feature"), default=False)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        db_table = "usage_feature"
        verbose_name = _("feature")
        verbose_name_plural = _("features")
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="feature_key")]

    def __str__(self) -> str:
        return self.name
