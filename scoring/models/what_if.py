"""What a draft would change, as it was found the last time somebody asked."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantManager, TenantModel

from .definitions import Version


class WhatIf(TenantModel):
    """A version against the one that scores now, over all accounts of a day; one per version, the newest.

    It stores no scores: only sums, and (in `scoring_move`) before and after of the accounts that move.
    """

    version = TenantForeignKey(Version, models.CASCADE, related_name="what_ifs", verbose_name=_("version"))
    against = TenantForeignKey(Version, models.DO_NOTHING, null=True, related_name="+")
    day = models.DateField(_("day"))
    definition_hash = models.CharField(
        max_length=64
    )  # of both versions: an edited draft makes the result old
    as_default = models.BooleanField(
        default=False
    )  # the model claims nobody: compared as if it were the default
    numbers = models.JSONField(default=dict)
    asked_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "scoring_whatif"
        verbose_name = _("what-if")
        verbose_name_plural = _("what-ifs")
        constraints = [models.UniqueConstraint(fields=["tenant", "version"], name="what_if_once")]

    def __str__(self) -> str:
        return f"{self.version_id} ({self.day})"


class Move(models.Model):
    """An account whose score or band a version would change. Written in bulk, read by the what-if's page."""

    pk = models.CompositePrimaryKey("tenant", "what_if", "account")
    tenant = models.ForeignKey("accounts.Tenant", models.DO_NOTHING, related_name="+", db_constraint=False)
    what_if = TenantForeignKey(WhatIf, models.DO_NOTHING, related_name="+")
    account = TenantForeignKey("accounts.Account", models.DO_NOTHING, related_name="+")
    score_before = models.FloatField(null=True)
    score_after = models.FloatField(null=True)
    band_before = models.SmallIntegerField()
    band_after = models.SmallIntegerField()
    mrr_cents = models.BigIntegerField()

    objects = TenantManager()

    class Meta:
        verbose_name = _("account that a version would move")
        managed = False
        db_table = "scoring_move"
        base_manager_name = "objects"
        default_manager_name = "objects"

    def __str__(self) -> str:
        return f"{self.score_before} → {self.score_after}"
