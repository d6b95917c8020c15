"""What a parent account's children say together: the worst of them, and their mean weighted by MRR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts.models import Tenant
from scoring.models import KIND_CODES

# UNION drops what was found before, so a ring of parents ends; nobody is a child of himself.
_SQL = """
WITH RECURSIVE family AS (
  SELECT root.id AS root, root.id AS account_id FROM unnest(%(ids)s::bigint[]) AS root(id)
  UNION
  SELECT family.root, child.id FROM family
  JOIN accounts_account AS child ON child.tenant_id = %(tenant)s AND child.parent_id = family.account_id
)
SELECT family.root, a.id, a.external_id, a.name, a.mrr_cents, a.currency, s.score, coalesce(s.band, 0)
FROM family
JOIN accounts_account AS a ON a.tenant_id = %(tenant)s AND a.id = family.account_id
LEFT JOIN scoring_current AS s ON s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.account_id = a.id
WHERE family.account_id <> family.root
  AND (a.churned_on IS NULL OR a.churned_on > %(today)s)
ORDER BY family.root, s.score NULLS LAST, a.mrr_cents DESC, a.id"""


@dataclass(frozen=True)
class Child:
    """A descendant that has not churned, with its newest score; None where it has none."""

    account_id: int
    external_id: str
    name: str
    mrr_cents: int
    currency: str
    score: float | None
    band: int


@dataclass(frozen=True)
class RollUp:
    """A parent's children, the worst first; those without a score last."""

    children: list[Child] = field(default_factory=list)

    @property
    def scored(self) -> list[Child]:
        """Those with a band: under the coverage minimum a score is no finding."""
        return [child for child in self.children if child.score is not None and child.band]

    @property
    def worst(self) -> Child | None:
        """The child with the lowest score."""
        return min(self.scored, key=lambda child: child.score or 0.0, default=None)

    @property
    def weighted(self) -> bool:
        """Whether the mean is weighted by MRR: all pay in one currency, and somebody pays at all."""
        paying = [child for child in self.scored if child.mrr_cents]
        return bool(paying) and len({child.currency for child in paying}) == 1

    @property
    def mean(self) -> float | None:
        """The mean score of the children by MRR; each counts the same where MRR cannot be compared."""
        weights = [max(child.mrr_cents, 0) if self.weighted else 1 for child in self.scored]
        total = sum(weights)
        if not total:
            return None
        scores = zip(self.scored, weights, strict=True)
        return sum((child.score or 0.0) * weight for child, weight in scores) / total


def rollup(tenant: Tenant, parent_ids: Sequence[int], *, kind: str = "health") -> dict[int, RollUp]:
    """The roll-up of each of these accounts that has children (of any depth): one query.

    `rollup(tenant, [pk]).get(pk)` is None for an account without children. Churned children are left out, their own
    children are not; a ring of parents is survived. `RollUp.worst`, `.mean`, `.weighted`, `.scored`, `.children` are for
    the page; the parent's own score stands beside it in its current row.
    """
    found: dict[int, list[Child]] = {}
    if not parent_ids:
        return {}
    parameters: dict[str, Any] = {
        "tenant": tenant.pk,
        "ids": sorted(set(parent_ids)),
        "kind": KIND_CODES[kind],
        "today": tenant.today(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL, parameters)
        for root, *child in cursor.fetchall():
            found.setdefault(root, []).append(Child(*child))
    return {root: RollUp(children) for root, children in found.items()}
