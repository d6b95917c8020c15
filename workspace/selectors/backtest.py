"""A backtest as its page shows it: the verdict first, then figures with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Job, Tenant
from scoring.backtest.parameters import Settled
from scoring.backtest.report import seen_later
from scoring.backtest.words import (
    baseline_name,
    caveats,
    chance_words,
    comparison_words,
    component_words,
    outcome_name,
    outcome_words,
    refusal_words,
    verdict_title,
    verdict_words,
    weights_words,
)
from scoring.models import Backtest, Component, ScoreModel, Version
from scoring.selectors.backtests import backtest as one_backtest
from scoring.selectors.backtests import backtest_of_version, backtests, chance_of
from scoring.services.backtests import definition_hash
from workspace import backtest_charts
from workspace.bands import band_of
from workspace.charts import Chart
from workspace.formatting import NO_VALUE, number, percent, short_date

SHOWN = 50
TONES = {"skill": "severity-good", "none": "is-due", "wrong": "severity-critical"}
ICONS = {"skill": "circle-check", "none": "help-circle", "wrong": "alert-triangle"}
COMPARED = {"better": "severity-good", "same": "soft", "worse": "severity-critical"}


@dataclass(frozen=True)
class Figure:
    """A figure with its interval and n, as it is read."""

    value: str
    interval: str
    n: str


@dataclass(frozen=True)
class Line:
    """A backtest in the list."""

    backtest: Backtest
    outcome: str
    dates: str
    verdict: str
    tone: str
    icon: str
    auc: Figure | None
    job: Job | None


@dataclass(frozen=True)
class Page:
    """Everything a finished backtest shows."""

    title: str
    words: str
    tone: str
    icon: str
    question: str
    auc: Figure
    base_rate: Figure
    critical: Figure
    lead: Figure | None
    lead_of: str
    cases: str
    accounts: str
    outcomes: str
    compared: list[dict[str, Any]]
    bands: list[dict[str, Any]]
    band_chart: Chart
    found_chart: Chart
    components: list[dict[str, Any]]
    warnings: list[str]
    dates: list[dict[str, Any]]
    raw_error: Figure
    later_error: Figure | None
    calibrated_error: Figure | None
    reliability: Chart | None
    levels: list[dict[str, Any]]
    method: str
    weights: list[dict[str, Any]]
    weights_words: str
    gain: Figure | None
    can_draft: bool
    caveats: list[str]
    edited: bool


def versions_to_test(tenant: Tenant) -> list[Version]:
    """Published versions first, then drafts, then retired ones."""
    order = {Version.State.PUBLISHED: 0, Version.State.DRAFT: 1, Version.State.RETIRED: 2}
    found = Version.objects.filter(tenant=tenant, model__kind=ScoreModel.Kind.HEALTH).select_related("model")
    return sorted(
        found.order_by("-number")[:200],
        key=lambda one: (
            order[Version.State(one.state)],
            not one.model.is_default,
            one.model.position,
            -one.number,
        ),
    )


def backtest_lines(tenant: Tenant) -> list[Line]:
    """The newest backtests, with the jobs of those that are not done."""
    found = list(backtests(tenant)[:SHOWN])
    jobs = {
        job.pk: job
        for job in Job.objects.filter(tenant=tenant, pk__in=[one.job_id for one in found if one.job_id])
    }
    return [_line(one, jobs.get(one.job_id or 0)) for one in found]


def _line(one: Backtest, job: Job | None) -> Line:
    settled = Settled.from_dict(one.parameters)
    figures = one.figures
    return Line(
        backtest=one,
        outcome=outcome_name(settled.outcome),
        dates=_span(settled),
        verdict=verdict_title(figures) if figures else state_words(one, job),
        tone=TONES[figures["verdict"]] if figures else "soft",
        icon=ICONS[figures["verdict"]] if figures else "clock",
        auc=shown(figures["auc"], 2) if figures else None,
        job=job,
    )


def _span(settled: Settled) -> str:
    first, last = settled.dates[0], settled.dates[-1]
    return short_date(first) if first == last else f"{short_date(first)} – {short_date(last)}"


def state_words(one: Backtest, job: Job | None) -> str:
    """Why there is no result (yet)."""
    if one.state == Backtest.State.REFUSED and one.refusal:
        return refusal_words(one.refusal["code"], one.refusal["values"])
    if job is not None and job.state == Job.State.FAILED:
        return _("It could not be finished: %(why)s") % {"why": job.message}
    return str(one.get_state_display())


def backtest_with_job(tenant: Tenant, pk: int) -> tuple[Backtest, Job | None] | None:
    """One backtest and its job, where the ledger still has it."""
    found = one_backtest(tenant, pk)
    if found is None:
        return None
    return found, Job.objects.filter(tenant=tenant, pk=found.job_id or 0).first()


def shown(figure: dict[str, Any], decimals: int, factor: float = 1.0, *, share: bool = False) -> Figure:
    """A kept figure in the reader's language."""
    write = percent if share else number
    factor = 100.0 if share else factor

    def text(value: float | None) -> str:
        return NO_VALUE if value is None else write(value * factor, decimals)

    low, high = figure["low"], figure["high"]
    interval = ""
    if low is not None and high is not None:
        interval = pgettext("interval", "%(low)s to %(high)s") % {"low": text(low), "high": text(high)}
    return Figure(text(figure["value"]), interval, number(figure["n"]))


