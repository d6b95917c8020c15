"""Rules tried on days that are past: what they would have opened, and for whom."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account, Job

from .rules import Rule


class DryRun(TenantModel):
    """A rule walked over past days without writing a single alert; the newest of a rule counts."""

    rule = TenantForeignKey(Rule, models.CASCADE, related_name="dry_runs")
    job = TenantForeignKey(Job, models.CASCADE, null=True, related_name="+")
    settings = models.JSONField(default=dict)  # of the rule when it was tried: an edited rule's run is old
    first_on = models.DateField()
    last_on = models.DateField()
    done_until = models.DateField(null=True)
    memory = models.JSONField(default=dict)  # what the walk remembers from chunk to chunk
    suspended_days = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("dry run of a rule")
        indexes = [models.Index(fields=["tenant", "rule", "-id"], name="dryrun_by_rule")]  # rule page


class DryRunAlert(TenantModel):
    """An alert that the rule would have opened."""

    dry_run = TenantForeignKey(DryRun, models.CASCADE, related_name="alerts")
    account = TenantForeignKey(Account, models.CASCADE, null=True, related_name="+")
    subject = models.CharField(max_length=200, blank=True, default="", db_collation="C")
    opened_on = models.DateField()
    ended_on = models.DateField(null=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("alert of a dry run")
        indexes = [
            models.Index(fields=["tenant", "dry_run", "opened_on"], name="dryrunalert_by_day")
        ]  # chart, table
