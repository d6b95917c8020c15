"""How a company's members come in: its provider, its rules. Every change is in the audit log."""

from __future__ import annotations

import re
from collections.abc import Sequence

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, Role, SignOn, SignOnIdentity, Tenant
from accounts.sealing import seal
from accounts.sessions import end_sessions_signed_on
from accounts.signon.checking import read_certificate

from .journal import record_audit

DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
# Whoever has an address there could become a member.
PUBLIC_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com",
     "proton.me", "protonmail.com", "gmx.com", "gmx.de", "aol.com", "yandex.com", "mail.com", "zoho.com"}
)  # fmt: skip
SHOWN = (
    *("protocol", "is_enabled", "label", "issuer", "client_id", "sso_url", "certificate"),
    *("starts_elsewhere", "vouches", "domains", "new_member_role"),
)


def save_sign_on(
    *,
    tenant: Tenant,
    actor: Membership,
    protocol: str,
    issuer: str,
    is_enabled: bool,
    label: str = "",
    client_id: str = "",
    secret: str = "",
    sso_url: str = "",
    certificate: str = "",
    starts_elsewhere: bool = False,
    vouches: bool = False,
    domains: Sequence[str] = (),
    new_member_role: str = "",
) -> SignOn:
    """Set the provider up or change it; an empty secret keeps the one that is there.

    Another issuer means other people, so sessions that the former one made end. Raises a ValidationError by field.
    """
    config = SignOn.objects.select_for_update().first() or SignOn(tenant=tenant)
    before = _shown(config) if config.pk else None
    former = config.issuer
    found = sorted({domain.strip().lower().lstrip("@") for domain in domains if domain.strip()})
    _check(protocol, issuer, client_id, sso_url, certificate, found, new_member_role)
    if protocol == SignOn.Protocol.OIDC and not (secret or config.secret_sealed):
        raise ValidationError({"secret": _("Enter the client secret.")})
    if tenant.sign_on_only and not is_enabled:
        raise ValidationError(
            {"is_enabled": _("Members come in only by single sign-on: first allow passwords again.")}
        )
    with transaction.atomic():
        config.protocol, config.issuer, config.is_enabled = protocol, issuer.strip(), is_enabled
        config.label, config.client_id, config.sso_url = label.strip(), client_id.strip(), sso_url.strip()
        config.certificate, config.starts_elsewhere = certificate.strip(), starts_elsewhere
        config.vouches, config.domains, config.new_member_role = vouches, found, new_member_role
        if secret:
            config.secret_sealed = seal(secret)
        config.save()
        after = _shown(config) | ({"secret": "•••"} if secret else {})
        record_audit(
            tenant=tenant, actor=actor, action="sign_on.saved", target=issuer, before=before, after=after
        )
        if not is_enabled or (former and former != config.issuer):
            end_sessions_signed_on(tenant.pk)
    return config


def set_access_rules(
    *, tenant: Tenant, actor: Membership, second_factor_required: bool, sign_on_only: bool
) -> Tenant:
    """Who may come in how. Passwords are closed only while a way in remains that needs no provider: an admin's factor."""
    held = Tenant.objects.select_for_update().get(pk=tenant.pk)
    before = {
        "second_factor_required": held.second_factor_required,
        "sign_on_only": held.sign_on_only,
    }
    after = {"second_factor_required": second_factor_required, "sign_on_only": sign_on_only}
    if sign_on_only and not held.sign_on_only:
        if not SignOn.objects.filter(is_enabled=True).exists():
            raise ValidationError({"sign_on_only": _("First set single sign-on up and switch it on.")})
        if not (is_mfa_enabled(actor.user) and actor.user.has_usable_password()):
            raise ValidationError(
                {
                    "sign_on_only": _(
                        "First set up a password and a second factor for yourself: with them an admin comes in "
                        "when the provider fails."
                    )
                }
            )
    if before == after:
        return held
    with transaction.atomic():
        held.second_factor_required, held.sign_on_only = second_factor_required, sign_on_only
        held.save(update_fields=["second_factor_required", "sign_on_only"])
        record_audit(
            tenant=tenant,
            actor=actor,
            action="access.changed",
            target=tenant.slug,
            before=before,
            after=after,
        )
    return held


def release_identity(*, tenant: Tenant, actor: Membership, member: Membership) -> int:
    """Forget whom the provider meant by this member, so that the next sign-on decides anew."""
    count, _by_model = SignOnIdentity.objects.filter(member=member).delete()
    end_sessions_signed_on(tenant.pk, member.user)
    record_audit(
        tenant=tenant,
        actor=actor,
        action="member.sign_on_released",
        target=member.user.email,
        before={"identities": count},
    )
    return count


def _check(
    protocol: str,
    issuer: str,
    client_id: str,
    sso_url: str,
    certificate: str,
    domains: list[str],
    new_member_role: str,
) -> None:
    wrong: dict[str, str] = {}
    if not issuer.strip():
        wrong["issuer"] = _("Say who the provider is.")
    if protocol == SignOn.Protocol.OIDC:
        if not issuer.startswith("https://") and not settings.OUTBOUND_TEST_LOOPBACK:
            wrong["issuer"] = _("The issuer is an address that begins with https://.")
        if not client_id.strip():
            wrong["client_id"] = _("Enter the client id.")
    else:
        if not sso_url.startswith(("https://", "http://")):
            wrong["sso_url"] = _("Enter the address that members are sent to.")
        try:
            read_certificate(certificate)
        except ValueError as error:
            wrong["certificate"] = str(error)
    bad = [domain for domain in domains if not DOMAIN.fullmatch(domain)]
    public = [domain for domain in domains if domain in PUBLIC_DOMAINS]
    if bad:
        wrong["domains"] = _("Not a domain: %(names)s. Write them as example.com.") % {
            "names": ", ".join(bad)
        }
    elif public:
        words = _("Anybody can have an address at %(names)s; list the domains of your company only.")
        wrong["domains"] = words % {"names": ", ".join(public)}
    if new_member_role and new_member_role not in (Role.VIEWER, Role.CSM, Role.MANAGER):
        wrong["new_member_role"] = _("Admins are invited, not made by the provider.")
    elif new_member_role and not domains and "domains" not in wrong:
        wrong["domains"] = _("List the domains whose people become members.")
    if wrong:
        raise ValidationError(dict(wrong))


def _shown(config: SignOn) -> dict[str, object]:
    return {name: getattr(config, name) for name in SHOWN}
