"""SAML 2.0 by python3-saml: signed assertions for us alone, asked for in this browser, once."""

from __future__ import annotations

import binascii
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.sessions import LoginSession
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from lxml.etree import LxmlError
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as C
from onelogin.saml2.errors import OneLogin_Saml2_Error
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from accounts.fence.scope import tenant_scope
from accounts.links import public_url
from accounts.models import SignOn, SignOnAssertion, Tenant
from accounts.signon.entering import Claims, Refused, enter, refuse

ASKED = "saml_asked"  # in the session: the request that this browser made
ASKED_SECONDS = 600
DRIFT = timedelta(seconds=C.ALLOWED_CLOCK_DRIFT)
LONGEST_RESPONSE = 200_000
EMAIL_NAMES = (
    "email",
    "mail",
    "emailAddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
NAME_NAMES = (
    "displayName",
    "name",
    "cn",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
)


class StrictResponse(OneLogin_Saml2_Response):  # type: ignore[misc]  # the library has no types
    """Also refuses what the library lets through: an assertion without audience, or one that does not name our request."""

    def is_valid(
        self, request_data: Any, request_id: str | None = None, raise_exceptions: bool = False
    ) -> bool:
        """The library's checks, then ours; `get_error` says what was wrong."""
        if not super().is_valid(request_data, request_id, raise_exceptions):
            return False
        if not self.get_audiences():
            self._error = "The assertion names no audience"
            return False
        if request_id is None and self.get_in_response_to() is not None:
            self._error = "The answer belongs to a request that this browser did not make (InResponseTo)"
            return False
        if request_id is not None:
            path = "/saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"
            named = {node.get("InResponseTo") for node in self._query_assertion(path)}
            if named != {request_id} or self.get_in_response_to() != request_id:
                self._error = "The assertion does not answer the request of this browser (InResponseTo)"
                return False
        return True


@dataclass(frozen=True)
class Metadata:
    """What a provider's metadata file says."""

    issuer: str
    sso_url: str
    certificate: str


def read_metadata(xml: str) -> Metadata:
    """The fields of a pasted metadata file; raises ValueError in words."""
    if "<!DOCTYPE" in xml.upper() or "<!ENTITY" in xml.upper():
        raise ValueError(_("The metadata must not declare entities."))
    try:
        idp = OneLogin_Saml2_IdPMetadataParser.parse(xml.encode()).get("idp", {})
    except (LxmlError, OneLogin_Saml2_Error, ValueError, KeyError) as error:
        raise ValueError(_("This is not the metadata of a provider: %(why)s") % {"why": error}) from error
    several = idp.get("x509certMulti", {}).get("signing", [])
    certificate = idp.get("x509cert") or (several[0] if several else "")
    sso_url = idp.get("singleSignOnService", {}).get("url", "")
    if not (idp.get("entityId") and sso_url and certificate):
        raise ValueError(
            _("The metadata lacks the entity id, the sign-on address (redirect) or a certificate.")
        )
    return Metadata(idp["entityId"], sso_url, certificate)


def settings_of(tenant: Tenant, config: SignOn | None) -> dict[str, Any]:
    """Both sides for python3-saml; without a provider, ours only."""
    found: dict[str, Any] = {
        "strict": True,
        "security": {
            "wantAssertionsSigned": True,
            "wantNameId": True,
            "wantAttributeStatement": False,
            "requestedAuthnContext": False,
            "rejectUnsolicitedResponsesWithInResponseTo": True,
            "rejectDeprecatedAlgorithm": True,
            "signatureAlgorithm": C.RSA_SHA256,
            "digestAlgorithm": C.SHA256,
            "allowSingleLabelDomains": settings.EMBEDDED,
            "allowRepeatAttributeName": True,
        },
        "sp": {
            "entityId": public_url("signon_metadata", slug=tenant.slug),
            "assertionConsumerService": {
                "url": public_url("signon_acs", slug=tenant.slug),
                "binding": C.BINDING_HTTP_POST,
            },
            "NameIDFormat": C.NAMEID_UNSPECIFIED,
        },
    }
    if config is not None:
        found["idp"] = {
            "entityId": config.issuer,
            "singleSignOnService": {"url": config.sso_url, "binding": C.BINDING_HTTP_REDIRECT},
            "x509cert": config.certificate,
        }
    return found


def metadata_xml(tenant: Tenant) -> bytes:
    """What the admin of the provider is given."""
    made = OneLogin_Saml2_Settings(settings_of(tenant, None), sp_validation_only=True).get_sp_metadata()
    return made if isinstance(made, bytes) else str(made).encode()


def begin(request: HttpRequest, tenant: Tenant, config: SignOn, next_url: str) -> HttpResponse:
    """To the provider; the session remembers what was asked."""
    try:
        auth = OneLogin_Saml2_Auth(_seen(tenant, ""), settings_of(tenant, config))
        address = auth.login(return_to="")
    except OneLogin_Saml2_Error as error:
        return refuse(request, tenant, _("The sign-on is not set up well: %(why)s") % {"why": error})
    request.session[ASKED] = {
        "id": auth.get_last_request_id(),
        "tenant": tenant.pk,
        "next": next_url,
        "at": int(time.time()),
    }
    return HttpResponseRedirect(address)


def receive(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The provider's post, which comes without our session's cookie: keep it and fetch the cookie by a redirect."""
    told = request.POST.get("SAMLResponse", "")
    if not told or len(told) > LONGEST_RESPONSE:
        return refuse(request, tenant, _("The provider sent no SAML response."), status=400)
    answer = HttpResponseRedirect(public_url("signon_finish", slug=tenant.slug))
    kept = LoginSession(request, "saml_kept", "saml-answer")
    kept.store["response"] = told
    kept.store.set_expiry(120)
    kept.save(answer)
    return answer


def finish(request: HttpRequest, tenant: Tenant, config: SignOn) -> HttpResponse:
    """Read what the provider posted, in the browser that asked for it."""
    kept = LoginSession(request, "saml_kept", "saml-answer")
    told = kept.store.get("response", "")
    kept.delete()
    asked = request.session.pop(ASKED, None)
    fresh = asked and asked["tenant"] == tenant.pk and time.time() - asked["at"] < ASKED_SECONDS
    try:
        if not told:
            raise Refused(_("The provider's answer was not found. Begin again."))
        if not fresh and not config.starts_elsewhere:
            raise Refused(
                _("This sign-on was not begun in this browser, or took longer than ten minutes. Begin again.")
            )
        claims = proven(tenant, config, told, request_id=asked["id"] if fresh else None)
    except Refused as refused:
        return refuse(request, tenant, str(refused))
    return enter(
        request=request,
        tenant=tenant,
        config=config,
        claims=claims,
        next_url=asked["next"] if fresh else "",
    )


def proven(tenant: Tenant, config: SignOn, told: str, *, request_id: str | None) -> Claims:
    """What the provider says about the person, once it is proven that it says so, to us, now, and for the first time."""
    auth = OneLogin_Saml2_Auth(_seen(tenant, told), settings_of(tenant, config))
    auth.response_class = StrictResponse
    try:
        auth.process_response(request_id=request_id)
    except (OneLogin_Saml2_Error, LxmlError, binascii.Error, ValueError) as error:
        raise Refused(
            _("The provider's answer cannot be read: %(why)s") % {"why": str(error)[:200]}
        ) from error
    if auth.get_errors() or not auth.is_authenticated():
        why = str(auth.get_last_error_reason() or ", ".join(auth.get_errors()))[:300]
        raise Refused(_("The provider's answer was not accepted: %(why)s") % {"why": why})
    _use_once(tenant, config, auth)
    attributes: dict[str, list[str]] = auth.get_attributes()
    name_id, form = str(auth.get_nameid() or ""), auth.get_nameid_format()
    email = _first(attributes, EMAIL_NAMES)
    if not email and (form == C.NAMEID_EMAIL_ADDRESS or "@" in name_id):
        email = name_id
    return Claims(
        issuer=config.issuer,
        # A transient name is another one each time, so the address stands for the person.
        subject=(email.strip().lower() if form == C.NAMEID_TRANSIENT else name_id)[:300],
        email=email,
        verified=True,  # in SAML the provider's word is the proof
        name=_first(attributes, NAME_NAMES),
    )


def _use_once(tenant: Tenant, config: SignOn, auth: OneLogin_Saml2_Auth) -> None:
    """Note the assertion until it would be too old anyhow; raises `Refused` when it was used before."""
    digest = hashlib.sha256(f"{config.issuer}\n{auth.get_last_assertion_id()}".encode()).hexdigest()
    until = auth.get_last_assertion_not_on_or_after()
    now = timezone.now()
    expires = datetime.fromtimestamp(until, UTC) + DRIFT if until else now + timedelta(days=1)
    with tenant_scope(tenant):
        SignOnAssertion.objects.filter(expires_at__lt=now).delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO accounts_signonassertion (tenant_id, digest, expires_at) VALUES (%s, %s, %s) "
                "ON CONFLICT (tenant_id, digest) DO NOTHING",
                [tenant.pk, digest, expires],
            )
            first_time = cursor.rowcount == 1
    if not first_time:
        raise Refused(_("This answer of the provider was used before. Begin again."))


def _seen(tenant: Tenant, told: str) -> dict[str, Any]:
    """The request as the library wants it; addresses are our public ones, never what a browser's Host header says."""
    parts = urlsplit(public_url("signon_acs", slug=tenant.slug))
    return {
        "https": "on" if parts.scheme == "https" else "off",
        "http_host": parts.netloc,
        "script_name": parts.path,
        "get_data": {},
        "post_data": {"SAMLResponse": told} if told else {},
    }


def _first(attributes: dict[str, list[str]], names: tuple[str, ...]) -> str:
    return next((str(attributes[name][0]) for name in names if attributes.get(name)), "")
