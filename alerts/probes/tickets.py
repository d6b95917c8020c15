"""Probe over support tickets; the subject of its alerts is the ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
from django.db.models import Q

from accounts.models import Ticket
from alerts.conditions import waits_too_long
from alerts.lifecycle import Key
from alerts.params import TicketUnresolved

from .night import Evidence, Needs, Night, OpenAlert, Reading, number

HOUR = timedelta(hours=1)


def needs_ticket_unresolved(night: Night, params: TicketUnresolved) -> Needs:
    """Tickets only; they are read by themselves."""
    return Needs()


def probe_ticket_unresolved(
    night: Night, params: TicketUnresolved, watched: Mapping[Key, OpenAlert]
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
    late = {
        (rows[index][0], rows[index][1]): int(index)
        for index in np.flatnonzero(waits_too_long(hours, limit=params.hours))
    }

    def evidence_of(keys: Sequence[Key]) -> dict[Key, Evidence]:
        found = {}
        for key in keys:
            _account, subject, opened_at, severity, title = rows[late[key]]
            found[key] = {
                "ticket": subject,
                "title": title,
                "severity": severity,
                "opened_at": opened_at.isoformat(),
                "hours": number(round(hours[late[key]], 1)),
                "limit": number(params.hours),
            }
        return found

    # Late is late: an alert clears when its ticket is resolved or gone, not when the limit is raised.
    return Reading(set(late), set(watched) - still_open, evidence_of)
