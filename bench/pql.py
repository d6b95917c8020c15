"""The PQL part of a night at N self-serve accounts: signals, scores, leads and people, against the scan of the rows read.

Step by step and chunk by chunk as the ledger does it, in one process: each chunk is a transaction of its own.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date

from django.db import connection, connections

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Tenant
from bench.nightly import REPEATS, owner_sql, scan_seconds
from bench.table import Row
from bench.tenants import make_tenant
from cs_platform.pipeline import account_chunks
from pql.models import AccountMonth, ContactScore, Lead, LeadSettings, PeoplePeers, Standing
from pql.services import evaluate_leads, measure_signals, score_contacts
from scoring.services import score_accounts

Chunk = Mapping[str, int | None]
Times = dict[tuple[str, str], list[float]]

# Everybody on a self-serve plan is the worst case; a week of users each, so that people are scored, too. One account in five
# hits a limit now and then, one in fifty asks for sales: a tenant in which every account gives every signal is none.
PEOPLE_SQL = """
INSERT INTO accounts_contact (tenant_id, id, account_id, user_id, email, name, roles, traits, created_at)
SELECT %(tenant)s, a.id * 10 + d, a.id, 'u-' || a.id || '-' || d, 'u' || d || '@account-' || a.id || '.example',
       'Person ' || d, '{}', '{}', a.created_at
FROM accounts_account a CROSS JOIN generate_series(0, 6) d WHERE a.tenant_id = %(tenant)s ON CONFLICT DO NOTHING
"""
RARELY = "CASE WHEN a.id %% {share} = 0 AND extract(doy FROM d)::int %% 30 = a.id %% 30 THEN 1 END"
SHARES = {"limit_hits": 5, "billing_visits": 4, "invites": 6, "sales_requests": 50, "seats_used_pct": 10**9}


@dataclass(frozen=True)
class Step:
    """A step of the night: once, or a transaction for each range of accounts."""

    run: Callable[[Chunk], object]
    chunked: bool = False


def _prepare(size: int) -> tuple[Tenant, date]:
    tenant, day = make_tenant(
        f"bench-pql-{size}",
        size,
        plan_kind="self_serve",
        special={key: RARELY.format(share=share) for key, share in SHARES.items()},
    )
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(PEOPLE_SQL, {"tenant": tenant.pk})
    return tenant, day


def _forget(tenant: Tenant) -> None:
    with tenant_scope(tenant), connection.cursor() as cursor:
        for model in (Lead, ContactScore, PeoplePeers, AccountMonth, Standing):
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE tenant_id = %s", [tenant.pk])
        for table in ("scoring_score", "scoring_current"):
            cursor.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [tenant.pk])
        LeadSettings.objects.update(evaluated_on=None)
    owner_sql(["VACUUM ANALYZE scoring_score", "VACUUM ANALYZE pql_standing", "VACUUM ANALYZE usage_day"])


def _timed(tenant: Tenant, step: Step) -> float:
    """Seconds of one step, as the worker does it."""
    with tenant_scope(tenant):
        chunks = account_chunks(tenant) if step.chunked else [{"first": 0, "last": None}]
    started = time.perf_counter()
    for chunk in chunks:
        with tenant_scope(tenant):
            step.run(chunk)
    return time.perf_counter() - started


def _steps(tenant: Tenant, day: date) -> dict[str, Step]:
    def score(chunk: Chunk) -> None:
        ids = Account.objects.filter(pk__gte=chunk["first"])
        if chunk["last"] is not None:
            ids = ids.filter(pk__lt=chunk["last"])
        score_accounts(
            tenant=tenant, day=day, kinds=("pql",), account_ids=list(ids.values_list("pk", flat=True))
        )

    return {
        "signals": Step(lambda _chunk: measure_signals(tenant=tenant, day=day)),
        "score": Step(score, chunked=True),
        "leads": Step(lambda _chunk: evaluate_leads(tenant=tenant, day=day, people=False)),
        "people": Step(
            lambda chunk: score_contacts(
                tenant=tenant, day=day, first=chunk["first"] or 0, last=chunk["last"]
            ),
            chunked=True,
        ),
    }


def _night(tenant_id: int, day: date, repeats: int) -> tuple[Times, int, int, float]:
    """All of it in a process of its own, whose memory is asked for."""
    connections.close_all()
    tenant = Tenant.objects.get(pk=tenant_id)
    steps = _steps(tenant, day)
    took: Times = {}
    for _ in range(repeats):
        _forget(tenant)
        for night, names in (("first night", tuple(steps)), ("next night", ("leads", "people"))):
            if night == "next night":
                _age(tenant)
            for name in names:
                took.setdefault((night, name), []).append(_timed(tenant, steps[name]))
    with tenant_scope(tenant):
        leads, people = Lead.objects.count(), ContactScore.objects.count()
    return took, leads, people, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _age(tenant: Tenant) -> None:
    """Let what is stored of people be yesterday's, so that the night has every row to write again."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("UPDATE pql_contactscore SET day = day - 1 WHERE tenant_id = %s", [tenant.pk])
    owner_sql(["VACUUM ANALYZE pql_contactscore", "VACUUM ANALYZE pql_lead"])


def run(size: int) -> list[Row]:
    """A first night, in which every lead and every person is new, and the night after it."""
    tenant, day = _prepare(size)
    owner_sql(
        ["VACUUM ANALYZE usage_day", "VACUUM ANALYZE usage_user_day", "VACUUM ANALYZE accounts_contact"]
    )
    floor = statistics.median(scan_seconds(tenant) for _ in range(REPEATS))
    connections.close_all()
    repeats = REPEATS if size <= 10_000 else 1
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        took, leads, people, peak = pool.submit(_night, tenant.pk, day, repeats).result()
    rows = []
    for (night, name), times in took.items():
        words = f", {leads:,} leads" if name == "leads" else ""
        words = f", {people:,} people, {peak:.0f} MB peak" if name == "people" else words
        seconds = statistics.median(times)
        rows.append(
            Row(
                f"PQL {name}, {night}",
                f"{size:,} self-serve accounts × 90 days",
                f"{seconds:.2f} s{words}",
                f"sequential scan {floor:.2f} s",
                seconds / floor,
                "",
            )
        )
    return rows
