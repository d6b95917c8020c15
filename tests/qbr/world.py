"""One of everything that reviews have, for the doors: each with words that must never be seen elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account, Tenant
from qbr.figures import record_figure
from qbr.models import Pack
from qbr.registers.services import save_entry
from qbr.services import add_action, prepare_pack, save_summary


def review_world(tenant: Tenant, account: Account, own: Callable[[str], str]) -> dict[str, Any]:
    """A draft with an action and figures, and a line of a register."""
    risk = save_entry(
        tenant=tenant, register="risk", account_id=account.pk, values={"title": own("Risk"), "severity": 3}
    )
    on = tenant.today() + timedelta(days=100)
    pack = prepare_pack(tenant=tenant, account_id=account.pk, due_on=on)
    save_summary(tenant=tenant, pack_id=pack.pk, title=own("Review"), summary=own("Summary"))
    action = add_action(tenant=tenant, pack_id=pack.pk, title=own("Action"), due_on=tenant.today())
    figure = _figure(tenant, account)
    assert Pack.objects.filter(pk=pack.pk, state="draft").exists()
    return {
        "review": pack.pk,
        "review_section": "risks",
        "review_action": action.pk,
        "figure": figure,
        "register": "risk",
        "register_line": risk.pk,
    }


def _figure(tenant: Tenant, account: Account) -> int:
    parameters = {"first": "2026-01-01", "last": "2026-01-31"}
    return record_figure(
        tenant=tenant,
        account=account,
        query="tickets_open",
        parameters=parameters,
        as_of=timezone.now(),
    ).pk
