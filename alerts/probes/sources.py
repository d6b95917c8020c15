"""Probe over sources: one that went quiet. Its alert is about no account; the subject is the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connection

from alerts.lifecycle import Key
from alerts.params import SourceQuiet

from .night import SILENT_IS_ZERO, Evidence, Needs, Night, OpenAlert, Reading

ANY_EVENT = "all_events"

# Quiet: it delivered within the look-back, not within its hours before the day's end, and there is a metric whose silence
# would be zero and that no fresh source delivers in its place.
QUIET_SQL = """
WITH last AS (
  SELECT s.id, s.key, s.name, max(d.received_on) AS received_on, (s.fresh_hours + 23) / 24 + 1 AS patience
  FROM usage_source s JOIN usage_source_day d ON d.tenant_id = s.tenant_id AND d.source_id = s.id
  WHERE s.tenant_id = %(tenant)s AND d.received_on <= %(day)s
  GROUP BY s.id, s.key, s.name, s.fresh_hours
)
SELECT last.key, last.name, last.received_on,
       last.received_on <= %(day)s - last.patience AND last.received_on > %(day)s::date - %(look_back)s AS quiet,
       array_agg(m.key ORDER BY m.key) FILTER (
         WHERE m.kind = ANY(%(counted)s) AND NOT (m.id = ANY(%(delivered)s))) AS silent
FROM last
LEFT JOIN usage_source_metric sm ON sm.tenant_id = %(tenant)s AND sm.source_id = last.id AND sm.first_on <= %(day)s
LEFT JOIN usage_metric m ON m.tenant_id = sm.tenant_id AND m.id = sm.metric_id AND m.active
GROUP BY last.key, last.name, last.received_on, last.patience
"""


def needs_source_quiet(night: Night, params: SourceQuiet) -> Needs:
    """Days of receipt only; they are read by themselves."""
    return Needs()


def probe_source_quiet(night: Night, params: SourceQuiet, watched: Mapping[Key, OpenAlert]) -> Reading:
    """Sources that stopped delivering what nobody else delivers; resolves when they deliver again."""
    with connection.cursor() as cursor:
        cursor.execute(
            QUIET_SQL,
            {
                "tenant": night.tenant.pk,
                "day": night.day,
                "look_back": params.forget_days,
                "counted": sorted(SILENT_IS_ZERO),
                "delivered": sorted(night.delivered),
            },
        )
        rows = {
            key: (name, last, metrics)
            for key, name, last, quiet, metrics in cursor.fetchall()
            if quiet and metrics
        }
    fires = {(0, key) for key in rows}

    def evidence_of(keys: Sequence[Key]) -> dict[Key, Evidence]:
        return {
            key: {
                "source": rows[key[1]][0],
                "last_received_on": rows[key[1]][1].isoformat(),
                "metrics_missing": rows[key[1]][2],
            }
            for key in keys
        }

    return Reading(fires, set(watched) - fires, evidence_of)
