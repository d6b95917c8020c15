"""What tests of lists share: declared fields with values, conditions as an address says them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.fence.scope import tenant_scope
from accounts.models import Account, CustomField
from workspace.lists.conditions import Condition, Group, Tree, write_tree

from .world import World

LIST = "/t/acme/accounts/"
TIER = {
    "key": "tier",
    "kind": "choice",
    "label_en": "Tier",
    "label_es": "Nivel",
    "options": ["Gold", "Silver"],
}


def where(*rows: tuple[str, str, str], join: str = "all") -> str:
    return write_tree(Tree((Group(tuple(Condition(*row) for row in rows), join),)))


def set_custom(accounts: Iterable[Account], key: str, values: Iterable[Any]) -> None:
    for account, value in zip(accounts, values, strict=False):
        account.custom = {**account.custom, key: value}
        account.save()


def tiers(world: World) -> None:
    """Three accounts with a tier, a budget, a start and tags of their own; one tier does not fit."""
    with tenant_scope(world.tenant):
        CustomField.objects.create(**TIER)
        CustomField.objects.create(key="budget", kind="money", label_en="Budget")
        CustomField.objects.create(key="since", kind="date", label_en="Since")
        CustomField.objects.create(key="it's %s odd", kind="number", label_en="Odd")
        CustomField.objects.create(key="areas", kind="choices", label_en="Areas", options=["A", "B"])
        CustomField.objects.create(key="vip", kind="bool", label_en="VIP")
        set_custom(world.accounts, "tier", ["Gold", "Silver", "Gold", 7])
        set_custom(world.accounts, "budget", [500_000, 100_000, None, "x"])
        set_custom(world.accounts, "since", ["2026-01-31", "2025-02-30", "soon"])
        set_custom(world.accounts, "it's %s odd", [3, 1.5, 2])
        set_custom(world.accounts, "areas", [["A", "B"], ["B"], "A"])
        set_custom(world.accounts, "vip", [True, False, "yes"])
