"""The list of accounts in groups: how many, what they pay per currency, their mean score."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db import connection

from accounts.models import Tenant
from workspace.bands import band_of
from workspace.lists.conditions import BadCondition, Condition, both, write_tree
from workspace.selectors.account_filter import NOBODY, AccountFilter, planned, read_wanted

KEYS = {
    "owner": "a.owner_id::text",
    "segment": "a.segment",
    "stage": "a.stage",
    "band": "coalesce(s.band, 0)::text",
    "renewal_month": "to_char(a.renewal_on, 'YYYY-MM')",
}
MOST_GROUPS = 400


@dataclass
class AccountGroup:
    """One group; `key` as the database says it, None where the accounts have nothing there."""

    key: str | None
    accounts: int = 0
    mrr: dict[str, int] = field(default_factory=dict)  # cents by currency
    scored: int = 0
    score_sum: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean of the scores that there are."""
        return self.score_sum / self.scored if self.scored else None


def account_groups(
    tenant: Tenant, wanted: AccountFilter, *, today: date
) -> tuple[list[AccountGroup], AccountGroup]:
    """The groups of the filtered list, largest first (months in their order), and all of them together; one query."""
    read = read_wanted(tenant, wanted, today, frozenset({"s"}))
    key = KEYS[wanted.group]
    with planned(wanted), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, a.currency, count(*), sum(a.mrr_cents), count(s.score), coalesce(sum(s.score), 0) "
            f"{read.text()} GROUP BY 1, 2",
            read.values,
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    groups: dict[str | None, AccountGroup] = {}
    total = AccountGroup("")
    for name, currency, count, mrr, scored, score_sum in rows:
        for group in (groups.setdefault(name or None, AccountGroup(name or None)), total):
            group.accounts += count
            group.scored += scored
            group.score_sum += float(score_sum)
            if mrr:
                group.mrr[currency] = group.mrr.get(currency, 0) + int(mrr)
    found = sorted(groups.values(), key=lambda one: (-one.accounts, one.key or ""))
    if wanted.group == "renewal_month":
        found.sort(key=lambda one: (one.key is None, one.key or ""))
    return found[:MOST_GROUPS], total


def narrowed_to(wanted: AccountFilter, group: AccountGroup) -> AccountFilter | None:
    """The list of one group's accounts; None where the conditions are nested so that no more can be added."""
    alone = replace(wanted, group="")
    if wanted.group == "owner" and not wanted.owner:
        return replace(alone, owner=group.key or NOBODY)
    if group.key and wanted.group in ("segment", "stage") and not getattr(wanted, wanted.group):
        if "," not in group.key:
            if wanted.group == "segment":
                return replace(alone, segment=group.key)
            return replace(alone, stage=group.key)
    row = _condition(wanted.group, group.key)
    try:
        return replace(alone, where=write_tree(both(wanted.tree, row)))
    except BadCondition:
        return None


def _condition(name: str, key: str | None) -> Condition:
    if name == "band":
        return Condition("band", "is", band_of(int(key or 0)).key)
    if name == "renewal_month":
        if key is None:
            return Condition("renewal", "empty")
        first = date.fromisoformat(f"{key}-01")
        last = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        return Condition(
            "renewal", "between", f"{first.isoformat()}..{date.fromordinal(last.toordinal() - 1)}"
        )
    return Condition(name, "is", key) if key else Condition(name, "empty")
