"""What happened: the timeline that people read and the audit log that nobody can rewrite."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantManager, TenantModel
from accounts.origin import current_origin

from .customers import Account


class TimelineEntry(TenantModel):
    """One thing that happened at an account: a note, an alert, a task done, a score that changed band."""

    account = TenantForeignKey(Account, models.CASCADE, related_name="timeline")
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    actor = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    title = models.CharField(max_length=300)
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("line of the timeline")
        indexes = [
            models.Index(
                fields=["tenant", "account", "-at", "-id"], name="timeline_by_account"
            ),  # account page
            models.Index(  # Today: what I have done
                fields=["tenant", "actor", "-at"],
                name="timeline_by_actor",
                condition=models.Q(actor__isnull=False),
            ),
            models.Index(  # lists: when a person last did something there
                fields=["tenant", "account", "-at"],
                name="timeline_touch",
                condition=models.Q(actor__isnull=False),
            ),
        ]


class AuditManager(TenantManager["AuditEntry"]):
    """Entries say where they come from, however many are written at once."""

    def bulk_create(self, objs: Iterable[AuditEntry], *args: Any, **options: Any) -> list[AuditEntry]:
        """As Django's, each entry with its origin."""
        entries = list(objs)
        for entry in entries:
            entry.come_from_here()
        return super().bulk_create(entries, *args, **options)


class AuditEntry(TenantModel):
    """Who changed what, and from where; append-only by grants."""

    at = models.DateTimeField(_("at"), db_default=Now())
    actor = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    actor_label = models.CharField(_("who"), max_length=200)
    action = models.CharField(_("what was done"), max_length=100)
    target = models.CharField(_("to what"), max_length=200)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    door = models.CharField(_("door"), max_length=10, db_default="")
    address = models.GenericIPAddressField(_("address"), null=True)
    request_id = models.CharField(_("request"), max_length=64, db_default="")
    cause = models.CharField(_("cause"), max_length=200, db_default="")

    objects: ClassVar[AuditManager] = AuditManager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["tenant", "-at", "-id"], name="audit_by_time"),
            models.Index(fields=["tenant", "request_id"], name="audit_by_request"),  # details of a request
        ]

    def __str__(self) -> str:
        return self.action

    def save(self, *args: Any, **options: Any) -> None:
        """With its origin."""
        self.come_from_here()
        super().save(*args, **options)

    def come_from_here(self) -> None:
        """Take door, address, request and cause from what is going on."""
        origin = current_origin()
        origin.entries += 1
        self.door, self.address = origin.door, origin.address
        self.request_id, self.cause = origin.request_id, origin.cause[:200]


class RequestRecord(TenantModel):
    """What a request changed, whoever wrote it: the net below the entries that services write; append-only by grants."""

    at = models.DateTimeField(db_default=Now())
    request_id = models.CharField(max_length=64)
    actor = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    actor_label = models.CharField(max_length=200)
    door = models.CharField(max_length=10)
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=200)
    method = models.CharField(max_length=8)
    route = models.CharField(max_length=100)
    path = models.CharField(max_length=300)
    changes = models.JSONField()
    detailed = models.BooleanField()  # services wrote entries of their own in the same request

    class Meta:
        verbose_name = _("record of a request")
        indexes = [
            models.Index(fields=["tenant", "-at", "-id"], name="request_by_time"),
            models.Index(fields=["tenant", "request_id"], name="request_by_name"),  # where an entry came from
        ]


class ApiKeyUse(TenantModel):
    """When a key was last used; apart from the key, which is a directory row and must stay cold."""

    key_id = models.BigIntegerField()
    last_used_at = models.DateTimeField()

    class Meta:
        verbose_name = _("use of an API key")
        constraints = [models.UniqueConstraint(fields=["tenant", "key_id"], name="one_use_row_per_key")]
