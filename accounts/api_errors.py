"""The one shape of every API error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response


class ApiError(Exception):
    """An answer with SPEC 14's error shape; `details` is a list of `{"path", "message"}`."""

    def __init__(
        self, status: int, code: str, message: str, details: Sequence[Mapping[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, list(details)


def error_body(code: str, message: str, details: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """`{"error": {"code", "message", "details"}}`."""
    return {"error": {"code": code, "message": message, "details": list(details)}}


CODES = {
    400: "invalid",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error has the one shape."""
    if isinstance(error, ApiError):
        return Response(error_body(error.code, error.message, error.details), status=error.status)
    if isinstance(error, OperationalError | InterfaceError):
        unavailable = error_body("unavailable", "The database does not answer; try again soon.")
        return Response(unavailable, status=503, headers={"Retry-After": "5"})
    if isinstance(error, Http404):
        return Response(
            error_body("not_found", str(error) or "There is nothing at this address."), status=404
        )
    if isinstance(error, PermissionDenied):
        return Response(error_body("forbidden", "This key may not do that."), status=403)
    if isinstance(error, RequestDataTooBig):
        return Response(error_body("too_large", "The body is too large."), status=413)
    if isinstance(error, DjangoValidationError):
        details = [{"path": path, "message": " ".join(texts)} for path, texts in _by_field(error).items()]
        return Response(error_body("invalid", "Some values are not valid.", details), status=400)
    if isinstance(error, exceptions.APIException):
        from rest_framework.views import exception_handler  # rest_framework.views itself loads this module

        found = exception_handler(error, context)
        if found is None:
            return None
        detail = error.detail if isinstance(error.detail, str) else "The request is not valid."
        found.data = error_body(CODES.get(error.status_code, "error"), str(detail))
        return found
    return None


def _by_field(error: DjangoValidationError) -> dict[str, list[str]]:
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
