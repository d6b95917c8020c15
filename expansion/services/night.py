"""The night of the opportunities: what triggers open, once and with evidence; what ends with its account; the metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Membership, Tenant
from expansion import stages, timeline
from expansion.events import NOTICE, OPPORTUNITY_OPENED
from expansion.models import ExpansionSettings, Opportunity, Trigger
from expansion.triggers import look_of
from expansion.triggers.looking import HITS_METRIC, MONTH, Context, Look
from outreach.models import Endpoint
from outreach.services import notify_members, publish_event
from playbooks.moments import known_until
from playbooks.services import RunStart, start_runs
from usage.models import Metric
from usage.services import push_metric_values

from .definitions import expansion_settings, lock_expansion
from .holdings import note_holdings
from .telling import event_data

OPEN_METRIC = "expansion_open"
ROI_METRIC = "roi_cents"
SOURCE = "expansion"
SEATS_SHARE = 0.2  # seats suggested where a limit is reached: a fifth more
RECENT_DAYS = 31  # how long the metric says 0 after the last one was closed


@dataclass
class NightSummary:
    """What a night did; `skipped` when the board already stands at a later day."""

    opened: int = 0
    ended: int = 0
    runs: int = 0
    by_trigger: dict[str, int] = field(default_factory=dict)
    skipped: bool = False


# Candidates of one trigger, less those who have one open by it, had one a short time ago, have churned or may not buy any
# of it; with the first offering that the account could have and has not. Without a catalogue it says only what kind it is.
_OPEN_SQL = """
WITH found AS ({look}), asked AS (
  SELECT f.account_id, f.hint, f.since, f.evidence, a.segment, a.plan_kind, a.mrr_cents, a.seats, a.owner_id,
         coalesce(nullif(a.currency, ''), %(currency)s) AS currency
  FROM found f JOIN accounts_account a ON a.tenant_id = %(tenant)s AND a.id = f.account_id
  WHERE a.churned_on IS NULL OR a.churned_on > %(day)s
), past AS (
  SELECT p.account_id, p.type, p.what, p.trigger_id, p.stage IN ('won', 'lost') AS over, p.closed_on
  FROM expansion_opportunity p WHERE p.tenant_id = %(tenant)s AND p.type = %(type)s
), own AS (
  SELECT account_id, bool_or(NOT over) AS is_open, max(closed_on) AS closed_on FROM past
  WHERE trigger_id = %(trigger)s GROUP BY 1
), same AS (
  SELECT account_id, what, bool_or(NOT over) AS is_open, max(closed_on) AS closed_on FROM past GROUP BY 1, 2
), sold AS (
  SELECT o.* FROM expansion_offering o
  WHERE o.tenant_id = %(tenant)s AND o.active AND o.type = %(type)s AND (%(what)s = '' OR o.key = %(what)s)
), choice AS (
  SELECT DISTINCT ON (k.account_id) k.account_id, o.id AS offering_id, o.key, o.price_cents, o.per_seat, o.recurring
  FROM asked k JOIN sold o ON (o.segments = '{{}}' OR k.segment = ANY(o.segments))
    AND (o.plan_kinds = '{{}}' OR k.plan_kind = ANY(o.plan_kinds))
  LEFT JOIN expansion_holding h ON h.tenant_id = %(tenant)s AND h.account_id = k.account_id AND h.offering_id = o.id
    AND h.until_on IS NULL
  LEFT JOIN same s ON s.account_id = k.account_id AND s.what = o.key
  WHERE (o.type = ANY(%(repeatable)s) OR h.id IS NULL) AND NOT coalesce(s.is_open, false)
    AND coalesce(s.closed_on <= %(day)s::date - %(cooldown)s, true)
  ORDER BY k.account_id, (o.metric_key = k.hint) DESC, o.position, o.id
), chosen AS (
  SELECT k.*, c.offering_id, coalesce(c.key, '') AS what, coalesce(c.recurring, true) AS recurring,
    CASE WHEN coalesce(c.per_seat, false) THEN greatest(ceil(coalesce(k.seats, 0) * %(seats_share)s)::int, 1) END
      AS more_seats,
    c.price_cents, c.per_seat
  FROM asked k LEFT JOIN choice c ON c.account_id = k.account_id
  LEFT JOIN own n ON n.account_id = k.account_id
  WHERE (c.offering_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM sold)) AND NOT coalesce(n.is_open, false)
    AND coalesce(n.closed_on <= %(day)s::date - %(cooldown)s AND k.since > n.closed_on, true)
), valued AS (
  SELECT v.*, CASE
    WHEN %(value)s > 0 AND v.currency = %(currency)s THEN %(value)s
    WHEN v.price_cents > 0 AND v.currency = %(currency)s THEN v.price_cents * coalesce(v.more_seats, 1)
    WHEN v.per_seat AND v.seats > 0 THEN round(v.mrr_cents::numeric * v.more_seats / v.seats)
    ELSE round(v.mrr_cents::numeric * %(value_pct)s / 100)
  END::bigint AS value_cents
  FROM chosen v
)
INSERT INTO expansion_opportunity (tenant_id, account_id, type, what, offering_id, stage, stage_since, value_cents, currency,
  recurring, seats, probability_pct, probability_is_own, discount_pct, bundle_pct, net_cents, evidence, opened_by,
  trigger_id, opened_on, owner_id, close_on, next_step, note, case_text, roi_cents, pilot_goal, pilot_result, pilot_note,
  lost_reason, lost_note)
