"""What a run reads before it scores: accounts, metrics, how fresh the sources are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Account, Tenant
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

    def at_segments(self, then: Mapping[int, str], models: Sequence[ModelTimeline]) -> AccountChunk:
        """The same accounts in the segments that they had on another day, where that is known."""
        if not then:
            return self
        names = [
            then.get(account_id, traits[0])
            for account_id, traits in zip(self.facts.ids.tolist(), self.traits, strict=True)
        ]
        traits = [(name, stage, plan) for name, (_s, stage, plan) in zip(names, self.traits, strict=True)]
        facts = replace(self.facts, segments=_segments(names))
        return AccountChunk(facts, _claimed(traits, models), traits)


def _claimed(traits: Sequence[tuple[str, str, str]], models: Sequence[ModelTimeline]) -> NDArray[np.int64]:
    """Which model claims each account; accounts that are alike are asked for once."""
    known = {
        one: next((n for n, line in enumerate(models) if claims(line.model, *one)), -1) for one in set(traits)
    }
    return np.array([known[one] for one in traits], dtype=np.int64)


SEGMENTS_SQL = """
SELECT account_id, segment FROM scoring_score
WHERE tenant_id = %(tenant)s AND kind = %(kind)s AND day = %(day)s AND account_id BETWEEN %(low)s AND %(high)s
  AND segment IS NOT NULL"""


def segments_on(tenant: Tenant, kind: int, day: date, facts: AccountFacts) -> dict[int, str]:
    """The segments that the scores of a day were ranked in: the only state of an account that a day keeps."""
    if not len(facts):
        return {}
    values: dict[str, Any] = {"tenant": tenant.pk, "kind": kind, "day": day}
    values |= {"low": int(facts.ids[0]), "high": int(facts.ids[-1])}
    with connection.cursor() as cursor:
        cursor.execute(SEGMENTS_SQL, values)
        return dict(cursor.fetchall())


def metric_facts(tenant: Tenant) -> dict[str, MetricFacts]:
    """The tenant's active metrics, by key."""
    return facts_of_metrics(Metric.objects.filter(tenant=tenant, active=True))


def facts_of_metrics(metrics: Iterable[Metric]) -> dict[str, MetricFacts]:
    """The active ones of these metrics, by key."""
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
        for metric in metrics
        if metric.active
    }


def facts_of_account(tenant: Tenant, account: Account) -> AccountFacts:
    """One account that was read already, as `account_chunks` would give it."""
    made = account.created_at.astimezone(tenant.tz).date()
    traits = (account.segment, account.stage, account.plan_kind)
    row = (account.pk, account.first_seen_on, made, account.churned_on, *traits)
    return _chunk([(*row, account.targets or None, account.go_live_on)], []).facts


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
    traits = [(row[4], row[5], row[6]) for row in rows]
    facts = AccountFacts(
        ids=np.array([row[0] for row in rows], dtype=np.int64),
        exists_from=np.array([min(ordinal(row[1]), row[2].toordinal()) for row in rows], dtype=np.int64),
        seen_from=np.array([ordinal(row[1]) for row in rows], dtype=np.int64),
        churned_from=np.array([ordinal(row[3]) for row in rows], dtype=np.int64),
        targets=[_targets(row[7]) for row in rows],
        started=np.array([(row[8] or row[1] or row[2]).toordinal() for row in rows], dtype=np.int64),
        segments=_segments([row[4] for row in rows]),
    )
    return AccountChunk(facts, _claimed(traits, models), traits)


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
