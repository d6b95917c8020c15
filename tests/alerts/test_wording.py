"""Evidence in a sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import translation

from alerts.wording import evidence_sentence

USAGE = {
    "below": 0.5,
    "weeks": ["2026-03-01", "2026-03-08"],
    "metrics": [{"metric": "sends", "target": 1500, "values": [30, 10.5]}],
}
RATE = {"metric": "reply_rate", "rate": 0.1, "baseline": 0.2056, "baseline_weeks": 4}
TOO_LITTLE = {"metric": "dashboards_active", "value": 0, "minimum": 1}
TICKET = {"ticket": "T-1", "title": "", "hours": 72.5, "limit": 72}
HEALTH = {"from_score": 79, "score": 64.26, "since": "2026-03-01", "weakest": "adoption", "lost": 12.5}


@pytest.mark.parametrize(
    ("kind", "evidence", "english", "spanish"),
    [
        (
            "usage_under_target",
            USAGE,
            "Under 50% of the target for 2 complete weeks. Sends: 30, 10.5 of a target of 1,500 a week.",
            "Por debajo del 50\N{NO-BREAK SPACE}% de la meta durante 2 semanas completas. "
            "Sends: 30, 10,5 de una meta de 1.500 por semana.",
        ),
        (
            "rate_falling",
            RATE,
            "reply_rate was 10% in the last complete week, 20.6% in the 4 weeks before.",
            "reply_rate fue del 10\N{NO-BREAK SPACE}% en la última semana completa "
            "y del 20,6\N{NO-BREAK SPACE}% en las 4 semanas anteriores.",
        ),
        (
            "metric_at_zero",
            TOO_LITTLE,
            "dashboards_active is 0; at least 1 is expected.",
            "dashboards_active es 0; se espera al menos 1.",
        ),
        (
            "ticket_unresolved",
            TICKET,
            "Ticket T-1 has waited 72.5 hours; the limit is 72.",
            "El ticket T-1 lleva 72,5 horas esperando; el límite es 72.",
        ),
        (
            "health_dropped",
            HEALTH,
            "Health went from 79 to 64.3 since Mar 1, 2026. Most points are lost in adoption (12.5).",
            "La salud pasó de 79 a 64,3 desde el 1 de marzo de 2026. Donde más puntos se pierden es en adoption (12,5).",
        ),
    ],
)
def test_every_kind_says_why_in_both_languages(
    kind: str, evidence: dict[str, Any], english: str, spanish: str
) -> None:
    with translation.override("en"):
        assert evidence_sentence(kind, evidence, {"sends": "Sends"}) == english
    with translation.override("es"):
        said = evidence_sentence(kind, evidence, {"sends": "Sends"})
        assert re.sub(r"(?<=\d)\N{NO-BREAK SPACE}(?=\d)", ".", said) == spanish


def test_a_drop_without_known_components_names_none() -> None:
    evidence = {key: value for key, value in HEALTH.items() if key not in ("weakest", "lost")}
    assert evidence_sentence("health_dropped", evidence) == "Health went from 79 to 64.3 since Mar 1, 2026."
