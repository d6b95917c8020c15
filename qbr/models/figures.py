"""A number that was shown to a customer, with everything that is needed to come to it again."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account


class Figure(TenantModel):
    """One answer of a registered figure query. Never changed; only what the last verification found is noted beside it.

    `value` is a double as in the metrics that it comes from; amounts are whole cents, which a double holds exactly up to
    90 billion of a currency.
    """

    class Verdict(models.TextChoices):
        HOLDS = "holds", _("Holds")
        CHANGED = "changed", _("Changed")
        SOURCE_GONE = "source_gone", _("Source gone")

    class Reason(models.TextChoices):
        NONE = "", _("Nothing changed")
        LATE = "late", _("Data arrived after the figure was made.")
        DEFINITION = "definition", _("What is counted was defined anew.")
        RESTATED = "restated", _("What was known then was corrected or removed at the source.")
        MERGED = "merged", _("Another account was merged into this one since.")
        RECORD = "record", _("The record of the figure is not the one that was stored.")

    account = TenantForeignKey(Account, models.CASCADE, related_name="figures", verbose_name=_("account"))
    query = models.CharField(_("query"), max_length=60)
    version = models.PositiveSmallIntegerField(_("version of the query"))
    parameters = models.JSONField(_("parameters"), default=dict)
    as_of = models.DateTimeField(_("as of"))
    subject = models.CharField(_("about"), max_length=200, blank=True)  # such as the metric's name then
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    value = models.FloatField(_("value"), null=True)  # None: there was no data
    rows = models.PositiveIntegerField(_("rows behind it"))
    row_digest = models.CharField(max_length=64)
    definition = models.CharField(max_length=64, blank=True)  # digest of what was counted then
    hash = models.CharField(_("hash"), max_length=64)
    created_at = models.DateTimeField(_("made"), db_default=Now())
    checked_at = models.DateTimeField(_("verified"), null=True)
    verdict = models.CharField(_("verdict"), max_length=11, choices=Verdict, blank=True)
    reason = models.CharField(_("why"), max_length=10, choices=Reason, blank=True)
    now_value = models.FloatField(_("value when verified"), null=True)

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        indexes = [
            models.Index(fields=["tenant", "account", "-id"], name="figure_by_account")
        ]  # evidence of ROI entries and stories

    def __str__(self) -> str:
        return f"{self.query} {self.value}"
