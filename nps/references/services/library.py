"""What stands in the library: listing a reference, letting it rest, waking it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Contact, Membership, Tenant
from accounts.services import record_audit, record_timeline
from nps.references import timeline
from nps.references.models import Reference
from nps.references.rights import demand_account

from .searching import search_text

State = Reference.State
FACTS = (
    "types",
    "industry",
    "products",
    "use_cases",
    "region",
    "language",
    "quote",
    "note",
    "uses_per_quarter",
)


def list_reference(
    *,
    tenant: Tenant,
    reference_id: int,
    facts: Mapping[str, Any],
    contact_id: int | None = None,
    member: Membership | None = None,
) -> Reference:
    """Say what a customer that agreed may be used for; from then on sales finds it in the library."""
    reference = _locked(tenant, reference_id, member)
    if reference.state not in (State.AGREED, *Reference.LISTED):
        raise ValidationError(_("Only a customer that agreed can be listed; ask first."))
    before = {name: getattr(reference, name) for name in FACTS}
    for name in FACTS:
        if name in facts:
            setattr(reference, name, facts[name])
    if not reference.types:
        raise ValidationError({"types": _("Say what they agreed to.")})
    if contact_id is not None:
        contact = Contact.objects.filter(
            tenant=tenant, pk=contact_id, account_id=reference.account_id
        ).first()
        if contact is None:
            raise ValidationError({"contact": _("Choose a person of this account.")})
        reference.contact = contact
    reference.search = search_text(
        reference.account,
        reference.industry,
        *reference.products,
        *reference.use_cases,
        reference.region,
        reference.quote,
        reference.note,
    )
    listed = reference.state == State.AGREED
    if listed:
        reference.state = State.ACTIVE
    reference.clean_fields(exclude={field.name for field in Reference._meta.fields} - set(FACTS))
    reference.save()
    if listed:
        record_timeline(
            tenant=tenant,
            account_id=reference.account_id,
            kind=timeline.LISTED,
            at=timezone.now(),
            title=", ".join(reference.types),
            actor=member,
            data={"reference": reference.pk},
        )
    after = {name: getattr(reference, name) for name in FACTS}
    if listed or before != after:
        _audit(
            tenant, reference, "reference.listed" if listed else "reference.changed", member, before, after
        )
    return reference


def rest_reference(
    *, tenant: Tenant, reference_id: int, until: date, reason: str = "", member: Membership | None = None
) -> Reference:
    """Take a reference out of use until a day."""
    reference = _locked(tenant, reference_id, member)
    if reference.state not in Reference.LISTED:
        raise ValidationError(_("Only a listed reference can rest."))
    if until <= tenant.today():
        raise ValidationError({"until": _("Choose a day after today.")})
    before = _rest(reference)
    reference.state, reference.rest_until, reference.rest_reason = State.RESTING, until, reason.strip()[:300]
    reference.save()
    _audit(tenant, reference, "reference.rested", member, before, _rest(reference))
    return reference


def wake_reference(*, tenant: Tenant, reference_id: int, member: Membership | None = None) -> Reference:
    """End a rest that somebody had asked for; the limits of use still count with the next use."""
    reference = _locked(tenant, reference_id, member)
    if reference.state != State.RESTING:
        return reference
    before = _rest(reference)
    reference.state, reference.rest_until, reference.rest_reason = State.ACTIVE, None, ""
    reference.save()
    _audit(tenant, reference, "reference.woken", member, before, _rest(reference))
    return reference


def _rest(reference: Reference) -> dict[str, Any]:
    return {
        "state": reference.state,
        "rest_until": reference.rest_until.isoformat() if reference.rest_until else None,
        "reason": reference.rest_reason,
    }


def _locked(tenant: Tenant, reference_id: int, member: Membership | None) -> Reference:
    reference = (
        Reference.objects.select_for_update(of=("self",))
        .select_related("account")
        .get(tenant=tenant, pk=reference_id)
    )
    demand_account(member, reference.account)
    return reference


def _audit(
    tenant: Tenant,
    reference: Reference,
    action: str,
    member: Membership | None,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    record_audit(
        tenant=tenant,
        actor=member,
        action=action,
        target=f"reference:{reference.pk}",
        before=before,
        after=after,
    )
