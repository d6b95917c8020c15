"""A post to the tenant's Slack channel by its incoming webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import override, pgettext

from accounts.fence.scope import tenant_scope
from accounts.links import tenant_url
from accounts.models import Account, Tenant
from accounts.outbox import Channel, Refused, Settle
from accounts.sealing import unseal
from accounts.services import record_timeline
from outreach import http, timeline
from outreach.deciding import settings_of

GONE = (404, 410)  # Slack says so of a webhook that was taken away


def blocks_of(tenant: Tenant, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The post as Slack's blocks: what, about whom, and a button that leads there."""
    text = escaped(payload["text"])
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text[:2900]}},
    ]
    if payload.get("account_name"):
        said = f"*{escaped(payload['account_name'])}* · {escaped(tenant.name)}"
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": said[:2900]}]})
    if payload.get("url"):
        with override(tenant.language):
            label = pgettext("a button", "Open")
        button = {
            "type": "button",
            "text": {"type": "plain_text", "text": label},
            "url": payload["url"][:2900],
        }
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": text[:2900], "blocks": blocks}


def escaped(text: str) -> str:
    """Slack's three special characters; what people typed must not become a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def send_post(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> Settle | None:
    """Outbox handler: post it; nothing to do when the address was taken away meanwhile."""
    with tenant_scope(tenant):
        sealed = settings_of(tenant).slack_sealed
    if not sealed:
        return None
    post_blocks(unseal(sealed), blocks_of(tenant, payload))
    return partial(_mark, tenant, dict(payload)) if payload.get("account_id") else None


def post_blocks(address: str, blocks: Mapping[str, Any]) -> None:
    """Post to an address; raises `Refused` for one that takes nothing any more, else what makes the relay try again."""
    try:
        answer = http.post(
            address,
            body=json.dumps(blocks).encode(),
            headers={"Content-Type": "application/json; charset=utf-8"},
        )
    except http.Forbidden as error:
        raise Refused(str(error)) from error
    if answer.status in GONE or answer.status in (400, 403):
        raise Refused(f"Slack answered {answer.status}: {answer.excerpt[:200]}")
    if not 200 <= answer.status < 300:
        raise ConnectionError(f"Slack answered {answer.status}: {answer.excerpt[:200]}")


def _mark(tenant: Tenant, payload: Mapping[str, Any]) -> None:
    if Account.objects.filter(tenant=tenant, pk=payload["account_id"]).exists():
        record_timeline(
            tenant=tenant,
            account_id=payload["account_id"],
            kind=timeline.SLACK_SENT,
            at=timezone.now(),
            title=payload["text"],
        )


def here(tenant: Tenant, url: str) -> str:
    """An address that works outside: a path inside the tenant becomes whole."""
    return tenant_url(tenant).rstrip("/") + url if url.startswith("/") else url


CHANNEL = Channel(send_post, waits=(5.0, 60.0, 300.0, 1800.0, 7200.0))
