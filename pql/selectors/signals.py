"""The signals of one account, day by day and person by person."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.db import connection

from accounts.models import Contact, Tenant
from pql.models import Signal
from usage.matching import normal

SHOWN_DAYS = 90
MOST_ROWS = 40


@dataclass(frozen=True)
class SignalDay:
    """A signal on a day: how often, and by whom where that is known."""

    day: date
    signal: Signal
    times: int
    contact: Contact | None


EVENTS_SQL = """
SELECT day, name, contact_id, count(*) FROM usage_event
WHERE tenant_id = %(tenant)s AND account_id = %(account)s AND day > %(day)s::date - %(back)s
GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3
"""


def signal_days(tenant: Tenant, account_id: int, today: date) -> list[SignalDay]:
    """Signals of the last 90 days that came as events, the newest first: three queries."""
    signals = list(Signal.objects.filter(tenant=tenant, active=True).order_by("position", "id"))
    named: dict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        for event in signal.events:
            named[normal(event)].append(signal)
    with connection.cursor() as cursor:
        cursor.execute(
            EVENTS_SQL, {"tenant": tenant.pk, "account": account_id, "day": today, "back": SHOWN_DAYS}
        )
        rows = cursor.fetchall()
    times: dict[tuple[date, int, int | None], int] = defaultdict(int)
    by_id = {signal.pk: signal for signal in signals}
    for day, name, contact_id, count in rows:
        for signal in named.get(normal(name), ()):
            times[day, signal.pk, contact_id] += count
    shown = list(times.items())[:MOST_ROWS]
    contacts = Contact.objects.filter(tenant=tenant).in_bulk(
        [c for (_d, _s, c), _n in shown if c is not None]
    )
    return [
        SignalDay(day, by_id[signal_id], count, contacts.get(contact_id) if contact_id else None)
        for (day, signal_id, contact_id), count in shown
    ]
