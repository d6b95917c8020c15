"""The table behind a native chart, which PowerPoint opens when the customer edits its numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from .package import HEAD, Packed, packed, relations, xml_text, zipped

SHEET = "Sheet1"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def column(place: int) -> str:
    """The letter of a series: the first stands beside the categories."""
    return "BCDEFGHIJKLMNOPQRSTUVWXYZ"[place]


def workbook(categories: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]]) -> bytes:
    """Categories in column A, a series in each next one; a gap is an empty cell."""
    heads = "".join(_words(f"{column(at)}1", name) for at, (name, _values) in enumerate(series))
    rows = [f'<row r="1">{heads}</row>']
    for line, category in enumerate(categories, 2):
        cells = [_words(f"A{line}", category)]
        for at, (_name, values) in enumerate(series):
            value = values[line - 2]
            if value is not None:
                cells.append(f'<c r="{column(at)}{line}"><v>{value!r}</v></c>')
        rows.append(f'<row r="{line}">{"".join(cells)}</row>')
    sheet = f'{HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
    return zipped(_frame() | {"xl/worksheets/sheet1.xml": packed(sheet)})


def _words(cell: str, text: str) -> str:
    return f'<c r="{cell}" t="inlineStr"><is><t xml:space="preserve">{xml_text(text)}</t></is></c>'


@lru_cache(maxsize=1)
def _frame() -> dict[str, Packed]:
    """What every workbook has."""
    overrides = "".join(
        f'<Override PartName="/xl/{name}.xml" ContentType="{_TYPES}.{kind}+xml"/>'
        for name, kind in (
            ("workbook", "sheet.main"),
            ("worksheets/sheet1", "worksheet"),
            ("styles", "styles"),
        )
    )
    types = (
        f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
    book = (
        f'{HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_R}"><sheets><sheet name="{SHEET}" sheetId="1" r:id="rId1"/></sheets>'
        "</workbook>"
    )
    styles = (
        f'{HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
        '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="1"><xf xfId="0"/></cellXfs></styleSheet>'
    )
    return {
        "[Content_Types].xml": packed(types),
        "_rels/.rels": packed(relations([("officeDocument", "xl/workbook.xml", False)])),
        "xl/workbook.xml": packed(book),
        "xl/_rels/workbook.xml.rels": packed(
            relations([("worksheet", "worksheets/sheet1.xml", False), ("styles", "styles.xml", False)])
        ),
        "xl/styles.xml": packed(styles),
    }
