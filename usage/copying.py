"""Bulk rows into PostgreSQL: COPY into a temporary table, which the fence allows, and array literals."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

NULL = "\\N"


def copy_rows(cursor: Any, table: str, columns: str, lines: Iterable[str]) -> None:
    """Make (or empty) a temporary table and fill it with tab-separated lines; `columns` are its definitions."""
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DELETE ROWS")
    # Empty unless this transaction used it before; DELETE then costs less than TRUNCATE, which makes new files.
    cursor.execute(f"DELETE FROM {table}")
    text = "\n".join(lines)
    if text:
        cursor.copy_expert(f"COPY {table} FROM STDIN", io.BytesIO(text.encode() + b"\n"))


def copy_columns(cursor: Any, table: str, columns: str, fields: Sequence[Sequence[bytes]]) -> None:
    """The same for a table given by columns: every field as it is written in COPY's text."""
    copy_rows(cursor, table, columns, ())
    text = b"\n".join(map(b"\t".join, zip(*fields, strict=True)))
    if text:
        cursor.copy_expert(f"COPY {table} FROM STDIN", io.BytesIO(text + b"\n"))


def number_fields(values: NDArray[Any]) -> list[bytes]:
    """A column of numbers as COPY fields; NaN is NULL."""
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    if not text:
        return []
    return [rb"\N" if item == b"null" else item for item in text.split(b",")]


def array_fields(matrix: NDArray[np.float64]) -> list[bytes]:
    """The rows of a matrix as COPY fields of an array column; NaN is NULL inside the array."""
    if matrix.shape[0] == 0 or matrix.shape[1] == 0:
        return [b"{}"] * matrix.shape[0]
    text = orjson.dumps(np.ascontiguousarray(matrix), option=orjson.OPT_SERIALIZE_NUMPY)[2:-2]
    return [b"{" + row + b"}" for row in text.split(b"],[")]


def escaped(text: str | None) -> str:
    """A text as a COPY field."""
    if text is None:
        return NULL
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if not text.isprintable():
        text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text


def escaped_json(properties: bytes) -> str:
    """Checked JSON text as a COPY field; control characters can only be white space between its tokens."""
    if not properties:
        return NULL
    if b"\\" in properties:
        properties = properties.replace(b"\\", b"\\\\")
    if b"\n" in properties or b"\t" in properties or b"\r" in properties:
        properties = properties.translate(_BLANKS)
    return properties.decode()


_BLANKS = bytes.maketrans(b"\n\t\r", b"   ")


def number_array(numbers: Iterable[int]) -> str:
    """An array literal of whole numbers."""
    return "{" + ",".join(map(str, numbers)) + "}"


def date_array(days: Iterable[date]) -> str:
    """An array literal of dates."""
    return "{" + ",".join(map(date.isoformat, days)) + "}"


def text_array(texts: Iterable[str]) -> str:
    """An array literal of texts; adapting a Python list costs several times as much."""
    return "{" + ",".join(['"' + t.replace("\\", "\\\\").replace('"', '\\"') + '"' for t in texts]) + "}"


def float_array(values: Iterable[float | None]) -> str:
    """An array literal of doubles with NULLs."""
    return "{" + ",".join(["NULL" if v is None else repr(v) for v in values]) + "}"
