"""Reads of checklists, each a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Account, Tenant

from .items import MONTH, QUARTER, items_of, period_start
from .models import ChecklistItem


@dataclass(frozen=True)
class Share:
    """How much of something is done; `name` is a member's id, or an item's key."""

    name: Any
    done: int
    total: int

    @property
    def share(self) -> float | None:
        """0–1; None of nothing."""
        return self.done / self.total if self.total else None


_ROLLUP_SQL = """
SELECT a.owner_id, c.key, count(*) FILTER (WHERE c.done_on IS NOT NULL), count(*),
       count(*) FILTER (WHERE c.done_how = 'system')
FROM playbooks_checklistitem c JOIN accounts_account a ON a.tenant_id = c.tenant_id AND a.id = c.account_id
WHERE c.tenant_id = %(tenant)s AND c.cadence = %(cadence)s AND c.period_on = %(start)s
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Rollup:
    """The lists of one period: in all, by owner and by item."""

    done: int
    total: int
    by_system: int
    by_owner: list[Share]
    by_item: list[Share]

    @property
    def share(self) -> float | None:
        """The share that is done; None where there are no lists."""
        return self.done / self.total if self.total else None


def rollup(tenant: Tenant, cadence: str, start: date) -> Rollup:
    """What is done of a period's lists; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_ROLLUP_SQL, {"tenant": tenant.pk, "cadence": cadence, "start": start})
        cells = cursor.fetchall()
    owners: dict[int | None, list[int]] = defaultdict(lambda: [0, 0])
    items: dict[str, list[int]] = {item.key: [0, 0] for item in items_of(cadence)}
    for owner_id, key, done, total, _by_system in cells:
        for pair in (owners[owner_id], items.setdefault(key, [0, 0])):
            pair[0] += done
            pair[1] += total
    return Rollup(
        done=sum(cell[2] for cell in cells),
        total=sum(cell[3] for cell in cells),
        by_system=sum(cell[4] for cell in cells),
        by_owner=[Share(owner, *pair) for owner, pair in owners.items()],
        by_item=[Share(key, *pair) for key, pair in items.items()],
    )


def accounts_with_lists(
    tenant: Tenant,
    *,
    cadence: str,
    start: date,
    owner_id: int | None = None,
    nobodys: bool = False,
    item: str = "",
    open_only: bool = False,
) -> QuerySet[Account]:
    """Accounts that have a list for the period, by name; narrowed to an owner, and to what is (not) done."""
    mine = ChecklistItem.objects.filter(
        tenant=tenant, account_id=OuterRef("pk"), cadence=cadence, period_on=start
    )
    if item:
        mine = mine.filter(key=item)
    if open_only:
        mine = mine.filter(done_on=None)
    found = Account.objects.filter(Exists(mine), tenant=tenant).select_related("owner__user")
    if nobodys:
        found = found.filter(owner=None)
    elif owner_id is not None:
        found = found.filter(owner_id=owner_id)
    return found.order_by("name_search", "id")


def lists_of(
    tenant: Tenant, accounts: Sequence[Account], cadence: str, start: date
) -> dict[int, list[ChecklistItem]]:
    """The items of these accounts in the order of the list; one query."""
    order = {item.key: place for place, item in enumerate(items_of(cadence))}
    found: dict[int, list[ChecklistItem]] = defaultdict(list)
    rows = ChecklistItem.objects.filter(
        tenant=tenant, account__in=list(accounts), cadence=cadence, period_on=start
    ).select_related("done_by__user")
    for row in rows:
        if row.key in order:
            found[row.account_id].append(row)
    for rows_of_one in found.values():
        rows_of_one.sort(key=lambda row: order[row.key])
    return found


def lists_of_account(tenant: Tenant, account_id: int, day: date) -> dict[str, list[ChecklistItem]]:
    """The lists of an account that are due now, by cadence; two queries."""
    account = Account(pk=account_id, tenant=tenant)
    return {
        cadence: lists_of(tenant, [account], cadence, period_start(cadence, day)).get(account_id, [])
        for cadence in (MONTH, QUARTER)
    }


def periods_of(tenant: Tenant, cadence: str, most: int = 12) -> list[date]:
    """The periods for which there are lists, the newest first."""
    rows = ChecklistItem.objects.filter(tenant=tenant, cadence=cadence).values_list("period_on", flat=True)
    return list(rows.distinct().order_by("-period_on")[:most])
