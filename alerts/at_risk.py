"""Which accounts have something severe open, for the floors below that keep checklists."""

from __future__ import annotations

from accounts.models import Tenant
from alerts.models import Alert, Severity


def accounts_with_severe_alerts(tenant: Tenant) -> list[int]:
    """Ids of the accounts with an open or snoozed alert of high severity; one query."""
    open_states = (Alert.State.OPEN, Alert.State.SNOOZED)
    found = Alert.objects.filter(
        tenant=tenant, state__in=open_states, severity=Severity.HIGH, account__isnull=False
    )
    return list(found.values_list("account_id", flat=True).distinct().order_by("account_id"))
