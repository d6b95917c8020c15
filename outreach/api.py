"""The API of messages in the product: what to show, and what became of it."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import plain_text
from accounts.api_base import ApiError, TenantAPIView, decode_cursor, encode_cursor, page_limit
from accounts.api_schema import (
    CURSOR,
    INTEGER,
    LIMIT,
    MOMENT,
    STRING,
    described,
    inpath,
    nullable,
    page_of,
    query,
    record,
)
from outreach.formatting import as_html, as_text
from outreach.merge import merge
from outreach.models import Message
from outreach.selectors import in_app_messages
from outreach.services.messaging import SEEN, report_in_app

MESSAGE = record(
    {
        "id": INTEGER,
        "account_id": STRING,
        "user_id": nullable(STRING),
        "state": {"type": "string", "enum": Message.State.values},
        "language": {"type": "string", "enum": ["en", "es"]},
        "title": STRING,
        "text": STRING,
        "html": STRING,
        "action_url": nullable(STRING),
        "created_at": MOMENT,
        "shown_at": nullable(MOMENT),
        "clicked_at": nullable(MOMENT),
        "dismissed_at": nullable(MOMENT),
    }
)
REPORT = record({"event": {"type": "string", "enum": list(SEEN)}}, closed=True)


class MessagesView(TenantAPIView):
    """`GET messages`: what the product should show, the oldest first; `account_id`, `user_id`."""

    scope = "read"

    @described(
        "messages_list",
        "List messages to show in your product, the oldest first",
        answer=page_of(MESSAGE),
        parameters=[
            LIMIT,
            CURSOR,
            query("account_id", STRING, "external id of an account"),
            query("user_id", STRING, "what is for this user and for everybody of the user's account"),
        ],
        errors=[400],
        description="Messages that nobody clicked or dismissed yet. The HTML has links, lists and emphasis only.",
    )
    def get(self, request: Request) -> Response:
        """One page of messages."""
        limit = page_limit(request)
        after = 0
        if cursor := request.query_params.get("cursor"):
            (after,) = decode_cursor(cursor, 1)
            if not isinstance(after, int) or not 0 <= after < 2**63:
                raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.")
        found = in_app_messages(
            self.tenant,
            account=plain_text("account_id", request.query_params.get("account_id", "")),
            user=plain_text("user_id", request.query_params.get("user_id", "")),
            after=after,
            limit=limit + 1,
        )
        more, page = len(found) > limit, found[:limit]
        return Response(
            {
                "results": [message_body(message) for message in page],
                "next": encode_cursor(page[-1].pk) if more else None,
            }
        )


class MessageReportView(TenantAPIView):
    """`POST messages/{id}/report` with `{"event": "shown"}`."""

    scope = "write"

    @described(
        "messages_report",
        "Say that a message was shown, clicked or dismissed; the first of each counts",
        body=REPORT,
        answer=MESSAGE,
        parameters=[inpath("message_id", INTEGER)],
        errors=[404],
    )
    def post(self, request: Request, message_id: int) -> Response:
        """Note it and answer with the message."""
        data = request.data
        what = data.get("event") if isinstance(data, dict) else None
        if not isinstance(what, str) or what not in SEEN or set(data) != {"event"}:
            raise ApiError(
                400,
                "invalid",
                f"Send an event: {', '.join(SEEN)}.",
                [{"path": "event", "message": "unknown"}],
            )
        try:
            report_in_app(tenant=self.tenant, message_id=message_id, what=what, at=timezone.now())
        except (Message.DoesNotExist, OverflowError) as error:
            raise Http404 from error
        message = Message.objects.select_related("account", "contact").get(tenant=self.tenant, pk=message_id)
        return Response(message_body(message))


def message_body(message: Message) -> dict[str, Any]:
    """A message in the words of the API, with its merge fields filled."""
    return {
        "id": message.pk,
        "account_id": message.account.external_id,
        "user_id": message.contact.user_id if message.contact else None,
        "state": message.state,
        "language": message.language,
        "title": merge(message.subject, message.merged),
        "text": as_text(message.body, message.merged),
        "html": as_html(message.body, message.merged),
        "action_url": message.action_url or None,
        "created_at": message.created_at,
        "shown_at": message.shown_at,
        "clicked_at": message.clicked_at,
        "dismissed_at": message.dismissed_at,
    }
