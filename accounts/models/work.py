"""The ledger of work: jobs, their chunks, what leaves the house, answers kept for repeated requests."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.fence.models import TenantForeignKey, TenantModel


class Job(TenantModel):
    """A piece of background work. PostgreSQL is the ledger, Celery only rings the bell."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=100)  # what makes it the same work, e.g. the business day
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    params = models.JSONField(default=dict)
    total = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    message = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    requested_by = TenantForeignKey("accounts.Membership", models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("background job")
        constraints = [models.UniqueConstraint(fields=["tenant", "kind", "key"], name="job_once")]
        indexes = [
            models.Index(  # dispatch: which tenants have work
                fields=["tenant", "due_at"],
                name="job_waiting",
                condition=models.Q(state__in=["queued", "running"]),
            )
        ]


class JobChunk(TenantModel):
    """One transaction's worth of a job; claimed with SKIP LOCKED, done or not done, nothing between."""

    job = TenantForeignKey(Job, models.CASCADE, related_name="chunks")
    ordinal = models.IntegerField()
    step = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=Job.State, default=Job.State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    message = models.TextField(blank=True)

    class Meta:
        verbose_name = _("part of a background job")
        constraints = [models.UniqueConstraint(fields=["tenant", "job", "ordinal"], name="chunk_once")]


class Outbox(TenantModel):
    """Something that must leave the house, written in the business transaction and sent by the relay."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    error = models.CharField(max_length=500, blank=True)
    claim = models.UUIDField(null=True)  # the turn of the relay that holds it until `next_at`
    lane = models.CharField(max_length=60, blank=True, db_default="")  # what shares a receiver waits together
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("item of the outbox")
        constraints = [models.UniqueConstraint(fields=["tenant", "kind", "key"], name="outbox_once")]
        indexes = [
            models.Index(
                fields=["tenant", "next_at"], name="outbox_waiting", condition=models.Q(state="waiting")
            ),  # relay
            models.Index(  # outbox page: what was put aside
                fields=["tenant", "-id"], name="outbox_put_aside", condition=models.Q(state="failed")
            ),
        ]


class IdempotencyRecord(TenantModel):
    """The answer to a write with an `Idempotency-Key`, kept a day, so that a repeat gets it again."""

    api_key_id = models.BigIntegerField()
    key = models.CharField(max_length=255, db_collation="C")
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("kept answer of the API")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "api_key_id", "key"], name="idempotency_once")
        ]
