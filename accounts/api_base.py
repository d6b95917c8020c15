"""What every API view shares: the tenant of its key, and pages by cursor."""

from __future__ import annotations

import base64
import binascii
from typing import Any, ClassVar

import orjson
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api_errors import ApiError, error_body
from accounts.api_json import check_storable, parse_json
from accounts.models import Tenant

__all__ = [
    "ApiError",
    "TenantAPIView",
    "check_storable",
    "decode_cursor",
    "encode_cursor",
    "error_body",
    "page_limit",
    "parse_json",
]


class TenantAPIView(APIView):
    """An API view inside the key's tenant; `self.tenant` is set, the scope is open."""

    scope: ClassVar[str] = "read"
    scopes: ClassVar[dict[str, str]] = {}

    @property
    def tenant(self) -> Tenant:
        """The tenant of the key."""
        tenant: Tenant = self.request._request.tenant  # type: ignore[attr-defined]
        return tenant


def encode_cursor(*values: Any) -> str:
    """An opaque cursor from the last row's sort values."""
    return base64.urlsafe_b64encode(orjson.dumps(values, default=str)).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """The sort values of a cursor; raises `ApiError` 400 for anything that is not one of ours."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.") from error
    if not isinstance(values, list) or len(values) != length:
        raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.")
    return values


def page_limit(request: Request, default: int = 100, most: int = 1000) -> int:
    """The `limit` parameter, 1 to `most`."""
    text = request.query_params.get("limit", str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise ApiError(
            400,
            "invalid",
            f"limit must be a whole number from 1 to {most}.",
            [{"path": "limit", "message": text}],
        )
    return int(text)
