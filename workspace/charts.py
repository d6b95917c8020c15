"""Data → plain plotly dictionaries. Pure.

Looks come from static/js/charts.js, which gives each `meta.tone` and `name` its colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

Figure = dict[str, Any]
BIN_WIDTH = 5
BINS = 20
SHARE_TARGET = 70  # percent of accounts that should be healthy


@dataclass(frozen=True)
class Chart:
    """A chart with what a screen reader is told and the same data as a table."""

    id: str
    figure: Figure
    summary: str
    columns: list[str]
    rows: list[list[str]]
    links: Sequence[str] = ()  # where the rows lead, as the points do that a mouse can press


@dataclass(frozen=True)
class Span:
    """Some days, the last one included, on which something else was shown; `level` is the score that was."""

    first: date
    last: date
    text: str
    level: float | None = None


@dataclass(frozen=True)
class Mark:
    """A thin vertical line with a word: a version of the model came into force."""

    on: date
    text: str


def _band_shades(healthy_above: float, critical_below: float, *, vertical: bool) -> list[Figure]:
    """The three bands as shades behind the data: side by side (`vertical`) or one above the other."""
    edges = (
        ("critical-soft", 0, critical_below),
        ("at_risk-soft", critical_below, healthy_above),
        ("healthy-soft", healthy_above, 100),
    )
    along, across = ("x", "y") if vertical else ("y", "x")
    return [
        {
            "type": "rect",
            "name": name,
            f"{along}0": low,
            f"{along}1": high,
            f"{across}0": 0,
            f"{across}1": 1,
            f"{across}ref": "paper",
            f"{along}ref": along,
            "layer": "below",
        }
        for name, low, high in edges
    ]


def marks_of(marks: Sequence[Mark]) -> tuple[list[Figure], list[Figure]]:
    """Lines and words of the marks."""
    lines = [
        {
            "type": "line",
            "name": "target",
            "x0": mark.on.isoformat(),
            "x1": mark.on.isoformat(),
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"width": 1, "dash": "dot"},
        }
        for mark in marks
    ]
    words = [
        {
            "x": mark.on.isoformat(),
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "xanchor": "right",
            "text": mark.text,
            "showarrow": False,
        }
        for mark in marks
    ]
    return lines, words


def _span(span: Span) -> tuple[Figure, Figure]:
    """A bar at the foot of the chart, or a line at the score that was said, with its words."""
    height: Figure = (
        {"y0": 0.02, "y1": 0.02, "yref": "paper"}
        if span.level is None
        else {"y0": span.level, "y1": span.level}
    )
    first, last = span.first.isoformat(), span.last.isoformat()
    line = {"type": "line", "name": "ink", "x0": first, "x1": last, **height, "line": {"width": 3}}
    word = {
        "x": first,
        "y": height["y0"],
        "yref": height.get("yref", "y"),
        "yanchor": "bottom",
        "xanchor": "left",
        "text": span.text,
        "name": "ink",
        "showarrow": False,
    }
    return line, word


def band_of_bin(index: int, healthy_above: float, critical_below: float) -> str:
    """The band that most of a bin lies in."""
    middle = (index + 0.5) * BIN_WIDTH
    return "healthy" if middle > healthy_above else "critical" if middle < critical_below else "at_risk"


def bin_label(index: int) -> str:
    """The scores of a bin, as 80–85."""
    return f"{index * BIN_WIDTH}–{(index + 1) * BIN_WIDTH}"


def distribution(
    values: Sequence[float],
    *,
    healthy_above: float,
    critical_below: float,
    links: Sequence[str],
    axis: str,
    score_axis: str,
    hover: str,
) -> Figure:
    """Histogram of scores in bins of five over the shaded bands; each bar leads to its accounts."""
    tones = [band_of_bin(i, healthy_above, critical_below) for i in range(BINS)]
    words = [
        {"x": edge, "y": 1, "yref": "paper", "yanchor": "bottom", "text": f"{edge:g}", "showarrow": False}
        for edge in (critical_below, healthy_above)
    ]
    return {
        "data": [
            {
                "type": "bar",
                "x": [(i + 0.5) * BIN_WIDTH for i in range(BINS)],
                "y": list(values),
                "width": [BIN_WIDTH - 0.6] * BINS,
                "customdata": list(links),
                "text": [bin_label(i) for i in range(BINS)],
                "textposition": "none",
                "hovertemplate": f"%{{text}}: %{{y:,}} {hover}<extra></extra>",
                "meta": {"tone": tones},
            }
        ],
        "layout": {
            "shapes": _band_shades(healthy_above, critical_below, vertical=True),
            "annotations": words,
            "showlegend": False,
            "xaxis": {"range": [0, 100], "tick0": 0, "dtick": 10, "title": {"text": score_axis}},
            "yaxis": {"rangemode": "tozero", "title": {"text": axis}},
            "margin": {"t": 22},
        },
    }


def target_line(value: float, text: str, *, over_fills: bool = False) -> tuple[Figure, Figure]:
    """The line of a target as a shape, and its name in the legend: words at the line would lie on the data."""
    shape = {
        "type": "line",
        "name": "onfill" if over_fills else "ink",
        "x0": 0,
        "x1": 1,
        "xref": "paper",
        "y0": value,
        "y1": value,
        "line": {"width": 1.5, "dash": "dash"},
    }
    named = {
        "type": "scatter",
        "mode": "lines",
        "x": [None],
        "y": [None],
        "name": text,
        "line": {"width": 1.5, "dash": "dash"},
        "hoverinfo": "skip",
        "meta": {"tone": "ink"},
    }
    return shape, named


def trend(
    days: Sequence[date],
    shares: Mapping[str, Sequence[float | None]],
    *,
    names: dict[str, str],
    marks: Sequence[Mark],
    target: str,
    axis: str,
) -> Figure:
    """Share per band by week, stacked to 100 %, with the line of the target and the marks of versions."""
    x = [day.isoformat() for day in days]
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "stackgroup": "bands",
            "x": x,
            "y": list(shares[band]),
            "name": names[band],
            "hovertemplate": f"%{{x|%d %b}}: %{{y:.0f}}% {names[band]}<extra></extra>",
            "meta": {"tone": band},
        }
        for band in ("healthy", "at_risk", "critical")
    ]
    lines, words = marks_of(marks)
    goal, named = target_line(SHARE_TARGET, target, over_fills=True)
    return {
        "data": [*traces, named],
        "layout": {
            "shapes": [goal, *lines],
            "annotations": words,
            "hovermode": "x unified",
            "xaxis": {"type": "date"},
            "yaxis": {"range": [0, 100], "ticksuffix": "%", "title": {"text": axis}},
            "margin": {"t": 24},
        },
    }


def mean_line(
    days: Sequence[date], means: Sequence[float | None], *, marks: Sequence[Mark], axis: str
) -> Figure:
    """The mean score by week."""
    lines, words = marks_of(marks)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [d.isoformat() for d in days],
                "y": list(means),
                "hovertemplate": "%{x|%d %b}: %{y:.1f}<extra></extra>",
                "meta": {"tone": "brand"},
            }
        ],
        "layout": {
            "shapes": lines,
            "annotations": words,
            "showlegend": False,
            "xaxis": {"type": "date"},
            "yaxis": {"range": [0, 100], "title": {"text": axis}},
            "margin": {"t": 18},
        },
    }


def history(
    days: Sequence[date],
    scores: Sequence[float | None],
    *,
    healthy_above: float,
    critical_below: float,
    marks: Sequence[Mark],
    axis: str,
    spans: Sequence[Span] = (),
) -> Figure:
    """One account's score by day over the shaded bands; a gap where nothing was known, a line where it was overridden."""
    lines, words = marks_of(marks)
    for span in spans:
        line, word = _span(span)
        lines.append(line)
        words.append(word)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [d.isoformat() for d in days],
                "y": list(scores),
                "connectgaps": False,
                "line": {"shape": "linear"},
                "hovertemplate": "%{x|%d %b %Y}: %{y:.1f}<extra></extra>",
                "meta": {"tone": "brand"},
            }
        ],
        "layout": {
            "shapes": [*_band_shades(healthy_above, critical_below, vertical=False), *lines],
            "annotations": words,
            "showlegend": False,
            "xaxis": {"type": "date"},
            "yaxis": {"range": [0, 100], "dtick": 20, "title": {"text": axis}},
            "margin": {"t": 20},
        },
    }


