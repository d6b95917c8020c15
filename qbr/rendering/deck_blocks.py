"""Tiles, charts and tables on slides."""

from __future__ import annotations

from collections.abc import Sequence

from pptx.util import Emu, Inches, Pt

from outreach.documents.charts import alternative
from outreach.documents.measure import lines_of, width_of
from outreach.documents.spec import ChartSpec
from qbr.content import Kpi

from .native_chart import chart_part, series_of
from .package import xml_text
from .slides import Flow, Words, add_box, paragraph, place
from .theme import INK, INNER, MARGIN, PANEL, SOFT
from .workbook import workbook

TILES = 4  # in a row
HIGHEST_TILE = Inches(2.6)
GAP = Inches(0.16)
PAD = Inches(0.14)
LABEL, VALUE, LEAST_VALUE = 12.0, 28.0, 14.0
CHART_HEIGHT, LEAST_CHART = Inches(4.6), Inches(2.9)
CELL_PAD, CELL_EDGE = Inches(0.08), Inches(0.05)
_CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"
_TABLE = "http://schemas.openxmlformats.org/drawingml/2006/table"
_TABLE_STYLE = "{5C22544A-7EE6-4342-B048-85BDC9FD1C3A}"  # the one that PowerPoint takes itself
_FRAME = '<p:cNvGraphicFramePr><a:graphicFrameLocks noGrp="1"/></p:cNvGraphicFramePr><p:nvPr/></p:nvGraphicFramePr>'


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
        for at, (item, mark) in enumerate(row):
            _add_tile(flow, item, mark, MARGIN + at * (width + GAP), top, width, height)


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
    points = _value_points(item, Emu(width - 2 * PAD).pt)
    value = [Words(item.value_text, bold=True)]
    if mark is not None:
        value.append(Words(str(mark), mark=True, colour=flow.brand.text_colour, points=points * 0.6))
    texts = [([Words(item.label, colour=SOFT)], LABEL), (value, points)]
    texts += [([Words(text, colour=SOFT)], LABEL) for text in _under(item)]
    bodies = [paragraph(flow.slide, pieces, size, side="l") for pieces, size in texts]
    add_box(flow.slide, left, top, width, height, bodies, fill=PANEL, name=item.label[:100], edge=int(PAD))


# ── Charts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def add_chart(
    flow: Flow, chart: ChartSpec, language: str, target: str, *, titled: bool = True, leave: int = 0
) -> None:
    """A native chart, whose numbers the customer can open and edit; `leave` is room for the words that follow it."""
    room = flow.room - leave if flow.room - leave >= LEAST_CHART else flow.room
    height = min(CHART_HEIGHT, room) if room >= LEAST_CHART else CHART_HEIGHT
    top = flow.take(height)
    slide = flow.slide
    # A line in a chart of bars needs two charts in one: there the target stands in the title.
    part = chart_part(chart, flow.brand, language, target, titled=titled)
    known = flow.deck.add_chart(slide, part, workbook(chart.categories, series_of(chart, target)))
    slide.shapes.append(
        f'<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="{slide.next_id()}" name="{xml_text(chart.title[:100])}" '
        f'descr="{xml_text(alternative(chart, language))}"/>{_FRAME}{place(MARGIN, top, INNER, height, "p")}<a:graphic>'
        f'<a:graphicData uri="{_CHART}"><c:chart xmlns:c="{_CHART}" r:id="{known}"/></a:graphicData></a:graphic>'
        "</p:graphicFrame>"
    )


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
    parts = [part for row in rows for part in _parts_of(row, inner, points, most_lines)]
    waiting = [(cells, _row_height(cells, inner, points)) for cells in parts]
    while waiting:
        if not flow.made or flow.room < head + waiting[0][1]:
            flow.new_slide()
        taken = [(headers, head)]
        height = head
        while waiting:
            needed = waiting[0][1]
            if len(taken) > 1 and height + needed > flow.room:
                break
            taken.append(waiting.pop(0))
            height += needed
        _draw_table(flow, taken, widths, numeric, points)


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
    rows: Sequence[tuple[Sequence[str], int]],
    widths: Sequence[int],
    numeric: Sequence[bool],
    points: float,
) -> None:
    """The head and rows with their heights."""
    height = sum(high for _cells, high in rows)
    top, slide = flow.take(height), flow.slide
    columns = "".join(f'<a:gridCol w="{width}"/>' for width in widths)
    lines = []
    for at, (cells, high) in enumerate(rows):
        drawn = [
            _cell(flow, text, points, is_number=number, is_head=not at)
            for text, number in zip(cells, numeric, strict=True)
        ]
        lines.append(f'<a:tr h="{high}">{"".join(drawn)}</a:tr>')
    name = xml_text(", ".join(header for header in rows[0][0] if header)[:100])
    slide.shapes.append(
        f'<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="{slide.next_id()}" name="{name}"/>{_FRAME}'
        f'{place(MARGIN, top, sum(widths), height, "p")}<a:graphic><a:graphicData uri="{_TABLE}"><a:tbl>'
        f'<a:tblPr firstRow="1"><a:tableStyleId>{_TABLE_STYLE}</a:tableStyleId></a:tblPr>'
        f"<a:tblGrid>{columns}</a:tblGrid>{''.join(lines)}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )


def _cell(flow: Flow, text: str, points: float, *, is_number: bool, is_head: bool) -> str:
    words = Words(text, bold=is_head, colour=SOFT if is_head else INK)
    body = paragraph(flow.slide, [words], points, side="r" if is_number else "")
    return (
        f"<a:tc><a:txBody><a:bodyPr/><a:lstStyle/>{body}</a:txBody>"
        f'<a:tcPr marL="{CELL_PAD}" marR="{CELL_PAD}" marT="{CELL_EDGE}" marB="{CELL_EDGE}" anchor="t"><a:solidFill>'
        f'<a:srgbClr val="{PANEL if is_head else "FFFFFF"}"/></a:solidFill></a:tcPr></a:tc>'
    )
