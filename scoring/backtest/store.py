"""Cases in and out of their table."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Tenant
from usage.copying import NULL, copy_rows

from .cases import Cases

_INCOMING = (
    "cut_on date, account_id bigint, score double precision, published double precision, band smallint, "
    "components double precision[], recency double precision, events double precision, outcome boolean, outcome_on date"
)
# As many cases as are resampled in less than half a gigabyte; more would make the intervals no narrower that anybody sees.
MOST_CASES = 500_000
_HASHES = 2**32
# Whole accounts, the same ones whenever it is asked: Knuth's multiplicative hash throws neighbouring ids far apart.
_DRAWN = "(account_id * 2654435761) & 4294967295 < {below}"
_NAMES = "cut_on, account_id, score, published, band, components, recency, events, outcome, outcome_on"


def write_cases(tenant: Tenant, backtest_id: int, cases: Cases) -> None:
    """Store the cases of a chunk; one that runs again replaces what it wrote."""
    with connection.cursor() as cursor:
        copy_rows(cursor, "backtest_incoming", _INCOMING, (_line(cases, row) for row in range(len(cases))))
        cursor.execute(
            f"INSERT INTO scoring_backtest_case AS c (tenant_id, backtest_id, {_NAMES}) "
            f"SELECT %s, %s, {_NAMES} FROM backtest_incoming ORDER BY cut_on, account_id "
            "ON CONFLICT (tenant_id, backtest_id, cut_on, account_id) DO NOTHING",
            [tenant.pk, backtest_id],
        )


def _line(cases: Cases, row: int) -> str:
    values = ",".join("NULL" if np.isnan(value) else repr(float(value)) for value in cases.values[row])
    return "\t".join(
        (
            date.fromordinal(int(cases.on[row])).isoformat(),
            str(int(cases.account[row])),
            _number(cases.score[row]),
            _number(cases.published[row]),
            str(int(cases.band[row])),
            "{" + values + "}",
            _number(cases.recency[row]),
            _number(cases.events[row]),
            "t" if cases.outcome[row] else "f",
            date.fromordinal(int(cases.outcome_on[row])).isoformat(),
        )
    )


def _number(value: float) -> str:
    return NULL if np.isnan(value) else repr(float(value))


def read_cases(
    tenant: Tenant, backtest_id: int, components: int, most: int = MOST_CASES
) -> tuple[Cases, int]:
    """The cases of a backtest and how many there are: of more than `most`, those of accounts drawn from all of them.

    A date at a time, as text, which columns are made from without an object for each number: all at once the text and its
    table were larger than the cases themselves.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM scoring_backtest_case WHERE tenant_id = %s AND backtest_id = %s",
            [tenant.pk, backtest_id],
        )
        everything = cursor.fetchone()[0]
        drawn = _DRAWN.format(below=min(round(_HASHES * most / max(everything, 1)), _HASHES))
        cursor.execute(
            "SELECT cut_on, count(*) FROM scoring_backtest_case WHERE tenant_id = %s AND backtest_id = %s "
            f"AND {drawn} GROUP BY 1 ORDER BY 1",
            [tenant.pk, backtest_id],
        )
        sizes = cursor.fetchall()
        rows = sum(count for _day, count in sizes)
        whole = {
            name: np.empty(rows, dtype=np.int64) for name in ("account_id", "band", "outcome", "happened")
        }
        numbers = {name: np.empty(rows) for name in ("score", "published", "recency", "events")}
        values = np.empty((rows, components))
        start = 0
        for day, count in sizes:
            part = slice(start, start + count)
            table = _read_date(cursor, tenant, backtest_id, components, day, drawn, {**whole, **numbers})
            for name, column in {**whole, **numbers}.items():
                column[part] = table[name]
            for place in range(components):
                values[part, place] = table[f"v{place + 1}"]
            start += count
    cases = Cases(
        account=whole["account_id"],
        on=np.repeat(
            np.array([day.toordinal() for day, _n in sizes], dtype=np.int64), [n for _d, n in sizes]
        ),
        score=numbers["score"],
        published=numbers["published"],
        band=whole["band"],
        values=values,
        recency=numbers["recency"],
        events=numbers["events"],
        outcome=whole["outcome"] > 0,
        outcome_on=whole["happened"],
    )
    return cases, everything


def _read_date(
    cursor: Any,
    tenant: Tenant,
    backtest_id: int,
    components: int,
    day: date,
    drawn: str,
    columns: Mapping[str, NDArray[Any]],
) -> Any:
    """The cases of one date as a table of columns."""
    import pandas as pd

    parts = [f"v{place}" for place in range(1, components + 1)]
    picked = "".join(f", components[{place}] AS v{place}" for place in range(1, components + 1))
    buffer = io.BytesIO()
    sql = cursor.mogrify(
        "SELECT account_id, score, published, band, recency, events, outcome::int AS outcome, "
        f"outcome_on - date '0001-01-01' + 1 AS happened{picked} "
        "FROM scoring_backtest_case WHERE tenant_id = %s AND backtest_id = %s AND cut_on = %s "
        f"AND {drawn} ORDER BY account_id",
        [tenant.pk, backtest_id, day],
    ).decode()
    cursor.copy_expert(f"COPY ({sql}) TO STDOUT WITH (FORMAT csv, HEADER)", buffer)
    buffer.seek(0)
    kinds = {name: column.dtype for name, column in columns.items()} | dict.fromkeys(
        parts, np.dtype(np.float64)
    )
    return pd.read_csv(buffer, dtype=kinds)


def forget_cases(tenant: Tenant, backtest_id: int) -> None:
    """The cases have served."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM scoring_backtest_case WHERE tenant_id = %s AND backtest_id = %s",
            [tenant.pk, backtest_id],
        )
