"""Bulk writing of scores: COPY into a temporary table, then one statement for the history and one for the current row."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from scoring.engine import Scores
from scoring.scales import Array, Segments
from scoring.tables import COLUMNS, SINCE
from usage.copying import array_fields, number_fields

_OWN = [name for name, _ in COLUMNS if name not in ("tenant_id",)]
_KEY = ("tenant_id", "kind", "account_id", "day")
_VALUES = [name for name in _OWN if name not in _KEY]
_SINCE = [f"score_{days}" for days in SINCE]


@dataclass(frozen=True)
class Block:
    """Scores of one kind under one version: row by row, with the day and the account of each."""

    tenant_id: int
    kind_code: int
    version_id: int
    account_ids: NDArray[np.int64]
    days: Sequence[date]
    day_index: NDArray[np.intp]
    scores: Scores
    raw: Array
    targets: Array | None
    is_new: NDArray[np.bool_]
    is_final: NDArray[np.bool_]
    tenure: Array | None = None
    segments: Segments | None = None
    exception_ids: Sequence[int] = ()


@dataclass
class Written:
    """How many rows a block touched."""

    history: int = 0
    current: int = 0


def _flags(values: NDArray[np.bool_]) -> list[bytes]:
    return [b"t" if value else b"f" for value in values.tolist()]


def _names(segments: Segments) -> list[bytes]:
    """Segments as COPY text, which gives these four characters a meaning."""
    marks = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
    text = [name.translate(marks).encode() for name in segments.names]
    return [text[code] for code in segments.codes.tolist()]


def _copy_text(block: Block) -> bytes:
    rows = len(block.account_ids)
    scores = block.scores
    assert scores.scaled is not None
    day_text = [day.isoformat().encode() for day in block.days]
    nothing = [rb"\N"] * rows
    columns: dict[str, list[bytes]] = {
        "kind": [str(block.kind_code).encode()] * rows,
        "account_id": [str(value).encode() for value in block.account_ids.tolist()],
        "day": [day_text[index] for index in block.day_index.tolist()],
        "version_id": [str(block.version_id).encode()] * rows,
        "score": number_fields(scores.score),
        "band": [str(code).encode() for code in scores.band.tolist()],
        "coverage": number_fields(scores.coverage),
        "is_new": _flags(block.is_new),
        "is_final": _flags(block.is_final),
        "components": array_fields(scores.values),
        "points": array_fields(scores.points),
        "effective": array_fields(scores.effective),
        "raw": array_fields(block.raw),
        "scaled": array_fields(scores.scaled),
        "targets": nothing if block.targets is None else array_fields(block.targets),
        "exception_id": nothing,
        "adjustment": nothing,
        "tenure": nothing
        if block.tenure is None
        else [str(days).encode() for days in block.tenure.astype(np.int64).tolist()],
        "segment": nothing if block.segments is None else _names(block.segments),
    }
    if block.exception_ids:
        names = [*(str(pk).encode() for pk in block.exception_ids), rb"\N"]  # the last one is for -1
        columns["exception_id"] = [names[place] for place in scores.exception.tolist()]
        columns["adjustment"] = number_fields(np.where(scores.exception < 0, np.nan, scores.adjustment))
    return b"\n".join(map(b"\t".join, zip(*(columns[name] for name in _OWN), strict=True))) + b"\n"


def _differs(table: str) -> str:
    """Whether the stored row says something else than the new one."""
    return f"({', '.join(f'{table}.{n}' for n in _VALUES)}) IS DISTINCT FROM ({', '.join(f'excluded.{n}' for n in _VALUES)})"


_TEMPORARY = "CREATE TEMPORARY TABLE IF NOT EXISTS scoring_incoming ({}) ON COMMIT DROP".format(
    ", ".join(f"{name} {kind}" for name, kind in COLUMNS if name in _OWN)
)

# A night's score is never rewritten. Only a row that was computed while its day was still running gives way to a newer one.
_HISTORY = f"""
INSERT INTO scoring_score (tenant_id, {", ".join(_OWN)})
SELECT %(tenant)s, {", ".join(_OWN)} FROM scoring_incoming ORDER BY account_id, day
ON CONFLICT (tenant_id, kind, account_id, day) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _VALUES)}
WHERE NOT scoring_score.is_final AND {_differs("scoring_score")}"""


def _current_sql(rows: str, previous: str) -> str:
    """The current row follows the history: forward to a newer day, or where the same day now says something else."""
    return f"""
INSERT INTO scoring_current (tenant_id, {", ".join(_OWN)}, {", ".join(_SINCE)}, previous_score, previous_band)
{rows}
ON CONFLICT (tenant_id, kind, account_id) DO UPDATE
SET day = excluded.day, {", ".join(f"{name} = excluded.{name}" for name in _VALUES + _SINCE)},
    previous_score = CASE WHEN excluded.day > scoring_current.day THEN {previous}score
                          ELSE scoring_current.previous_score END,
    previous_band = CASE WHEN excluded.day > scoring_current.day THEN {previous}band
                         ELSE scoring_current.previous_band END
