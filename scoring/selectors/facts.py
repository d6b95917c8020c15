"""What a run reads before it scores: accounts, metrics, how fresh the sources are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Tenant
from scoring.matrix import AccountFacts, MetricFacts
from scoring.matrix.accounts import ordinal
from scoring.scales import Segments
from usage.models import Metric

from .versions import ModelTimeline, claims

CHUNK = 10_000


@dataclass(frozen=True)
class AccountChunk:
    """Some accounts: their facts, and which of the models claims each (-1: none)."""

    facts: AccountFacts
    claimed_by: NDArray[np.int64]
    traits: Sequence[tuple[str, str, str]]  # segment, stage, kind of plan


def metric_facts(tenant: Tenant) -> dict[str, MetricFacts]:
    """The tenant's active metrics, by key."""
    return {
        metric.key: MetricFacts(
            id=metric.pk,
            key=metric.key,
            kind=metric.kind,
            slot=metric.slot,
            decimals=metric.decimals,
            hold_days=metric.hold_days,
            numerator=metric.numerator,
            denominator=metric.denominator,
            chosen_events=bool(metric.events),
        )
        for metric in Metric.objects.filter(tenant=tenant, active=True)
    }


def account_chunks(
    tenant: Tenant,
    models: Sequence[ModelTimeline],
    *,
    account_ids: Sequence[int] | None = None,
    churned_before: date | None = None,
    size: int = CHUNK,
) -> Iterator[AccountChunk]:
    """Accounts in chunks by id; those that had churned before the first day of the run are not even read."""
    chosen = "AND a.id = ANY(%(ids)s)" if account_ids is not None else ""
    alive = "AND (a.churned_on IS NULL OR a.churned_on > %(alive)s)" if churned_before else ""
    sql = f"""
        SELECT a.id, a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date, a.churned_on,
               a.segment, a.stage, a.plan_kind, nullif(a.targets, '{{}}'::jsonb), a.go_live_on
        FROM accounts_account AS a
        WHERE a.tenant_id = %(tenant)s AND a.id > %(after)s {chosen} {alive}
        ORDER BY a.id LIMIT %(size)s"""
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                sql,
                {
                    "tenant": tenant.pk,
                    "zone": tenant.timezone,
                    "after": after,
                    "size": size,
                    "alive": churned_before,
                    "ids": list(account_ids) if account_ids is not None else [],
                },
            )
            rows = cursor.fetchall()
        if rows:
            after = rows[-1][0]
            yield _chunk(rows, models)
        if len(rows) < size:
            return


def _chunk(
    rows: list[
        tuple[int, date | None, date, date | None, str, str, str, dict[str, object] | None, date | None]
    ],
    models: Sequence[ModelTimeline],
) -> AccountChunk:
    known: dict[tuple[str, str, str], int] = {}
    claimed = []
    for row in rows:
        traits = (row[4], row[5], row[6])
        if traits not in known:
            known[traits] = next((n for n, line in enumerate(models) if claims(line.model, *traits)), -1)
        claimed.append(known[traits])
    facts = AccountFacts(
        ids=np.array([row[0] for row in rows], dtype=np.int64),
        exists_from=np.array([min(ordinal(row[1]), row[2].toordinal()) for row in rows], dtype=np.int64),
        seen_from=np.array([ordinal(row[1]) for row in rows], dtype=np.int64),
        churned_from=np.array([ordinal(row[3]) for row in rows], dtype=np.int64),
        targets=[_targets(row[7]) for row in rows],
        started=np.array([(row[8] or row[1] or row[2]).toordinal() for row in rows], dtype=np.int64),
        segments=_segments([row[4] for row in rows]),
    )
    return AccountChunk(facts, np.array(claimed, dtype=np.int64), [(row[4], row[5], row[6]) for row in rows])


def _segments(values: Sequence[str]) -> Segments:
    """The segments as codes; few names, many accounts."""
    names = tuple(sorted(set(values)))
    place = {name: code for code, name in enumerate(names)}
    return Segments(np.array([place[value] for value in values], dtype=np.intp), names)


def _targets(value: object) -> dict[str, object]:
    """psycopg2 hands jsonb of a raw cursor over as text or parsed, depending on how Django registered it."""
    if isinstance(value, str):
        import json

        value = json.loads(value)
    return value if isinstance(value, dict) else {}
