"""Columns of numbers out of PostgreSQL: binary COPY of doubles, read as one array without a Python object per value.

Every column is cast to double precision and missing ones become NaN, so each row has the same length and numpy can look at
the bytes as they came. A hundred thousand accounts with thirty columns take a tenth of the time of fetching tuples.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection

from alerts.conditions import Array

_HEADER = 19  # signature, flags, length of the extension, which is empty


def read_columns(source: str, columns: Sequence[str], parameters: Mapping[str, Any]) -> Array:
    """Rows × columns of `SELECT columns source`; NULL is NaN. The parameters fill both."""
    picked = ", ".join(f"coalesce(({column})::float8, 'NaN'::float8)" for column in columns)
    target = io.BytesIO()
    with connection.cursor() as cursor:
        statement = cursor.mogrify(f"SELECT {picked} {source}", dict(parameters)).decode()
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", target)
    data = target.getbuffer()
    width = len(columns)
    record = np.dtype(
        [("fields", ">i2"), *((f"c{n}", [("length", ">i4"), ("value", ">f8")]) for n in range(width))]
    )
    count = (len(data) - _HEADER - 2) // record.itemsize
    rows = np.frombuffer(data, dtype=record, count=count, offset=_HEADER)
    out = np.empty((count, width))
    for n in range(width):
        out[:, n] = rows[f"c{n}"]["value"]
    return out
