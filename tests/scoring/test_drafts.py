"""The life of a version, the shipped files, and scales proposed from the tenant's own accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Role, Tenant
from scoring.models import Component, Measure, ScoreModel, Version
from scoring.selectors.versions import model_timelines, published_version, version_marks
from scoring.services import (
    DefinitionError,
    create_draft,
    discard_draft,
    install_templates,
    make_default,
    propose_shipped_version,
    publish_version,
    save_draft,
    weight_problem,
)
from scoring.services.shipped import SHIPPED, shipped_template
from scoring.specs import load_versions
from tests.conftest import make_member
from tests.scoring.conftest import World, days_back
from usage.models import Metric
from usage.services import install_starter_metrics

SEEDS = {
    "plg": {"usage": 30, "engagement": 25, "adoption": 20, "support": 15, "payment": 10},
    "playbook": {"usage": 40, "response": 30, "value": 20, "risk": 10},
    "pql": {"days_active": 20, "feature_usage": 25, "team_size": 20, "engagement": 15, "signals": 20},
}


def test_the_shipped_models_are_those_of_the_seeds(world: World) -> None:
    with tenant_scope(world.tenant):
        found = {}
        for version in Version.objects.select_related("model"):
            assert version.state == Version.State.PUBLISHED
            found[version.model.key] = dict(
                Component.objects.filter(version=version).order_by("position").values_list("key", "weight")
            )
            thresholds = (70, 50) if version.model.key == "pql" else (80, 60)
            assert (version.healthy_above, version.critical_below) == thresholds
        assert found == SEEDS
        assert ScoreModel.objects.get(kind="health", is_default=True).key == "plg"
        assert install_templates(tenant=world.tenant) == []


def test_every_metric_of_the_shipped_models_is_one_that_a_new_tenant_has(acme: Tenant) -> None:
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
        install_templates(
            tenant=acme
        )  # publishing refuses an unknown metric and a way of counting that does not fit
        parts = [part for key in SHIPPED for part in shipped_template(key).definition["components"]]
        wanted = {measure["metric"] for part in parts for measure in part["measures"]}
        assert wanted <= set(Metric.objects.filter(active=True).values_list("key", flat=True))


@pytest.mark.parametrize(
    ("weights", "english", "spanish"),
    [
        ([60, 40], None, None),
        ([33.3, 33.3, 33.4], None, None),
        (
            [60, 39],
            "The weights of the components add up to 99; they must add up to 100: 1 are missing.",
            "Los pesos de los componentes suman 99; deben sumar 100: faltan 1.",
        ),
        (
            [60, 45.5],
            "The weights of the components add up to 105.5; they must add up to 100: 5.5 too many.",
            "Los pesos de los componentes suman 105.5; deben sumar 100: sobran 5.5.",
        ),
    ],
)
def test_weights_that_do_not_add_up_are_refused_in_words(
    weights: list[float], english: str | None, spanish: str | None
) -> None:
    assert weight_problem(weights) == english
    with translation.override("es"):
        assert weight_problem(weights) == spanish


def test_a_draft_is_a_copy_and_there_is_only_one(world: World) -> None:
    with tenant_scope(world.tenant):
        model = ScoreModel.objects.get(key="plg")
        draft = create_draft(tenant=world.tenant, model=model)
        assert create_draft(tenant=world.tenant, model=model).pk == draft.pk
        loaded = load_versions(world.tenant, [Version.objects.select_related("model").get(pk=draft.pk)])[
            draft.pk
        ]
        published = published_version(world.tenant, "plg")
        assert published is not None
        assert (draft.number, published.number) == (2, 1)
        assert loaded.spec == load_versions(world.tenant, [published])[published.pk].spec


def test_publishing_retires_the_version_before_and_writes_the_audit_log(world: World) -> None:
    alice = make_member(world.tenant, "alice", Role.ADMIN)
    with tenant_scope(world.tenant):
        model = ScoreModel.objects.get(key="plg")
        draft = create_draft(tenant=world.tenant, model=model)
        publish_version(tenant=world.tenant, version=draft, member=alice)
        states = dict(Version.objects.filter(model=model).values_list("number", "state"))
        assert states == {1: "retired", 2: "published"}
        entry = AuditEntry.objects.filter(actor=alice).get()
        assert (entry.action, entry.target) == ("scoring.version.published", "plg v2")
        assert [mark["version"] for mark in version_marks(world.tenant, world.today, world.today)] == [2]
        with pytest.raises(DefinitionError, match="published already"):
            publish_version(tenant=world.tenant, version=draft)


def faults(world: World, **changes: Any) -> list[tuple[str, str]]:
    """What publishing says about the shipped plg with one measure or component changed."""
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        Measure.objects.filter(component__version=draft, metric_key="all_events").update(**changes)
        try:
            publish_version(tenant=world.tenant, version=draft)
        except DefinitionError as error:
            return error.problems
        return []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"metric_key": "deleted"},
            (
                "usage.deleted",
                "There is no such metric, or it is switched off: choose another one, or take the measure out.",
            ),
        ),
        (
            {"metric_key": "health_score", "aggregate": "latest"},
            ("usage.health_score", "A model must not read its own score."),
        ),
        ({"aggregate": "ratio"}, ("usage.all_events", "This metric cannot be counted this way.")),
        ({"scale_params": {}}, ("usage.all_events.points", "This value is required.")),
        ({"weight": 0}, ("usage.all_events.weight", "Enter a weight greater than 0.")),
        (
            {"scale_kind": "percentile", "scale_params": {}},
            ("usage.all_events", "Percentile among peers needs at least 30 accounts that have a value."),
        ),
    ],
)
def test_what_makes_no_sense_is_not_published(
    world: World, changes: dict[str, Any], problem: tuple[str, str]
) -> None:
    assert faults(world, **changes) == [problem]


def test_weights_of_99_are_not_published(world: World) -> None:
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        Component.objects.filter(version=draft, key="payment").update(weight=9)
        with pytest.raises(DefinitionError, match="add up to 99"):
            publish_version(tenant=world.tenant, version=draft)
        assert Version.objects.get(pk=draft.pk).is_draft


def test_a_published_version_cannot_be_saved_or_discarded(world: World) -> None:
    with tenant_scope(world.tenant):
        version = Version.objects.select_related("model").get(model__key="plg")
        with pytest.raises(DefinitionError, match="cannot be changed"):
            save_draft(tenant=world.tenant, version=version, definition=shipped_template("plg").definition)
        with pytest.raises(DefinitionError, match="Only a draft"):
            discard_draft(tenant=world.tenant, version=version)


def test_a_discarded_draft_is_gone_and_the_published_version_stays(world: World) -> None:
    with tenant_scope(world.tenant):
        model = ScoreModel.objects.get(key="plg")
        discard_draft(tenant=world.tenant, version=create_draft(tenant=world.tenant, model=model))
        assert list(Version.objects.filter(model=model).values_list("number", "state")) == [(1, "published")]


def test_only_one_model_of_a_kind_is_the_default(world: World) -> None:
    with tenant_scope(world.tenant):
        make_default(tenant=world.tenant, model=ScoreModel.objects.get(key="playbook"))
        assert [line.model.key for line in model_timelines(world.tenant, "health")] == ["playbook"]


def crowd(world: World, count: int, days_old: int = 60) -> None:
    world.deliver(["all_events", "active_users", "active_days", "features_used"])
    for number in range(count):
        world.account(f"a{number}", days_old=days_old)
        world.usage(
            f"a{number}",
            days_back(world.today, *range(1 + number % 28)),
            users=1 + number % 5,
            features=1 + number % 7,
            events=1 + number,
        )


def test_with_30_accounts_and_28_days_the_shipped_model_is_proposed_anew_once(world: World) -> None:
    crowd(world, 32)
    with tenant_scope(world.tenant):
        assert propose_shipped_version(tenant=world.tenant, day=world.today) == 2
        version = published_version(world.tenant, "plg")
        assert version is not None
        assert (version.origin, version.in_force_from) == (Version.Origin.PROPOSED, world.today)
        measures = {m.metric_key: m for m in Measure.objects.filter(component__version=version)}
        first = Version.objects.get(model__key="plg", number=1)
        shipped = {m.metric_key: m for m in Measure.objects.filter(component__version=first)}
        changed = {
            key for key, measure in measures.items() if measure.scale_params != shipped[key].scale_params
        }
        assert changed == {"all_events", "active_users", "active_days", "features_used"}
        assert measures["all_events"].scale_params["points"][0] == [0, 0]
        assert propose_shipped_version(tenant=world.tenant, day=world.today) is None


@pytest.mark.parametrize(("count", "days_old"), [(29, 60), (32, 27)])
def test_fewer_accounts_or_a_shorter_history_propose_nothing(world: World, count: int, days_old: int) -> None:
    crowd(world, count, days_old)
    with tenant_scope(world.tenant):
        assert propose_shipped_version(tenant=world.tenant, day=world.today) is None


def test_a_model_that_an_admin_has_edited_is_left_alone(world: World) -> None:
    crowd(world, 32)
    with tenant_scope(world.tenant):
        create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))
        assert propose_shipped_version(tenant=world.tenant, day=world.today) is None


def test_a_percentile_scale_is_published_with_its_peers_frozen(world: World) -> None:
    crowd(world, 32)
    assert faults(world, scale_kind="percentile", scale_params={}) == []
    with tenant_scope(world.tenant):
        measure = Measure.objects.get(component__version__number=2, metric_key="all_events")
        reference = measure.scale_params["reference"]
        assert (len(reference), reference == sorted(reference), reference[0] > 0) == (32, True, True)
        assert measure.scale_params["higher_is_better"] is True
