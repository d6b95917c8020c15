"""Signing in and out, and factors, as the companies of a person read of them."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.fence.scope import in_scope, tenant_scope
from accounts.mail import EMAIL
from accounts.models import Membership, SignOnIdentity, Tenant, User
from accounts.origin import Door, coming_from, origin_of
from accounts.outbox import send_to_outbox
from accounts.sessions import end_all_sessions, end_sessions_signed_on

from .journal import record_audit

MOST_COMPANIES = 20  # of one login, that read of a sign-in


def note_sign_in(*, user: User, request: HttpRequest, tenant: Tenant | None = None) -> None:
    """Write that somebody came in: into the log of the company that it opens, else of each of the person's."""
    methods = [
        record.get("method", "") for record in request.session.get("account_authentication_methods", [])
    ]
    door = Door.SIGN_ON if tenant is not None else Door.PAGE
    with coming_from(origin_of(request, door)):
        for member in _members(user, tenant):
            _write(
                member.tenant,
                actor=member,
                action="member.signed_in",
                target=user.email,
                after={"with": methods or [str(door)]},
            )


def note_failed_sign_in(*, email: str, request: HttpRequest, why: str, tenant: Tenant | None = None) -> None:
    """Write that somebody did not come in, where the company is known: from the door, or from the address."""
    door = Door.SIGN_ON if tenant is not None else Door.PAGE
    with coming_from(origin_of(request, door, label=email[:200])):
        if tenant is not None:
            tenants = [tenant]
        else:
            user = User.objects.filter(email=email.strip().lower()).first() if email else None
            tenants = [member.tenant for member in _members(user, None)] if user else []
        for one in tenants:
            _write(
                one, actor=None, action="member.sign_in_failed", target=email or "?", after={"why": why[:200]}
            )


def note_personal(*, user: User, request: HttpRequest, action: str, after: dict[str, Any]) -> None:
    """Write what a person did with the own login (factors, password, sessions) into the logs of the person's companies."""
    with coming_from(origin_of(request, Door.PAGE)):
        for member in _members(user, None):
            _write(member.tenant, actor=member, action=action, target=user.email, after=after)


def reset_factors(*, tenant: Tenant, member: Membership, actor: Membership) -> int:
    """Take a member's second factors away and end all sessions; the person hears of it by mail. Returns how many.

    Only where this company is the person's only one: the factors guard the others too.
    """
    user = member.user
    others = Membership.objects.filter(user=user, is_active=True).exclude(tenant=tenant)
    if user.is_superuser or others.exists():
        raise ValidationError(
            _("This login opens more than this company. The platform operator can reset its factors.")
        )
    factors = list(Authenticator.objects.filter(user=user))
    kinds = sorted({factor.type for factor in factors})
    Authenticator.objects.filter(user=user).delete()
    SignOnIdentity.objects.filter(member=member).delete()
    end_all_sessions(user)
    record_audit(
        tenant=tenant,
        actor=actor,
        action="member.factors_reset",
        target=user.email,
        before={"factors": kinds},
        after={"factors": []},
    )
    language = user.language or tenant.language
    with translation.override(language):
        text = _(
            "%(who)s removed the second factors of your login at %(company)s and ended all your sessions. "
            "Sign in with your password and set up a new factor.\n\n"
            "If you did not ask for it, tell an admin of your company at once."
        )
        send_to_outbox(
            tenant=tenant,
            kind=EMAIL,
            key=f"factors-reset-{member.pk}-{user.session_epoch}",
            payload={
                "to": [user.email],
                "subject": _("Your second factors were removed"),
                "text": text % {"who": actor.user, "company": tenant.name},
                "language": language,
            },
        )
    return len(factors)


def close_sessions_of(*, tenant: Tenant, member: Membership) -> None:
    """End what the member has open here: all sessions of somebody who has no other company, else the provider's."""
    others = Membership.objects.filter(user=member.user, is_active=True).exclude(tenant=tenant)
    if others.exists() or member.user.is_superuser:
        end_sessions_signed_on(tenant.pk, member.user)
    else:
        end_all_sessions(member.user)


def _members(user: User | None, tenant: Tenant | None) -> list[Membership]:
    found = Membership.objects.filter(user=user, is_active=True).select_related("tenant", "user")
    if tenant is not None:
        found = found.filter(tenant=tenant)
    return list(found.order_by("pk")[:MOST_COMPANIES])


def _write(tenant: Tenant, **entry: Any) -> None:
    """In the tenant's own transaction; inside one, only its own log can be written."""
    if in_scope():
        if entry["actor"] is not None and entry["actor"].tenant_id != tenant.pk:
            return
        record_audit(tenant=tenant, **entry)
        return
    with tenant_scope(tenant):
        record_audit(tenant=tenant, **entry)
