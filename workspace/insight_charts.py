"""Charts of why a score moved and of how much the scores can be trusted: data → plain plotly dictionaries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from workspace.charts import Figure, Mark, marks_of

CAUSE_TONES = {
    "model": "second",
    "stale": "soft",
    "moved": "brand",
    "back": "third",
    "exception": "ink3",
    "override": "ink",
}
ROW_HEIGHT = 26


@dataclass(frozen=True)
class Bar:
    """A part of a difference: what, why, and how many points."""

    label: str
    cause: str
    amount: float
    shown: str  # the amount with its sign, in the member's numbers


def waterfall(
    bars: Sequence[Bar],
    *,
    before: float,
    after: float,
    before_label: str,
    after_label: str,
    before_text: str,
    after_text: str,
    axis: str,
) -> Figure:
    """From one score to the other, a floating bar for each part; the ends are points, so the axis need not start at 0."""
    edges, at = [before], before
    starts = []
    for bar in bars:
        starts.append(at)
        at += bar.amount
        edges.append(at)
    low, high = min([*edges, after]), max([*edges, after])
    room = max((high - low) * 0.28, 2.5)  # for the words beside a bar, also on a phone
    labels = [before_label, *(bar.label for bar in bars), after_label]
    ends = {
        "type": "scatter",
        "mode": "markers+text",
        "orientation": "h",
        "x": [before, after],
        "y": [before_label, after_label],
        "text": [before_text, after_text],
        "textposition": "middle right",
        "cliponaxis": False,
        "hoverinfo": "skip",
        "marker": {"size": 11, "symbol": "diamond"},
        "meta": {"tone": "ink"},
    }
    parts = {
        "type": "bar",
        "orientation": "h",
        "y": [bar.label for bar in bars],
        "x": [bar.amount for bar in bars],
        "base": starts,
        "text": [bar.shown for bar in bars],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{text}<extra></extra>",
        "meta": {"tone": [CAUSE_TONES[bar.cause] for bar in bars]},
    }
    return {
        "data": [parts, ends],
        "layout": {
            "showlegend": False,
            "height": 70 + ROW_HEIGHT * len(labels),
            "bargap": 0.35,
            "xaxis": {"range": [max(low - room, -5), min(high + room, 110)], "title": {"text": axis}},
            "yaxis": {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": list(reversed(labels)),
                "automargin": True,
            },
            "margin": {"t": 8, "l": 12, "b": 40},
        },
    }


def band_changes(
    weeks: Sequence[date],
    better: Sequence[int],
    worse: Sequence[int],
    *,
    better_name: str,
    worse_name: str,
    marks: Sequence[Mark],
    links: Sequence[str],
    axis: str,
) -> Figure:
    """Accounts that changed band within each week: upwards above the line, downwards below it."""
    x = [week.isoformat() for week in weeks]
    lines, words = marks_of(marks)

    def trace(name: str, values: Sequence[int], sign: int, tone: str) -> Figure:
        return {
            "type": "bar",
            "x": x,
            "y": [sign * value for value in values],
            "name": name,
            "customdata": list(links),
            "text": [str(value) for value in values],
            "textposition": "none",
            "hovertemplate": f"%{{x|%d %b}}: %{{text}} {name}<extra></extra>",
            "meta": {"tone": tone},
        }

    return {
        "data": [trace(better_name, better, 1, "brand"), trace(worse_name, worse, -1, "second")],
        "layout": {
            "barmode": "relative",
            "shapes": lines,
            "annotations": words,
            "xaxis": {"type": "date"},
            "yaxis": {"title": {"text": axis}, "zeroline": True},
            "margin": {"t": 30},
        },
    }
