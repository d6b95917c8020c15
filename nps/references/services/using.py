"""Using a reference for a deal: written down, limited, with its outcome."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit, record_timeline
from nps.references import timeline
from nps.references.limits import UseLimits, may_use_on
from nps.references.models import Reference, ReferenceRequest, ReferenceType, ReferenceUse
from nps.references.rights import demand_sales

from .settings import reference_settings

State = Reference.State
NOTE_LENGTH = 2000


def limits_of(tenant: Tenant, reference: Reference) -> UseLimits:
    """Rest and uses per quarter of one reference: its own number, else the tenant's."""
    settings = reference_settings(tenant)
    return UseLimits(settings.use_days, max(1, reference.uses_per_quarter or settings.uses_per_quarter))


def _used_on(tenant: Tenant, reference: Reference) -> list[date]:
    found = ReferenceUse.objects.filter(tenant=tenant, reference=reference)
    return [use.used_on for use in found if use.outcome != ReferenceUse.Outcome.DROPPED]


def log_use(
    *,
    tenant: Tenant,
    reference_id: int,
    deal: str,
    kind: str,
    used_on: date | None = None,
    outcome: str = ReferenceUse.Outcome.PLANNED,
    note: str = "",
    request: ReferenceRequest | None = None,
    member: Membership | None = None,
) -> ReferenceUse:
    """Write a use down; refused while the reference rests, when its quarter is full, or for what was not agreed to.

    The same deal on the same day is one use. Afterwards the reference rests until it may be used again.
    """
    demand_sales(member)
    reference = (
        Reference.objects.select_for_update(of=("self",))
        .select_related("account")
        .get(tenant=tenant, pk=reference_id)
    )
    today = tenant.today()
    day, deal = used_on or today, deal.strip()[:200]
    known = ReferenceUse.objects.filter(tenant=tenant, reference=reference, used_on=day, deal=deal).first()
    if known is not None:
        return known
    _demand_usable(tenant, reference, deal, kind, day, outcome)
    use = ReferenceUse.objects.create(
        tenant=tenant,
        reference=reference,
        request=request,
        used_on=day,
        deal=deal,
        kind=kind,
        outcome=outcome,
        note=note.strip()[:NOTE_LENGTH],
        used_by=member,
    )
    free = may_use_on(_used_on(tenant, reference), max(day, today), limits_of(tenant, reference))
    if free > today:
        reference.state, reference.rest_until = State.RESTING, free
        reference.rest_reason = ""
        reference.save()
    record_timeline(
        tenant=tenant,
        account_id=reference.account_id,
        kind=timeline.USED,
        at=timezone.now(),
        title=deal,
        actor=member,
        data={"reference": reference.pk, "use": use.pk, "kind": kind},
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action="reference.used",
        target=f"reference:{reference.pk}",
        after={"use": use.pk, "deal": deal, "kind": kind, "on": day.isoformat()},
    )
    return use


def _demand_usable(
    tenant: Tenant, reference: Reference, deal: str, kind: str, day: date, outcome: str
) -> None:
    faults: dict[str, str] = {}
    if not deal:
        faults["deal"] = _("Say for which deal.")
    if kind not in ReferenceType.values:
        faults["kind"] = _("Choose what for.")
    if outcome not in ReferenceUse.Outcome.values:
        faults["outcome"] = _("Choose what came of it.")
    if not date(2000, 1, 1) <= day <= date(tenant.today().year + 2, 1, 1):
        faults["used_on"] = _("Choose a day within the next year.")
    if faults:
        raise ValidationError(faults)
    if reference.state not in Reference.LISTED:
        raise ValidationError(
            _("This customer is not in the library: it stands at “%(state)s”.")
            % {"state": reference.get_state_display()},
            code="not_listed",
        )
    if kind not in reference.types:
        raise ValidationError(
            {"kind": _("The customer did not agree to this. It agreed to: %(types)s.")
             % {"types": ", ".join(str(ReferenceType(one).label) for one in reference.types)}}
        )  # fmt: skip
    free = may_use_on(_used_on(tenant, reference), day, limits_of(tenant, reference))
    if reference.state == State.RESTING and reference.rest_until is not None:
        free = max(free, reference.rest_until)
    if free > day:
        raise ValidationError(
            _("This customer rests; it may be used again on %(day)s. Choose another reference.")
            % {"day": formats.date_format(free)},
            code="resting",
        )


def note_outcome(
    *, tenant: Tenant, use_id: int, outcome: str, note: str = "", member: Membership | None = None
) -> ReferenceUse:
    """What came of a use; one that did not take place counts for no limit."""
    demand_sales(member)
    use = ReferenceUse.objects.select_for_update().get(tenant=tenant, pk=use_id)
    if outcome not in ReferenceUse.Outcome.values:
        raise ValidationError({"outcome": _("Choose what came of it.")})
    before = {"outcome": use.outcome}
    use.outcome = outcome
    use.note = note.strip()[:NOTE_LENGTH] or use.note
    use.save()
    record_audit(
        tenant=tenant,
        actor=member,
        action="reference.outcome",
        target=f"reference:{use.reference_id}",
        before=before,
        after={"use": use.pk, "outcome": outcome},
    )
    return use
