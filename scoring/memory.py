"""What the band of a day must remember of the days before it, read from the stored scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from scoring.bands import UNKNOWN, Codes
from scoring.engine import Scores
from scoring.matrix import AccountFacts
from scoring.specs import LoadedVersion

# The planner takes a table without statistics for empty and scans it for each account.
_BY_KEY = "SET LOCAL enable_seqscan = off"
_AS_BEFORE = "SET LOCAL enable_seqscan = on"

_BEFORE = """
SELECT a.id, s.place, s.score, s.band
FROM unnest(%(ids)s::bigint[]) AS a(id)
CROSS JOIN LATERAL (
  SELECT score, band, version_id, row_number() OVER (ORDER BY day DESC) AS place FROM (
    SELECT day, score, band, version_id FROM scoring_score AS h
    WHERE h.tenant_id = %(tenant)s AND h.kind = %(kind)s AND h.account_id = a.id AND h.day < %(first)s
    ORDER BY h.day DESC LIMIT %(many)s
  ) AS newest
) AS s
WHERE s.version_id = %(version)s"""

# Days that have ended keep what was stored, so the days after them must follow that and not what is computed now.
_ENDED = """
SELECT s.account_id, s.day - %(first)s, s.score, s.band FROM scoring_score AS s
WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.account_id = ANY(%(ids)s::bigint[])
  AND s.day >= %(first)s AND s.day < %(last)s AND s.is_final AND s.version_id = %(version)s"""


def settled_bands(
    tenant_id: int, accounts: AccountFacts, days: Sequence[date], version: LoadedVersion, scores: Scores
) -> Codes:
    """The bands of days × accounts with the memory that the version asks for; two statements at most.

    Only days under the same version count: the first day of a version is banded by the score alone, so that what was
    published is seen at once.
    """
    bands, shape = version.spec.bands, (len(days), len(accounts))
    plain = np.where(accounts.scored_on(days), scores.band.reshape(shape), UNKNOWN).astype(np.int16)
    parameters = {
        "tenant": tenant_id,
        "kind": version.kind_code,
        "version": version.id,
        "ids": accounts.ids.tolist(),
        "first": days[0],
        "last": days[-1],
        "many": bands.remembers,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEY)
        before = _placed(cursor, _BEFORE, parameters, accounts, bands.remembers)
        ended = _placed(cursor, _ENDED, parameters, accounts, shape[0]) if len(days) > 1 else None
        cursor.execute(_AS_BEFORE)
    history = [
        (_plain(version, *_row(before, place)), before[1][place].astype(np.int16))
        for place in range(bands.remembers, 0, -1)
    ]
    kept = None
    if ended is not None:
        there = ended[2][:-1]
        kept = (_plain(version, ended[0][:-1], ended[1][:-1]), ended[1][:-1].astype(np.int16), there)
    return bands.settle(scores.score.reshape(shape), plain, history, kept).ravel()


Placed = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]


def _placed(cursor: Any, sql: str, parameters: dict[str, Any], accounts: AccountFacts, places: int) -> Placed:
    """Scores, bands and whether there is a row, by place (0 is none or the first day) and account."""
    cursor.execute(sql, parameters)
    found = np.array(cursor.fetchall(), dtype=np.float64).reshape(-1, 4)
    rows, there = accounts.rows_of(found[:, 0].astype(np.int64))
    rows, found = rows[there], found[there]
    shape = (places + 1, len(accounts))
    score = np.full(shape, np.nan)
    band, known = np.full(shape, UNKNOWN, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    at = found[:, 1].astype(np.intp)
    score[at, rows], band[at, rows], known[at, rows] = found[:, 2], found[:, 3].astype(np.int64), True
    return score, band, known


def _row(placed: Placed, place: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return placed[0][place], placed[1][place]


def _plain(version: LoadedVersion, score: NDArray[np.float64], band: NDArray[np.int64]) -> Codes:
    """Bands by the stored scores alone; what was unknown for its coverage stays unknown."""
    return np.where(band == UNKNOWN, UNKNOWN, version.spec.bands.classify(score)).astype(np.int16)
