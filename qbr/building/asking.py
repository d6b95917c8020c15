"""Which figures a pack asks for. More is asked than is shown: only what has a value is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from qbr.figures import Asked
from qbr.registers.months import month_of
from usage.models import Metric

Kind = Metric.Kind
# In the order in which a customer asks about them; a tenant's own metrics come after.
KPI_KEYS = (
    "sends", "active_users", "reply_rate", "demos_booked", "close_rate", "closed_amount", "variations",
    "features_used", "demo_rate", "closes", "no_show_rate", "reports", "nps", "csat", "all_events",
)  # fmt: skip
MOST_OWN = 6  # metrics that the tenant defined
WEEKLY = (Kind.ALL_EVENTS, Kind.COUNT, Kind.SUM, Kind.DISTINCT_USERS, Kind.RATIO)
COMPARED = (*WEEKLY, Kind.FEATURES_USED)
HIDDEN_KINDS = (Kind.STATE, Kind.SQL)  # what the team watches, not what the customer bought
Key = tuple[str, ...]
EVER = date(1970, 1, 1)  # the first day of a figure over everything that is known


@dataclass(frozen=True)
class Period:
    """What a review looks back on; `last` is no later than the day before the figures are made."""

    first: date
    last: date

    @property
    def parameters(self) -> dict[str, str]:
        """As a figure's parameters."""
        return {"first": self.first.isoformat(), "last": self.last.isoformat()}


def period_until(first: date, due_on: date, today: date) -> Period:
    """From a first day to the day before the review, as far as the days are over; one day at least."""
    last = min(due_on, today) - timedelta(days=1)
    return Period(min(first, last), last)


def kpi_metrics(metrics: Mapping[str, Metric]) -> list[Metric]:
    """The metrics that may be shown, most telling first."""
    shipped = [metrics[key] for key in KPI_KEYS if key in metrics]
    own = [
        metric
        for metric in metrics.values()
        if not metric.is_system and metric.kind not in HIDDEN_KINDS and metric.key not in KPI_KEYS
    ]
    return shipped + sorted(own, key=lambda metric: metric.pk)[:MOST_OWN]


def experiment_metrics(metrics: Mapping[str, Metric]) -> list[Metric]:
    """Ratios whose parts are kept apart by one dimension: what tests of variants are read from."""
    found = []
    for metric in metrics.values():
        parts = [metrics.get(metric.numerator), metrics.get(metric.denominator)]
        if metric.kind == Kind.RATIO and all(part and part.dimension for part in parts):
            top, bottom = parts
            if top and bottom and top.dimension == bottom.dimension:
                found.append(metric)
    return sorted(found, key=lambda metric: metric.pk)


def questions(
    account_id: int, period: Period, metrics: Mapping[str, Metric], currency: str
) -> Iterator[tuple[Key, Asked]]:
    """Each figure that may stand in the pack, with the place that it may take."""
    span = period.parameters
    for metric in kpi_metrics(metrics):
        about = {"metric": metric.key, **span}
        yield ("total", metric.key), Asked(account_id, "metric_total", about)
        if metric.kind in COMPARED:
            yield ("change", metric.key), Asked(account_id, "metric_change", about)
        if metric.kind in WEEKLY:
            yield ("weeks", metric.key), Asked(account_id, "metric_by_week", about)
    for metric in experiment_metrics(metrics):
        yield ("experiment", metric.key), Asked(account_id, "experiment", {"metric": metric.key, **span})
    if "ab_winners" in metrics and metrics["ab_winners"].dimension:
        yield ("winners",), Asked(account_id, "metric_by_key", {"metric": "ab_winners", **span})
    score = {"kind": "health", **span}
    yield ("score",), Asked(account_id, "score_on", score)
    yield ("score_change",), Asked(account_id, "score_change", score)
    yield ("score_weeks",), Asked(account_id, "score_by_week", score)
    if "seats_used" in metrics:
        yield ("seats",), Asked(account_id, "seats_used", span)
    for name in ("tickets_opened", "tickets_resolved", "tickets_open", "ticket_hours"):
        yield (name,), Asked(account_id, name, span)
    yield ("roi",), Asked(account_id, "roi_total", {**span, "currency": currency})
    whole = {"first": EVER.isoformat(), "last": month_of(period.last).isoformat(), "currency": currency}
    yield ("roi_all",), Asked(account_id, "roi_total", whole)
