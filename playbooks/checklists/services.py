"""Writes of checklists: made for every account at once, ticked by the numbers where they know, by people else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Membership, Tenant
from accounts.services import record_audit, record_timeline
from playbooks.rights import demand_account
from scoring.models import KIND_CODES
from usage.models import Metric

from . import timeline
from .items import MONTH, QUARTER, RENEWAL_DAYS, items_of, period_end, period_start
from .models import ChecklistItem

EXPANSION_PLAYS = ["expansion_sequence"]
RENEWAL_PLAYS = ["save_renewal"]
METRIC_KEYS = ("qbr_scheduled", "expansion_open", "roi_cents", "case_study_proposed")

CREATE_SQL = """
INSERT INTO playbooks_checklistitem
  (tenant_id, account_id, cadence, period_on, key, done_how, note, evidence, ignore_numbers)
SELECT %(tenant)s, a.id, %(cadence)s, %(start)s, k.key, '', '', '{}'::jsonb, false
FROM accounts_account a CROSS JOIN unnest(%(keys)s::text[]) AS k(key)
WHERE a.tenant_id = %(tenant)s AND (a.churned_on IS NULL OR a.churned_on > %(day)s)
  AND a.id >= %(first)s AND (%(last)s::bigint IS NULL OR a.id < %(last)s)
  AND NOT EXISTS (SELECT 1 FROM playbooks_checklistitem c WHERE c.tenant_id = a.tenant_id AND c.account_id = a.id
                  AND c.cadence = %(cadence)s AND c.period_on = %(start)s AND c.key = k.key)
ON CONFLICT (tenant_id, cadence, period_on, account_id, key) DO NOTHING
"""
# Every way of knowing yields the accounts of the range that fulfil an item, with what was seen.
_TICK_SQL = """
UPDATE playbooks_checklistitem c SET done_on = %(day)s, done_how = 'system', evidence = seen.evidence
FROM ({seen}) AS seen(account_id, evidence)
WHERE c.tenant_id = %(tenant)s AND c.cadence = %(cadence)s AND c.period_on = %(start)s AND c.key = %(key)s
  AND c.account_id = seen.account_id AND c.done_on IS NULL AND NOT c.ignore_numbers
  AND c.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR c.account_id < %(last)s)
"""
SCORED = """
SELECT s.account_id, jsonb_build_object('scored_on', s.day, 'score', round(s.score::numeric, 1))
FROM scoring_current s
WHERE s.tenant_id = %(tenant)s AND s.kind = %(health)s AND s.day BETWEEN %(start)s AND %(end)s AND s.score IS NOT NULL
  AND s.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR s.account_id < %(last)s)
"""
REPORTED = """
SELECT u.account_id, jsonb_build_object('metric', %(metric)s::text, 'day', max(u.day), 'value',
                                        (array_agg(u.{value} ORDER BY u.day DESC))[1])
FROM usage_day u
WHERE u.tenant_id = %(tenant)s AND u.day BETWEEN %(start)s AND %(day)s AND u.{value} IS NOT NULL
  AND u.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR u.account_id < %(last)s)
GROUP BY 1
"""
PLAYED = """
SELECT r.account_id, jsonb_build_object('play', (array_agg(p.name ORDER BY r.id DESC))[1], 'day', max({when}))
FROM playbooks_run r JOIN playbooks_playbook p ON p.tenant_id = r.tenant_id AND p.id = r.playbook_id
WHERE r.tenant_id = %(tenant)s AND {when} BETWEEN %(start)s AND %(day)s AND {which}
  AND r.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR r.account_id < %(last)s)
GROUP BY 1
"""
NO_RENEWAL = """
SELECT a.id, jsonb_build_object('renewal_on', a.renewal_on) FROM accounts_account a
WHERE a.tenant_id = %(tenant)s AND a.renewal_on > %(horizon)s
  AND a.id >= %(first)s AND (%(last)s::bigint IS NULL OR a.id < %(last)s)
"""
RISK_FREE = """
SELECT a.id, jsonb_build_object('open_alerts', 0) FROM accounts_account a
WHERE a.tenant_id = %(tenant)s AND NOT a.id = ANY(%(at_risk)s::bigint[])
  AND a.id >= %(first)s AND (%(last)s::bigint IS NULL OR a.id < %(last)s)
"""
# Risks come back: what the numbers had ticked is opened again while the month lasts.
REOPEN_SQL = """
UPDATE playbooks_checklistitem c SET done_on = NULL, done_how = '', evidence = '{}'::jsonb
WHERE c.tenant_id = %(tenant)s AND c.cadence = %(cadence)s AND c.period_on = %(start)s AND c.key = %(key)s
  AND c.done_how = 'system' AND c.evidence ? 'open_alerts' AND c.account_id = ANY(%(at_risk)s::bigint[])
  AND c.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR c.account_id < %(last)s)
