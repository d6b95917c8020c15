"""The night of renewals: follow subscriptions, judge risk, open what comes into sight. A constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Tenant, TimelineEntry
from expansion.renewals import stepping
from expansion.renewals.amounts import target_of
from expansion.renewals.lines import read_lines
from expansion.renewals.models import Renewal, RenewalChange
from expansion.renewals.stepping import Facts, Line, Standing
from expansion.renewals.terms import DAYS_PER_MONTH, HORIZON_MONTHS, OVERDUE_DAYS, add_months
from expansion.renewals.timeline import RENEWAL_CLOSED, RENEWAL_RISK
from scoring.models import KIND_CODES, Component
from scoring.models import Version as ScoreVersion

from .checkpoints import keep_checkpoints
from .settings import settings_of
from .telling import tell

BATCH = 5_000
ENGAGEMENT = ("engagement", "response")  # what the shipped models call the part that says whether people come

# One that was lost by itself a short while ago is looked at again: a successor may begin after the end.
STANDING_SQL = """
SELECT r.id, r.account_id, r.due_on, r.term_months, r.currency, r.mrr_cents, r.target_cents, r.forecast_cents, r.category,
       r.computed_category, r.plan, r.said_cents, r.category_by_hand, r.at_risk, r.risks, r.ends_on, r.state, r.outcome,
       r.final_cents,
       l.account_id IS NOT NULL, l.renews_on, l.ended_on, l.mrr_cents, l.currency, l.plan, o.mrr_cents,
       coalesce(c.band, 0), c.components[e.place], r.account_id = ANY(%(severe)s::bigint[])
FROM expansion_renewal r
LEFT JOIN renewal_incoming l ON l.account_id = r.account_id AND l.line_id = r.line_id
LEFT JOIN (
  SELECT DISTINCT ON (l.account_id, l.line_id) l.account_id, l.line_id, o.mrr_cents
  FROM renewal_incoming l JOIN renewal_incoming o
    ON o.account_id = l.account_id AND o.line_id <> l.line_id AND o.currency = l.currency
  WHERE l.ended_on <= %(day)s AND o.mrr_cents > 0 AND coalesce(o.ended_on > %(day)s, true) AND o.starts_on <= %(day)s
    AND o.starts_on BETWEEN l.ended_on - %(back)s AND l.ended_on + %(back)s AND coalesce(o.starts_on > l.starts_on, true)
  ORDER BY l.account_id, l.line_id, o.mrr_cents DESC
) o ON o.account_id = r.account_id AND o.line_id = r.line_id
LEFT JOIN scoring_current c ON c.tenant_id = r.tenant_id AND c.account_id = r.account_id AND c.kind = %(health)s
LEFT JOIN unnest(%(versions)s::bigint[], %(places)s::int[]) AS e(version_id, place) ON e.version_id = c.version_id
WHERE r.tenant_id = %(tenant)s
  AND r.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR r.account_id < %(last)s)
  AND (r.state = 'open' OR (r.state = 'lost' AND r.closed_by_id IS NULL AND r.closed_on > %(day)s - %(back)s))
ORDER BY r.id
"""
WRITE_SQL = """
UPDATE expansion_renewal AS r SET
  due_on = u.due_on, currency = u.currency, mrr_cents = u.mrr, target_cents = u.target, forecast_cents = u.forecast,
  said_cents = u.said, category = u.category, computed_category = u.computed, plan = u.plan, at_risk = u.at_risk,
  risks = string_to_array(u.risks, ','), ends_on = u.ends_on, state = u.state, outcome = u.outcome,
  final_cents = u.final, closed_on = u.closed_on, changed_at = %(now)s
