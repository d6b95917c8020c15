"""Which accounts a version is for now: how many could start today, which, and why the others cannot."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from accounts.models import Account, Tenant

from .models import PlaybookVersion
from .services.starts import Gate
from .terms import is_held_out, read_entry

MOST_LOOKED_AT = (
    20_000  # beyond it the preview says "of the first 20,000"; a start looks at every account it is for
)
SHOWN = 200
ALREADY = "running"


@dataclass(frozen=True)
class Audience:
    """The accounts that could start now, the first of them by MRR, and what keeps others from it."""

    matching: int
    held_out: int
    rows: list[Account]
    refused: list[tuple[str, int]]  # by code, the most frequent first
    looked_at: int
    capped: bool


def audience(
    tenant: Tenant, version: PlaybookVersion, day: date, *, search: str = "", shown: int = SHOWN
) -> Audience:
    """Look at the entry criteria for every account that has not churned; a constant number of queries."""
    entry = read_entry(version.entry)
    accounts = Account.objects.filter(tenant=tenant).filter(Q(churned_on=None) | Q(churned_on__gt=day))
    if entry.segments:
        accounts = accounts.filter(segment__in=entry.segments)
    if entry.stages:
        accounts = accounts.filter(stage__in=entry.stages)
    if search:
        key = search.lower()[:200]
        accounts = accounts.filter(name_search__gte=key, name_search__lt=f"{key}\U0010ffff")
    found = list(
        accounts.only(
            "pk", "external_id", "name", "mrr_cents", "tenant_id", "currency", "segment", "owner_id"
        )
        .select_related("owner__user")
        .order_by("-mrr_cents", "id")[: MOST_LOOKED_AT + 1]
    )
    capped, found = len(found) > MOST_LOOKED_AT, found[:MOST_LOOKED_AT]
    gate = Gate(tenant, [version], {account.pk: account for account in found}, day)
    rows, refused = list[Account](), Counter[str]()
    for account in found:
        if (version.playbook_id, account.pk) in gate.running:
            refused[ALREADY] += 1
        elif (refusal := gate.refusal(version, account)) is not None:
            refused[refusal.code] += 1
        else:
            rows.append(account)
    held = sum(
        is_held_out(
            tenant_id=tenant.pk,
            playbook_key=version.playbook.key,
            account_key=account.external_id,
            holdout_pct=version.holdout_pct,
        )
        for account in rows
    )
    return Audience(len(rows), held, rows[:shown], refused.most_common(), len(found), capped)
