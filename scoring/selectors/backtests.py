"""Reads of backtests: the newest result, what there is to replay, the probability behind a score."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import Case, IntegerField, QuerySet, Value, When

from accounts.models import Tenant
from scoring.backtest.parameters import Limits
from scoring.models import Backtest, ScoreModel, Version

_EVENTS = "SELECT min(day), max(day) FROM usage_event WHERE tenant_id = %s"
_RECEIVED = "SELECT min(received_on), max(received_on) FROM usage_source_day WHERE tenant_id = %s"
_PUSHED = """
SELECT min(day), max(day), min(received_at AT TIME ZONE %s)::date, max(received_at AT TIME ZONE %s)::date
FROM usage_pushed_value WHERE tenant_id = %s"""
_CHURNED = "SELECT count(churned_on), max(churned_on) FROM accounts_account WHERE tenant_id = %s AND churned_on <= %s"
_SUBSCRIPTIONS = "SELECT count(*) FROM accounts_subscription WHERE tenant_id = %s"


def history_limits(tenant: Tenant, today: date) -> Limits:
    """What there is to replay; where there are no events, what was pushed counts as the history."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, [tenant.pk])
        first_event, last_event = cursor.fetchone()
        cursor.execute(_RECEIVED, [tenant.pk])
        first_received, last_received = cursor.fetchone()
        cursor.execute(_CHURNED, [tenant.pk, today])
        churn_dates, last_churn = cursor.fetchone()
        cursor.execute(_SUBSCRIPTIONS, [tenant.pk])
        (subscriptions,) = cursor.fetchone()
        has_events = first_event is not None
        if not has_events:
            cursor.execute(_PUSHED, [tenant.timezone, tenant.timezone, tenant.pk])
            first_event, last_event, first_received, last_received = cursor.fetchone()
    return Limits(
        first_event,
        last_event,
        first_received,
        last_received,
        churn_dates,
        last_churn,
        subscriptions,
        has_events,
    )


def backtests(tenant: Tenant) -> QuerySet[Backtest]:
    """All backtests, newest first."""
    return (
        Backtest.objects.filter(tenant=tenant)
        .select_related("version__model", "requested_by__user")
        .order_by("-id")
    )


def backtest(tenant: Tenant, pk: int) -> Backtest | None:
    """One of them."""
    return backtests(tenant).filter(pk=pk).first()


def latest_backtest(tenant: Tenant) -> Backtest | None:
    """The newest finished backtest of the default health model, one of the published version before all others."""
    published_first = Case(
        When(version__state=Version.State.PUBLISHED, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    return (
        backtests(tenant)
        .filter(
            state=Backtest.State.DONE,
            version__model__kind=ScoreModel.Kind.HEALTH,
            version__model__is_default=True,
        )
        .order_by(published_first, "-id")
        .first()
    )


def backtest_of_version(tenant: Tenant, version_id: int) -> Backtest | None:
    """The newest finished backtest of one version."""
    return backtests(tenant).filter(state=Backtest.State.DONE, version_id=version_id).first()


@dataclass(frozen=True)
class Chance:
    """How often accounts with a score like this one had the outcome within the horizon; shares are 0-1."""

    outcome: str
    horizon_days: int
    probability: float
    n: int
    low: float | None
    high: float | None
    method: str
    tested_on: date


def chance_of(found: Backtest | None, score: float | None) -> Chance | None:
    """The calibrated probability behind a score; None without a calibration."""
    if found is None or score is None or not found.figures:
        return None
    calibration: dict[str, Any] = found.figures.get("calibration") or {}
    levels = calibration.get("levels")
    if not calibration.get("curve") or not levels:
        return None
    level = next((one for one in levels if score <= one["to"]), levels[-1])
    made = found.finished_at or found.created_at
    return Chance(
        outcome=found.parameters["outcome"],
        horizon_days=found.parameters["horizon_days"],
        probability=_between(calibration["curve"]["points"], score),
        n=level["rate"]["n"],
        low=level["rate"]["low"],
        high=level["rate"]["high"],
        method=calibration["curve"]["method"],
        tested_on=made.date(),
    )


def _between(points: list[list[float]], score: float) -> float:
    """The curve at a score: a line between its points, level outside them."""
    if score <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if score <= x1:
            return y0 if x1 == x0 else y0 + (y1 - y0) * (score - x0) / (x1 - x0)
    return points[-1][1]
