"""In which order everybody's alerts are worked: ranked when they open or open again, and each night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection

from accounts.fence.planning import reading_everything
from accounts.models import Tenant
from alerts.lifecycle import Key
from alerts.models import Alert, Rule
from alerts.probes import Night
from alerts.ranking import priority, rank
from alerts.selectors import ranked
from scoring.models import KIND_CODES

_UPDATE = """
UPDATE alerts_alert x SET rank = found.rank_now FROM ({found}) found
WHERE x.tenant_id = %s AND x.id = found.id AND x.rank <> found.rank_now
"""
_STANDINGS = """
SELECT a.id, a.mrr_cents, a.renewal_on - %(today)s::date, s.score
FROM accounts_account a
LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = %(kind)s AND s.account_id = a.id
WHERE a.tenant_id = %(tenant)s AND a.id = ANY(%(accounts)s)
"""


def rank_alerts(tenant: Tenant, today: date, *, only: int | None = None) -> int:
    """Rank what waits (or `only` one of it) by its priority of today; how many ranks changed. One statement."""
    alive = Alert.objects.filter(tenant=tenant, state__in=[Alert.State.OPEN, Alert.State.SNOOZED])
    if only is not None:
        alive = alive.filter(pk=only)
    statement, parameters = ranked(alive, today).query.sql_with_params()
    with reading_everything(only is None), connection.cursor() as cursor:
        cursor.execute(_UPDATE.format(found=statement), [*parameters, tenant.pk])
        return int(cursor.rowcount)


def ranks_of(night: Night, found: Sequence[tuple[Rule, Key]]) -> list[int]:
    """The rank of each finding on the day after the night; one query for all accounts."""
    values: dict[str, Any] = {
        "tenant": night.tenant.pk,
        "today": night.day + timedelta(days=1),
        "kind": KIND_CODES["health"],
        "accounts": sorted({key[0] for _rule, key in found if key[0]}),
    }
    with connection.cursor() as cursor:
        cursor.execute(_STANDINGS, values)
        standings = {pk: (mrr, days, score) for pk, mrr, days, score in cursor.fetchall()}
    ranks = []
    for rule, key in found:
        mrr, days, score = standings.get(key[0], (0, None, None))
        worth = priority(mrr_cents=mrr, severity=rule.severity, score=score, days_to_renewal=days)
        ranks.append(rank(worth))
    return ranks
