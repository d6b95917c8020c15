"""What people say beside the computed score: overrides that expire, and the sentiment of whoever knows the account.

Neither touches a stored score: pages and the API lay them beside it.
"""

from __future__ import annotations

from datetime import date

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel

WORST_SENTIMENT, BEST_SENTIMENT = 1, 5


class Override(TenantModel):
    """Another band (or score) than the computed one for an account's health, for a while and with a reason."""

    account = TenantForeignKey("accounts.Account", models.CASCADE, related_name="overrides")
    band = models.SmallIntegerField(_("band"))  # a band code of the engine, never unknown
    score = models.FloatField(_("score"), null=True)  # null: only the band was said
    reason = models.CharField(_("reason"), max_length=1000)
    computed_score = models.FloatField(null=True)  # what the model said when it was set: calibration needs it
    computed_band = models.SmallIntegerField(default=0)
    starts_on = models.DateField(_("from"))
    until = models.DateField(_("until"))  # the first day on which it counts no more
    ended_on = models.DateField(_("ended"), null=True)  # ended early, by hand or by another override
    created_at = models.DateTimeField(db_default=Now())
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    ended_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    expiry_noted = models.BooleanField(default=False)  # the night has put its end on the timeline

    class Meta:
        db_table = "scoring_override"
        verbose_name = _("override")
        verbose_name_plural = _("overrides")
        indexes = [
            models.Index(fields=["tenant", "account", "-id"], name="override_by_account"),  # account page
            models.Index(  # lists of accounts, the quality page, the night
                fields=["tenant", "until"], name="override_open", condition=models.Q(ended_on=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.band} ({self.until})"

    @property
    def last_on(self) -> date:
        """The first day on which it no longer counts, whether it ran out or was ended."""
        return min(self.until, self.ended_on) if self.ended_on else self.until

    def counts_on(self, day: date) -> bool:
        """Whether it stands on a day."""
        return self.starts_on <= day < self.last_on


class Sentiment(TenantModel):
    """How the member who knows the account sees it, 1 to 5; the newest one counts, unless it has ended."""

    account = TenantForeignKey("accounts.Account", models.CASCADE, related_name="sentiments")
    value = models.SmallIntegerField(
        _("sentiment"), validators=[MinValueValidator(WORST_SENTIMENT), MaxValueValidator(BEST_SENTIMENT)]
    )
    note = models.CharField(_("note"), max_length=1000, blank=True)
    day = models.DateField()
    created_at = models.DateTimeField(db_default=Now())
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    # From when on it was the view of somebody who looks after the account no more.
    ended_on = models.DateField(null=True)

    class Meta:
        db_table = "scoring_sentiment"
        verbose_name = _("sentiment")
        verbose_name_plural = _("sentiments")
        indexes = [
            models.Index(fields=["tenant", "account", "-id"], name="sentiment_by_account"),  # newest of each
            models.Index(fields=["tenant", "day"], name="sentiment_by_day"),  # the disagreement queue
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.value} ({self.day})"


class BandWeek(TenantModel):
    """How many accounts changed band within a complete week; made once from the stored scores, never changed."""

    week = models.DateField()  # its Monday
    compared = models.IntegerField()  # accounts with a band at both ends
    better = models.IntegerField()
    worse = models.IntegerField()
    better_new_model = models.IntegerField()  # of those, the ones that another version scored at the end
    worse_new_model = models.IntegerField()

    class Meta:
        db_table = "scoring_band_week"
        verbose_name = _("week of bands")
        verbose_name_plural = _("weeks of bands")
        constraints = [models.UniqueConstraint(fields=["tenant", "week"], name="band_week_once")]

    def __str__(self) -> str:
        return str(self.week)
