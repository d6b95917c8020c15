"""Whose attention alerts may take: settings of the company and of members, and deeds that can be taken back."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Ticket

MOST_ALERTS = 200


def enterprise() -> list[str]:
    """What most companies call their largest customers."""
    return ["enterprise"]


class Attention(TenantModel):
    """The company's rules of interruption; one row per tenant, defaults where there is none."""

    budget = models.PositiveSmallIntegerField(
        _("alerts that may interrupt a CSM at once"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_ALERTS)],
        help_text=_("The most deserving come first; the rest waits in the digest."),
    )
    enterprise_segments = ArrayField(
        models.CharField(max_length=100),
        default=enterprise,
        blank=True,
        verbose_name=_("segments that are enterprise"),
    )
    complex_severity = models.CharField(
        _("an open ticket from this severity on is complex"),
        max_length=10,
        choices=Ticket.Severity,
        default=Ticket.Severity.HIGH,
    )
    digest_hour = models.PositiveSmallIntegerField(
        _("hour of the daily digest, each member's local time"), default=8, validators=[MaxValueValidator(23)]
    )

    class Meta:
        verbose_name = _("attention")
        verbose_name_plural = _("attention")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="attention_one_row")]

    def __str__(self) -> str:
        return str(_("Attention"))


class MemberAttention(TenantModel):
    """What one member wants otherwise."""

    member = TenantForeignKey(
        "accounts.Membership", models.CASCADE, related_name="+", verbose_name=_("member")
    )
    budget = models.PositiveSmallIntegerField(
        _("alerts that may interrupt at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_ALERTS)],
    )
    digest_hour = models.PositiveSmallIntegerField(
        _("hour of the daily digest"), null=True, blank=True, validators=[MaxValueValidator(23)]
    )
    wants_digest = models.BooleanField(_("daily digest by e-mail"), default=True)

    class Meta:
        verbose_name = _("attention of a member")
        verbose_name_plural = _("attention of members")
        constraints = [models.UniqueConstraint(fields=["tenant", "member"], name="attention_once_per_member")]

    def __str__(self) -> str:
        return str(self.member)


class Deed(TenantModel):
    """Something done to many alerts at once, kept so that it can be taken back for a moment."""

    member = TenantForeignKey("accounts.Membership", models.CASCADE, related_name="+")
    action = models.CharField(max_length=10)
    before = models.JSONField(default=list)  # each alert with the values it had
    created_at = models.DateTimeField(db_default=Now())
    undone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("change of many alerts")
