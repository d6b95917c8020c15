"""Probe over support tickets; the subject of its alerts is the ticket."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from django.db.models import Q

from accounts.models import Ticket
from alerts.conditions import waits_too_long
from alerts.params import TicketUnresolved

from .night import Key, Night, OpenAlert, Reading, number

HOUR = timedelta(hours=1)


def probe_ticket_unresolved(
    night: Night, params: TicketUnresolved, open_alerts: dict[Key, OpenAlert]
) -> Reading:
    """Tickets that had waited longer than the limit when the day ended, as they were known then."""
    moment = night.known_until
    rows = list(
        Ticket.objects.filter(
            Q(resolved_at=None) | Q(resolved_at__gt=moment),
            tenant=night.tenant,
            opened_at__lt=moment,
            received_at__lte=moment,
        ).values_list("account_id", "external_id", "opened_at", "severity", "title")
    )
    still_open = {(account_id, subject) for account_id, subject, *_rest in rows}
    hours = np.array([(moment - opened_at) / HOUR for _a, _s, opened_at, *_rest in rows], dtype=np.float64)
    late = np.flatnonzero(waits_too_long(hours, limit=params.hours))
    fires = {}
    for index in late:
        account_id, subject, opened_at, severity, title = rows[index]
        if account_id in night.account_ids:
            fires[account_id, subject] = {
                "ticket": subject,
                "title": title,
                "severity": severity,
                "opened_at": opened_at.isoformat(),
                "hours": number(round(hours[index], 1)),
                "limit": number(params.hours),
            }
    # Late is late: an alert clears when its ticket is resolved or gone, not when the limit is raised.
    return Reading(fires, set(open_alerts) - still_open)
