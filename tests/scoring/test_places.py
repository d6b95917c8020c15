"""Where a fault is, in words."""

from __future__ import annotations

import pytest
from django.utils import translation

from scoring.places import fault_words, place_words

NAMES = {"usage": "Product usage", "sends": "Sends", "exceptions[0]": "Late payer"}
PLACES = [
    ("", ""),
    ("weights", ""),
    ("components", ""),
    ("usage", "Product usage"),
    ("usage.weight", "Product usage, weight"),
    ("usage.sends", "Product usage, Sends"),
    ("usage.sends.points[1][0]", "Product usage, Sends, pair 2"),
    ("usage.sends.points", "Product usage, Sends, points"),
    ("usage.sends.zero_at", "Product usage, Sends, zero_at"),
    ("exceptions[0].metric", "exception 1 (Late payer), metric"),
    ("exceptions[1].cap", "exception 2, highest score"),
    ("components[0].measures[1].window_days", "component 1, measure 2, days of the window"),
    (
        "components[0].measures[2].scale.by_tenure[1].points[1][0]",
        "component 1, measure 3, scale, stage 2, pair 2",
    ),
    ("hysteresis.points", "when a band changes, points"),
    ("exceptions", "exceptions"),
]


@pytest.mark.parametrize(("path", "words"), PLACES)
def test_a_path_is_said_in_words(path: str, words: str) -> None:
    assert place_words(path, NAMES) == words


def test_a_file_keeps_its_own_words() -> None:
    path = "components[0].measures[1].window_days"
    assert place_words(path, as_written=True) == "component 1, measure 2, “window_days”"
    assert place_words("usage.gone_metric", as_written=True) == "“usage”, “gone_metric”"


def test_a_fault_is_a_sentence_with_its_place() -> None:
    assert fault_words("weights", "They are missing.") == "They are missing."
    assert fault_words("exceptions[0].metric", "No.", NAMES) == "Exception 1 (Late payer), metric: No."
    with translation.override("es"):
        assert fault_words("exceptions[0].metric", "No.") == "Excepción 1, métrica: No."
