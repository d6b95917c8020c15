"""Charts of conversion and thresholds: data → plain plotly dictionaries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from workspace.charts import BIN_WIDTH, Figure, bin_label

TONES = {3: "healthy", 2: "at_risk", 1: "unknown"}


@dataclass(frozen=True)
class Line:
    """The months of one band: share in percent and its interval, None where there is nothing."""

    band: int
    name: str
    shares: Sequence[float | None]
    lows: Sequence[float | None]
    highs: Sequence[float | None]
    counts: Sequence[str]


def conversion_lines(months: Sequence[date], lines: Sequence[Line], *, axis: str) -> Figure:
    """Share that converted, a line for each band, with its interval as bars up and down."""
    x = [month.isoformat() for month in months]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": x,
                "y": list(line.shares),
                "name": line.name,
                "text": list(line.counts),
                "connectgaps": False,
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [_gap(h, s) for h, s in zip(line.highs, line.shares, strict=True)],
                    "arrayminus": [_gap(s, w) for w, s in zip(line.lows, line.shares, strict=True)],
                    "thickness": 1,
                    "width": 3,
                },
                "hovertemplate": f"%{{x|%b %Y}}: %{{y:.0f}}% {line.name} (%{{text}})<extra></extra>",
                "meta": {"tone": TONES[line.band]},
            }
            for line in lines
        ],
        "layout": {
            "xaxis": {"type": "date", "tickformat": "%b %Y", "dtick": "M1"},
            "yaxis": {"range": [0, 104], "dtick": 25, "ticksuffix": "%", "title": {"text": axis}},
            "margin": {"t": 28},
        },
    }


def _gap(upper: float | None, lower: float | None) -> float:
    return 0.0 if upper is None or lower is None else upper - lower


def threshold_bars(
    histogram: Sequence[int], *, high_above: float, low_below: float, score_axis: str, axis: str, hover: str
) -> Figure:
    """Today's accounts by score over the three bands, the thresholds labelled."""

    def tone(index: int) -> str:
        middle = (index + 0.5) * BIN_WIDTH
        return "healthy" if middle > high_above else "unknown" if middle < low_below else "at_risk"

    edges = [
        {
            "type": "line",
            "name": "target",
            "x0": at,
            "x1": at,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"width": 1, "dash": "dot"},
        }
        for at in (low_below, high_above)
    ]
    words = [
        {"x": at, "y": 1, "yref": "paper", "yanchor": "bottom", "text": f"{at:g}", "showarrow": False}
        for at in (low_below, high_above)
    ]
    return {
        "data": [
            {
                "type": "bar",
                "x": [(index + 0.5) * BIN_WIDTH for index in range(len(histogram))],
                "y": list(histogram),
                "width": [BIN_WIDTH - 0.6] * len(histogram),
                "text": [bin_label(index) for index in range(len(histogram))],
                "textposition": "none",
                "hovertemplate": f"%{{text}}: %{{y:,}} {hover}<extra></extra>",
                "meta": {"tone": [tone(index) for index in range(len(histogram))]},
            }
        ],
        "layout": {
            "shapes": edges,
            "annotations": words,
            "showlegend": False,
            "xaxis": {"range": [0, 100], "tick0": 0, "dtick": 10, "title": {"text": score_axis}},
            "yaxis": {"rangemode": "tozero", "title": {"text": axis}},
            "margin": {"t": 22},
        },
    }


def catch_curve(
    cuts: Sequence[int],
    passing: Sequence[int],
    caught: Sequence[float | None],
    *,
    high_above: float,
    names: tuple[str, str],
    axes: tuple[str, str, str],
) -> Figure:
    """What each threshold would let through today, and the share of past converters it would have caught."""
    data: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(cuts),
            "y": list(passing),
            "name": names[0],
            "hovertemplate": f"> %{{x}}: %{{y:,}} {names[0]}<extra></extra>",
            "meta": {"tone": "brand"},
        }
    ]
    if any(share is not None for share in caught):
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": list(cuts),
                "y": list(caught),
                "yaxis": "y2",
                "name": names[1],
                "line": {"dash": "dash"},
                "hovertemplate": f"> %{{x}}: %{{y:.0f}}% {names[1]}<extra></extra>",
                "meta": {"tone": "healthy"},
            }
        )
    return {
        "data": data,
        "layout": {
            "shapes": [
                {
                    "type": "line",
                    "name": "target",
                    "x0": high_above,
                    "x1": high_above,
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": {"width": 1, "dash": "dot"},
                }
            ],
            "hovermode": "x unified",
            "xaxis": {"range": [0, 100], "dtick": 10, "title": {"text": axes[0]}},
            "yaxis": {"rangemode": "tozero", "title": {"text": axes[1]}},
            "yaxis2": {
                "range": [0, 104],
                "dtick": 25,  # not tickvals: those are written without the suffix
                "ticksuffix": "%",
                "overlaying": "y",
                "side": "right",
                "showgrid": False,
                "title": {"text": axes[2]},
            },
            "margin": {"t": 28, "r": 52},
        },
    }
