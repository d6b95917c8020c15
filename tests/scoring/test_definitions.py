"""A version as plain data: what is written is what is read, in a fixed order, and what is not understood is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from accounts.fence.scope import tenant_scope
from scoring.models import Component, ExceptionRule, Measure, ScoreModel, Version
from scoring.services import DefinitionError, create_draft, definition_of, publish_version, save_draft
from scoring.services.shipped import SHIPPED, shipped_template
from tests.scoring.conftest import World

FULL: dict[str, Any] = {
    "key": "plg",
    "kind": "health",
    "name": "Product-led growth",
    "healthy_above": 75,
    "critical_below": 50.5,
    "coverage_min": 0.4,
    "hysteresis": {"points": 4},
    "components": [
        {
            "key": "usage",
            "name": "Usage",
            "weight": 60,
            "missing": "hold",
            "hold_days": 5,
            "combine": "min",
            "measures": [
                {
                    "metric": "all_events",
                    "aggregate": "per_week",
                    "window_days": 28,
                    "weight": 2.5,
                    "scale": {
                        "kind": "percent_of_target",
                        "target": 100,
                        "segment_targets": {"enterprise": 500, "smb": 20},
                    },
                },
                {
                    "metric": "all_events",
                    "aggregate": "change",
                    "window_days": 14,
                    "baseline_days": 56,
                    "weight": 1,
                    "scale": {"kind": "change", "worst": 0.5, "best": 2, "same": 60},
                },
                {
                    "metric": "active_users",
                    "aggregate": "users",
                    "window_days": 7,
                    "weight": 1,
                    "scale": {
                        "kind": "piecewise",
                        "by_tenure": [
                            {"from_days": 0, "points": [[0, 0], [1, 100]]},
                            {"from_days": 90, "points": [[0, 0], [5, 80], [10, 100]]},
                        ],
                    },
                },
            ],
        },
        {
            "key": "engagement",
            "name": "Engagement",
            "weight": 40,
            "missing": "exclude",
            "combine": "mean",
            "measures": [
                {
                    "metric": "active_days",
                    "aggregate": "decayed_days",
                    "half_life_days": 60,
                    "weight": 1,
                    "scale": {
                        "kind": "percentile",
                        "higher_is_better": True,
                        "peers": "segment",
                        "reference_of": "day",
                    },
                }
            ],
        },
    ],
    "exceptions": [
        {
            "name": "Silent",
            "metric": "active_days",
            "reads": "value",
            "operator": "<=",
            "value": 0.5,
            "cap": 40,
        },
        {
            "name": "Usage collapsed",
            "metric": "all_events",
            "component": "usage",
            "aggregate": "change",
            "reads": "score",
            "operator": "<",
            "value": 10,
            "cap": 55.5,
        },
    ],
}


def draft_of(world: World) -> Version:
    return create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))


def test_a_definition_is_written_as_it_was_read_in_the_same_order(world: World) -> None:
    with tenant_scope(world.tenant):
        save_draft(tenant=world.tenant, version=draft_of(world), definition=FULL)
        again = definition_of(Version.objects.select_related("model").get(model__key="plg", number=2))
    assert again == FULL
    assert repr(again) == repr(FULL)


def test_it_is_read_in_three_queries_however_many_parts(world: World, django_assert_num_queries: Any) -> None:
    with tenant_scope(world.tenant):
        draft = draft_of(world)
        for components in (1, 2):
            smaller = copy.deepcopy(FULL)
            smaller["exceptions"] = smaller["exceptions"][:components]
            del smaller["components"][0]["measures"][components:-1]
            smaller["exceptions"] = [
                rule for rule in smaller["exceptions"] if rule["metric"] == "active_days"
            ]
            save_draft(tenant=world.tenant, version=draft, definition=smaller)
            version = Version.objects.select_related("model", "tenant").get(pk=draft.pk)
            with django_assert_num_queries(3):
                definition_of(version)


@pytest.mark.parametrize("key", SHIPPED)
def test_saving_a_definition_of_a_version_changes_nothing(world: World, key: str) -> None:
    with tenant_scope(world.tenant):
        model = ScoreModel.objects.get(key=key)
        first = Version.objects.select_related("model", "tenant").get(model=model)
        draft = create_draft(tenant=world.tenant, model=model)
        before = definition_of(first)
        assert definition_of(draft) == before
        save_draft(tenant=world.tenant, version=draft, definition=before)
        assert definition_of(Version.objects.get(pk=draft.pk)) == before
        shipped = shipped_template(key).definition
        assert [part["key"] for part in before["components"]] == [
            part["key"] for part in shipped["components"]
        ]


def test_a_draft_of_a_version_has_all_that_it_says_and_no_frozen_peers(world: World) -> None:
    with tenant_scope(world.tenant):
        draft = draft_of(world)
        save_draft(tenant=world.tenant, version=draft, definition=FULL)
        publish_version(tenant=world.tenant, version=draft)
        Measure.objects.filter(component__version=draft, metric_key="active_days").update(
            scale_params={"peers": "tenant", "reference_of": "version", "reference": [1, 2, 3]}
        )
        copied = draft_of(world)
        assert (copied.pk == draft.pk, copied.hysteresis, copied.hysteresis_points) == (False, "points", 4)
        found = definition_of(copied)
        assert found["exceptions"] == FULL["exceptions"]
        peers = Measure.objects.get(component__version=copied, metric_key="active_days").scale_params
        assert peers == {"peers": "tenant", "reference_of": "version"}


def broken(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The full definition with one place changed; `...` takes it out."""
    made = copy.deepcopy(FULL)
    place: Any = made
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return made


