"""The run: what is scored, what is stored, what is never rewritten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.fence.scope import tenant_scope
from scoring.models import Component, CurrentScore, Measure, ScoreModel, StoredScore, Version
from scoring.selectors import explanation
from scoring.services import create_draft, publish_version, score_accounts
from tests.scoring.conftest import World, days_back

STATES = ["oldest_open_ticket_hours", "open_ticket_severity", "invoice_overdue_days", "failed_charges"]


def run(world: World, *, ago: int = 0, **options: Any) -> Any:
    with tenant_scope(world.tenant):
        return score_accounts(tenant=world.tenant, day=world.today - timedelta(days=ago), **options)


def rows(world: World, model: type = StoredScore) -> list[dict[str, Any]]:
    with tenant_scope(world.tenant):
        return list(model.objects.order_by("kind", "account_id", "day").values())


def explain(world: World, external_id: str, **options: Any) -> dict[str, Any]:
    with tenant_scope(world.tenant):
        return explanation(world.tenant, world.accounts[external_id].pk, **options)


def publish_edit(world: World, **thresholds: float) -> Version:
    with tenant_scope(world.tenant):
        model = ScoreModel.objects.get(key="plg")
        draft = create_draft(tenant=world.tenant, model=model)
        for name, value in thresholds.items():
            setattr(draft, name, value)
        draft.save()
        return publish_version(tenant=world.tenant, version=draft)


@pytest.fixture
def busy(world: World, counted: list[str]) -> World:
    """Two accounts: one works every day, one was last seen 40 days ago."""
    world.deliver(counted)
    world.account("busy")
    world.usage("busy", days_back(world.today, *range(100)), users=3, features=6, events=6)
    world.account("quiet")
    world.usage("quiet", days_back(world.today, *range(40, 100)), users=1, features=2)
    return world


def test_an_account_that_fell_silent_scores_low_and_tickets_never_sent_are_missing(busy: World) -> None:
    summary = run(busy)
    assert (summary.kinds["health"].accounts, summary.kinds["health"].scored) == (2, 2)
    healthy, silent = explain(busy, "busy"), explain(busy, "quiet")
    assert [(part["key"], part["missing"]) for part in silent["components"]] == [
        ("usage", False),
        ("engagement", False),
        ("adoption", False),
        ("support", True),
        ("payment", True),
    ]
    assert silent["coverage"] == 0.75
    assert silent["components"][0]["measures"] == [
        {"metric": "all_events", "value": 0.0, "scaled": 0.0},
        {"metric": "active_users", "value": 0.0, "scaled": 0.0},
    ]
    assert silent["band"] == "critical"
    assert healthy["components"][0]["measures"][0]["value"] == 42.0
    assert healthy["score"] > 80
    assert healthy["band"] == "healthy"
    for answer in (healthy, silent):
        points = [part["points"] for part in answer["components"] if part["points"] is not None]
        assert sum(points) == pytest.approx(answer["score"], abs=1e-6)


def test_tickets_and_invoices_that_are_sent_and_all_settled_score_100(busy: World) -> None:
    busy.account("calm")
    busy.state("calm", busy.today, **dict.fromkeys(STATES, 0.0))
    run(busy)
    parts = {part["key"]: part for part in explain(busy, "calm")["components"]}
    assert (parts["support"]["score"], parts["payment"]["score"]) == (100.0, 100.0)
    assert explain(busy, "calm")["coverage"] == 1.0


def test_a_source_that_died_scores_nobody_low(world: World, counted: list[str]) -> None:
    world.deliver(counted, until=world.today - timedelta(days=30))
    world.account("busy")
    world.usage("busy", days_back(world.today, *range(30, 90)))
    run(world)
    answer = explain(world, "busy")
    assert (answer["score"], answer["band"], answer["coverage"]) == (None, "unknown", 0.0)
    assert all(part["missing"] for part in answer["components"])


def test_running_a_night_twice_changes_nothing(busy: World) -> None:
    run(busy, ago=1)
    stored, current = rows(busy), rows(busy, CurrentScore)
    again = run(busy, ago=1)
    assert (again.kinds["health"].stored, again.kinds["health"].changed) == (0, 0)
    assert (rows(busy), rows(busy, CurrentScore)) == (stored, current)


def test_many_days_in_one_call_store_what_each_night_alone_would(busy: World) -> None:
    for ago in range(12, -1, -1):
        run(busy, ago=ago)
    one_by_one, current = rows(busy), rows(busy, CurrentScore)
    with tenant_scope(busy.tenant):
        StoredScore.objects.all()._raw_delete("default")
        CurrentScore.objects.all()._raw_delete("default")
    run(busy, first_day=busy.today - timedelta(days=12))
    assert rows(busy) == one_by_one
    assert rows(busy, CurrentScore) == current
    assert len(one_by_one) == 26


def test_the_current_row_only_moves_forward_and_remembers_the_score_before(busy: World) -> None:
    run(busy, ago=3)
    run(busy, ago=1)
    run(busy, ago=2)
    current = {row["account_id"]: row for row in rows(busy, CurrentScore)}
    stored = {(row["account_id"], row["day"]): row for row in rows(busy)}
    for account_id, row in current.items():
        assert row["day"] == busy.today - timedelta(days=1)
        assert row["previous_score"] == stored[account_id, busy.today - timedelta(days=3)]["score"]
    assert len(stored) == 6


def test_a_day_that_stands_alone_in_its_run_remembers_the_score_before_the_gap(busy: World) -> None:
    run(busy, ago=9)
    with tenant_scope(busy.tenant):
        gone = busy.accounts["busy"]
        gone.churned_on = busy.today - timedelta(days=3)
        gone.save(update_fields=["churned_on"])
    run(
        busy, ago=2, first_day=busy.today - timedelta(days=4)
    )  # of the churned one only the first day is scored
    stored = {(row["account_id"], row["day"]): row["score"] for row in rows(busy)}
    current = {row["account_id"]: row for row in rows(busy, CurrentScore)}
    churned, other = current.pop(gone.pk), next(iter(current.values()))
    assert (churned["day"], other["day"]) == (
        busy.today - timedelta(days=4),
        busy.today - timedelta(days=2),
    )
    assert churned["previous_score"] == stored[gone.pk, busy.today - timedelta(days=9)] is not None
    assert other["previous_score"] == stored[other["account_id"], busy.today - timedelta(days=3)]


def test_the_current_row_says_what_its_version_scored_a_week_and_a_month_before(busy: World) -> None:
    for ago in (38, 31, 8):
        run(busy, ago=ago)
    run(busy, ago=1, first_day=busy.today - timedelta(days=2))  # many days in one call, then a day alone
    for again in (False, True):
        if again:
            with tenant_scope(busy.tenant):
                CurrentScore.objects.all()._raw_delete("default")
                StoredScore.objects.filter(day=busy.today - timedelta(days=1))._raw_delete("default")
            run(busy, ago=1)
        stored = {(row["account_id"], row["day"]): row["score"] for row in rows(busy)}
        current = rows(busy, CurrentScore)
        assert len(current) == 2
        for row in current:
            for name, ago in (("score_7", 8), ("score_30", 31)):
                assert row[name] == stored[row["account_id"], busy.today - timedelta(days=ago)] is not None
    publish_edit(busy, healthy_above=99.0)
    run(busy, ago=0)
    assert {(row["score_7"], row["score_30"]) for row in rows(busy, CurrentScore)} == {(None, None)}


def test_a_night_that_is_over_keeps_its_score_whatever_is_published_since(busy: World) -> None:
    run(busy, ago=1)
    before = rows(busy)
    publish_edit(busy, healthy_above=99.0)
    run(busy, ago=1)
    assert rows(busy) == before
    assert explain(busy, "busy")["model"] == {"key": "plg", "version": 1}


def test_recomputing_the_running_day_after_publishing_shows_the_new_bands(busy: World) -> None:
    run(busy, ago=1)
    run(busy)
    assert explain(busy, "busy")["band"] == "healthy"
    publish_edit(busy, healthy_above=99.9)
    run(busy)
    now = explain(busy, "busy")
    assert (now["band"], now["model"]) == ("at_risk", {"key": "plg", "version": 2})
    yesterday = explain(busy, "busy", on=busy.today - timedelta(days=1))
    assert (yesterday["band"], yesterday["model"]["version"]) == ("healthy", 1)


def test_a_past_day_is_scored_by_the_version_in_force_then(busy: World) -> None:
    second = publish_edit(busy, healthy_above=99.9)
    with tenant_scope(busy.tenant):
        first = Version.objects.get(model__key="plg", number=1)
        Version.objects.filter(pk=first.pk).update(in_force_from=busy.today - timedelta(days=4))
        Version.objects.filter(pk=second.pk).update(in_force_from=busy.today - timedelta(days=3))
    run(busy, first_day=busy.today - timedelta(days=5))
    used = {row["day"]: row["version_id"] for row in rows(busy)}
    assert [used[busy.today - timedelta(days=ago)] for ago in (5, 4, 3, 2, 1, 0)] == [first.pk] * 2 + [
        second.pk
    ] * 4


def test_a_day_before_any_version_is_scored_by_the_earliest(busy: World) -> None:
    publish_edit(busy, healthy_above=99.9)
    run(busy, first_day=busy.today - timedelta(days=1))
    used = {row["day"]: explain(busy, "busy", on=row["day"])["model"]["version"] for row in rows(busy)}
    assert list(used.values()) == [1, 2]


def test_churned_accounts_and_those_that_did_not_exist_yet_are_left_out(busy: World) -> None:
    busy.account("gone", churned_on=busy.today - timedelta(days=2))
    busy.account("young", days_old=1)
    run(busy, first_day=busy.today - timedelta(days=4), kinds=["health"])
    days: dict[int, list[int]] = {}
    for row in rows(busy):
        days.setdefault(row["account_id"], []).append((busy.today - row["day"]).days)
    assert days[busy.accounts["gone"].pk] == [4, 3]
    assert days[busy.accounts["young"].pk] == [1, 0]
    assert days[busy.accounts["busy"].pk] == [4, 3, 2, 1, 0]


def test_an_account_under_30_days_carries_the_flag_new(busy: World) -> None:
    busy.account("young", days_old=29)
    busy.account("grown", days_old=30)
    run(busy)
    assert [explain(busy, name)["new"] for name in ("young", "grown")] == [True, False]


def test_pql_is_scored_for_trial_and_self_serve_plans_only(busy: World) -> None:
    for kind in ("trial", "self_serve", "contract", ""):
        busy.account(kind or "none", plan_kind=kind)
    busy.usage("trial", days_back(busy.today, *range(28)), users=10, features=8, events=30)
    busy.state("trial", busy.today, signal_points=120)
    run(busy)
    with tenant_scope(busy.tenant):
        scored = CurrentScore.objects.filter(kind=2).values_list("account__external_id", flat=True)
        assert sorted(scored) == ["self_serve", "trial"]
    answer = explain(busy, "trial", kind="pql")
    assert (answer["score"], answer["band"]) == (100.0, "high")
    assert explain(busy, "busy", kind="pql") == {
        "account_id": "busy",
        "on": None,
        "score": None,
        "band": "unknown",
        "coverage": 0.0,
        "model": None,
        "new": False,
        "components": [],
    }


def test_a_model_for_a_segment_claims_its_accounts_in_explicit_order(busy: World) -> None:
    busy.account("big", segment="enterprise")
    with tenant_scope(busy.tenant):
        playbook = ScoreModel.objects.get(key="playbook")
        playbook.segment, playbook.position = "enterprise", 5
        playbook.save()
    run(busy, kinds=["health"])
    assert explain(busy, "big")["model"]["key"] == "playbook"
    assert explain(busy, "busy")["model"]["key"] == "plg"


def test_own_targets_count_and_are_kept_with_the_score(busy: World) -> None:
    busy.deliver(["sends", "variations", "replies", "dms", "demos_booked", "no_shows"])
    busy.account("aims", targets={"sends": 50})
    busy.usage(
        "aims", days_back(busy.today, *range(28)), sends=5, variations=1, replies=1, dms=1, demos_booked=1
    )
    with tenant_scope(busy.tenant):
        ScoreModel.objects.filter(key="plg").update(is_default=False)
        ScoreModel.objects.filter(key="playbook").update(is_default=True)
    run(busy, kinds=["health"])
    parts = {part["key"]: part for part in explain(busy, "aims")["components"]}
    assert parts["usage"]["measures"][0] == {"metric": "sends", "value": 35.0, "scaled": 70.0}
    with tenant_scope(busy.tenant):
        assert CurrentScore.objects.get(account_id=busy.accounts["aims"].pk).targets[0] == 50.0
    assert parts["response"]["measures"][0]["value"] == pytest.approx(0.2)
    assert parts["value"]["missing"]


def test_a_component_that_holds_keeps_its_last_value_for_its_days_and_no_longer(busy: World) -> None:
    with tenant_scope(busy.tenant):
        draft = create_draft(tenant=busy.tenant, model=ScoreModel.objects.get(key="plg"))
        Component.objects.filter(version=draft, key="support").update(missing_policy="hold", hold_days=5)
        busy.tenant.refresh_from_db()
        publish_version(tenant=busy.tenant, version=draft)
        Version.objects.filter(pk=draft.pk).update(in_force_from=busy.today - timedelta(days=60))
    busy.account("held")
    # A state holds 7 days by itself; the policy adds 5 more.
    busy.state(
        "held", busy.today - timedelta(days=14), oldest_open_ticket_hours=72.0, open_ticket_severity=0.0
    )
    run(busy, first_day=busy.today - timedelta(days=14), kinds=["health"])
    seen = []
    for ago in (14, 8, 7, 3, 2):
        support = explain(busy, "held", on=busy.today - timedelta(days=ago))["components"][3]
        seen.append((ago, support["score"], support["missing"]))
    assert seen == [(14, 80.0, False), (8, 80.0, False), (7, 80.0, True), (3, 80.0, True), (2, None, True)]


def test_progress_counts_to_the_end_and_a_future_day_is_refused(busy: World) -> None:
    seen: list[tuple[int, int]] = []
    run(busy, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (4, 4)
    with pytest.raises(ValueError, match="has not come yet"):
        run(busy, ago=-1)


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_accounts(
    world: World, counted: list[str], count: int, django_assert_max_num_queries: Any
) -> None:
    world.deliver(counted)
    for number in range(count):
        world.account(f"a{number}")
        world.usage(f"a{number}", days_back(world.today, 1, 2))
    with tenant_scope(world.tenant), django_assert_max_num_queries(24):
        score_accounts(tenant=world.tenant, day=world.today, kinds=["health"])


def test_a_measure_of_a_metric_that_is_gone_is_missing_not_a_crash(busy: World) -> None:
    with tenant_scope(busy.tenant):
        Measure.objects.filter(metric_key="all_events").update(metric_key="vanished")
    run(busy, kinds=["health"])
    usage = explain(busy, "busy")["components"][0]
    assert usage["measures"][0] == {"metric": "vanished", "value": None, "scaled": None}
    assert usage["score"] == usage["measures"][1]["scaled"]
