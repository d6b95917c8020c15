"""What a chart is on a page: its figure for the browser, and the same data as rows of a table."""

from __future__ import annotations

import orjson
from django import template
from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from workspace.charts import Chart

register = template.Library()
# As Django's json_script: nothing in a figure may end the script or begin a comment.
_HARMLESS = ((b">", b"\\u003E"), (b"<", b"\\u003C"), (b"&", b"\\u0026"))
# Between cells and rows while all of them are escaped at once; no text of ours has these two.
_CELL, _ROW = "\x1f", "\x1e"


def _in_words(value: object) -> str:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"A figure has a {type(value).__name__}, which no browser can read.")


@register.filter
def figure_script(chart: Chart) -> SafeString:
    """The figure for `charts.js`, under the chart's id."""
    text = orjson.dumps(chart.figure, default=_in_words)
    for mark, written in _HARMLESS:
        text = text.replace(mark, written)
    return format_html(
        '<script id="{}" type="application/json">{}</script>', chart.id, mark_safe(text.decode())
    )


@register.filter
def table_rows(chart: Chart) -> SafeString:
    """The rows of a chart's table, the first cell leading where the bar leads.

    Raises ValueError where there are not as many links as rows.
    """
    if not chart.rows:
        return mark_safe("")
    links = chart.links or [""] * len(chart.rows)
    rows = [_CELL.join((to, *map(_plain, row))) for row, to in zip(chart.rows, links, strict=True)]
    drawn = []
    for row in escape(_ROW.join(rows)).split(_ROW):
        to, first, *rest = row.split(_CELL)
        head = f'<a href="{to}">{first}</a>' if to else first
        cells = "".join([f'<td class="num">{one}</td>' for one in rest])
        drawn.append(f'<tr><th scope="row">{head}</th>{cells}</tr>')
    return mark_safe("".join(drawn))


def _plain(cell: object) -> str:
    return str(cell).replace(_CELL, " ").replace(_ROW, " ")
