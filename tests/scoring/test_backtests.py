"""Backtests through the ledger: the replay is the night, outcomes are what happened, and nothing is decided by itself."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any

import numpy as np
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Account, AuditEntry, Job, Subscription, Tenant
from accounts.services.tenants import create_tenant
from scoring.backtest.cases import Cases
from scoring.backtest.jobs import account_spans, replay_of
from scoring.backtest.parameters import Refusal, Wanted
from scoring.models import Backtest, Component, Measure, ScoreModel, StoredScore, Version
from scoring.selectors import latest_backtest
from scoring.selectors.backtests import backtest as backtest_by_id
from scoring.selectors.backtests import chance_of, history_limits
from scoring.services import (
    DefinitionError,
    create_draft,
    draft_suggested_weights,
    score_accounts,
    start_backtest,
)
from usage.services import accept_rows, roll_up_pending

TODAY = date(2025, 12, 31)
CUT = date(2025, 6, 30)


def at(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=UTC)


def made_rows(accounts: int = 45, *, seed: int = 3) -> list[dict[str, Any]]:
    """A year of usage: some accounts are busy, some fade and fall silent; one event in five arrives days later."""
    rng = random.Random(seed)
    rows = []
    for number in range(accounts):
        pace = rng.choice([0.05, 0.15, 0.4, 0.8])
        stops = date(2025, 1, 1) + timedelta(days=rng.randint(60, 700))
        day = date(2025, 1, 1)
        while day <= min(TODAY, stops):
            if rng.random() < pace:
                for place in range(rng.randint(1, 3)):
                    happened = at(day, rng.randint(0, 23))
                    late = timedelta(hours=rng.choice([0, 0, 0, 0, 30, 200]))
                    rows.append(
                        {
                            "account_id": f"a{number}",
                            "user_id": f"a{number}-{rng.randint(0, 2)}",
                            "event": rng.choice(["Work", "Report", "Share"]),
                            "occurred_at": happened.isoformat(),
                            "received_at": (happened + late + timedelta(minutes=5)).isoformat(),
                            "event_id": f"{number}-{day}-{place}",
                        }
                    )
            day += timedelta(days=1)
    return [row for row in rows if row["received_at"] <= at(TODAY, 23).isoformat()]


def load(tenant: Tenant, rows: list[dict[str, Any]]) -> None:
    with tenant_scope(tenant):
        accept_rows(tenant=tenant, source="product", rows=rows)
        roll_up_pending(tenant=tenant)


def plg(tenant: Tenant) -> Version:
    """The newest version; asked for inside the tenant's scope."""
    return Version.objects.select_related("model").filter(model__key="plg").latest("number")


def run(tenant: Tenant, version: Version | None = None, **wanted: Any) -> Backtest:
    with tenant_scope(tenant):
        made = start_backtest(tenant=tenant, version=version or plg(tenant), wanted=Wanted(**wanted))
    job = finish_job(tenant, made.job_id or 0)
    assert job.state == Job.State.DONE, job.message
    with tenant_scope(tenant):
        found = backtest_by_id(tenant, made.pk)
    assert found is not None
    return found


@pytest.fixture
def year(db: None) -> Any:
    """A tenant with a year of usage, on the last day of it."""
    with time_machine.travel(at(TODAY, 23), tick=True):
        tenant = create_tenant(slug="globex", name="Globex")
        load(tenant, made_rows())
        yield tenant


def replayed(tenant: Tenant, day: date, **wanted: Any) -> dict[str, tuple[Any, ...]]:
    """What a backtest makes of the date, by external id."""
    with tenant_scope(tenant):
        made = start_backtest(
            tenant=tenant,
            version=plg(tenant),
            wanted=Wanted(first=day, last=day, everyone=True, scales="published", **wanted),
        )
        replay = replay_of(tenant, made)
        found = replay.cases(day)
        names = dict(Account.objects.values_list("id", "external_id"))
        made.delete()
    return {
        names[int(account)]: (float(score), *values)
        for account, score, values in zip(found.account, found.score, found.values.tolist(), strict=True)
    }


