"""Who wants to know that contacts have joined an account: usage, whose events without an account wait for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.module_loading import import_string

from accounts.models import Tenant

_listeners: list[str] = []


def register_listener(service: str) -> None:
    """Name a service `(*, tenant, contact_ids)` by its dotted path; called from an app's `ready()`."""
    if service not in _listeners:
        _listeners.append(service)


def contacts_joined(*, tenant: Tenant, contact_ids: Sequence[int]) -> None:
    """Tell every listener, in the transaction that wrote the memberships."""
    if contact_ids:
        for service in _listeners:
            call: Callable[..., Any] = import_string(service)
            call(tenant=tenant, contact_ids=contact_ids)
