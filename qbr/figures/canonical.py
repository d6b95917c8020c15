"""One spelling for each record, so that a hash says whether it is still the same. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form.")


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces and the shortest form of each number; NaN and infinity are refused."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
    )


def row_digest(rows: Iterable[tuple[Any, ...]]) -> str:
    """SHA-256 over the rows in their order, one line each."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(canonical(list(row)).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def record_hash(record: Mapping[str, Any]) -> str:
    """SHA-256 over a record."""
    return hashlib.sha256(canonical(dict(record)).encode()).hexdigest()