def test_the_replay_of_shuffled_arrivals_is_what_the_night_stored_exactly(db: None) -> None:
    rows = made_rows(40)
    known = [row for row in rows if row["received_at"] < at(CUT + timedelta(days=1), 0).isoformat()]
    with time_machine.travel(at(CUT + timedelta(days=1), 2), tick=True):
        then = create_tenant(slug="then", name="Then")
        load(then, known)
        with tenant_scope(then):
            score_accounts(tenant=then, day=CUT, kinds=["health"])
            names = dict(Account.objects.values_list("id", "external_id"))
            stored = {
                names[row.account_id]: (row.score, *row.components) for row in StoredScore.objects.all()
            }
    assert len(stored) > 20 and len({row[0] for row in stored.values()}) > 10
    random.Random(8).shuffle(rows)
    with time_machine.travel(at(TODAY, 23), tick=True):
        later = create_tenant(slug="later", name="Later")
        load(later, rows)
        again = replayed(later, CUT)
    missing = {name: row for name, row in stored.items() if name not in again}
    assert not missing
    for name, row in stored.items():
        assert [value for value in again[name] if not np.isnan(value)] == [
            value for value in row if value is not None
        ]


def test_replaying_ranges_of_accounts_is_the_same_as_all_at_once(year: Tenant) -> None:
    with tenant_scope(year):
        made = start_backtest(tenant=year, version=plg(year), wanted=Wanted(first=CUT, last=CUT))
        replay = replay_of(year, made)
        whole = replay.cases(CUT)
        parts = [replay.cases(CUT, span) for span in account_spans(year, 7)]
    assert len(parts) == 7
    for name in Cases.__dataclass_fields__:
        together = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(together, getattr(whole, name), equal_nan=together.dtype.kind == "f"), name


def test_a_backtest_ends_with_a_verdict_figures_and_no_cases_left(year: Tenant) -> None:
    found = run(year, first=date(2025, 3, 31), step_days=30, horizon_days=60, everyone=True)
    assert found.state == Backtest.State.DONE
    figures = found.figures or {}
    assert found.parameters["outcome"] == "inactivity"
    assert (found.parameters["arrival"], found.parameters["scales"]) == ("received", "then")
    assert figures["verdict"] == "skill" and figures["auc"]["value"] > 0.6
    assert {row["name"] for row in figures["baselines"]} == {"recency", "events"}
    assert [row["on"] for row in figures["dates"]] == found.parameters["dates"]
    assert [row["key"] for row in figures["components"]] == [
        "usage",
        "engagement",
        "adoption",
        "support",
        "payment",
    ]
    with tenant_scope(year):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM scoring_backtest_case WHERE tenant_id = %s", [year.pk])
            assert cursor.fetchone() == (0,)
        assert latest_backtest(year) == found
        assert AuditEntry.objects.filter(action="scoring.backtest.started").count() == 1
    chance = chance_of(found, 20.0)
    better = chance_of(found, 95.0)
    assert chance is not None and better is not None
    assert chance.probability > better.probability
    assert chance.n > 0 and chance.low is not None and chance.high is not None
    assert chance_of(found, None) is None and chance_of(None, 20.0) is None


def test_outcomes_are_what_happened_after_the_date(year: Tenant) -> None:
    with tenant_scope(year):
        made = start_backtest(
            tenant=year, version=plg(year), wanted=Wanted(first=CUT, last=CUT, everyone=True)
        )
        found = replay_of(year, made).cases(CUT)
        names = dict(Account.objects.values_list("id", "external_id"))
    end = (CUT + timedelta(days=91)).isoformat()
    active = {
        row["account_id"]
        for row in made_rows()
        if (CUT + timedelta(days=1)).isoformat() <= row["occurred_at"] < end
    }
    assert len(active) > 10
    assert {names[int(a)] for a, gone in zip(found.account, found.outcome, strict=True) if not gone} == {
        name for name in active if name in {names[int(a)] for a in found.account}
    }
    assert 5 < found.outcome.sum() < len(found)


def test_churn_leaves_out_who_had_gone_and_counts_who_goes_within_the_horizon(year: Tenant) -> None:
    with tenant_scope(year):
        ids = list(Account.objects.order_by("id").values_list("id", flat=True)[:4])
        for pk, day in zip(
            ids,
            (
                CUT,
                CUT + timedelta(days=1),
                CUT + timedelta(days=90),
                CUT + timedelta(days=91),
            ),
            strict=True,
        ):
            Account.objects.filter(pk=pk).update(churned_on=day)
        made = start_backtest(
            tenant=year, version=plg(year), wanted=Wanted(first=CUT, last=CUT, outcome="churn")
        )
        found = replay_of(year, made).cases(CUT)
    outcome = dict(zip(found.account.tolist(), found.outcome.tolist(), strict=True))
    assert ids[0] not in outcome
    assert [outcome[pk] for pk in ids[1:]] == [True, True, False]
    assert sum(outcome.values()) == 2


