"""The signed name of a subscription: whoever has the link of a mail may end it, without a login."""

from __future__ import annotations

from django.core import signing

from accounts.models import Tenant

SALT = "reports.leaving"


def make_token(tenant: Tenant, subscription_id: int) -> str:
    """It does not expire: mails are kept for years, and leaving must always work."""
    return signing.dumps([tenant.pk, subscription_id], salt=SALT, compress=True)


def read_token(token: str) -> tuple[int, int] | None:
    """Tenant and subscription; None for anything that was not signed here."""
    try:
        tenant_id, subscription_id = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if not isinstance(tenant_id, int) or not isinstance(subscription_id, int):
        return None
    return tenant_id, subscription_id
