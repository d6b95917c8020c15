"""External ids of accounts that were merged into others: whoever still uses one means the account that stayed."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from accounts.fence.scope import current_tenant_id
from accounts.models import AccountAlias

NAMES_SQL = """
SELECT l.external_id, a.external_id FROM accounts_accountalias l
JOIN accounts_account a ON a.tenant_id = l.tenant_id AND a.id = l.account_id
WHERE l.tenant_id = %s AND l.external_id = ANY(%s::text[])
"""


def current_names(tenant_id: int, external_ids: Iterable[str]) -> dict[str, str]:
    """Former external id → the external id of the account it means now; the others are not in it. One query."""
    wanted = sorted({one for one in external_ids if isinstance(one, str) and "\0" not in one})
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(NAMES_SQL, [tenant_id, wanted])
        return dict(cursor.fetchall())


def current_name(external_id: str) -> str:
    """The external id under which an account is known now, in the scope's tenant."""
    return current_names(current_tenant_id(), [external_id]).get(external_id, external_id)


def survivor_of(former_id: int) -> int | None:
    """Our id of the account that the one with this id went into, if it was merged."""
    found = AccountAlias.objects.filter(former_id=former_id).values_list("account_id", flat=True).first()
    return int(found) if found is not None else None


def former_ids(account_id: int) -> list[int]:
    """The ids of accounts that went into this one."""
    return list(AccountAlias.objects.filter(account_id=account_id).values_list("former_id", flat=True))
