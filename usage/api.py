"""The API of usage: events in, receipts, pushed values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import BULK_WORDS, items_of
from accounts.api_base import ApiError, TenantAPIView
from accounts.api_descriptions import BULK_ANSWER
from accounts.api_schema import DATE, INTEGER, NUMBER, STRING, described, inpath, listing, nullable, record
from usage import inbox
from usage.door import body_of, buffer_chunks, preflight, share, take_events
from usage.services import push_metric_values
from usage.wire.shapes import MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_EVENTS, BadBody

ID = {"type": ["string", "integer", "null"], "maxLength": 200}
EVENT = record(
    {
        "event": {"type": "string", "minLength": 1, "maxLength": 200},
        "account_id": ID,
        "user_id": ID,
        "anonymous_id": ID,
        "occurred_at": {
            "type": ["string", "number", "null"],
            "description": "ISO 8601, or Unix seconds or milliseconds; the time of receipt where it is absent.",
        },
        "event_id": ID | {"description": "Your id of the event; sent again it is stored once."},
        "feature": ID,
        "properties": {"type": ["object", "null"], "additionalProperties": True},
    },
    ["event"],
)
REJECTED = listing(record({"index": INTEGER, "code": STRING, "message": STRING}))
ACCEPTED = record(
    {"batch_id": {"type": "string", "format": "uuid"}, "accepted": INTEGER, "rejected": REJECTED}
)
RECEIPT = record(
    {
        "state": {"type": "string", "enum": ["received", "done", "failed"]},
        "stored": INTEGER,
        "duplicates": INTEGER,
        "quarantined": INTEGER,
        "unassigned": INTEGER,
    }
)
PUSHED = record(
    {
        "account_id": {"type": "string", "maxLength": 200},
        "metric": {"type": "string", "description": "Key of a metric of the kind pushed."},
        "day": DATE,
        "value": nullable(NUMBER) | {"description": "null clears it."},
        "key": {"type": ["string", "null"], "maxLength": 200, "description": "Of the metric's dimension."},
    },
    ["account_id", "metric", "day", "value"],
)
EVENT_WORDS = (
    f"Up to {MAX_EVENTS:,} events and {MAX_BODY_BYTES:,} bytes after inflating (gzip is recognised by its first bytes), "
    f"{MAX_EVENT_BYTES:,} bytes each. A 200 means that the batch is on disk; the events are counted within a minute. "
    "An event that is not valid is in `rejected` and in the quarantine; the others are taken."
)


class EventsView(TenantAPIView):
    """`POST events`."""

    scope = "ingest"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Browsers may send from pages of any origin."""
        return share(
            request,
            preflight() if request.method == "OPTIONS" else super().dispatch(request, *args, **kwargs),
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A body in chunks is read before anybody looks at it."""
        buffer_chunks(request._request)
        super().initial(request, *args, **kwargs)

    @described(
        "events_send",
        "Send events",
        body=record({"events": listing(EVENT, most=MAX_EVENTS)}),
        answer=ACCEPTED,
        description=EVENT_WORDS,
    )
    def post(self, request: Request) -> Response:
        """Take a batch."""
        try:
            batch_id, gated = take_events(tenant_id=self.tenant.pk, body=body_of(request._request))
        except BadBody as error:
            raise ApiError(error.status, error.code, error.message) from error
        rejected = [{"index": one.index, "code": one.code, "message": one.message} for one in gated.rejected]
        return Response({"batch_id": batch_id, "accepted": gated.count, "rejected": rejected})


class BatchView(TenantAPIView):
    """`GET batches/{id}`."""

    scope = "ingest"

    @described(
        "batches_get",
        "Read the receipt of a batch",
        answer=RECEIPT,
        parameters=[
            inpath("batch_id", {"type": "string", "format": "uuid"}, "from the answer to `POST events`")
        ],
        errors=[404],
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        """What became of a batch."""
        state = inbox.batch_state(tenant_id=self.tenant.pk, batch_id=batch_id)
        if state is None:
            raise Http404
        return Response(state)


class MetricsBulkView(TenantAPIView):
    """`POST metrics/bulk`."""

    scope = "ingest"

    @described(
        "metrics_bulk",
        "Push values of metrics",
        body=record({"items": listing(PUSHED, most=1000)}, closed=True),
        answer=BULK_ANSWER,
        description=BULK_WORDS,
    )
    def post(self, request: Request) -> Response:
        """Store the values; one that is not valid does not keep the others out."""
        return Response(asdict(push_metric_values(tenant=self.tenant, items=items_of(request.data))))
