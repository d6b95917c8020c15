"""What makes an event stored exactly once: its key, in generations by week of receipt."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.utils import timezone

from usage.partitions import KEPT_WEEKS, PERMANENT, week_number

from .batches import IMPORT
from .gather import Gathered

# One statement looks the keys up and stores the new ones; only the known ones, which are few, come back. The weeks are
# named so that partitions without a chance are not even opened. The tenant's lock is held, so no conflict can come between,
# and RETURNING in place of ON CONFLICT (either keeps Citus from copying past the fence) saves a third of the work.
_STORE = """
WITH given AS MATERIALIZED (
  SELECT k FROM unnest(%(keys)s::uuid[]) AS k
), known AS MATERIALIZED (
  SELECT g.k FROM given g WHERE EXISTS (
    SELECT 1 FROM usage_event_key p WHERE p.tenant_id = %(tenant)s AND p.key = g.k AND p.generation = ANY(%(live)s)
  ) {more}
), stored AS (
  INSERT INTO usage_event_key (tenant_id, key, generation)
  SELECT %(tenant)s, g.k, %(generation)s FROM given g WHERE NOT EXISTS (SELECT 1 FROM known n WHERE n.k = g.k)
  RETURNING 1
)
SELECT k::text FROM known
"""
# Keys that came through other doors expire; an import must still know their events, however old.
_ALSO_STORED = "OR EXISTS (SELECT 1 FROM usage_event e WHERE e.tenant_id = %(tenant)s AND e.key = g.k)"


def live_generations(received: list[int], this_week: int) -> list[int]:
    """Every generation in which a key may still be: those that last, and the weeks around receipt and today."""
    weeks = {
        week + step for week in (*received, this_week) for step in (-KEPT_WEEKS, 0, 1) if week != PERMANENT
    }
    return [PERMANENT, *sorted(weeks)]


def keep_new(cursor: Any, tenant_id: int, found: Gathered, expiring_sources: set[str]) -> None:
    """Store the keys of a turn and drop the facts that were known already."""
    groups: dict[tuple[int, bool], list[str]] = defaultdict(list)
    batch, keys = None, []
    for its_batch, _, key in found.entries():
        if its_batch is not batch:
            batch = its_batch
            keys = groups[batch.generation, batch.door == IMPORT and batch.source in expiring_sources]
        keys.append(key)
    live = live_generations([generation for generation, _ in groups], week_number(timezone.now().date()))
    known: set[str] = set()
    for (generation, look_at_events), keys in sorted(groups.items()):
        keys.sort()  # unsorted, two tenants' drains meet on one index page again and again
        cursor.execute(
            _STORE.format(more=_ALSO_STORED if look_at_events else ""),
            {
                "tenant": tenant_id,
                "generation": generation,
                "live": live,
                "keys": "{" + ",".join(keys) + "}",
            },
        )
        known.update(row[0].replace("-", "") for row in cursor.fetchall())
    for batch, _, key in found.entries():
        if key in known:
            batch.duplicates += 1
        else:
            batch.stored += 1
    if known:
        found.keep(lambda entry: entry[2] not in known)
