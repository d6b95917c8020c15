"""What the newest run stored: scores that people see, and the measures behind them, which need not be read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from scoring.matrix import AccountFacts, read_matrix
from scoring.reading import Reading
from scoring.scales import Array
from scoring.specs import LoadedVersion, MeasureSource

_STORED = """
SELECT account_id, version_id, score, band, raw FROM scoring_current
WHERE tenant_id = %(tenant)s AND kind = %(kind)s AND day = %(day)s AND account_id BETWEEN %(low)s AND %(high)s
"""


@dataclass(frozen=True)
class StoredRows:
    """The current rows of some accounts of one day; `version` is 0 where an account has none."""

    version: NDArray[np.int64]
    score: Array
    band: NDArray[np.int16]
    raw: list[list[float | None]]


def stored_rows(tenant_id: int, kind: int, day: date, accounts: AccountFacts) -> StoredRows:
    """What is stored of these accounts for the day: one statement."""
    total = len(accounts)
    out = StoredRows(
        np.zeros(total, dtype=np.int64), np.full(total, np.nan), np.zeros(total, dtype=np.int16), [[]] * total
    )
    bounds = {"low": int(accounts.ids[0]), "high": int(accounts.ids[-1])}
    with connection.cursor() as cursor:
        cursor.execute(_STORED, {"tenant": tenant_id, "kind": kind, "day": day, **bounds})
        rows: list[Any] = cursor.fetchall()
    if not rows:
        return out
    places, there = accounts.rows_of(np.array([row[0] for row in rows], dtype=np.int64))
    for place, known, row in zip(places.tolist(), there.tolist(), rows, strict=True):
        if known:
            out.raw[place] = row[4]
    places = places[there]
    out.version[places] = np.array([row[1] for row in rows], dtype=np.int64)[there]
    out.score[places] = np.array([row[2] for row in rows], dtype=np.float64)[there]
    out.band[places] = np.array([row[3] for row in rows], dtype=np.int16)[there]
    return out


@dataclass(frozen=True)
class Measured:
    """Raw measures of some accounts on one day, by source."""

    columns: dict[MeasureSource, Array]

    def matrix(self, version: LoadedVersion) -> Array:
        """Days × accounts × measures, as a version wants them."""
        return np.stack([self.columns[source] for source in version.sources], axis=-1)[None, :, :]


def measure(
    reading: Reading,
    accounts: AccountFacts,
    day: date,
    versions: Sequence[LoadedVersion],
    kept: LoadedVersion | None,
    raw: Sequence[Sequence[float | None]],
) -> Measured:
    """Every measure of these versions: what the run under `kept` stored is taken as it is, the rest is read once."""
    columns: dict[MeasureSource, Array] = {}
    if kept is not None:
        stored = np.array(raw, dtype=np.float64).reshape(len(accounts), len(kept.sources))
        columns = {source: stored[:, place] for place, source in enumerate(kept.sources)}
    needed = {source: None for version in versions for source in version.sources if source not in columns}
    if needed:
        found = read_matrix(reading.request(accounts, (day,)), list(needed))[0]
        columns |= {source: found[:, place] for place, source in enumerate(needed)}
    return Measured(columns)
