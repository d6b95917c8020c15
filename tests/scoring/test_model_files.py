"""Models as YAML: exact there and back, every fault with its line and how to mend it, nothing stored until it is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry
from scoring.difference import differences
from scoring.model_yaml import ModelFileError, read_model, write_model
from scoring.models import ScoreModel, Version
from scoring.services import (
    FileRefused,
    check_file,
    create_draft,
    definition_of,
    export_version,
    import_file,
    save_draft,
)
from scoring.services.shipped import SHIPPED, shipped_template
from tests.scoring.conftest import World

GOOD = """\
healthy_above: 80
critical_below: 60
components:
  - key: usage
    name: Usage
    weight: 60
    measures:
      - metric: all_events
        aggregate: per_week
        scale: {kind: linear, worst: 0, best: 20}
  - key: support
    name: Support
    weight: 40
    missing: zero
    measures:
      - metric: oldest_open_ticket_hours
        aggregate: latest
        scale:
          kind: inverse
          full_until: 24
          zero_at: 168
"""


def model(world: World, key: str = "plg") -> ScoreModel:
    return ScoreModel.objects.get(key=key)


def refused(world: World, text: str) -> list[tuple[int | None, str]]:
    with tenant_scope(world.tenant), pytest.raises(FileRefused) as error:
        check_file(tenant=world.tenant, model=model(world), text=text)
    with tenant_scope(world.tenant):
        assert not Version.objects.filter(state="draft").exists()
    return [(problem.line, problem.message) for problem in error.value.problems]


@pytest.mark.parametrize("key", SHIPPED)
def test_a_shipped_model_written_out_and_read_in_is_the_same(world: World, key: str) -> None:
    with tenant_scope(world.tenant):
        version = Version.objects.select_related("model").get(model__key=key, state="published")
        text = export_version(version)
        draft = import_file(tenant=world.tenant, model=version.model, text=text)
        assert definition_of(draft) == definition_of(version)
        assert export_version(draft) == text
        assert differences(definition_of(version), definition_of(draft)) == []


RICH = {
    "healthy_above": 75.5,
    "critical_below": 50,
    "coverage_min": 0.4,
    "hysteresis": {"points": 3},
    "components": [
        {
            "key": "usage",
            "name": "Uso: 'diario' — #1",
            "weight": 100,
            "missing": "hold",
            "hold_days": 14,
            "combine": "min",
            "measures": [
                {
                    "metric": "all_events",
                    "aggregate": "per_week",
                    "window_days": 14,
                    "weight": 2.5,
                    "scale": {"kind": "piecewise", "points": [[0, 0], [5, 40], [20.5, 100]]},
                },
                {
                    "metric": "active_days",
                    "aggregate": "decayed_days",
                    "half_life_days": 30,
                    "weight": 1,
                    "scale": {"kind": "percentile", "peers": "segment"},
                },
            ],
        }
    ],
    "exceptions": [
        {"name": "Silent", "metric": "all_events", "reads": "value", "operator": "<=", "value": 0, "cap": 40}
    ],
}


def test_everything_that_a_version_can_say_goes_there_and_back(world: World) -> None:
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=model(world))
        save_draft(tenant=world.tenant, version=draft, definition=RICH)
        said = definition_of(draft)
        assert read_model(export_version(draft)).definition == said
        again = import_file(tenant=world.tenant, model=model(world), text=export_version(draft))
        assert definition_of(again) == said
        assert said["exceptions"] == RICH["exceptions"] and said["hysteresis"] == {"points": 3}


scalars = st.one_of(
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
)
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=20,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.dictionaries(names, trees, min_size=1, max_size=5))
def test_any_definition_reads_back_as_it_was_written(definition: dict[str, Any]) -> None:
    assert read_model(write_model(definition)).definition == definition


def test_the_line_of_every_place_is_known() -> None:
    file = read_model(GOOD)
    assert file.line_of("components[1].measures[0].scale.zero_at") == 21
    assert file.line_of("components[0].weight") == 6
    assert file.line_of("weights") == 3
    assert file.line_of("support") == 11
    assert file.line_of("support.oldest_open_ticket_hours.zero_at") == 21
    assert file.line_of("usage.all_events.aggregate.of.nothing") == 9
    assert file.line_of("nowhere") is None


FAULTS: list[tuple[tuple[str, str], list[tuple[int, str]]]] = [
    (("weight: 60", "weight: 59"), [(3, "add up to 99; they must add up to 100: 1 are missing.")]),
    (("weight: 60", "wieght: 60"), [(4, "“weight”: This value is required."),
     (6, "There is no such setting here. Known ones: key, name")]),
    (("weight: 60", "weight: sixty"), [(6, "Enter a number.")]),
    (("weight: 60", "weight: [60]"), [(6, "Enter a number.")]),
    (("missing: zero", "missing: nothing"), [(14, "Choose one of: exclude, zero, neutral, hold.")]),
    (("metric: all_events", "metric: gone_metric"), [(8, "There is no such metric, or it is switched off: choose")]),
    (("aggregate: per_week", "aggregate: latest"), [(8, "This metric cannot be counted this way.")]),
    (("metric: all_events", "metric: health_score"), [(8, "A model must not read its own score.")]),
    (("worst: 0, best: 20", "worst: 20, best: 20"), [(10, "The best and the worst value must differ.")]),
    (("kind: inverse", "kind: reverse"), [(19, "Choose one of")]),
    (("critical_below: 60", "critical_below: 90"), [(1, "The thresholds must lie between 0 and 100")]),
    (("healthy_above: 80", "healthy_above: 80\nhealthy_above: 70"), [(2, "“healthy_above” stands here twice")]),
    (("key: usage", "key: Usage!"), [(4, "Use small letters, digits and underscores")]),
    (("    name: Usage\n", ""), [(4, "This value is required.")]),
    (("critical_below: 60", "critical_below: 60\n1: 2"), [(3, "A name before a colon must be a text.")]),
    (("weight: 60", "weight: !!python/name:os.system x"), [(6, "")]),
    (("weight: 60", "weight: &a 60"), [(6, "References (& and *) cannot be used")]),
    (("components:", "kind: pql\ncomponents:"), [(3, "The file is a model of the kind “pql”, this one is “health”")]),
]  # fmt: skip


def test_each_fault_is_told_with_its_line(world: World) -> None:
    for change, expected in FAULTS:
        assert change[0] in GOOD
        found = refused(world, GOOD.replace(*change))
        for line, words in expected:
            assert any(at == line and words in message for at, message in found), (change, found)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "The file is empty."),
        ("# nothing\n", None, "The file is empty."),
        ("just words", 1, "A model starts with names"),
        ("- a\n- b", 1, "A model starts with names"),
        (
            "a: 1\n b: 2\n",
            2,
            "This is not YAML: mapping values are not allowed here. Look at the indentation",
        ),
        ("a: [1, 2\nb: 3", 2, "This is not YAML"),
        ("a: 'x\n", 2, "This is not YAML"),
        ("a:\n\tb: 2", 2, "This is not YAML"),
        ("a: 1\nb: \x01\n", 2, "a character that YAML does not allow"),
        ("[" * 3000 + "]" * 3000, None, "nested too deeply"),
        ("x: " + "y" * 200_000, None, "too long for a model"),
        ("a: &x [1]\nb: *x\n", 1, "References (& and *) cannot be used in a model"),
        ("--- 1\n--- 2\n", 2, "This is not YAML"),
    ],
)
def test_what_is_no_model_at_all_is_told_too(text: str, line: int | None, words: str) -> None:
    with pytest.raises(ModelFileError) as error:
        read_model(text)
    fault = error.value.faults[0]
    assert (fault.line, words in fault.message % fault.values) == (line, True), fault


def test_several_faults_are_told_at_once(world: World) -> None:
    text = (
        GOOD.replace("weight: 60", "weight: x")
        .replace("missing: zero", "mising: zero")
        .replace("best: 20", "bst: 20")
    )
    assert len({line for line, _message in refused(world, text)}) >= 2


def test_checking_stores_nothing_and_says_what_changes(world: World) -> None:
    with tenant_scope(world.tenant):
        published = Version.objects.select_related("model").get(model__key="plg", state="published")
        text = (
            export_version(published)
            .replace("weight: 30", "weight: 20", 1)
            .replace("weight: 25", "weight: 35", 1)
        )
        checked = check_file(tenant=world.tenant, model=published.model, text=text)
        assert checked.against == published
        assert [
            (change.component["key"], change.field, change.before, change.after) for change in checked.changes
        ] == [  # type: ignore[index]
            ("usage", "weight", 30, 20),
            ("engagement", "weight", 25, 35),
        ]
        assert not Version.objects.filter(state="draft").exists()


def test_a_refused_file_leaves_the_draft_as_it_was(world: World) -> None:
    with tenant_scope(world.tenant):
        draft = create_draft(tenant=world.tenant, model=model(world))
        before = definition_of(draft)
        with pytest.raises(FileRefused):
            import_file(
                tenant=world.tenant, model=model(world), text=GOOD.replace("weight: 60", "weight: 50")
            )
        assert definition_of(Version.objects.get(pk=draft.pk)) == before
        imported = import_file(tenant=world.tenant, model=model(world), text=GOOD)
        assert imported.pk == draft.pk
        assert [part["key"] for part in definition_of(imported)["components"]] == ["usage", "support"]
        assert AuditEntry.objects.filter(action="scoring.version.imported").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_commands_write_and_read(world: World, tmp_path: Path, capsys: Any) -> None:
    call_command("export_model", "globex", "plg")
    text = capsys.readouterr().out
    assert text.startswith("key: plg\n")
    file = tmp_path / "model.yaml"
    file.write_text(text.replace("weight: 30", "weight: 29", 1))
    with pytest.raises(CommandError, match=r"Line \d+: The weights of the components add up to 99"):
        call_command("import_model", "globex", "plg", str(file))
    file.write_text(text.replace("healthy_above: 80", "healthy_above: 82", 1))
    call_command("import_model", "globex", "plg", str(file))
    assert "plg version 2 is saved as a draft" in capsys.readouterr().out
    call_command("import_model", "globex", "plg", str(file), "--publish")
    assert "plg version 2 is published" in capsys.readouterr().out
    call_command("export_model", "globex", "plg", "--number", "1")
    assert capsys.readouterr().out == text
    for arguments, words in (
        (("export_model", "globex", "nope"), "There is no model “nope”. Known: playbook, plg, pql."),
        (("export_model", "globex", "plg", "--number", "9"), "There is no version 9. Known: 1, 2."),
        (("export_model", "nobody", "plg"), "There is no tenant “nobody”"),
        (("import_model", "globex", "plg", str(tmp_path / "none.yaml")), "cannot be read as UTF-8 text"),
    ):
        with pytest.raises(CommandError, match="".join(f"[{c}]" if c in "?." else c for c in words)):
            call_command(*arguments)


def test_the_shipped_files_say_what_is_written(world: World) -> None:
    for key in SHIPPED:
        assert shipped_template(key).definition["key"] == key
