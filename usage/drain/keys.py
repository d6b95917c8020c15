"""What makes an event stored exactly once: its key, in generations by week of receipt."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .batches import IMPORT
from .gather import Gathered

_INSERT = """
INSERT INTO usage_event_key (tenant_id, key, generation)
SELECT %(tenant)s, k, %(generation)s FROM unnest(%(keys)s::uuid[]) AS k
WHERE NOT EXISTS (SELECT 1 FROM usage_event_key p WHERE p.tenant_id = %(tenant)s AND p.key = k) {more}
ON CONFLICT (tenant_id, key, generation) DO NOTHING
RETURNING key::text
"""
# Keys that came through other doors expire; an import must still know their events, however old.
_ALSO_STORED = "AND NOT EXISTS (SELECT 1 FROM usage_event e WHERE e.tenant_id = %(tenant)s AND e.key = k)"


def keep_new(cursor: Any, tenant_id: int, found: Gathered, expiring_sources: set[str]) -> None:
    """Store the keys of a turn and drop the facts that were known already."""
    groups: dict[tuple[int, bool], list[bytes]] = defaultdict(list)
    for batch, _, key in found.entries():
        groups[batch.generation, batch.door == IMPORT and batch.source in expiring_sources].append(key)
    new: set[bytes] = set()
    for (generation, look_at_events), keys in sorted(groups.items()):
        keys.sort()  # unsorted, two tenants' drains meet on one index page again and again
        cursor.execute(
            _INSERT.format(more=_ALSO_STORED if look_at_events else ""),
            {
                "tenant": tenant_id,
                "generation": generation,
                "keys": "{" + ",".join([key.hex() for key in keys]) + "}",
            },
        )
        new.update(bytes.fromhex(row[0].replace("-", "")) for row in cursor.fetchall())

    def is_new(entry: Any) -> bool:
        if entry[2] in new:
            entry[0].stored += 1
            return True
        entry[0].duplicates += 1
        return False

    found.keep(is_new)