WHERE excluded.day > scoring_current.day
   OR (excluded.day = scoring_current.day AND {_differs("scoring_current")})"""


def _since(row: str) -> str:
    """What an account's score was some days before the row's under its version, by the whole key of the history."""
    return ", ".join(
        "(SELECT e.score FROM scoring_score e WHERE e.tenant_id = %(tenant)s "
        f"AND e.kind = {row}.kind AND e.account_id = {row}.account_id AND e.day = {row}.day - {days} "
        f"AND e.version_id = {row}.version_id)"
        for days in SINCE
    )


# One day: what was stored just now goes on from the current row, and the history is not looked up again: during a first
# night it has no statistics, and the planner walks through all of the day for each account.
_ONE_DAY = f"""
WITH stored AS ({_HISTORY} RETURNING {", ".join(f"scoring_score.{name}" for name in _OWN)}),
current AS ({
    _current_sql(
        f'''SELECT %(tenant)s, {", ".join(_OWN)}, {_since("stored")}, NULL::double precision, NULL::smallint
FROM stored ORDER BY account_id''',
        "scoring_current.",
    )
} RETURNING 1)
SELECT (SELECT count(*) FROM stored), (SELECT count(*) FROM current)"""

# Many days: the last day but one is looked up by its whole key.
_MANY_DAYS = _current_sql(
    f"""SELECT s.tenant_id, {", ".join(f"s.{name}" for name in _OWN)}, {_since("s")}, p.score, p.band
FROM (SELECT DISTINCT ON (account_id) kind, account_id, day
      FROM scoring_incoming ORDER BY account_id, day DESC) AS i
JOIN scoring_score AS s
  ON s.tenant_id = %(tenant)s AND s.kind = i.kind AND s.account_id = i.account_id AND s.day = i.day
LEFT JOIN unnest(%(gaps)s::bigint[], %(before)s::date[]) AS g(account_id, day) ON g.account_id = i.account_id
LEFT JOIN scoring_score AS p ON p.tenant_id = %(tenant)s AND p.kind = i.kind AND p.account_id = i.account_id
  AND p.day = coalesce(g.day, i.day - 1)
WHERE s.tenant_id = %(tenant)s
ORDER BY s.account_id""",
    "excluded.previous_",
)


# Only of accounts whose last day stands alone in its block: the newest stored day before it, whenever that was.
_BEFORE = """
SELECT h.account_id, max(h.day) FROM scoring_score h
JOIN unnest(%(ids)s::bigint[], %(days)s::date[]) AS n(account_id, day) ON n.account_id = h.account_id AND h.day < n.day
WHERE h.tenant_id = %(tenant)s AND h.kind = %(kind)s AND h.account_id = ANY(%(ids)s::bigint[]) GROUP BY 1"""


def _alone(block: Block) -> tuple[list[int], list[date]]:
    """Accounts whose newest day in the block does not follow another one in it, and that day."""
    order = np.lexsort((block.day_index, block.account_ids))
    accounts, places = block.account_ids[order], block.day_index[order]
    days = np.array([day.toordinal() for day in block.days], dtype=np.int64)[places]
    last = np.append(accounts[1:] != accounts[:-1], True)
    follows = np.zeros(len(order), dtype=np.bool_)
    follows[1:] = (accounts[1:] == accounts[:-1]) & (days[1:] - days[:-1] == 1)
    found = np.flatnonzero(last & ~follows)
    return accounts[found].tolist(), [block.days[place] for place in places[found].tolist()]


def _before_gaps(cursor: Any, block: Block) -> dict[str, Any]:
    """The newest stored day before the newest one of the block, for accounts where that is not the day before."""
    accounts, days = _alone(block)
    rows = []
    if accounts:
        values = {"ids": accounts, "days": days, "tenant": block.tenant_id, "kind": block.kind_code}
        cursor.execute(_BEFORE, values)
        rows = cursor.fetchall()
    return {"gaps": [account for account, _day in rows], "before": [day for _account, day in rows]}


def write_block(block: Block) -> Written:
    """Store a block; a night that is stored already stays as it is."""
    written = Written()
    if not len(block.account_ids):
        return written
    with connection.cursor() as cursor:
        cursor.execute(_TEMPORARY)
        cursor.execute("TRUNCATE scoring_incoming")
        cursor.copy_expert(
            f"COPY scoring_incoming ({', '.join(_OWN)}) FROM STDIN", io.BytesIO(_copy_text(block))
        )
        if len(block.days) == 1:
            cursor.execute(_ONE_DAY, {"tenant": block.tenant_id})
            written.history, written.current = cursor.fetchone()
            return written
        cursor.execute(_HISTORY, {"tenant": block.tenant_id})
        written.history = cursor.rowcount
        # Before the tables have statistics the planner takes them for empty and scans them for each account.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(_MANY_DAYS, {"tenant": block.tenant_id, **_before_gaps(cursor, block)})
        written.current = cursor.rowcount
        cursor.execute("SET LOCAL enable_seqscan = on")
    return written
