"""Reading CSV and Excel files from outside. What a file could do to us is refused here, in words that say how to mend it.

Memory is bounded: CSV is read line by line, Excel row by row; what must be read whole is measured first.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import IO, Any

from django.utils.translation import gettext as _

from accounts.csv_text import plain_cell

CSV, XLSX = "csv", "xlsx"
ENCODINGS = ("utf-8", "cp1252", "latin-1", "utf-16")
DELIMITERS = (",", ";", "\t")
MOST_BYTES = 50 * 2**20
MOST_ROWS = 1_000_000
MOST_COLUMNS = 500
LONGEST_LINE = 2**20
LONGEST_CELL = 131_072
LONGEST_NAME = 200
MOST_PARTS, MOST_UNPACKED, MOST_STRINGS, MOST_RATIO = 500, 512 * 2**20, 64 * 2**20, 100
HARMLESS = 10 * 2**20  # so little may be packed as tightly as it likes
ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
BAD_SIGN = re.compile("[\udc80-\udcff]")  # a byte that is not UTF-8
GOOD_SIGN = re.compile(
    "[\x80-\ud7ff\ue000-\ufefe\uff00-\U0010ffff]"
)  # anything beyond ASCII but the byte order mark
OTHERS = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"MZ",
    b"\x7fELF",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
)


class NotReadable(Exception):
    """The file as a whole cannot be read; the text says why and what to do."""


class Faulty(Exception):
    """One row cannot be read; the others can. Why is said in the API's English: each reader gets it in their language."""


@dataclass(frozen=True)
class Shape:
    """How a file is read."""

    form: str
    encoding: str = "utf-8"
    delimiter: str = ","


Row = tuple[int, list[str] | Faulty]  # line number, cells or why there are none


