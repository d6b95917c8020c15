"""The PQL part of a night at N self-serve accounts: signals, scores, leads and people, against the scan of the rows read."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from datetime import date

from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from bench.nightly import REPEATS, _scan, owner_sql
from bench.table import Row
from bench.tenants import make_tenant
from pql.models import AccountMonth, ContactScore, Lead, LeadSettings, Standing
from pql.services import evaluate_leads, measure_signals
from scoring.services import score_accounts

# Everybody on a self-serve plan is the worst case; a week of users each, so that people are scored, too. One account in five
# hits a limit now and then, one in fifty asks for sales: a tenant in which every account gives every signal is none.
PEOPLE_SQL = """
INSERT INTO accounts_contact (tenant_id, id, account_id, user_id, email, name, roles, traits, created_at)
SELECT %(tenant)s, a.id * 10 + d, a.id, 'u-' || a.id || '-' || d, 'u' || d || '@account-' || a.id || '.example',
       'Person ' || d, '{}', '{}', a.created_at
FROM accounts_account a CROSS JOIN generate_series(0, 6) d WHERE a.tenant_id = %(tenant)s ON CONFLICT DO NOTHING
"""
QUIET_SQL = "UPDATE usage_day SET {assignments} WHERE tenant_id = %(tenant)s"
RARELY = (
    '"values"[{slot}] = CASE WHEN account_id %% {share} = 0 '
    "AND extract(doy FROM day)::int %% 30 = account_id %% 30 THEN 1 END"
)
SHARES = {"limit_hits": 5, "billing_visits": 4, "invites": 6, "sales_requests": 50, "seats_used_pct": 10**9}


def _prepare(size: int) -> tuple[Tenant, date]:
    tenant, day = make_tenant(f"bench-pql-{size}", size)
    with tenant_scope(tenant), connection.cursor() as cursor:
        values = {"tenant": tenant.pk}
        if not ContactScore.objects.exists() and not Standing.objects.exists():
            cursor.execute(
                "UPDATE accounts_account SET plan_kind = 'self_serve' WHERE tenant_id = %(tenant)s", values
            )
            cursor.execute(PEOPLE_SQL, values)
            cursor.execute("SELECT key, slot FROM usage_metric WHERE tenant_id = %(tenant)s", values)
            slots = dict(cursor.fetchall())
            rarely = [RARELY.format(slot=int(slots[key]), share=share) for key, share in SHARES.items()]
            cursor.execute(QUIET_SQL.format(assignments=", ".join(rarely)), values)
    return tenant, day


def _forget(tenant: Tenant) -> None:
    with tenant_scope(tenant), connection.cursor() as cursor:
        for model in (Lead, ContactScore, AccountMonth, Standing):
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE tenant_id = %s", [tenant.pk])
        for table in ("scoring_score", "scoring_current"):
            cursor.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [tenant.pk])
        LeadSettings.objects.update(evaluated_on=None)
    owner_sql(["VACUUM ANALYZE scoring_score", "VACUUM ANALYZE pql_standing", "VACUUM ANALYZE usage_day"])


def _timed(tenant: Tenant, step: Callable[[], object]) -> float:
    """Seconds of one step in its own transaction, as the worker does it."""
    started = time.perf_counter()
    with tenant_scope(tenant):
        step()
    return time.perf_counter() - started


def run(size: int) -> list[Row]:
    """A first night, in which every lead is new, and the night after it."""
    tenant, day = _prepare(size)
    owner_sql(
        ["VACUUM ANALYZE usage_day", "VACUUM ANALYZE usage_user_day", "VACUUM ANALYZE accounts_contact"]
    )
    floor = statistics.median(_scan(tenant) for _ in range(REPEATS))
    steps: dict[str, Callable[[], object]] = {
        "PQL signals": lambda: measure_signals(tenant=tenant, day=day),
        "PQL score": lambda: score_accounts(tenant=tenant, day=day, kinds=("pql",)),
        "PQL leads and people": lambda: evaluate_leads(tenant=tenant, day=day),
    }
    took: dict[str, list[float]] = {name: [] for name in (*steps, "PQL leads and people, again")}
    for _ in range(REPEATS):
        _forget(tenant)
        for name, step in steps.items():
            took[name].append(_timed(tenant, step))
        took["PQL leads and people, again"].append(_timed(tenant, steps["PQL leads and people"]))
    with tenant_scope(tenant):
        leads, people = Lead.objects.count(), ContactScore.objects.count()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    words = {
        "PQL leads and people": f", {leads:,} leads, {people:,} people, {peak:.0f} MB peak",
    }
    return [
        Row(
            name,
            f"{size:,} self-serve accounts × 90 days",
            f"{statistics.median(times):.2f} s{words.get(name, '')}",
            f"sequential scan {floor:.2f} s",
            statistics.median(times) / floor,
            "",
        )
        for name, times in took.items()
    ]
