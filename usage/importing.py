"""Rows of an events file: CSV (also gzipped) or parquet, in any order of columns."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

COLUMNS = ("account_id", "event", "occurred_at", "user_id", "received_at", "event_id", "feature")
REQUIRED = ("account_id", "event", "occurred_at")
GZIP_MAGIC, PARQUET_MAGIC = b"\x1f\x8b", b"PAR1"
IGNORED = frozenset({"tenant"})  # exports of several tenants name it; the command line has said which one


class NotAnEventsFile(Exception):
    """The file cannot be read as events; the message says why."""


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file as items of `POST events` with `received_at`; every other column becomes a property.

    A row without an event_id is identified by its content and its ordinal among the rows of this file that say the same,
    so that the same file read again adds nothing, whatever the order of its rows.
    """
    seen: Counter[bytes] = Counter()
    for record in _records(path):
        row: dict[str, Any] = {name: record[name] for name in COLUMNS if record.get(name) not in (None, "")}
        properties = {
            name: _json_value(value)
            for name, value in record.items()
            if name not in COLUMNS and name not in IGNORED and value not in (None, "")
        }
        if properties:
            row["properties"] = properties
        for name in ("occurred_at", "received_at"):
            if name in row:
                row[name] = _time_value(row[name])
        if "event_id" not in row:
            row["event_id"] = _identity(record, seen)
        yield row


def _identity(record: dict[str, Any], seen: Counter[bytes]) -> str:
    digest = blake2b(digest_size=16)
    for name in sorted(record):
        if record[name] not in (None, ""):
            digest.update(f"{name}\x1f{record[name]}\x1e".encode("utf-8", "surrogatepass"))
    content = digest.digest()
    seen[content] += 1
    return f"row-{content.hex()}-{seen[content]}"


def _time_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as handle:
            magic = handle.read(4)
            handle.seek(0)
            if magic == PARQUET_MAGIC:
                yield from _parquet(handle)
            elif magic[:2] == GZIP_MAGIC:
                with gzip.open(handle, "rb") as inside:
                    yield from _csv(inside)
            else:
                yield from _csv(handle)
    except OSError as error:
        raise NotAnEventsFile(f"{path}: {error.strerror or error}") from error
    except (EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise NotAnEventsFile(f"{path} is damaged or is not UTF-8: {error}") from error


def _csv(handle: BinaryIO | gzip.GzipFile) -> Iterator[dict[str, Any]]:
    text = io.TextIOWrapper(handle, encoding="utf-8-sig", newline="")
    head = text.read(64 * 1024)
    first = head.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.DictReader(_chained(head, text), delimiter=delimiter)
    _check_columns(rows.fieldnames or [])
    for row in rows:
        yield {
            name.strip(): value
            for name, value in row.items()
            if isinstance(name, str) and isinstance(value, str)
        }


def _chained(head: str, rest: io.TextIOWrapper) -> Iterator[str]:
    """Lines of a text whose beginning has been read."""
    lines = head.splitlines(keepends=True)
    last = lines.pop() if lines else ""
    yield from lines
    yield last + rest.readline()
    yield from rest


def _parquet(handle: BinaryIO) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(handle)
        _check_columns(file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=10_000):
            yield from batch.to_pylist()
    except pyarrow.ArrowException as error:
        raise NotAnEventsFile(f"The parquet file cannot be read: {error}") from error


def _check_columns(names: Any) -> None:
    present = {str(name).strip() for name in names}
    missing = [name for name in REQUIRED if name not in present]
    if missing:
        raise NotAnEventsFile(
            f"The file lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"it has: {', '.join(sorted(present)) or 'none'}."
        )
