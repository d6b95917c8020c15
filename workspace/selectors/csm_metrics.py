"""What each CSM carries and does: one row per owner, a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from accounts.models import Membership, Role, Tenant
from playbooks.intervention.models import InterventionSettings
from playbooks.intervention.selectors import intervention_settings
from reports.facts.service import HOURS_TO_ACTION
from reports.facts.team import UNTOUCHED_DAYS
from workspace.selectors import people

PERIODS = (30, 90, 365)

BOOKS_SQL = """
SELECT a.owner_id, a.currency, count(*) FILTER (WHERE a.touch_model = 'named'),
       count(*) FILTER (WHERE a.touch_model <> 'named'), sum(a.mrr_cents),
       count(*) FILTER (WHERE NOT EXISTS (
         SELECT 1 FROM accounts_timelineentry t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id
           AND t.at >= %(touched_since)s AND t.actor_id IS NOT NULL))
FROM accounts_account a
WHERE a.tenant_id = %(tenant)s AND (a.churned_on IS NULL OR a.churned_on > %(today)s)
GROUP BY 1, 2
"""
TASKS_SQL = """
SELECT t.completed_by_id, 'done', count(*) FROM playbooks_task t
WHERE t.tenant_id = %(tenant)s AND t.state = 'done' AND t.completed_at >= %(since)s AND t.completed_by_id IS NOT NULL
GROUP BY 1
UNION ALL
SELECT t.assignee_id, 'overdue', count(*) FROM playbooks_task t
WHERE t.tenant_id = %(tenant)s AND t.state = 'open' AND t.due_on < %(today)s
GROUP BY 1
"""
ALERTS_SQL = f"""
SELECT a.owner_id, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY {HOURS_TO_ACTION})
FROM (SELECT account_id, created_at, opened_on, coalesce(first_action_at, closed_at) AS acted_at FROM alerts_alert
      WHERE tenant_id = %(tenant)s AND coalesce(first_action_at, closed_at) >= %(since)s) x
JOIN accounts_account a ON a.tenant_id = %(tenant)s AND a.id = x.account_id
GROUP BY 1
"""
SAVES_SQL = """
SELECT a.owner_id, count(*) FILTER (WHERE r.outcome = 'recovered'), count(*) FROM playbooks_run r
JOIN accounts_account a ON a.tenant_id = r.tenant_id AND a.id = r.account_id
WHERE r.tenant_id = %(tenant)s AND r.finished_on >= %(first_day)s AND r.outcome <> ''
GROUP BY 1
"""


@dataclass
class Figures:
    """What one CSM carries and did; the last row is of the accounts that nobody owns."""

    member: Membership | None
    named: int = 0
    others: int = 0  # pooled, tech touch and those that do not say
    mrr: dict[str, int] = field(default_factory=dict)
    untouched: int = 0
    tasks_done: int = 0
    overdue: int = 0
    alerts: int = 0
    hours_to_action: float | None = None
    saves: int = 0
    runs_ended: int = 0

    @property
    def accounts(self) -> int:
        """How many accounts it is in all."""
        return self.named + self.others

    def load(self, settings: InterventionSettings) -> str:
        """Where the book stands against the ratios: over, under, within, or nothing to judge.

        Named and other accounts are added as shares of what one CSM carries of each, so a mixed book is judged, too.
        """
        if self.member is None or not self.accounts:
            return ""
        most = self.named / settings.named_most + self.others / settings.pooled_most
        least = self.named / max(1, settings.named_least) + self.others / max(1, settings.pooled_least)
        return "over" if most > 1 else "under" if least < 1 else "within"


@dataclass(frozen=True)
class CsmMetrics:
    """The page: rows by load, the settings they are judged by."""

    rows: list[Figures]
    settings: InterventionSettings
    days: int
    since: date

    @property
    def loads(self) -> list[tuple[Figures, str]]:
        """Each row with where its book stands."""
        return [(row, row.load(self.settings)) for row in self.rows]

    @property
    def total(self) -> Figures:
        """Everybody together."""
        names = ("named", "others", "untouched", "tasks_done", "overdue", "alerts", "saves", "runs_ended")
        return Figures(None, **{name: sum(getattr(row, name) for row in self.rows) for name in names})


def read_period(text: str) -> int:
    """The days of an address; 30 unless it says another that there is."""
    return int(text) if text in {str(days) for days in PERIODS} else PERIODS[0]


def csm_metrics(tenant: Tenant, days: int) -> CsmMetrics:
    """The figures of everybody who owns accounts or could: six queries however many accounts there are."""
    today = tenant.today()
    first_day = today - timedelta(days=days - 1)
    params: dict[str, Any] = {
        "tenant": tenant.pk,
        "today": today,
        "first_day": first_day,
        "since": datetime.combine(first_day, time.min, tenant.tz),
        "touched_since": datetime.combine(today - timedelta(days=UNTOUCHED_DAYS), time.min, tenant.tz),
        "zone": tenant.timezone,
    }
    members = {member.pk: member for member in people.members(tenant, active_only=False)}
    rows: dict[int | None, Figures] = {}
    for pk, member in members.items():
        if member.is_active and member.role == Role.CSM:
            rows[pk] = Figures(member)

    def row(owner_id: int | None) -> Figures:
        return rows.setdefault(owner_id, Figures(members.get(owner_id or 0)))

    with connection.cursor() as cursor:
        cursor.execute(BOOKS_SQL, params)
        for owner_id, currency, named, others, mrr, untouched in cursor.fetchall():
            found = row(owner_id)
            found.named, found.others = found.named + named, found.others + others
            found.untouched += untouched
            if mrr:
                found.mrr[currency] = found.mrr.get(currency, 0) + int(mrr)
        cursor.execute(TASKS_SQL, params)
        for member_id, what, count in cursor.fetchall():
            found = row(member_id)
            if what == "done":
                found.tasks_done = count
            else:
                found.overdue = count
        cursor.execute(ALERTS_SQL, params)
        for owner_id, count, hours in cursor.fetchall():
            found = row(owner_id)
            found.alerts, found.hours_to_action = count, None if hours is None else float(hours)
        cursor.execute(SAVES_SQL, params)
        for owner_id, saves, ended in cursor.fetchall():
            found = row(owner_id)
            found.saves, found.runs_ended = saves, ended
    ordered = sorted(
        rows.values(), key=lambda one: (one.member is None, -one.accounts, str(one.member).lower())
    )
    return CsmMetrics(ordered, intervention_settings(tenant), days, first_day)


CASES_SQL = """
SELECT count(*) FILTER (WHERE is_critical), count(*) FILTER (WHERE has_expansion), count(*) FILTER (WHERE is_enterprise),
       count(*) FILTER (WHERE is_complex),
       count(*) FILTER (WHERE (is_critical OR has_expansion OR is_enterprise OR is_complex) AND owner_id IS NULL),
       count(*) FILTER (WHERE is_calm AND touch_model = 'named' AND NOT is_enterprise)
