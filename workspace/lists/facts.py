"""Facts about accounts that stand in other tables: how a list is found by them, and how a page shows them.

Conditions on a fact are asked among its own rows first, and only the numbers of the accounts that fulfil them are joined
(`Sieve`): 100,000 whole rows of two tables joined to the accounts took twice as long. Where a list is narrowed to some
accounts before (a book, a search), the rows themselves are joined and PostgreSQL looks them up. `{tenant}` is the tenant's
number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import Tenant


@dataclass(frozen=True)
class Fact:
    """Where the rows of a fact stand, at most one for an account; `single` reads it for one row of a page."""

    rows: str
    of: str = "true"
    single: str = ""

    @property
    def is_grouped(self) -> bool:
        """Whether the rows are added up first: each of several processes would do that again for its part."""
        return self.rows.startswith("(")


FACTS: Mapping[str, Fact] = {
    "s": Fact("scoring_current s", "s.tenant_id = {tenant} AND s.kind = 1"),
    "w": Fact("usage_recent w", "w.tenant_id = {tenant}"),
    "alerts": Fact(
        "(SELECT account_id, count(*) AS n FROM alerts_alert WHERE tenant_id = {tenant} AND state = 'open' "
        "GROUP BY account_id) alerts",
        single="LEFT JOIN LATERAL (SELECT count(*) AS n FROM alerts_alert x WHERE x.tenant_id = a.tenant_id "
        "AND x.account_id = a.id AND x.state = 'open') alerts ON true",
    ),
    "mood": Fact(
        "(SELECT DISTINCT ON (account_id) account_id, value FROM scoring_sentiment "
        "WHERE tenant_id = {tenant} ORDER BY account_id, id DESC) mood",
        single="LEFT JOIN LATERAL (SELECT value FROM scoring_sentiment x WHERE x.tenant_id = a.tenant_id "
        "AND x.account_id = a.id ORDER BY id DESC LIMIT 1) mood ON true",
    ),
    "nps": Fact(
        "(SELECT DISTINCT ON (account_id) account_id, score, answered_at FROM nps_answer "
        "WHERE tenant_id = {tenant} AND kind = 'nps' ORDER BY account_id, answered_at DESC, id DESC) nps",
        single="LEFT JOIN LATERAL (SELECT score, answered_at FROM nps_answer x WHERE x.tenant_id = a.tenant_id "
        "AND x.account_id = a.id AND x.kind = 'nps' ORDER BY answered_at DESC, id DESC LIMIT 1) nps ON true",
    ),
    # What a person did at the account; the system's own entries touch nobody.
    "touch": Fact(
        "(SELECT account_id, max(at) AS at FROM accounts_timelineentry WHERE tenant_id = {tenant} "
        "AND actor_id IS NOT NULL GROUP BY account_id) touch",
        single="LEFT JOIN LATERAL (SELECT at FROM accounts_timelineentry x WHERE x.tenant_id = a.tenant_id "
        "AND x.account_id = a.id AND x.actor_id IS NOT NULL ORDER BY at DESC LIMIT 1) touch ON true",
    ),
}


def joins(tenant: Tenant, wanted: Iterable[str], *, by_row: bool = False) -> str:
    """The joins of these facts to accounts, each once."""
    needed = set(wanted)
    parts = [
        fact.single
        if by_row and fact.single
        else f"LEFT JOIN {fact.rows} ON {fact.of} AND {name}.account_id = a.id"
        for name, fact in FACTS.items()
        if name in needed
    ]
    return " ".join(part.format(tenant=int(tenant.pk)) for part in parts)


@dataclass
class Sieve:
    """Joins of the accounts that fulfil conditions on facts, and the values of those conditions in their order."""

    tenant: Tenant
    joins: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def passed(self, fact: str, condition: str, values: Sequence[Any], *, without: bool) -> str:
        """The condition as one on what is joined; `without` says whether accounts that lack the fact fulfil it."""
        source, name = FACTS[fact], f"f{len(self.joins)}"
        kept = f"({condition}) IS NOT TRUE" if without else f"({condition})"
        rows, of = (text.format(tenant=int(self.tenant.pk)) for text in (source.rows, source.of))
        self.joins.append(
            f"LEFT JOIN (SELECT {fact}.account_id FROM {rows} WHERE {of} AND {kept}) {name} "
            f"ON {name}.account_id = a.id"
        )
        self.values += values
        return f"{name}.account_id IS {'NULL' if without else 'NOT NULL'}"
