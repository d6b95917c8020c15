"""Which model scores whom, and what a parent's children say together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Account
from scoring.models import CurrentScore, ScoreModel, StoredScore, Version
from scoring.selectors import rollup
from scoring.services import publish_version, save_draft, score_accounts
from scoring.services.shipped import shipped_template
from tests.scoring.conftest import World, days_back


def run(world: World, *, ago: int = 0, **options: Any) -> None:
    with tenant_scope(world.tenant):
        score_accounts(
            tenant=world.tenant, day=world.today - timedelta(days=ago), kinds=["health"], **options
        )


def model(world: World, key: str, position: int, **fields: Any) -> ScoreModel:
    """A published health model, on since long ago."""
    with tenant_scope(world.tenant):
        made = ScoreModel.objects.create(key=key, kind="health", name=key, position=position, **fields)
        version = Version.objects.create(model=made, number=1)
        save_draft(tenant=world.tenant, version=version, definition=shipped_template("plg").definition)
        publish_version(tenant=world.tenant, version=version, in_force_from=world.today - timedelta(days=60))
        return made


def scored_by(world: World, on: int | None = None) -> dict[str, str]:
    """Model key by account, today's or so many days ago."""
    with tenant_scope(world.tenant):
        rows = (
            CurrentScore.objects.filter(kind=1)
            if on is None
            else StoredScore.objects.filter(kind=1, day=world.today - timedelta(days=on))
        )
        return dict(rows.values_list("account__external_id", "version__model__key"))


@pytest.fixture
def mixed(world: World, counted: list[str]) -> World:
    """Accounts of several segments, stages and kinds of plan."""
    world.deliver(counted)
    for name, fields in {
        "plain": {},
        "big": {"segment": "enterprise"},
        "big-new": {"segment": "enterprise", "stage": "onboarding"},
        "small-new": {"segment": "smb", "stage": "onboarding"},
        "trial": {"plan_kind": Account.PlanKind.TRIAL},
    }.items():
        world.account(name, **fields)
        world.usage(name, days_back(world.today, 1, 2, 3))
    return world


def test_of_several_models_that_fit_the_one_with_the_smallest_number_scores(mixed: World) -> None:
    model(mixed, "enterprise", 20, segment="enterprise")
    model(mixed, "onboarding", 30, stage="onboarding")
    model(mixed, "both", 40, segment="enterprise", stage="onboarding")
    model(mixed, "trials", 50, plan_kinds=["trial"])
    run(mixed)
    assert scored_by(mixed) == {
        "plain": "plg",
        "big": "enterprise",
        "big-new": "enterprise",
        "small-new": "onboarding",
        "trial": "trials",
    }
    with tenant_scope(mixed.tenant):
        ScoreModel.objects.filter(key="both").update(position=1)
    run(mixed)
    assert scored_by(mixed)["big-new"] == "both"


def test_the_default_scores_the_rest_whatever_its_number_and_a_model_for_nobody_none(mixed: World) -> None:
    with tenant_scope(mixed.tenant):
        ScoreModel.objects.filter(key="plg").update(position=0)
    model(mixed, "enterprise", 20, segment="enterprise")
    model(mixed, "for-nobody", 1)
    run(mixed)
    assert scored_by(mixed) == {
        "plain": "plg",
        "big": "enterprise",
        "big-new": "enterprise",
        "small-new": "plg",
        "trial": "plg",
    }


def test_an_inactive_model_and_one_without_a_published_version_score_nobody(mixed: World) -> None:
    model(mixed, "off", 1, segment="enterprise", active=False)
    with tenant_scope(mixed.tenant):
        draft = ScoreModel.objects.create(key="draft", kind="health", name="D", segment="smb", position=2)
        Version.objects.create(model=draft, number=1)
    run(mixed)
    assert set(scored_by(mixed).values()) == {"plg"}


def test_an_account_that_changes_stage_is_scored_by_the_other_model_from_then_on(mixed: World) -> None:
    model(mixed, "onboarding", 30, stage="onboarding")
    run(mixed, ago=1)
    with tenant_scope(mixed.tenant):
        Account.objects.filter(external_id="small-new").update(stage="active")
    run(mixed)
    assert (scored_by(mixed, on=1)["small-new"], scored_by(mixed)["small-new"]) == ("onboarding", "plg")
    run(mixed, ago=1)
    assert scored_by(mixed, on=1)["small-new"] == "onboarding"  # the day is over


