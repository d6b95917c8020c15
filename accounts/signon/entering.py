"""Who is let in: what a provider says about a person becomes a member of its own tenant, or a refusal in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib.auth import login, logout
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, SignOn, SignOnIdentity, Tenant
from accounts.origin import Door, coming_from, origin_of
from accounts.services.access import note_failed_sign_in, note_sign_in
from accounts.services.members import add_member
from accounts.sessions import SIGNED_ON, begin_session

SESSION_SECONDS = 12 * 3600  # whoever left the company is asked for at the provider the next morning


@dataclass(frozen=True)
class Claims:
    """What the provider says about the person."""

    issuer: str
    subject: str
    email: str
    verified: bool
    name: str = ""


class Refused(Exception):
    """The person is not let in; the text says why and who can mend it."""


def admit(*, tenant: Tenant, config: SignOn, claims: Claims) -> Membership:
    """The member that the provider means, inside the tenant's scope; raises `Refused`.

    Once known, the subject decides and the address no longer does: an address that the provider gives to somebody else
    does not open the first one's membership.
    """
    if not claims.subject:
        raise Refused(_("The provider did not say who you are: the subject is missing."))
    known = (
        SignOnIdentity.objects.select_related("member__user", "member__tenant")
        .filter(issuer=claims.issuer, subject=claims.subject)
        .first()
    )
    if known is not None:
        _check_open(known.member)
        SignOnIdentity.objects.filter(pk=known.pk).update(last_at=timezone.now())
        return cast(Membership, known.member)
    email = _address(config, claims)
    member = (
        Membership.objects.select_related("user", "tenant").filter(tenant=tenant, user__email=email).first()
    )
    if member is None:
        member = _new_member(tenant, config, email, claims.name)
    _check_open(member)
    if SignOnIdentity.objects.filter(member=member, issuer=claims.issuer).exists():
        raise Refused(
            _("%(email)s is bound to another identity at your provider. An admin can release it.")
            % {"email": email}
        )
    if not member.user.has_usable_password():
        # One that nobody knows: this person has come and waits for no invitation any more.
        member.user.set_password(get_random_string(64))
        member.user.save(update_fields=["password"])
    now = timezone.now()
    SignOnIdentity.objects.create(
        member=member, issuer=claims.issuer, subject=claims.subject, first_at=now, last_at=now
    )
    return member


def _address(config: SignOn, claims: Claims) -> str:
    email = claims.email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused(
            _("The provider did not give an e-mail address. It must send the claim “email”.")
        ) from error
    if not (claims.verified or config.vouches):
        raise Refused(
            _("The provider does not say that %(email)s was verified, so it opens nothing here.")
            % {"email": email}
        )
    return email


def _new_member(tenant: Tenant, config: SignOn, email: str, name: str) -> Membership:
    if not config.new_member_role or email.rpartition("@")[2] not in config.domains:
        raise Refused(
            _("%(email)s is not a member of this company. Ask an admin for an invitation.") % {"email": email}
        )
    made = add_member(tenant=tenant, email=email, role=config.new_member_role, name=name[:150])
    return Membership.objects.select_related("user", "tenant").get(pk=made.pk)


def _check_open(member: Membership) -> None:
    if not member.is_active or not member.user.is_active:
        raise Refused(_("Your access was switched off. Ask an admin of your company."))


def enter(
    *, request: HttpRequest, tenant: Tenant, config: SignOn, claims: Claims, next_url: str
) -> HttpResponse:
    """Begin a session for the member that the provider means; it opens this tenant only."""
    try:
        with coming_from(origin_of(request, Door.SIGN_ON, label=claims.email[:200])), tenant_scope(tenant):
            member = admit(tenant=tenant, config=config, claims=claims)
    except Refused as refused:
        return refuse(request, tenant, str(refused), email=claims.email)
    logout(request)  # nothing of another session, not even the same person's, goes on in this one
    login(request, member.user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[SIGNED_ON] = tenant.pk
    request.session.set_expiry(SESSION_SECONDS)
    record_authentication(request, member.user, "signon", protocol=config.protocol)
    begin_session(request, member.user)
    note_sign_in(user=member.user, request=request, tenant=tenant)
    return redirect(own_page(tenant, next_url))


def refuse(
    request: HttpRequest, tenant: Tenant, words: str, *, email: str = "", status: int = 403
) -> HttpResponse:
    """The page that says why not; the tenant's admins read the same in their log."""
    note_failed_sign_in(email=email, request=request, why=words, tenant=tenant)
    return render(request, "accounts/signon/refused.html", {"why": words, "slug": tenant.slug}, status=status)


def own_page(tenant: Tenant, url: str) -> str:
    """The address when it is a page of the tenant, else its first page."""
    home = f"/t/{tenant.slug}/"
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts=None) and url.startswith(home)
    return url if safe and "/../" not in url else home
