"""The API of leads: the list, accepting, rejecting, converting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import override
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import get_or_404
from accounts.api_base import ApiError, TenantAPIView, encode_cursor, page_limit
from accounts.api_json import OrjsonRenderer
from accounts.api_schema import (
    BOOLEAN,
    CURSOR,
    DATE,
    INTEGER,
    LIMIT,
    MOMENT,
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
from accounts.csv_text import csv_lines
from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from playbooks.api import ACCOUNT_ID, before_id, choice, text, words
from scoring.bands import BAND_NAMES

from .export import export_header, export_row
from .models import Lead
from .selectors.board import LeadFacts, export_rows, lead_facts, leads_of
from .services import accept_lead, convert_lead, reject_lead

BANDS = BAND_NAMES["pql"]
REASON: Schema = {"type": "string", "enum": Lead.Reason.values}
LEAD = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "account": STRING,
        "state": {"type": "string", "enum": Lead.State.values},
        "cause": {"type": "string", "enum": Lead.Cause.values},
        "score": nullable(NUMBER),
        "band": {"type": "string", "enum": list(BANDS)},
        "experienced_value_on": nullable(DATE),
        "signals": listing(record({"name": STRING, "kind": STRING, "on": DATE, "points": NUMBER})),
        "opened_on": DATE,
        "due_at": MOMENT,
        "overdue": BOOLEAN,
        "first_action_at": nullable(MOMENT),
        "owner": nullable(STRING),
        "handed_to": nullable(STRING),
        "reason": nullable(REASON),
        "note": nullable(STRING),
        "closed_on": nullable(DATE),
    }
)
CSV_WORDS = (
    "With `format=csv` or `Accept: text/csv` the answer is a CSV file (UTF-8 with a byte order mark) of all leads that the "
    "filters leave, without pages: lead, external id, name, state, why it is here, score when opened, score now, signals, "
    "experienced value on, opened, first action due, first action, owner, handed to, reason, note, plan, seats, MRR, "
    "currency."
)
FORMAT: Schema = {"type": "string", "enum": ["json", "csv"], "default": "json"}
LEAD_ID = inpath("lead_id", INTEGER)


class CsvRenderer(BaseRenderer):
    """Lets `format=csv` and `Accept: text/csv` be asked for; the view streams the file itself."""

    media_type = "text/csv"
    format = "csv"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """Nothing but a stream is ever sent as CSV."""
        raise TypeError("A page of leads was to be written as CSV.")


class LeadsView(TenantAPIView):
    """`GET leads`: the newest first; `state` (all unless said otherwise), `account_id`, `cause`; as JSON or as CSV."""

    scope = "read"
    renderer_classes = (OrjsonRenderer, CsvRenderer)

    @described(
        "leads_list",
        "List leads, the newest first",
        answer=page_of(LEAD),
        parameters=[
            LIMIT,
            CURSOR,
            query("state", words(Lead.State.values)),
            ACCOUNT_ID,
            query("cause", words(Lead.Cause.values)),
            query("format", FORMAT, "csv: a file of all of them."),
        ],
        errors=[400],
        description=CSV_WORDS,
    )
    def get(self, request: Request) -> Response | StreamingHttpResponse:
        """One page of leads, or all of them as a file."""
        limit = page_limit(request)
        found = leads_of(
            self.tenant,
            state=choice(request, "state", Lead.State.values),
            account=text(request, "account_id"),
            cause=choice(request, "cause", Lead.Cause.values),
        )
        if getattr(request.accepted_renderer, "format", "") == CsvRenderer.format:
            return _file(self.tenant, found)
        if (last_id := before_id(request)) is not None:
            found = found.filter(id__lt=last_id)
        page = list(found[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        facts = lead_facts(self.tenant, {lead.account_id for lead in page})
        return Response(
            {
                "results": [lead_body(lead, facts[lead.account_id]) for lead in page],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )

    def handle_exception(self, exc: Exception) -> Response:
        """An error is JSON, also where a file was asked for."""
        self.request.accepted_renderer = OrjsonRenderer()
        self.request.accepted_media_type = OrjsonRenderer.media_type
        return super().handle_exception(exc)


def _file(tenant: Tenant, found: QuerySet[Lead]) -> StreamingHttpResponse:
    """The columns of the page's export, in English whoever asks."""

    def lines() -> Iterator[str]:
        # The request's transaction is over when the stream is read.
        with tenant_scope(tenant), override("en"):
            rows = (export_row(lead, facts) for lead, facts in export_rows(tenant, found))
            yield from csv_lines(export_header(), rows)

    name = f"leads-{tenant.slug}-{tenant.today().isoformat()}.csv"
    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class AcceptLeadView(TenantAPIView):
    """`POST leads/{id}/accept` with `{}`."""

    scope = "write"

    @described(
        "leads_accept",
        "Accept a lead; one that is accepted already stays as it is",
        body=record({}, closed=True),
        answer=LEAD,
        parameters=[LEAD_ID],
        errors=[404],
    )
    def post(self, request: Request, lead_id: int) -> Response:
        """Accept the lead and answer with it."""
        _fields(request)
        get_or_404(Lead, pk=lead_id)
        try:
            accept_lead(tenant=self.tenant, lead_id=lead_id)
        except ValidationError as error:
            raise _refused(error) from error
        return _answer(self, lead_id)


