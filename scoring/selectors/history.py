"""Scores over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from accounts.models import Tenant
from scoring.models import KIND_CODES, StoredScore

from .explanation import band_name


def score_history(
    tenant: Tenant, account_id: int, *, kind: str = "health", first: date, last: date, limit: int
) -> list[dict[str, Any]]:
    """One line per stored day, rising: one query."""
    rows = (
        StoredScore.objects.filter(
            tenant=tenant, kind=KIND_CODES[kind], account_id=account_id, day__range=(first, last)
        )
        .order_by("day")
        .values_list("day", "score", "band", "coverage", "is_new", "version__model__key", "version__number")[
            :limit
        ]
    )
    return [
        {
            "on": day.isoformat(),
            "score": score,
            "band": band_name(KIND_CODES[kind], band),
            "coverage": coverage,
            "new": new,
            "model": {"key": key, "version": number},
        }
        for day, score, band, coverage, new, key, number in rows
    ]


def score_series(
    tenant: Tenant, account_ids: Sequence[int], *, kind: str = "health", last: date, days: int = 30
) -> dict[int, list[float | None]]:
    """The last days' scores of several accounts, one list each with a gap where nothing is stored: for sparklines."""
    first = last - timedelta(days=days - 1)
    series: dict[int, list[float | None]] = {account_id: [None] * days for account_id in account_ids}
    rows = StoredScore.objects.filter(
        tenant=tenant, kind=KIND_CODES[kind], account_id__in=list(account_ids), day__range=(first, last)
    ).values_list("account_id", "day", "score")
    for account_id, day, score in rows:
        series[account_id][(day - first).days] = score
    return series
