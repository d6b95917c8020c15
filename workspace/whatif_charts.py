"""The distribution before and after as a plain plotly dictionary. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from workspace.charts import BIN_WIDTH, BINS, Figure, bin_label


def before_after(
    before: Sequence[int],
    after: Sequence[int],
    *,
    edges: Sequence[tuple[float, str]],
    names: tuple[str, str],
    axis: str,
    score_axis: str,
) -> Figure:
    """Two bars for each bin of five points: as it is, paler, and as it would be; `edges` are thresholds with their words."""
    traces = [
        {
            "type": "bar",
            "x": [(i + 0.5) * BIN_WIDTH for i in range(BINS)],
            "y": list(values),
            "name": name,
            "text": [bin_label(i) for i in range(BINS)],
            "textposition": "none",
            "hovertemplate": f"%{{text}}: %{{y:,}} {name}<extra></extra>",
            "meta": {"tone": tone},
        }
        for values, name, tone in ((before, names[0], "soft"), (after, names[1], "brand"))
    ]
    lines = [
        {
            "type": "line",
            "name": "target",
            "x0": edge,
            "x1": edge,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"width": 1, "dash": "dot"},
        }
        for edge, _word in edges
    ]
    words = [
        {
            "x": edge,
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "text": word,
            "showarrow": False,
            # A threshold that goes is named at its right, one that stays at its left: they may be close to each other.
            "xanchor": "right" if word.replace(".", "").replace(",", "").isdigit() else "left",
        }
        for edge, word in edges
    ]
    return {
        "data": traces,
        "layout": {
            "barmode": "group",
            "bargap": 0.2,
            "shapes": lines,
            "annotations": words,
            "legend": {"x": 1, "xanchor": "right", "y": 1.1},
            "xaxis": {"range": [0, 100], "tick0": 0, "dtick": 10, "title": {"text": score_axis}},
            "yaxis": {"rangemode": "tozero", "title": {"text": axis}},
            "margin": {"t": 40},
        },
    }
