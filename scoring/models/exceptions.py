"""Exceptions of a version: any of these, and the score is at most so much."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel

from .definitions import PERCENT, Measure, Version


class ExceptionRule(TenantModel):
    """A condition on one measure that caps the score, whatever the other measures say."""

    class Reads(models.TextChoices):
        VALUE = "value", _("The value itself")
        SCORE = "score", _("Its score of 0 to 100")

    class Operator(models.TextChoices):
        BELOW = "<", _("below")
        AT_MOST = "<=", _("at most")
        EQUAL = "=", _("exactly")
        AT_LEAST = ">=", _("at least")
        ABOVE = ">", _("above")

    version = TenantForeignKey(Version, models.CASCADE, related_name="exceptions")
    name = models.CharField(_("name"), max_length=120, help_text=_("Shown wherever the score is explained."))
    metric_key = models.CharField(
        _("metric"), max_length=60, help_text=_("One that a measure of this version reads.")
    )
    component_key = models.CharField(
        _("component"),
        max_length=60,
        blank=True,
        help_text=_("Only where several measures read the metric."),
    )
    aggregate = models.CharField(
        _("counted as"),
        max_length=12,
        blank=True,
        choices=Measure.Aggregate,
        help_text=_("Only where several measures of the component read the metric."),
    )
    reads = models.CharField(_("looks at"), max_length=5, choices=Reads, default=Reads.VALUE)
    operator = models.CharField(_("comparison"), max_length=2, choices=Operator, default=Operator.AT_LEAST)
    value = models.FloatField(_("compared with"))
    cap = models.FloatField(_("score at most"), default=40, validators=PERCENT)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        db_table = "scoring_exception"
        verbose_name = _("exception")
        verbose_name_plural = _("exceptions: any of these holds the score down")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return gettext(self.name)
