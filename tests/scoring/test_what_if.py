"""What-if: what a draft would change, read once for both versions, nothing stored but sums and moves."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Account, Job
from scoring.models import Component, CurrentScore, Measure, Move, ScoreModel, StoredScore, Version, WhatIf
from scoring.services import create_draft, discard_draft, publish_version, score_accounts
from scoring.what_if import Numbers, WhatIfRefused, compare, definition_hash, start_what_if, what_if_day
from tests.scoring.conftest import World, days_back

ROWS = 12


@pytest.fixture
def company(world: World, counted: list[str]) -> World:
    """Twelve accounts from busy to silent, scored today; one of them has churned, one was never seen."""
    world.deliver(counted)
    for n in range(ROWS):
        world.account(f"a{n}", mrr_cents=1000 * (n + 1), currency="USD" if n != 3 else "JPY")
        world.usage(
            f"a{n}",
            days_back(world.today, *range(n * 3, 90, n + 1)),
            users=1 + n % 3,
            events=12 - n,
            features=1 + n % 5,
        )
    world.account("gone", churned_on=world.today - timedelta(days=3), mrr_cents=5)
    world.account("idle", days_old=0)
    with tenant_scope(world.tenant):
        score_accounts(tenant=world.tenant, day=world.today)
    return world


def draft_of(world: World, key: str = "plg", **thresholds: float) -> Version:
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key=key))
        for name, value in thresholds.items():
            setattr(draft, name, value)
        draft.save()
        return draft


def shift_weights(world: World, draft: Version, **weights: float) -> None:
    with tenant_scope(world.tenant):
        for key, weight in weights.items():
            Component.objects.filter(version=draft, key=key).update(weight=weight)


def tried(world: World, draft: Version) -> WhatIf:
    """Run the job to its end."""
    with tenant_scope(world.tenant):
        job = start_what_if(tenant=world.tenant, version=draft)
    assert finish_job(world.tenant, job.pk).state == Job.State.DONE
    with tenant_scope(world.tenant):
        return WhatIf.objects.get(version=draft)


def scores(world: World) -> dict[int, tuple[float | None, int]]:
    with tenant_scope(world.tenant):
        return {row.account_id: (row.score, row.band) for row in CurrentScore.objects.filter(kind=1)}


@pytest.mark.django_db(transaction=True)
def test_an_identical_draft_moves_nothing(company: World) -> None:
    found = tried(company, draft_of(company))
    numbers = Numbers.from_dict(found.numbers)
    assert (numbers.moved, numbers.changed, numbers.rose, numbers.fell) == (0, 0, 0, 0)
    assert numbers.accounts == ROWS + 1  # the churned one is left out
    assert numbers.before == numbers.after
    assert sum(numbers.before.histogram) == numbers.before.scored > 5
    assert found.done_at is not None and found.day == company.today
    with tenant_scope(company.tenant):
        assert Move.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("edit", ["weights", "thresholds", "window", "scale"])
def test_publishing_and_scoring_gives_exactly_what_was_foretold(company: World, edit: str) -> None:
    draft = draft_of(company, **({"healthy_above": 70, "critical_below": 45} if edit == "thresholds" else {}))
    with tenant_scope(company.tenant):
        measures = Measure.objects.filter(component__version=draft)
        if edit == "weights":
            Component.objects.filter(version=draft, key="usage").update(weight=10)
            Component.objects.filter(version=draft, key="adoption").update(weight=40)
        elif edit == "window":
            measures.filter(metric_key="all_events").update(window_days=7)
        elif edit == "scale":
            measures.filter(metric_key="active_users").update(
                scale_kind="linear", scale_params={"worst": 0, "best": 4}
            )
    before = scores(company)
    found = tried(company, draft)
    numbers = Numbers.from_dict(found.numbers)
    with tenant_scope(company.tenant):
        foretold = {
            move.account_id: (move.score_before, move.band_before, move.score_after, move.band_after)
            for move in Move.objects.filter(what_if=found)
        }
        publish_version(tenant=company.tenant, version=draft)
        score_accounts(tenant=company.tenant, day=company.today)
        mrr = dict(Account.objects.values_list("pk", "mrr_cents"))
        foreign = company.accounts["a3"].pk
    after = scores(company)
    assert foretold == {pk: (*before[pk], *after[pk]) for pk in after if before[pk] != after[pk]}
    assert numbers.moved == len(foretold) > 0
    matrix, money = np.zeros((4, 4), dtype=int), np.zeros((4, 4), dtype=int)
    for pk, (_score, band) in after.items():
        matrix[before[pk][1], band] += 1
        money[before[pk][1], band] += 0 if pk == foreign else mrr[pk]
    assert (numbers.matrix, numbers.mrr) == (matrix.tolist(), money.tolist())
    for side, rows in ((numbers.before, before), (numbers.after, after)):
        known = [score for score, band in rows.values() if score is not None and band]
        assert side.mean == pytest.approx(sum(known) / len(known))
        assert side.unknown == sum(band == 0 for _score, band in rows.values())


@pytest.mark.django_db(transaction=True)
def test_scores_of_another_version_and_accounts_never_scored_are_read_anew(company: World) -> None:
    """A version published after the night: what is stored is not what scores now."""
    between = draft_of(company, healthy_above=72)
    shift_weights(company, between, usage=20, support=25)
    with tenant_scope(company.tenant):
        publish_version(tenant=company.tenant, version=between)
    company.account("late")
    company.usage("late", days_back(company.today, *range(20)), users=2, events=4)
    draft = draft_of(company)
    shift_weights(company, draft, usage=10, engagement=35)
    with tenant_scope(company.tenant):
        Measure.objects.filter(component__version=draft, metric_key="active_users").update(window_days=14)
    found = tried(company, draft)
    with tenant_scope(company.tenant):
        foretold = {
            move.account_id: (move.score_before, move.score_after)
            for move in Move.objects.filter(what_if=found)
        }
        score_accounts(tenant=company.tenant, day=company.today)
    now = scores(company)
    with tenant_scope(company.tenant):
        publish_version(tenant=company.tenant, version=draft)
        score_accounts(tenant=company.tenant, day=company.today)
    after = scores(company)
    assert foretold == {pk: (now[pk][0], after[pk][0]) for pk in after if now[pk] != after[pk]}
    assert found.numbers["accounts"] == ROWS + 2 == len(after)


def test_measures_that_the_night_stored_are_not_read_again(company: World) -> None:
    from scoring.what_if.running import compare_range, prepare

    draft = draft_of(company)
    shift_weights(company, draft, usage=10, adoption=40)
    ids = [account.pk for account in company.accounts.values()]
    with tenant_scope(company.tenant):
        job = start_what_if(tenant=company.tenant, version=draft)
        for changed, reads in ((False, 0), (True, 1)):
            if changed:
                Measure.objects.filter(component__version=draft, aggregate="per_week").update(window_days=9)
            prepare(tenant=company.tenant, job=job)
            with CaptureQueriesContext(connection) as seen:
                compare_range(tenant=company.tenant, version_id=draft.pk, account_ids=ids)
            assert sum("AS x" in query["sql"] and "usage_day" in query["sql"] for query in seen) == reads
            assert not any("DISTINCT u.account_id" in query["sql"] for query in seen)


@pytest.mark.django_db(transaction=True)
def test_nothing_but_sums_and_moves_is_stored(company: World) -> None:
    draft = draft_of(company)
    shift_weights(company, draft, usage=10, adoption=40)
    with tenant_scope(company.tenant):
        stored = list(StoredScore.objects.order_by("kind", "account_id", "day").values())
        current = list(CurrentScore.objects.order_by("kind", "account_id").values())
    found = tried(company, draft)
    with tenant_scope(company.tenant):
        assert list(StoredScore.objects.order_by("kind", "account_id", "day").values()) == stored
        assert list(CurrentScore.objects.order_by("kind", "account_id").values()) == current
        assert Move.objects.count() == found.numbers["moved"] < found.numbers["accounts"]


@pytest.mark.django_db(transaction=True)
def test_asking_again_replaces_the_result_and_discarding_removes_it(company: World) -> None:
    draft = draft_of(company)
    shift_weights(company, draft, usage=10, adoption=40)
    first = tried(company, draft)
    shift_weights(company, draft, usage=30, adoption=20)
    second = tried(company, draft)
    assert first.pk == second.pk
    assert first.numbers["moved"] > 0 == second.numbers["moved"]
    assert first.definition_hash != second.definition_hash
    shift_weights(company, draft, usage=10, adoption=40)
    third = tried(company, draft)
    assert third.definition_hash == first.definition_hash
    with tenant_scope(company.tenant):
        assert Move.objects.count() == third.numbers["moved"]
        discard_draft(tenant=company.tenant, version=draft)
        assert (Move.objects.count(), WhatIf.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_chunks_add_up_to_the_whole(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = draft_of(company, healthy_above=70)
    shift_weights(company, draft, usage=10, adoption=40)
    whole = tried(company, draft).numbers
    monkeypatch.setattr("scoring.what_if.jobs.ranges.__defaults__", (3,))
    parts = tried(company, draft).numbers
    with tenant_scope(company.tenant):
        assert Job.objects.get(kind="what_if").total == 2 + -(-(ROWS + 2) // 3)
    for side in ("before", "after"):
        assert parts[side].pop("total") == pytest.approx(whole[side].pop("total"))
    assert parts == whole


@pytest.mark.django_db(transaction=True)
def test_a_model_that_claims_nobody_is_tried_as_if_it_were_the_default(company: World) -> None:
    found = tried(company, draft_of(company, "playbook"))
    assert found.as_default
    with tenant_scope(company.tenant):
        assert found.against is not None and found.against.model.key == "plg"
    assert found.numbers["accounts"] == ROWS + 1


@pytest.mark.django_db(transaction=True)
def test_a_model_of_a_segment_is_tried_on_its_accounts_only(company: World) -> None:
    with tenant_scope(company.tenant):
        Account.objects.filter(external_id__in=["a1", "a2"]).update(segment="big")
        ScoreModel.objects.filter(key="playbook").update(segment="big")
    found = tried(company, draft_of(company, "playbook"))
    assert (found.as_default, found.numbers["accounts"]) == (False, 2)


def test_a_draft_that_could_not_be_published_is_refused_with_every_reason(company: World) -> None:
    draft = draft_of(company)
    shift_weights(company, draft, usage=29)
    with tenant_scope(company.tenant), pytest.raises(WhatIfRefused) as refused:
        start_what_if(tenant=company.tenant, version=draft)
    assert refused.value.problems == [
        ("weights", "The weights of the components add up to 99; they must add up to 100: 1 are missing.")
    ]
    with tenant_scope(company.tenant):
        published = Version.objects.get(model__key="plg", state="published")
        with pytest.raises(WhatIfRefused, match="published already"):
            start_what_if(tenant=company.tenant, version=published)
        assert Job.objects.filter(kind="what_if").count() == 0


def test_the_day_is_the_one_that_people_see_unless_it_is_long_gone(world: World) -> None:
    with tenant_scope(world.tenant):
        assert what_if_day(world.tenant, "health") == world.today
    world.account("a")
    for ago, expected in ((5, 0), (1, 1), (0, 0)):
        with tenant_scope(world.tenant):
            score_accounts(tenant=world.tenant, day=world.today - timedelta(days=ago))
            assert what_if_day(world.tenant, "health") == world.today - timedelta(days=expected)


def test_the_number_of_statements_does_not_depend_on_the_number_of_accounts(company: World) -> None:
    from scoring.what_if.running import compare_range, prepare

    draft = draft_of(company)
    shift_weights(company, draft, usage=10, adoption=40)
    counts = []
    with tenant_scope(company.tenant):
        job = start_what_if(tenant=company.tenant, version=draft)
        for ids in ([company.accounts["a1"].pk], [account.pk for account in company.accounts.values()]):
            prepare(tenant=company.tenant, job=job)
            with CaptureQueriesContext(connection) as seen:
                compare_range(tenant=company.tenant, version_id=draft.pk, account_ids=ids)
            counts.append(len(seen))
    assert counts[0] == counts[1]


def test_an_empty_company_is_compared_too(world: World) -> None:
    from scoring.what_if.jobs import plan

    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        job = start_what_if(tenant=world.tenant, version=draft)
        assert [chunk.step for chunk in plan(world.tenant, job)] == ["prepare", "finish"]


def test_the_fingerprint_sees_every_edit_and_nothing_else(world: World) -> None:
    draft = draft_of(world)
    with tenant_scope(world.tenant):
        seen = [definition_hash([draft])]
        draft.note = "tried"
        draft.save()
        assert definition_hash([draft]) == seen[0]
        for field, value in (
            ("window_days", 9),
            ("weight", 2.0),
            ("scale_params", {"points": [[0, 0], [1, 100]]}),
        ):
            Measure.objects.filter(component__version=draft, metric_key="active_users").update(
                **{field: value}
            )
            seen.append(definition_hash([draft]))
        draft.healthy_above = 81
        draft.save()
        seen.append(definition_hash([draft]))
    assert len(set(seen)) == 5


def test_the_numbers_of_two_scorings_by_hand() -> None:
    nan = float("nan")
    found = compare(
        np.array([90.0, 50.0, nan, 100.0]),
        np.array([3, 1, 0, 3]),
        np.array([70.0, 50.0, 61.0, nan]),
        np.array([2, 1, 2, 0]),
        np.array([100, 200, 300, 400]),
    )
    assert (found.accounts, found.moved, found.changed, found.rose, found.fell) == (4, 3, 3, 0, 1)
    assert found.changed_mrr_cents == 800
    assert found.matrix == [[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]]
    assert (found.before.mean, found.after.mean) == (80.0, pytest.approx(181 / 3))
    assert (found.before.unknown, found.after.unknown) == (1, 1)
    assert (found.before.histogram[18], found.before.histogram[19], found.after.histogram[14]) == (1, 1, 1)
    assert Numbers.from_dict(found.to_dict()) == found
    assert Numbers.from_dict({}).before.mean is None
