"""The story that the numbers tell, in sentences for the executive summary; the CSM edits them. Pure.

A rise is only called one when the numbers that the reader sees differ and the change is not noise-small; a share names how
much it was measured on where that is little. Every sentence exists in English and Spanish; the Spanish ones have no verb or
adjective that would have to agree with a label, of which nobody knows gender and number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qbr.numbers import money, number, percent, value_text

FLAT_PCT = 2.0  # per cent of change that is still called holding
SMALL_N = 100  # a share measured on fewer names its n
MOST_MOVEMENTS = 3
Direction = Literal["rose", "fell", "held", "new"]

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "rose": "{label} rose by {change} to {now} (from {before}){n}.",
        "fell": "{label} fell by {change} to {now} (from {before}){n}.",
        "held": "{label} held at {now}{n}.",
        "new": "{label}: {now}{n}. There is nothing earlier to compare it with.",
        "points": "{figure} points",
        "n": ", measured on {n}",
        "roi": "Documented value in the period: {amount}.",
        "roi_many": "Documented value in the period: {amount}, from {count} entries of the register.",
        "no_roi": "No value has been documented for the period yet.",
        "won": "“{winner}” won on {metric}: {uplift} better than “{rival}”, measured on {n} trials.",
        "undecided": "No winner yet on {metric}: {n} trials so far do not tell the variants apart.",
        "tickets": "Support tickets: {opened} opened, {resolved} resolved, {open} open now.",
        "no_tickets": "No support ticket was opened in the period, and none is open.",
        "risk": "One risk needs attention: {title}.",
        "risks": "{count} risks need attention, first of all: {title}.",
        "actions": "{done} of {all} actions from the last review are done.",
        "proposal": "Proposed next step: {title}.",
        "nothing": "There is no usage data for this period yet.",
    },
    "es": {
        "rose": "{label}: {change} más, hasta {now} (antes {before}){n}.",
        "fell": "{label}: {change} menos, hasta {now} (antes {before}){n}.",
        "held": "{label}: sin cambios, en {now}{n}.",
        "new": "{label}: {now}{n}. No hay un periodo anterior con el que comparar.",
        "points": "{figure} puntos",
        "n": ", medido sobre {n}",
        "roi": "Valor documentado en el periodo: {amount}.",
        "roi_many": "Valor documentado en el periodo: {amount}, de {count} entradas del registro.",
        "no_roi": "Todavía no se ha documentado valor en el periodo.",
        "won": "“{winner}” ganó en {metric}: {uplift} mejor que “{rival}”, medido sobre {n} intentos.",
        "undecided": "Todavía sin ganadora en {metric}: {n} intentos no bastan para distinguir las variantes.",
        "tickets": "Tickets de soporte: abiertos {opened}, resueltos {resolved}, sin resolver {open}.",
        "no_tickets": "No se abrió ningún ticket en el periodo y no queda ninguno abierto.",
        "risk": "Un riesgo requiere atención: {title}.",
        "risks": "{count} riesgos requieren atención; el primero: {title}.",
        "actions": "Hechas {done} de {all} acciones de la última revisión.",
        "proposal": "Siguiente paso propuesto: {title}.",
        "nothing": "Todavía no hay datos de uso de este periodo.",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Movement:
    """A number of the period and the same of as many days before; `n` is what a share was measured on."""

    label: str
    now: float
    before: float | None
    unit: str = ""
    currency: str = ""
    n: int | None = None


@dataclass(frozen=True)
class Trial:
    """A test of variants: its winner, or none yet."""

    metric: str
    trials: int
    winner: str = ""
    rival: str = ""
    uplift_pct: float | None = None


@dataclass(frozen=True)
class Story:
    """Everything that may be said; the most important movements come first."""

    movements: tuple[Movement, ...] = ()
    roi_cents: int | None = None
    roi_currency: str = ""
    roi_entries: int = 0
    tests: tuple[Trial, ...] = ()
    tickets: tuple[int, int, int] | None = None  # opened, resolved, open; None: no ticket system is connected
    severe_risks: tuple[str, ...] = ()
    actions: tuple[int, int] | None = None  # done, all
    proposal: str = ""


def direction(movement: Movement, language: str) -> Direction:
    """Whether the number rose or fell, as far as the reader can see it."""
    if movement.before is None:
        return "new"
    now, before = (_shown(movement, value, language) for value in (movement.now, movement.before))
    if now == before:
        return "held"
    base = abs(movement.before)
    if base and abs(movement.now - movement.before) / base * 100 < FLAT_PCT:
        return "held"
    return "rose" if movement.now > movement.before else "fell"


def _shown(movement: Movement, value: float, language: str) -> str:
    return value_text(value, movement.unit, movement.currency, language)


def _change(movement: Movement, before: float, language: str) -> str:
    """How much: points of a share, per cent of what had been something, else the amount itself."""
    difference = abs(movement.now - before)
    if movement.unit in ("ratio", "%"):
        points = difference * 100 if movement.unit == "ratio" else difference
        return _WORDS[language]["points"].format(figure=number(points, language, 1))
    if before:
        share = difference / abs(before) * 100
        return percent(share, language, 0 if share >= 1 else 1)
    return _shown(movement, difference, language)


def movement_sentence(movement: Movement, language: str) -> str:
    """One number, and how it moved."""
    words = _WORDS[language]
    how = direction(movement, language)
    small = movement.n is not None and movement.n < SMALL_N
    n = words["n"].format(n=number(movement.n, language)) if small else ""
    return words[how].format(
        label=movement.label,
        now=_shown(movement, movement.now, language),
        before="" if movement.before is None else _shown(movement, movement.before, language),
        change="" if movement.before is None else _change(movement, movement.before, language),
        n=n,
    )


def headlines(story: Story, language: str) -> list[str]:
    """The sentences of the summary, most important first."""
    words = _WORDS[language]
    said: list[str] = []
    if story.roi_cents is not None:
        amount = money(story.roi_cents, story.roi_currency, language)
        key = "roi_many" if story.roi_entries > 1 else "roi"
        said.append(words[key].format(amount=amount, count=number(story.roi_entries, language)))
    said += [movement_sentence(one, language) for one in story.movements[:MOST_MOVEMENTS]]
    if not story.movements:
        said.append(words["nothing"])
    said += [_test_sentence(test, language) for test in story.tests]
    if story.tickets is not None:
        said.append(_tickets(story.tickets, language))
    if story.severe_risks:
        key = "risk" if len(story.severe_risks) == 1 else "risks"
        said.append(words[key].format(count=len(story.severe_risks), title=story.severe_risks[0]))
    if story.actions is not None and story.actions[1]:
        said.append(words["actions"].format(done=story.actions[0], all=story.actions[1]))
    if story.roi_cents is None:
        said.append(words["no_roi"])
    if story.proposal:
        said.append(words["proposal"].format(title=story.proposal))
    return said


def _test_sentence(test: Trial, language: str) -> str:
    words = _WORDS[language]
    if test.winner and test.uplift_pct is not None:
        return words["won"].format(
            winner=test.winner,
            rival=test.rival,
            metric=test.metric,
            uplift=percent(test.uplift_pct, language, 0 if test.uplift_pct >= 1 else 1),
            n=number(test.trials, language),
        )
    return words["undecided"].format(metric=test.metric, n=number(test.trials, language))


def _tickets(tickets: tuple[int, int, int], language: str) -> str:
    opened, resolved, still = tickets
    words = _WORDS[language]
    if not opened and not still:
        return words["no_tickets"]
    return words["tickets"].format(
        opened=number(opened, language), resolved=number(resolved, language), open=number(still, language)
    )


def summary(story: Story, language: str) -> str:
    """The suggested executive summary in Markdown: one point for each headline."""
    return "\n".join(f"- {sentence}" for sentence in headlines(story, language))
