"""The signed name of an address at a tenant: whoever has the link may say that this address wants no more."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing

from accounts.models import Tenant

SALT = "outreach.unsubscribe"


@dataclass(frozen=True)
class Leaver:
    """Who wants no more of whose mail."""

    tenant_id: int
    address: str


def make_token(tenant: Tenant, address: str) -> str:
    """It does not expire: mails are kept for years, and leaving must always work."""
    return signing.dumps([tenant.pk, address.lower()], salt=SALT, compress=True)


def read_token(token: str) -> Leaver | None:
    """Who it is about; None for anything that was not signed here."""
    try:
        tenant_id, address = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if not isinstance(tenant_id, int) or not isinstance(address, str):
        return None
    return Leaver(tenant_id, address)
