"""What is left of a price: discounts in whole percent, money in cents, halves rounded away from zero. Pure."""

from __future__ import annotations

from collections.abc import Mapping

WHOLE = 100
MOST_PCT = 90  # of all discounts together: what is given away is no sale
ROLES = ("viewer", "csm", "manager", "admin")


def total_discount(discount_pct: int, bundle_pct: int) -> int:
    """Both discounts together; they are added, not compounded, so that people can check the sum in their heads."""
    return min(discount_pct + bundle_pct, MOST_PCT)


def net_cents(value_cents: int, discount_pct: int = 0, bundle_pct: int = 0) -> int:
    """The price after discounts."""
    return share(value_cents, WHOLE - total_discount(discount_pct, bundle_pct))


def weighted_cents(net: int, probability_pct: int) -> int:
    """What a price is worth in a forecast."""
    return share(net, probability_pct)


def share(cents: int, pct: int) -> int:
    """So many percent of an amount, in whole cents."""
    product = abs(cents) * pct
    rounded = (product + WHOLE // 2) // WHOLE
    return rounded if cents >= 0 else -rounded


def role_needed(pct: int, limits: Mapping[str, int]) -> str:
    """The weakest role that may grant a discount: `limits` are the highest percentages of csm and manager."""
    for role in ("csm", "manager"):
        if pct <= limits[role]:
            return role
    return "admin"


def may_grant(role: str, pct: int, limits: Mapping[str, int]) -> bool:
    """Whether a role may grant a discount without asking anybody."""
    return role != "viewer" and ROLES.index(role) >= ROLES.index(role_needed(pct, limits))
