"""What both ingest doors share: the bytes of a request, cross-origin answers, and the one row in the inbox."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from usage import inbox
from usage.wire import api, segment
from usage.wire.body import inflate
from usage.wire.shapes import MAX_BODY_BYTES, BadBody, Gated

API, SEGMENT = "api", "segment"
PREFLIGHT_SECONDS = 7200  # the longest that browsers keep
_TOO_LARGE = BadBody(413, "too_large", f"The body may have at most {MAX_BODY_BYTES} bytes.")


def buffer_chunks(request: HttpRequest) -> None:
    """Read a body that came in chunks, which Django takes for an empty one, so that `request.body` has it.

    Only where the server says that it marks the end of the stream, as gunicorn does.
    """
    environ = request.META
    if environ.get("CONTENT_LENGTH") or not environ.get("wsgi.input_terminated"):
        return
    try:
        request._body = environ["wsgi.input"].read(MAX_BODY_BYTES + 1)
    except OSError as error:
        raise BadBody(400, "incomplete", "The body ended too early.") from error


def body_of(request: HttpRequest) -> bytes:
    """The inflated body; raises `BadBody`."""
    try:
        raw = request.body
    except RequestDataTooBig:
        raise _TOO_LARGE from None
    except OSError as error:
        raise BadBody(400, "incomplete", "The body ended too early.") from error
    if len(raw) > MAX_BODY_BYTES:
        raise _TOO_LARGE
    return inflate(raw)


def take_events(*, tenant_id: int, body: bytes) -> tuple[str, Gated]:
    """Accept the body of `POST /api/v1/events`; the batch's id and what the gate let through."""
    received_at = timezone.now()
    gated = api.gate(body, received_at)
    batch = inbox.accept(tenant_id=tenant_id, door=API, source=API, gated=gated, received_at=received_at)
    return str(batch), gated


def take_messages(*, tenant_id: int, body: bytes, call: str) -> None:
    """Accept the body of a Segment call; what the gate refused waits in the quarantine, the sender need not know."""
    received_at = timezone.now()
    gated = segment.gate(body, received_at, call)
    inbox.accept(tenant_id=tenant_id, door=SEGMENT, source=SEGMENT, gated=gated, received_at=received_at)


def preflight() -> HttpResponse:
    """The answer to OPTIONS; `share` adds the origin."""
    return HttpResponse(
        headers={
            "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
            "Access-Control-Allow-Headers": "authorization, content-type, content-encoding, idempotency-key, x-retry-count",
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
    )


def share(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Let pages of any origin read the answer.

    Any origin may ask, with credentials too, because no cookie opens these doors: only a key does.
    """
    origin = request.headers.get("Origin")
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        patch_vary_headers(response, ["Origin"])
    return response
