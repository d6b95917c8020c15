"""The API of renewals and retention."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import get_or_404
from accounts.api_base import ApiError, TenantAPIView, decode_cursor, encode_cursor, page_limit
from accounts.api_schema import (
    BOOLEAN,
    CURSOR,
    DATE,
    INTEGER,
    LIMIT,
    NUMBER,
    STRING,
    Schema,
    described,
    inpath,
    listing,
    nullable,
    page_of,
    query,
    record,
)
from accounts.models import Membership
from expansion.revenue.retention import Movements, Period, Retention, read_period
from expansion.revenue.selectors import ALL, OWNER, SEGMENT, Group, trailing_year
from expansion.revenue.stored import retention_report
from playbooks.api import ACCOUNT_ID, choice, day_parameter, text, words

from .models import Renewal
from .selectors import Wanted, by_due, renewals_of
from .services import UNCHANGED, close_renewal, give_reason, note_call, rates_of, set_forecast, settings_of

CATEGORY: Schema = {"type": "string", "enum": Renewal.Category.values}
REASON: Schema = {"type": "string", "enum": Renewal.Reason.values}
RENEWAL = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "account": STRING,
        "owner": nullable(STRING),
        "plan": STRING,
        "due_on": DATE,
        "term_months": INTEGER,
        "state": {"type": "string", "enum": Renewal.State.values},
        "outcome": nullable({"type": "string", "enum": Renewal.Outcome.values}),
        "category": CATEGORY,
        "computed_category": CATEGORY,
        "category_by": {"type": "string", "enum": ["person", "numbers"]},
        "at_risk": BOOLEAN,
        "risks": listing({"type": "string", "enum": ["category", "critical", "severe", "notice"]}),
        "has_plan": BOOLEAN,
        "plan_missing": BOOLEAN,
        "currency": STRING,
        "mrr_cents": INTEGER,
        "target_cents": INTEGER,
        "forecast_cents": INTEGER,
        "final_cents": nullable(INTEGER),
        "reason": nullable(REASON),
        "reason_note": nullable(STRING),
        "ends_on": nullable(DATE),
        "closed_on": nullable(DATE),
    }
)
PATCH_FIELDS: dict[str, Schema] = {
    "category": nullable(CATEGORY) | {"description": "null: by the numbers again"},
    "forecast_cents": nullable(INTEGER) | {"description": "at most the target; null: the whole target"},
    "note": STRING | {"description": "a note of a call"},
    "final_cents": INTEGER | {"description": "closes it: renewed at this amount, 0 is lost"},
    "reason": REASON | {"description": "why it came to less; needed where final_cents is below the target"},
    "reason_note": STRING,
}
PATCH = record(PATCH_FIELDS, [], closed=True)
MOVEMENTS = record(dict.fromkeys(Movements.__dataclass_fields__, INTEGER))
FIGURES = record(
    {
        "currency": STRING,
        "grr_pct": nullable(NUMBER),
        "nrr_pct": nullable(NUMBER),
        "expansion_pct": nullable(NUMBER),
        "logo_pct": nullable(NUMBER),
        "expansion_cents": INTEGER,
        "movements": MOVEMENTS,
        "months": listing(MOVEMENTS),
        "currency_changed": INTEGER,
    }
)
RETENTION = record(
    {
        "from": DATE,
        "to": DATE,
        "by": {"type": "string", "enum": [ALL, SEGMENT, OWNER]},
        "groups": listing(record({"key": nullable(STRING), "figures": listing(FIGURES)})),
    }
)
DEFINITION = (
    "Of the accounts that paid when the period began. GRR = (opening - churn - contraction) / opening; NRR adds what those "
    "accounts pay more at the end. New and reactivated accounts are in neither. Expansion share = what upgrades brought, "
    "month by month / opening. Percentages are null where nobody paid at the start. Amounts of different currencies are "
    "added only where a rate is configured; accounts whose currency changed are left out and counted in currency_changed. "
    "Without dates: the twelve complete months before this one."
)
RENEWAL_ID = inpath("renewal_id", INTEGER)


class RenewalsView(TenantAPIView):
    """`GET renewals`: by due date; open ones unless said otherwise."""

    scope = "read"

    @described(
        "renewals_list",
        "List renewals by due date",
        answer=page_of(RENEWAL),
        parameters=[
            LIMIT,
            CURSOR,
            query("state", words([s for s in Renewal.State.values if s != Renewal.State.VOID], "open")),
            ACCOUNT_ID,
            query("category", words(Renewal.Category.values)),
            query("at_risk", words(["yes", "no"])),
            query("plan", words(["missing"])),
            query("due_from", DATE),
            query("due_to", DATE),
        ],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """One page of renewals."""
        limit = page_limit(request)
        states = [state for state in Renewal.State.values if state != Renewal.State.VOID]
        at_risk = choice(request, "at_risk", ["yes", "no"])
        found = by_due(
            renewals_of(
                self.tenant,
                Wanted(
                    state=choice(request, "state", states, default=Renewal.State.OPEN),
                    account=text(request, "account_id"),
                    category=choice(request, "category", Renewal.Category.values),
                    at_risk=None if not at_risk else at_risk == "yes",
                    plan_missing=choice(request, "plan", ["missing"]) == "missing",
                    due_from=day_parameter(request, "due_from"),
                    due_to=day_parameter(request, "due_to"),
                ),
            )
        )
        if cursor := request.query_params.get("cursor"):
            due_on, last_id = _cursor(cursor)
            found = found.filter(Q(due_on__gt=due_on) | Q(due_on=due_on, id__gt=last_id))
        page = list(found[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        return Response(
            {
                "results": [renewal_body(one) for one in page],
                "next": encode_cursor(page[-1].due_on, page[-1].pk) if more else None,
            }
        )


def _cursor(cursor: str) -> tuple[date, int]:
    due_on, last_id = decode_cursor(cursor, 2)
    try:
        if not isinstance(last_id, int) or abs(last_id) >= 2**63:
            raise TypeError(last_id)
        return date.fromisoformat(due_on), last_id
    except (TypeError, ValueError) as error:
        raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.") from error


class RenewalView(TenantAPIView):
    """`PATCH renewals/{id}`: category, forecast, a note, the end, its reason."""

    scope = "read"
    scopes: ClassVar[dict[str, str]] = {"PATCH": "write"}

    @described(
        "renewals_get", "One renewal", answer=RENEWAL, parameters=[RENEWAL_ID], errors=[404], tag="renewals"
    )
    def get(self, request: Request, renewal_id: int) -> Response:
        """The renewal."""
        return self._answer(renewal_id)

    @described(
        "renewals_change",
        "Say what is expected of a renewal, or how it ended",
        body=PATCH,
        answer=RENEWAL,
        parameters=[RENEWAL_ID],
        errors=[404],
        description=(
            "A renewal at risk, or one that is put there, needs an action plan before anything is forecast: 409 `plan`. A "
            "forecast above the target is refused."
        ),
        tag="renewals",
    )
    def patch(self, request: Request, renewal_id: int) -> Response:
        """Change the renewal and answer with it."""
        body = _patch(request)
        get_or_404(Renewal, pk=renewal_id)
        try:
            self._apply(renewal_id, body)
        except ValidationError as error:
            raise _refused(error) from error
        return self._answer(renewal_id)

    def _apply(self, renewal_id: int, body: dict[str, Any]) -> None:
        if "category" in body or "forecast_cents" in body:
            set_forecast(
                tenant=self.tenant,
                renewal_id=renewal_id,
                category=body.get("category", UNCHANGED),
                forecast_cents=body.get("forecast_cents", UNCHANGED),
            )
        if "note" in body:
            note_call(tenant=self.tenant, renewal_id=renewal_id, note=body["note"])
        why = {"reason": body.get("reason", ""), "reason_note": body.get("reason_note", "")}
        if "final_cents" in body:
            close_renewal(tenant=self.tenant, renewal_id=renewal_id, final_cents=body["final_cents"], **why)
        elif "reason" in body or "reason_note" in body:
            give_reason(tenant=self.tenant, renewal_id=renewal_id, **why)

    def _answer(self, renewal_id: int) -> Response:
        get_or_404(Renewal, pk=renewal_id)
        found = Renewal.objects.filter(tenant=self.tenant, pk=renewal_id)
        return Response(renewal_body(found.select_related("account__owner__user").get()))


def _patch(request: Request) -> dict[str, Any]:
    """The fields that were sent; raises `ApiError` 400 that names every wrong one."""
    body = request.data
    if not isinstance(body, dict):
        raise ApiError(400, "invalid", "Send a JSON object.")
    details = [{"path": name, "message": "Unknown field."} for name in body if name not in PATCH_FIELDS]
    for name, value in body.items():
        if name in ("forecast_cents", "final_cents"):
            wrong = isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**62
            if wrong and not (value is None and name == "forecast_cents"):
                details.append({"path": name, "message": "Send a whole number of 0 or more."})
        elif (
            name in PATCH_FIELDS and not isinstance(value, str) and not (value is None and name == "category")
        ):
            details.append({"path": name, "message": "Send text."})
    if not body:
        details.append({"path": "", "message": "Nothing is to be changed."})
    if details:
        raise ApiError(400, "invalid", "Some values are not valid.", details)
    return body


def _refused(error: ValidationError) -> ApiError:
    """What cannot be done as things are is a conflict, a wrong value a bad request."""
    codes = {one.code for found in error.error_dict.values() for one in found}
    for code in ("closed", "plan", "not_lost"):
        if code in codes:
            return ApiError(409, code, " ".join(error.messages))
    details = [
        {"path": name, "message": message} for name, found in error.message_dict.items() for message in found
    ]
    return ApiError(400, "invalid", "Some values are not valid.", details)


def renewal_body(renewal: Renewal) -> dict[str, Any]:
    """A renewal as the API shows it."""
    owner = renewal.account.owner
    return {
        "id": renewal.pk,
        "account_id": renewal.account.external_id,
        "account": renewal.account.name,
        "owner": owner.user.email if owner else None,
        "plan": renewal.plan,
        "due_on": renewal.due_on,
        "term_months": renewal.term_months,
        "state": renewal.state,
        "outcome": renewal.outcome or None,
        "category": renewal.category,
        "computed_category": renewal.computed_category,
        "category_by": "person" if renewal.category_by_hand else "numbers",
        "at_risk": renewal.at_risk,
        "risks": renewal.risks,
        "has_plan": renewal.has_plan,
        "plan_missing": renewal.plan_missing,
        "currency": renewal.currency,
        "mrr_cents": renewal.mrr_cents,
        "target_cents": renewal.target_cents,
        "forecast_cents": renewal.forecast_cents,
        "final_cents": renewal.final_cents,
        "reason": renewal.reason or None,
        "reason_note": renewal.reason_note or None,
        "ends_on": renewal.ends_on,
        "closed_on": renewal.closed_on,
    }


class RetentionView(TenantAPIView):
    """`GET retention`: GRR, NRR and expansion share of a period."""

    scope = "read"

    @described(
        "retention_get",
        "GRR, NRR and expansion share of a period",
        answer=RETENTION,
        parameters=[
            query("from", DATE),
            query("to", DATE),
            query("by", {"type": "string", "enum": [ALL, SEGMENT, OWNER], "default": ALL}),
        ],
        errors=[400],
        description=DEFINITION,
    )
    def get(self, request: Request) -> Response:
        """The figures."""
        period = _period(request, self.tenant.today())
        dimension = request.query_params.get("by", ALL) or ALL
        if dimension not in (ALL, SEGMENT, OWNER):
            raise ApiError(
                400,
                "invalid",
                "by must be all, segment or owner.",
                [{"path": "by", "message": dimension[:50]}],
            )
        report = retention_report(self.tenant, period, rates_of(settings_of(self.tenant)))
        groups = report.of(dimension)
        names = _owners(groups) if dimension == OWNER else {}
        return Response(
            {
                "from": period.first,
                "to": period.last,
                "by": dimension,
                "groups": [
                    {
                        "key": names.get(group.key) if dimension == OWNER else group.key,
                        "figures": [figures_body(one) for one in group.by_currency],
                    }
                    for group in groups
                ],
            }
        )


def _period(request: Request, today: date) -> Period:
    first, last = day_parameter(request, "from"), day_parameter(request, "to")
    usual = trailing_year(today)
    if first is None and last is None:
        return usual
    last = last or usual.last
    try:
        return read_period(first, last)
    except ValueError as error:
        detail = {"path": "from" if first else "to", "message": str(error)}
        raise ApiError(400, "invalid", "The period is not valid.", [detail]) from error


def _owners(groups: list[Group]) -> dict[int, str]:
    ids = [group.key for group in groups if group.key is not None]
    return dict(Membership.objects.filter(pk__in=ids).values_list("pk", "user__email"))


def figures_body(one: Retention) -> dict[str, Any]:
    """The figures of one currency as the API shows them."""
    return {
        "currency": one.currency,
        "grr_pct": _rounded(one.grr_pct),
        "nrr_pct": _rounded(one.nrr_pct),
        "expansion_pct": _rounded(one.expansion_pct),
        "logo_pct": _rounded(one.whole.logo_pct),
        "expansion_cents": one.expansion_cents,
        "movements": movements_body(one.whole),
        "months": [movements_body(month) for month in one.months],
        "currency_changed": one.left_out,
    }


def movements_body(found: Movements) -> dict[str, int]:
    """The movements by name."""
    return {name: getattr(found, name) for name in Movements.__dataclass_fields__}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
