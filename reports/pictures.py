"""A report as a picture and as a PDF: the numbers that the page shows, drawn by typst."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Tenant
from outreach.documents.brand import Brand
from outreach.documents.charts import alternative
from outreach.documents.drawing import drawing_of
from outreach.documents.pdf import render_pages, render_pdf
from outreach.documents.spec import MAX_SERIES, ChartSpec
from reports.formulas import Kind
from reports.selectors import Line, ReportPage
from reports.shape import Part, Report
from reports.words import (
    day_text,
    decimals_of,
    finding,
    language_now,
    target_text,
    texts_of,
    value_text,
    window_text,
)

WIDTH, HEIGHT = 482.0, 200.0  # the text width of an A4 page, in points
BARS = 20
PPI = 192


def drawn_parts(report: Report, page: ReportPage) -> list[Part]:
    """The parts that a line chart shows: what makes a whole together, else the headline, of loose parts the largest."""
    if report.stacked:
        return [report.part(key) for key in report.stacked]
    named = {part.key for part in report.parts}
    loose = [figure for key, figure in page.figures.items() if key not in named]
    largest = sorted(loose, key=lambda figure: (-figure.n, figure.part.key))[: MAX_SERIES - 1]
    return [report.headline, *(figure.part for figure in largest)]


def line_spec(page: ReportPage) -> ChartSpec:
    """The line over a year."""
    report = page.report
    parts = drawn_parts(report, page)
    scale = 100 if report.headline.kind == Kind.MONEY else 1
    return ChartSpec(
        "line",
        finding(page.headline),
        axis_text(report.headline, page.currency),
        tuple(day_text(point.day) for point in page.points),
        tuple(
            (
                str(part.title),
                tuple(
                    None if (value := point.values.get(part.key)) is None else round(float(value) / scale, 2)
                    for point in page.points
                ),
            )
            for part in parts
        ),
        None if page.headline.target.low is None or report.stacked else float(page.headline.target.low),
    )


def bars_spec(page: ReportPage, title: str, lines: Sequence[tuple[str, Line]]) -> ChartSpec:
    """The headline by CSM, team, segment or plan: the largest groups."""
    part = page.report.headline
    scale = 100 if part.kind == Kind.MONEY else 1
    shown = lines[:BARS]
    return ChartSpec(
        "bar",
        title,
        axis_text(part, page.currency),
        tuple(name for name, _line in shown),
        (
            (
                str(part.title),
                tuple(
                    None if line.value is None else round(float(line.value) / scale, 2)
                    for _name, line in shown
                ),
            ),
        ),
        None if page.headline.target.low is None else float(page.headline.target.low),
    )


def axis_text(part: Part, currency: str) -> str:
    """The unit of an axis."""
    if part.kind == Kind.SHARE and not part.unit:
        return "%"
    if part.kind == Kind.MONEY:
        return currency
    return str(part.unit)


def _picture(spec: ChartSpec, brand: Brand, height: float = HEIGHT) -> dict[str, Any]:
    language = language_now()
    known = any(value is not None for _name, values in spec.series for value in values)
    drawing = drawing_of(spec, brand, language, WIDTH, height).data() if known and spec.categories else None
    return {"title": spec.title, "drawing": drawing, "alt": alternative(spec, language)}


def report_png(tenant: Tenant, page: ReportPage, brand: Brand, whose: str) -> bytes:
    """The line chart with its finding as a PNG."""
    data = {
        "chart": _picture(line_spec(page), brand),
        "foot": foot_text(tenant, page, whose),
        "no_data": _("No data in this period."),
    }
    pages = render_pages(
        template="reports/documents/chart.typ", data=data, brand=brand, language=language_now(), ppi=PPI
    )
    return pages[0]


def foot_text(tenant: Tenant, page: ReportPage, whose: str) -> str:
    """Of whom and of when a picture is."""
    parts = [tenant.name, whose, window_text(page.report, page.days)]
    if page.headline.day is not None:
        parts.append(day_text(page.headline.day))
    return " · ".join(part for part in parts if part)


def report_pdf(
    tenant: Tenant,
    page: ReportPage,
    brand: Brand,
    whose: str,
    breakdowns: Sequence[tuple[str, Sequence[tuple[str, Line]]]],
    made_on: date,
) -> bytes:
    """The whole report: finding, figures, definition, line, bars, and the numbers behind them."""
    report = page.report
    charts = [_picture(line_spec(page), brand)]
    for title, lines in breakdowns:
        if lines:
            charts.append(_picture(bars_spec(page, title, lines), brand, 120.0))
    parts = drawn_parts(report, page)
    columns = [
        texts_of(part, [point.values.get(part.key) for point in page.points], page.currency) for part in parts
    ]
    data = {
        "title": str(report.title),
        "finding": finding(page.headline),
        "foot": foot_text(tenant, page, whose),
        "definition": str(report.definition),
        "figures": figure_rows(page),
        "charts": charts,
        "columns": [_("Day"), *(str(part.title) for part in parts), "n"],
        "rows": [
            [day_text(point.day), *said, str(point.ns.get(report.headline.key, 0))]
            for point, *said in zip(page.points, *columns, strict=True)
        ][::-1],
        "words": {
            "page": _("Page"),
            "definition": _("Definition"),
            "figures": _("Figures"),
            "numbers": _("The numbers"),
            "figure": _("Figure"),
            "value": _("Value"),
            "earlier": _("Before"),
            "target": _("Target"),
            "no_data": _("No data in this period."),
            "made": _("Made on %(day)s") % {"day": day_text(made_on)},
        },
    }
    return render_pdf(
        template="reports/documents/report.typ", data=data, brand=brand, language=language_now()
    )


def figure_rows(page: ReportPage) -> list[list[str]]:
    """Each part: its name, the figure, n, what it was, and the target of the headline."""
    rows = []
    values = decimals_of((one.part, one.value) for one in page.figures.values())
    earlier = decimals_of((one.part, one.earlier) for one in page.figures.values())
    for figure in page.figures.values():
        rows.append(
            [
                str(figure.part.title),
                value_text(figure.part, figure.value, figure.currency, values),
                str(figure.n),
                value_text(figure.part, figure.earlier, figure.currency, earlier),
                target_text(page.report, figure.target) if figure.part is page.report.headline else "",
            ]
        )
    return rows
