"""Cases in and out of their table."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
from django.db import connection

from accounts.models import Tenant
from usage.copying import NULL, copy_rows

from .cases import Cases

_INCOMING = (
    "cut_on date, account_id bigint, score double precision, published double precision, band smallint, "
    "components double precision[], recency double precision, events double precision, outcome boolean, outcome_on date"
)
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


def read_cases(tenant: Tenant, backtest_id: int, components: int) -> Cases:
    """All cases of a backtest: as text, which a table of columns is made from without an object for each number."""
    import pandas as pd

    parts = "".join(f", components[{place}] AS v{place}" for place in range(1, components + 1))
    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        sql = cursor.mogrify(
            "SELECT account_id, cut_on - date '0001-01-01' + 1 AS cut, score, published, band, recency, events, "
            f"outcome::int AS outcome, outcome_on - date '0001-01-01' + 1 AS happened{parts} "
            "FROM scoring_backtest_case WHERE tenant_id = %s AND backtest_id = %s ORDER BY cut_on, account_id",
            [tenant.pk, backtest_id],
        ).decode()
        cursor.copy_expert(f"COPY ({sql}) TO STDOUT WITH (FORMAT csv, HEADER)", buffer)
    buffer.seek(0)
    whole = {"account_id": np.int64, "cut": np.int64, "band": np.int64, "outcome": bool, "happened": np.int64}
    table = pd.read_csv(
        buffer,
        dtype={
            name: whole.get(name, np.float64)
            for name in (
                *whole,
                "score",
                "published",
                "recency",
                "events",
                *(f"v{n}" for n in range(1, components + 1)),
            )
        }
        | {"outcome": np.int64},
    )
    return Cases(
        account=table["account_id"].to_numpy(),
        on=table["cut"].to_numpy(),
        score=table["score"].to_numpy(),
        published=table["published"].to_numpy(),
        band=table["band"].to_numpy(),
        values=table[[f"v{n}" for n in range(1, components + 1)]].to_numpy(),
        recency=table["recency"].to_numpy(),
        events=table["events"].to_numpy(),
        outcome=table["outcome"].to_numpy() > 0,
        outcome_on=table["happened"].to_numpy(),
    )


def forget_cases(tenant: Tenant, backtest_id: int) -> None:
    """The cases have served."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM scoring_backtest_case WHERE tenant_id = %s AND backtest_id = %s",
            [tenant.pk, backtest_id],
        )
