"""Going back to an earlier version: a copy of it is published as a new one."""

from __future__ import annotations

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry
from scoring.models import Measure, ScoreModel, Version
from scoring.services import DefinitionError, create_draft, definition_of, publish_version, roll_back
from tests.scoring.conftest import World
from usage.models import Metric


@pytest.fixture
def two(world: World) -> World:
    """A model whose second version scores."""
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        draft.healthy_above = 70
        draft.save()
        publish_version(tenant=world.tenant, version=draft)
    return world


def numbered(number: int) -> Version:
    return Version.objects.select_related("model").get(model__key="plg", number=number)


def test_going_back_publishes_a_copy_that_says_the_same(two: World) -> None:
    with tenant_scope(two.tenant):
        made = roll_back(tenant=two.tenant, version=numbered(1), reason="Too strict.")
        assert (made.number, made.state, made.origin) == (3, "published", "restored")
        assert made.note == "Back to version 1. Too strict."
        assert definition_of(numbered(3)) == definition_of(numbered(1)) != definition_of(numbered(2))
        assert (numbered(1).state, numbered(2).state) == ("retired", "retired")
        assert made.in_force_from == two.today
        assert AuditEntry.objects.get(action="scoring.version.restored").target == "plg v3"


def test_frozen_peers_come_back_with_it(two: World) -> None:
    peers = [float(n) for n in range(40)]
    with tenant_scope(two.tenant):
        measure = Measure.objects.filter(component__version=numbered(1)).order_by("pk")[0]
        measure.scale_kind, measure.scale_params = "percentile", {"reference": peers}
        measure.save()
        made = roll_back(tenant=two.tenant, version=numbered(1))
        copied = Measure.objects.filter(component__version=made, scale_kind="percentile").get()
        assert copied.scale_params["reference"] == peers


def test_a_draft_is_left_alone(two: World) -> None:
    with tenant_scope(two.tenant):
        draft = create_draft(tenant=two.tenant, model=ScoreModel.objects.get(key="plg"))
        made = roll_back(tenant=two.tenant, version=numbered(1))
        draft.refresh_from_db()
        assert (draft.state, draft.number, made.number) == ("draft", 3, 4)


@pytest.mark.parametrize("number", [2, 3])
def test_only_an_earlier_version_can_be_gone_back_to(two: World, number: int) -> None:
    with tenant_scope(two.tenant):
        create_draft(tenant=two.tenant, model=ScoreModel.objects.get(key="plg"))
        with pytest.raises(DefinitionError, match="Choose an earlier version"):
            roll_back(tenant=two.tenant, version=numbered(number))


def test_a_version_whose_metric_is_gone_is_refused_and_the_other_one_goes_on(two: World) -> None:
    with tenant_scope(two.tenant):
        Metric.objects.filter(key="features_used").update(active=False)
    with pytest.raises(DefinitionError, match="There is no such metric"), tenant_scope(two.tenant):
        roll_back(tenant=two.tenant, version=numbered(1))
    with tenant_scope(two.tenant):
        assert (numbered(2).state, Version.objects.filter(model__key="plg").count()) == ("published", 2)
