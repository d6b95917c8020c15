"""Who may come into a tenant and as what; every change is in the audit log.

All of these run inside the tenant's scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Role, Tenant, User
from accounts.outbox import send_to_outbox

from .access import close_sessions_of
from .journal import record_audit
from .teams import put_in_teams

INVITATION = "invitation"
INVITED_AT_ONCE = 50


def add_member(
    *,
    tenant: Tenant,
    email: str,
    role: str,
    password: str | None = None,
    name: str = "",
    scope: str = Membership.Scope.ALL,
    actor: Membership | None = None,
) -> Membership:
    """Let a person into the tenant; a login that exists already is used as it is, password included.

    Without a password a new login waits for the link of a set-password mail.
    """
    email = _checked_email(email)
    _check_role(role)
    _check_scope(scope)
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, password, name=name)
    member = Membership.objects.select_for_update().filter(tenant=tenant, user=user).first()
    if member is not None and member.is_active:
        raise ValidationError({"email": _("%(email)s is already a member.") % {"email": email}})
    if member is None:
        member = Membership.objects.create(tenant=tenant, user=user, role=role, scope=scope)
    else:
        member.role, member.scope, member.is_active = role, scope, True
        member.save(update_fields=["role", "scope", "is_active"])
    record_audit(
        tenant=tenant,
        actor=actor,
        action="member.added",
        target=email,
        after={"role": role, "scope": scope},
    )
    return member


def invite_member(
    *,
    tenant: Tenant,
    email: str,
    role: str,
    name: str = "",
    scope: str = Membership.Scope.ALL,
    team_ids: Iterable[int] = (),
    actor: Membership | None = None,
) -> Membership:
    """Add a member and send the mail with the link to choose a password (or to log in, for a login that has one)."""
    member = add_member(tenant=tenant, email=email, role=role, name=name, scope=scope, actor=actor)
    put_in_teams(tenant=tenant, member=member, team_ids=team_ids, actor=actor)
    send_invitation(tenant=tenant, member=member, actor=actor)
    return member


def invite_members(
    *,
    tenant: Tenant,
    emails: Sequence[str],
    role: str,
    name: str = "",
    scope: str = Membership.Scope.ALL,
    team_ids: Sequence[int] = (),
    actor: Membership | None = None,
) -> list[Membership]:
    """Invite several people at once, or nobody: the error names each address that cannot be invited."""
    wanted = list(dict.fromkeys(email.strip().lower() for email in emails if email.strip()))
    if not wanted:
        raise ValidationError({"emails": _("Write at least one e-mail address.")})
    if len(wanted) > INVITED_AT_ONCE:
        raise ValidationError({"emails": _("Invite at most %(n)s people at once.") % {"n": INVITED_AT_ONCE}})
    invited, faults = [], []
    with transaction.atomic():
        for email in wanted:
            try:
                with transaction.atomic():
                    invited.append(
                        invite_member(
                            tenant=tenant,
                            email=email,
                            role=role,
                            name=name if len(wanted) == 1 else "",
                            scope=scope,
                            team_ids=team_ids,
                            actor=actor,
                        )
                    )
            except ValidationError as error:
                faults += [f"{email}: {text}" if email not in text else text for text in error.messages]
        if faults:
            raise ValidationError({"emails": faults})
    return invited


def is_waiting(member: Membership) -> bool:
    """Whether an invited person has not come yet: there is no password to log in with."""
    return member.is_active and not member.user.has_usable_password()


def revoke_invitation(*, tenant: Tenant, member: Membership, actor: Membership | None = None) -> Membership:
    """Take an invitation back: its link lets nobody in any more. Raises where the person has come already."""
    with transaction.atomic():
        held = _hold(tenant, member)
        if not is_waiting(held):
            raise ValidationError(
                _("%(who)s has come already; switch the access off instead.") % {"who": held}
            )
        if held.role == Role.ADMIN:
            _check_not_last_admin(tenant, held)
        held.is_active = False
        held.save(update_fields=["is_active"])
        record_audit(tenant=tenant, actor=actor, action="invitation.revoked", target=held.user.email)
    return held


def change_scope(
    *, tenant: Tenant, member: Membership, scope: str, actor: Membership | None = None
) -> Membership:
    """Say whose accounts a member sees; it holds from the next request on."""
    _check_scope(scope)
    with transaction.atomic():
        held = _hold(tenant, member)
        before = held.scope
        if before == scope:
            return held
        held.scope = scope
        held.save(update_fields=["scope"])
        record_audit(
            tenant=tenant,
            actor=actor,
            action="member.scope_changed",
            target=held.user.email,
            before={"scope": before},
            after={"scope": scope},
        )
    return held


def send_invitation(*, tenant: Tenant, member: Membership, actor: Membership | None = None) -> None:
    """Write the invitation into the outbox; calling it again sends it again, with a new link."""
    send_to_outbox(
        tenant=tenant,
        kind=INVITATION,
        key=f"{member.pk}-{timezone.now():%Y%m%d%H%M%S%f}",
        # The link is made when the mail is sent: a secret is not stored.
        payload={"membership_id": member.pk, "invited_by": str(actor.user) if actor else ""},
    )


def change_role(
    *, tenant: Tenant, member: Membership, role: str, actor: Membership | None = None
) -> Membership:
    """Give a member another role; it holds from the next request on."""
    _check_role(role)
    with transaction.atomic():
        held = _hold(tenant, member)
        before = held.role
        if before == role:
            return held
        if before == Role.ADMIN and held.is_active:
            _check_not_last_admin(tenant, held)
        held.role = role
        held.save(update_fields=["role"])
        record_audit(
            tenant=tenant,
            actor=actor,
            action="member.role_changed",
            target=held.user.email,
            before={"role": before},
            after={"role": role},
        )
    return held


def deactivate_member(*, tenant: Tenant, member: Membership, actor: Membership | None = None) -> Membership:
    """Close the tenant to a member from the next request on; what the member did stays signed."""
    with transaction.atomic():
        held = _hold(tenant, member)
        if not held.is_active:
            return held
        if held.role == Role.ADMIN:
            _check_not_last_admin(tenant, held)
        held.is_active = False
        held.save(update_fields=["is_active"])
        record_audit(tenant=tenant, actor=actor, action="member.deactivated", target=held.user.email)
        close_sessions_of(tenant=tenant, member=held)
    return held


def reactivate_member(*, tenant: Tenant, member: Membership, actor: Membership | None = None) -> Membership:
    """Open the tenant again to a member."""
    with transaction.atomic():
        held = _hold(tenant, member)
        if held.is_active:
            return held
        held.is_active = True
        held.save(update_fields=["is_active"])
        record_audit(tenant=tenant, actor=actor, action="member.reactivated", target=held.user.email)
    return held


def _hold(tenant: Tenant, member: Membership) -> Membership:
    """The member's row, held until the transaction ends; every admin's row too, so that two cannot demote each other."""
    rows = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(tenant=tenant)
        .order_by("pk")
    )
    held = {row.pk: row for row in rows.filter(role=Role.ADMIN) | rows.filter(pk=member.pk)}
    if member.pk not in held:
        raise ValidationError(_("This person is not a member."))
    return held[member.pk]


def _check_not_last_admin(tenant: Tenant, member: Membership) -> None:
    others = Membership.objects.filter(tenant=tenant, role=Role.ADMIN, is_active=True).exclude(pk=member.pk)
    if not others.exists():
        raise ValidationError({"role": _("A tenant needs at least one active admin.")})


def _checked_email(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": error.messages}) from error
    return email


def _check_scope(scope: str) -> None:
    if scope not in Membership.Scope.values:
        raise ValidationError(
            {
                "scope": _("“%(scope)s” is not a scope; use %(scopes)s.")
                % {"scope": scope, "scopes": ", ".join(Membership.Scope.values)}
            }
        )


def _check_role(role: str) -> None:
    if role not in Role.values:
        raise ValidationError(
            {
                "role": _("“%(role)s” is not a role; use %(roles)s.")
                % {"role": role, "roles": ", ".join(Role.values)}
            }
        )
