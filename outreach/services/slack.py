"""Posting to the tenant's Slack channel, and where that is."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Tenant
from accounts.outbox import send_to_outbox
from accounts.sealing import seal
from accounts.services import record_audit
from outreach import http
from outreach.deciding import settings_of
from outreach.delivery import SLACK
from outreach.delivery.slack import here
from outreach.keys import short_key
from outreach.models import OutreachSettings
from outreach.words import refusal


def post_to_slack(
    *, tenant: Tenant, text: str, url: str = "", dedupe_key: str, account: Account | None = None
) -> bool:
    """Write a post down once; False when the tenant has set no Slack address."""
    if not settings_of(tenant).slack_sealed:
        return False
    payload: dict[str, object] = {"text": text[:2900], "url": here(tenant, url) if url else ""}
    if account is not None:
        payload |= {"account_id": account.pk, "account_name": account.name}
    send_to_outbox(tenant=tenant, kind=SLACK, key=short_key(dedupe_key), payload=payload, lane="slack")
    return True


def set_slack_address(*, tenant: Tenant, actor: Membership | None, address: str) -> OutreachSettings:
    """Keep the incoming webhook sealed (it is a secret and is never shown again); an empty one takes it away."""
    choices = settings_of(tenant)
    before = choices.slack_host
    address = address.strip()
    if address:
        try:
            http.check_reachable(address)
        except http.Forbidden as error:
            raise ValidationError({"address": refusal(error)}) from error
    choices.slack_sealed = seal(address) if address else ""
    choices.slack_host = (urlsplit(address).hostname or "") if address else ""
    choices.slack_set_at = timezone.now() if address else None
    choices.save()
    record_audit(
        tenant=tenant,
        actor=actor,
        action="slack.address_changed" if address else "slack.address_removed",
        target="slack",
        before={"host": before},
        after={"host": choices.slack_host},
    )
    return choices


def try_slack(*, tenant: Tenant, member: Membership) -> None:
    """Post a test; what came back is on the page of what was sent. Raises a ValidationError without an address."""
    said = _("%(name)s tries the connection to %(tenant)s.") % {"name": member, "tenant": tenant.name}
    key = f"test-{uuid.uuid4()}"
    if not post_to_slack(tenant=tenant, text=said, url="/", dedupe_key=key):
        raise ValidationError(_("Set the address first."))
