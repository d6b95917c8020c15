"""Tables as files that are safe to open in a spreadsheet: CSV line by line, Excel in one piece."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

# The signs that begin a formula, and their full-width forms, which some programs take for them.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
EXCEL_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_CELL = 32_767  # of Excel
BLOCK = 65_536


class _Echo:
    """A file that hands each line back: csv.writer wants to write somewhere."""

    def write(self, line: str) -> str:
        return line


def safe_cell(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def plain_cell(text: str) -> str:
    """A cell without the apostrophe that `safe_cell` gave it, so that what was exported is read as it was."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """CSV with a byte order mark, which spreadsheets need to see UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([safe_cell(cell) for cell in header])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def xlsx_blocks(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """An Excel file in blocks: written row by row to the disk, so memory does not grow with it."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title[:31] or "Sheet")
    sheet.freeze_panes = "A2"
    heads = [_text(sheet, name) for name in header]
    for head in heads:
        head.font = Font(bold=True)
    sheet.append(heads)
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


def _cell(sheet: Any, value: object) -> object:
    """Numbers and dates as they are; every text as text, whatever it begins with."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)  # Excel knows no zones
    if value is None or isinstance(value, (bool, int, float, date, time)):
        return value
    return _text(sheet, str(value))


def _text(sheet: Any, text: str) -> Any:
    """A cell that is text and nothing else: openpyxl would take a text that begins with = for a formula."""
    cell = WriteOnlyCell(sheet, "")
    cell._value = ILLEGAL_CHARACTERS_RE.sub("", text)[:LONGEST_CELL]
    cell.data_type = "s"
    return cell
