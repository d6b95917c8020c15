"""What reports are read from, and what people chose about them."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.fence.models import TenantForeignKey, TenantModel
from reports.days import USUAL


class ReportDay(TenantModel):
    """The parts of one figure on a day: of all accounts, of an owner, a team, a segment or a plan, as they were that night.

    A row without a metric says that the day was kept (part `day`) or that its month was (part `month`).
    """

    day = models.DateField()
    metric = models.CharField(max_length=40, db_collation="C")
    days = models.SmallIntegerField()  # it looks back on; 0: as it stands
    part = models.CharField(max_length=200, db_collation="C")
    dimension = models.CharField(max_length=8, db_collation="C")
    key = models.CharField(max_length=100, db_collation="C")  # an id, or the words; empty: nobody's, none
    currency = models.CharField(max_length=3, blank=True)
    numerator = models.DecimalField(max_digits=30, decimal_places=6)  # cents where it is money
    denominator = models.DecimalField(max_digits=30, decimal_places=6)
    n = models.BigIntegerField()
    median = models.FloatField(null=True)
    is_final = models.BooleanField()  # made after the day had ended: never rewritten

    class Meta:
        db_table = "reports_day"
        verbose_name = _("day of a report")
        verbose_name_plural = _("days of reports")
        constraints = [
            # Every page, file and mail reads a run of days of one figure and one slice.
            models.UniqueConstraint(
                fields=["tenant", "metric", "dimension", "key", "days", "day", "part", "currency"],
                name="report_day_once",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "day", "metric"], name="report_by_day")
        ]  # the night, breakdowns

    def __str__(self) -> str:
        return f"{self.metric} {self.part} {self.day}"


class ReportTarget(TenantModel):
    """What a company aims at where it is not what is shipped."""

    metric = models.CharField(max_length=40, db_collation="C")
    low = models.DecimalField(_("target"), max_digits=9, decimal_places=2)
    high = models.DecimalField(_("up to"), max_digits=9, decimal_places=2, null=True, blank=True)

    class Meta:
        verbose_name = _("target of a report")
        verbose_name_plural = _("targets of reports")
        constraints = [models.UniqueConstraint(fields=["tenant", "metric"], name="report_target_once")]

    def __str__(self) -> str:
        return f"{self.metric}: {self.low}"


class ReportView(TenantModel):
    """Whose figures a member wants to see first."""

    class Whose(models.TextChoices):
        MINE = "mine", _("Mine")
        TEAM = "team", _("My teams")
        ALL = "all", pgettext_lazy("accounts", "All")

    member = TenantForeignKey("accounts.Membership", models.DO_NOTHING, related_name="+")
    whose = models.CharField(max_length=4, choices=Whose)

    class Meta:
        verbose_name = _("first view of the reports")
        constraints = [models.UniqueConstraint(fields=["tenant", "member"], name="report_view_once")]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.whose}"


class Subscription(TenantModel):
    """A report that a member gets by mail."""

    class Every(models.TextChoices):
        WEEK = "week", _("Every week")
        MONTH = "month", _("Every month")

    class Paused(models.TextChoices):
        GONE = "gone", _("the member is no longer here")
        NOTHING = "nothing", _("the member may not see these figures")

    member = TenantForeignKey(
        "accounts.Membership", models.DO_NOTHING, related_name="+", verbose_name=_("member")
    )
    metric = models.CharField(_("report"), max_length=40, db_collation="C")
    days = models.SmallIntegerField(_("period"), default=USUAL)
    dimension = models.CharField(max_length=8, default="all", db_collation="C")
    key = models.CharField(max_length=100, blank=True, default="", db_collation="C")
    every = models.CharField(_("how often"), max_length=5, choices=Every, default=Every.WEEK)
    weekday = models.PositiveSmallIntegerField(
        _("weekday"), default=0, validators=[MaxValueValidator(6)]
    )  # Monday is 0
    month_day = models.PositiveSmallIntegerField(
        _("day of the month"), default=1, validators=[MinValueValidator(1), MaxValueValidator(28)]
    )
    hour = models.PositiveSmallIntegerField(
        _("hour on your clock"), default=8, validators=[MaxValueValidator(23)]
    )
    paused = models.CharField(max_length=8, choices=Paused, blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    last_on = models.DateField(null=True)  # of which morning the last mail was
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("subscription of a report")
        verbose_name_plural = _("subscriptions of reports")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "member", "metric", "days", "dimension", "key"],
                condition=models.Q(ended_at=None),
                name="report_subscribed_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.metric}"