def shape_of(file: IO[bytes], size: int) -> Shape:
    """What kind of file it is, by its content and not by its name; raises `NotReadable`."""
    if size > MOST_BYTES:
        raise NotReadable(
            _("The file has %(size)s MB; at most %(most)s MB are taken. Split it into several.")
            % {"size": math.ceil(size / 2**20), "most": MOST_BYTES // 2**20}
        )
    file.seek(0)
    head = file.read(4096)
    if not head.strip():
        raise NotReadable(_("The file is empty."))
    if head.startswith(ZIP):
        _look_into(file)
        return Shape(XLSX)
    if head.startswith(OLD_EXCEL):
        raise NotReadable(
            _(
                "This is an Excel file of before 2007, or a protected one. Save it as .xlsx or CSV without a password."
            )
        )
    if head.startswith(OTHERS) or head.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise NotReadable(_("This is neither CSV nor Excel. Save the table as CSV (UTF-8) or .xlsx."))
    encoding = _encoding(file, head)
    file.seek(0)
    with closing(_lines(file, encoding)) as lines:
        first = next(lines, "")
    return Shape(CSV, encoding, max(DELIMITERS, key=first.count))


def _look_into(file: IO[bytes]) -> None:
    """Refuse an Excel file that would unpack to more than we read, names places outside, or brings entities."""
    try:
        with zipfile.ZipFile(file) as packed:
            parts = packed.infolist()
            _judge_parts(parts)
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with packed.open(part) as opened:
                        start = opened.read(2048)
                    if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                        raise NotReadable(
                            _(
                                "The Excel file brings definitions of its own (DOCTYPE). Save it anew with Excel."
                            )
                        )
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise NotReadable(
            _("The Excel file is damaged or protected. Open and save it anew, without a password.")
        ) from error


def _judge_parts(parts: Sequence[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise NotReadable(_("This is an archive and no Excel file. Unpack it, and choose the table in it."))
    if parts[0].header_offset != 0 or len(parts) > MOST_PARTS or len(names) != len(parts):
        raise NotReadable(
            _("The Excel file is built in a way that programs do not build them. Save it anew with Excel.")
        )
    if any(name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") for name in names):
        raise NotReadable(_("The Excel file names places outside of itself. Save it anew with Excel."))
    packed = sum(part.compress_size for part in parts)
    unpacked = sum(part.file_size for part in parts)
    strings = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
    tight = unpacked > HARMLESS and unpacked > MOST_RATIO * max(packed, 1)
    if unpacked > MOST_UNPACKED or strings > MOST_STRINGS or tight:
        raise NotReadable(
            _("Unpacked, the Excel file would take %(size)s MB, which is too much. Save the table as CSV.")
            % {"size": math.ceil(unpacked / 2**20)}
        )


def _encoding(file: IO[bytes], head: bytes) -> str:
    """UTF-8 where it is, else Western European; a file that is both is refused with the line where it changes."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head:
        raise NotReadable(
            _("The file contains NUL characters: it is not text. Save the table as CSV (UTF-8).")
        )
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    line, bad_line, good = 1, 0, False
    while (block := file.read(2**18)) and not (bad_line and good):
        text = decoder.decode(block)
        if not text.isascii():
            bad = None if bad_line else BAD_SIGN.search(text)
            bad_line = line + text.count("\n", 0, bad.start()) if bad else bad_line
            good = good or GOOD_SIGN.search(text) is not None
        line += text.count("\n")
    if bad_line and good:
        raise NotReadable(
            _("The file mixes encodings: it is UTF-8, but line %(line)s is not. Save it anew as CSV (UTF-8).")
            % {"line": bad_line}
        )
    return "cp1252" if bad_line else "utf-8"


def _lines(file: IO[bytes], encoding: str) -> Generator[str]:
    """The lines of a text, none of them longer than we read. Whoever reads closes it before the file."""
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    text = io.TextIOWrapper(
        file, encoding=name, errors="replace" if encoding == "cp1252" else "strict", newline=""
    )
    number = 0
    try:
        while line := text.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise NotReadable(
                    _("Line %(line)s has more than a million characters. Is the separator of lines right?")
                    % {"line": number}
                )
            yield line
    except UnicodeDecodeError as error:
        raise NotReadable(
            _(
                "Line %(line)s is not %(encoding)s text. Choose another encoding, or save the file as CSV (UTF-8)."
            )
            % {"line": number + 1, "encoding": encoding.upper()}
        ) from error
    finally:
        text.detach()


@contextmanager
def reading(file: IO[bytes], shape: Shape) -> Iterator[Iterator[Row]]:
    """Every row with its line number, the header first; raises `NotReadable` where reading cannot go on.

    What reads lets go of the file at the end of the block, so that whoever opened it can close it after that.
    """
    file.seek(0)
    with closing(_csv_rows(file, shape) if shape.form == CSV else _excel_rows(file)) as rows:
        yield _bounded(rows)


def first_row(file: IO[bytes], shape: Shape) -> Row | None:
    """The row that names the columns."""
    with reading(file, shape) as rows:
        return next(rows, None)


def is_blank(read: list[str] | Faulty) -> bool:
    """Whether a row says nothing; Excel keeps such rows wherever somebody once chose a colour."""
    return isinstance(read, list) and not any(cell.strip() for cell in read)


def _bounded(rows: Iterator[Row]) -> Iterator[Row]:
    count = 0
    for row in rows:
        count += not is_blank(row[1])
        if count > MOST_ROWS + 1:  # with the one that names the columns
            raise NotReadable(
                _("The file has more than %(most)s rows. Split it into several.") % {"most": MOST_ROWS}
            )
        yield row


def _csv_rows(file: IO[bytes], shape: Shape) -> Generator[Row]:
    with closing(_lines(file, shape.encoding)) as lines:
        yield from _split_lines(lines, shape)


def _split_lines(lines: Iterator[str], shape: Shape) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)

    class Dialect(csv.excel):
        delimiter = shape.delimiter

    reader = csv.reader(lines, dialect=Dialect)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Faulty(f"not readable: {error}")
            continue
        if any("\0" in cell for cell in cells):
            yield line, Faulty("contains NUL")
        elif len(cells) > MOST_COLUMNS:
            yield line, Faulty(f"has more than {MOST_COLUMNS} cells")
        else:
            yield line, [plain_cell(cell) for cell in cells]


def _excel_rows(file: IO[bytes]) -> Generator[Row]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    # Opening would look for the size that the sheet says, and read one that says none to its end: 15 s for 100,000 rows.
    ReadOnlyWorksheet._get_size = lambda _sheet: None
    try:
        with closing(load_workbook(file, read_only=True, data_only=True, keep_links=False)) as book:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its size need not be true
            for line, row in enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1), start=1):
                yield line, _excel_cells(row)
    except (
        InvalidFileException,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        zipfile.BadZipFile,
        SyntaxError,
    ) as error:
        raise NotReadable(
            _("The Excel file cannot be read. Open and save it anew, or save the table as CSV.")
        ) from error


def _excel_cells(row: Sequence[Any]) -> list[str] | Faulty:
    end = (
        0 if row.count(None) == len(row) else len(row)
    )  # one cell far down makes a million empty rows before it
    while end and row[end - 1] is None:
        end -= 1
    cells = [_excel_text(value) for value in row[:end]]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MOST_COLUMNS:
        return Faulty(f"has more than {MOST_COLUMNS} cells")
    if any(len(cell) > LONGEST_CELL for cell in cells):
        return Faulty(f"has a cell with more than {LONGEST_CELL} characters")
    return cells


def _excel_text(value: Any) -> str:
    """What a typed cell says, as a CSV file would."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return plain_cell(str(value))


def header_of(row: Row | None) -> list[str]:
    """The names of the columns; raises `NotReadable` for a first row that cannot name them."""
    if row is None:
        raise NotReadable(_("The file is empty."))
    _line, cells = row
    if isinstance(cells, Faulty):
        raise NotReadable(
            _(
                "The first row must name the columns; it has more than %(most)s cells, too long a cell, or no text."
            )
            % {"most": MOST_COLUMNS}
        )
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise NotReadable(_("The first row must name the columns; it is empty."))
    if any(len(name) > LONGEST_NAME for name in names):
        raise NotReadable(_("The first row must name the columns; one of them has more than 200 characters."))
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise NotReadable(_("A column is named twice: %(names)s.") % {"names": ", ".join(twice[:5])})
    if "" in names:
        raise NotReadable(_("Column %(number)s has no name.") % {"number": names.index("") + 1})
    return names


def fitted(cells: Sequence[str], width: int, form: str) -> list[str] | Faulty:
    """A row with as many cells as the header. Excel leaves empty cells at the end out; in CSV they stand for something."""
    cells = list(cells)
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) > width or (form == CSV and len(cells) < width):
        return Faulty(f"has {len(cells)} cells, the header has {width}")
    return cells + [""] * (width - len(cells))