def test_subscriptions_say_who_renewed_shrank_or_came(year: Tenant) -> None:
    old, soon, later = date(2024, 1, 1), CUT + timedelta(days=30), CUT + timedelta(days=200)
    with tenant_scope(year):
        ids = list(Account.objects.order_by("id").values_list("id", flat=True)[:6])

        def subscribe(place: int, mrr: int, starts: date, ends: date | None) -> None:
            Subscription.objects.create(
                account_id=ids[place],
                external_id=f"{place}-{starts}-{mrr}",
                mrr_cents=mrr,
                starts_on=starts,
                ends_on=ends,
            )

        subscribe(0, 100, old, soon)  # ends, not renewed
        subscribe(1, 100, old, soon)  # renewed smaller
        subscribe(1, 60, soon, None)
        subscribe(2, 100, old, soon)  # renewed larger
        subscribe(2, 120, soon, None)
        subscribe(3, 100, old, later)  # runs on
        subscribe(4, 50, soon, None)  # the first one
        for outcome, asked, happened in (
            ("non_renewal", {0, 1, 2, 3}, {0}),
            ("contraction", {0, 1, 2, 3}, {0, 1}),
            ("conversion", {4, 5}, {4}),
        ):
            made = start_backtest(
                tenant=year, version=plg(year), wanted=Wanted(first=CUT, last=CUT, outcome=outcome)
            )
            found = replay_of(year, made).cases(CUT)
            Job.objects.update(state=Job.State.DONE)
            fate = dict(zip(found.account.tolist(), found.outcome.tolist(), strict=True))
            assert {place for place, pk in enumerate(ids) if pk in fate} == asked
            assert {place for place, pk in enumerate(ids) if fate.get(pk)} == happened


def test_history_imported_at_once_is_replayed_as_it_happened(db: None) -> None:
    rows = [{k: v for k, v in row.items() if k != "received_at"} for row in made_rows()]
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        tenant = create_tenant(slug="imported", name="Imported")
        load(tenant, rows)
        found = run(tenant, first=date(2025, 3, 31), last=date(2025, 9, 30))
        assert found.state == Backtest.State.DONE
        assert found.parameters["arrival"] == "occurred"
        assert (found.figures or {})["unscored"]["cases"] == 0
        with tenant_scope(tenant):
            limits = history_limits(tenant, tenant.today())
        assert limits.last_event is not None and limits.last_event.year == 2025


def test_a_wrong_signed_component_of_pushed_values_is_flagged(db: None) -> None:
    from tests.scoring.charges import charges_tenant

    with time_machine.travel(datetime(2025, 6, 1, 12, tzinfo=UTC), tick=True):
        tenant, version, day = charges_tenant()
        found = run(tenant, version, first=day, last=day, outcome="churn")
    components = {row["key"]: row["verdict"] for row in (found.figures or {})["components"]}
    assert components == {"usage": "wrong", "tenure": "skill"}
    assert (found.figures or {})["baselines"] == []


def test_too_few_outcomes_are_refused_and_the_job_is_done(year: Tenant) -> None:
    with tenant_scope(year):
        pk = Account.objects.order_by("id").values_list("id", flat=True)[0]
        Account.objects.filter(pk=pk).update(churned_on=date(2025, 8, 1))
    found = run(year, outcome="churn", first=CUT, last=CUT)
    assert found.state == Backtest.State.REFUSED
    assert found.refusal == {"code": "few", "values": found.refusal["values"] if found.refusal else {}}
    with tenant_scope(year):
        assert latest_backtest(year) is None


