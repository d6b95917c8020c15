"""Facts about accounts that stand in other tables: joined whole for a list that is found by them, one by one for a page.

`{tenant}` is the tenant's number. A fact joined whole is grouped first, so it costs its own rows once and not a look-up for
each of 100,000 accounts; for the fifty rows of a page it is the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounts.models import Tenant


@dataclass(frozen=True)
class Fact:
    """How a fact is joined to accounts `a`, whole and by row; what it needs before it."""

    whole: str
    single: str = ""
    after: tuple[str, ...] = ()


_LAST = " /* last */"


def change_since(days: int) -> str:
    """How much the score `s` moved in some days under its version, as an expression.

    A look-up and no join: joined whole it would read the history of every account, years of it, and as an expression it is
    asked only where no cheaper condition has decided (see `asked_last`).
    """
    return (
        "(s.score - (SELECT x.score FROM scoring_score x WHERE x.tenant_id = s.tenant_id AND x.kind = s.kind "
        f"AND x.account_id = s.account_id AND x.day = s.day - {days} AND x.version_id = s.version_id{_LAST}))"
    )


def asked_last(conditions: str, facts: Iterable[str]) -> str:
    """The conditions with their look-ups tied to every fact that is joined.

    PostgreSQL asks a condition as soon as its tables are joined, a look-up for each account too; tied to all of them it
    stands behind the conditions that cost less. The added comparisons are always true.
    """
    ties = "".join(f" AND coalesce({fact}.account_id, 0) >= 0" for fact in sorted(set(facts) - {"s"}))
    return conditions.replace(_LAST, ties)


FACTS: Mapping[str, Fact] = {
    "s": Fact(
        "LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = 1 AND s.account_id = a.id"
    ),
    "w": Fact("LEFT JOIN usage_recent w ON w.tenant_id = a.tenant_id AND w.account_id = a.id"),
    "alerts": Fact(
        "LEFT JOIN (SELECT account_id, count(*) AS n FROM alerts_alert WHERE tenant_id = {tenant} AND state = 'open' "
        "GROUP BY account_id) alerts ON alerts.account_id = a.id",
        "LEFT JOIN LATERAL (SELECT count(*) AS n FROM alerts_alert x WHERE x.tenant_id = a.tenant_id "
        "AND x.account_id = a.id AND x.state = 'open') alerts ON true",
    ),
    "mood": Fact(
        "LEFT JOIN (SELECT DISTINCT ON (account_id) account_id, value FROM scoring_sentiment "
        "WHERE tenant_id = {tenant} ORDER BY account_id, id DESC) mood ON mood.account_id = a.id",
        "LEFT JOIN LATERAL (SELECT value FROM scoring_sentiment x WHERE x.tenant_id = a.tenant_id "
        "AND x.account_id = a.id ORDER BY id DESC LIMIT 1) mood ON true",
    ),
    "nps": Fact(
        "LEFT JOIN (SELECT DISTINCT ON (account_id) account_id, score, answered_at FROM nps_answer "
        "WHERE tenant_id = {tenant} AND kind = 'nps' ORDER BY account_id, answered_at DESC, id DESC) nps "
        "ON nps.account_id = a.id",
        "LEFT JOIN LATERAL (SELECT score, answered_at FROM nps_answer x WHERE x.tenant_id = a.tenant_id "
        "AND x.account_id = a.id AND x.kind = 'nps' ORDER BY answered_at DESC, id DESC LIMIT 1) nps ON true",
    ),
    # What a person did at the account; the system's own entries touch nobody.
    "touch": Fact(
        "LEFT JOIN (SELECT account_id, max(at) AS at FROM accounts_timelineentry WHERE tenant_id = {tenant} "
        "AND actor_id IS NOT NULL GROUP BY account_id) touch ON touch.account_id = a.id",
        "LEFT JOIN LATERAL (SELECT at FROM accounts_timelineentry x WHERE x.tenant_id = a.tenant_id "
        "AND x.account_id = a.id AND x.actor_id IS NOT NULL ORDER BY at DESC, id DESC LIMIT 1) touch ON true",
    ),
}


def joins(tenant: Tenant, wanted: Iterable[str], *, by_row: bool = False) -> str:
    """The joins of these facts, each once, those first that others need."""
    needed = set(wanted)
    for name in list(needed):
        needed.update(FACTS[name].after)
    parts = []
    for name, fact in FACTS.items():
        if name in needed:
            text = fact.single if by_row and fact.single else fact.whole
            parts.append(text.format(tenant=int(tenant.pk)))
    return " ".join(parts)
