"""Where usage comes from, and what could not be taken in."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel


class Source(TenantModel):
    """A stream of usage, named by its door (`api`, `segment`, `import`…) or by the caller of an import."""

    key = models.CharField(_("key"), max_length=60, db_collation="C")
    name = models.CharField(_("name"), max_length=120)
    first_received_at = models.DateTimeField(null=True)
    last_received_at = models.DateTimeField(null=True)
    fresh_hours = models.PositiveIntegerField(_("hours until it counts as quiet"), default=72)
    keys_expire = models.BooleanField(
        default=False
    )  # it delivered through a door whose event ids are kept for weeks only
    events = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    unassigned = models.BigIntegerField(default=0)
    accounts_created = models.BigIntegerField(default=0)

    class Meta:
        db_table = "usage_source"
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="source_key")]

    def __str__(self) -> str:
        return self.name


class SourceMetric(TenantModel):
    """Since which day a source has delivered a metric: what tells zero from missing."""

    source = TenantForeignKey(Source, models.CASCADE, related_name="metrics")
    metric = TenantForeignKey("usage.Metric", models.CASCADE, related_name="sources")
    first_on = models.DateField()

    class Meta:
        verbose_name = _("metric of a source")
        db_table = "usage_source_metric"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "source", "metric"], name="source_metric_once")
        ]


class Quarantine(TenantModel):
    """An event that could not be taken in, kept as it came until somebody fixes, replays or discards it."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        REPLAYED = "replayed", _("Replayed")
        DISCARDED = "discarded", _("Discarded")

    source = models.CharField(_("source"), max_length=60)
    door = models.CharField(max_length=20)
    batch = models.UUIDField()
    position = models.IntegerField()
    code = models.CharField(_("reason"), max_length=40)
    message = models.CharField(_("message"), max_length=500)
    payload = models.TextField(
        _("event")
    )  # JSON in ASCII; text, because jsonb refuses what may be wrong with it
    is_truncated = models.BooleanField(default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    received_at = models.DateTimeField(_("received"))
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "usage_quarantine"
        verbose_name = _("event in quarantine")
        verbose_name_plural = _("quarantine")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "batch", "position"], name="quarantine_once"),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-id"], name="quarantine_by_state")
        ]  # the quarantine page

    def __str__(self) -> str:
        return f"{self.code} ({self.source})"
