"""What the tenant's product shows."""

from __future__ import annotations

from django.db.models import Q

from accounts.models import Contact, Tenant
from outreach.models import Message

OPEN = (Message.State.QUEUED, Message.State.SHOWN)


def in_app_messages(
    tenant: Tenant,
    *,
    account: str = "",
    user: str = "",
    after: int = 0,
    limit: int = 100,
) -> list[Message]:
    """Messages that nobody clicked or dismissed, oldest first: of an account, or what one of its users should see.

    A user sees what was written to him and what was written to everybody of his account. At most two queries.
    """
    found = Message.objects.filter(
        tenant=tenant, channel=Message.Channel.IN_APP, state__in=OPEN, pk__gt=after
    ).select_related("account", "contact")
    if account:
        found = found.filter(account__external_id=account)
    if user:
        contact = Contact.objects.filter(tenant=tenant, user_id=user).first()
        if contact is None:
            return []
        found = found.filter(Q(contact=contact) | Q(contact=None, account=contact.account_id))
    return list(found.order_by("pk")[:limit])