def test_what_is_clear_at_once_is_refused_before_a_job_is_made(year: Tenant) -> None:
    with tenant_scope(year):
        version = plg(year)
        for wanted, code in (
            (Wanted(outcome="churn"), "no_churn"),
            (Wanted(last=TODAY), "horizon_end"),
            (Wanted(last=TODAY + timedelta(days=9)), "future"),
            (Wanted(horizon_days=365), "short"),
        ):
            with pytest.raises(Refusal) as caught:
                start_backtest(tenant=year, version=version, wanted=wanted)
            assert caught.value.code == code
        assert Backtest.objects.count() == 0
        start_backtest(tenant=year, version=version, wanted=Wanted())
        with pytest.raises(Refusal) as caught:
            start_backtest(tenant=year, version=version, wanted=Wanted())
        assert caught.value.code == "running"


def test_a_version_that_cannot_score_is_refused(year: Tenant) -> None:
    with tenant_scope(year):
        draft = create_draft(tenant=year, model=ScoreModel.objects.get(key="plg"))
        Measure.objects.filter(component__version=draft, metric_key="active_days").update(
            scale_params={"points": []}
        )
        with pytest.raises(Refusal) as caught:
            start_backtest(tenant=year, version=draft, wanted=Wanted())
    assert caught.value.code == "bad_version"


def suggesting(tenant: Tenant, state: str = "suggested") -> Backtest:
    """A finished backtest with weights to suggest."""
    keys = {"usage": 20, "engagement": 45, "adoption": 10, "support": 15, "payment": 10}
    weights = [{"key": key, "suggested": weight} for key, weight in keys.items()]
    with tenant_scope(tenant):
        return Backtest.objects.create(
            tenant=tenant,
            version=plg(tenant),
            state=Backtest.State.DONE,
            parameters={},
            definition_hash="",
            figures={"weights": {"state": state, "weights": weights}},
        )


def test_suggested_weights_become_a_draft_that_nobody_has_published(year: Tenant) -> None:
    found = suggesting(year)
    with tenant_scope(year):
        draft = draft_suggested_weights(tenant=year, backtest=found)
        weights = dict(Component.objects.filter(version=draft).values_list("key", "weight"))
        assert weights == {"usage": 20, "engagement": 45, "adoption": 10, "support": 15, "payment": 10}
        assert (draft.state, draft.number) == (Version.State.DRAFT, 2)
        assert Version.objects.get(model__key="plg", state=Version.State.PUBLISHED).number == 1
        with pytest.raises(DefinitionError, match="draft of this model already"):
            draft_suggested_weights(tenant=year, backtest=found)


def test_weights_of_an_older_version_or_of_no_skill_become_no_draft(year: Tenant) -> None:
    none = suggesting(year, "no_skill")
    with tenant_scope(year), pytest.raises(DefinitionError, match="suggests no weights"):
        draft_suggested_weights(tenant=year, backtest=none)
    old = suggesting(year)
    with tenant_scope(year):
        Version.objects.create(
            tenant=year, model=ScoreModel.objects.get(key="plg"), number=2, state=Version.State.RETIRED
        )
        with pytest.raises(DefinitionError, match="newer version"):
            draft_suggested_weights(tenant=year, backtest=old)


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("backtest", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_verdict_and_json_says_the_same(year: Tenant) -> None:
    asked = ["globex", "--from", "2025-03-31", "--step-days", "30", "--horizon", "60", "--version", "1"]
    text = command(*asked)
    assert text.startswith("plg version 1: Evidence of skill")
    for words in ("AUC", "Days since the last event", "critical", "engagement", "Calibration error", "* "):
        assert words in text
    said = json.loads(command(*asked, "--json"))
    assert said["figures"]["verdict"] == "skill"
    assert said["parameters"]["horizon_days"] == 60
    assert said["version"] == 1


def test_the_command_says_what_is_wrong(year: Tenant) -> None:
    for arguments, words in (
        (["nobody"], "There is no tenant"),
        (["globex", "--model", "nothing"], "There is no score model"),
        (["globex", "--version", "7"], "has no version 7. Known: 1."),
        (["globex", "--from", "soon"], "is not a date"),
        (["globex", "--outcome", "churn"], "No account has a churn date"),
        (["globex", "--to", "2025-12-30"], "the data ends on"),
    ):
        with pytest.raises(CommandError, match=words):
            command(*arguments)


def test_the_web_does_not_pay_for_scikit_learn() -> None:
    code = (
        "import sys, scoring.backtest.evaluation, scoring.backtest.weights, scoring.backtest.calibration;"
        "print([name for name in ('sklearn', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
