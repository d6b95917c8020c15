"""How alerts reach people besides the inbox, which always has them."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Account, Outbox, Tenant
from alerts.mail import alert_mail
from alerts.models import Channel
from alerts.probes import Night

from .writing import Change, Opened


def deliver(night: Night, opened: Sequence[Opened], changes: Sequence[Change]) -> None:
    """Write the mails of rules that ask for them, for alerts that go to a person."""
    _mail(night.tenant, [a for a in opened if a.person_reason and Channel.EMAIL in a.rule.channels])


def _mail(tenant: Tenant, wanted: Sequence[Opened]) -> None:
    if not wanted:
        return
    owners = {
        pk: (name, address)
        for pk, name, address in Account.objects.filter(
            tenant=tenant, pk__in={a.account_id for a in wanted}, owner__is_active=True
        ).values_list("pk", "name", "owner__user__email")
    }
    Outbox.objects.bulk_create(
        (
            Outbox(
                tenant=tenant,
                kind="email",
                key=f"alert-{alert.id}",
                payload=alert_mail(
                    tenant,
                    alert,
                    account_name=owners[alert.account_id][0],
                    address=owners[alert.account_id][1],
                ),
            )
            for alert in wanted
            if alert.account_id in owners
        ),
        ignore_conflicts=True,
    )
