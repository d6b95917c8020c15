"""Reading files from outside: every hostile one is refused in words, the others are read as they are."""

from __future__ import annotations

import gc
import io
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from openpyxl import Workbook

from accounts.csv_text import csv_lines, plain_cell, safe_cell, xlsx_blocks
from accounts.imports.cells import DAY_FIRST, ISO, MONTH_FIRST, date_order, iso_day
from accounts.imports.files import Faulty, NotReadable, Shape, fitted, header_of, reading, shape_of
from accounts.imports.resources import guess_targets, missing_fields, resource_of


def look(data: bytes) -> Shape:
    return shape_of(io.BytesIO(data), len(data))


def cells(data: bytes) -> list[list[str] | str]:
    file = io.BytesIO(data)
    with reading(file, look(data)) as rows:
        return [str(read) if isinstance(read, Faulty) else read for _line, read in rows]


def excel(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        assert book.active is not None
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def packed(parts: dict[str, bytes], *, level: int = 9) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return out.getvalue()


PAD = b" " * 5000
ENTITY = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


def built_anew(change: Callable[[bytes], bytes]) -> bytes:
    """An Excel file whose sheet is another one, its declaration of XML left out."""
    with zipfile.ZipFile(io.BytesIO(excel(["x"], ["y"]))) as file:
        parts = {part.filename: file.read(part) for part in file.infolist()}
    name = "xl/worksheets/sheet1.xml"
    return packed({**parts, name: change(parts[name])})


def with_entity(xml: bytes) -> bytes:
    return ENTITY + xml.replace(b"<v>1<", b"<v>&e;<")


FAR = b'<row r="5000"><c r="A5000" t="inlineStr"><is><t>z</t></is></c></row>'
SKELETON = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}


@pytest.mark.parametrize(
    ("data", "shape", "rows"),
    [
        (b"a,b\n1,2\n", Shape("csv", "utf-8", ","), [["a", "b"], ["1", "2"]]),
        ("a;b\r\nñ;2\r\n".encode(), Shape("csv", "utf-8", ";"), [["a", "b"], ["ñ", "2"]]),
        ("\ufeffa\tb\nx\ty".encode(), Shape("csv", "utf-8", "\t"), [["a", "b"], ["x", "y"]]),
        ("a,b\nñ,2\n".encode("latin-1"), Shape("csv", "cp1252", ","), [["a", "b"], ["ñ", "2"]]),
        ("a,b\nñ,2\n".encode("utf-16"), Shape("csv", "utf-16", ","), [["a", "b"], ["ñ", "2"]]),
        (b"a,b\n'=1+1,-5\n", Shape("csv", "utf-8", ","), [["a", "b"], ["=1+1", "-5"]]),
        (b"a,b\nx\0,1\ny,2\n", Shape("csv", "utf-8", ","), [["a", "b"], "contains NUL", ["y", "2"]]),
    ],
)
def test_tables_of_text(data: bytes, shape: Shape, rows: list[list[str] | str]) -> None:
    if b"\0" in data and shape.encoding == "utf-8":  # far behind the head, a NUL spoils its row only
        data = data.replace(b"a,b\n", b"a,b\n" + b"p,q\n" * 2000)
        rows = [rows[0], *[["p", "q"]] * 2000, *rows[1:]]
    assert look(data) == shape
    assert cells(data) == rows


