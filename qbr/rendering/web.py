"""A pack as the pieces of a page: HTML of its texts, plotly dictionaries of its charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from outreach.documents.charts import alternative, number_text
from outreach.documents.spec import ChartSpec
from outreach.documents.text import printable
from outreach.formatting import as_html
from qbr.content import Bullets, Chart, Kpis, Section, Table, Text

from .printing import Fact, Print, is_drawable, numeric_columns, reason_of

TONES = ("brand", "second", "third", "soft", "ink2")


@dataclass(frozen=True)
class WebChart:
    """What `<c-chart>` draws, with its table and the words for screen readers."""

    id: str
    figure: dict[str, Any]
    summary: str
    columns: list[str]
    rows: list[list[str]]
    links: tuple[str, ...] = ()  # a customer is led nowhere


@dataclass(frozen=True)
class WebSection:
    """A section of the page."""

    key: str
    title: str
    intro: SafeString
    empty: str
    blocks: list[dict[str, Any]]


@dataclass(frozen=True)
class WebPack:
    """The page."""

    title: str
    account: str
    period: str
    language: str
    summary: SafeString
    sections: list[WebSection]
    sources: list[tuple[int, Fact]]
    has_charts: bool


def web_pack(shown: Print) -> WebPack:
    """Everything that the templates need."""
    sections = [_section(shown, section) for section in shown.content.shown]
    content = shown.content
    return WebPack(
        title=content.title,
        account=content.account_name,
        period=content.period_label,
        language=content.language,
        summary=_html(content.summary_md),
        sections=sections,
        sources=shown.sources,
        has_charts=any(block.get("chart") for section in sections for block in section.blocks),
    )


def _html(body: str) -> SafeString:
    return mark_safe(as_html(printable(body).replace("{{", "{ {"), {})) if body.strip() else SafeString()


def _section(shown: Print, section: Section) -> WebSection:
    blocks = [_block(shown, block, f"{section.key}-{at}") for at, block in enumerate(section.blocks)]
    empty = reason_of(section, shown.words) if section.is_empty else ""
    return WebSection(section.key, section.title, _html(section.intro), empty, blocks)


def _block(shown: Print, block: Any, place: str) -> dict[str, Any]:
    match block:
        case Kpis():
            return {"kind": "kpis", "items": [(item, shown.mark(item)) for item in block.items]}
        case Chart():
            drawn = is_drawable(block.spec)
            return {
                "kind": "chart",
                "title": block.spec.title,
                "finding": block.finding,
                "marks": shown.marks(block.figure_ids),
                "chart": web_chart(block.spec, shown.content.language, f"chart-{place}") if drawn else None,
            }
        case Table():
            numeric = numeric_columns(block)
            return {
                "kind": "table",
                "headers": list(zip(block.headers, numeric, strict=True)),
                "rows": [list(zip(row, numeric, strict=True)) for row in block.rows],
                "marks": shown.marks(block.figure_ids),
            }
        case Text():
            return {"kind": "text", "html": _html(block.md), "marks": shown.marks(block.figure_ids)}
        case Bullets():
            lines = [_html(item.replace("\n", " ")) for item in block.items]
            return {"kind": "bullets", "lines": lines, "marks": shown.marks(block.figure_ids)}
    raise TypeError(f"A pack has no block like {block!r}.")


def web_chart(chart: ChartSpec, language: str, chart_id: str) -> WebChart:
    """The chart for plotly; a donut becomes bars, which are read better on a screen."""
    lying = chart.kind == "donut"
    data = [_trace(chart, name, values, at, lying) for at, (name, values) in enumerate(chart.series)]
    axis = {"title": chart.unit, "rangemode": "normal" if chart.kind == "line" else "tozero"}
    layout: dict[str, Any] = {
        "showlegend": len(chart.series) > 1,
        "barmode": "stack" if chart.kind == "stacked" else "group",
        "xaxis": axis if lying else {"type": "category"},
        "yaxis": {"type": "category", "autorange": "reversed"} if lying else axis,
    }
    if chart.target is not None and not lying:
        layout["shapes"] = [
            {
                "type": "line",
                "name": "target",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": chart.target,
                "y1": chart.target,
                "line": {"dash": "dot"},
            }
        ]
    rows = [
        [
            category,
            *(
                "–" if values[at] is None else number_text(values[at] or 0.0, language)
                for _n, values in chart.series
            ),
        ]
        for at, category in enumerate(chart.categories)
    ]
    return WebChart(
        id=chart_id,
        figure={"data": data, "layout": layout},
        summary=alternative(chart, language),
        columns=[chart.title, *(name for name, _values in chart.series)],
        rows=rows,
    )


def _trace(
    chart: ChartSpec, name: str, values: Sequence[float | None], place: int, lying: bool
) -> dict[str, Any]:
    along, across = ("x", "y") if lying else ("y", "x")
    trace: dict[str, Any] = {
        "name": name,
        across: list(chart.categories),
        along: list(values),
        "meta": {"tone": TONES[place]},
    }
    if chart.kind == "line":
        return trace | {"type": "scatter", "mode": "lines+markers", "connectgaps": False}
    return trace | {"type": "bar", "orientation": "h" if lying else "v"}
