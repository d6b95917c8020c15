"""What the operator of the platform looks at: companies, queues, partitions, disk, workers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import redis
from celery import Celery
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.fence.dispatch import oldest_inbox_age_seconds
from accounts.fence.scope import tenant_scope
from accounts.models import OperatorEntry, Tenant

PER_PAGE = 25
LOG_SHOWN = 30
LAG_SECONDS = 60.0  # events are counted within a minute, or something is wrong
LEAST_FREE_SHARE = 0.1
PING_SECONDS = 0.5

_COMPANY = """
SELECT (SELECT count(*) FROM accounts_membership WHERE tenant_id = %(tenant)s AND is_active),
       (SELECT count(*) FROM accounts_account WHERE tenant_id = %(tenant)s),
       (SELECT coalesce(sum(events), 0) FROM usage_source_day WHERE tenant_id = %(tenant)s AND received_on >= %(day)s),
       (SELECT coalesce(sum(events), 0) FROM usage_source_day WHERE tenant_id = %(tenant)s AND received_on >= %(month)s),
       (SELECT max(finished_at) FROM accounts_job
        WHERE tenant_id = %(tenant)s AND kind = 'nightly' AND state = 'done'),
       (SELECT count(*) FROM accounts_job WHERE tenant_id = %(tenant)s AND state = 'failed'
        AND finished_at > %(week)s),
       (SELECT count(*) FROM accounts_outbox WHERE tenant_id = %(tenant)s AND state = 'failed')
"""


@dataclass(frozen=True)
class Company:
    """A company with how much it is and does."""

    tenant: Tenant
    members: int
    accounts: int
    events_day: int
    events_month: int
    last_night: datetime | None
    failed_jobs: int
    failed_mail: int


@dataclass(frozen=True)
class Line:
    """A figure of the platform, and whether it is as it should be."""

    name: str
    value: float
    unit: str = ""
    is_well: bool = True


@dataclass(frozen=True)
class Platform:
    """All of the page."""

    companies: list[Company]
    total: int
    page: int
    lines: list[Line]
    workers: list[str] | None  # None: the broker does not answer
    log: list[OperatorEntry] = field(default_factory=list)

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self.page * PER_PAGE < self.total


def platform(*, page: int = 1, text: str = "") -> Platform:
    """A page of companies and the health of everything; three statements for each company that is shown."""
    found = Tenant.objects.order_by("slug")
    if text:
        found = found.filter(slug__startswith=text.lower())
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    return Platform(
        companies=[company(tenant) for tenant in shown],
        total=found.count(),
        page=page,
        lines=queue_lines() + storage_lines(),
        workers=workers_alive(),
        log=list(OperatorEntry.objects.order_by("-at", "-pk")[:LOG_SHOWN]),
    )


def company(tenant: Tenant) -> Company:
    """The figures of one company, read in its own scope."""
    today = timezone.now().date()
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(
            _COMPANY,
            {
                "tenant": tenant.pk,
                "day": today - timedelta(days=1),
                "month": today - timedelta(days=30),
                "week": timezone.now() - timedelta(days=7),
            },
        )
        return Company(tenant, *cursor.fetchone())


def queue_lines() -> list[Line]:
    """What waits, seen by the role that sees of every company only that it has work."""
    with connections["dispatch"].cursor() as cursor:
        cursor.execute("SELECT count(received_at) FROM usage_inbox")
        (inbox,) = cursor.fetchone()
        cursor.execute("SELECT state, count(state) FROM accounts_job GROUP BY state")
        jobs: dict[str, int] = dict(cursor.fetchall())
        cursor.execute("SELECT state, count(state) FROM accounts_outbox GROUP BY state")
        outbox: dict[str, int] = dict(cursor.fetchall())
    lag = oldest_inbox_age_seconds()
    return [
        Line("inbox", inbox),
        Line("lag", round(lag, 1), "s", lag <= LAG_SECONDS),
        Line("jobs_waiting", jobs.get("queued", 0)),
        Line("jobs_running", jobs.get("running", 0)),
        Line("jobs_failed", jobs.get("failed", 0), "", not jobs.get("failed")),
        Line("outbox_waiting", outbox.get("waiting", 0)),
        Line("outbox_failed", outbox.get("failed", 0), "", not outbox.get("failed")),
    ]


def storage_lines() -> list[Line]:
    """How large the database is, how many months are made ahead, what is free on the disk."""
    following = (timezone.now().date().replace(day=1) + timedelta(days=32)).replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        (size,) = cursor.fetchone()
        cursor.execute(
            "SELECT count(*), coalesce(bool_or(inhrelid::regclass::text = %s), false) FROM pg_inherits "
            "WHERE inhparent = 'usage_event'::regclass",
            [f"usage_event_y{following.year:04d}m{following.month:02d}"],
        )
        partitions, is_ahead = cursor.fetchone()
    disk = shutil.disk_usage(settings.BASE_DIR)
    return [
        Line("database", size, "bytes"),
        Line("partitions", partitions, "", is_ahead),
        Line("disk_free", disk.free, "bytes", disk.free / disk.total >= LEAST_FREE_SHARE),
    ]


def workers_alive() -> list[str] | None:
    """The workers that answer at once, by name."""
    # A client of its own: the workers' application is not loaded where pages are made.
    client = Celery("operator", broker=settings.REDIS_URL, set_as_current=False)
    client.conf.broker_transport_options = {"socket_timeout": 2, "socket_connect_timeout": 2}
    try:
        answers: Sequence[dict[str, Any]] = client.control.ping(timeout=PING_SECONDS) or []
    except (OperationalError, OSError, redis.RedisError):
        return None
    finally:
        client.close()
    return sorted(name for answer in answers for name in answer)
