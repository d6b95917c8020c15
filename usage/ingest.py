"""The Segment protocol over HTTP, for unmodified client libraries of Segment, RudderStack and Customer.io.

Plain views: a client drops its whole batch on 400, 401 and 413 and sends it again on 503, so 429 is never said, nothing
is redirected, and one bad message never fails the others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts import keys
from accounts.api_errors import error_body
from accounts.api_limits import Allowance, count_request
from accounts.fence.middleware import unavailable
from accounts.fence.scope import tenant_scope
from accounts.models import ApiKey
from accounts.requests import api_key_of
from usage.door import body_of, buffer_chunks, preflight, share, take_messages
from usage.wire.segment import write_key
from usage.wire.shapes import BadBody

View = Callable[..., HttpResponseBase]
V = TypeVar("V", bound=View)
SETTINGS_SECONDS = 300


def _door(method: str) -> Callable[[V], View]:
    """Answer OPTIONS, refuse other methods, say 503 while the database is away, and let any origin read it all."""

    def decorate(view: V) -> View:
        @csrf_exempt
        @wraps(view)
        def door(request: HttpRequest, **parts: str) -> HttpResponseBase:
            if request.method == "OPTIONS":
                return share(request, preflight())
            if request.method != method:
                allowed = {"Allow": f"{method}, OPTIONS"}
                return share(request, _refused(405, "method_not_allowed", f"Use {method}.", allowed))
            try:
                response = view(request, **parts)
            except BadBody as error:
                response = _refused(error.status, error.code, error.message)
            except (OperationalError, InterfaceError):
                response = unavailable()
            return share(request, response)

        return door

    return decorate


@_door("POST")
def messages(request: HttpRequest, call: str) -> HttpResponseBase:
    """`/v1/batch` and the single calls; the key is in the header, else in the body."""
    buffer_chunks(request)
    key = api_key_of(request)
    if key is not None:  # the middleware has opened the tenant's scope
        return _answer(
            key, lambda tenant_id: take_messages(tenant_id=tenant_id, body=body_of(request), call=call)
        )
    body = body_of(request)
    written = write_key(body)
    key = keys.authenticate(written) if written else None
    if key is None:
        return _refused(401, "unauthenticated", "Send a valid key as the Basic user name or as `writeKey`.")
    with tenant_scope(key.tenant):
        keys.note_use(key)
        return _answer(key, lambda tenant_id: take_messages(tenant_id=tenant_id, body=body, call=call))


def _answer(key: ApiKey, take: Callable[[int], None]) -> HttpResponseBase:
    """Take the body in if the key may send and has not sent too much."""
    if "ingest" not in keys.POWERS[ApiKey.Scope(key.scope)]:
        return _refused(403, "forbidden", "This key may not send events.")
    allowance = count_request(key.prefix)
    if allowance is not None and allowance.exhausted:
        return _later(allowance)
    take(key.tenant_id)
    return JsonResponse({"success": True}, headers=allowance.headers() if allowance else {})


def _later(allowance: Allowance) -> HttpResponseBase:
    """Too many requests, said so that every client sends them again."""
    message = f"At most {allowance.limit} requests a minute for each key."
    return _refused(
        503, "rate_limited", message, allowance.headers() | {"Retry-After": str(allowance.reset_seconds)}
    )


@_door("POST")
def self_metrics(request: HttpRequest) -> HttpResponseBase:
    """`/v1/m`: what the browser library counts about itself, which nobody here wants."""
    return JsonResponse({"success": True})


@_door("GET")
def browser_settings(request: HttpRequest, key: str) -> HttpResponseBase:
    """What analytics.js asks for first: without its own destination in it, it sends nothing."""
    found = keys.authenticate(key)
    if found is None or "ingest" not in keys.POWERS[ApiKey.Scope(found.scope)]:
        return _refused(404, "not_found", "No such key.")
    secure = request.is_secure() or settings.HTTPS
    destination = {
        "apiKey": key,
        "apiHost": f"{request.get_host()}/v1",
        "protocol": "https" if secure else "http",
    }
    body = {
        "integrations": {"Segment.io": destination},
        "plan": {"track": {"__default": {"enabled": True}}},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
    }
    return JsonResponse(body, headers={"Cache-Control": f"private, max-age={SETTINGS_SECONDS}"})


def _refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse(error_body(code, message), status=status, headers=headers)
