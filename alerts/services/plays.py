"""The plays that new alerts start."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from alerts.models import Rule
from alerts.probes import Night
from playbooks.selectors import plays_by_component
from playbooks.services import RunStart, start_runs

from .writing import Opened

LINK_SQL = """
UPDATE alerts_alert a SET run_id = link.run FROM unnest(%s::bigint[], %s::bigint[]) AS link(alert, run)
WHERE a.tenant_id = %s AND a.id = link.alert
"""


def start_plays(night: Night, opened: Sequence[Opened]) -> int:
    """Start the play of each new alert; one that already runs at the account is only linked."""
    by_component = (
        plays_by_component(night.tenant) if any(a.rule.play == Rule.Play.WEAKEST for a in opened) else {}
    )
    starts = []
    for alert in opened:
        key = alert.rule.play_key
        if alert.rule.play == Rule.Play.WEAKEST:
            key = by_component.get(alert.evidence.get("weakest", ""), key)
        if alert.rule.play != Rule.Play.NONE and key and alert.account_id is not None:
            starts.append(RunStart(key, alert.account_id, alert.id))
    runs = start_runs(tenant=night.tenant, starts=starts, started_on=night.day)
    if not runs:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            LINK_SQL,
            [[start.alert_id for start in runs], [run.pk for run in runs.values()], night.tenant.pk],
        )
    return sum(run.alert_id == start.alert_id for start, run in runs.items())
