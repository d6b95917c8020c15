"""One row per account, period and item."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account

from .items import BY_KEY, CADENCES, Item


class ChecklistItem(TenantModel):
    """An item of an account's checklist for a month or a quarter."""

    class How(models.TextChoices):
        SYSTEM = "system", _("by the numbers")
        HAND = "hand", _("by hand")

    account = TenantForeignKey(
        Account, models.CASCADE, related_name="checklist_items", verbose_name=_("account")
    )
    cadence = models.CharField(_("how often"), max_length=7, choices=list(CADENCES.items()))
    period_on = models.DateField(_("period from"))
    key = models.CharField(_("item"), max_length=30)
    done_on = models.DateField(_("done"), null=True)
    done_how = models.CharField(max_length=6, choices=How, blank=True)
    done_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    note = models.TextField(_("note"), blank=True)
    evidence = models.JSONField(default=dict)
    ignore_numbers = models.BooleanField(default=False)  # somebody has unticked what the numbers had ticked

    class Meta:
        verbose_name = _("checklist item")
        verbose_name_plural = _("checklist items")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "cadence", "period_on", "account", "key"], name="checklist_item_once"
            )  # page: one period; the night
        ]
        indexes = [models.Index(fields=["tenant", "account", "period_on"], name="checklist_by_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.period_on} {self.key}"

    @property
    def item(self) -> Item:
        """What has to be done."""
        return BY_KEY[self.key]
