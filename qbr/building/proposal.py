"""The concrete proposal of a pack: the account's best open opportunity in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from accounts.models import Tenant


@dataclass(frozen=True)
class Proposal:
    """What is proposed, what it costs, and the facts behind it."""

    title: str
    price: str = ""
    reasons: tuple[str, ...] = ()


def proposals_for(
    tenant: Tenant, account_ids: Collection[int], language_of: Mapping[int, str]
) -> dict[int, Proposal]:
    """Account → proposal; accounts without an open opportunity are missing."""
    return {}
