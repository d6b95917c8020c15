"""Percentile scales: whose peers, how many there must be, and that every chunk of a day ranks against the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Tenant
from scoring import peers, scales
from scoring.models import CurrentScore, Measure, PeerReference, ScoreModel, StoredScore, Version
from scoring.proposal import propose_reference, thinned
from scoring.selectors.preview import preview
from scoring.services import (
    DefinitionError,
    create_draft,
    publish_version,
    refresh_day_references,
    save_draft,
    score_accounts,
)
from tests.conftest import make_tenant
from tests.scoring.conftest import World
from usage.models import Metric
from usage.services import write_state_values

HOURS = "oldest_open_ticket_hours"


def made(hold: bool = False, **scale: Any) -> dict[str, Any]:
    """A model that is one percentile of one pushed number."""
    policy = {"missing": "hold", "hold_days": 4} if hold else {}
    measure = {"metric": HOURS, "aggregate": "latest", "scale": {"kind": "percentile", **scale}}
    return {
        "coverage_min": 0,
        "components": [{"key": "only", "name": "Only", "weight": 100, **policy, "measures": [measure]}],
    }


def publish(world: World, since: int = 60, **options: Any) -> Version:
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        save_draft(tenant=world.tenant, version=draft, definition=made(**options))
        publish_version(tenant=world.tenant, version=draft)
        Version.objects.filter(pk=draft.pk).update(in_force_from=world.today - timedelta(days=since))
        return draft


def crowd(
    world: World, count: int, segment: str = "", first: int = 0, ago: int = 0, scale: float = 1.0
) -> None:
    """Accounts whose number is first, first + 1, …"""
    with tenant_scope(world.tenant):
        for number in range(first, first + count):
            if f"a{number}" not in world.accounts:
                world.account_in_scope(f"a{number}", segment=segment)
    day = world.today - timedelta(days=ago)
    with tenant_scope(world.tenant):
        values = {world.accounts[f"a{n}"].pk: n * scale for n in range(first, first + count)}
        write_state_values(tenant=world.tenant, day=day, values={HOURS: values})


def run(world: World, ago: int = 0, first: int | None = None, ids: list[int] | None = None) -> None:
    with tenant_scope(world.tenant):
        score_accounts(
            tenant=world.tenant,
            day=world.today - timedelta(days=ago),
            first_day=None if first is None else world.today - timedelta(days=first),
            kinds=["health"],
            account_ids=ids,
        )


def scores(world: World) -> dict[str, float | None]:
    with tenant_scope(world.tenant):
        return dict(CurrentScore.objects.values_list("account__external_id", "score"))


def references(world: World) -> list[tuple[Any, ...]]:
    with tenant_scope(world.tenant):
        rows = PeerReference.objects.order_by("day", "segment").values_list(
            "day", "segment", "is_final", "peers", "points"
        )
        return [((world.today - row[0]).days, *row[1:]) for row in rows]


def test_peers_of_the_day_rank_the_accounts_and_are_stored_once(world: World) -> None:
    publish(world, reference_of="day")
    crowd(world, 40)
    run(world)
    found = scores(world)
    assert (found["a0"], found["a20"], found["a39"]) == (1.25, 51.25, 98.75)
    assert references(world) == [(0, "", False, 40, [float(n) for n in range(40)])]


def test_a_stored_score_can_be_computed_again_from_what_is_stored_with_it(world: World) -> None:
    publish(world, reference_of="day", peers="segment")
    crowd(world, 35, "smb")
    crowd(world, 31, "enterprise", first=100)
    crowd(world, 5, "few", first=200)
    run(world)
    crowd(world, 35, "smb", scale=7.0)  # what is measured later changes nothing
    with tenant_scope(world.tenant):
        groups = {row.segment: row.points for row in PeerReference.objects.all()}
        assert sorted(groups) == ["", "enterprise", "smb"]
        scale = scales.Percentile(peers="segment", reference_of="day")
        rows = list(StoredScore.objects.filter(kind=1))
        assert len(rows) == 71
        for row in rows:
            peers = scales.Peers(
                np.array([0]), (np.array(groups.get(str(row.segment), groups[""]), dtype=float),)
            )
            again = scale.apply(np.array([row.raw[0]], dtype=float), scales.Beside(peers=peers))
            assert (again[0], round(again[0], 6)) == (row.scaled[0], row.score)


def test_a_segment_with_fewer_than_30_peers_is_ranked_among_all_and_so_is_no_segment(world: World) -> None:
    publish(world, reference_of="day", peers="segment")
    crowd(world, 29, "small")
    crowd(world, 30, "large", first=100)
    crowd(world, 1, "", first=1000)
    run(world)
    found = scores(world)
    assert found["a0"] == pytest.approx(100 * 0.5 / 60, abs=1e-6)
    assert found["a1000"] == pytest.approx(100 * 59.5 / 60, abs=1e-6)
    assert (found["a100"], found["a129"]) == (pytest.approx(100 / 60), pytest.approx(100 - 100 / 60))


def test_fewer_than_30_peers_are_no_distribution_and_the_measure_is_missing(world: World) -> None:
    publish(world, reference_of="day")
    crowd(world, 29)
    run(world)
    assert set(scores(world).values()) == {None}
    assert references(world) == [(0, "", False, 29, [])]
    crowd(world, 30)
    with tenant_scope(world.tenant):
        assert refresh_day_references(tenant=world.tenant, day=world.today) == 1
    run(world)
    assert scores(world)["a29"] == pytest.approx(100 * 29.5 / 30, abs=1e-6)


def test_chunks_of_a_day_rank_against_the_same_peers_whatever_arrives_between(world: World) -> None:
    publish(world, reference_of="day")
    crowd(world, 40)
    ids = [account.pk for account in world.accounts.values()]
    with tenant_scope(world.tenant):
        refresh_day_references(tenant=world.tenant, day=world.today)
    run(world, ids=ids[:20])
    whole = references(world)
    crowd(world, 20, scale=50.0)
    run(world, ids=ids[20:])
    assert references(world) == whole
    assert scores(world)["a20"] == 51.25


def test_a_day_that_has_ended_keeps_its_peers_and_a_running_one_takes_new_ones(world: World) -> None:
    publish(world, reference_of="day")
    crowd(world, 30, ago=1)
    crowd(world, 30)
    run(world, ago=1)
    run(world)
    crowd(world, 30, ago=1, scale=3.0)
    crowd(world, 30, scale=3.0)
    with tenant_scope(world.tenant):
        assert refresh_day_references(tenant=world.tenant, day=world.today - timedelta(days=1)) == 0
        assert refresh_day_references(tenant=world.tenant, day=world.today) == 1
    found = references(world)
    assert [(row[0], row[2], row[4][-1]) for row in found] == [(1, True, 29.0), (0, False, 87.0)]


def test_peers_stored_while_the_day_ran_are_computed_anew_once_it_is_over(world: World) -> None:
    publish(world, reference_of="day")
    crowd(world, 30, ago=1)
    run(world, ago=1)
    with tenant_scope(world.tenant):
        PeerReference.objects.update(is_final=False, points=[0.0] * 30)
    run(world, ago=1)
    assert [(row[2], row[4][-1]) for row in references(world)] == [(True, 29.0)]


@pytest.mark.parametrize("hold", [False, True], ids=["exclude", "hold"])
def test_many_days_in_one_call_rank_as_each_night_alone_would(world: World, hold: bool) -> None:
    publish(world, reference_of="day", peers="segment", hold=hold)
    with tenant_scope(world.tenant):
        Metric.objects.filter(key=HOURS).update(hold_days=1)
    for ago in (6, 5, 4, 2, 1, 0):
        crowd(world, 33, "smb", ago=ago, scale=1.0 + ago)
        crowd(world, 34 if ago != 2 else 7, "big", first=500, ago=ago, scale=2.0 + ago)
    for ago in range(6, -1, -1):
        run(world, ago)
    with tenant_scope(world.tenant):
        nightly = list(StoredScore.objects.order_by("account_id", "day").values())
        points = references_of(world.tenant)
        for model in (StoredScore, CurrentScore, PeerReference):
            model.objects.all()._raw_delete("default")
    run(world, 0, first=6)
    with tenant_scope(world.tenant):
        assert list(StoredScore.objects.order_by("account_id", "day").values()) == nightly
        assert references_of(world.tenant) == points
    assert len({row["score"] for row in nightly}) > 30
    silent = [row for row in nightly if row["day"] == world.today - timedelta(days=3)]
    assert {row["components"][0] is None for row in silent} == {not hold}


def references_of(tenant: Tenant) -> list[dict[str, Any]]:
    rows = PeerReference.objects.filter(tenant=tenant).order_by("day", "segment", "measure_id")
    return list(rows.values("day", "segment", "peers", "points", "is_final"))


def test_peers_frozen_with_the_version_may_be_those_of_the_segment(world: World) -> None:
    crowd(world, 30, "smb")
    crowd(world, 30, "enterprise", first=100)
    crowd(world, 3, "few", first=200)
    run(world)
    version = publish(world, peers="segment", since=0)
    run(world)
    found = scores(world)
    assert (found["a0"], found["a100"]) == (pytest.approx(100 / 60),) * 2
    assert found["a200"] == pytest.approx(100 * 60.5 / 63, abs=1e-6)
    with tenant_scope(world.tenant):
        frozen = Measure.objects.get(component__version=version).scale_params
        assert sorted(frozen["segment_references"]) == ["enterprise", "smb"]
        assert not PeerReference.objects.exists()


def test_of_many_accounts_publishing_reads_a_sample_that_stays_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "SAMPLED", 40)
    monkeypatch.setattr(peers, "SAMPLED_OF_SEGMENT", 10)
    crowd(world, 70, "smb")
    crowd(world, 50, "enterprise", first=200)
    run(world)
    params = []
    for _ in range(2):
        version = publish(world, peers="segment", since=0)
        with tenant_scope(world.tenant):
            params.append(Measure.objects.get(component__version=version).scale_params)
    assert params[0] == params[1]
    assert len(params[0]["reference"]) == 40
    assert params[0].get("segment_references", {}) == {}  # 20 of each segment are too few to rank among
    monkeypatch.setattr(peers, "SAMPLED_OF_SEGMENT", 35)
    version = publish(world, peers="segment", since=0)
    with tenant_scope(world.tenant):
        own = Measure.objects.get(component__version=version).scale_params["segment_references"]
        model = ScoreModel.objects.get(key="plg")
        assert {name: len(values) for name, values in own.items()} == {"smb": 35, "enterprise": 35}
        assert max(own["smb"]) < 200 <= min(own["enterprise"])
        model.segment = "smb"
        assert len(peers.sampled_accounts(world.tenant, model, world.today)) == 40
        monkeypatch.setattr(peers, "SAMPLED", 1_000)
        assert len(peers.sampled_accounts(world.tenant, model, world.today)) == 70  # all, where they are few
        assert len(peers.sampled_accounts(world.tenant, model, world.today, by_segment=True)) == 70


def test_a_draft_that_ranks_by_the_day_is_tried_against_a_sample(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(world, 120)
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        save_draft(tenant=world.tenant, version=draft, definition=made(reference_of="day"))
        ada = Account.objects.get(external_id="a60")
        whole = preview(world.tenant, draft, ada)
        monkeypatch.setattr(peers, "SAMPLED", 60)
        part = preview(world.tenant, draft, ada)
        assert not PeerReference.objects.exists()
    assert whole.score == pytest.approx(100 * 60.5 / 120)
    assert part.score is not None and part.score == pytest.approx(whole.score, abs=20)
    assert part.score != whole.score  # other peers


def test_without_30_accounts_only_a_version_that_ranks_by_the_day_can_be_published(world: World) -> None:
    crowd(world, 29)
    publish(world, reference_of="day")
    with pytest.raises(DefinitionError, match="at least 30 accounts"):
        publish(world)


def test_a_draft_is_tried_with_the_peers_that_publishing_would_freeze_and_stores_none(world: World) -> None:
    crowd(world, 40)
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        save_draft(tenant=world.tenant, version=draft, definition=made())
        tried = preview(world.tenant, draft, Account.objects.get(external_id="a20"))
        assert tried.score == 51.25
        assert not PeerReference.objects.exists()
        publish_version(tenant=world.tenant, version=draft)
    run(world)
    assert scores(world)["a20"] == 51.25


def test_a_model_that_ranks_nobody_by_the_day_needs_no_step(
    world: World, django_assert_max_num_queries: Any
) -> None:
    crowd(world, 3)
    with tenant_scope(world.tenant), django_assert_max_num_queries(12):
        assert refresh_day_references(tenant=world.tenant, day=world.today) == 0


def test_another_tenants_peers_are_not_seen(world: World) -> None:
    publish(world, reference_of="day")
    crowd(world, 40)
    run(world)
    other = make_tenant("rival")
    with tenant_scope(other):
        assert not PeerReference.objects.exists()
    assert len(references(world)) == 1


def test_many_values_become_201_points_that_keep_the_ends() -> None:
    values = np.arange(100_000.0)[::-1]
    kept = thinned(values)
    assert (len(kept), kept[0], kept[100], kept[-1]) == (201, 0, 50_000, 99_999)
    scale = propose_reference(values)
    assert scale is not None
    exact = scales.Percentile(reference=tuple(np.arange(10_000.0)))
    rank = scale.apply(np.array([12_345.0, 90_000.0]))
    np.testing.assert_allclose(rank, exact.apply(np.array([1_234.5, 9_000.0])), atol=0.51)


def test_groups_of_rows_are_ranked_each_among_its_own() -> None:
    peers = scales.Peers(np.array([1, -1, 0, 1]), (np.array([1.0, 2.0]), np.array([10.0, 20.0])))
    got = scales.Percentile(reference_of="day").apply(
        np.array([15.0, 15.0, 15.0, np.nan]), scales.Beside(peers=peers)
    )
    np.testing.assert_array_equal(got, [50, np.nan, 100, np.nan])
