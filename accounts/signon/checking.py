"""What is wrong with a tenant's sign-on, in words, before anybody is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from cryptography import x509
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import SignOn
from accounts.sealing import Unsealable, unseal
from accounts.signon.http import open_session

WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    good: bool
    words: str


def check(config: SignOn) -> list[Finding]:
    """Everything that can be known without a person signing in."""
    found = _saml(config) if config.protocol == SignOn.Protocol.SAML else _oidc(config)
    if config.new_member_role and not config.domains:
        found.append(
            Finding(False, _("New members are let in for no domain: list the domains of your company."))
        )
    return found


def _oidc(config: SignOn) -> list[Finding]:
    found = [_secret(config)]
    address = config.issuer.rstrip("/") + WELL_KNOWN
    told, problem = _fetched(address)
    if told is None:
        return [*found, Finding(False, _("%(address)s: %(why)s") % {"address": address, "why": problem})]
    found.append(Finding(True, _("The provider answers at %(address)s.") % {"address": address}))
    issuer = str(told.get("issuer", ""))
    if issuer.rstrip("/") == config.issuer.rstrip("/"):
        found.append(Finding(True, _("It calls itself as you wrote it.")))
    else:
        words = _("It calls itself “%(other)s”. Write exactly that as the issuer.")
        found.append(Finding(False, words % {"other": issuer[:200]}))
    missing = [
        name for name in ("authorization_endpoint", "token_endpoint", "jwks_uri") if not told.get(name)
    ]
    if missing:
        return [*found, Finding(False, _("It does not say: %(names)s.") % {"names": ", ".join(missing)})]
    keys, problem = _fetched(str(told["jwks_uri"]))
    if keys is None:
        found.append(Finding(False, _("Its keys cannot be read: %(why)s") % {"why": problem}))
    elif not keys.get("keys"):
        found.append(Finding(False, _("It publishes no keys, so nothing that it signs can be proven.")))
    else:
        found.append(Finding(True, _("Its signing keys can be read.")))
    methods = told.get("code_challenge_methods_supported")
    if methods is not None and "S256" not in methods:
        found.append(Finding(False, _("It does not offer PKCE with S256; switch it on there.")))
    return found


def _secret(config: SignOn) -> Finding:
    if not config.secret_sealed:
        return Finding(False, _("The client secret is missing."))
    try:
        unseal(config.secret_sealed)
    except Unsealable:
        return Finding(False, _("The client secret can no longer be read; enter it again."))
    return Finding(
        True, _("Client id and secret are there; the provider compares them at the first sign-on.")
    )


def _saml(config: SignOn) -> list[Finding]:
    found = []
    if not config.sso_url.startswith("https://"):
        found.append(Finding(False, _("The sign-on address should begin with https://.")))
    try:
        certificate = read_certificate(config.certificate)
    except ValueError as error:
        return [*found, Finding(False, str(error))]
    until, now = certificate.not_valid_after_utc, timezone.now()
    day = date_format(timezone.localtime(until))
    if until <= now:
        words = _("The certificate ended on %(day)s. Copy the current one from the provider.") % {"day": day}
        found.append(Finding(False, words))
    elif certificate.not_valid_before_utc > now:
        found.append(Finding(False, _("The certificate is not valid yet.")))
    else:
        found.append(Finding(True, _("The certificate is valid until %(day)s.") % {"day": day}))
    return found


def read_certificate(text: str) -> x509.Certificate:
    """A certificate as providers show it, with or without its frame; raises ValueError in words."""
    body = "".join(line for line in text.strip().splitlines() if "-----" not in line)
    try:
        pem = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise ValueError(
            _("This is not a certificate. Paste what stands between BEGIN and END CERTIFICATE.")
        ) from error


def _fetched(address: str) -> tuple[dict[str, Any] | None, str]:
    """The JSON object at an address, or why there is none."""
    try:
        with open_session() as session:
            response = session.get(address, headers={"Accept": "application/json"})
        if response.status_code != 200:
            return None, _("it answered %(status)d") % {"status": response.status_code}
        told = response.json()
    except requests.exceptions.JSONDecodeError:
        return None, _("the answer is no JSON")
    except requests.RequestException as error:
        return None, str(error)
    return (told, "") if isinstance(told, dict) else (None, _("the answer is no JSON"))
