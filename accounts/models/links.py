"""Addresses that let somebody without a login see one thing."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel

from .customers import Account, Contact


class SignedLink(TenantModel):
    """One such address: what it opens, for whom, until when. Only a hash of its token is kept."""

    purpose = models.CharField(max_length=40)
    object_id = models.BigIntegerField()
    account = TenantForeignKey(Account, models.CASCADE, related_name="signed_links")
    contact = TenantForeignKey(Contact, models.CASCADE, null=True, related_name="signed_links")
    token_hash = models.CharField(max_length=64, db_collation="C")
    expires_at = models.DateTimeField(_("open until"))
    revoked_at = models.DateTimeField(_("taken back"), null=True)
    revoked_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    opened = models.PositiveIntegerField(_("times opened"), default=0)
    last_opened_at = models.DateTimeField(_("last opened"), null=True)
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(_("made"), db_default=Now())

    class Meta:
        verbose_name = _("signed link")
        verbose_name_plural = _("signed links")
        constraints = [models.UniqueConstraint(fields=["tenant", "token_hash"], name="signed_link_token")]
        indexes = [
            models.Index(fields=["tenant", "purpose", "object_id"], name="signed_link_of")  # links of a thing
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.object_id}"

    def is_open_at(self, now: datetime) -> bool:
        """Whether it opens anything at this time."""
        return self.revoked_at is None and self.expires_at > now
