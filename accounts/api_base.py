"""What every API view shares: the tenant of its key, its rate limit, repeated writes, and pages by cursor."""

from __future__ import annotations

import base64
import binascii
from typing import Any, ClassVar

import orjson
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import idempotency
from accounts.aliases import current_names
from accounts.api_errors import ApiError, error_body
from accounts.api_json import check_storable, parse_json
from accounts.api_limits import Allowance, count_request
from accounts.models import ApiKey, Tenant
from accounts.requests import api_key_of

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


ACCOUNT_PARAMETERS = ("account", "account_id")  # what filters call the external id of an account


class TenantAPIView(APIView):
    """An API view inside the key's tenant; `self.tenant` is set, the scope is open."""

    scope: ClassVar[str] = "read"
    scopes: ClassVar[dict[str, str]] = {}
    _allowance: Allowance | None = None
    _ticket: idempotency.Ticket | None = None

    @property
    def tenant(self) -> Tenant:
        """The tenant of the key."""
        return self.api_key.tenant

    @property
    def api_key(self) -> ApiKey:
        """The key of the request."""
        key = api_key_of(self.request._request)
        if key is None:
            raise NotAuthenticated
        return key

    def check_throttles(self, request: Request) -> None:
        """Count the request; one too many is a 429 that says when to come back."""
        self._allowance = count_request(self.api_key.prefix)
        if self._allowance is not None and self._allowance.exhausted:
            raise ApiError(
                429, "rate_limited", f"At most {self._allowance.limit} requests a minute for each key."
            )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After key, scope and limit: take the Idempotency-Key, if there is one."""
        super().initial(request, *args, **kwargs)
        self._follow_merges()
        key = request.headers.get("Idempotency-Key")
        if key is not None and request.method in idempotency.UNSAFE:
            raw = request._request
            self._ticket = idempotency.begin(
                api_key=self.api_key, key=key, method=str(raw.method), path=raw.get_full_path(), body=raw.body
            )

    def _follow_merges(self) -> None:
        """An address or filter with the id of an account that was merged means the account it went into."""
        raw = self.request._request
        said = {name: raw.GET[name] for name in ACCOUNT_PARAMETERS if raw.GET.get(name)}
        external_id = self.kwargs.get("external_id", "")
        names = current_names(self.tenant.pk, [external_id, *said.values()]) if external_id or said else {}
        if external_id in names:
            self.kwargs["external_id"] = names[external_id]
        changed = {name: names[value] for name, value in said.items() if value in names}
        if changed:
            said_now = raw.GET.copy()
            for name, value in changed.items():
                said_now[name] = value
            raw.GET = said_now  # type: ignore[assignment]  # the stubs want one that cannot be changed

    def handle_exception(self, exc: Exception) -> Response:
        """A stored answer is not an error."""
        if isinstance(exc, idempotency.AnsweredBefore):
            response = Response(exc.body["data"], status=exc.status)
            response.headers["Idempotency-Replayed"] = "true"
            return response
        self._ticket = None
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Add the limit's headers and keep the answer of a write under its key."""
        body = getattr(request, "_full_data", None)  # DRF's, empty until a view has asked for it
        if isinstance(body, dict):
            request._request.parsed_body = body  # type: ignore[attr-defined]  # the audit log says which items came
        # DRF says Response, but a view may return any HttpResponse
        if self._ticket is not None and isinstance(response, Response) and response.status_code < 400:
            idempotency.keep_answer(self._ticket, response.status_code, response.data)
            self._ticket = None
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._allowance is not None:
            for name, value in self._allowance.headers().items():
                response.headers[name] = value
            if response.status_code == 429:
                response.headers["Retry-After"] = str(self._allowance.reset_seconds)
        return response


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
    if len(text) > 9 or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise ApiError(
            400,
            "invalid",
            f"limit must be a whole number from 1 to {most}.",
            [{"path": "limit", "message": text}],
        )
    return int(text)
