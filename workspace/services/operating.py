"""What the operator of the platform does to a company; each with a reason, in the company's own audit log and in ours."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, OperatorEntry, Role, Tenant, User
from accounts.services import record_audit

SUPPORT_HOURS = 1


def suspend(*, tenant: Tenant, operator: User, reason: str) -> None:
    """Close a company to everybody, keys included; nothing is deleted."""
    _change(tenant, operator, "company.suspended", reason, suspended=True)


def resume(*, tenant: Tenant, operator: User, reason: str) -> None:
    """Open it again."""
    _change(tenant, operator, "company.resumed", reason, suspended=False)


def _change(tenant: Tenant, operator: User, action: str, reason: str, *, suspended: bool) -> None:
    said = _checked(reason)
    with tenant_scope(tenant):
        tenant.suspended_at = timezone.now() if suspended else None
        tenant.save(update_fields=["suspended_at"])
        _note(tenant, operator, action, said)


def enter(*, tenant: Tenant, operator: User, reason: str) -> Membership:
    """Let the operator into a company as a reader, for an hour; its admins see who, when and why."""
    said = _checked(reason)
    until = timezone.now() + timedelta(hours=SUPPORT_HOURS)
    with tenant_scope(tenant):
        member = Membership.objects.select_for_update().filter(tenant=tenant, user=operator).first()
        if member is not None and member.support_until is None and member.is_active:
            raise ValidationError(_("You are a member of this company; go in as that."))
        if member is None:
            member = Membership.objects.create(
                tenant=tenant, user=operator, role=Role.VIEWER, support_until=until
            )
        else:
            member.role, member.is_active, member.support_until = Role.VIEWER, True, until
            member.save(update_fields=["role", "is_active", "support_until"])
        _note(tenant, operator, "support.entered", said, {"until": until.isoformat()})
    return member


def _note(
    tenant: Tenant, operator: User, action: str, reason: str, details: dict[str, str] | None = None
) -> None:
    record_audit(
        tenant=tenant,
        actor=None,
        action=action,
        target=tenant.slug,
        after={"operator": operator.email, "reason": reason, **(details or {})},
    )
    OperatorEntry.objects.create(
        actor_label=operator.email, action=action, company=tenant.slug, reason=reason, details=details or {}
    )


def _checked(reason: str) -> str:
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise ValidationError({"reason": _("Say why; the company can read it.")})
    return reason
