"""Deleting companies whose time is over, as the owner of the tables (`maintain`): nobody else may delete audit rows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import OperatorEntry, Tenant, User

from .tables import in_order_of_deletion, tables_of_tenants

log = logging.getLogger(__name__)
AT_ONCE = 50_000  # rows of a transaction: a company with years of events must not lock its tables for an hour


@dataclass(frozen=True)
class Removed:
    """A company that is gone, with the number of rows of each table that had some."""

    slug: str
    rows: dict[str, int]


def remove_due_tenants(connection: Any, now: datetime) -> list[Removed]:
    """Delete every row of companies whose days of grace are over; one that was interrupted is continued."""
    due = Tenant.objects.filter(deletes_at__lte=now).order_by("pk")
    return [done for tenant in due if (done := remove_tenant(connection, tenant))]


def remove_tenant(connection: Any, tenant: Tenant) -> Removed | None:
    """Delete a company: every table, then logins that were of it alone, then itself; and note how much it was.

    Tables go in an order in which no row points at one that is gone. It may be interrupted anywhere and be called again.
    None when somebody wrote meanwhile (a turn of the drain that was under way): the next round finishes it.
    """
    people = list(User.objects.filter(memberships__tenant=tenant).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        names = [table.name for table in tables_of_tenants(cursor)]
        rows: dict[str, int] = {}
        for name in in_order_of_deletion(cursor, names):
            deleted = _empty(cursor, name, tenant.pk)
            if deleted:
                rows[name] = deleted
        left = {name: count for name in names if (count := _count(cursor, name, tenant.pk))}
        if left:
            log.warning("The company %s is not gone yet; rows came meanwhile: %s.", tenant.slug, left)
            return None
    with transaction.atomic():
        # A login that belongs to no company any more is personal data without a purpose.
        User.objects.filter(pk__in=people, memberships=None, is_superuser=False, is_staff=False).delete()
        OperatorEntry.objects.create(
            actor_label="system", action="company.deleted", company=tenant.slug, details={"rows": rows}
        )
        slug = tenant.slug
        Tenant.objects.filter(pk=tenant.pk).delete()
    log.info("The company %s was deleted: %s rows.", slug, sum(rows.values()))
    return Removed(slug, rows)


def _empty(cursor: Any, name: str, tenant_id: int) -> int:
    deleted = 0
    while True:
        with transaction.atomic(using=cursor.db.alias):
            cursor.execute(
                f'DELETE FROM "{name}" WHERE tenant_id = %s AND (tableoid, ctid) IN ('
                f'SELECT tableoid, ctid FROM "{name}" WHERE tenant_id = %s LIMIT {AT_ONCE})',
                [tenant_id, tenant_id],
            )
            deleted += int(cursor.rowcount)
            if cursor.rowcount < AT_ONCE:
                return deleted


def _count(cursor: Any, name: str, tenant_id: int) -> int:
    cursor.execute(f'SELECT count(*) FROM "{name}" WHERE tenant_id = %s', [tenant_id])
    return int(cursor.fetchone()[0])
