"""OpenID Connect: allauth's client with PKCE and state; nonce, issuer and signature are always checked here."""

from __future__ import annotations

import secrets
from typing import Any, cast

import jwt
import requests
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.links import public_url
from accounts.models import SignOn, Tenant
from accounts.sealing import unseal
from accounts.signon.entering import Claims, enter, refuse
from accounts.signon.http import open_session

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SKEW_SECONDS = 120
WELL_KNOWN = "/.well-known/openid-configuration"


class TenantProvider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth has no types
    """A tenant's provider; allauth's own is found by a table that we do not use."""

    client: TenantClient

    def get_oauth2_adapter(self, request: HttpRequest) -> TenantClient:
        """The client of this tenant."""
        return self.client

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """To the provider, with a nonce that the ID token must bring back."""
        nonce = secrets.token_urlsafe(24)
        kwargs["auth_params"] = {**self.get_auth_params(), "nonce": nonce}
        answer: HttpResponse = super().redirect(request, process, next_url, data, nonce=nonce, **kwargs)
        return answer


class TenantClient(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """The client at one tenant's provider."""

    def __init__(self, request: HttpRequest, tenant: Tenant, config: SignOn) -> None:
        self.tenant, self.config = tenant, config
        super().__init__(request, f"signon-{tenant.pk}")
        app = SocialApp(
            provider="openid_connect",
            provider_id=self.provider_id,
            name=str(config),
            client_id=config.client_id,
            secret=unseal(config.secret_sealed) if config.secret_sealed else "",
            settings={"server_url": config.issuer.rstrip("/") + WELL_KNOWN, "oauth_pkce_enabled": True},
        )
        self._provider = TenantProvider(request, app=app)
        self._provider.client = self

    def get_provider(self) -> TenantProvider:
        """The tenant's."""
        return self._provider

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself, and that it is the one which the admin named."""
        found: dict[str, Any] = super().openid_config
        if str(found.get("issuer", "")).rstrip("/") != self.config.issuer.rstrip("/"):
            raise OAuth2Error(
                _("The provider calls itself “%(other)s”, not “%(issuer)s”.")
                % {"other": str(found.get("issuer"))[:200], "issuer": self.config.issuer}
            )
        return found

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """The address that is registered at the provider."""
        return public_url("signon_callback", slug=self.tenant.slug)

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        """The verified claims; the address from userinfo where the ID token has none."""
        raw = kwargs["response"].get("id_token")
        if not raw:
            raise OAuth2Error(_("The provider sent no ID token."))
        claims = self._verified(raw)
        if not claims.get("email") and self.openid_config.get("userinfo_endpoint"):
            told = self._fetch_user_info(token.token)
            if told.get("sub") != claims["sub"]:
                raise OAuth2Error(_("The provider's userinfo is about somebody else than its ID token."))
            claims = {**told, **claims}
        return self._provider.sociallogin_from_response(request, {"id_token": claims})

    def _verified(self, raw: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(raw)
            if header.get("alg") not in ALGORITHMS:
                raise OAuth2Error(_("The ID token is not signed with a key of the provider."))
            claims: dict[str, Any] = jwt.decode(
                raw,
                key=self._key(header.get("kid")),
                algorithms=[header["alg"]],
                audience=self.config.client_id,
                issuer=self.openid_config["issuer"],
                leeway=SKEW_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise OAuth2Error(_("The ID token has expired. Compare the clocks of both servers.")) from error
        except jwt.InvalidAudienceError as error:
            raise OAuth2Error(_("The ID token is meant for another application.")) from error
        except jwt.InvalidIssuerError as error:
            raise OAuth2Error(_("The ID token comes from another issuer.")) from error
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise OAuth2Error(_("The ID token's signature does not hold.")) from error
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
            if claims.get("azp") != self.config.client_id:
                raise OAuth2Error(_("The ID token is meant for another application."))
        return claims

    def _key(self, kid: str | None) -> Any:
        """The provider's key of this name; without a name, its only one."""
        with open_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
            response.raise_for_status()
        keys = [
            key
            for key in jwt.PyJWKSet.from_dict(response.json()).keys
            if key.public_key_use in (None, "sig") and kid in (None, key.key_id)
        ]
        if len(keys) != 1:
            raise OAuth2Error(_("The ID token is not signed with a key of the provider."))
        return keys[0].key

    def entered(self, request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
        """Let the person in whom the provider has proven, or say why not."""
        said = sociallogin.account.extra_data["id_token"]
        nonce = sociallogin.state.get("nonce")
        if not nonce or not secrets.compare_digest(str(said.get("nonce", "")), nonce):
            return self.refused(request, _("The ID token does not belong to this sign-on (nonce)."))
        claims = Claims(
            issuer=self.config.issuer,
            subject=str(said["sub"])[:300],
            email=str(said.get("email") or ""),
            verified=said.get("email_verified") in (True, "true"),
            name=str(said.get("name") or ""),
        )
        return enter(
            request=request,
            tenant=self.tenant,
            config=self.config,
            claims=claims,
            next_url=sociallogin.state.get("next") or "",
        )

    def refused(self, request: HttpRequest, words: str) -> HttpResponse:
        """The page that says why not."""
        return refuse(request, self.tenant, words)


def begin(request: HttpRequest, tenant: Tenant, config: SignOn, next_url: str) -> HttpResponse:
    """To the provider."""
    client = TenantClient(request, tenant, config)
    try:
        return client.get_provider().redirect(request, "login", next_url=next_url)
    except (OAuth2Error, requests.RequestException, KeyError, ValueError) as error:
        words = _("The provider does not answer as it should: %(why)s") % {"why": str(error)[:200]}
        return client.refused(request, words)


def finish(request: HttpRequest, tenant: Tenant, config: SignOn) -> HttpResponse:
    """Back from the provider."""
    view = OAuth2CallbackView.adapter_view(TenantClient(request, tenant, config))
    return cast(HttpResponse, view(request))