FROM unnest(%(id)s::bigint[], %(due_on)s::date[], %(currency)s::text[], %(mrr)s::bigint[], %(target)s::bigint[],
            %(forecast)s::bigint[], %(said)s::bigint[], %(category)s::text[], %(computed)s::text[], %(plan)s::text[],
            %(at_risk)s::boolean[], %(risks)s::text[], %(ends_on)s::date[], %(state)s::text[], %(outcome)s::text[],
            %(final)s::bigint[], %(closed_on)s::date[])
  AS u(id, due_on, currency, mrr, target, forecast, said, category, computed, plan, at_risk, risks, ends_on, state, outcome,
       final, closed_on)
WHERE r.tenant_id = %(tenant)s AND r.id = u.id
"""
# Lines whose renewal comes into sight: none is open, and the last one that was decided lies at least half a term before.
COMING_SQL = """
SELECT l.account_id, l.line_id, l.renews_on, l.ended_on, l.mrr_cents, l.currency, l.plan,
       CASE WHEN l.line_id > 0 THEN l.starts_on END, d.due_on, d.term_months,
       coalesce(c.band, 0), c.components[e.place], l.account_id = ANY(%(severe)s::bigint[])
FROM renewal_incoming l
LEFT JOIN (
  SELECT DISTINCT ON (account_id, line_id) account_id, line_id, due_on, term_months FROM expansion_renewal
  WHERE tenant_id = %(tenant)s AND state IN ('renewed', 'lost') ORDER BY account_id, line_id, due_on DESC
) d ON d.account_id = l.account_id AND d.line_id = l.line_id
LEFT JOIN scoring_current c ON c.tenant_id = %(tenant)s AND c.account_id = l.account_id AND c.kind = %(health)s
LEFT JOIN unnest(%(versions)s::bigint[], %(places)s::int[]) AS e(version_id, place) ON e.version_id = c.version_id
WHERE l.mrr_cents > 0 AND l.renews_on BETWEEN %(day)s - %(overdue)s AND %(horizon)s AND coalesce(l.ended_on > %(day)s, true)
  AND (d.due_on IS NULL OR l.renews_on - d.due_on >= d.term_months * %(month)s / 2)
  AND NOT EXISTS (SELECT 1 FROM expansion_renewal r WHERE r.tenant_id = %(tenant)s AND r.account_id = l.account_id
                  AND r.line_id = l.line_id AND r.state = 'open')
ORDER BY l.renews_on, l.account_id, l.line_id
"""

# A plan is over when nothing of it is left to do and the renewal becomes at risk anew, or when all its steps were dropped.
PLANS_OVER_SQL = """
UPDATE expansion_renewal r SET has_plan = false
WHERE r.tenant_id = %(tenant)s AND r.state = 'open' AND r.has_plan
  AND r.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR r.account_id < %(last)s)
  AND NOT EXISTS (
  SELECT 1 FROM expansion_renewalstep s
  JOIN playbooks_task t ON t.tenant_id = s.tenant_id AND t.id = s.task_id
  WHERE s.tenant_id = r.tenant_id AND s.renewal_id = r.id
    AND (t.state = 'open' OR (t.state = 'done' AND NOT r.id = ANY(%(endangered)s::bigint[]))))
