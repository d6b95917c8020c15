"""A backtest as lines of text, for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext

from scoring.bands import BAND_NAMES, Kind
from scoring.models import Backtest, Version

from .parameters import RECEIVED, THEN, Settled
from .words import (
    baseline_name,
    caveats,
    comparison_words,
    component_words,
    interval_words,
    outcome_words,
    verdict_title,
    verdict_words,
    weights_words,
)


def seen_later(version: Version, settled: Settled) -> bool:
    """Whether the version is younger than the first date, or not published at all."""
    return version.in_force_from is None or version.in_force_from > settled.dates[0]


def report_lines(backtest: Backtest) -> Iterator[str]:
    """The result from the verdict down to the caveats."""
    settled = Settled.from_dict(backtest.parameters)
    figures: dict[str, Any] = backtest.figures or {}
    version = backtest.version
    yield f"{version.model.key} version {version.number}: {verdict_title(figures)}"
    yield verdict_words(figures, settled)
    yield ""
    yield f"Question: {outcome_words(settled)}."
    yield (
        f"{figures['cases']} cases of {figures['accounts']} accounts on {len(settled.dates)} dates "
        f"({settled.dates[0]} to {settled.dates[-1]}), {figures['outcomes']} with the outcome "
        f"({interval_words(figures['base_rate'], 1, 100)}%). Events count from when they "
        f"{'were received' if settled.arrival == RECEIVED else 'happened'}; scales "
        f"{'drawn from what was known on the first date' if settled.scales == THEN else 'as published'}. "
        "Intervals are 95%, drawn by account."
    )
    yield ""
    yield f"AUC  {interval_words(figures['auc'], 3)}"
    for found in figures["baselines"]:
        yield f"     {baseline_name(found['name'])}: {interval_words(found['auc'], 3)}"
        yield f"     score minus this: {interval_words(found['difference'], 3)}: {comparison_words(found['verdict'])}"
    yield ""
    yield "Date        n      outcomes  AUC"
    for row in figures["dates"]:
        yield f"{row['on']}  {row['n']:<6} {row['outcomes']:<9} {interval_words(row['auc'], 3)}"
    yield ""
    kind: Kind = "pql" if version.model.kind == "pql" else "health"
    yield "Band       had the outcome, %            share of all outcomes, %       lift"
    for row in figures["bands"]:
        yield (
            f"{BAND_NAMES[kind][row['band']]:<10} {interval_words(row['precision'], 1, 100):<29} "
            f"{interval_words(row['recall'], 1, 100):<30} {interval_words(row['lift'], 2)}"
        )
    if lead := figures["lead_time"]:
        yield (
            f"Lead time: median {lead['value']:.0f} days ({lead['low']:.0f} to {lead['high']:.0f}) in the worst band before "
            f"the outcome, for {lead['n']} of {lead['of']} accounts with it."
        )
    yield ""
    yield "Component   weight  AUC alone"
    for row in figures["components"]:
        auc = interval_words(row["auc"], 3) if row["auc"] else f"n {row['n']}"
        yield f"{row['key']:<11} {row['weight']:<7g} {auc}: {component_words(row['verdict'])}"
    yield ""
    yield from _calibration_lines(figures["calibration"])
    yield from _weight_lines(figures["weights"])
    yield ""
    for text in caveats(settled, figures, seen_later=seen_later(version, settled)):
        yield f"* {text}"


def _calibration_lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"Calibration error, score taken at its word: {interval_words(found['raw'], 3)}"
    if later := found["later"]:
        yield (
            f"On later dates and other accounts: raw {interval_words(later['raw'], 3)}, calibrated "
            f"{interval_words(later['calibrated'], 3)}"
        )
    if curve := found["curve"]:
        yield f"Probability by score ({curve['method']}):"
        for level in found["levels"]:
            rate = interval_words(level["rate"], 1, 100)
            yield f"  score {level['from']:>5.1f} to {level['to']:>5.1f}: {100 * level['probability']:.1f}%; seen {rate}%"


def _weight_lines(found: dict[str, Any]) -> Iterator[str]:
    yield gettext("Weights: %(words)s") % {"words": weights_words(found)}
    if found["state"] in ("suggested", "worse"):
        yield f"  gain in AUC {interval_words(found['gain'], 3)}"
        for part in found["weights"]:
            kept = "" if part["fitted"] else " (kept: not known well enough)"
            yield f"  {part['key']:<11} {part['now']:g} -> {part['suggested']:g}{kept}"
