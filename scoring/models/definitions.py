"""What a score is made of: model → version → components → measures. All of it is the tenant's data."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from scoring.bands import MAX_HYSTERESIS_POINTS, MAX_HYSTERESIS_RUNS
from scoring.engine import MAX_HOLD_DAYS
from scoring.windows import MAX_HALF_LIFE, MAX_WINDOW_DAYS, MIN_HALF_LIFE

KEY = RegexValidator(
    r"^[a-z][a-z0-9_]*\Z", _("Use small letters, digits and underscores, starting with a letter.")
)
PERCENT = [MinValueValidator(0), MaxValueValidator(100)]


class ScoreModel(TenantModel):
    """One way to score accounts: which ones, and (in its versions) how."""

    class Kind(models.TextChoices):
        HEALTH = "health", _("Health")
        PQL = "pql", _("PQL")

    key = models.CharField(_("key"), max_length=60, validators=[KEY], db_collation="C")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=120)
    segment = models.CharField(
        _("segment"),
        max_length=100,
        blank=True,
        help_text=_("Only accounts of this segment; empty: of every segment."),
    )
    stage = models.CharField(
        _("lifecycle stage"),
        max_length=50,
        blank=True,
        help_text=_("Only accounts at this stage; empty: at every stage."),
    )
    plan_kinds = ArrayField(
        models.CharField(max_length=10),
        default=list,
        blank=True,
        verbose_name=_("kinds of plan"),
        help_text=_(
            "Only accounts on these kinds of plan (trial, self_serve, contract); empty: on every plan."
        ),
    )
    position = models.PositiveSmallIntegerField(
        _("order"),
        default=100,
        help_text=_("Where several models fit an account, the one with the smallest number scores it."),
    )
    is_default = models.BooleanField(
        _("default"),
        default=False,
        help_text=_("Scores the accounts that no other model of its kind claims."),
    )
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "scoring_model"
        verbose_name = _("score model")
        verbose_name_plural = _("score models")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="score_model_key"),
            models.UniqueConstraint(
                fields=["tenant", "kind"], name="score_model_one_default", condition=models.Q(is_default=True)
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language: shipped names are in the catalogue, own ones stay as they are."""
        return gettext(self.name)