FROM (
  SELECT a.owner_id, a.touch_model, coalesce(s.band = 1, false) AS is_critical,
    lower(a.segment) = ANY(%(enterprise)s) AS is_enterprise,
    EXISTS (SELECT 1 FROM alerts_alert x JOIN alerts_rule r ON r.tenant_id = x.tenant_id AND r.id = x.rule_id
            WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id AND x.state = 'open' AND r.topic = 'expansion')
      AS has_expansion,
    EXISTS (SELECT 1 FROM accounts_ticket t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id
            AND t.resolved_at IS NULL AND t.severity = ANY(%(complex)s)) AS is_complex,
    coalesce(s.band = 3, false) AND NOT EXISTS (
      SELECT 1 FROM scoring_score h WHERE h.tenant_id = a.tenant_id AND h.kind = 1 AND h.account_id = a.id
        AND h.day > %(calm_since)s AND h.band <> 3)
      AND NOT EXISTS (SELECT 1 FROM alerts_alert x WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id
                      AND x.state IN ('open', 'snoozed') AND x.severity = 'high') AS is_calm
  FROM accounts_account a
  LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = 1 AND s.account_id = a.id
  WHERE a.tenant_id = %(tenant)s AND (a.churned_on IS NULL OR a.churned_on > %(today)s)
) f
"""


@dataclass(frozen=True)
class CaseCounts:
    """How many accounts each case holds for now, how many of them nobody has, and how many could go back."""

    critical: int
    expansion: int
    enterprise: int
    complex: int
    nobodys: int
    could_go_back: int


def case_counts(
    tenant: Tenant, *, enterprise: list[str], severities: list[str], back_after_days: int
) -> CaseCounts:
    """Count the cases over all accounts; one query."""
    today = tenant.today()
    with connection.cursor() as cursor:
        cursor.execute(
            CASES_SQL,
            {
                "tenant": tenant.pk,
                "today": today,
                "enterprise": [segment.lower() for segment in enterprise],
                "complex": severities,
                "calm_since": today - timedelta(days=back_after_days),
            },
        )
        return CaseCounts(*cursor.fetchone())


def by_currency(rows: list[Figures]) -> dict[str, int]:
    """The MRR of all rows by currency."""
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        for currency, cents in row.mrr.items():
            found[currency] += cents
    return dict(found)
