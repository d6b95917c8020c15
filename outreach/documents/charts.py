"""A chart's numbers → SVG for documents, drawn by vl-convert without a browser; and the words a screen reader gets."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from accounts.brand import LIGHT_SURFACE, contrast

from .brand import Brand
from .fonts import font_folder
from .spec import ChartSpec
from .text import printable

INK, SOFT, LINE = "#1a1d23", "#565d6b", "#dfe2e8"
# Beside the brand's own colour: apart from each other for eyes that see no red and green, and on paper without colour.
OTHERS = ("#5b6b8c", "#d98e04", "#3a9d7a", "#a05195", "#7c8593")
SOFTER = 1.9  # a brand colour with less contrast to white cannot carry a line
MANY, LONG = 8, 10  # categories, characters of a name: beyond, bars lie
LOCALES = {"es": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " €"]}}
LABEL_LIMIT = 150


def svg_of(
    chart: ChartSpec, brand: Brand, language: Literal["en", "es"] | str, width: int, height: int
) -> bytes:
    """The chart as SVG of about this size in pixels; without a title, which the document sets itself."""
    converter = _converter()
    made: str = converter.vegalite_to_svg(
        vega_lite(chart, brand, language, width, height),
        format_locale=LOCALES.get(language),
        allowed_base_urls=[],
    )
    return made.encode()


@lru_cache(maxsize=1)
def _converter() -> Any:
    """vl-convert with our fonts, so that it measures the words that typst will set."""
    import vl_convert  # starts a JavaScript engine: only who draws pays for it

    vl_convert.register_font_directory(str(font_folder()))
    return vl_convert


def alternative(chart: ChartSpec, language: str) -> str:
    """What the picture shows, in words and numbers: its title, then each series from beginning to end."""
    said = []
    for name, values in chart.series:
        known = [(c, v) for c, v in zip(chart.categories, values, strict=True) if v is not None]
        few = known if len(known) <= 12 else [known[0], *known[-3:]]
        numbers = ", ".join(f"{category} {number_text(value, language)}" for category, value in few)
        said.append(f"{name}: {numbers}" if numbers else name)
    unit = f" ({chart.unit})" if chart.unit else ""
    return printable(f"{chart.title}{unit}. {'; '.join(said)}.")


def number_text(value: float, language: str) -> str:
    """A number as a chart's label has it."""
    text = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "es" else text


def colours(brand: Brand, count: int) -> list[str]:
    """So many colours that are told apart, the brand's first."""
    first = brand.colour if contrast(brand.colour, LIGHT_SURFACE) >= SOFTER else brand.text_colour
    return [first, *(one for one in OTHERS if one.lower() != first.lower())][:count]


