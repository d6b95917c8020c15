"""Backtests: what was asked, how far it is, what came out. The figures are numbers and codes; pages say them in words."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel

from .definitions import Version


class Backtest(TenantModel):
    """One version compared with what happened after some past dates."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Not possible")

    version = TenantForeignKey(
        Version, models.CASCADE, related_name="backtests", verbose_name=_("model version")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    parameters = models.JSONField()  # scoring.backtest.parameters.Settled
    scales = models.JSONField(
        null=True
    )  # drawn anew from what was known on the first date, by place of measure
    definition_hash = models.CharField(max_length=64)  # of the version as it was: a draft may be edited since
    refusal = models.JSONField(null=True)  # {"code", "values"}
    figures = models.JSONField(null=True)
    job_id = models.BigIntegerField(null=True)  # of the ledger, which may forget it
    requested_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "scoring_backtest"
        verbose_name = _("backtest")
        verbose_name_plural = _("backtests")
        indexes = [
            models.Index(fields=["tenant", "version", "-id"], name="backtest_of_version")
        ]  # newest of a version