def result_page(tenant: Tenant, one: Backtest) -> Page:
    """What a finished backtest says."""
    figures: dict[str, Any] = one.figures or {}
    settled = Settled.from_dict(one.parameters)
    bands = _bands(figures)
    calibration = figures["calibration"]
    later = calibration["later"]
    weights = figures["weights"]
    components = _components(tenant, one.version, figures)
    lead = figures["lead_time"]
    return Page(
        title=verdict_title(figures),
        words=verdict_words(figures, settled),
        tone=TONES[figures["verdict"]],
        icon=ICONS[figures["verdict"]],
        question=outcome_words(settled),
        auc=shown(figures["auc"], 3),
        base_rate=shown(figures["base_rate"], 1, share=True),
        critical=bands[0]["precision"],
        lead=shown(lead, 0) if lead else None,
        lead_of=number(lead["of"]) if lead else "",
        cases=number(figures["cases"]),
        accounts=number(figures["accounts"]),
        outcomes=number(figures["outcomes"]),
        compared=[
            {
                "name": baseline_name(row["name"]),
                "auc": shown(row["auc"], 3),
                "difference": shown(row["difference"], 3),
                "words": comparison_words(row["verdict"]),
                "tone": COMPARED[row["verdict"]],
            }
            for row in figures["baselines"]
        ],
        bands=bands,
        band_chart=_band_chart(figures, bands),
        found_chart=_found_chart(figures),
        components=components,
        warnings=[part["name"] for part in components if part["verdict"] == "wrong"],
        dates=[
            {
                "on": date.fromisoformat(row["on"]),
                "n": number(row["n"]),
                "outcomes": number(row["outcomes"]),
                "auc": shown(row["auc"], 3),
            }
            for row in figures["dates"]
        ],
        raw_error=shown(calibration["raw"], 3),
        later_error=shown(later["raw"], 3) if later else None,
        calibrated_error=shown(later["calibrated"], 3) if later else None,
        reliability=_reliability(later["bins"]) if later else None,
        levels=_levels(calibration),
        method=(calibration["curve"] or {}).get("method", ""),
        weights=[
            {
                **row,
                "name": next((part["name"] for part in components if part["key"] == row["key"]), row["name"]),
            }
            for row in weights.get("weights", [])
        ],
        weights_words=weights_words(weights),
        gain=shown(weights["gain"], 3) if "gain" in weights else None,
        can_draft=weights["state"] == "suggested",
        caveats=caveats(settled, figures, seen_later=seen_later(one.version, settled)),
        edited=definition_hash(one.version) != one.definition_hash,
    )


def _bands(figures: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "band": band_of(row["band"]),
            "n": number(row["n"]),
            "outcomes": number(row["outcomes"]),
            "precision": shown(row["precision"], 1, share=True),
            "recall": shown(row["recall"], 1, share=True),
            "lift": shown(row["lift"], 2),
        }
        for row in figures["bands"]
    ]


