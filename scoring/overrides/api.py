"""The API of overrides: the history of an account's, setting one, ending one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_base import ApiError, TenantAPIView, decode_cursor, encode_cursor, page_limit
from accounts.api_schema import CURSOR, INTEGER, LIMIT, described, inpath, page_of
from accounts.models import Account
from scoring.api_descriptions import EXTERNAL_ID, OVERRIDE, OVERRIDE_WISH
from scoring.models import Override
from scoring.overrides.selectors import override_body
from scoring.overrides.services import DEFAULT_DAYS, end_override, set_override

TEXTS, FIELDS = ("reason", "band"), ("reason", "band", "days", "score")
NO_BODY = {"type": "object", "additionalProperties": False}


class OverridesView(TenantAPIView):
    """`GET` the overrides of an account, `POST` a new one."""

    scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "write"}

    @described(
        "overrides_list",
        "List the overrides of an account's health, the newest first",
        answer=page_of(OVERRIDE),
        parameters=[EXTERNAL_ID, LIMIT, CURSOR],
        errors=[400, 404],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """One page of overrides; the one without `ended_on` whose `until` lies ahead stands."""
        limit = page_limit(request)
        rows = Override.objects.filter(tenant=self.tenant, account_id=_account_id(self, external_id))
        if cursor := request.query_params.get("cursor"):
            rows = rows.filter(id__lt=_before(cursor))
        page = list(rows.select_related("created_by__user").order_by("-id")[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        return Response(
            {
                "results": [override_body(override) for override in page],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )

    @described(
        "overrides_create",
        "Override an account's health for a while",
        body=OVERRIDE_WISH,
        answer=OVERRIDE,
        status=201,
        parameters=[EXTERNAL_ID],
        errors=[404],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """A reason and a band or a score; the computed score stays beside it."""
        wish = _wish(request.data)
        try:
            made = set_override(
                tenant=self.tenant,
                account_id=_account_id(self, external_id),
                member=None,
                reason=wish.get("reason", ""),
                band=wish.get("band", ""),
                score=wish.get("score"),
                days=wish.get("days", DEFAULT_DAYS),
            )
        except ValidationError as error:
            raise refused(error) from error
        return Response(override_body(made), status=201)


class EndOverrideView(TenantAPIView):
    """`POST` ends an override before its time."""

    scope = "write"

    @described(
        "overrides_end",
        "End an override before its time",
        body=NO_BODY,
        answer=OVERRIDE,
        parameters=[EXTERNAL_ID, inpath("override_id", INTEGER)],
        errors=[404],
    )
    def post(self, request: Request, external_id: str, override_id: int) -> Response:
        """The computed score shows again at once."""
        account_id = _account_id(self, external_id)
        try:
            ended = end_override(tenant=self.tenant, override_id=override_id, account_id=account_id)
        except Override.DoesNotExist as error:
            raise Http404 from error
        except ValidationError as error:
            raise ApiError(409, "ended", " ".join(error.messages)) from error
        return Response(override_body(ended))


def _account_id(view: TenantAPIView, external_id: str) -> int:
    found = Account.objects.filter(tenant=view.tenant, external_id=external_id).values_list("pk", flat=True)
    account_id = found.first()
    if account_id is None:
        raise Http404
    return account_id


def _before(cursor: str) -> int:
    (last,) = decode_cursor(cursor, 1)
    if isinstance(last, bool) or not isinstance(last, int) or not 0 < last < 2**63:
        raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.")
    return last


def _wish(body: Any) -> dict[str, Any]:
    """The body, with every wrong field named."""
    if not isinstance(body, dict):
        raise ApiError(400, "invalid", "Send a JSON object.")
    faults = [{"path": str(name), "message": "Unknown field."} for name in body if name not in FIELDS]
    faults += [
        {"path": name, "message": "Send text."}
        for name in TEXTS
        if name in body and not isinstance(body[name], str)
    ]
    if isinstance(body.get("days", 1), bool) or not isinstance(body.get("days", 1), int):
        faults.append({"path": "days", "message": "Send 7, 14, 30, 60 or 90."})
    score = body.get("score", 1)
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 100:
        faults.append({"path": "score", "message": "Send a number from 0 to 100."})
    if faults:
        raise ApiError(400, "invalid", "Some values are not valid.", faults)
    return {**body, **({"score": float(body["score"])} if "score" in body else {})}


def refused(error: ValidationError) -> ApiError:
    """What a service did not accept, field by field."""
    faults = [
        {"path": "" if name == "__all__" else name, "message": message}
        for name, messages in error.message_dict.items()
        for message in messages
    ]
    return ApiError(400, "invalid", "Some values are not valid.", faults)