def vega_lite(chart: ChartSpec, brand: Brand, language: str, width: int, height: int) -> dict[str, Any]:
    """The chart as a Vega-Lite specification; sizes are said, since fitting breaks layers."""
    rows = [
        {"c": printable(category), "s": printable(name), "v": value, "o": position}
        for name, values in chart.series
        for position, (category, value) in enumerate(zip(chart.categories, values, strict=True))
    ]
    names = [printable(name) for name, _values in chart.series]
    spec: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": None,
        "padding": 4,
        "data": {"values": rows},
        "config": _looks(),
    }
    if chart.kind == "donut":
        return spec | _donut(chart, brand, language, width, height)
    lying = chart.kind != "line" and (
        len(chart.categories) > MANY or max((len(c) for c in chart.categories), default=0) > LONG
    )
    legend = len(names) > 1
    colour: dict[str, Any] = {
        "field": "s",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": names, "range": colours(brand, len(names))},
        "legend": {"orient": "top", "title": None, "symbolType": "square", "columns": 3} if legend else None,
    }
    category_axis: dict[str, Any] = {
        "field": "c",
        "type": "nominal",
        "sort": {"field": "o", "op": "min"},
        "title": None,
        "axis": {"labelAngle": 0, "labelLimit": LABEL_LIMIT, "labelOverlap": False if lying else "greedy"},
    }
    value_axis: dict[str, Any] = {
        "field": "v",
        "type": "quantitative",
        "title": printable(chart.unit) or None,
        "scale": {"zero": chart.kind != "line", "nice": True},
        "stack": "zero" if chart.kind == "stacked" else None,
        "axis": {"tickCount": 5, "format": ",~f" if _is_small(chart) else ",.0f", "grid": True},
    }
    across, along = ("y", "x") if lying else ("x", "y")
    encoding: dict[str, Any] = {across: category_axis, along: value_axis, "color": colour}
    if chart.kind == "bar" and legend:
        encoding[f"{across}Offset"] = {"field": "s", "sort": names}
    mark: dict[str, Any] = (
        {"type": "line", "strokeWidth": 2.2, "point": {"size": 34, "filled": True}, "interpolate": "linear"}
        if chart.kind == "line"
        else {"type": "bar", "cornerRadiusEnd": 2}
    )
    if chart.kind != "line":
        category_axis["scale"] = {"paddingInner": 0.35, "paddingOuter": 0.2}
    layers: list[dict[str, Any]] = [{"mark": mark, "encoding": encoding}]
    if chart.target is not None:
        layers += _target(chart.target, along)
    # Labels of the axes stand outside of these sizes.
    side = LABEL_LIMIT if lying else 52
    spec["width"], spec["height"] = max(80, width - side - 16), max(60, height - (62 if legend else 40))
    if lying:
        spec["height"] = max(spec["height"], 20 * len(chart.categories) * (len(names) if legend else 1))
    return spec | {"layer": layers}


def _target(target: float, along: str) -> list[dict[str, Any]]:
    """A dashed line where the target is, with its number."""
    place = {along: {"datum": target}}
    words: dict[str, Any] = {"type": "text", "text": "◆", "color": SOFT, "fontSize": 8}
    edge = {"x": {"value": 0}} if along == "y" else {"y": {"value": 0}}
    return [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": SOFT},
            "encoding": place,
        },
        {"data": {"values": [{}]}, "mark": words, "encoding": place | edge},
    ]


def _donut(chart: ChartSpec, brand: Brand, language: str, width: int, height: int) -> dict[str, Any]:
    """Slices with a legend that has their numbers."""
    values = chart.series[0][1]
    names = [
        f"{printable(category)}  {number_text(value or 0, language)}"
        for category, value in zip(chart.categories, values, strict=True)
    ]
    size = max(80, min(width // 2, height - 16))
    palette = colours(brand, 6)
    return {
        "data": {
            "values": [
                {"c": n, "v": v or 0, "o": at} for at, (n, v) in enumerate(zip(names, values, strict=True))
            ]
        },
        "width": size,
        "height": size,
        "mark": {"type": "arc", "innerRadius": size * 0.3, "outerRadius": size * 0.48, "padAngle": 0.012},
        "encoding": {
            "theta": {"field": "v", "type": "quantitative", "stack": True},
            "order": {"field": "o"},
            "color": {
                "field": "c",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": names, "range": [palette[n % 6] for n in range(len(names))]},
                "legend": {"orient": "right", "title": None, "labelLimit": max(90, width - size - 40)},
            },
        },
    }


def _is_small(chart: ChartSpec) -> bool:
    known = [abs(v) for _name, values in chart.series for v in values if v is not None]
    return max(known, default=0.0) < 10


def _looks() -> dict[str, Any]:
    text = {"labelFont": "Inter", "labelFontSize": 10, "labelColor": SOFT}
    return {
        "font": "Inter",
        "view": {"stroke": None},
        "axis": text | {"titleFont": "Inter", "titleFontSize": 10, "titleFontWeight": 400, "titleColor": SOFT,
                        "gridColor": LINE, "domainColor": LINE, "tickColor": LINE},
        "legend": text | {"labelColor": INK, "rowPadding": 4},
        "text": {"font": "Inter"},
    }  # fmt: skip
