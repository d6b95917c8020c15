"""Charts of the manager reports: stored figures → plain plotly dictionaries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from workspace.charts import Figure, target_line

# What makes a whole together is drawn in the colours of the bands; other lines beside each other in these.
TONES = ("brand", "second", "third", "ink", "soft")
BAND_TONES = ("healthy", "at_risk", "critical")
ROW_HEIGHT = 26


@dataclass(frozen=True)
class Series:
    """A line: its name, its values, and the words of each point."""

    name: str
    values: Sequence[float | None]
    words: Sequence[str]


@dataclass(frozen=True)
class Bar:
    """A bar: its name, its value, its words, and where it leads."""

    name: str
    value: float | None
    words: str
    link: str


def over_time(
    days: Sequence[date],
    series: Sequence[Series],
    *,
    axis: str,
    target: float | None = None,
    target_text: str = "",
    stacked: bool = False,
    links: Sequence[str] = (),
) -> Figure:
    """Lines over the stored days, or shares that make a whole, with the line of the target."""
    tones = BAND_TONES if stacked else TONES
    # Plotly stacks a missing value as zero: a day without anything scored is no day on which nothing was healthy.
    kept = [
        place
        for place in range(len(days))
        if not stacked or any(one.values[place] is not None for one in series)
    ]
    x = [days[place].isoformat() for place in kept]
    traces = [
        {
            "type": "scatter",
            "mode": "lines" if stacked else "lines+markers",
            "x": x,
            "y": [one.values[place] for place in kept],
            "name": one.name,
            "text": [one.words[place] for place in kept],
            "customdata": [links[place] for place in kept] if links else [],
            "connectgaps": False,
            "hovertemplate": f"%{{x|%d %b %Y}}: %{{text}} {one.name}<extra></extra>",
            "meta": {"tone": tones[place % len(tones)]},
        }
        | ({"stackgroup": "whole"} if stacked else {})
        for place, one in enumerate(series)
    ]
    layout: Figure = {
        "showlegend": len(series) > 1,
        "shapes": [],
        "annotations": [],
        "xaxis": {"type": "date"},
        "yaxis": {"title": {"text": axis}, "range": [0, 100]}
        if stacked
        else {"title": {"text": axis}, "rangemode": "tozero"},
        "margin": {"t": 24},
    }
    if target is not None:
        for trace in traces:
            trace["showlegend"] = len(series) > 1
        shape, named = target_line(target, target_text, over_fills=stacked)
        traces.append(named)
        layout |= {"showlegend": True, "shapes": [shape], "margin": {"t": 30}}
    return {"data": traces, "layout": layout}


def by_group(bars: Sequence[Bar], *, axis: str, target: float | None = None) -> Figure:
    """The same figure of each CSM, team, segment or plan; each bar leads to its accounts."""
    names = [bar.name for bar in bars]
    shapes = (
        []
        if target is None
        else [
            {
                "type": "line",
                "name": "ink",
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "x0": target,
                "x1": target,
                "line": {"width": 1.5, "dash": "dash"},
            }
        ]
    )
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                # Numbers would make a numeric axis, and two people may have one name.
                "y": list(range(len(bars))),
                "x": [bar.value for bar in bars],
                "customdata": [bar.link for bar in bars],
                "text": [bar.words for bar in bars],
                "textposition": "auto",
                "insidetextanchor": "start",  # at the beginning of a bar, where no line of a target crosses it
                "hovertext": names,
                "hovertemplate": "%{hovertext}: %{text}<extra></extra>",
                "meta": {"tone": ["brand"] * len(bars)},
            }
        ],
        "layout": {
            "showlegend": False,
            "height": 64 + ROW_HEIGHT * len(bars),
            "bargap": 0.3 if len(bars) > 1 else 0.6,  # one bar alone would fill the picture
            "shapes": shapes,
            "xaxis": {"rangemode": "tozero", "title": {"text": axis}},
            "yaxis": {
                "tickmode": "array",
                "tickvals": list(range(len(bars))),
                "ticktext": names,
                "autorange": "reversed",
            },
            "margin": {"t": 8, "l": 12, "b": 40},
        },
    }
