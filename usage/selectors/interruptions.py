"""Times in which a source that had been delivering fell silent and came back."""

from __future__ import annotations

from datetime import date

from django.db import connection

from accounts.models import Tenant

# A gap between two days of receipt is an interruption when it is longer than the source may be quiet. A metric that another
# source delivered through the gap was not interrupted. The days before a source's first delivery are no gap: its history may
# have been imported later.
_INTERRUPTED = """
WITH gap AS (
  SELECT d.source_id, d.received_on AS before,
         lead(d.received_on) OVER (PARTITION BY d.source_id ORDER BY d.received_on) AS after
  FROM usage_source_day d WHERE d.tenant_id = %(tenant)s AND d.received_on <= %(known_on)s
), broken AS (
  SELECT DISTINCT g.source_id FROM gap g
  JOIN usage_source s ON s.tenant_id = %(tenant)s AND s.id = g.source_id
  WHERE g.after - g.before > (s.fresh_hours + 23) / 24 + 1 AND g.before < %(last)s AND g.after > %(first)s
)
SELECT sm.metric_id FROM usage_source_metric sm
WHERE sm.tenant_id = %(tenant)s AND sm.first_on <= %(last)s
GROUP BY sm.metric_id HAVING bool_and(sm.source_id IN (SELECT source_id FROM broken))
"""


def interrupted_metrics(tenant: Tenant, first: date, last: date, *, known_on: date) -> set[int]:
    """Ids of the metrics whose every source was interrupted between the days, as known on a day.

    Their silence means nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _INTERRUPTED, {"tenant": tenant.pk, "first": first, "last": last, "known_on": known_on}
        )
        return {row[0] for row in cursor.fetchall()}
