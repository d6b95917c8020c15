"""Error answers: JSON for the API, a page for people, each with what to do and an id that the log knows as well."""

from __future__ import annotations

import sys
import uuid
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation

from accounts.api_base import error_body

KEYED = ("/api/", "/v1/")
RETRY_SECONDS = "60"


def request_id() -> str:
    """The id under which the log keeps this request; one is made where the request broke before it had one."""
    known = structlog.contextvars.get_contextvars().get("request_id")
    if known is None:
        known = str(uuid.uuid4())
        structlog.contextvars.bind_contextvars(request_id=known)
    return str(known)


def _marked(response: HttpResponse, said: str) -> HttpResponse:
    response["X-Request-ID"] = said
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _answer(
    request: HttpRequest, status: int, code: str, message: str, template: str | None = None
) -> HttpResponse:
    said = request_id()
    if request.path_info.startswith(KEYED):
        return _marked(JsonResponse(error_body(code, message), status=status), said)
    return _marked(render(request, template or f"{status}.html", {"request_id": said}, status=status), said)


def _plain(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    """An answer that asks neither the database nor the session, which may be what broke."""
    said = request_id()
    if request.path_info.startswith(KEYED):
        return _marked(JsonResponse(error_body(code, message), status=status), said)
    language = translation.get_language_from_request(request) if not _chosen(request) else None
    with translation.override(language or translation.get_language()):
        page = render_to_string(
            f"{status}.html", {"LANGUAGE_CODE": translation.get_language(), "request_id": said}
        )
    return _marked(HttpResponse(page, status=status), said)


def _chosen(request: HttpRequest) -> bool:
    """Whether the language of this request was settled before it broke (PreferencesMiddleware)."""
    return getattr(request, "LANGUAGE_CODE", None) is not None


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return _plain(request, 400, "invalid", "The request could not be read.")


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403."""
    return _answer(request, 403, "forbidden", "This key may not do that.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token: open too long, or sent from somewhere else."""
    return _answer(
        request, 403, "forbidden", "The form was not sent from a page of this site.", "403_csrf.html"
    )


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404."""
    return _answer(request, 404, "not_found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or 503 when it was the database that did not answer, which passes."""
    error = sys.exc_info()[1]
    code = getattr(getattr(error, "__cause__", None), "pgcode", None) or ""
    # No code: nobody answered. 57P01 and its like: the server is being stopped or started.
    if isinstance(error, OperationalError | InterfaceError) and (not code or code.startswith("57P")):
        return unavailable(request, "unavailable", "The database does not answer; try again soon.", "5")
    return _plain(request, 500, "server_error", "Something failed on our side.")


def unavailable(request: HttpRequest, code: str, message: str, seconds: str = RETRY_SECONDS) -> HttpResponse:
    """503 with the time after which to come back."""
    response = _plain(request, 503, code, message)
    response["Retry-After"] = seconds
    return response


class MaintenanceMiddleware:
    """While CS_MAINTENANCE=1: everybody gets 503 and a page; events are still taken in (they never come this far).

    Whether the process lives and is ready, and its metrics, are told as always.
    """

    OPEN = ("/healthz", "/readyz", "/metrics")

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        if not settings.MAINTENANCE or request.path_info in self.OPEN:
            return self.get_response(request)
        return unavailable(request, "maintenance", "The server is being updated; try again in a few minutes.")