def test_with_no_default_an_account_that_no_model_claims_has_no_score(mixed: World) -> None:
    model(mixed, "enterprise", 20, segment="enterprise")
    with tenant_scope(mixed.tenant):
        ScoreModel.objects.filter(key="plg").update(is_default=False)
    run(mixed)
    assert scored_by(mixed) == {"big": "enterprise", "big-new": "enterprise"}


def family(world: World, name: str, score: float | None, parent: str | None = None, **fields: Any) -> int:
    """An account with a stored current score."""
    with tenant_scope(world.tenant):
        above = world.accounts[parent] if parent else None
        account = world.account_in_scope(name, parent=above, **fields)
        if score is not None:
            version = Version.objects.get(model__key="plg")
            band = 3 if score > 80 else 1 if score < 60 else 2
            CurrentScore.objects.bulk_create(
                [
                    CurrentScore(
                        tenant=world.tenant, kind=1, account=account, day=world.today, version=version,
                        score=score, band=band, coverage=1.0, is_new=False, is_final=False,
                        components=[], points=[], effective=[], raw=[], scaled=[],
                    )
                ]
            )  # fmt: skip
        return int(account.pk)


def test_a_parent_shows_its_worst_child_and_the_mean_by_mrr(world: World) -> None:
    parent = family(world, "group", 90.0, mrr_cents=1_000_000, currency="EUR")
    family(world, "rich", 80.0, "group", mrr_cents=3000, currency="EUR")
    worst = family(world, "poor", 40.0, "group", mrr_cents=1000, currency="EUR")
    family(world, "unpaid", 10.0, "rich", mrr_cents=0)
    family(world, "unscored", None, "group", mrr_cents=9000, currency="EUR")
    family(world, "left", 1.0, "group", mrr_cents=9000, currency="EUR", churned_on=world.today)
    lonely = family(world, "lonely", 50.0)
    with tenant_scope(world.tenant):
        found = rollup(world.tenant, [parent, lonely])
    assert set(found) == {parent}
    both = found[parent]
    assert [child.name for child in both.children] == ["Unpaid", "Poor", "Rich", "Unscored"]
    assert both.worst is not None
    assert (both.worst.account_id == worst, both.worst.name) == (False, "Unpaid")
    assert both.weighted
    assert both.mean == pytest.approx((80 * 3000 + 40 * 1000) / 4000)


def test_mrr_in_two_currencies_is_no_weight(world: World) -> None:
    parent = family(world, "group", None)
    family(world, "euro", 80.0, "group", mrr_cents=3000, currency="EUR")
    family(world, "peso", 50.0, "group", mrr_cents=900_000, currency="MXN")
    with tenant_scope(world.tenant):
        both = rollup(world.tenant, [parent])[parent]
    assert (both.weighted, both.mean) == (False, 65.0)


def test_children_without_a_score_have_neither_a_worst_nor_a_mean(world: World) -> None:
    parent = family(world, "group", 70.0)
    family(world, "child", None, "group")
    with tenant_scope(world.tenant):
        both = rollup(world.tenant, [parent])[parent]
    assert (both.worst, both.mean, len(both.children)) == (None, None, 1)


def test_a_ring_of_parents_ends(world: World) -> None:
    first = family(world, "first", 70.0)
    second = family(world, "second", 30.0, "first")
    with tenant_scope(world.tenant):
        Account.objects.filter(pk=first).update(parent_id=second)
        found = rollup(world.tenant, [first, second])
    assert {root: [child.name for child in both.children] for root, both in found.items()} == {
        first: ["Second"],
        second: ["First"],
    }


@pytest.mark.parametrize("count", [1, 3])
def test_the_roll_up_of_any_number_of_parents_is_one_query(
    world: World, count: int, django_assert_num_queries: Any
) -> None:
    parents = [family(world, f"group-{number}", 70.0) for number in range(count)]
    for number in range(count):
        family(world, f"child-{number}", 60.0, f"group-{number}")
    with tenant_scope(world.tenant), django_assert_num_queries(1):
        assert len(rollup(world.tenant, parents)) == count
