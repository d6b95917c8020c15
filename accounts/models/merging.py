"""Accounts that turned out to be one: what was merged, and the names that lead to the account that stayed."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel

from .customers import Account


class AccountMerge(TenantModel):
    """One account that went into another; it cannot be undone, so what it was is kept here."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")

    account = TenantForeignKey(Account, models.CASCADE, related_name="merges")  # the one that stays
    absorbed_id = models.BigIntegerField()  # the id the other one had; its row is gone when it is done
    external_id = models.CharField(max_length=200, db_collation="C")
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    choices = models.JSONField(default=dict)  # field → whose value stays
    before = models.JSONField(default=dict)  # both rows as they were
    moved = models.JSONField(default=dict)  # table → rows
    requested_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("merge of accounts")
        verbose_name_plural = _("merges of accounts")
        constraints = [models.UniqueConstraint(fields=["tenant", "absorbed_id"], name="account_merged_once")]

    def __str__(self) -> str:
        return self.name


class AccountAlias(TenantModel):
    """An external id that now means another account: events, API calls and imports that use it land there."""

    external_id = models.CharField(max_length=200, db_collation="C")
    account = TenantForeignKey(Account, models.CASCADE, related_name="aliases")
    former_id = models.BigIntegerField()  # so that addresses of our pages lead on

    class Meta:
        verbose_name = _("former id of an account")
        constraints = [models.UniqueConstraint(fields=["tenant", "external_id"], name="alias_external_id")]
        indexes = [models.Index(fields=["tenant", "former_id"], name="alias_former_id")]  # account page
