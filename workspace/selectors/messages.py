"""What was said to customers, and what is on its way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts.mail import EMAIL
from accounts.models import Account, Outbox, Tenant
from outreach.delivery import MESSAGE, WEBHOOK
from outreach.merge import merge
from outreach.models import Delivery, Message, Suppression, Template
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor


@dataclass(frozen=True)
class MessageFilter:
    """What the list of messages is narrowed to."""

    state: str = ""
    channel: str = ""

    def parameters(self) -> dict[str, str]:
        """What the address says."""
        return {name: value for name, value in (("state", self.state), ("channel", self.channel)) if value}


def read_message_filter(parameters: Mapping[str, str]) -> MessageFilter:
    """The filter of an address; what cannot be understood is left out."""
    state, channel = parameters.get("state", ""), parameters.get("channel", "")
    return MessageFilter(
        state=state if state in Message.State.values else "",
        channel=channel if channel in Message.Channel.values else "",
    )


@dataclass(frozen=True)
class MessagePage:
    """A page of messages."""

    rows: list[Message]
    total: int
    next_cursor: Cursor | None


def message_page(
    tenant: Tenant, wanted: MessageFilter, *, after: Cursor | None = None, limit: int = PAGE_SIZE
) -> MessagePage:
    """Messages to customers, newest first. Two queries."""
    found = Message.objects.filter(tenant=tenant)
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.channel:
        found = found.filter(channel=wanted.channel)
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None:
        found = found.filter(pk__lt=after.pk)
    rows = list(found.select_related("account", "contact").order_by("-pk")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    return MessagePage(rows, total, Cursor(None, rows[-1].pk) if more else None)


def message(tenant: Tenant, pk: int) -> Message | None:
    """One message with everybody who is on it."""
    related = ("account__owner__user", "contact", "sender__user", "template")
    return Message.objects.filter(tenant=tenant, pk=pk).select_related(*related).first()


def item_of_message(tenant: Tenant, pk: int) -> Outbox | None:
    """The outbox item of a message."""
    return Outbox.objects.filter(tenant=tenant, kind=MESSAGE, key=str(pk)).first()


@dataclass(frozen=True)
class OutboxFilter:
    """What the outbox is narrowed to."""

    state: str = ""
    kind: str = ""

    def parameters(self) -> dict[str, str]:
        """What the address says."""
        return {name: value for name, value in (("state", self.state), ("kind", self.kind)) if value}


def read_outbox_filter(parameters: Mapping[str, str], kinds: Mapping[str, object]) -> OutboxFilter:
    """The filter of an address; what cannot be understood is left out."""
    state, kind = parameters.get("state", ""), parameters.get("kind", "")
    return OutboxFilter(state if state in Outbox.State.values else "", kind if kind in kinds else "")


@dataclass(frozen=True)
class OutboxPage:
    """A page of the outbox, and how much of it needs somebody."""

    rows: list[Outbox]
    total: int
    next_cursor: Cursor | None
    failed: int
    lines: dict[int, str]  # what tells items of a kind apart, by the item's id


def outbox_page(
    tenant: Tenant, wanted: OutboxFilter, *, after: Cursor | None = None, limit: int = PAGE_SIZE
) -> OutboxPage:
    """What left or has to leave the house, newest first. Five queries."""
    found = Outbox.objects.filter(tenant=tenant)
    failed = found.filter(state=Outbox.State.FAILED)[: COUNT_CAP + 1].count()
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None:
        found = found.filter(pk__lt=after.pk)
    rows = list(found.order_by("-pk")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    return OutboxPage(
        rows, total, Cursor(None, rows[-1].pk) if more else None, failed, outbox_lines(tenant, rows)
    )


def outbox_lines(tenant: Tenant, rows: Sequence[Outbox]) -> dict[int, str]:
    """What each item is about. Two queries."""
    by_kind: dict[str, list[int]] = {MESSAGE: [], WEBHOOK: []}
    for item in rows:
        if item.kind in by_kind and item.key.isdecimal():
            by_kind[item.kind].append(int(item.key))
    mails = {
        found.pk: f"{merge(found.subject, found.merged)} → {found.address or found.account.name}"
        for found in Message.objects.filter(tenant=tenant, pk__in=by_kind[MESSAGE]).select_related("account")
    }
    hooks = {
        found.pk: f"{found.event.type} → {found.endpoint}"
        for found in Delivery.objects.filter(tenant=tenant, pk__in=by_kind[WEBHOOK]).select_related(
            "event", "endpoint"
        )
    }
    lines = {}
    for item in rows:
        if item.kind == MESSAGE:
            lines[item.pk] = mails.get(int(item.key), "")
        elif item.kind == WEBHOOK:
            lines[item.pk] = hooks.get(int(item.key), "")
        elif item.kind == EMAIL:
            lines[item.pk] = f"{item.payload.get('subject', '')} → {', '.join(item.payload.get('to', []))}"
        else:
            lines[item.pk] = str(item.payload.get("text", ""))
    return lines


def delivery_of_item(tenant: Tenant, item: Outbox) -> Delivery | None:
    """What a webhook's item delivers."""
    if item.kind != WEBHOOK or not item.key.isdecimal():
        return None
    return Delivery.objects.filter(tenant=tenant, pk=int(item.key)).first()


def outbox_item(tenant: Tenant, pk: int) -> Outbox | None:
    """One item."""
    return Outbox.objects.filter(tenant=tenant, pk=pk).first()


def templates(tenant: Tenant) -> list[Template]:
    """Every template, those in use first."""
    return list(Template.objects.filter(tenant=tenant).order_by("-active", "name", "pk")[:500])


@dataclass(frozen=True)
class SuppressionPage:
    """A page of addresses that get nothing."""

    rows: list[Suppression]
    total: int
    next_cursor: Cursor | None


def suppression_page(
    tenant: Tenant, *, search: str = "", after: Cursor | None = None, limit: int = PAGE_SIZE
) -> SuppressionPage:
    """Suppressed addresses, newest first; a search finds an address by its beginning. Two queries."""
    found = Suppression.objects.filter(tenant=tenant).select_related("by__user")
    if search:
        start = search.lower()
        found = found.filter(address__gte=start, address__lt=start + "\U0010ffff")
    total = found.order_by()[: COUNT_CAP + 1].count()
    if after is not None:
        found = found.filter(pk__lt=after.pk)
    rows = list(found.order_by("-pk")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    return SuppressionPage(rows, total, Cursor(None, rows[-1].pk) if more else None)


def account_for_preview(tenant: Tenant, text: str) -> Account | None:
    """The account that somebody typed by external id or the beginning of its name; else the one that pays most."""
    found = Account.objects.filter(tenant=tenant).select_related("owner__user")
    if text:
        start = text.lower()
        named = found.filter(
            Q(external_id=text) | Q(name_search__gte=start, name_search__lt=start + "\U0010ffff")
        )
        return named.order_by("name_search", "id").first()
    return found.filter(churned_on=None).order_by("-mrr_cents", "-id").first()
