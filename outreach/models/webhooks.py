"""Signed outbound webhooks: endpoints, events, deliveries, and each attempt."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.fence.models import TenantForeignKey, TenantModel
from accounts.models import Account


class Endpoint(TenantModel):
    """An address of the tenant that is told what happens here."""

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("webhook", "Active")
        PAUSED = "paused", _("Paused")
        DISABLED = "disabled", _("Switched off")

    class Cause(models.TextChoices):
        """Why it was switched off."""

        GONE = "gone", _("It answered 410: it wants no more")
        FAILING = "failing", _("It failed for 5 days")

    url = models.CharField(_("address"), max_length=2000)
    description = models.CharField(_("what is it for"), max_length=200, blank=True, default="")
    event_types = ArrayField(models.CharField(max_length=60), default=list, blank=True)  # none: all
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    cause = models.CharField(max_length=10, choices=Cause, blank=True, default="")
    secret_sealed = models.TextField()
    old_secret_sealed = models.TextField(blank=True, default="")
    old_secret_until = models.DateTimeField(null=True)  # both sign until then
    failing_since = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    created_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.description or self.url


class Event(TenantModel):
    """Something that happened and that endpoints are told; its id is the `webhook-id` of every delivery."""

    uid = models.UUIDField(default=uuid.uuid4)
    type = models.CharField(max_length=60)
    data = models.JSONField()
    account = TenantForeignKey(Account, models.CASCADE, null=True, related_name="+")
    dedupe_key = models.CharField(max_length=150, db_collation="C")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("event for webhooks")
        constraints = [models.UniqueConstraint(fields=["tenant", "type", "dedupe_key"], name="event_once")]

    @property
    def webhook_id(self) -> str:
        """What receivers recognise a repeat by."""
        return f"msg_{self.uid.hex}"


class Delivery(TenantModel):
    """An event on its way to one endpoint."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        SKIPPED = "skipped", _("Not sent: it was paused or off")

    endpoint = TenantForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    event = TenantForeignKey(Event, models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)  # of the newest answer
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("delivery to a webhook")
        constraints = [models.UniqueConstraint(fields=["tenant", "endpoint", "event"], name="delivery_once")]
        indexes = [
            models.Index(fields=["tenant", "endpoint", "-id"], name="delivery_log"),  # log page
            models.Index(  # replay of all that failed
                fields=["tenant", "endpoint", "created_at"],
                name="delivery_failed",
                condition=Q(state__in=["failed", "skipped"]),
            ),
        ]


class Attempt(TenantModel):
    """One try: what was sent and what came back, shortened."""

    delivery = TenantForeignKey(Delivery, models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)  # none: no answer
    request = models.TextField(blank=True, default="")
    response = models.TextField(blank=True, default="")
    error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("attempt to call a webhook")
        indexes = [models.Index(fields=["tenant", "delivery", "-id"], name="attempt_by_delivery")]  # log