class Version(TenantModel):
    """A model as it was at some time. Drafts are edited, published ones never; the newest one scores."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    class Hysteresis(models.TextChoices):
        OFF = "off", _("Off: the score alone decides")
        POINTS = "points", _("Points beyond the threshold")
        RUNS = "runs", _("Days across the threshold")

    class Origin(models.TextChoices):
        SHIPPED = "shipped", _("Shipped")
        PROPOSED = "proposed", _("Proposed from your own accounts")
        EDITED = "edited", _("Edited")
        RESTORED = "restored", _("Back to an earlier version")

    model = TenantForeignKey(
        ScoreModel, models.CASCADE, related_name="versions", verbose_name=_("score model")
    )
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    healthy_above = models.FloatField(
        _("best band above"),
        default=80,
        validators=PERCENT,
        help_text=_("A score exactly on the threshold is in the middle band."),
    )
    critical_below = models.FloatField(_("worst band below"), default=60, validators=PERCENT)
    coverage_min = models.FloatField(
        _("minimum coverage"),
        default=0.5,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("Share of the weight that must be known (0 to 1); under it the band is unknown."),
    )
    hysteresis = models.CharField(
        _("a band changes"),
        max_length=10,
        choices=Hysteresis,
        default=Hysteresis.OFF,
        help_text=_(
            "What a score near a threshold must do before its band changes. Unknown always shows at once; "
            "the first day of a version is banded by the score alone."
        ),
    )
    hysteresis_points = models.FloatField(
        _("points beyond"),
        default=5,
        validators=[MinValueValidator(0), MaxValueValidator(MAX_HYSTERESIS_POINTS)],
        help_text=_("Only for points: so far beyond the threshold the score must go."),
    )
    hysteresis_runs = models.PositiveSmallIntegerField(
        _("days across"),
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_HYSTERESIS_RUNS)],
        help_text=_("Only for days: on so many scored days in a row it must stay across."),
    )
    origin = models.CharField(_("origin"), max_length=10, choices=Origin, default=Origin.EDITED)
    note = models.CharField(_("note"), max_length=300, blank=True)
    template_hash = models.CharField(max_length=64, blank=True)  # of the shipped file it came from
    in_force_from = models.DateField(_("in force from"), null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    published_at = models.DateTimeField(_("published"), null=True)
    published_by = TenantForeignKey(
        "accounts.Membership", models.DO_NOTHING, null=True, related_name="+", verbose_name=_("published by")
    )

    class Meta:
        db_table = "scoring_version"
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "model", "number"], name="score_version_number"),
            models.UniqueConstraint(
                fields=["tenant", "model"], name="score_version_one_draft", condition=models.Q(state="draft")
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(model)s, version %(number)d") % {"model": self.model.label, "number": self.number}

    @property
    def is_draft(self) -> bool:
        """Whether it may still be edited."""
        return self.state == self.State.DRAFT


class Component(TenantModel):
    """A named, weighted part of a version."""

    class Missing(models.TextChoices):
        EXCLUDE = "exclude", _("Leave it out; the others carry its weight")
        ZERO = "zero", _("Count it as 0")
        NEUTRAL = "neutral", _("Count it as 50")
        HOLD = "hold", _("Hold the last value")

    class Combine(models.TextChoices):
        MEAN = "mean", _("Weighted mean")
        MIN = "min", _("Lowest")
        MAX = "max", _("Highest")

    version = TenantForeignKey(Version, models.CASCADE, related_name="components")
    key = models.CharField(_("key"), max_length=60, validators=[KEY], db_collation="C")
    name = models.CharField(_("name"), max_length=120)
    weight = models.FloatField(_("weight"), validators=PERCENT)
    missing_policy = models.CharField(
        _("when data is missing"), max_length=10, choices=Missing, default=Missing.EXCLUDE
    )
    hold_days = models.PositiveSmallIntegerField(
        _("days to hold"), default=0, validators=[MaxValueValidator(MAX_HOLD_DAYS)]
    )
    combine = models.CharField(_("measures count by"), max_length=10, choices=Combine, default=Combine.MEAN)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        db_table = "scoring_component"
        verbose_name = _("component")
        verbose_name_plural = _("components")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "version", "key"], name="score_component_key")
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return gettext(self.name)


class Measure(TenantModel):
    """A metric, a window and a scale that turns it into 0-100, inside a component."""

    class Aggregate(models.TextChoices):
        PER_WEEK = "per_week", _("Total, a week")
        TOTAL = "total", _("Total")
        MEAN = "mean", _("Mean of the daily values")
        MAX = "max", _("Largest value")
        LATEST = "latest", _("Latest value")
        RATIO = "ratio", _("Ratio of the totals")
        USERS = "users", _("Distinct users")
        FEATURES = "features", _("Distinct features")
        ACTIVE_DAYS = "active_days", _("Active days")
        DECAYED_DAYS = "decayed_days", _("Active days, older ones count less")
        CHANGE = "change", _("Ratio to its own baseline")

    class ScaleKind(models.TextChoices):
        PIECEWISE = "piecewise", _("Line through points")
        LINEAR = "linear", _("Line between worst and best")
        PERCENT_OF_TARGET = "percent_of_target", _("Percent of target")
        STEPS = "steps", _("Steps")
        INVERSE = "inverse", _("Lower is better")
        PERCENTILE = "percentile", _("Percentile among peers")
        CHANGE = "change", _("Change against own baseline")
        IDENTITY = "identity", _("Is a score already")

    component = TenantForeignKey(Component, models.CASCADE, related_name="measures")
    metric_key = models.CharField(_("metric"), max_length=60)
    aggregate = models.CharField(_("counted as"), max_length=12, choices=Aggregate)
    window_days = models.PositiveSmallIntegerField(
        _("window in days"), default=7, validators=[MinValueValidator(1), MaxValueValidator(MAX_WINDOW_DAYS)]
    )
    baseline_days = models.PositiveSmallIntegerField(
        _("baseline in days"),
        default=28,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_WINDOW_DAYS)],
    )
    half_life_days = models.PositiveSmallIntegerField(
        _("half-life in days"),
        default=90,
        validators=[MinValueValidator(MIN_HALF_LIFE), MaxValueValidator(MAX_HALF_LIFE)],
    )
    weight = models.FloatField(_("weight in the component"), default=1, validators=[MinValueValidator(0)])
    scale_kind = models.CharField(_("scale"), max_length=20, choices=ScaleKind, default=ScaleKind.PIECEWISE)
    scale_params = models.JSONField(_("values of the scale"), default=dict, blank=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        db_table = "scoring_measure"
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["tenant", "component", "position"], name="score_measure_order")]

    def __str__(self) -> str:
        return self.metric_key

    @property
    def scale(self) -> dict[str, Any]:
        """The scale as the pure module reads it."""
        return {"kind": self.scale_kind, **self.scale_params}