SELECT %(tenant)s, v.account_id, %(type)s, v.what, v.offering_id, 'case', %(day)s, v.value_cents, v.currency, v.recurring,
  v.more_seats, %(probability)s, false, 0, 0, v.value_cents, v.evidence || jsonb_build_object('trigger', %(key)s), 'trigger',
  %(trigger)s, %(day)s, v.owner_id, %(close_on)s, '', '', '', r.roi, '', '', '', '', ''
FROM valued v LEFT JOIN (
  SELECT u.account_id, (array_agg(u."values"[%(roi_slot)s] ORDER BY u.day DESC))[1]::bigint AS roi FROM usage_day u
  WHERE u.tenant_id = %(tenant)s AND u.day > %(day)s::date - %(month)s AND u.day <= %(day)s
    AND u."values"[%(roi_slot)s] IS NOT NULL
  GROUP BY 1
) AS r ON r.account_id = v.account_id
ORDER BY v.account_id
ON CONFLICT DO NOTHING
RETURNING id, account_id
"""
_MOVES_SQL = """
INSERT INTO expansion_stagechange (tenant_id, opportunity_id, before, after, "on", at, days, value_cents, note)
SELECT %(tenant)s, o.id, '', o.stage, %(day)s, %(at)s, 0, o.value_cents, ''
FROM expansion_opportunity o WHERE o.tenant_id = %(tenant)s AND o.id = ANY(%(ids)s) ORDER BY o.id
ON CONFLICT DO NOTHING
"""
_TELL_SQL = """
INSERT INTO accounts_timelineentry (tenant_id, account_id, kind, at, title, data)
SELECT %(tenant)s, o.account_id, %(kind)s, %(at)s, left(concat_ws(': ', f.name, %(title)s), 300),
       jsonb_build_object('opportunity', o.id)