MEASURE = ("components", 0, "measures", 0)
RULE = ("exceptions", 0)
REFUSED: list[tuple[tuple[Any, ...], Any, str, str]] = [
    (("thresholds",), 3, "thresholds", "There is no such setting here. Known ones: key, kind"),
    (("components",), ..., "components", "This value is required."),
    (("components",), "usage", "components", "Enter a list."),
    (("healthy_above",), "80 %", "healthy_above", "Enter a number."),
    (("healthy_above",), float("nan"), "healthy_above", "Enter a number."),
    (("healthy_above",), 10**400, "healthy_above", "Enter a number."),
    (("healthy_above",), 40, "bands", "the lower one first"),
    (("hysteresis",), {"points": 3, "runs": 2}, "hysteresis", "Give either points or runs."),
    (("hysteresis",), {"days": 3}, "hysteresis.days", "Known ones: points, runs."),
    (("hysteresis",), {"runs": 99}, "hysteresis.runs", "from 1 to 14"),
    (("hysteresis",), {"points": 25}, "hysteresis.points", "could never be reached"),
    (("components", 0, "weight"), 59, "weights", "add up to 99; they must add up to 100: 1 are missing"),
    (("components", 0, "key"), "engagement", "components[1].key", "Two components have the same key."),
    (("components", 0, "key"), "A b", "components[0].key", "Use small letters"),
    (("components", 0, "missing"), "guess", "components[0].missing", "exclude, zero, neutral, hold"),
    ((*MEASURE, "metric"), "gone", "usage.gone", "There is no such metric, or it is switched off: choose"),
    ((*MEASURE, "aggregate"), "ratio", "usage.all_events", "This metric cannot be counted this way."),
    ((*MEASURE, "window_days"), 0, "components[0].measures[0].window_days", "from 1 to 730"),
    ((*MEASURE, "scale"), {"kind": "magic"}, "components[0].measures[0].scale.kind", "Choose one of"),
    (
        (*MEASURE, "scale", "segment_targets"),
        {"smb": -1},
        "components[0].measures[0].scale.segment_targets.smb",
        "greater than 0",
    ),
    (
        ("components", 0, "measures", 2, "scale", "by_tenure", 1, "points", 1, 0),
        0,
        "components[0].measures[2].scale.by_tenure[1].points[1][0]",
        "must rise",
    ),
    ((*RULE, "column"), 4, "exceptions[0].column", "There is no such setting here."),
    ((*RULE, "operator"), "=>", "exceptions[0].operator", "Choose one of: <, <=, =, >=, >."),
    ((*RULE, "cap"), 140, "exceptions[0].cap", "between 0 and 100"),
    ((*RULE, "cap"), ..., "exceptions[0].cap", "This value is required."),
    (
        (*RULE, "metric"),
        "sends",
        "exceptions[0].metric",
        "No measure of this model reads this metric: add one, or take the exception out.",
    ),
    (("exceptions", 1, "aggregate"), ..., "exceptions[1].metric", "say which component"),
    ((*RULE, "name"), "a\x00b", "exceptions[0].name", "Enter a text."),
]


@pytest.mark.parametrize(
    ("path", "value", "where", "words"),
    REFUSED,
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_what_makes_no_sense_is_refused_with_the_place_and_what_to_do(
    world: World, path: tuple[Any, ...], value: Any, where: str, words: str
) -> None:
    with tenant_scope(world.tenant):
        draft = draft_of(world)
        before = definition_of(draft)
        with pytest.raises(DefinitionError) as caught:
            save_draft(tenant=world.tenant, version=draft, definition=broken(path, value))
        found = dict(caught.value.problems)
        assert where in found, found
        assert words in found[where]
        assert definition_of(Version.objects.get(pk=draft.pk)) == before  # all of it or nothing


def test_of_two_measures_that_count_a_metric_alike_an_exception_cannot_choose(world: World) -> None:
    twice = copy.deepcopy(FULL)
    twice["components"][0]["measures"][1] = copy.deepcopy(twice["components"][0]["measures"][0])
    twice["exceptions"][1]["aggregate"] = "per_week"
    with tenant_scope(world.tenant), pytest.raises(DefinitionError, match="a component of its own"):
        save_draft(tenant=world.tenant, version=draft_of(world), definition=twice)


def test_a_definition_that_is_no_map_is_refused(world: World) -> None:
    with tenant_scope(world.tenant):
        for nonsense in (None, [], "plg", 3, {"components": [None]}, {"components": [{"measures": [3]}]}):
            with pytest.raises(DefinitionError):
                save_draft(tenant=world.tenant, version=draft_of(world), definition=nonsense)  # type: ignore[arg-type]


def test_a_discarded_draft_takes_its_exceptions_along(world: World) -> None:
    with tenant_scope(world.tenant):
        draft = draft_of(world)
        save_draft(tenant=world.tenant, version=draft, definition=FULL)
        assert ExceptionRule.objects.filter(version=draft).count() == 2
        draft.delete()
        assert not ExceptionRule.objects.exists()
        assert Component.objects.exists()
