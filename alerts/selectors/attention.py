"""How many alerts may interrupt whom."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Membership, Tenant
from alerts.models import Attention, MemberAttention


@dataclass(frozen=True)
class Budget:
    """What one member's attention is worth: theirs, else the company's."""

    alerts: int
    digest_hour: int
    wants_digest: bool


def attention_of(tenant: Tenant) -> Attention:
    """The company's settings, or the defaults."""
    return Attention.objects.filter(tenant=tenant).first() or Attention(tenant=tenant)


def budgets_of(tenant: Tenant, members: list[Membership]) -> dict[int, Budget]:
    """The budget of each member; two queries."""
    company = attention_of(tenant)
    own = {
        row.member_id: row
        for row in MemberAttention.objects.filter(tenant=tenant, member_id__in=[m.pk for m in members])
    }
    found = {}
    for member in members:
        mine = own.get(member.pk)
        found[member.pk] = Budget(
            company.budget if mine is None or mine.budget is None else mine.budget,
            company.digest_hour if mine is None or mine.digest_hour is None else mine.digest_hour,
            mine is None or mine.wants_digest,
        )
    return found


def budget_of(tenant: Tenant, member: Membership) -> Budget:
    """The budget of one member."""
    return budgets_of(tenant, [member])[member.pk]