"""


@dataclass(frozen=True)
class ChecklistSummary:
    """What a night did."""

    made: int
    ticked: int
    reopened: int


def keep_checklists(
    *, tenant: Tenant, day: date, at_risk: Collection[int] = (), first: int = 0, last: int | None = None
) -> ChecklistSummary:
    """Make what is missing of this month's and quarter's lists and tick what the numbers know.

    A constant number of statements for any number of accounts; twice the same day changes nothing. `at_risk` names the
    accounts with an open alert of high severity: alerts live on a floor above. The night goes by ranges of account ids.
    """
    made = ticked = reopened = 0
    metrics = {
        m.key: m for m in Metric.objects.filter(tenant=tenant, key__in=METRIC_KEYS, active=True) if m.slot
    }
    with connection.cursor() as cursor:
        for cadence in (MONTH, QUARTER):
            start = period_start(cadence, day)
            period: dict[str, Any] = {
                "tenant": tenant.pk,
                "cadence": cadence,
                "start": start,
                "end": period_end(cadence, start),
                "day": day,
                "first": first,
                "last": last,
                "at_risk": list(at_risk),
                "health": KIND_CODES["health"],
                "horizon": period_end(cadence, start) + timedelta(days=RENEWAL_DAYS),
                "keys": [item.key for item in items_of(cadence)],
            }
            cursor.execute(CREATE_SQL, period)
            made += cursor.rowcount
            if cadence == MONTH and at_risk:
                cursor.execute(REOPEN_SQL, {**period, "key": "risks_mitigated"})
                reopened += cursor.rowcount
            for key, seen, more in _ways(cadence, metrics):
                cursor.execute(_TICK_SQL.format(seen=seen), {**period, "key": key, **more})
                ticked += cursor.rowcount
    return ChecklistSummary(made, ticked, reopened)


def _ways(cadence: str, metrics: Mapping[str, Metric]) -> list[tuple[str, str, dict[str, Any]]]:
    """Item, statement and parameters of everything by which the numbers know."""
    if cadence == MONTH:
        return [
            ("health_updated", SCORED, {}),
            *_reported("qbr_ready", metrics, "qbr_scheduled", at_least=1),
            *_reported("expansion_evaluated", metrics, "expansion_open"),
            _played("expansion_evaluated", EXPANSION_PLAYS, "r.started_on"),
            ("risks_mitigated", RISK_FREE, {}),
            (
                "risks_mitigated",
                PLAYED.format(when="r.finished_on", which="r.outcome = 'recovered'"),
                {},
            ),
        ]
    return [
        *_reported("roi_consolidated", metrics, "roi_cents"),
        *_reported("case_study_proposed", metrics, "case_study_proposed", at_least=1),
        *_reported("expansion_closed", metrics, "expansion_open", last_is=0),
        _played("expansion_closed", EXPANSION_PLAYS, "r.finished_on"),
        ("renewal_prepared", NO_RENEWAL, {}),
        _played("renewal_prepared", RENEWAL_PLAYS, "r.finished_on"),
    ]


def _reported(
    key: str,
    metrics: Mapping[str, Metric],
    metric: str,
    at_least: float | None = None,
    last_is: float | None = None,
) -> list[tuple[str, str, dict[str, Any]]]:
    found = metrics.get(metric)
    if found is None:
        return []
    value = f'"values"[{int(found.slot or 0)}]'
    sql = REPORTED.format(value=value)
    if at_least is not None:
        sql += f"HAVING max(u.{value}) >= {float(at_least)}"
    if last_is is not None:
        # It fell to this: it was something else before within the period.
        sql += (
            f"HAVING (array_agg(u.{value} ORDER BY u.day DESC))[1] = {float(last_is)} "
            f"AND max(u.{value}) > {float(last_is)}"
        )
    return [(key, sql, {"metric": metric})]


def _played(key: str, plays: list[str], when: str) -> tuple[str, str, dict[str, Any]]:
    return key, PLAYED.format(when=when, which="p.key = ANY(%(plays)s)"), {"plays": plays}


def tick_item(
    *, tenant: Tenant, item_id: int, note: str = "", member: Membership | None = None
) -> ChecklistItem:
    """Tick an item by hand; the note says what was done."""
    item = _locked(tenant, item_id, member)
    if item.done_on is not None:
        return item
    item.done_on, item.done_how, item.done_by = tenant.today(), ChecklistItem.How.HAND, member
    item.note = note.strip()[:2000]
    item.save(update_fields=["done_on", "done_how", "done_by", "note"])
    _journal(tenant, item, timeline.TICKED, member, {"note": item.note})
    return item


def untick_item(*, tenant: Tenant, item_id: int, member: Membership | None = None) -> ChecklistItem:
    """Open an item again; what the numbers had ticked is then left to people."""
    item = _locked(tenant, item_id, member)
    if item.done_on is None:
        return item
    item.ignore_numbers = item.ignore_numbers or item.done_how == ChecklistItem.How.SYSTEM
    item.done_on, item.done_how, item.done_by, item.note, item.evidence = None, "", None, "", {}
    item.save(update_fields=["done_on", "done_how", "done_by", "note", "evidence", "ignore_numbers"])
    _journal(tenant, item, timeline.UNTICKED, member, {})
    return item


def _locked(tenant: Tenant, item_id: int, member: Membership | None) -> ChecklistItem:
    item = ChecklistItem.objects.select_for_update(of=("self",)).select_related("account").get(
        tenant=tenant, pk=item_id
    )  # fmt: skip
    demand_account(member, item.account)
    return item


def _journal(
    tenant: Tenant, item: ChecklistItem, kind: str, member: Membership | None, data: dict[str, Any]
) -> None:
    seen = {"item": item.key, "period_on": item.period_on.isoformat(), "cadence": item.cadence, **data}
    record_timeline(
        tenant=tenant,
        account_id=item.account_id,
        kind=kind,
        at=timezone.now(),
        title=f"{item.item.title} · {item.period_on.isoformat()}",
        actor=member,
        data=seen,
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target=f"checklist:{item.pk}",
        after=seen,
    )
