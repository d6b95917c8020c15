"""Were overrides right, and where score, team and customers say different things."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership
from scoring.models import CurrentScore, Override, Sentiment
from scoring.overrides.disagreement import disagreements
from scoring.overrides.judging import Judgement, judge, records, wilson
from scoring.overrides.selectors import open_overrides, override_calibration
from scoring.overrides.services import set_sentiment
from tests.conftest import make_member
from tests.scoring.conftest import World
from tests.scoring.judged import override, scored
from usage.services import push_metric_values

__all__ = ["scored"]  # a fixture

# ── Were they right ─────────────────────────────────────────────────────────────────────────────────────────────────

HEALTHY, AT_RISK, CRITICAL = 3, 2, 1


@pytest.mark.parametrize(
    ("said", "computed", "later", "churned", "judgement"),
    [
        (CRITICAL, HEALTHY, CRITICAL, False, Judgement.RIGHT),
        (CRITICAL, HEALTHY, HEALTHY, False, Judgement.WRONG),
        (CRITICAL, HEALTHY, AT_RISK, False, Judgement.NEITHER),
        (CRITICAL, HEALTHY, HEALTHY, True, Judgement.RIGHT),
        (HEALTHY, CRITICAL, AT_RISK, False, Judgement.NEITHER),
        (HEALTHY, AT_RISK, HEALTHY, False, Judgement.RIGHT),
        (HEALTHY, CRITICAL, None, True, Judgement.WRONG),
        (HEALTHY, CRITICAL, None, False, Judgement.OPEN),
        (HEALTHY, CRITICAL, 0, False, Judgement.OPEN),
        (HEALTHY, 0, HEALTHY, False, Judgement.OPEN),
        (HEALTHY, HEALTHY, CRITICAL, False, Judgement.AGREED),
    ],
)
def test_who_was_nearer_to_what_came_was_right(
    said: int, computed: int, later: int | None, churned: bool, judgement: Judgement
) -> None:
    assert judge(said, computed, later, churned) == judgement


def test_few_judged_overrides_say_nothing() -> None:
    few = records([("ana", Judgement.RIGHT)] * 9 + [("ana", Judgement.AGREED)])
    assert [(record.who, record.judged, record.ended, record.says_something) for record in few] == [
        ("ana", 9, 10, False),
        (None, 9, 10, False),
    ]
    many = records([("ana", Judgement.RIGHT)] * 6 + [("bo", Judgement.WRONG)] * 4)[-1]
    assert (many.says_something, many.share) == (True, 0.6)


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(8, 10) or (0, 0)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)  # textbook values
    assert wilson(0, 0) is None


def _ended(
    world: World, name: str, band: int, computed: int, *, ended_ago: int, by: Membership | None
) -> None:
    with tenant_scope(world.tenant):
        Override.objects.create(
            account=world.accounts[name],
            band=band,
            reason="x",
            computed_score=50,
            computed_band=computed,
            starts_on=world.today - timedelta(days=ended_ago + 14),
            until=world.today - timedelta(days=ended_ago),
            created_by=by,
        )


def _stored(world: World, name: str, days_ago: int, band: int) -> None:
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        version = CurrentScore.objects.filter(kind=1).values_list("version_id", flat=True)[0]
        cursor.execute(
            "INSERT INTO scoring_score VALUES (%s, 1, %s, %s, %s, 50, %s, 1, false, true, '{}', '{}', '{}', '{}', '{}')",
            [world.tenant.pk, world.accounts[name].pk, world.today - timedelta(days=days_ago), version, band],
        )


def test_calibration_compares_with_the_band_that_came_or_the_churn(scored: World) -> None:
    ana = make_member(scored.tenant, "ana", "manager")
    _stored(scored, "busy", 30, CRITICAL)  # 30 days after the end of what ended 60 days ago
    _ended(scored, "busy", CRITICAL, HEALTHY, ended_ago=60, by=ana)  # right
    _ended(scored, "busy", HEALTHY, CRITICAL, ended_ago=60, by=ana)  # wrong
    _ended(scored, "busy", HEALTHY, CRITICAL, ended_ago=20, by=ana)  # too early to say
    _ended(scored, "silent", CRITICAL, HEALTHY, ended_ago=40, by=None)  # churned: right
    with tenant_scope(scored.tenant):
        Account.objects.filter(external_id="silent").update(churned_on=scored.today - timedelta(days=20))
        found = override_calibration(scored.tenant)
    assert [(m.member, m.record.right, m.record.wrong) for m in found.members] == [(ana, 1, 1), (None, 1, 0)]
    assert (found.total.right, found.total.wrong, found.total.says_something) == (2, 1, False)


def test_open_overrides_come_with_todays_score(scored: World, django_assert_num_queries: Any) -> None:
    for count, name in enumerate(("busy", "silent"), 1):
        override(scored, name)
        with tenant_scope(scored.tenant), django_assert_num_queries(3):
            found = open_overrides(scored.tenant)
        assert found.total == len(found.rows) == count
    assert all(row.current is not None for row in found.rows)


# ── Where they disagree ─────────────────────────────────────────────────────────────────────────────────────────────


def _queue(world: World) -> list[str]:
    with tenant_scope(world.tenant):
        return [row.name for row in disagreements(world.tenant).rows]


def _feel(world: World, name: str, value: int) -> None:
    with tenant_scope(world.tenant):
        set_sentiment(tenant=world.tenant, account_id=world.accounts[name].pk, value=value)


def _band(world: World, name: str, band: int) -> None:
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE scoring_current SET band = %s WHERE tenant_id = %s AND kind = 1 AND account_id = %s",
            [band, world.tenant.pk, world.accounts[name].pk],
        )


def _nps(world: World, name: str, value: float) -> None:
    with tenant_scope(world.tenant):
        item = {"account_id": name, "metric": "nps", "day": world.today, "value": value}
        assert push_metric_values(tenant=world.tenant, items=[item]).rejected == []


def test_score_and_sentiment_that_contradict_each_other_are_queued_by_mrr(scored: World) -> None:
    with tenant_scope(scored.tenant):
        Account.objects.filter(external_id="silent").update(mrr_cents=99_000)
    for name, band in (("busy", HEALTHY), ("silent", CRITICAL)):
        _band(scored, name, band)
    assert _queue(scored) == []
    _feel(scored, "busy", 3)
    assert _queue(scored) == []
    _feel(scored, "busy", 2)
    _feel(scored, "silent", 4)
    assert _queue(scored) == ["Silent", "Busy"]
    _feel(scored, "busy", 5)  # the newest one counts
    assert _queue(scored) == ["Silent"]
    override(scored, "silent", band="healthy")  # somebody has decided
    assert _queue(scored) == []


def test_nps_takes_part_on_either_of_its_scales(scored: World) -> None:
    _band(scored, "busy", HEALTHY)
    _nps(scored, "busy", 7)
    assert _queue(scored) == []
    _nps(scored, "busy", 6)
    assert _queue(scored) == ["Busy"]
    _nps(scored, "silent", -40)  # so what this tenant sends is a balance, and 6 is not bad
    _band(scored, "silent", AT_RISK)
    assert _queue(scored) == []
    _feel(scored, "silent", 5)
    assert _queue(scored) == ["Silent"]


def test_an_old_sentiment_and_a_churned_account_are_no_disagreement(scored: World) -> None:
    _band(scored, "busy", HEALTHY)
    _feel(scored, "busy", 1)
    assert _queue(scored) == ["Busy"]
    with tenant_scope(scored.tenant):
        Sentiment.objects.update(day=scored.today - timedelta(days=90))
    assert _queue(scored) == []
    _feel(scored, "busy", 1)
    with tenant_scope(scored.tenant):
        Account.objects.filter(external_id="busy").update(churned_on=scored.today)
    assert _queue(scored) == []


def test_the_queue_is_paged_and_counted(scored: World, django_assert_num_queries: Any) -> None:
    for name in ("busy", "silent"):
        _band(scored, name, HEALTHY)
        _feel(scored, name, 1)
    with tenant_scope(scored.tenant), django_assert_num_queries(3):
        first = disagreements(scored.tenant, limit=1)
    assert (first.total, first.mrr_cents, first.more) == (2, 20_000, True)
    last = first.rows[-1]
    with tenant_scope(scored.tenant):
        rest = disagreements(scored.tenant, after=(last.mrr_cents, last.id), limit=1)
    assert {last.name, rest.rows[0].name} == {"Busy", "Silent"}
    assert not rest.more
