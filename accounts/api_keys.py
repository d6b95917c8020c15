"""Who calls the API and what the key may do."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.keys import POWERS
from accounts.models import ApiKey
from accounts.requests import api_key_of


class KeyAuthentication(BaseAuthentication):
    """The middleware has found the key; this only says which header a 401 asks for."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        """The key as `request.auth`."""
        key = api_key_of(request._request)
        return (None, key) if key else None

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return "Bearer"


class ScopePermission(BasePermission):
    """The key must have the power that the view names (`scope`), or the one it names for a method (`scopes`)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raise 401 without a key; False (403) when the key's scope does not include the view's."""
        key = request.auth
        if not isinstance(key, ApiKey):
            raise exceptions.NotAuthenticated("Send `Authorization: Bearer KEY` with a valid key.")
        wanted = getattr(view, "scopes", {}).get(request.method, view.scope)
        return wanted in POWERS[ApiKey.Scope(key.scope)]