"""


@dataclass(frozen=True)
class RenewalsSummary:
    """What a night did."""

    opened: int = 0
    moved: int = 0
    renewed: int = 0
    lost: int = 0
    at_risk: int = 0  # became so
    checkpoints: int = 0


@dataclass(frozen=True)
class _Row:
    """A renewal with what is known of it tonight."""

    pk: int
    account_id: int
    before: Standing
    after: Standing


def keep_renewals(
    *, tenant: Tenant, day: date, severe: Collection[int] = (), first: int = 0, last: int | None = None
) -> RenewalsSummary:
    """Bring every renewal up to a day that has just begun or ended; twice the same day changes nothing.

    `first` and `last` bound the accounts: what a range of them needs is read into memory, so the night does some thousands
    at a time. `severe` names the accounts with an open alert of high severity. Renewals only move forward: a run for a past
    day leaves them alone (the pipeline sees to it).
    """
    now = timezone.now()
    settings = settings_of(tenant)
    read_lines(tenant, first, last)
    versions, places = _engagement_places(tenant)
    params = {
        "tenant": tenant.pk,
        "day": day,
        "first": first,
        "last": last,
        "severe": sorted(pk for pk in severe if pk >= first and (last is None or pk < last)),
        "back": stepping.RETURN_DAYS,
        "health": KIND_CODES["health"],
        "versions": versions,
        "places": places,
        "overdue": OVERDUE_DAYS,
        "horizon": add_months(day, HORIZON_MONTHS),
        "month": DAYS_PER_MONTH,
    }
    changed = _follow(tenant, params, day, now)
    endangered = [row.pk for row in changed if row.after.at_risk and not row.before.at_risk]
    with connection.cursor() as cursor:
        cursor.execute(
            PLANS_OVER_SQL, {"tenant": tenant.pk, "endangered": endangered, "first": first, "last": last}
        )
    made = _open(tenant, params, settings.usual_term_months, settings.shortest_term_months, day, now)
    checkpoints = keep_checkpoints(tenant=tenant, day=day, first=first, last=last)
    states = [row.after.state for row in changed if row.after.state != row.before.state]
    return RenewalsSummary(
        opened=made,
        moved=sum(row.after.due_on != row.before.due_on for row in changed),
        renewed=states.count(Renewal.State.RENEWED),
        lost=states.count(Renewal.State.LOST),
        at_risk=len(endangered),
        checkpoints=checkpoints,
    )


def _engagement_places(tenant: Tenant) -> tuple[list[int], list[int]]:
    """Where the engagement component stands in the arrays of each version of a health model; counted from 1."""
    order: dict[int, list[str]] = {}
    rows = (
        Component.objects.filter(
            tenant=tenant,
            version__model__kind="health",
            version__state__in=[ScoreVersion.State.PUBLISHED, ScoreVersion.State.RETIRED],
        )
        .order_by("version_id", "position", "id")
        .values_list("version_id", "key")
    )
    for version_id, key in rows:
        order.setdefault(version_id, []).append(key)
    found = {
        version_id: keys.index(key) + 1
        for version_id, keys in order.items()
        for key in reversed(ENGAGEMENT)
        if key in keys
    }
    return list(found), list(found.values())


def _follow(tenant: Tenant, params: Mapping[str, Any], day: date, now: datetime) -> list[_Row]:
    """Follow the lines of what is open; the rows that changed."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING_SQL, params)
        rows = [_step(row, day) for row in cursor.fetchall()]
    changed = [row for row in rows if row.after != row.before]
    if changed:
        _write(tenant, changed, day, now)
        _note(tenant, changed, now)
        tell(tenant, [(row.pk, row.before, row.after) for row in changed])
    return changed


def _step(row: Sequence[Any], day: date) -> _Row:
    pk, account_id, *own = row[:19]
    names = Standing.__dataclass_fields__
    keys = (
        "due_on", "term_months", "currency", "mrr_cents", "target_cents", "forecast_cents", "category", "computed_category",
        "plan", "said_cents", "category_by_hand", "at_risk", "risks", "ends_on", "state", "outcome", "final_cents",
    )  # fmt: skip
    assert set(keys) == set(names)
    values = dict(zip(keys, own, strict=True))
    before = Standing(**values | {"risks": tuple(values["risks"])})
    there, renews_on, ended_on, mrr, currency, plan, successor, band, engagement, severe = row[19:]
    line = Line(renews_on, ended_on, mrr, currency, plan) if there else None
    if before.state != Renewal.State.OPEN:
        back = stepping.closed(before, target_of(successor or 0, before.term_months))
        return _Row(pk, account_id, before, back if back.state == Renewal.State.RENEWED else before)
    after = stepping.judge(
        stepping.follow(before, line, successor, day), Facts(band, engagement, bool(severe))
    )
    return _Row(pk, account_id, before, after)


