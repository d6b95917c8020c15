"""The difference of two stored scores, through the real night, the real versions and the real editor."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.fence.scope import tenant_scope
from scoring.models import ExceptionRule, ScoreModel, Version
from scoring.overrides.services import set_override
from scoring.selectors.changes import restated_score, score_change
from scoring.selectors.trends import score_trends
from scoring.services import create_draft, publish_version, score_accounts
from scoring.waterfall import Cause, Verdict
from tests.scoring.conftest import World, days_back


@pytest.fixture
def busy(world: World, counted: list[str]) -> World:
    """An account whose usage fell by half a week ago, scored night by night for ten days."""
    world.deliver(counted)
    world.account("busy")
    world.usage("busy", days_back(world.today, *range(9, 90)), users=5, events=40, features=6)
    world.usage("busy", days_back(world.today, *range(1, 9)), users=2, events=10, features=2)
    _score(world, 10)
    return world


def _score(world: World, first_ago: int, last_ago: int = 1) -> None:
    with tenant_scope(world.tenant):
        score_accounts(
            tenant=world.tenant,
            day=world.today - timedelta(days=last_ago),
            first_day=world.today - timedelta(days=first_ago),
        )


def _publish(world: World, **weights: float) -> Version:
    """The shipped model with other weights, in force from today."""
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        for component in draft.components.all():
            component.weight = weights.get(component.key, component.weight)
            component.save(update_fields=["weight"])
        return publish_version(tenant=world.tenant, version=draft)


def _change(world: World, before: int, after: int) -> Any:
    with tenant_scope(world.tenant):
        return score_change(
            world.tenant,
            world.accounts["busy"].pk,
            world.today - timedelta(days=before),
            world.today - timedelta(days=after),
        )


def test_usage_that_fell_is_data_that_moved_and_adds_up(busy: World) -> None:
    change = _change(busy, 10, 1)
    assert change.waterfall.by_cause().keys() == {Cause.MOVED}
    assert math.fsum(part.amount for part in change.waterfall.parts) == pytest.approx(
        change.after.row.score - change.before.row.score, abs=1e-6
    )
    assert change.after.row.score < change.before.row.score


def test_a_source_that_died_is_stale_data(world: World, counted: list[str]) -> None:
    world.deliver(counted)
    world.account("busy")
    world.usage("busy", days_back(world.today, *range(1, 90)), users=5, events=40, features=6)
    for ago in (0, 1):
        world.state("busy", world.today - timedelta(days=ago), oldest_open_ticket_hours=90.0)
    _score(world, 1)
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        cursor.execute("DELETE FROM usage_source_metric WHERE tenant_id = %s", [world.tenant.pk])
    _score(world, 0, 0)
    change = _change(world, 1, 0)
    assert change.after.row.score is not None
    assert change.waterfall.by_cause().keys() == {Cause.STALE}
    stale = {part.key for part in change.waterfall.parts}
    assert stale == {"usage", "engagement", "adoption"}


def test_an_account_of_which_nothing_is_known_any_more_has_no_parts(busy: World) -> None:
    with tenant_scope(busy.tenant), connection.cursor() as cursor:
        cursor.execute("DELETE FROM usage_source_metric WHERE tenant_id = %s", [busy.tenant.pk])
    _score(busy, 0, 0)
    water = _change(busy, 1, 0).waterfall
    assert (water.verdict, water.after, water.parts) == (Verdict.VANISHED, None, ())


def test_a_published_version_is_model_changed_and_the_rest_is_data(busy: World) -> None:
    version = _publish(busy, usage=10, engagement=45)
    _score(busy, 0, 0)
    change = _change(busy, 8, 0)
    assert change.after.version == version
    causes = change.waterfall.by_cause()
    assert change.waterfall.model_changed
    assert math.fsum(causes.values()) == pytest.approx(
        change.after.row.score - change.before.row.score, abs=1e-6
    )
    assert Cause.MODEL in causes and Cause.MOVED in causes
    same_data = _same_data_under(busy, version, 8)
    assert causes[Cause.MODEL] == pytest.approx(same_data - change.before.row.score, abs=2e-6)


def _same_data_under(world: World, version: Version, ago: int) -> float:
    """What the version would have given on that day: worked out from the stored component values."""
    with tenant_scope(world.tenant):
        row = _change_row(world, ago)
        weights = [c.weight for c in version.components.order_by("position", "id")]
    known = [
        (weight, value)
        for weight, value, points in zip(weights, row.components, row.points, strict=True)
        if points is not None
    ]
    return sum(w * v for w, v in known) / sum(w for w, _ in known)


def _change_row(world: World, ago: int) -> Any:
    from scoring.models import StoredScore

    return StoredScore.objects.get(
        kind=1, account_id=world.accounts["busy"].pk, day=world.today - timedelta(days=ago)
    )


def test_an_exception_has_a_bar_of_its_own(busy: World) -> None:
    with tenant_scope(busy.tenant):
        draft = create_draft(tenant=busy.tenant, model=ScoreModel.objects.get(key="plg"))
        metric = next(
            measure.metric_key
            for component in draft.components.all()
            for measure in component.measures.all()
            if component.key == "engagement"
        )
        ExceptionRule.objects.create(
            tenant=busy.tenant,
            version=draft,
            name="Hardly used",
            metric_key=metric,
            operator=">=",
            value=0,
            cap=12,
        )
        publish_version(tenant=busy.tenant, version=draft)
    _score(busy, 0, 0)
    change = _change(busy, 3, 0)
    assert change.after.row.score == 12
    causes = change.waterfall.by_cause()
    assert causes[Cause.EXCEPTION] == pytest.approx(change.after.row.adjustment, abs=2e-6)
    assert math.fsum(causes.values()) == pytest.approx(12 - change.before.row.score, abs=1e-6)


def test_an_override_stands_behind_the_computed_difference(busy: World) -> None:
    with tenant_scope(busy.tenant):
        made = set_override(tenant=busy.tenant, account_id=busy.accounts["busy"].pk, score=91, reason="x")
    _score(busy, 0, 0)
    change = _change(busy, 1, 0)
    assert (change.before.override, change.after.override) == (None, made)
    causes = change.waterfall.by_cause()
    assert causes[Cause.OVERRIDE] == pytest.approx(91 - change.after.row.score)


def test_days_without_a_score_cannot_be_compared(busy: World) -> None:
    assert _change(busy, 300, 1) is None
    same = _change(busy, 1, 1)
    assert same.waterfall.parts == ()


def test_late_usage_shows_in_the_restated_score_and_not_in_the_stored_one(busy: World) -> None:
    change = _change(busy, 6, 1)
    with tenant_scope(busy.tenant):
        before = restated_score(busy.tenant, busy.accounts["busy"].pk, change.before)
    assert before == pytest.approx(change.before.row.score, abs=1e-6)
    busy.usage("busy", days_back(busy.today, 7, 8), users=9, events=300, features=9, sends=1)
    with tenant_scope(busy.tenant):
        after = restated_score(busy.tenant, busy.accounts["busy"].pk, change.before)
        assert _change_row(busy, 6).score == change.before.row.score
    assert after is not None and after > change.before.row.score


def test_the_cost_is_fixed(busy: World, django_assert_max_num_queries: Any) -> None:
    _publish(busy, usage=10, engagement=45)
    _score(busy, 0, 0)
    with tenant_scope(busy.tenant), django_assert_max_num_queries(16):
        score_change(busy.tenant, busy.accounts["busy"].pk, busy.today - timedelta(days=8), busy.today)


def test_a_trend_is_of_one_version_and_says_since_when(busy: World) -> None:
    pk = busy.accounts["busy"].pk
    with tenant_scope(busy.tenant):
        trend = score_trends(busy.tenant, [pk])[pk]
        assert (trend.version, trend.since) == (None, busy.today - timedelta(days=8))
        assert trend.change == pytest.approx(_change_row(busy, 1).score - _change_row(busy, 8).score)
    _publish(busy, usage=10, engagement=45)
    _score(busy, 0, 0)
    with tenant_scope(busy.tenant):
        trend = score_trends(busy.tenant, [pk])[pk]
    assert (trend.change, trend.since, trend.version) == (None, None, 2)