def _components(tenant: Tenant, version: Version, figures: dict[str, Any]) -> list[dict[str, Any]]:
    labels = {part.key: part.label for part in Component.objects.filter(tenant=tenant, version=version)}
    return [
        {
            "key": row["key"],
            "name": labels.get(row["key"], row["name"]),
            "weight": row["weight"],
            "n": number(row["n"]),
            "auc": shown(row["auc"], 3) if row["auc"] else None,
            "verdict": row["verdict"],
            "words": component_words(row["verdict"]),
            "tone": TONES.get(row["verdict"], "soft"),
            "icon": ICONS.get(row["verdict"], "minus"),
        }
        for row in figures["components"]
    ]


def _band_chart(figures: dict[str, Any], bands: list[dict[str, Any]]) -> Chart:
    rows = figures["bands"]
    kept = [
        None
        if row["precision"]["value"] is None
        else (
            100 * row["precision"]["value"],
            100 * (row["precision"]["low"] or 0.0),
            100
            * (row["precision"]["value"] if row["precision"]["high"] is None else row["precision"]["high"]),
        )
        for row in rows
    ]
    base = 100 * figures["base_rate"]["value"]
    axis = _("Had the outcome")
    return Chart(
        id="chart-backtest-bands",
        figure=backtest_charts.rates(
            [str(row["band"].word) for row in bands],
            [row["band"].key for row in bands],
            kept,
            base=base,
            base_text=_("all: %(share)s") % {"share": percent(base, 1)},
            axis=axis,
        ),
        summary=_("Share of cases with the outcome in each band, with 95% intervals."),
        columns=[_("Band"), axis, _("95% interval"), _("Cases")],
        rows=[
            [str(row["band"].word), row["precision"].value, row["precision"].interval, row["n"]]
            for row in bands
        ],
    )


def _found_chart(figures: dict[str, Any]) -> Chart:
    order = [key for key in ("score", "recency", "events") if key in figures["found"]]
    lines = {key: figures["found"][key] for key in order}
    names = {key: _("Score") if key == "score" else baseline_name(key) for key in order}
    steps = len(lines["score"]) - 1
    return Chart(
        id="chart-backtest-found",
        figure=backtest_charts.found(
            lines,
            names=names,
            x_axis=_("Accounts looked at, worst first"),
            y_axis=_("Outcomes found"),
        ),
        summary=_(
            "How many of the accounts with the outcome are found by looking at the worst accounts first."
        ),
        columns=[_("Accounts looked at"), *names.values()],
        rows=[
            [
                percent(100 * step / steps),
                *(percent(100 * (values[step] or 0.0)) for values in lines.values()),
            ]
            for step in range(2, steps + 1, 2)
        ],
    )


def _reliability(bins: list[dict[str, Any]]) -> Chart:
    return Chart(
        id="chart-backtest-reliability",
        figure=backtest_charts.reliability(bins, x_axis=_("Promised probability"), y_axis=_("Came true")),
        summary=_("Promised probability against what came true, on later dates and other accounts."),
        columns=[_("Promised probability"), _("Came true"), _("95% interval"), _("Cases")],
        rows=[
            [
                percent(100 * one["predicted"]),
                shown(one["observed"], 0, share=True).value,
                shown(one["observed"], 0, share=True).interval,
                number(one["observed"]["n"]),
            ]
            for one in bins
        ],
    )


def _levels(calibration: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "from": number(row["from"], 1),
            "to": number(row["to"], 1),
            "probability": percent(100 * row["probability"]),
            "rate": shown(row["rate"], 0, share=True),
            "outcomes": number(row["outcomes"]),
        }
        for row in (calibration.get("levels") or [])
    ]


@dataclass(frozen=True)
class ChanceLine:
    """How often accounts with such a score had the outcome, and the backtest that says so."""

    backtest_id: int
    words: str
    interval: str
    n: str


def chance_line(tenant: Tenant, version_id: int, score: float | None) -> ChanceLine | None:
    """The calibrated probability behind a score of a version, in words; None without a calibration. One query."""
    found = backtest_of_version(tenant, version_id)
    chance = chance_of(found, score)
    if found is None or chance is None:
        return None
    interval = ""
    if chance.low is not None and chance.high is not None:
        interval = pgettext("interval", "%(low)s to %(high)s") % {
            "low": percent(100 * chance.low),
            "high": percent(100 * chance.high),
        }
    words = chance_words(chance.outcome, chance.horizon_days, percent(100 * chance.probability))
    return ChanceLine(found.pk, words, interval, number(chance.n))
