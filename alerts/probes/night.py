"""What every probe of a night shares: the accounts alive that day, what was delivered, and the answer's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from django.db.models import F, Min, Q
from django.db.models.functions import Coalesce

from accounts.models import Account, Tenant
from alerts.conditions import Array, Mask
from usage.models import Metric, SourceMetric
from usage.selectors import delivered_metrics, metric_values
from usage.selectors.interruptions import interrupted_metrics

Key = tuple[int, str]  # account, subject
# Kinds whose silence is zero while a source delivers; the others are missing when nobody reports them.
SILENT_IS_ZERO = {
    Metric.Kind.ALL_EVENTS,
    Metric.Kind.COUNT,
    Metric.Kind.SUM,
    Metric.Kind.DISTINCT_USERS,
    Metric.Kind.ACTIVE_DAYS,
    Metric.Kind.FEATURES_USED,
}


class LiveAccount(NamedTuple):
    """An account that had not churned on the day."""

    id: int
    started_on: date | None  # go-live, else first seen
    targets: Mapping[str, Any]


class OpenAlert(NamedTuple):
    """What probes may know of an alert that is open: the values that fired it."""

    id: int
    evidence: Mapping[str, Any]


@dataclass
class Reading:
    """What a probe saw. `suspended`: its data was not delivered, so nothing opens and nothing resolves."""

    fires: dict[Key, dict[str, Any]] = field(default_factory=dict)
    cleared: set[Key] = field(default_factory=set)
    suspended: bool = False


@dataclass
class Night:
    """One tenant on one day that is over (or up to now)."""

    tenant: Tenant
    day: date
    known_until: datetime

    @cached_property
    def accounts(self) -> list[LiveAccount]:
        """Every account that had not churned by the end of the day."""
        rows = (
            Account.objects.filter(tenant=self.tenant)
            .filter(Q(churned_on=None) | Q(churned_on__gt=self.day))
            .exclude(stage="churned")
            .order_by("id")
            .values_list("id", Coalesce(F("go_live_on"), F("first_seen_on")), "targets")
        )
        return [LiveAccount(*row) for row in rows]

    @cached_property
    def account_ids(self) -> set[int]:
        """The ids of `accounts`."""
        return {account.id for account in self.accounts}

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The tenant's active metrics by key."""
        return {metric.key: metric for metric in Metric.objects.filter(tenant=self.tenant, active=True)}

    @cached_property
    def delivered(self) -> set[int]:
        """Metrics whose source is fresh on the day."""
        return set(delivered_metrics(self.tenant, self.day))

    def is_delivered(self, *keys: str) -> bool:
        """Whether every one of these metrics exists and comes from a source that is fresh."""
        return all(key in self.metrics and self._is_fresh(self.metrics[key]) for key in keys)

    def unbroken(self, keys: Sequence[str], *, since: date) -> list[str]:
        """Of these metrics, the delivered ones whose silence since then is silence and not an interrupted source."""
        broken = interrupted_metrics(self.tenant, since, self.day, known_on=self.day)
        return [
            key
            for key in keys
            if self.is_delivered(key) and not broken & {part.pk for part in self._counted_parts(key)}
        ]

    def _counted_parts(self, key: str) -> list[Metric]:
        """The metrics behind a key whose silence is zero; for the others a silent source is merely missing."""
        metric = self.metrics[key]
        keys = [metric.numerator, metric.denominator] if metric.kind == Metric.Kind.RATIO else [key]
        return [self.metrics[part] for part in keys if self.metrics[part].kind in SILENT_IS_ZERO]

    def _is_fresh(self, metric: Metric) -> bool:
        if metric.kind == Metric.Kind.RATIO:
            return self.is_delivered(metric.numerator, metric.denominator)
        return metric.kind not in SILENT_IS_ZERO or metric.pk in self.delivered

    def values(
        self, keys: Sequence[str], *, until: date, days: int, accounts: Sequence[LiveAccount]
    ) -> dict[str, Array]:
        """For each metric, its value over the window in the order of `accounts`; NaN where it is not known."""
        everybody = len(accounts) == len(self.accounts)
        found = metric_values(
            self.tenant,
            keys,
            until,
            window_days=days,
            known_on=self.day,
            account_ids=None if everybody else [account.id for account in accounts],
        )
        empty: dict[str, float | None] = {}
        columns = {
            key: np.array([found.get(account.id, empty).get(key) for account in accounts], dtype=np.float64)
            for key in keys
        }
        for key, column in columns.items():
            # Before its first delivery a metric is zero only in windows for which history came later: nobody having any
            # then means that nobody counted it yet.
            if (
                self.first_delivery.get(self.metrics[key].pk, until) > until
                and not (np.nan_to_num(column) > 0).any()
            ):
                column[:] = np.nan
        return columns

    @cached_property
    def first_delivery(self) -> dict[int, date]:
        """For each metric the day on which it was first received."""
        rows = (
            SourceMetric.objects.filter(tenant=self.tenant)
            .values_list("metric_id")
            .annotate(first=Min("first_on"))
        )
        return dict(rows)


def selected(accounts: Sequence[LiveAccount], mask: Mask) -> list[tuple[int, LiveAccount]]:
    """Position and account wherever the mask is set."""
    return [(int(index), accounts[int(index)]) for index in np.flatnonzero(mask)]


def cleared_keys(
    accounts: Sequence[LiveAccount], mask: Mask, open_alerts: Mapping[Key, OpenAlert]
) -> set[Key]:
    """Open alerts without a subject whose account is set in the mask."""
    return {
        (account.id, "") for _index, account in selected(accounts, mask) if (account.id, "") in open_alerts
    }


def number(value: float) -> float | int:
    """A figure as evidence shows it: whole numbers without a fraction, others rounded to 1e-6."""
    rounded = round(float(value), 6)
    return int(rounded) if rounded.is_integer() else rounded
