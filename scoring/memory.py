"""What the band of a day must remember of the days before it, read from the stored scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from scoring.bands import UNKNOWN, Codes
from scoring.engine import Scores
from scoring.matrix import AccountFacts
from scoring.scales import Array
from scoring.specs import LoadedVersion
from usage.copying import number_array

# A longer gap between scored days starts anew, so that a night reads a few days and not the history.
GAP_DAYS = 7

# One scan however it is planned: a lateral look-up per account took minutes while the table had no statistics.
_DAYS = """
SELECT account_id, ahead, score, band, is_final, place, version_id FROM (
  SELECT s.account_id, s.day - %(first)s AS ahead, s.score, s.band, s.is_final, s.version_id,
         row_number() OVER (PARTITION BY s.account_id, s.day < %(first)s ORDER BY s.day DESC) AS place
  FROM scoring_score AS s
  WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.account_id = ANY(%(ids)s::bigint[])
    AND s.day >= %(since)s AND s.day < %(until)s
) AS known
WHERE place <= %(many)s OR ahead >= 0"""

# The current row is the newest stored one: a night that remembers one day needs no history.
_NEWEST = """
SELECT u.account_id, u.day - %(first)s, u.score, u.band, u.is_final, 1, u.version_id FROM scoring_current AS u
WHERE u.tenant_id = %(tenant)s AND u.kind = %(kind)s AND {accounts}"""


@dataclass(frozen=True)
class _Stored:
    """Rows of stored days: the account's place, days after the first one (below 0: before it), score and band."""

    account: NDArray[np.intp]
    day: NDArray[np.int64]
    score: NDArray[np.float64]
    band: NDArray[np.int64]
    place: NDArray[np.int64]  # 1 is the newest before the first day

    def pick(self, rows: NDArray[Any]) -> _Stored:
        """Some of the rows."""
        return _Stored(
            self.account[rows], self.day[rows], self.score[rows], self.band[rows], self.place[rows]
        )

    def spread(
        self, place: NDArray[np.int64], shape: tuple[int, int], version: LoadedVersion
    ) -> tuple[Codes, Codes, NDArray[np.bool_]]:
        """Bands by the score alone, bands as stored, and where there is a row: place × account."""
        score, shown = np.full(shape, np.nan), np.full(shape, UNKNOWN, dtype=np.int16)
        there = np.zeros(shape, dtype=np.bool_)
        score[place, self.account], shown[place, self.account] = self.score, self.band
        there[place, self.account] = True
        # What was unknown for its coverage stays unknown.
        plain = np.where(shown == UNKNOWN, UNKNOWN, version.spec.bands.classify(score)).astype(np.int16)
        return plain, shown, there


def settled_bands(
    tenant_id: int, accounts: AccountFacts, days: Sequence[date], version: LoadedVersion, scores: Scores
) -> Codes:
    """The bands of days × accounts with the memory that the version asks for; one read.

    Only days under the same version count: the first day of a version is banded by the score alone, so that what was
    published is seen at once. Days that have ended keep what was stored, so the days after them follow that and not what
    is computed now.
    """
    bands, shape = version.spec.bands, (len(days), len(accounts))
    plain = np.where(accounts.scored_on(days), scores.band.reshape(shape), UNKNOWN).astype(np.int16)
    stored, final = _stored(tenant_id, accounts, days, version)
    earlier = stored.pick(stored.day < 0)
    plain_before, shown_before, _there = earlier.spread(
        earlier.place - 1, (bands.remembers, len(accounts)), version
    )
    before = [(plain_before[at], shown_before[at]) for at in range(bands.remembers - 1, -1, -1)]
    ended = stored.pick((stored.day >= 0) & final)
    kept = ended.spread(ended.day, shape, version) if len(days) > 1 else None
    return bands.settle(scores.score.reshape(shape), plain, before, kept).ravel()


def _stored(
    tenant_id: int, accounts: AccountFacts, days: Sequence[date], version: LoadedVersion
) -> tuple[_Stored, NDArray[np.bool_]]:
    """The stored days of these accounts under this version around a span of days, and which are final."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # without statistics the history looks small
        found = _rows(cursor, tenant_id, accounts, days, version)
        cursor.execute("SET LOCAL enable_seqscan = on")
    found = found[found[:, 6] == version.id]
    rows, _there = accounts.rows_of(found[:, 0].astype(np.int64))
    day, band, place = (found[:, column].astype(np.int64) for column in (1, 3, 5))
    stored = _Stored(rows, day, found[:, 2], band, place)
    return stored, found[:, 4] > 0


def _rows(
    cursor: Any, tenant_id: int, accounts: AccountFacts, days: Sequence[date], version: LoadedVersion
) -> Array:
    """What is stored under whatever version. A single day looks at the days just before it first, and further back only
    for accounts that have too few of those: a night reads as much as it needs."""
    many, first = version.spec.bands.remembers, days[0]
    reads: dict[str, Any] = {
        "tenant": tenant_id,
        "kind": version.kind_code,
        "first": first,
        "since": first - timedelta(days=many + GAP_DAYS),
        "until": days[-1],
        "many": many,
    }
    ids = accounts.ids
    if len(days) > 1:
        return _history(cursor, reads, ids)
    if many == 1:
        near = _fetch(cursor, _NEWEST.format(accounts=accounts.condition()), reads | accounts.parameters())
        near = near[np.isin(near[:, 0], ids)]
        later = near[:, 1] >= 0  # the day has been scored before: what was newest then is history
        kept = near[~later & (near[:, 1] >= -(many + GAP_DAYS))]
        ids = near[later, 0].astype(np.int64)
    else:
        near = _history(cursor, reads | {"since": first - timedelta(days=many)}, ids)
        known, count = np.unique(near[:, 0].astype(np.int64), return_counts=True)
        whole = known[count >= many]
        kept = near[np.isin(near[:, 0], whole)]
        ids = np.setdiff1d(ids, whole)
    return np.concatenate([kept, _history(cursor, reads, ids)]) if len(ids) else kept


def _history(cursor: Any, reads: dict[str, Any], ids: NDArray[np.int64]) -> Array:
    return _fetch(cursor, _DAYS, reads | {"ids": number_array(ids.tolist())})


def _fetch(cursor: Any, sql: str, parameters: dict[str, Any]) -> Array:
    cursor.execute(sql, parameters)
    return np.array(cursor.fetchall(), dtype=np.float64).reshape(-1, 7)
