"""Charts of surveys: data → plain plotly dictionaries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from workspace.charts import Figure


@dataclass(frozen=True)
class Month:
    """The figure of a month with its interval and on how many answers it rests."""

    on: date
    value: float
    low: float
    high: float
    words: str


def trend(months: Sequence[Month], *, axis: str, csat: bool = False) -> Figure:
    """The figure by month as a line, its interval as bars up and down; the scale is always the whole one."""
    low, high, step = (0, 100, 25) if csat else (-100, 100, 50)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [month.on.isoformat() for month in months],
                "y": [round(month.value, 1) for month in months],
                "text": [month.words for month in months],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [round(max(0.0, month.high - month.value), 1) for month in months],
                    "arrayminus": [round(max(0.0, month.value - month.low), 1) for month in months],
                    "thickness": 1,
                    "width": 3,
                },
                "hovertemplate": "%{text}<extra></extra>",
                "meta": {"tone": "brand"},
            }
        ],
        "layout": {
            "showlegend": False,
            "xaxis": {"type": "date", "tickformat": "%b %Y", "dtick": "M1" if len(months) < 9 else "M3"},
            "yaxis": {
                "range": [low - 4, high + 4],
                "tick0": 0,
                "dtick": step,
                "zeroline": True,
                "title": {"text": axis},
            },
            "margin": {"t": 12},
        },
    }
