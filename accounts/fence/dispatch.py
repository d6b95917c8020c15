"""Which tenants have work, seen by `cs_dispatch`; the only module that looks across tenants."""

from __future__ import annotations

from django.db import connections

QUERIES = {
    "inbox": "SELECT DISTINCT tenant_id FROM usage_inbox",
    "jobs": "SELECT DISTINCT tenant_id FROM accounts_job WHERE state IN ('queued', 'running') AND due_at <= now()",
    "outbox": "SELECT DISTINCT tenant_id FROM accounts_outbox WHERE state = 'waiting' AND next_at <= now()",
}


def tenants_with_work(kind: str) -> list[int]:
    """Ids of the tenants with waiting work of this kind (`inbox`, `jobs`, `outbox`), in a stable order."""
    with connections["dispatch"].cursor() as cursor:
        cursor.execute(QUERIES[kind])
        return sorted(row[0] for row in cursor.fetchall())


def oldest_inbox_age_seconds() -> float:
    """Age of the oldest batch that is not drained yet; 0 when there is none."""
    with connections["dispatch"].cursor() as cursor:
        cursor.execute("SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0) FROM usage_inbox")
        return float(cursor.fetchone()[0])
