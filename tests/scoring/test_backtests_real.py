"""The shipped default model on real events, as of quarterly dates, against counting the days since the last event."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from scoring.backtest.jobs import replay_of
from scoring.backtest.parameters import Wanted
from scoring.models import Backtest, StoredScore, Version
from scoring.selectors import latest_backtest
from scoring.services import score_accounts, start_backtest
from tests.scoring.test_real_data import devtool_rows, loaded


def test_the_shipped_model_beats_recency_and_replays_what_the_night_stores(
    db: None, shared_data: Path
) -> None:
    tenant = loaded("devtool", devtool_rows(shared_data))
    wanted = Wanted(
        first=date(2024, 6, 28),
        last=date(2025, 9, 26),
        step_days=91,
        outcome="inactivity",
        scales="published",
    )
    with tenant_scope(tenant):
        version = Version.objects.select_related("model").get(model__key="plg", number=1)
        made = start_backtest(tenant=tenant, version=version, wanted=wanted)
    finish_job(tenant, made.job_id or 0)
    with tenant_scope(tenant):
        found = latest_backtest(tenant)
        assert found is not None and found.state == Backtest.State.DONE
        figures = found.figures or {}
        assert figures["verdict"] == "skill"
        recency = next(row for row in figures["baselines"] if row["name"] == "recency")
        assert recency["verdict"] == "better"
        assert recency["difference"]["low"] > 0
        assert len(figures["dates"]) == 6
        # The night of the last date, run now for that day, stores what the replay found.
        day = wanted.last
        assert day is not None
        score_accounts(tenant=tenant, day=day, kinds=["health"])
        stored = dict(StoredScore.objects.filter(day=day).values_list("account_id", "score"))
        cases = replay_of(tenant, found).cases(day)
        assert len(cases) > 20
        for account, score in zip(cases.account.tolist(), cases.score.tolist(), strict=True):
            assert stored[account] == score
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM scoring_backtest_case WHERE tenant_id = %s", [tenant.pk])
            assert cursor.fetchone() == (0,)
