"""Who wants to know that contacts joined an account or that accounts go: apps above, whose rows hang on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.module_loading import import_string

from accounts.models import Tenant

_listeners: list[str] = []
_forgetters: list[str] = []


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


def register_forgetter(service: str) -> None:
    """Name a service `(*, tenant, account_ids)` that deletes rows without a foreign key to the account."""
    if service not in _forgetters:
        _forgetters.append(service)


def accounts_forgotten(*, tenant: Tenant, account_ids: Sequence[int]) -> None:
    """Have everything deleted that hangs on these accounts, in the transaction that deletes them."""
    if account_ids:
        for service in _forgetters:
            call: Callable[..., Any] = import_string(service)
            call(tenant=tenant, account_ids=account_ids)
