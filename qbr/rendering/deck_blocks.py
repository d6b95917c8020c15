"""Tiles, charts and tables on slides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_LEGEND_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
)
from pptx.enum.dml import MSO_LINE
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from outreach.documents.charts import alternative, colours, is_whole, lies, number_text
from outreach.documents.measure import lines_of, width_of
from outreach.documents.spec import ChartSpec
from qbr.content import Kpi

from .slides import Flow, Words, describe, flat, plain, write
from .theme import FONT, INK, INNER, LINE, MARGIN, PANEL, SOFT, rgb

TILES = 4  # in a row
HIGHEST_TILE = Inches(2.6)
GAP = Inches(0.16)
PAD = Inches(0.14)
FEW = 8  # steps of one at an axis
LABEL, VALUE, LEAST_VALUE = 12.0, 28.0, 14.0
CHART_HEIGHT, LEAST_CHART = Inches(4.6), Inches(2.9)
CELL_PAD, CELL_EDGE = Inches(0.08), Inches(0.05)


def add_tiles(flow: Flow, items: Sequence[tuple[Kpi, int | None]]) -> None:
    """Rows of tiles, each as high as its highest needs; what is no tile any more becomes text."""
    width = (INNER - (TILES - 1) * GAP) // TILES
    inner = Emu(width - 2 * PAD).pt
    tiles = [one for one in items if _tile_height(one[0], inner) <= HIGHEST_TILE]
    for item, mark in items:
        if (item, mark) not in tiles:
            raised = [Words(str(mark), mark=True, colour=flow.brand.text_colour)] if mark is not None else []
            flow.text([Words(item.label, colour=SOFT)], LABEL)
            flow.text([Words(item.value_text, bold=True), *raised], LEAST_VALUE)
            for text in _under(item):
                flow.text([Words(text, colour=SOFT)], LABEL)
    for start in range(0, len(tiles), TILES):
        row = tiles[start : start + TILES]
        height = max(_tile_height(item, inner) for item, _mark in row)
        top = flow.take(height)
        for place, (item, mark) in enumerate(row):
            _add_tile(flow, item, mark, MARGIN + place * (width + GAP), top, width, height)


def _value_points(item: Kpi, width: float) -> float:
    """As large as the number still stands on one line."""
    for points in (VALUE, 24.0, 20.0, 17.0, LEAST_VALUE):
        if width_of(item.value_text, points, bold=True) + 20 <= width:
            return points
    return LEAST_VALUE


def _under(item: Kpi) -> list[str]:
    return [text for text in (item.unit, item.change_text) if text]


def _tile_height(item: Kpi, width: float) -> int:
    points = _value_points(item, width)
    height = len(lines_of(item.label, LABEL, width)) * LABEL * 1.24
    height += len(lines_of(item.value_text, points, width, bold=True)) * points * 1.24
    height += sum(len(lines_of(text, LABEL, width)) * LABEL * 1.24 for text in _under(item))
    return int(Pt(height)) + 2 * PAD + int(Pt(4))


def _add_tile(flow: Flow, item: Kpi, mark: int | None, left: int, top: int, width: int, height: int) -> None:
    shape = flow.slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, left, top, width, height)
    flat(shape, PANEL)
    shape.name = item.label[:100]
    frame = shape.text_frame
    plain(frame)
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = PAD
    points = _value_points(item, Emu(width - 2 * PAD).pt)
    write(frame.paragraphs[0], [Words(item.label, colour=SOFT)], LABEL)
    value = [Words(item.value_text, bold=True)]
    if mark is not None:
        value.append(Words(str(mark), mark=True, colour=flow.brand.text_colour, points=points * 0.6))
    write(frame.add_paragraph(), value, points)
    for text in _under(item):
        write(frame.add_paragraph(), [Words(text, colour=SOFT)], LABEL)
    for paragraph in frame.paragraphs:
        paragraph.alignment = PP_ALIGN.LEFT


# ── Charts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def add_chart(
    flow: Flow, chart: ChartSpec, language: str, target: str, *, titled: bool = True, leave: int = 0
) -> None:
    """A native chart, whose numbers the customer can open and edit; `leave` is room for the words that follow it."""
    room = flow.room - leave if flow.room - leave >= LEAST_CHART else flow.room
    height = min(CHART_HEIGHT, room) if room >= LEAST_CHART else CHART_HEIGHT
    top = flow.take(height)
    data = CategoryChartData()
    data.categories = list(chart.categories)
    for name, values in chart.series:
        data.add_series(name, values)
    # A line in a chart of bars needs two charts in one, which no library writes: there the target stands in the title.
    as_line = chart.target is not None and chart.kind == "line"
    if as_line:
        data.add_series(target, [chart.target] * len(chart.categories))
    lying = lies(chart)
    kind = {
        "line": XL_CHART_TYPE.LINE_MARKERS,
        "bar": XL_CHART_TYPE.BAR_CLUSTERED if lying else XL_CHART_TYPE.COLUMN_CLUSTERED,
        "stacked": XL_CHART_TYPE.BAR_STACKED if lying else XL_CHART_TYPE.COLUMN_STACKED,
        "donut": XL_CHART_TYPE.DOUGHNUT,
    }[chart.kind]
    frame = flow.slide.shapes.add_chart(kind, MARGIN, top, INNER, height, data)
    describe(frame, alternative(chart, language))
    frame.name = chart.title[:100]
    drawn = frame.chart
    drawn.font.size, drawn.font.name, drawn.font.color.rgb = Pt(12), FONT, rgb(INK)
    said = chart.title
    if chart.target is not None and not as_line:
        said = f"{said} ({target}: {number_text(chart.target, language)})"
    drawn.has_title = titled or said != chart.title
    if drawn.has_title:
        drawn.chart_title.include_in_layout = False
        write(drawn.chart_title.text_frame.paragraphs[0], [Words(said, colour=SOFT)], 12)
    drawn.has_legend = len(chart.series) > 1 or as_line or chart.kind == "donut"
    if drawn.has_legend:
        drawn.legend.position, drawn.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    if chart.kind == "donut":
        _dress_donut(flow, drawn, chart)
    else:
        _dress_axes(drawn, chart, lying)
        _dress_series(flow, drawn, chart, as_line)


def number_format(chart: ChartSpec) -> str:
    """How the numbers of a chart are written; "0.##" would leave a point behind a whole number."""
    found = [value for _name, values in chart.series for value in values if value is not None]
    if is_whole(chart):
        return "#,##0"
    return "#,##0.0" if max(map(abs, found)) >= 1 else "#,##0.00"


def _dress_axes(drawn: Any, chart: ChartSpec, lying: bool) -> None:
    value, category = drawn.value_axis, drawn.category_axis
    value.major_gridlines.format.line.color.rgb = rgb(LINE)
    value.format.line.fill.background()
    category.format.line.color.rgb = rgb(LINE)
    category.has_major_gridlines = False
    category.tick_labels.font.size = value.tick_labels.font.size = Pt(11)
    whole = is_whole(chart)
    value.tick_labels.number_format, value.tick_labels.number_format_is_linked = number_format(chart), False
    found = [v for _name, vs in chart.series for v in [*vs, chart.target] if v is not None]
    if whole and found and max(found) - min(found) < FEW:
        value.major_unit = 1  # else halves are marked, which say 1, 2, 2, 3
    if chart.unit:
        value.has_title = True
        write(value.axis_title.text_frame.paragraphs[0], [Words(chart.unit, colour=SOFT)], 11)
    category.tick_label_position = XL_TICK_LABEL_POSITION.LOW  # below negative bars, not across them
    if lying:
        category.reverse_order = True  # the first one on top
        # And the numbers still at the foot; `category.crosses` of python-pptx leaves the element as it is.
        value._element.find(qn("c:crosses")).set("val", "max")
    if chart.kind != "line":
        value.minimum_scale = 0 if all(v is None or v >= 0 for _n, vs in chart.series for v in vs) else None


def _dress_series(flow: Flow, drawn: Any, chart: ChartSpec, with_target: bool) -> None:
    plot = drawn.plots[0]
    palette = colours(flow.brand, len(chart.series))
    if chart.kind != "line":
        plot.gap_width = 60
        plot.vary_by_categories = False
    if chart.kind == "stacked":
        plot.overlap = 100
    for place, series in enumerate(plot.series):
        is_target = with_target and place == len(chart.series)
        colour = SOFT if is_target else palette[place % len(palette)]
        if chart.kind == "line":
            line = series.format.line
            line.color.rgb, line.width = rgb(colour), Pt(1.25 if is_target else 2.5)
            series.smooth = False
            if is_target:
                line.dash_style = MSO_LINE.DASH
                series.marker.style = XL_MARKER_STYLE.NONE
            else:
                series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, 6
                series.marker.format.fill.solid()
                series.marker.format.fill.fore_color.rgb = rgb(colour)
                series.marker.format.line.color.rgb = rgb(colour)
        else:
            series.invert_if_negative = False  # a bar below zero would be white
            series.format.fill.solid()
            series.format.fill.fore_color.rgb = rgb(colour)
    if chart.kind == "bar" and len(chart.series) == 1 and len(chart.categories) <= 12:
        plot.has_data_labels = True
        labels = plot.data_labels
        labels.number_format, labels.number_format_is_linked = number_format(chart), False
        labels.position, labels.font.size = XL_LABEL_POSITION.OUTSIDE_END, Pt(11)


def _dress_donut(flow: Flow, drawn: Any, chart: ChartSpec) -> None:
    drawn.legend.position = XL_LEGEND_POSITION.RIGHT
    plot = drawn.plots[0]
    plot.has_data_labels = True
    plot.data_labels.show_value, plot.data_labels.show_percentage = True, False
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = "#,##0.##", False
    plot.data_labels.font.size, plot.data_labels.font.bold = Pt(12), True
    plot.data_labels.font.color.rgb = rgb("FFFFFF")
    palette = colours(flow.brand, 6)
    for place in range(len(chart.categories)):
        point = plot.series[0].points[place]
        point.format.fill.solid()
        point.format.fill.fore_color.rgb = rgb(palette[place % len(palette)])


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


def add_table(
    flow: Flow,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    weights: Sequence[float],
    numeric: Sequence[bool],
    *,
    points: float = 12.0,
) -> None:
    """A table, over as many slides as it needs, each with the head; a cell longer than a slide goes on in the next row."""
    whole = sum(weights)
    widths = [int(INNER * weight / whole) for weight in weights]
    inner = [Emu(width - 2 * CELL_PAD).pt for width in widths]
    head = _row_height(headers, inner, points, bold=True)
    most_lines = int((Inches(5.1) - head) / Pt(points * 1.24)) - 1
    waiting = [part for row in rows for part in _parts_of(row, inner, points, most_lines)]
    while waiting:
        if not flow.made or flow.room < head + _row_height(waiting[0], inner, points):
            flow.new_slide()
        taken: list[Sequence[str]] = []
        height = head
        while waiting:
            needed = _row_height(waiting[0], inner, points)
            if taken and height + needed > flow.room:
                break
            taken.append(waiting.pop(0))
            height += needed
        _draw_table(flow, headers, taken, widths, numeric, points, inner, height)


def _row_height(cells: Sequence[str], inner: Sequence[float], points: float, *, bold: bool = False) -> int:
    lines = max(
        len(lines_of(cell, points, width, bold=bold)) for cell, width in zip(cells, inner, strict=True)
    )
    return int(Pt(lines * points * 1.24)) + 2 * int(CELL_EDGE)


def _parts_of(row: Sequence[str], inner: Sequence[float], points: float, most: int) -> list[Sequence[str]]:
    """The row, or as many rows as its longest cell needs slides."""
    broken = [lines_of(cell, points, width) for cell, width in zip(row, inner, strict=True)]
    count = max(1, max(-(-len(lines) // most) for lines in broken))
    if count == 1:
        return [row]
    return [
        tuple(" ".join(lines[part * most : (part + 1) * most]) for lines in broken) for part in range(count)
    ]


def _draw_table(
    flow: Flow,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    numeric: Sequence[bool],
    points: float,
    inner: Sequence[float],
    height: int,
) -> None:
    top = flow.take(height)
    frame = flow.slide.shapes.add_table(len(rows) + 1, len(headers), MARGIN, top, sum(widths), height)
    frame.name = ", ".join(header for header in headers if header)[:100]
    table = frame.table
    table.first_row, table.horz_banding = True, False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Emu(width)
    for at, cells in enumerate([headers, *rows]):
        table.rows[at].height = Emu(_row_height(cells, inner, points, bold=at == 0))
        for place, text in enumerate(cells):
            cell = table.cell(at, place)
            _dress_cell(cell._tc, PANEL if at == 0 else "FFFFFF")
            paragraph = cell.text_frame.paragraphs[0]
            write(paragraph, [Words(text, bold=at == 0, colour=SOFT if at == 0 else INK)], points)
            if numeric[place]:
                paragraph.alignment = PP_ALIGN.RIGHT


def _dress_cell(element: Any, colour: str) -> None:
    """Edges, place of the text and colour of a cell."""
    properties = element.find(qn("a:tcPr"))
    if properties is None:
        properties = etree.SubElement(element, qn("a:tcPr"))
    for side, width in (("marL", CELL_PAD), ("marR", CELL_PAD), ("marT", CELL_EDGE), ("marB", CELL_EDGE)):
        properties.set(side, str(int(width)))
    properties.set("anchor", "t")
    fill = etree.SubElement(properties, qn("a:solidFill"))
    etree.SubElement(fill, qn("a:srgbClr"), val=colour)
