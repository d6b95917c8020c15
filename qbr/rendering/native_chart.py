"""A chart as DrawingML: the customer can edit its numbers and its look in PowerPoint. Pure.

Written as text: a library that builds the same tree node by node took eight times as long. The order of the elements is the
schema's; programs refuse another one.
"""

from __future__ import annotations

from collections.abc import Sequence

from outreach.documents.brand import Brand
from outreach.documents.charts import colours, lies, number_text
from outreach.documents.spec import ChartSpec

from .package import HEAD, xml_text
from .theme import FONT, INK, LINE, SOFT
from .workbook import SHEET, column

NUMBERS = "#,##0.##"
MOST_LABELS = 12  # bars with their value written on them
_SPACES = (
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_ACROSS, _ALONG = "2118791784", "2140495176"  # the axes name each other
_OVERLAY = '<c:layout/><c:overlay val="0"/>'

Series = tuple[str, Sequence[float | None]]


def series_of(chart: ChartSpec, target: str) -> list[Series]:
    """What the chart and its table hold. A target is a series of its own in a chart of lines, where it can be drawn."""
    found: list[Series] = list(chart.series)
    if chart.kind == "line" and chart.target is not None:
        found.append((target, [chart.target] * len(chart.categories)))
    return found


def chart_part(chart: ChartSpec, brand: Brand, language: str, target: str, *, titled: bool) -> str:
    """The part; its table is `rId1`. `target` is what a target is called; bars have it in the title."""
    series = series_of(chart, target)
    said = chart.title
    if chart.target is not None and chart.kind != "line":
        said = f"{said} ({target}: {number_text(chart.target, language)})"
    is_donut = chart.kind == "donut"
    palette = [colour.lstrip("#").upper() for colour in colours(brand, 6)]
    title = _title(said, 12) if titled or said != chart.title else ""
    side = ("r" if is_donut else "b") if len(series) > 1 or is_donut else ""
    legend = f'<c:legend><c:legendPos val="{side}"/>{_OVERLAY}</c:legend>' if side else ""
    plot = (
        _donut(chart, series, palette)
        if is_donut
        else _lines(chart, series, palette)
        if chart.kind == "line"
        else (_bars(chart, series, palette))
    )
    axes = "" if is_donut else _axes(chart)
    text = f'<a:defRPr sz="1200">{_fill(INK)}<a:latin typeface="{FONT}"/></a:defRPr>'
    return (
        f'{HEAD}<c:chartSpace {_SPACES}><c:date1904 val="0"/><c:roundedCorners val="0"/><c:chart>{title}'
        f'<c:autoTitleDeleted val="{0 if title else 1}"/><c:plotArea><c:layout/>{plot}{axes}</c:plotArea>{legend}'
        '<c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart>'
        f'<c:txPr><a:bodyPr/><a:lstStyle/><a:p><a:pPr>{text}</a:pPr><a:endParaRPr lang="en-US"/></a:p></c:txPr>'
        '<c:externalData r:id="rId1"><c:autoUpdate val="0"/></c:externalData></c:chartSpace>'
    )


def _fill(colour: str) -> str:
    return f'<a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'


def _outline(colour: str) -> str:
    return f"<c:spPr><a:ln>{_fill(colour)}</a:ln></c:spPr>"


def _size(points: int, more: str = "", bold: str = "") -> str:
    return (
        f'<c:txPr><a:bodyPr/><a:lstStyle/><a:p><a:pPr><a:defRPr sz="{points * 100}"{bold}>{more}</a:defRPr></a:pPr>'
        '<a:endParaRPr lang="en-US"/></a:p></c:txPr>'
    )


def _title(text: str, points: int) -> str:
    return (
        "<c:title><c:tx><c:rich><a:bodyPr/><a:lstStyle/><a:p><a:pPr><a:defRPr/></a:pPr><a:r>"
        f'<a:rPr sz="{points * 100}" b="0">'
        f'{_fill(SOFT)}<a:latin typeface="{FONT}"/></a:rPr><a:t>{xml_text(text)}</a:t></a:r></a:p></c:rich></c:tx>'
        f"{_OVERLAY}</c:title>"
    )


def _points(values: Sequence[str]) -> str:
    found = (f'<c:pt idx="{at}"><c:v>{value}</c:v></c:pt>' for at, value in enumerate(values) if value)
    return f'<c:ptCount val="{len(values)}"/>{"".join(found)}'


def _named(place: int, name: str) -> str:
    return (
        f'<c:idx val="{place}"/><c:order val="{place}"/><c:tx><c:strRef><c:f>{SHEET}!${column(place)}$1</c:f>'
        f'<c:strCache><c:ptCount val="1"/><c:pt idx="0"><c:v>{xml_text(name)}</c:v></c:pt></c:strCache></c:strRef></c:tx>'
    )


def _numbers(chart: ChartSpec, place: int, values: Sequence[float | None]) -> str:
    last = len(chart.categories) + 1
    letter = column(place)
    known = ["" if value is None else repr(value) for value in values]
    return (
        f"<c:cat><c:strRef><c:f>{SHEET}!$A$2:$A${last}</c:f><c:strCache>"
        f"{_points([xml_text(one) for one in chart.categories])}</c:strCache></c:strRef></c:cat>"
        f"<c:val><c:numRef><c:f>{SHEET}!${letter}$2:${letter}${last}</c:f><c:numCache>"
        f"<c:formatCode>General</c:formatCode>{_points(known)}</c:numCache></c:numRef></c:val>"
    )


def _lines(chart: ChartSpec, series: Sequence[Series], palette: Sequence[str]) -> str:
    made = []
    for place, (name, values) in enumerate(series):
        if place == len(chart.series):  # the target
            look = (
                f'<c:spPr><a:ln w="15875">{_fill(SOFT)}<a:prstDash val="dash"/></a:ln></c:spPr>'
                '<c:marker><c:symbol val="none"/></c:marker>'
            )
        else:
            fill = _fill(palette[place % len(palette)])
            look = (
                f'<c:spPr><a:ln w="31750">{fill}</a:ln></c:spPr><c:marker><c:symbol val="circle"/><c:size val="6"/>'
                f"<c:spPr>{fill}<a:ln>{fill}</a:ln></c:spPr></c:marker>"
            )
        made.append(
            f'<c:ser>{_named(place, name)}{look}{_numbers(chart, place, values)}<c:smooth val="0"/></c:ser>'
        )
    return (
        f'<c:lineChart><c:grouping val="standard"/><c:varyColors val="0"/>{"".join(made)}<c:marker val="1"/>'
        f'<c:axId val="{_ACROSS}"/><c:axId val="{_ALONG}"/></c:lineChart>'
    )


def _bars(chart: ChartSpec, series: Sequence[Series], palette: Sequence[str]) -> str:
    made = "".join(
        f"<c:ser>{_named(place, name)}<c:spPr>{_fill(palette[place % len(palette)])}</c:spPr>"
        f'<c:invertIfNegative val="0"/>{_numbers(chart, place, values)}</c:ser>'
        for place, (name, values) in enumerate(series)
    )
    labels = ""
    if chart.kind == "bar" and len(series) == 1 and len(chart.categories) <= MOST_LABELS:
        labels = _labels(_size(11) + '<c:dLblPos val="outEnd"/>')
    stacked = chart.kind == "stacked"
    overlap = '<c:overlap val="100"/>' if stacked else ""
    return (
        f'<c:barChart><c:barDir val="{"bar" if lies(chart) else "col"}"/>'
        f'<c:grouping val="{"stacked" if stacked else "clustered"}"/><c:varyColors val="0"/>{made}{labels}'
        f'<c:gapWidth val="60"/>{overlap}'
        f'<c:axId val="{_ACROSS}"/><c:axId val="{_ALONG}"/></c:barChart>'
    )


def _labels(look: str) -> str:
    shown = "".join(
        f'<c:show{what} val="{int(what == "Val")}"/>'
        for what in ("LegendKey", "Val", "CatName", "SerName", "Percent", "BubbleSize")
    )
    return f'<c:dLbls><c:numFmt formatCode="{NUMBERS}" sourceLinked="0"/>{look}{shown}</c:dLbls>'


def _donut(chart: ChartSpec, series: Sequence[Series], palette: Sequence[str]) -> str:
    slices = "".join(
        f'<c:dPt><c:idx val="{at}"/><c:spPr>{_fill(palette[at % len(palette)])}</c:spPr></c:dPt>'
        for at in range(len(chart.categories))
    )
    (name, values) = series[0]
    labels = _labels(_size(12, _fill("FFFFFF"), ' b="1"'))
    return (
        f'<c:doughnutChart><c:varyColors val="1"/><c:ser>{_named(0, name)}{slices}{_numbers(chart, 0, values)}</c:ser>'
        f'{labels}<c:firstSliceAng val="0"/><c:holeSize val="50"/></c:doughnutChart>'
    )


def _axes(chart: ChartSpec) -> str:
    lying = lies(chart)
    known = [value for _name, values in chart.series for value in values if value is not None]
    least = '<c:min val="0"/>' if chart.kind != "line" and all(value >= 0 for value in known) else ""
    unit = _title(chart.unit, 11) if chart.unit else ""
    ends = '<c:delete val="0"/><c:axPos val="{}"/>'
    return (
        # The first category on top where bars lie; names below what is negative.
        f'<c:catAx><c:axId val="{_ACROSS}"/><c:scaling><c:orientation val="{"maxMin" if lying else "minMax"}"/></c:scaling>'
        f'{ends.format("l" if lying else "b")}<c:numFmt formatCode="General" sourceLinked="0"/>'
        '<c:majorTickMark val="out"/><c:minorTickMark val="none"/><c:tickLblPos val="low"/>'
        f'{_outline(LINE)}{_size(11)}<c:crossAx val="{_ALONG}"/><c:crosses val="autoZero"/><c:auto val="1"/>'
        '<c:lblAlgn val="ctr"/><c:lblOffset val="100"/><c:noMultiLvlLbl val="0"/></c:catAx>'
        f'<c:valAx><c:axId val="{_ALONG}"/><c:scaling><c:orientation val="minMax"/>{least}</c:scaling>'
        f"{ends.format('b' if lying else 'l')}<c:majorGridlines>{_outline(LINE)}</c:majorGridlines>{unit}"
        f'<c:numFmt formatCode="{NUMBERS}" sourceLinked="0"/><c:majorTickMark val="out"/><c:minorTickMark val="none"/>'
        f'<c:tickLblPos val="nextTo"/><c:spPr><a:ln><a:noFill/></a:ln></c:spPr>{_size(11)}'
        f'<c:crossAx val="{_ACROSS}"/><c:crosses val="{"max" if lying else "autoZero"}"/></c:valAx>'
    )
