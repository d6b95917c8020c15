"""One row per tenant and day: what every dashboard reads instead of the accounts."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel

BINS = 20  # of 5 points each


class TenantDay(TenantModel):
    """How the tenant's accounts stood on a day; derived from the stored scores and can be made again from them."""

    day = models.DateField()
    scored = models.IntegerField()  # accounts with a band other than unknown
    healthy = models.IntegerField()
    at_risk = models.IntegerField()
    critical = models.IntegerField()
    unknown = models.IntegerField()
    mean = models.FloatField(null=True)  # of the scored accounts
    coverage = models.FloatField(null=True)  # mean of all accounts, 0-1
    histogram = ArrayField(models.IntegerField(), size=BINS)
    mrr_histogram = ArrayField(models.BigIntegerField(), size=BINS)
    mrr_healthy_cents = models.BigIntegerField()
    mrr_at_risk_cents = models.BigIntegerField()
    mrr_critical_cents = models.BigIntegerField()
    mrr_unknown_cents = models.BigIntegerField()
    version = TenantForeignKey(
        "scoring.Version", models.DO_NOTHING, null=True, related_name="+"
    )  # of most accounts
    movers = models.JSONField(default=dict)  # the largest falls and rises in 7 days, as ids and scores

    class Meta:
        db_table = "health_tenant_day"
        verbose_name = _("day of the tenant")
        verbose_name_plural = _("days of the tenant")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "day"], name="tenant_day_once")
        ]  # all dashboards

    def __str__(self) -> str:
        return str(self.day)

    @property
    def healthy_pct(self) -> float | None:
        """Share of the scored accounts that are healthy, 0-100."""
        return share_pct(self.healthy, self.scored)


def share_pct(part: int, whole: int) -> float | None:
    """A share in percent with one decimal; None of nothing."""
    return round(100 * part / whole, 1) if whole else None
