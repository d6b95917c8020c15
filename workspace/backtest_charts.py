"""Charts of a backtest: data → plain plotly dictionaries. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workspace.charts import Figure

Interval = tuple[float, float, float]  # value, low, high


def rates(
    names: Sequence[str],
    tones: Sequence[str],
    figures: Sequence[Interval | None],
    *,
    base: float,
    base_text: str,
    axis: str,
) -> Figure:
    """The share with the outcome per band with its interval, and the share of all as a line."""
    known = [figure or (0.0, 0.0, 0.0) for figure in figures]
    return {
        "data": [
            {
                "type": "bar",
                "x": list(names),
                "y": [value for value, _, _ in known],
                "meta": {"tone": list(tones)},
                "error_y": {
                    "type": "data",
                    "array": [high - value for value, _, high in known],
                    "arrayminus": [value - low for value, low, _ in known],
                    "thickness": 1.5,
                    "width": 6,
                },
                "hovertemplate": "%{x}: %{y:.1f}%<extra></extra>",
            }
        ],
        "layout": {
            "showlegend": False,
            "shapes": [
                {
                    "type": "line",
                    "name": "ink",
                    "x0": 0,
                    "x1": 1,
                    "xref": "paper",
                    "y0": base,
                    "y1": base,
                    "line": {"width": 1.5, "dash": "dash"},
                }
            ],
            "annotations": [
                {
                    "x": 1,
                    "xref": "paper",
                    "xanchor": "right",
                    "y": base,
                    "yanchor": "bottom",
                    "text": base_text,
                    "name": "ink",
                    "showarrow": False,
                }
            ],
            "xaxis": {"type": "category"},
            "yaxis": {"rangemode": "tozero", "ticksuffix": "%", "title": {"text": axis}},
            "margin": {"t": 22},
            "bargap": 0.45,
        },
    }


def found(
    lines: Mapping[str, Sequence[float | None]], *, names: Mapping[str, str], x_axis: str, y_axis: str
) -> Figure:
    """How many of all outcomes lie among the first so many accounts, by the score and by each simpler way."""
    tones = ("brand", "second", "third")
    steps = max((len(values) for values in lines.values()), default=1) - 1
    x = [100 * step / steps for step in range(steps + 1)]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": [None if value is None else 100 * value for value in values],
                "name": names[key],
                "hovertemplate": f"%{{x:.0f}}%: %{{y:.0f}}% {names[key]}<extra></extra>",
                "meta": {"tone": tone},
            }
            for tone, (key, values) in zip(tones, lines.items(), strict=False)
        ],
        "layout": {
            "shapes": [_diagonal()],
            "xaxis": {"range": [0, 100], "ticksuffix": "%", "title": {"text": x_axis}},
            "yaxis": {"range": [0, 100], "ticksuffix": "%", "title": {"text": y_axis}},
            "margin": {"t": 40},
        },
    }


def _diagonal() -> Figure:
    """The line on which both axes say the same."""
    return {
        "type": "line",
        "name": "target",
        "x0": 0,
        "y0": 0,
        "x1": 100,
        "y1": 100,
        "line": {"width": 1, "dash": "dot"},
    }


def reliability(bins: Sequence[Mapping[str, Any]], *, x_axis: str, y_axis: str) -> Figure:
    """What was promised against what came, with intervals; on the line they are the same."""
    shown = [one for one in bins if one["observed"]["value"] is not None]
    values = [100 * one["observed"]["value"] for one in shown]
    lows = [100 * _or(one["observed"]["low"], one["observed"]["value"]) for one in shown]
    highs = [100 * _or(one["observed"]["high"], one["observed"]["value"]) for one in shown]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": [100 * one["predicted"] for one in shown],
                "y": values,
                "error_y": {
                    "type": "data",
                    "array": [high - value for high, value in zip(highs, values, strict=True)],
                    "arrayminus": [value - low for low, value in zip(lows, values, strict=True)],
                    "thickness": 1.5,
                    "width": 4,
                },
                "marker": {"size": 8},
                "hovertemplate": "%{x:.0f}% → %{y:.0f}%<extra></extra>",
                "meta": {"tone": "brand"},
            }
        ],
        "layout": {
            "showlegend": False,
            "shapes": [_diagonal()],
            "xaxis": {"range": [0, 100], "ticksuffix": "%", "title": {"text": x_axis}},
            "yaxis": {"range": [0, 102], "ticksuffix": "%", "title": {"text": y_axis}},
        },
    }


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
