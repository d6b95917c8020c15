"""Error answers: JSON for the API, a page for people."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from accounts.api_base import error_body


def _answer(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if request.path_info.startswith(("/api/", "/v1/")):
        return JsonResponse(error_body(code, message), status=status)
    return render(request, f"{status}.html", status=status)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403."""
    return _answer(request, 403, "forbidden", "This key may not do that.")


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404."""
    return _answer(request, 404, "not_found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500, without touching the database, which may be what broke."""
    if request.path_info.startswith(("/api/", "/v1/")):
        return JsonResponse(error_body("server_error", "Something failed on our side."), status=500)
    return render(request, "500.html", status=500)
