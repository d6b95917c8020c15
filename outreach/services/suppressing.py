"""Addresses that must not be written to."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from accounts.models import Contact, Membership, Tenant
from accounts.services import record_audit, record_timeline
from outreach import timeline
from outreach.deciding import erased_mark
from outreach.models import Suppression


def suppress(
    *,
    tenant: Tenant,
    address: str,
    cause: str,
    note: str = "",
    actor: Membership | None = None,
) -> bool:
    """Write to this address no more, for this reason; False when it was so already. The accounts' timelines say it."""
    address = address.strip().lower()[:254]
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValidationError({"address": error.messages}) from error
    _row, created = Suppression.objects.get_or_create(
        tenant=tenant, address=address, cause=cause, defaults={"note": note[:300], "by": actor}
    )
    if not created:
        return False
    record_audit(
        tenant=tenant,
        actor=actor,
        action="suppression.added",
        target=address,
        after={"cause": cause, "note": note[:300]},
    )
    _tell(tenant, address, str(Suppression.Cause(cause).label), actor)
    return True


def remember_erased(*, tenant: Tenant, address: str) -> None:
    """Keep from writing to the address of somebody who was erased, without keeping the address."""
    address, mark = address.strip().lower(), erased_mark(tenant, address)
    rows = Suppression.objects.filter(tenant=tenant, address=address)
    causes = set(rows.values_list("cause", flat=True)) or {str(Suppression.Cause.MANUAL)}
    rows.delete()
    for cause in causes:
        Suppression.objects.get_or_create(tenant=tenant, address=mark, cause=cause)


def release(*, tenant: Tenant, suppression_id: int, actor: Membership | None) -> Suppression:
    """Let this address be written to again; raises `Suppression.DoesNotExist`."""
    row = Suppression.objects.get(tenant=tenant, pk=suppression_id)
    record_audit(
        tenant=tenant,
        actor=actor,
        action="suppression.removed",
        target=row.address,
        before={"cause": row.cause, "note": row.note},
    )
    Suppression.objects.filter(tenant=tenant, pk=row.pk).delete()
    return row


def resubscribe(*, tenant: Tenant, address: str) -> bool:
    """Take the unsubscribing back, which only the link's holder can; other reasons stay."""
    rows = Suppression.objects.filter(
        tenant=tenant, address=address.lower(), cause=Suppression.Cause.UNSUBSCRIBED
    )
    if not rows.delete()[0]:
        return False
    record_audit(
        tenant=tenant,
        actor=None,
        action="suppression.removed",
        target=address.lower(),
        before={"cause": Suppression.Cause.UNSUBSCRIBED},
    )
    return True


def _tell(tenant: Tenant, address: str, words: str, actor: Membership | None) -> None:
    """The accounts where somebody has this address; addresses are compared in small letters."""
    found = Contact.objects.filter(tenant=tenant, email__iexact=address).exclude(account=None)
    now = timezone.now()
    for account_id in sorted(set(found.values_list("account_id", flat=True)[:50])):
        assert account_id is not None
        record_timeline(
            tenant=tenant,
            account_id=account_id,
            kind=timeline.MESSAGE_UNSUBSCRIBED,
            at=now,
            title=f"{address}: {words}",
            actor=actor,
        )
