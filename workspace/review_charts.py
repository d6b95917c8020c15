"""Charts of packs and of the ROI register as plotly dictionaries."""

from __future__ import annotations

from typing import Any

from outreach.documents.spec import ChartSpec
from workspace.charts import Chart
from workspace.formatting import number

TONES = ("brand", "second", "third", "soft", "ink2")


def chart_of(spec: ChartSpec, chart_id: str) -> Chart:
    """A pack's chart for the page; a donut becomes bars, which are read better on a screen."""
    lying = spec.kind == "donut"
    along, across = ("x", "y") if lying else ("y", "x")
    data: list[dict[str, Any]] = []
    for place, (name, values) in enumerate(spec.series):
        trace: dict[str, Any] = {
            "name": name,
            across: list(spec.categories),
            along: list(values),
            "meta": {"tone": TONES[place]},
        }
        if spec.kind == "line":
            data.append(trace | {"type": "scatter", "mode": "lines+markers", "connectgaps": False})
        else:
            data.append(trace | {"type": "bar", "orientation": "h" if lying else "v"})
    axis = {"title": {"text": spec.unit}, "rangemode": "tozero"}
    layout: dict[str, Any] = {
        "showlegend": len(spec.series) > 1,
        "barmode": "stack" if spec.kind == "stacked" else "group",
        "xaxis": axis if lying else {"type": "category"},
        "yaxis": {"type": "category", "autorange": "reversed"} if lying else axis,
    }
    if spec.target is not None and not lying:
        layout["shapes"] = [
            {
                "type": "line",
                "name": "target",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": spec.target,
                "y1": spec.target,
                "line": {"dash": "dot"},
            }
        ]
    rows = [
        [category, *(number(values[place]) for _name, values in spec.series)]
        for place, category in enumerate(spec.categories)
    ]
    return Chart(
        id=chart_id,
        figure={"data": data, "layout": layout},
        summary=spec.title,
        columns=[spec.title, *(name for name, _values in spec.series)],
        rows=rows,
    )
