"""What every probe of a night shares: the accounts of that day, their numbers, what was delivered, the answer's shape.

All rules together say first what they need; it is then read in one pass, a statement per table, and the probes only compute.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Min

from accounts.models import Tenant
from alerts.conditions import Array, Mask
from alerts.lifecycle import Key
from usage.asof import AsOfRelations, relations
from usage.models import Metric, SourceMetric
from usage.selectors import delivered_metrics
from usage.selectors.interruptions import interrupted_metrics

from .accounts import AccountColumn, Accounts, read_accounts
from .windows import CONTACTS, Window, read_windows

Kind = Metric.Kind
# Kinds whose silence is zero while a source delivers; the others are missing when nobody reports them.
SILENT_IS_ZERO = {Kind.ALL_EVENTS, Kind.COUNT, Kind.SUM, *CONTACTS}
LIVE_DAYS = 1  # a run for yesterday or today reads the rollups, one for an earlier day what was known then


@dataclass(frozen=True)
class Needs:
    """What a rule will ask of a night."""

    windows: Collection[Window] = ()
    columns: Collection[AccountColumn] = ()
    since: date | None = None  # first day of what a probe reads by itself


class OpenAlert(NamedTuple):
    """What probes may know of an alert that is open, or of a match that is waited out: the values that fired it."""

    id: int
    evidence: Mapping[str, Any]


Evidence = dict[str, Any]


def _nothing(_keys: Sequence[Key]) -> dict[Key, Evidence]:
    return {}


@dataclass
class Reading:
    """What a probe saw. `suspended`: its data was not delivered, so nothing opens and nothing resolves.

    Evidence is made for the keys that open only: most of what fires has fired before.
    """

    fires: set[Key] = field(default_factory=set)
    cleared: set[Key] = field(default_factory=set)
    evidence_of: Callable[[Sequence[Key]], dict[Key, Evidence]] = _nothing
    suspended: bool = False


@dataclass
class Night:
    """One tenant on one day that is over (or up to now)."""

    tenant: Tenant
    day: date
    known_until: datetime
    tables: AsOfRelations | None = None  # given by a caller that walks over many days
    _reaches: date | None = None
    _columns: set[AccountColumn] = field(default_factory=set)
    _read: dict[Window, Array] = field(default_factory=dict)
    _unbroken: dict[date, set[int]] = field(default_factory=dict)

    def prepare(self, needs: Iterable[Needs]) -> None:
        """Read at once what all rules will ask for."""
        found = list(needs)
        for need in found:
            self._columns.update(need.columns)
        firsts = [need.since for need in found if need.since is not None]
        windows = {window for need in found for window in need.windows if window.metric in self.metrics}
        if first := min([*firsts, *(window.first for window in windows)], default=None):
            self.relations_from(first)
        self._fetch(windows)

    # ── Accounts ────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def accounts(self) -> Accounts:
        """Every account of the tenant, in the order of ids."""
        return read_accounts(self.tenant, self.day, self._columns)

    @cached_property
    def alive(self) -> Mask:
        """Which of them had not churned by the end of the day."""
        return ~self.accounts.churned

    def account(self, column: AccountColumn) -> Array:
        """A number of every account; read with the others if it was said before, else by itself."""
        if column not in self.accounts.columns:
            self.accounts.columns.update(read_accounts(self.tenant, self.day, {column}).columns)
        return self.accounts.columns[column]

    def keys(self, mask: Mask, subject: str = "") -> set[Key]:
        """The accounts of a mask as keys."""
        return {(pk, subject) for pk in self.accounts.ids[mask].tolist()}

    def rows(self, account_ids: Collection[int]) -> dict[int, int]:
        """Where these accounts stand; those that are none are left out."""
        wanted = np.array(sorted(account_ids), dtype=np.int64)
        if not len(wanted) or not len(self.accounts.ids):
            return {}
        places = np.minimum(np.searchsorted(self.accounts.ids, wanted), len(self.accounts.ids) - 1)
        there = self.accounts.ids[places] == wanted
        return dict(zip(wanted[there].tolist(), places[there].tolist(), strict=True))

    # ── Metrics ─────────────────────────────────────────────────────────────────────────────────────────────────

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
        if since not in self._unbroken:
            self._unbroken[since] = interrupted_metrics(self.tenant, since, self.day, known_on=self.day)
        broken = self._unbroken[since]
        return [
            key
            for key in keys
            if self.is_delivered(key) and not broken & {part.pk for part in self._counted_parts(key)}
        ]

    def _counted_parts(self, key: str) -> list[Metric]:
        """The metrics behind a key whose silence is zero; for the others a silent source is merely missing."""
        return [part for part in self.parts(key) if part.kind in SILENT_IS_ZERO]

    def parts(self, key: str) -> list[Metric]:
        """The metrics that a key is read from: itself, or the two of a ratio."""
        metric = self.metrics.get(key)
        if metric is None:
            return []
        keys = [metric.numerator, metric.denominator] if metric.kind == Kind.RATIO else [key]
        return [self.metrics[part] for part in keys if part in self.metrics]

    def _is_fresh(self, metric: Metric) -> bool:
        if metric.kind == Kind.RATIO:
            return self.is_delivered(metric.numerator, metric.denominator)
        return metric.kind not in SILENT_IS_ZERO or metric.pk in self.delivered

    def values(self, keys: Sequence[str], *, until: date, days: int) -> dict[str, Array]:
        """For each metric, its value over the days that end with `until`; NaN where it is not known."""
        windows = {key: Window(key, until - timedelta(days=days - 1), until) for key in keys}
        self._fetch(set(windows.values()))
        return {key: self._value(window) for key, window in windows.items()}

    def _value(self, window: Window) -> Array:
        metric = self.metrics.get(window.metric)
        missing = np.full(len(self.accounts), np.nan)
        if metric is None:
            return missing
        if metric.kind == Kind.RATIO:
            parts = self.parts(metric.key)
            if len(parts) < 2:
                return missing
            top, bottom = (self._value(window._replace(metric=part.key)) for part in parts)
            known = np.nan_to_num(bottom) > 0
            shares: Array = np.divide(top, bottom, out=missing, where=known)
            return shares
        if window not in self._read:
            return missing
        column = self._read[window]
        if metric.kind in SILENT_IS_ZERO:
            known = self.accounts.first_seen <= window.last.toordinal()
            column = np.where(known, np.round(np.nan_to_num(column), metric.decimals), np.nan)
        # Before its first delivery a metric is zero only in windows for which history came later: nobody having any then
        # means that nobody counted it yet.
        first = self.first_delivery.get(metric.pk, window.last)
        if first > window.last and not (np.nan_to_num(column) > 0).any():
            return missing
        return column

    def _fetch(self, windows: set[Window]) -> None:
        """Read the windows that are not there yet, the parts of ratios in their place."""
        wanted = {
            window._replace(metric=part.key)
            for window in windows
            for part in self.parts(window.metric)
            if self._may_have(part)
        } - set(self._read)
        if not wanted:
            return
        tables = self.relations_from(min(window.first for window in wanted))
        self._read.update(read_windows(self.tenant, self.day, tables, wanted, self.metrics, self.accounts))

    def _may_have(self, metric: Metric) -> bool:
        """Whether there is anything to read: nobody knows what is not delivered, and what never came is not there."""
        if metric.kind in SILENT_IS_ZERO:
            return metric.pk in self.delivered
        return metric.kind in (Kind.STATE, Kind.SQL) or metric.pk in self.first_delivery

    def relations_from(self, first: date) -> AsOfRelations:
        """The relations to read days from `first` on: those of the pass where they reach back that far."""
        if self.tables is None or (self._reaches is not None and first < self._reaches):
            self.tables = self._relations(first)
        return self.tables

    def _relations(self, first: date) -> AsOfRelations:
        """The rollups, or for a past day what had been received by its end."""
        self._reaches = first
        late = self.day < self.tenant.today() - timedelta(days=LIVE_DAYS)
        reach = max((metric.hold_days for metric in self.metrics.values()), default=0)
        return relations(
            tenant=self.tenant,
            days=(first - timedelta(days=reach), self.day),
            cutoff=self.known_until if late else None,
        )

    @cached_property
    def first_delivery(self) -> dict[int, date]:
        """For each metric the day on which it was first received."""
        rows = (
            SourceMetric.objects.filter(tenant=self.tenant)
            .values_list("metric_id")
            .annotate(first=Min("first_on"))
        )
        return dict(rows)


def reading_of(
    night: Night,
    fires: Mask,
    clears: Mask,
    watched: Mapping[Key, OpenAlert],
    describe: Callable[[int], Evidence],
) -> Reading:
    """The answer of a rule whose findings are about accounts as such; `describe` gets the row of an account."""
    rows = night.rows([account for account, subject in watched if not subject])

    def evidence_of(keys: Sequence[Key]) -> dict[Key, Evidence]:
        places = night.rows([account for account, _subject in keys])
        return {key: describe(places[key[0]]) for key in keys}

    cleared = {(account, "") for account, row in rows.items() if clears[row]}
    return Reading(night.keys(fires), cleared, evidence_of)


def number(value: float) -> float | int:
    """A figure as evidence shows it: whole numbers without a fraction, others rounded to 1e-6."""
    rounded = round(float(value), 6)
    return int(rounded) if rounded.is_integer() else rounded
