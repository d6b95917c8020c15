"""What has arrived so far: for somebody who has just connected a source and waits for the first event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import Account, Tenant
from usage.models import Quarantine, Source

EVENTS_SHOWN = 5
# The newest days first: the key of the table has this order, so no more than the rows shown are read.
NEWEST_SQL = """
SELECT e.name, e.user_key, e.account_id, e.occurred_at, e.received_at, e.source, e.properties
FROM usage_event AS e WHERE e.tenant_id = %(tenant)s ORDER BY e.day DESC, e.id DESC LIMIT %(limit)s
"""
WAITING_SQL = (
    "SELECT coalesce(sum(events), 0)::bigint, min(received_at) FROM usage_inbox WHERE tenant_id = %(tenant)s"
)


@dataclass(frozen=True)
class ArrivedEvent:
    """An event as it is stored."""

    name: str
    user: str
    account: Account | None
    occurred_at: datetime
    received_at: datetime
    source: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class Arrivals:
    """What was stored, what waits to be counted, what could not be taken in."""

    newest: list[ArrivedEvent]
    stored: int
    accounts_made: int
    waiting: int
    waiting_since: datetime | None
    refused: Quarantine | None

    @property
    def token(self) -> str:
        """Changes whenever there is something else to show."""
        newest = self.newest[0].received_at.timestamp() if self.newest else 0
        refused = self.refused.pk if self.refused else 0
        return f"{self.stored}-{newest:.0f}-{self.waiting}-{refused}"


def arrivals(tenant: Tenant) -> Arrivals:
    """The newest events with their accounts, and the sums of all sources. Five queries."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST_SQL, {"tenant": tenant.pk, "limit": EVENTS_SHOWN})
        rows = cursor.fetchall()
        cursor.execute(WAITING_SQL, {"tenant": tenant.pk})
        waiting, since = cursor.fetchone()
    accounts = Account.objects.filter(tenant=tenant).in_bulk({row[2] for row in rows if row[2] is not None})
    sources = list(Source.objects.filter(tenant=tenant).values_list("events", "accounts_created"))
    return Arrivals(
        newest=[
            ArrivedEvent(
                name, user or "", accounts.get(account), occurred, received, source, properties or {}
            )
            for name, user, account, occurred, received, source, properties in rows
            if account is None or account in accounts  # a member may see some accounts only
        ],
        stored=sum(events for events, _made in sources),
        accounts_made=sum(made for _events, made in sources),
        waiting=waiting,
        waiting_since=since,
        refused=Quarantine.objects.filter(tenant=tenant, state=Quarantine.State.OPEN).order_by("-pk").first(),
    )


def has_received(tenant: Tenant) -> bool:
    """Whether anything has ever come: an event, or an account. One query."""
    heard = Source.objects.filter(tenant=tenant, first_received_at__isnull=False).values("tenant_id")
    known = Account.objects.filter(tenant=tenant).values("tenant_id")
    return bool(heard[:1].union(known[:1], all=True))
