"""The one door to tenant data: an outermost transaction with `SET LOCAL app.tenant_id`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import connection, transaction
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

if TYPE_CHECKING:
    from accounts.models import Tenant

_current: ContextVar[int | None] = ContextVar("tenant_id", default=None)
_last_deed: ContextVar[Callable[[int], None] | None] = ContextVar("last_deed", default=None)


class NoTenant(RuntimeError):
    """Tenant data was asked for outside `tenant_scope`."""


class TenantSwitch(RuntimeError):
    """A scope was opened inside another one; one transaction serves one tenant."""


class LostWork(RuntimeError):
    """A statement failed inside the scope and somebody went on: PostgreSQL stores nothing of the transaction."""


def current_tenant_id() -> int:
    """The id of the scope's tenant; raises `NoTenant` outside a scope."""
    tenant_id = _current.get()
    if tenant_id is None:
        raise NoTenant("No tenant: open accounts.fence.scope.tenant_scope(tenant) first.")
    return tenant_id


def in_scope() -> bool:
    """Whether a tenant scope is open."""
    return _current.get() is not None


def _set_local(value: str) -> None:
    # A statement of its own, never set_config: Citus sends SET LOCAL to its workers and nothing else does.
    # The value is a number or empty, so it needs no escaping.
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL app.tenant_id = '{value}'")


def is_lost() -> bool:
    """Whether the transaction can only be rolled back; a COMMIT would say yes and do nothing."""
    raw = connection.connection
    failed = raw is not None and raw.get_transaction_status() == TRANSACTION_STATUS_INERROR
    return failed or connection.needs_rollback


@contextmanager
def at_end_of_scopes(deed: Callable[[int], None]) -> Iterator[None]:
    """Have every scope that opens inside do this, with its tenant's id, before its transaction is stored."""
    token = _last_deed.set(deed)
    try:
        yield
    finally:
        _last_deed.reset(token)


@contextmanager
def tenant_scope(tenant: Tenant | int) -> Iterator[None]:
    """Open a transaction that sees this tenant's rows and no other's.

    The transaction must be the outermost one: a setting made inside a savepoint outlives it. Raises `TenantSwitch` when a
    scope is already open.
    """
    tenant_id = int(tenant if isinstance(tenant, int) else tenant.pk)
    if _current.get() is not None:
        raise TenantSwitch(f"Scope of tenant {_current.get()} is open; cannot open one for {tenant_id}.")
    with transaction.atomic(durable=True):
        _set_local(str(tenant_id))
        token = _current.set(tenant_id)
        try:
            yield
            deed = _last_deed.get()
            if deed is not None and not is_lost():
                deed(tenant_id)
            if is_lost() and not connection.needs_rollback:
                raise LostWork(
                    "A database error was caught and not acted upon; nothing of this transaction is stored."
                )
        finally:
            _current.reset(token)
            # Inside TestCase the "outermost" block is a savepoint, so the setting would stay for the next request.
            if len(connection.atomic_blocks) > 1 and not is_lost():
                _set_local("")
