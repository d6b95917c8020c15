"""Counts over all scores: coverage, versions, bands from week to week."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account
from scoring.models import BandWeek, CurrentScore, Version
from scoring.quality import band_changes, band_weeks, count_band_weeks, score_snapshot
from tests.scoring.conftest import World
from tests.scoring.judged import scored

__all__ = ["scored"]  # a fixture


def _monday(world: World, weeks_ago: int) -> date:
    return world.today - timedelta(days=world.today.weekday(), weeks=weeks_ago)


def _store(world: World, name: str, day: date, band: int, *, final: bool = True, version: int = 0) -> None:
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        made_by = version or CurrentScore.objects.filter(kind=1).values_list("version_id", flat=True)[0]
        cursor.execute(
            "INSERT INTO scoring_score (tenant_id, kind, account_id, day, version_id, score, band, coverage, is_new, "
            "is_final, components, points, effective, raw, scaled) "
            "VALUES (%s, 1, %s, %s, %s, 50, %s, 1, false, %s, '{}', '{}', '{}', '{}', '{}') "
            "ON CONFLICT (tenant_id, kind, account_id, day) "
            "DO UPDATE SET band = excluded.band, is_final = excluded.is_final",
            [world.tenant.pk, world.accounts[name].pk, day, made_by, band, final],
        )


def _week(world: World, name: str, weeks_ago: int, before: int, after: int, **given: Any) -> None:
    monday = _monday(world, weeks_ago)
    _store(world, name, monday - timedelta(days=1), before)
    _store(world, name, monday + timedelta(days=6), after, **given)


def test_weeks_are_counted_once_and_never_again(scored: World) -> None:
    _week(scored, "busy", 2, 3, 1)
    _week(scored, "silent", 2, 1, 2)
    with tenant_scope(scored.tenant):
        other = Version.objects.filter(model__key="playbook").earliest("id")
    _week(scored, "busy", 4, 1, 3, version=other.pk)
    with tenant_scope(scored.tenant):
        # The weeks before, between and after them; on a Monday the world's own scores of yesterday end a week, too.
        assert count_band_weeks(tenant=scored.tenant) == 3 + (scored.today.weekday() == 0)
        found = {week.week: week for week in band_weeks(scored.tenant)}
        last = found[_monday(scored, 2)]
        assert (last.compared, last.better, last.worse) == (2, 1, 1)
        assert (last.better_new_model, last.worse_new_model) == (0, 0)
        assert found[_monday(scored, 4)].better_new_model == 1
        BandWeek.objects.filter(pk=last.pk).update(worse=9)
        assert count_band_weeks(tenant=scored.tenant) == 0
        assert BandWeek.objects.get(pk=last.pk).worse == 9


def test_a_week_is_not_counted_before_it_is_final(scored: World) -> None:
    _week(scored, "busy", 2, 3, 1, final=False)
    _week(scored, "busy", 0, 3, 1)  # this week has not ended, whatever is stored
    with tenant_scope(scored.tenant):
        assert count_band_weeks(tenant=scored.tenant) == 0
    _store(scored, "busy", _monday(scored, 2) + timedelta(days=6), 1)
    with tenant_scope(scored.tenant):
        assert count_band_weeks(tenant=scored.tenant) == 2  # and the week after it


def test_the_accounts_behind_a_week_come_with_bands_and_versions(scored: World) -> None:
    _week(scored, "busy", 2, 3, 1)
    _week(scored, "silent", 2, 2, 2)
    with tenant_scope(scored.tenant):
        (row,) = band_changes(scored.tenant, _monday(scored, 2))
        assert band_changes(scored.tenant, _monday(scored, 9)) == []
    assert (row.name, row.before, row.after) == ("Busy", 3, 1)
    assert row.version_before == row.version_after


@pytest.mark.parametrize(
    ("coverage", "step"),
    [(0.0, (0, 50)), (0.5, (50, 80)), (0.8, (80, 100)), (0.9999999999, (100, 100)), (1.0, (100, 100))],
)
def test_coverage_is_counted_by_steps_and_whole_is_whole(
    scored: World, coverage: float, step: tuple[int, int]
) -> None:
    with tenant_scope(scored.tenant), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE scoring_current SET coverage = %s WHERE tenant_id = %s AND kind = 1",
            [coverage, scored.tenant.pk],
        )
        found = score_snapshot(scored.tenant)
    assert {key for key, count in found.by_coverage.items() if count} == {step}
    assert found.by_coverage[step] == found.accounts == 2


def test_the_snapshot_leaves_churned_accounts_out_and_costs_the_same(
    scored: World, django_assert_num_queries: Any
) -> None:
    with tenant_scope(scored.tenant), django_assert_num_queries(2):
        found = score_snapshot(scored.tenant)
    assert (found.accounts, len(found.versions), found.versions[0].share) == (2, 1, 1.0)
    with tenant_scope(scored.tenant):
        Account.objects.filter(external_id="silent").update(churned_on=scored.today)
    with tenant_scope(scored.tenant), django_assert_num_queries(2):
        assert score_snapshot(scored.tenant).accounts == 1


def test_a_tenant_without_scores_has_nothing_to_say(world: World) -> None:
    with tenant_scope(world.tenant):
        found = score_snapshot(world.tenant)
        assert count_band_weeks(tenant=world.tenant) == 0
    assert (found.accounts, found.coverage, found.versions, found.newest) == (0, None, [], None)
