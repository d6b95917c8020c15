"""A pack with one of everything, as figures and sections make it; no database."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from outreach.documents.brand import Brand
from outreach.documents.spec import ChartSpec
from qbr.content import Bullets, Chart, Kpi, Kpis, PackContent, Section, Table, Text
from qbr.rendering.printing import Fact, Print
from qbr.rendering.words import words_of
from tests.outreach.pictures import picture

LONG = (
    "A long sentence that goes on and on because somebody pasted half of an e-mail into it, with names, "
    "numbers like 1,234.56 and a few more words than anybody reads"
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun")
ES = {
    "Business review": "Revisión de negocio",
    "Key figures": "Indicadores",
    "Tests": "Pruebas A/B",
    "What is in the way": "Bloqueos",
    "Return": "Retorno",
    "Risks": "Riesgos",
    "Next quarter": "Próximo trimestre",
    "Proposal": "Propuesta de expansión",
    "Actions": "Acciones",
    "Active users": "Usuarios activos",
    "Sends a week": "Envíos por semana",
    "Return in euros": "Retorno en euros",
    "Health score": "Puntuación de salud",
}


def said(text: str, language: str) -> str:
    """The text in the language of the sample."""
    return ES.get(text, text) if language == "es" else text


def sample(language: str = "en") -> PackContent:
    """Every kind of block, an empty section, a hidden one, texts that are too long."""

    def t(text: str) -> str:
        return said(text, language)

    line = ChartSpec(
        "line",
        t("Sends a week"),
        t("Sends a week"),
        MONTHS,
        ((t("Sends a week"), (40.0, 55.0, None, 61.0, 72.0, 80.0)),),
        60.0,
    )
    bars = ChartSpec(
        "bar",
        t("Return in euros"),
        "EUR",
        MONTHS,
        ((t("Return in euros"), (0.0, 1200.0, 1800.0, 2500.0, 2400.0, 4100.0)),),
    )
    donut = ChartSpec(
        "donut",
        t("Active users"),
        "",
        ("Sales", "Marketing", "L&D"),
        ((t("Active users"), (42.0, 17.0, 3.0)),),
    )
    stacked = ChartSpec(
        "stacked",
        "Tickets",
        "",
        ("Q1", "Q2", "Q3"),
        (("Opened", (3.0, 5.0, 2.0)), ("Resolved", (2.0, 5.0, 4.0))),
    )
    nothing = ChartSpec("line", "CSAT", "", MONTHS, (("CSAT", (None,) * 6),))
    kpis = Kpis(
        (
            Kpi(t("Active users"), "62", change_text="+8 (15 %)", figure_id=101),
            Kpi(t("Sends a week"), "80", "/ 60", "+11 %", 102),
            Kpi(t("Return in euros"), "12.000 €" if language == "es" else "€12,000", figure_id=103),
            Kpi(t("Health score"), "83.5", change_text="+4.5", figure_id=104),
            Kpi("NPS", "–"),
        )
    )
    return PackContent(
        title=t("Business review"),
        account_name="Globex & Sons S.A.",
        period_label="01/04/2026 – 30/06/2026",
        language=language,
        summary_md=f"**{t('Active users')} 62**, {LONG}.\n\n- {LONG}\n- [Globex](https://globex.example/a)",
        sections=(
            Section(
                "kpis",
                t("Key figures"),
                "",
                (kpis, Chart(line, (102, 105), f"{t('Sends a week')}: 40 → 80"), Chart(nothing)),
            ),
            Section(
                "experiments",
                t("Tests"),
                LONG,
                (
                    Table(
                        ("Test", "n", "Winner", "Uplift"),
                        (("Hook A/B", "1,240", "Hook B", "+12.5 %"), ("CTA", "80", "–", "–")),
                        (106,),
                    ),
                ),
            ),
            Section(
                "blockers",
                t("What is in the way"),
                "",
                (Bullets((LONG, "Short", LONG), (107,)), Chart(stacked, (108,))),
            ),
            Section(
                "roi",
                t("Return"),
                "",
                (
                    Chart(bars, (103, 109), f"{t('Return')}: 12.000 EUR"),
                    Text(f"**{t('Return')}** {LONG}", (103,)),
                ),
            ),
            Section(
                "risks",
                t("Risks"),
                empty_reason="No open risks are registered."
                if language == "en"
                else "No hay riesgos abiertos registrados.",
            ),
            Section(
                "roadmap",
                t("Next quarter"),
                "",
                (
                    Table(
                        ("Item", "State"),
                        tuple((f"Item {n}: {LONG[: 20 + n * 5]}", "Planned") for n in range(24)),
                    ),
                ),
            ),
            Section("cases", "Hidden", "secret", hidden=True),
            Section("proposal", t("Proposal"), "", (Chart(donut, (110,)), Text("Course → Marketing"))),
            Section("actions", t("Actions"), empty_reason=""),
        ),
    )


def facts(content: PackContent) -> dict[int, Fact]:
    """A fact for each figure."""
    return {
        pk: Fact(
            title=f"Sends: A metric over a period {pk}",
            query="metric_total v1",
            period="2026-04-01 – 2026-06-30",
            as_of="2026-07-01 02:10 CEST",
            value=f"{pk * 7}",
            rows=91,
            hash=hashlib.sha256(str(pk).encode()).hexdigest(),
        )
        for pk in content.figure_ids
    }


def print_of(content: PackContent, **brand: Any) -> Print:
    """The pack, about to be shown, in a look of its own."""
    look = Brand("Acme Customer Care", picture(300, 80), "#7a1fa2", "Calle Mayor 1, Madrid")
    return Print(content, facts(content), words_of(content.language), replace(look, **brand))
