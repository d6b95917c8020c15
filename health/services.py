"""The daily summary: the last step of the night."""

from __future__ import annotations

import json
from datetime import date

from django.db import connection

from accounts.models import Tenant
from health.selectors import movers_between
from health.summing import FIELDS, summing_sql
from scoring.models import KIND_CODES

MOVER_DAYS = 7
MOVERS_KEPT = 10

_SUMMARISE = f"""
INSERT INTO health_tenant_day (tenant_id, day, movers, {", ".join(FIELDS)})
SELECT %(tenant)s, day, '{{}}'::jsonb, {", ".join(FIELDS)}
FROM ({summing_sql("s.day BETWEEN %(first)s AND %(last)s")}) AS summed
ON CONFLICT (tenant_id, day) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in FIELDS)}
WHERE ({", ".join(f"health_tenant_day.{name}" for name in FIELDS)})
  IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in FIELDS)})"""


def summarise_day(*, tenant: Tenant, day: date, first_day: date | None = None) -> int:
    """Write the summary of a day, or of every day from `first_day` to `day`; the number of rows that changed.

    Days on which nobody was scored get no row. Movers are kept with the last day only: nobody opens them for another one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SUMMARISE,
            {
                "tenant": tenant.pk,
                "kind": KIND_CODES["health"],
                "currency": tenant.currency,
                "first": first_day or day,
                "last": day,
            },
        )
        changed = cursor.rowcount
        moved = json.dumps(movers_between(tenant, day, MOVER_DAYS, limit=MOVERS_KEPT))
        cursor.execute(
            "UPDATE health_tenant_day SET movers = %(moved)s::jsonb "
            "WHERE tenant_id = %(tenant)s AND day = %(day)s AND movers <> %(moved)s::jsonb",
            {"tenant": tenant.pk, "day": day, "moved": moved},
        )
    return int(changed)
