"""What need not be kept: items that were sent, the log of webhooks, lines that were read."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import Tenant

OUTBOX_DAYS = 90  # messages themselves stay; this is how they travelled
EVENT_DAYS = 30
NOTICE_DAYS = 180
MOST = 50_000  # of each, a night: the first night after a busy year must not be one long transaction

SENT_SQL = """
DELETE FROM accounts_outbox WHERE tenant_id = %(tenant)s AND id IN (
  SELECT id FROM accounts_outbox WHERE tenant_id = %(tenant)s AND state = 'sent' AND sent_at < %(before)s
  ORDER BY id LIMIT %(most)s)
"""
# With its deliveries and attempts; one that is still on its way is kept.
EVENTS_SQL = """
DELETE FROM outreach_event WHERE tenant_id = %(tenant)s AND id IN (
  SELECT e.id FROM outreach_event e WHERE e.tenant_id = %(tenant)s AND e.at < %(before)s AND NOT EXISTS (
    SELECT 1 FROM outreach_delivery d
    WHERE d.tenant_id = %(tenant)s AND d.event_id = e.id AND d.state = 'waiting')
  ORDER BY e.id LIMIT %(most)s)
"""
READ_SQL = """
DELETE FROM outreach_notification WHERE tenant_id = %(tenant)s AND id IN (
  SELECT id FROM outreach_notification WHERE tenant_id = %(tenant)s AND read_at < %(before)s
  ORDER BY id LIMIT %(most)s)
"""


def forget_old(*, tenant: Tenant) -> dict[str, int]:
    """Delete what is older than its time; says how much of each."""
    now = timezone.now()
    return {
        "outbox": _delete(tenant, SENT_SQL, now - timedelta(days=OUTBOX_DAYS)),
        "events": _delete(tenant, EVENTS_SQL, now - timedelta(days=EVENT_DAYS)),
        "notifications": _delete(tenant, READ_SQL, now - timedelta(days=NOTICE_DAYS)),
    }


def _delete(tenant: Tenant, sql: str, before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"tenant": tenant.pk, "before": before, "most": MOST})
        return int(cursor.rowcount)
