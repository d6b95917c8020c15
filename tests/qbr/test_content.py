"""What a pack says survives JSON, and nothing that is no pack gets in."""

from __future__ import annotations

import json

import pytest

from outreach.documents.spec import ChartSpec
from qbr.content import (
    BadContent,
    Bullets,
    Chart,
    Kpi,
    Kpis,
    PackContent,
    Section,
    Table,
    Text,
    from_json,
    to_json,
)

SPEC = ChartSpec("line", "Sends", "", ("Jan", "Feb"), (("Sends", (1.0, None)),), 50.0)
PACK = PackContent(
    "Review",
    "Acme",
    "Q1",
    "es",
    "**Bien**",
    (
        Section(
            "kpis",
            "KPIs",
            "Intro",
            (
                Kpis((Kpi("Envíos", "62", "por semana", "+3 %", 7), Kpi("NPS", "9"))),
                Chart(SPEC, (7, 8), "Más envíos"),
                Table(("A", "B"), (("1", "2"),), (9,)),
                Text("Hola", (7,)),
                Bullets(("uno", "dos")),
            ),
        ),
        Section("risks", "Riesgos", empty_reason="No hay riesgos.", hidden=True),
    ),
)


def test_the_json_of_a_pack_gives_the_same_pack() -> None:
    assert from_json(json.loads(json.dumps(to_json(PACK)))) == PACK


def test_figures_are_named_once_and_hidden_sections_are_not_shown() -> None:
    assert PACK.figure_ids == (7, 8, 9)
    assert [section.key for section in PACK.shown] == ["kpis"]
    assert PACK.section("risks").is_empty and not PACK.section("kpis").is_empty


def test_a_section_is_replaced_in_its_place_and_an_unknown_one_is_refused() -> None:
    changed = PACK.with_section(Section("risks", "Riesgos", "Uno"))
    assert [s.intro for s in changed.sections] == ["Intro", "Uno"]
    with pytest.raises(KeyError):
        PACK.with_section(Section("nothing", ""))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(format=2),
        lambda d: d.pop("sections"),
        lambda d: d["sections"][0]["blocks"][0].update(kind="html"),
        lambda d: d["sections"][0]["blocks"][1]["spec"].update(kind="pie3d"),
        lambda d: d["sections"][0]["blocks"][1]["spec"].update(categories=["Jan"]),
        lambda d: d["sections"][0]["blocks"][2].update(headers=["A"]),
    ],
)
def test_what_is_no_pack_is_refused(spoil) -> None:  # type: ignore[no-untyped-def]
    data = json.loads(json.dumps(to_json(PACK)))
    spoil(data)
    with pytest.raises(BadContent):
        from_json(data)
