"""Where many runs stand and what a night saw of them, stored in one statement each.

`bulk_update` writes a CASE with a branch per row and column: for 100,000 runs that takes minutes, this takes a second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db import connection

from accounts.models import Tenant
from playbooks.models import Run

PLACES_SQL = """
UPDATE playbooks_run AS r
SET next_position = u.next_position, stood_on = u.stood_on, wait_until = u.wait_until, visits = u.visits::jsonb,
    watching = u.watching
FROM unnest(%(ids)s::bigint[], %(positions)s::int[], %(stood)s::date[], %(waits)s::date[], %(visits)s::text[],
            %(watching)s::boolean[]) AS u(id, next_position, stood_on, wait_until, visits, watching)
WHERE r.tenant_id = %(tenant)s AND r.id = u.id
"""
LOOKS_SQL = """
UPDATE playbooks_run AS r
SET streaks = u.streaks::jsonb, looked_on = u.looked_on, measured = u.measured, measured_on = u.measured_on,
    outcome = u.outcome
FROM unnest(%(ids)s::bigint[], %(streaks)s::text[], %(looked)s::date[], %(measured)s::text[], %(measured_on)s::date[],
            %(outcomes)s::text[]) AS u(id, streaks, looked_on, measured, measured_on, outcome)
WHERE r.tenant_id = %(tenant)s AND r.id = u.id
"""


def store_places(tenant: Tenant, runs: Sequence[Run]) -> None:
    """Where each run stands now."""
    with connection.cursor() as cursor:
        cursor.execute(
            PLACES_SQL,
            {
                "tenant": tenant.pk,
                "ids": [run.pk for run in runs],
                "positions": [run.next_position for run in runs],
                "stood": [run.stood_on for run in runs],
                "waits": [run.wait_until for run in runs],
                "visits": [json.dumps(run.visits) for run in runs],
                "watching": [run.watching for run in runs],
            },
        )


def store_looks(tenant: Tenant, runs: Sequence[Run]) -> None:
    """What a night saw of the exit criteria, and what was measured."""
    with connection.cursor() as cursor:
        cursor.execute(
            LOOKS_SQL,
            {
                "tenant": tenant.pk,
                "ids": [run.pk for run in runs],
                "streaks": [json.dumps(run.streaks) for run in runs],
                "looked": [run.looked_on for run in runs],
                "measured": [str(run.measured) for run in runs],
                "measured_on": [run.measured_on for run in runs],
                "outcomes": [str(run.outcome) for run in runs],
            },
        )
