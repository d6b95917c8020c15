"""The short way of events through Django: most of a request's cost is middleware that only people's pages need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from .middleware import TenantMiddleware

GetResponse = Callable[[HttpRequest], HttpResponseBase]
INGEST_PATHS = ("/v1/", "/api/v1/events")


class _ShortHandler(BaseHandler):
    """Django's handler with the tenant's middleware and nothing else."""

    def __init__(self) -> None:
        # What `load_middleware` would fill from the settings; django-stubs do not know these.
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        wrap: Callable[[Any], Any] = convert_exception_to_response
        self.answer: GetResponse = wrap(TenantMiddleware(wrap(self._get_response)))  # type: ignore[attr-defined]


class IngestShortcut:
    """Answer ingest requests here; everything else goes on.

    They have no session, no cookie and no page, so nothing after this middleware but the tenant's own has work to do.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.answer = _ShortHandler().answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(INGEST_PATHS):
            return self.get_response(request)
        response = self.answer(request)
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response