def _write(tenant: Tenant, rows: Sequence[_Row], day: date, now: datetime) -> None:
    after = [row.after for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE_SQL,
            {
                "tenant": tenant.pk,
                "now": now,
                "id": [row.pk for row in rows],
                "due_on": [one.due_on for one in after],
                "currency": [one.currency for one in after],
                "mrr": [one.mrr_cents for one in after],
                "target": [one.target_cents for one in after],
                "forecast": [one.forecast_cents for one in after],
                "said": [one.said_cents for one in after],
                "category": [one.category for one in after],
                "computed": [one.computed_category for one in after],
                "plan": [one.plan for one in after],
                "at_risk": [one.at_risk for one in after],
                "risks": [",".join(one.risks) for one in after],
                "ends_on": [one.ends_on for one in after],
                "state": [one.state for one in after],
                "outcome": [one.outcome for one in after],
                "final": [one.final_cents for one in after],
                "closed_on": [None if one.state == Renewal.State.OPEN else day for one in after],
            },
        )


def _note(tenant: Tenant, rows: Sequence[_Row], now: datetime) -> None:
    """The history of the renewals, and on the timelines of the accounts what people should see there."""
    RenewalChange.objects.bulk_create(
        (
            RenewalChange(tenant=tenant, renewal_id=row.pk, kind=kind, at=now, data=data)
            for row in rows
            for kind, data in stepping.events(row.before, row.after)
        ),
        batch_size=BATCH,
    )
    kinds = {"closed": RENEWAL_CLOSED, "risk": RENEWAL_RISK}
    TimelineEntry.objects.bulk_create(
        (
            TimelineEntry(
                tenant=tenant,
                account_id=row.account_id,
                kind=kinds[kind],
                at=now,
                title=f"{row.after.plan} {row.after.due_on.isoformat()}".strip()[:300],
                data={"renewal": row.pk, **data},
            )
            for row in rows
            for kind, data in stepping.events(row.before, row.after)
            if kind in kinds and row.after.state != Renewal.State.VOID
        ),
        batch_size=BATCH,
    )


def _open(
    tenant: Tenant, params: Mapping[str, Any], usual: int, shortest: int, day: date, now: datetime
) -> int:
    """Make the renewals that have come into sight; how many."""
    with connection.cursor() as cursor:
        cursor.execute(COMING_SQL, params)
        rows = cursor.fetchall()
    fresh = []
    for (
        account_id,
        line_id,
        renews_on,
        ended_on,
        mrr,
        currency,
        plan,
        starts_on,
        last_on,
        last_term,
        *facts,
    ) in rows:
        line = Line(renews_on, ended_on, mrr, currency, plan)
        last = None if last_on is None else (last_on, last_term)
        one = stepping.judge(
            stepping.opened(line, usual, last, starts_on), Facts(facts[0], facts[1], bool(facts[2]))
        )
        if one.term_months >= shortest:
            fresh.append(_model(tenant, account_id, line_id, one, day))
    made = Renewal.objects.bulk_create(fresh, batch_size=BATCH)
    RenewalChange.objects.bulk_create(
        (
            RenewalChange(
                tenant=tenant,
                renewal=one,
                kind=RenewalChange.Kind.OPENED,
                at=now,
                data={"due_on": one.due_on.isoformat(), "target": one.target_cents, "category": one.category},
            )
            for one in made
        ),
        batch_size=BATCH,
    )
    return len(made)


def _model(tenant: Tenant, account_id: int, line_id: int, one: Standing, day: date) -> Renewal:
    return Renewal(
        tenant=tenant,
        account_id=account_id,
        line_id=line_id,
        plan=one.plan,
        due_on=one.due_on,
        term_months=one.term_months,
        currency=one.currency,
        mrr_cents=one.mrr_cents,
        target_cents=one.target_cents,
        forecast_cents=one.forecast_cents,
        category=one.category,
        computed_category=one.computed_category,
        at_risk=one.at_risk,
        risks=list(one.risks),
        ends_on=one.ends_on,
        opened_on=day,
    )
