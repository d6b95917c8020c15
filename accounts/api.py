"""The API of accounts and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.aliases import current_name
from accounts.api_base import ApiError, TenantAPIView, decode_cursor, encode_cursor, page_limit
from accounts.api_descriptions import ACCOUNT, BULK_ANSWER, bulk_body, item_schema
from accounts.api_schema import CURSOR, LIMIT, STRING, described, inpath, page_of, query
from accounts.upserts import (
    MAX_ITEMS,
    Outcome,
    upsert_accounts,
    upsert_contacts,
    upsert_invoices,
    upsert_subscriptions,
    upsert_tickets,
)
from accounts.upserts.fields import Field
from accounts.upserts.resources import (
    ACCOUNT_FIELDS,
    CONTACT_FIELDS,
    INVOICE_FIELDS,
    SUBSCRIPTION_FIELDS,
    TICKET_FIELDS,
)

EXTERNAL_ID = inpath("external_id", {"type": "string", "maxLength": 200}, "what you call the account")
BULK_WORDS = (
    f"Up to {MAX_ITEMS} items. An item is created or changed; a key that is absent stays as it is, null clears it. "
    "Each item stands for itself: those with faults are in `rejected`, with their index."
)


class BulkView(TenantAPIView):
    """`POST {resource}/bulk`."""

    scope = "write"
    upsert: ClassVar[Callable[..., Outcome]]

    def post(self, request: Request) -> Response:
        """Store the items; one that is not valid does not keep the others out."""
        return Response(type(self).upsert(tenant=self.tenant, items=items_of(request.data)).as_json())


def items_of(body: Any, most: int = MAX_ITEMS) -> Sequence[Any]:
    """The items of a bulk body; raises `ApiError` 400 for a body of another shape."""
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        raise ApiError(
            400,
            "invalid",
            "Send an object with a list `items`.",
            [{"path": "items", "message": "must be a list"}],
        )
    strange = [name for name in body if name != "items"]
    if strange:
        raise ApiError(
            400,
            "invalid",
            "Only `items` may stand beside the items.",
            [{"path": name[:100], "message": "is not known here"} for name in strange[:20]],
        )
    items: list[Any] = body["items"]
    if len(items) > most:
        raise ApiError(
            400,
            "too_many_items",
            f"At most {most} items at once.",
            [{"path": "items", "message": f"has {len(items)} entries"}],
        )
    return items


def bulk_view(resource: str, upsert: Callable[..., Outcome], fields: Sequence[Field]) -> type[BulkView]:
    """The view class of one resource."""

    class View(BulkView):
        post = described(
            f"{resource}_bulk",
            f"Create or change {resource}",
            body=bulk_body(fields),
            answer=BULK_ANSWER,
            description=BULK_WORDS,
        )(lambda self, request: BulkView.post(self, request))

    View.upsert = upsert
    View.__name__ = View.__qualname__ = f"{resource.title()}BulkView"
    View.__doc__ = f"`POST {resource}/bulk`."
    return View


AccountsBulkView = bulk_view("accounts", upsert_accounts, ACCOUNT_FIELDS)
ContactsBulkView = bulk_view("contacts", upsert_contacts, CONTACT_FIELDS)
SubscriptionsBulkView = bulk_view("subscriptions", upsert_subscriptions, SUBSCRIPTION_FIELDS)
TicketsBulkView = bulk_view("tickets", upsert_tickets, TICKET_FIELDS)
InvoicesBulkView = bulk_view("invoices", upsert_invoices, INVOICE_FIELDS)


class AccountsView(TenantAPIView):
    """`GET accounts`."""

    @described(
        "accounts_list",
        "List accounts by external_id",
        answer=page_of(ACCOUNT),
        parameters=[
            LIMIT,
            CURSOR,
            query("segment", STRING),
            query("stage", STRING),
            query("plan", STRING),
            query("owner_email", STRING),
        ],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """A page of accounts."""
        limit = page_limit(request)
        cursor = request.query_params.get("cursor")
        after = decode_cursor(cursor, 1)[0] if cursor else ""
        if not isinstance(after, str):
            raise ApiError(400, "invalid_cursor", "Use the value of `next` as it came.")
        filters = {
            name: plain_text(name, request.query_params[name])
            for name in ("segment", "stage", "plan", "owner_email")
            if name in request.query_params
        }
        rows = selectors.accounts_as_json(
            self.tenant, after=plain_text("cursor", after), limit=limit + 1, **filters
        )
        page = rows[:limit]
        following = encode_cursor(page[-1]["external_id"]) if len(rows) > limit else None
        return Response({"results": page, "next": following})


class AccountView(TenantAPIView):
    """`GET` and `PUT accounts/{external_id}`."""

    scopes: ClassVar[dict[str, str]] = {"PUT": "write"}

    @described("accounts_get", "Read an account", answer=ACCOUNT, parameters=[EXTERNAL_ID], errors=[404])
    def get(self, request: Request, external_id: str) -> Response:
        """One account."""
        return Response(self._account(external_id))

    @described(
        "accounts_put",
        "Create or change an account",
        body=item_schema(ACCOUNT_FIELDS, without=("external_id",)),
        answer=ACCOUNT,
        also={201: ACCOUNT},
        parameters=[EXTERNAL_ID],
        description="A key that is absent stays as it is, null clears it.",
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Create or change it; 201 when it is new."""
        body = request.data
        if not isinstance(body, dict):
            raise ApiError(400, "invalid", "Send an object.", [{"path": "", "message": "must be an object"}])
        said = body.get("external_id", external_id)
        if said != external_id and not (isinstance(said, str) and current_name(said) == external_id):
            raise ApiError(
                400,
                "invalid",
                "The external_id of the body is not the one of the address.",
                [{"path": "external_id", "message": f"must be {external_id} or absent"}],
            )
        outcome = upsert_accounts(tenant=self.tenant, items=[{**body, "external_id": external_id}])
        for rejection in outcome.rejected:
            details = [{"path": fault.path, "message": fault.message} for fault in rejection.faults]
            raise ApiError(400, rejection.code, rejection.message, details)
        return Response(self._account(external_id.strip()), status=201 if outcome.created else 200)

    def _account(self, external_id: str) -> dict[str, Any]:
        found = selectors.accounts_as_json(self.tenant, external_id=plain_text("external_id", external_id))
        if not found:
            raise Http404
        return found[0]


def plain_text(name: str, value: str) -> str:
    """A text of the address that PostgreSQL can compare."""
    if "\x00" in value:
        raise ApiError(
            400, "invalid_text", f"{name} must not contain NUL.", [{"path": name, "message": "contains NUL"}]
        )
    return value
