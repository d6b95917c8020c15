"""What members are told: the bell, and which kinds they want where."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account


class Notification(TenantModel):
    """One line behind the bell of one member."""

    member = TenantForeignKey("accounts.Membership", models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    body = models.CharField(max_length=1000, blank=True, default="")
    url = models.CharField(max_length=500, blank=True, default="")  # a path inside the tenant
    account = TenantForeignKey(Account, models.CASCADE, null=True, related_name="+")
    dedupe_key = models.CharField(max_length=150, db_collation="C")
    in_bell = models.BooleanField(default=True)  # else it went out by mail only
    at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "member", "dedupe_key"], name="notification_once")
        ]
        indexes = [
            models.Index(fields=["tenant", "member", "-id"], name="notification_by_member"),  # panel, page
            models.Index(  # the bell's count
                fields=["tenant", "member"],
                name="notification_unread",
                condition=Q(read_at=None, in_bell=True),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NotificationChoice(TenantModel):
    """What a member said about a kind; without a row the sender's default holds."""

    member = TenantForeignKey("accounts.Membership", models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    bell = models.BooleanField(_("bell"), default=True)
    mail = models.BooleanField(_("e-mail"), default=False)

    class Meta:
        verbose_name = _("choice of notifications")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "member", "kind"], name="notification_choice_once")
        ]
