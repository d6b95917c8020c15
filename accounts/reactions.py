"""What upper floors do when something changes down here: they register a service, which is called in the transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.utils.module_loading import import_string

from accounts.models import Tenant

_go_live: list[str] = []


def register_go_live_reaction(service: str) -> None:
    """Add a service `react(*, tenant, account_ids)` by its dotted path, so that `ready()` imports nothing."""
    if service not in _go_live:
        _go_live.append(service)


def react_to_go_live(*, tenant: Tenant, account_ids: Collection[int]) -> None:
    """The go-live of these accounts was set, moved or taken away."""
    for path in _go_live:
        react: Callable[..., Any] = import_string(path)
        react(tenant=tenant, account_ids=account_ids)
