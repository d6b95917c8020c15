"""The API of reviews: packs, figures and their verification, the ROI register."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import translation
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.aliases import current_name
from accounts.api_base import ApiError, TenantAPIView, decode_cursor, encode_cursor, page_limit
from accounts.api_schema import (
    ANY_OBJECT,
    CURSOR,
    DATE,
    INTEGER,
    LIMIT,
    MOMENT,
    NUMBER,
    STRING,
    described,
    inpath,
    listing,
    nullable,
    page_of,
    query,
    record,
)
from accounts.models import Account
from playbooks.api import ACCOUNT_ID, before_id, choice, day_parameter, text, words
from qbr.content import from_json
from qbr.figures import Verdict, verify_figure
from qbr.models import Figure, Pack, RoiEntry
from qbr.registers.services import save_entry
from scoring.overrides.api import NO_BODY, refused

PACK = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "due_on": DATE,
        "number": nullable(INTEGER),
        "state": {"type": "string", "enum": Pack.State.values},
        "language": {"type": "string", "enum": ["en", "es"]},
        "version": INTEGER,
        "period_first": DATE,
        "period_last": DATE,
        "as_of": nullable(MOMENT),
        "sent_at": nullable(MOMENT),
        "held_on": nullable(DATE),
        "skip_reason": nullable(STRING),
    }
)
FIGURE = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "query": STRING,
        "version": INTEGER,
        "parameters": ANY_OBJECT,
        "as_of": MOMENT,
        "subject": STRING,
        "unit": STRING,
        "currency": nullable(STRING),
        "value": nullable(NUMBER),
        "rows": INTEGER,
        "hash": STRING,
        "checked_at": nullable(MOMENT),
        "verdict": nullable({"type": "string", "enum": Figure.Verdict.values}),
    }
)
VERDICT = record(
    {
        "id": INTEGER,
        "verdict": {"type": "string", "enum": Figure.Verdict.values},
        "was": nullable(NUMBER),
        "now": nullable(NUMBER),
        "difference": nullable(NUMBER),
        "reason": nullable(STRING),
        "detail": nullable(STRING),
    }
)
WHOLE_PACK = record({**PACK["properties"], "content": ANY_OBJECT, "figures": listing(FIGURE)})
ROI = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "title": STRING,
        "kind": {"type": "string", "enum": RoiEntry.Kind.values},
        "source": STRING,
        "amount_cents": INTEGER,
        "currency": STRING,
        "first_month": DATE,
        "last_month": DATE,
        "evidence": STRING,
        "figure_id": nullable(INTEGER),
    }
)
ROI_WISH = record(
    {name: schema for name, schema in ROI["properties"].items() if name != "id"},
    ["account_id", "title", "source", "amount_cents", "currency", "first_month", "last_month"],
)
TEXTS = ("account_id", "title", "kind", "source", "currency", "evidence")
MONTHS = ("first_month", "last_month")
LONGEST = 1_000


class PacksView(TenantAPIView):
    """`GET qbrs`: reviews by date; `state`, `account_id`, `due_from`, `due_by`."""

    scope = "read"

    @described(
        "qbrs_list",
        "List reviews by date",
        answer=page_of(PACK),
        parameters=[
            LIMIT,
            CURSOR,
            query("state", words(Pack.State.values)),
            ACCOUNT_ID,
            query("due_from", DATE),
            query("due_by", DATE),
        ],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """One page of packs, without what they say."""
        limit = page_limit(request)
        packs = Pack.objects.filter(tenant=self.tenant).select_related("account").defer("content")
        if state := choice(request, "state", Pack.State.values):
            packs = packs.filter(state=state)
        if account := text(request, "account_id"):
            packs = packs.filter(account__external_id=account)
        if first := day_parameter(request, "due_from"):
            packs = packs.filter(due_on__gte=first)
        if last := day_parameter(request, "due_by"):
            packs = packs.filter(due_on__lte=last)
        packs = packs.order_by("due_on", "pk")
        if cursor := request.query_params.get("cursor"):
            due_on, last_id = _place(cursor)
            packs = packs.filter(due_on__gte=due_on).exclude(due_on=due_on, pk__lte=last_id)
        page = list(packs[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        return Response(
            {
                "results": [pack_body(pack) for pack in page],
                "next": encode_cursor(page[-1].due_on, page[-1].pk) if more else None,
            }
        )


def _place(cursor: str) -> tuple[date, int]:
    due_on, last_id = decode_cursor(cursor, 2)
    try:
        if isinstance(last_id, bool) or not isinstance(last_id, int) or not 0 < last_id < 2**63:
            raise TypeError(last_id)
        return date.fromisoformat(due_on), last_id
    except (TypeError, ValueError) as error:
        raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.") from error


class PackView(TenantAPIView):
    """`GET qbrs/{id}`: a pack with what it says and the figures behind it."""

    scope = "read"

    @described(
        "qbrs_read",
        "Read a review with its figures",
        answer=WHOLE_PACK,
        parameters=[inpath("pack_id", INTEGER)],
        errors=[404],
    )
    def get(self, request: Request, pack_id: int) -> Response:
        """Sections as they are shown, and every figure with its hash."""
        pack = Pack.objects.filter(tenant=self.tenant, pk=pack_id).select_related("account").first()
        if pack is None:
            raise Http404
        ids = _figure_ids(pack)
        figures = Figure.objects.filter(tenant=self.tenant, pk__in=ids).select_related("account")
        bodies = {figure.pk: figure_body(figure) for figure in figures}
        return Response(
            {
                **pack_body(pack),
                "content": pack.content,
                "figures": [bodies[pk] for pk in ids if pk in bodies],
            }
        )


def _figure_ids(pack: Pack) -> tuple[int, ...]:
    return from_json(pack.content).figure_ids if pack.content else ()


class FigureView(TenantAPIView):
    """`GET figures/{id}`: a figure with everything that is needed to ask again."""

    scope = "read"

    @described(
        "figures_read",
        "Read an auditable figure",
        answer=FIGURE,
        parameters=[inpath("figure_id", INTEGER)],
        errors=[404],
    )
    def get(self, request: Request, figure_id: int) -> Response:
        """Query, parameters, moment, rows, value, hash."""
        return Response(figure_body(_figure(self, figure_id)))


class VerifyFigureView(TenantAPIView):
    """`POST figures/{id}/verify`: whether a figure still holds."""

    scope = "read"

    @described(
        "figures_verify",
        "Verify a figure",
        answer=VERDICT,
        parameters=[inpath("figure_id", INTEGER)],
        errors=[404],
        body=NO_BODY,
    )
    def post(self, request: Request, figure_id: int) -> Response:
        """Asks again for what is known now; the figure itself stays as it is."""
        figure = _figure(self, figure_id)
        return Response(verdict_body(figure, verify_figure(tenant=self.tenant, figure=figure)))


def _figure(view: TenantAPIView, figure_id: int) -> Figure:
    found = Figure.objects.filter(tenant=view.tenant, pk=figure_id).select_related("account").first()
    if found is None:
        raise Http404
    return found


class RoiView(TenantAPIView):
    """`GET roi` and `POST roi`: the register of proven value."""

    scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "write"}

    @described(
        "roi_list",
        "List proven value, the newest entry first",
        answer=page_of(ROI),
        parameters=[LIMIT, CURSOR, ACCOUNT_ID],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """One page of the register."""
        limit = page_limit(request)
        entries = RoiEntry.objects.filter(tenant=self.tenant, removed_at=None).select_related("account")
        if account := text(request, "account_id"):
            entries = entries.filter(account__external_id=account)
        if (last_id := before_id(request)) is not None:
            entries = entries.filter(pk__lt=last_id)
        page = list(entries.order_by("-pk")[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        return Response(
            {
                "results": [roi_body(entry) for entry in page],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )

    @described(
        "roi_create",
        "Add proven value",
        body=ROI_WISH,
        answer=ROI,
        status=201,
        errors=[400, 404],
    )
    def post(self, request: Request) -> Response:
        """An amount over months, with its source; it feeds the metric `roi_cents`."""
        wish = _wish(request.data)
        account = Account.objects.filter(
            tenant=self.tenant, external_id=current_name(wish.pop("account_id", ""))
        ).first()
        if account is None:
            fault = {"path": "account_id", "message": "There is no account with this id."}
            raise ApiError(404, "unknown_account", "There is no account with this account_id.", [fault])
        try:
            with translation.override("en"):
                made = save_entry(tenant=self.tenant, register="roi", account_id=account.pk, values=wish)
        except ValidationError as error:
            raise refused(error) from error
        assert isinstance(made, RoiEntry)
        return Response(roi_body(made), status=201)


def _wish(body: Any) -> dict[str, Any]:
    """The body, with every wrong field named."""
    if not isinstance(body, dict):
        raise ApiError(400, "invalid", "Send a JSON object.")
    known = ROI_WISH["properties"]
    faults = [{"path": str(name)[:200], "message": "Unknown field."} for name in body if name not in known]
    faults += [
        {"path": name, "message": "Missing."} for name in ROI_WISH.get("required", []) if name not in body
    ]
    wish = {name: value for name, value in body.items() if name in known}
    for name, value in list(wish.items()):
        problem, wish[name] = _read(name, value)
        if problem:
            faults.append({"path": name, "message": problem})
    if faults:
        raise ApiError(400, "invalid", "Some values are not valid.", faults)
    wish["figure"] = wish.pop("figure_id", None)
    return wish


def _read(name: str, value: Any) -> tuple[str, Any]:
    if name in TEXTS:
        good = isinstance(value, str) and "\0" not in value and len(value) <= 4 * LONGEST
        return "" if good else "Send text.", value
    if name in MONTHS:
        try:
            return "", date.fromisoformat(value)
        except (TypeError, ValueError):
            return "Send a date, YYYY-MM-DD; its month counts.", value
    if name == "figure_id" and value is None:
        return "", None
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**62
    return "" if whole else "Send a whole number.", value


def pack_body(pack: Pack) -> dict[str, Any]:
    """A pack as the API shows it."""
    return {
        "id": pack.pk,
        "account_id": pack.account.external_id,
        "due_on": pack.due_on,
        "number": pack.number,
        "state": pack.state,
        "language": pack.language,
        "version": pack.version,
        "period_first": pack.period_first,
        "period_last": pack.period_last,
        "as_of": pack.as_of,
        "sent_at": pack.sent_at,
        "held_on": pack.held_on,
        "skip_reason": pack.skip_reason or None,
    }


def figure_body(figure: Figure) -> dict[str, Any]:
    """A figure as the API shows it."""
    return {
        "id": figure.pk,
        "account_id": figure.account.external_id,
        "query": figure.query,
        "version": figure.version,
        "parameters": figure.parameters,
        "as_of": figure.as_of,
        "subject": figure.subject,
        "unit": figure.unit,
        "currency": figure.currency or None,
        "value": figure.value,
        "rows": figure.rows,
        "hash": figure.hash,
        "checked_at": figure.checked_at,
        "verdict": figure.verdict or None,
    }


def verdict_body(figure: Figure, verdict: Verdict) -> dict[str, Any]:
    """What verifying found."""
    return {
        "id": figure.pk,
        "verdict": verdict.state,
        "was": verdict.was,
        "now": verdict.now,
        "difference": verdict.difference,
        "reason": verdict.reason or None,
        "detail": verdict.detail or None,
    }


def roi_body(entry: RoiEntry) -> dict[str, Any]:
    """An entry of the register as the API shows it."""
    return {
        "id": entry.pk,
        "account_id": entry.account.external_id,
        "title": entry.title,
        "kind": entry.kind,
        "source": entry.source,
        "amount_cents": entry.amount_cents,
        "currency": entry.currency,
        "first_month": entry.first_month,
        "last_month": entry.last_month,
        "evidence": entry.evidence,
        "figure_id": entry.figure_id,
    }
