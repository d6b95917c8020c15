"""The relay: what the business transaction wrote into the outbox leaves the house here.

At least once: a receiver may see an item again after a kill, with the same key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Outbox, Tenant

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 6
BACKOFF_SECONDS = (5, 60, 300, 1800, 7200)
Handler = Callable[[Tenant, str, Mapping[str, Any]], None]
_handlers: dict[str, Handler] = {}


def register_outbox_handler(kind: str, handler: Handler) -> None:
    """Make a kind of item known: `handler(tenant, key, payload)` sends it or raises."""
    _handlers[kind] = handler


def send_to_outbox(*, tenant: Tenant, kind: str, key: str, payload: Mapping[str, Any]) -> None:
    """Write an item down once, inside the business transaction; the same kind and key is sent once."""
    Outbox.objects.bulk_create(
        [Outbox(tenant=tenant, kind=kind, key=key, payload=dict(payload))], ignore_conflicts=True
    )


def relay_outbox(tenant: Tenant) -> int:
    """Send what is due; the attempt is counted in its own commit before the sending. Returns how many were sent."""
    sent = 0
    while True:
        with tenant_scope(tenant):
            item = (
                Outbox.objects.select_for_update(skip_locked=True)
                .filter(state=Outbox.State.WAITING, next_at__lte=timezone.now())
                .order_by("next_at", "id")
                .first()
            )
            if item is None:
                return sent
            wait = BACKOFF_SECONDS[min(item.attempts, len(BACKOFF_SECONDS) - 1)]
            item.attempts += 1
            item.next_at = timezone.now() + timedelta(seconds=wait)
            item.save(update_fields=["attempts", "next_at"])
        error = _send(tenant, item)
        with tenant_scope(tenant):
            if error is None:
                sent += 1
                Outbox.objects.filter(pk=item.pk).update(
                    state=Outbox.State.SENT, sent_at=timezone.now(), error=""
                )
            else:
                state = Outbox.State.FAILED if item.attempts >= MAX_ATTEMPTS else Outbox.State.WAITING
                Outbox.objects.filter(pk=item.pk).update(state=state, error=error[:500])


def _send(tenant: Tenant, item: Outbox) -> str | None:
    """The error text, or None when the handler sent it."""
    handler = _handlers.get(item.kind)
    if handler is None:
        return f"Nobody sends items of the kind {item.kind}."
    try:
        handler(tenant, item.key, item.payload)
    except Exception as error:
        logger.exception("Outbox item %s (%s) of tenant %s was not sent", item.pk, item.kind, tenant.slug)
        return f"{type(error).__name__}: {error}"
    return None


def send_email(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> None:
    """Handler of the kind `email`: `{"to": [...], "subject", "text", "html"?}`."""
    message = EmailMultiAlternatives(
        payload["subject"],
        payload["text"],
        to=payload["to"],
        headers={"Message-ID": f"<{tenant.slug}.{key}@cs-platform>"},
    )
    if payload.get("html"):
        message.attach_alternative(payload["html"], "text/html")
    message.send()
