"""The API of scores: what a score is and why, how it went, and the calculator."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_base import ApiError, TenantAPIView, decode_cursor, encode_cursor, page_limit
from accounts.api_schema import CURSOR, DATE, LIMIT, described, page_of, query
from accounts.models import Account
from scoring.api_descriptions import (
    CALCULATOR_WORDS,
    COMPONENT_VALUES,
    EXPLANATION,
    EXTERNAL_ID,
    HEALTH,
    HISTORY_ROW,
    MODEL_DEFINITION,
    MODEL_KEY,
    ON,
    VERSION_NUMBER,
)
from scoring.selectors import (
    evaluate_components,
    explanation,
    measure_places,
    numbered_version,
    published_version,
    score_history,
)
from scoring.services import definition_of
from scoring.specs import load_versions

DEFAULT_DAYS = 90


def date_parameter(request: Request, name: str) -> date | None:
    """A date of the query string, None when it is not there; raises `ApiError` 400 for anything else."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        if len(text) != len("2025-12-31"):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise ApiError(
            400,
            "invalid",
            f"{name} must be a date such as 2025-12-31.",
            [{"path": name, "message": "Use YYYY-MM-DD."}],
        ) from error


def account_id_of(external_id: str) -> int:
    """The id of one of the tenant's accounts, or 404."""
    found = Account.objects.filter(external_id=external_id).values_list("pk", flat=True).first()
    if found is None:
        raise Http404
    return found


class AccountScoreView(TenantAPIView):
    """The newest score of an account, or the newest one stored by a day, with its explanation."""

    scope = "read"
    kind: ClassVar[str] = "health"

    @described(
        "accounts_health",
        "Read the health score of an account and why it is so",
        answer=HEALTH,
        parameters=[EXTERNAL_ID, ON],
        errors=[400, 404],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """The score with its components and measures."""
        account_id = account_id_of(external_id)
        return Response(explanation(self.tenant, account_id, self.kind, date_parameter(request, "on")))


class AccountPqlView(AccountScoreView):
    """The same for the PQL score."""

    kind = "pql"

    @described(
        "accounts_pql",
        "Read the PQL score of an account and why it is so",
        answer=EXPLANATION,
        parameters=[EXTERNAL_ID, ON],
        errors=[400, 404],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """The score with its components and measures."""
        return super().get(request, external_id)


class AccountHistoryView(TenantAPIView):
    """The health score of an account day by day."""

    scope = "read"

    @described(
        "accounts_health_history",
        "Read the health scores of an account day by day",
        answer=page_of(HISTORY_ROW),
        parameters=[EXTERNAL_ID, query("from", DATE), query("to", DATE), LIMIT, CURSOR],
        errors=[400, 404],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Days in rising order; 90 of them unless `from` and `to` say otherwise."""
        account_id = account_id_of(external_id)
        last = date_parameter(request, "to") or self.tenant.today()
        first = date_parameter(request, "from") or last - min(
            timedelta(days=DEFAULT_DAYS - 1), last - date.min
        )
        if first > last:
            raise ApiError(
                400, "invalid", "from must not be after to.", [{"path": "from", "message": str(first)}]
            )
        limit = page_limit(request, default=400)
        if cursor := request.query_params.get("cursor"):
            first = _after(cursor)
        rows = score_history(self.tenant, account_id, first=first, last=last, limit=limit + 1)
        more = len(rows) > limit
        return Response({"results": rows[:limit], "next": encode_cursor(rows[limit]["on"]) if more else None})


def _after(cursor: str) -> date:
    (text,) = decode_cursor(cursor, 1)
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.") from error


class ModelView(TenantAPIView):
    """A score model as it is published: what the page shows and a file holds, as data."""

    scope = "read"

    @described(
        "models_get",
        "Read a score model as it is published",
        answer=MODEL_DEFINITION,
        parameters=[MODEL_KEY, VERSION_NUMBER],
        errors=[400, 404],
    )
    def get(self, request: Request, key: str) -> Response:
        """The published version, or the one with the number that is asked for."""
        number = request.query_params.get("version")
        if number is None:
            version = published_version(self.tenant, key)
        elif number.isascii() and number.isdigit() and len(number) < 9:
            version = numbered_version(self.tenant, key, int(number))
        else:
            raise ApiError(
                400, "invalid", "version must be a whole number.", [{"path": "version", "message": number}]
            )
        if version is None:
            raise Http404
        return Response(
            {
                "version": version.number,
                "state": version.state,
                "in_force_from": version.in_force_from.isoformat() if version.in_force_from else None,
                "definition": definition_of(version),
            }
        )


class EvaluateView(TenantAPIView):
    """The calculator: what a model makes of component values. Stores nothing."""

    scope = "read"

    @described(
        "models_evaluate",
        "Calculate a score from component values, storing nothing",
        body=COMPONENT_VALUES,
        answer=EXPLANATION,
        parameters=[MODEL_KEY],
        errors=[404],
        description=CALCULATOR_WORDS,
    )
    def post(self, request: Request, key: str) -> Response:
        """Component values 0-100 or null, an absent one is null; raw values of measures for the exceptions."""
        version = published_version(self.tenant, key)
        if version is None:
            raise Http404
        loaded = load_versions(self.tenant, [version])[version.pk]
        known = {component.key for component in loaded.spec.components}
        values = component_values(request.data, known)
        measured = measure_values(request.data, set(measure_places(loaded)))
        return Response(evaluate_components(loaded, values, self.tenant.today(), measured))


def component_values(body: Any, known: set[str]) -> dict[str, float | None]:
    """The `components` of a request; raises `ApiError` 400 that names every fault."""
    given = body.get("components") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise ApiError(
            400,
            "invalid",
            "Send an object with `components`.",
            [{"path": "components", "message": "Expected an object of component values."}],
        )
    faults = [
        {"path": f"components.{key}", "message": message}
        for key, value in given.items()
        if (message := _fault(key, value, known))
    ]
    if faults:
        raise ApiError(400, "invalid", "Some component values cannot be used.", faults)
    return {key: None if value is None else float(value) for key, value in given.items()}


def measure_values(body: Any, known: set[str]) -> dict[str, float | None]:
    """The `measures` of a request, none if absent; raises `ApiError` 400 that names every fault."""
    given = body.get("measures", {})
    if not isinstance(given, dict):
        raise ApiError(
            400,
            "invalid",
            "Send `measures` as an object of values.",
            [{"path": "measures", "message": "Expected an object of raw values."}],
        )
    faults = []
    for key, value in given.items():
        if key not in known:
            message = f"The model has no such measure; it has {', '.join(sorted(known))}."
        elif value is None or _is_finite(value):
            continue
        else:
            message = "Expected a number, or null."
        faults.append({"path": f"measures.{key}", "message": message})
    if faults:
        raise ApiError(400, "invalid", "Some measures cannot be used.", faults)
    return {key: None if value is None else float(value) for key, value in given.items()}


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _fault(key: str, value: Any, known: set[str]) -> str:
    if key not in known:
        return f"The model has no such component; it has {', '.join(sorted(known))}."
    if value is None:
        return ""
    if not _is_finite(value):
        return "Expected a number from 0 to 100, or null."
    return "" if 0 <= value <= 100 else "Expected a number from 0 to 100, or null."