class RejectLeadView(TenantAPIView):
    """`POST leads/{id}/reject` with `{"reason", "note"}`."""

    scope = "write"

    @described(
        "leads_reject",
        "Reject a lead with a reason; `other` needs a note",
        body=record({"reason": REASON, "note": STRING}, ["reason"], closed=True),
        answer=LEAD,
        parameters=[LEAD_ID],
        errors=[404],
    )
    def post(self, request: Request, lead_id: int) -> Response:
        """Reject the lead and answer with it."""
        body = _fields(request, "reason", "note")
        if "reason" not in body:
            raise _invalid([{"path": "reason", "message": "Required."}])
        get_or_404(Lead, pk=lead_id)
        try:
            reject_lead(tenant=self.tenant, lead_id=lead_id, reason=body["reason"], note=body.get("note", ""))
        except ValidationError as error:
            raise _refused(error) from error
        return _answer(self, lead_id)


class ConvertLeadView(TenantAPIView):
    """`POST leads/{id}/convert` with `{"note", "to_contract"}`."""

    scope = "write"

    @described(
        "leads_convert",
        "Say that a lead bought; `to_contract` also makes the account's plan a contract",
        body=record({"note": STRING, "to_contract": BOOLEAN}, [], closed=True),
        answer=LEAD,
        parameters=[LEAD_ID],
        errors=[404],
    )
    def post(self, request: Request, lead_id: int) -> Response:
        """Convert the lead and answer with it."""
        body = _fields(request, "note", flags=("to_contract",))
        get_or_404(Lead, pk=lead_id)
        try:
            convert_lead(
                tenant=self.tenant,
                lead_id=lead_id,
                note=body.get("note", ""),
                to_contract=body.get("to_contract", False),
            )
        except ValidationError as error:
            raise _refused(error) from error
        return _answer(self, lead_id)


def _fields(request: Request, *texts: str, flags: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body's fields; raises `ApiError` 400 that names every wrong one."""
    body = request.data
    if not isinstance(body, dict):
        raise ApiError(400, "invalid", "Send a JSON object.")
    details = [{"path": name, "message": "Unknown field."} for name in body if name not in (*texts, *flags)]
    details += [
        {"path": name, "message": "Send text."}
        for name in texts
        if name in body and not isinstance(body[name], str)
    ]
    details += [
        {"path": name, "message": "Send true or false."}
        for name in flags
        if name in body and not isinstance(body[name], bool)
    ]
    if details:
        raise _invalid(details)
    return body


def _invalid(details: list[dict[str, str]]) -> ApiError:
    return ApiError(400, "invalid", "Some values are not valid.", details)


def _refused(error: ValidationError) -> ApiError:
    """A closed lead is a conflict, a wrong value a bad request."""
    if getattr(error, "code", None) == "closed":
        return ApiError(409, "closed", " ".join(error.messages))
    return _invalid(
        [
            {"path": name, "message": message}
            for name, messages in error.message_dict.items()
            for message in messages
        ]
    )


def _answer(view: TenantAPIView, lead_id: int) -> Response:
    lead = leads_of(view.tenant).filter(pk=lead_id).first()
    if lead is None:
        raise Http404
    return Response(lead_body(lead, lead_facts(view.tenant, [lead.account_id])[lead.account_id]))


def lead_body(lead: Lead, facts: LeadFacts) -> dict[str, Any]:
    """A lead as the API shows it."""
    standing = facts.standing
    return {
        "id": lead.pk,
        "account_id": lead.account.external_id,
        "account": lead.account.name,
        "state": lead.state,
        "cause": lead.cause,
        "score": lead.score,
        "band": BANDS[lead.band],
        "experienced_value_on": standing.activated_on if standing else None,
        "signals": [{"name": s.name, "kind": s.kind, "on": s.on, "points": s.points} for s in facts.signals],
        "opened_on": lead.opened_on,
        "due_at": lead.due_at,
        "overdue": lead.state == Lead.State.NEW and lead.due_at < timezone.now(),
        "first_action_at": lead.first_action_at,
        "owner": lead.owner.user.email if lead.owner else None,
        "handed_to": lead.handoff_to or None,
        "reason": lead.reject_reason or None,
        "note": lead.close_note or None,
        "closed_on": lead.closed_on,
    }
