"""The storyline: never a rise that is none, n where it is small, both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbr.numbers import money, number, percent, signed, value_text
from qbr.storyline import SMALL_N, Movement, Story, Trial, direction, headlines, movement_sentence, summary

LANGUAGES = st.sampled_from(["en", "es"])
AMOUNTS = st.floats(0, 1e9, allow_nan=False)
MOVEMENTS = st.builds(
    Movement,
    label=st.just("Sends"),
    now=AMOUNTS,
    before=st.none() | AMOUNTS,
    unit=st.sampled_from(["", "ratio", "cents", "h"]),
    currency=st.just("EUR"),
    n=st.none() | st.integers(0, 10_000),
)
ROSE, FELL = ("rose", " más,"), ("fell", " menos,")


@given(MOVEMENTS, LANGUAGES)
def test_a_rise_is_never_claimed_where_there_is_none(movement: Movement, language: str) -> None:
    sentence = movement_sentence(movement, language)
    shown = [
        value_text(value, movement.unit, movement.currency, language)
        for value in (movement.now, movement.before)
    ]
    rose, fell = (any(word in sentence for word in words) for words in (ROSE, FELL))
    assert not (rose and fell)
    if rose:
        assert movement.before is not None and movement.now > movement.before and shown[0] != shown[1]
    if fell:
        assert movement.before is not None and movement.now < movement.before and shown[0] != shown[1]
    assert shown[0] in sentence and sentence.endswith(".") and "{" not in sentence


@given(MOVEMENTS, LANGUAGES)
def test_a_small_n_is_always_named(movement: Movement, language: str) -> None:
    named = ("measured on" if language == "en" else "medido sobre") in movement_sentence(movement, language)
    assert named == (movement.n is not None and movement.n < SMALL_N)


@given(MOVEMENTS)
def test_both_languages_tell_the_same(movement: Movement) -> None:
    assert direction(movement, "en") == direction(movement, "es")


STORY = Story(
    movements=(
        Movement("Sends", 620, 553),
        Movement("Reply rate", 0.224, 0.203, "ratio", n=40),
        Movement("Active users", 12, 12),
        Movement("Demos", 1, 2),
    ),
    roi_cents=1_234_500,
    roi_currency="EUR",
    roi_entries=2,
    tests=(Trial("Reply rate", 1240, "B", "A", 18.2), Trial("Demo rate", 60)),
    tickets=(4, 3, 1),
    severe_risks=("Renewal", "Champion leaves"),
    actions=(2, 3),
    proposal="10 more seats",
)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            [
                "Documented value in the period: €12,345, from 2 entries of the register.",
                "Sends rose by 12% to 620 (from 553).",
                "Reply rate rose by 2.1 points to 22.4% (from 20.3%), measured on 40.",
                "Active users held at 12.",
                "“B” won on Reply rate: 18% better than “A”, measured on 1,240 trials.",
                "No winner yet on Demo rate: 60 trials so far do not tell the variants apart.",
                "Support tickets: 4 opened, 3 resolved, 1 open now.",
                "2 risks need attention, first of all: Renewal.",
                "2 of 3 actions from the last review are done.",
                "Proposed next step: 10 more seats.",
            ],
        ),
        (
            "es",
            [
                "Valor documentado en el periodo: 12.345\xa0€, de 2 entradas del registro.",
                "Sends: 12\xa0% más, hasta 620 (antes 553).",
                "Reply rate: 2,1 puntos más, hasta 22,4\xa0% (antes 20,3\xa0%), medido sobre 40.",
                "Active users: sin cambios, en 12.",
                "“B” ganó en Reply rate: 18\xa0% mejor que “A”, medido sobre 1.240 intentos.",
                "Todavía sin ganadora en Demo rate: 60 intentos no bastan para distinguir las variantes.",
                "Tickets de soporte: abiertos 4, resueltos 3, sin resolver 1.",
                "2 riesgos requieren atención; el primero: Renewal.",
                "Hechas 2 de 3 acciones de la última revisión.",
                "Siguiente paso propuesto: 10 more seats.",
            ],
        ),
    ],
)
def test_the_whole_story(language: str, expected: list[str]) -> None:
    assert headlines(STORY, language) == expected
    assert summary(STORY, language).count("\n- ") == len(expected) - 1


def test_an_empty_story_says_that_there_is_nothing() -> None:
    assert headlines(Story(), "en") == [
        "There is no usage data for this period yet.",
        "No value has been documented for the period yet.",
    ]
    assert headlines(Story(tickets=(0, 0, 0)), "es")[1].startswith("No se abrió ningún ticket")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(1234567.891, "en"), "1,234,567.9"),
        (number(1234567.891, "es", 2), "1.234.567,89"),
        (number(-0.001, "en", 0), "0"),
        (number(-3, "en"), "\N{MINUS SIGN}3"),
        (percent(12.5, "es", 1), "12,5\xa0%"),
        (money(-123_456, "USD", "en"), "\N{MINUS SIGN}$1,235"),
        (money(5_000, "CHF", "en"), "CHF\xa050"),
        (value_text(0.225, "ratio", "", "en"), "22.5%"),
        (value_text(None, "h", "", "en"), "–"),
        (value_text(4.25, "h", "", "es"), "4,25\xa0h"),
        (signed(3.0, "%", "", "en"), "+3%"),
        (signed(0.0, "%", "", "en"), "0%"),
        (signed(None, "%", "", "en"), ""),
    ],
)
def test_numbers(text: str, expected: str) -> None:
    assert text == expected