def weekly_bars(
    weeks: Sequence[date],
    values: Sequence[float | None],
    *,
    target: float | None,
    target_text: str,
    axis: str,
    unfinished: int = 0,
) -> Figure:
    """A metric week by week with the account's target as a line; weeks that have not ended are paler."""
    tones = ["brand"] * (len(values) - unfinished) + ["soft"] * unfinished
    figure: Figure = {
        "data": [
            {
                "type": "bar",
                "x": [w.isoformat() for w in weeks],
                "y": list(values),
                "meta": {"tone": tones},
                "showlegend": False,
                "hovertemplate": "%{x|%d %b}: %{y:,.4~g}<extra></extra>",
            }
        ],
        "layout": {
            "showlegend": False,
            "shapes": [],
            "annotations": [],
            "xaxis": {"type": "date"},
            "yaxis": {"rangemode": "tozero", "title": {"text": axis}},
        },
    }
    if target is not None:
        shape, named = target_line(target, target_text)
        figure["data"].append(named)
        figure["layout"] |= {"showlegend": True, "shapes": [shape], "margin": {"t": 30}}
    return figure


def weekly_line(
    weeks: Sequence[date], values: Sequence[float | None], *, axis: str, percent: bool = False
) -> Figure:
    """A rate or a state week by week."""
    axis_layout: Figure = {"rangemode": "tozero", "title": {"text": axis}}
    if percent:
        axis_layout |= {"ticksuffix": "%"}
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [w.isoformat() for w in weeks],
                "y": list(values),
                "connectgaps": False,
                "hovertemplate": "%{x|%d %b}: %{y:,.4~g}<extra></extra>",
                "meta": {"tone": "brand"},
            }
        ],
        "layout": {"showlegend": False, "xaxis": {"type": "date"}, "yaxis": axis_layout},
    }