FROM expansion_opportunity o LEFT JOIN expansion_offering f ON f.tenant_id = o.tenant_id AND f.id = o.offering_id
WHERE o.tenant_id = %(tenant)s AND o.id = ANY(%(ids)s) ORDER BY o.id
ON CONFLICT DO NOTHING
"""
_RUN_SQL = """
UPDATE expansion_opportunity o SET run_id = link.run
FROM unnest(%(accounts)s::bigint[], %(runs)s::bigint[]) AS link(account, run)
WHERE o.tenant_id = %(tenant)s AND o.id = ANY(%(ids)s) AND o.account_id = link.account
"""
# Open ones of accounts that have churned: lost by that, the way as it was.
_CHURN_SQL = """
WITH gone AS (
  UPDATE expansion_opportunity o SET stage = 'lost', lost_reason = 'churned', probability_pct = 0, stage_since = %(day)s,
    closed_on = %(day)s, closed_at = %(at)s
  FROM (SELECT p.id, p.stage, p.stage_since FROM expansion_opportunity p
        JOIN accounts_account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
        WHERE p.tenant_id = %(tenant)s AND p.stage = ANY(%(open)s) AND a.churned_on <= %(day)s) AS was
  WHERE o.tenant_id = %(tenant)s AND o.id = was.id
  RETURNING o.id, was.stage, was.stage_since, o.value_cents
), moves AS (
  INSERT INTO expansion_stagechange (tenant_id, opportunity_id, before, after, "on", at, days, value_cents, note)
  SELECT %(tenant)s, g.id, g.stage, 'lost', %(day)s, %(at)s, greatest(%(day)s::date - g.stage_since, 0), g.value_cents, ''
  FROM gone g
), wishes AS (
  UPDATE expansion_discount d SET state = 'withdrawn', decided_at = %(at)s FROM gone g
  WHERE d.tenant_id = %(tenant)s AND d.opportunity_id = g.id AND d.state = 'pending'
)
SELECT id FROM gone
"""
_COUNT_SQL = """
SELECT a.external_id, CASE WHEN count(*) FILTER (WHERE o.stage = ANY(%(open)s)) > 0
         OR max(o.closed_on) > %(day)s::date - %(recent)s THEN count(*) FILTER (WHERE o.stage = ANY(%(open)s)) END
FROM expansion_opportunity o JOIN accounts_account a ON a.tenant_id = o.tenant_id AND a.id = o.account_id
WHERE o.tenant_id = %(tenant)s GROUP BY 1 ORDER BY 1
"""


def evaluate_expansion(*, tenant: Tenant, day: date, suppress_deliveries: bool = False) -> NightSummary:
    """Bring the opportunities to the end of a day: the same day twice opens nothing twice, and the board never goes back.

    The number of statements depends on the triggers, not on the accounts.
    """
    lock_expansion(tenant)
    settings = expansion_settings(tenant)
    if settings.evaluated_on and settings.evaluated_on > day:
        return NightSummary(skipped=True)
    prefer_hash_joins()
    at = known_until(day, tz=tenant.tz, now=timezone.now())
    note_holdings(tenant=tenant, day=day)
    out = NightSummary(ended=_end_with_accounts(tenant, day, at))
    context = _context(tenant, day)
    fresh: list[int] = []
    for trigger in Trigger.objects.filter(tenant=tenant, enabled=True).order_by("position", "id"):
        look = look_of(trigger, context)
        if look is None:
            continue
        made = _open(context, settings, trigger, look)
        if made:
            out.by_trigger[trigger.key] = len(made)
            _tell(context, trigger, list(made), at)
            out.runs += _start_plays(context, trigger, made)
            fresh += made
    out.opened = len(fresh)
    if fresh and not suppress_deliveries:
        _deliver(tenant, fresh, day)
    _write_metric(tenant, day)
    ExpansionSettings.objects.filter(tenant=tenant).update(evaluated_on=day)
    return out


def _context(tenant: Tenant, day: date) -> Context:
    wanted = {
        key
        for keys in Trigger.objects.filter(tenant=tenant).values_list("metrics", flat=True)
        for key in keys
    }
    found = Metric.objects.filter(
        tenant=tenant, key__in=[*wanted, HITS_METRIC, ROI_METRIC], active=True, slot__isnull=False
    )
    return Context(tenant, day, {metric.key: metric for metric in found})


def _end_with_accounts(tenant: Tenant, day: date, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_CHURN_SQL, {"tenant": tenant.pk, "day": day, "at": at, "open": list(stages.OPEN)})
        ids = [row[0] for row in cursor.fetchall()]
        if ids:
            with override(tenant.language):
                title = str(Opportunity.LostReason.CHURNED.label)
            _write_entries(cursor, tenant, timeline.LOST, ids, at, title)
    return len(ids)


def _open(context: Context, settings: ExpansionSettings, trigger: Trigger, look: Look) -> dict[int, int]:
    """The opportunities that a trigger opens: their ids and accounts."""
    tenant, roi = context.tenant, context.metrics.get(ROI_METRIC)
    params: dict[str, Any] = {
        **look.params,
        "currency": tenant.currency,
        "type": trigger.type,
        "what": trigger.what,
        "trigger": trigger.pk,
        "key": trigger.key,
        "cooldown": trigger.cooldown_days,
        "repeatable": ["seats", "services"],
        "seats_share": SEATS_SHARE,
        "value": trigger.value_cents,
        "value_pct": trigger.value_pct,
        "probability": settings.case_pct,
        "close_on": context.day + timedelta(days=settings.close_days),
        "roi_slot": roi.slot if roi else 0,
        "month": MONTH,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_SQL.format(look=look.sql), params)
        return dict(cursor.fetchall())


def _tell(context: Context, trigger: Trigger, ids: list[int], at: datetime) -> None:
    """Stage and timeline of what was opened, in the tenant's language."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVES_SQL, {"tenant": context.tenant.pk, "day": context.day, "at": at, "ids": ids})
        _write_entries(cursor, context.tenant, timeline.OPENED, ids, at, trigger.name)