def test_cells_of_excel() -> None:
    data = excel(
        ["id", "when", "at", "n", "f", "yes", "text"],
        [
            "a",
            date(2026, 1, 31),
            datetime(2026, 1, 31, 12, 30, tzinfo=UTC).replace(tzinfo=None),
            3,
            2.5,
            True,
            "'=x",
        ],
        ["b", None, None, 1e3, None, False, None],
    )
    assert look(data) == Shape("xlsx")
    assert cells(data) == [
        ["id", "when", "at", "n", "f", "yes", "text"],
        ["a", "2026-01-31", "2026-01-31T12:30:00", "3", "2.5", "true", "=x"],
        ["b", "", "", "1000", "", "false"],
    ]
    assert fitted(["b", ""], 3, "xlsx") == ["b", "", ""]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"%PDF-1.7 a,b", "neither CSV nor Excel"),
        (b"<html><table>", "neither CSV nor Excel"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "neither CSV nor Excel"),
        (b"a,b\nx\0y,1\n", "NUL characters"),
        (b"\xd0\xcf\x11\xe0old", "before 2007"),
        (b"PK\x03\x04 broken", "damaged"),
        ("a,b\nñ,1\n".encode() + b"\xf1,2\n", "line 3 is not"),
        (b"a" * (2**20 + 5), "a million characters"),
        (packed({"x.txt": b"hello"}), "an archive and no Excel"),
        (packed({**SKELETON, "xl/worksheets/sheet1.xml": b"0" * 40_000_000}), "would take 39 MB"),
        (packed({**SKELETON, "../../evil.xml": b"x"}), "names places outside"),
        (packed({**SKELETON, "/abs.xml": b"x"}), "names places outside"),
        (
            packed({**SKELETON, "xl/worksheets/sheet1.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x/>'}),
            "definitions of its own",
        ),
        (packed({**SKELETON, **{f"xl/{n}.xml": b"" for n in range(600)}}), "do not build them"),
        (b"a,b\n" + b"x" * 10_000_000, "Line 2 has more than a million"),
        (b"PK\x03\x04" + b"junk" * 50 + excel(["x"]), "damaged|do not build them"),
        (excel(["x"])[:-200], "damaged"),
        (built_anew(lambda xml: PAD + with_entity(xml)), "cannot be read"),  # behind what is looked at first
        (built_anew(lambda xml: with_entity(xml).decode().encode("utf-16")), "cannot be read"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(NotReadable, match=words):
        cells(data)


def test_a_file_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(NotReadable, match="at most 50 MB"):
        shape_of(io.BytesIO(b"a"), 60 * 2**20)


def test_more_rows_than_are_read_are_refused_and_blank_ones_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("accounts.imports.files.MOST_ROWS", 3)
    assert len(cells(b"id\n1\n\n,\n \n2\n3\n")) == 7
    with pytest.raises(NotReadable, match="more than 3 rows"):
        cells(b"id\n1\n2\n3\n4\n")
    far = built_anew(lambda xml: xml.replace(b"</sheetData>", FAR + b"</sheetData>"))
    assert [row for row in cells(far) if row] == [["x"], ["y"], ["z"]]  # a cell in row 5,000


def test_reading_lets_go_of_the_file_before_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", failed.append)
    for data in (b"a,a\n1,2\n", b"a\n1\n2\n", excel(["a"], ["1"], ["2"])):
        with io.BytesIO(data) as file, pytest.raises(LookupError), reading(file, look(data)) as rows:
            next(rows)
            raise LookupError  # what fails holds the frame that reads
        gc.collect()
        assert file.closed
    assert failed == []


def test_a_prefix_before_an_archive_is_no_excel_file() -> None:
    data = b"a,b\n" + excel(["x"])
    with pytest.raises(NotReadable, match="NUL"):
        look(data)


def test_too_many_columns_and_too_long_cells_are_faults_of_their_row() -> None:
    wide = ",".join(["x"] * 10_000)
    assert cells(f"a\n{wide}\n1\n".encode()) == [["a"], "has more than 500 cells", ["1"]]
    long = cells(f'a\n"{"x" * 200_000}"\n1\n'.encode())
    assert long[0] == ["a"] and long[-1] == ["1"]
    assert str(long[1]).startswith("not readable: field larger than field limit")
    with pytest.raises(NotReadable, match="it has more than 500 cells"):
        header_of((1, Faulty("has more than 500 cells")))


def test_what_is_exported_is_read_as_it_was_and_runs_nowhere() -> None:
    texts = [
        "=1+1",
        "+x",
        "-x",
        "@x",
        "\tx",
        "\rx",
        "\nx",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "plain",
        "'quoted",
        "-5",
    ]
    for text in texts:
        assert plain_cell(str(safe_cell(text))) == text
        if text not in ("plain", "'quoted"):
            assert str(safe_cell(text)).startswith("'")
    data = "".join(csv_lines(["t", "n"], [[text, -5] for text in texts])).encode()
    read = cells(data)[1:]
    assert [row[0] for row in read] == texts
    assert {row[1] for row in read} == {"-5"}
    book = b"".join(xlsx_blocks("Sheet", ["t", "n"], [[text, -5] for text in texts if text.isprintable()]))
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        sheet = file.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert [row[0] for row in cells(book)[1:]] == [text for text in texts if text.isprintable()]
    assert "<v>-5</v>" in sheet


def test_dates_are_read_in_the_order_that_fits() -> None:
    assert date_order(["2026-01-31"]) == ISO
    assert date_order(["01/02/2026", "31/12/2025"]) == DAY_FIRST
    assert date_order(["01/02/2026", "12/31/2025"]) == MONTH_FIRST
    assert iso_day("31/1/26", DAY_FIRST) == "2026-01-31"
    assert iso_day("31/31/2026", DAY_FIRST) == "31/31/2026"


def test_columns_are_guessed_in_both_languages() -> None:
    accounts = resource_of("accounts")
    assert accounts is not None
    names = ["ID", "Empresa", "Responsable", "Fecha de renovación", "MRR", "custom.x", "Sector"]
    assert guess_targets(names, accounts, {}) == [
        "external_id",
        "name",
        "owner_email",
        "renewal_on",
        "mrr",
        "custom.x",
        "custom.Sector",
    ]
    contacts = resource_of("contacts")
    assert contacts is not None
    assert guess_targets(["Cuenta", "Correo electrónico", "Cargo", "Zodiac"], contacts, {}) == [
        "account_id",
        "email",
        "roles",
        "",
    ]
    assert missing_fields(["name"], contacts) == ["user_id|email"]
    assert missing_fields(["email"], contacts) == []