def _write_entries(
    cursor: Any, tenant: Tenant, kind: str, ids: Sequence[int], at: datetime, title: str
) -> None:
    cursor.execute(_TELL_SQL, {"tenant": tenant.pk, "kind": kind, "at": at, "ids": list(ids), "title": title})


def _start_plays(context: Context, trigger: Trigger, made: dict[int, int]) -> int:
    """The trigger's play at each account, as far as the play's own terms let it in; returns how many began."""
    if not trigger.play_key:
        return 0
    starts = [RunStart(trigger.play_key, account_id) for account_id in made.values()]
    runs = start_runs(tenant=context.tenant, starts=starts, started_on=context.day)
    if not runs:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _RUN_SQL,
            {
                "tenant": context.tenant.pk,
                "ids": list(made),
                "accounts": [start.account_id for start in runs],
                "runs": [run.pk for run in runs.values()],
            },
        )
    return len(runs)


def _deliver(tenant: Tenant, ids: Sequence[int], day: date) -> None:
    """One line behind the bell of each owner, and every opportunity to the systems that asked for it."""
    counts: dict[int, int] = {}
    for owner_id in Opportunity.objects.filter(tenant=tenant, pk__in=ids).values_list("owner_id", flat=True):
        if owner_id is not None:
            counts[owner_id] = counts.get(owner_id, 0) + 1
    owners = Membership.objects.filter(tenant=tenant, pk__in=counts).select_related("user")
    for member in owners:
        with override(member.user.language or tenant.language):
            n = counts[member.pk]
            notify_members(
                tenant=tenant,
                members=[member],
                kind=NOTICE,
                title=ngettext("%(n)d new opportunity to expand", "%(n)d new opportunities to expand", n)
                % {"n": n},
                body=_("Found in last night's numbers, tickets and notes."),
                url="/expansion/?who=mine",
                dedupe_key=f"expansion-{day.isoformat()}",
            )
    if Endpoint.objects.filter(tenant=tenant).exists():
        found = Opportunity.objects.filter(tenant=tenant, pk__in=ids).select_related("account", "offering")
        for one in found.order_by("pk"):
            publish_event(
                tenant=tenant,
                event_type=OPPORTUNITY_OPENED,
                data=event_data(one),
                account=one.account,
                dedupe_key=f"{OPPORTUNITY_OPENED}-{one.pk}-",
            )


def _write_metric(tenant: Tenant, day: date) -> None:
    """How many are open at each account that ever had one; unknown again a month after the last was closed."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT_SQL,
            {"tenant": tenant.pk, "day": day, "open": list(stages.OPEN), "recent": RECENT_DAYS},
        )
        rows = cursor.fetchall()
    if (
        rows
        and Metric.objects.filter(
            tenant=tenant, key=OPEN_METRIC, kind=Metric.Kind.PUSHED, active=True
        ).exists()
    ):
        push_metric_values(
            tenant=tenant,
            source=SOURCE,
            items=[
                {
                    "account_id": key,
                    "metric": OPEN_METRIC,
                    "day": day,
                    "value": None if n is None else float(n),
                }
                for key, n in rows
            ],
        )
