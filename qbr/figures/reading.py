"""What figures are made from, as it was known at a moment: read for many accounts and many figures at once.

While a reading is open (`reading_for`), every query that runs under it takes from it what was read in advance, so a pack
costs a constant number of statements. A query that runs by itself opens one for its own account.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from accounts.models import Account, Tenant, Ticket
from qbr.models import RegisterChange, RoiEntry
from qbr.registers.history import RoiLine, roi_as_of
from scoring.models import KIND_CODES, StoredScore
from usage.asof import AsOfRelations, dimension_rows, relations
from usage.models import Feature, Metric
from usage.selectors import delivered_by_span

DAILY, DIMENSION, PEOPLE, DAYS, FEATURES, SCORES, TICKETS, ROI = (
    "daily", "dimension", "people", "days", "features", "scores", "tickets", "roi",
)  # fmt: skip


@dataclass(frozen=True)
class Need:
    """Something that a figure will ask for: a kind of reading, its key and the days, both included."""

    kind: str
    key: str
    first: date
    last: date


@dataclass(frozen=True)
class TicketFact:
    """A ticket as it was known."""

    external_id: str
    severity: str
    title: str
    opened_at: datetime
    resolved_at: datetime | None


Daily = list[tuple[date, float]]
Keyed = list[tuple[date, str, float]]
Scored = list[tuple[date, float | None, int, int]]  # day, score, band, version


class Reading:
    """Reads for one tenant, some accounts and one moment; `live` says that the moment is now."""

    def __init__(
        self, tenant: Tenant, account_ids: Sequence[int], as_of: datetime, *, live: bool = False
    ) -> None:
        self.tenant, self.account_ids, self.as_of = tenant, sorted(set(account_ids)), as_of
        self.live = live
        self._metrics: dict[str, Metric] | None = None
        self._first_seen: dict[int, date | None] | None = None
        self._delivered: dict[date, set[int]] = {}
        self._spans: dict[tuple[str, str], tuple[date, date]] = {}
        self._daily: dict[str, dict[int, Daily]] = {}
        self._keyed: dict[str, dict[int, Keyed]] = {}
        self._people: dict[Need, dict[int, list[tuple[Any, ...]]]] = {}
        self._scores: dict[str, dict[int, Scored]] = {}
        self._tickets: dict[int, list[TicketFact]] = {}
        self._roi: dict[int, list[RoiLine]] | None = None
        self._relations: tuple[date, date, AsOfRelations] | None = None
        self._features: dict[int, str] | None = None

    # ── What is known of metrics and accounts ────────────────────────────────────────────────────────────────────

    @property
    def metrics(self) -> dict[str, Metric]:
        """The active metrics by their keys."""
        if self._metrics is None:
            self._metrics = {m.key: m for m in Metric.objects.filter(tenant=self.tenant, active=True)}
        return self._metrics

    def first_seen(self, account_id: int) -> date | None:
        """The day on which the account was first seen."""
        if self._first_seen is None:
            rows = Account.objects.filter(tenant=self.tenant, pk__in=self.account_ids)
            self._first_seen = dict(rows.values_list("pk", "first_seen_on"))
        return self._first_seen.get(account_id)

    def is_zero(self, metric: Metric, account_id: int, last: date) -> bool:
        """Whether silence up to this day means zero: the account was there, and a fresh source delivers the metric."""
        if last not in self._delivered:
            self._read_delivered([last])
        seen = self.first_seen(account_id)
        return metric.pk in self._delivered[last] and seen is not None and seen <= last

    def _read_delivered(self, lasts: Sequence[date]) -> None:
        if lasts:
            found = delivered_by_span(self.tenant, {n: (last, last) for n, last in enumerate(lasts)})
            self._delivered |= {last: found[n] for n, last in enumerate(lasts)}

    # ── Reading in advance ───────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, needs: Iterable[Need]) -> None:
        """Read everything that is needed with one statement for each kind of reading."""
        by_kind: dict[str, list[Need]] = defaultdict(list)
        needs = list(needs)
        self._read_delivered(sorted({need.last for need in needs}))
        for need in dict.fromkeys(needs):
            by_kind[need.kind].append(need)
        if daily := by_kind.pop(DAILY, []):
            self._read_daily({need.key for need in daily}, *_union(daily))
        if keyed := by_kind.pop(DIMENSION, []):
            self._read_keyed({need.key for need in keyed}, *_union(keyed))
        if scores := by_kind.pop(SCORES, []):
            for kind in sorted({need.key for need in scores}):
                self._read_scores(kind, *_union([n for n in scores if n.key == kind]))
        if tickets := by_kind.pop(TICKETS, []):
            self._read_tickets(*_union(tickets))
        if by_kind.pop(ROI, []):
            self._read_roi()
        for kind in (PEOPLE, DAYS, FEATURES):
            if wanted := by_kind.pop(kind, []):
                self._read_people(kind, wanted)

    def _covers(self, kind: str, key: str, first: date, last: date) -> bool:
        span = self._spans.get((kind, key))
        return span is not None and span[0] <= first and last <= span[1]

    def _widened(self, kind: str, keys: Iterable[str], first: date, last: date) -> tuple[date, date]:
        """The days asked for together with those that were read before: what is read replaces it."""
        spans = [self._spans[(kind, key)] for key in keys if (kind, key) in self._spans]
        return min([first, *(s[0] for s in spans)]), max([last, *(s[1] for s in spans)])

    # ── Numbers by day ───────────────────────────────────────────────────────────────────────────────────────────

    def daily(self, account_id: int, key: str, first: date, last: date) -> Daily:
        """The values of a metric with a slot, one for each day that has one."""
        if not self._covers(DAILY, key, first, last):
            self._read_daily({key}, *self._widened(DAILY, [key], first, last))
        found = self._daily[key].get(account_id, [])
        return [(day, value) for day, value in found if first <= day <= last]

    def _read_daily(self, keys: set[str], first: date, last: date) -> None:
        chosen = [self.metrics[key] for key in sorted(keys) if key in self.metrics]
        slots = [metric for metric in chosen if metric.slot is not None]
        for key in keys:
            self._daily[key] = defaultdict(list)
            self._spans[(DAILY, key)] = (first, last)
        if not slots:
            return
        columns = ", ".join(f'u."values"[{int(metric.slot or 0)}]' for metric in slots)
        sql = (
            f"SELECT u.account_id, u.day, {columns} FROM {self._tables(first, last).day_table} u "
            "WHERE u.tenant_id = %s AND u.account_id = ANY(%s) AND u.day BETWEEN %s AND %s "
            "ORDER BY u.account_id, u.day, u.known_on"
        )
        parts: dict[tuple[str, int, date], float] = {}
        for account_id, day, *values in _rows(sql, [self.tenant.pk, self.account_ids, first, last]):
            for metric, value in zip(slots, values, strict=True):
                if value is not None:
                    place = (metric.key, account_id, day)
                    parts[place] = _joined(metric, parts.get(place), float(value))
        for (key, account_id, day), value in parts.items():
            self._daily[key][account_id].append((day, value))

    def keyed(self, account_id: int, key: str, first: date, last: date) -> Keyed:
        """The values of a metric with a dimension: (day, key, value)."""
        if not self._covers(DIMENSION, key, first, last):
            self._read_keyed({key}, *self._widened(DIMENSION, [key], first, last))
        found = self._keyed[key].get(account_id, [])
        return [row for row in found if first <= row[0] <= last]

    def _read_keyed(self, keys: set[str], first: date, last: date) -> None:
        ids = {self.metrics[key].pk: key for key in keys if key in self.metrics}
        for key in keys:
            self._keyed[key] = defaultdict(list)
            self._spans[(DIMENSION, key)] = (first, last)
        if not ids:
            return
        cutoff = self.as_of if self._is_past(first, last) else None
        found = dimension_rows(
            tenant=self.tenant,
            days=(first, last),
            cutoff=cutoff,
            account_ids=self.account_ids,
            metric_ids=list(ids),
        )
        for account_id, day, metric_id, key, value in found:
            self._keyed[ids[metric_id]][account_id].append((day, key, value))

    # ── People, days and features ────────────────────────────────────────────────────────────────────────────────

    def people(self, account_id: int, key: str, first: date, last: date) -> list[tuple[Any, ...]]:
        """Who was active: (contact id, active days, events), for a metric of distinct users."""
        return self._spanned(Need(PEOPLE, key, first, last), account_id)

    def active_days(self, account_id: int, first: date, last: date) -> list[tuple[Any, ...]]:
        """The days on which anything happened: (day, people)."""
        return self._spanned(Need(DAYS, "", first, last), account_id)

    def features(self, account_id: int, first: date, last: date) -> list[tuple[Any, ...]]:
        """The features that were used: (name, people, days)."""
        return self._spanned(Need(FEATURES, "", first, last), account_id)

    def _spanned(self, need: Need, account_id: int) -> list[tuple[Any, ...]]:
        if need not in self._people:
            self._read_people(need.kind, [need])
        return self._people[need].get(account_id, [])

    def _read_people(self, kind: str, needs: Sequence[Need]) -> None:
        first, last = _union(needs)
        table = self._tables(first, last).user_day_table
        chosen = [self._chosen(need.key) for need in needs]
        sql = _PEOPLE_SQL[kind].format(table=table)
        params = {
            "tenant": self.tenant.pk,
            "ids": self.account_ids,
            "numbers": list(range(len(needs))),
            "firsts": [need.first for need in needs],
            "lasts": [need.last for need in needs],
            "metrics": chosen,
        }
        for need in needs:
            self._people[need] = defaultdict(list)
        for number, account_id, *values in _rows(sql, params):
            if kind == FEATURES:
                values[0] = self._feature_name(values[0])
            self._people[needs[number]][account_id].append(tuple(values))

    def _chosen(self, key: str) -> int:
        """The id of a metric that counts users of some events only; 0 for all users."""
        metric = self.metrics.get(key)
        return metric.pk if metric is not None and metric.events else 0

    def _feature_name(self, feature_id: int) -> str:
        if self._features is None:
            rows = Feature.objects.filter(tenant=self.tenant)
            self._features = dict(rows.values_list("pk", "name"))
        return self._features.get(feature_id, str(feature_id))

    # ── Scores, tickets, the register of value ───────────────────────────────────────────────────────────────────

    def scores(self, account_id: int, kind: str, first: date, last: date) -> Scored:
        """Stored scores, rising by day; what is stored of a day that has ended never changes."""
        if not self._covers(SCORES, kind, first, last):
            self._read_scores(kind, *self._widened(SCORES, [kind], first, last))
        return [row for row in self._scores[kind].get(account_id, []) if first <= row[0] <= last]

    def _read_scores(self, kind: str, first: date, last: date) -> None:
        self._scores[kind] = defaultdict(list)
        self._spans[(SCORES, kind)] = (first, last)
        rows = StoredScore.objects.filter(
            tenant=self.tenant,
            kind=KIND_CODES[kind],
            account_id__in=self.account_ids,
            day__range=(first, last),
        ).order_by("day")
        found = rows.values_list("account_id", "day", "score", "band", "version_id")
        for account_id, day, score, band, version in found:
            self._scores[kind][account_id].append((day, score, band, version))

    def tickets(self, account_id: int, first: date, last: date) -> list[TicketFact]:
        """Tickets that were open at some time of these days, as they were known."""
        if not self._covers(TICKETS, "", first, last):
            self._read_tickets(*self._widened(TICKETS, [""], first, last))
        return self._tickets.get(account_id, [])

    def _read_tickets(self, first: date, last: date) -> None:
        self._tickets = defaultdict(list)
        self._spans[(TICKETS, "")] = (first, last)
        zone = self.tenant.tz
        after = last + timedelta(days=1)
        begin = datetime(first.year, first.month, first.day, tzinfo=zone)
        end = datetime(after.year, after.month, after.day, tzinfo=zone)
        rows = Ticket.objects.filter(
            Q(resolved_at=None) | Q(resolved_at__gte=begin),
            tenant=self.tenant,
            account_id__in=self.account_ids,
            opened_at__lt=end,
        )
        if not self.live:
            rows = rows.filter(received_at__lt=self.as_of, opened_at__lt=self.as_of)
        for ticket in rows.order_by("opened_at", "external_id"):
            resolved = ticket.resolved_at
            if not self.live and resolved is not None and resolved >= self.as_of:
                resolved = None
            self._tickets[ticket.account_id].append(
                TicketFact(ticket.external_id, ticket.severity, ticket.title, ticket.opened_at, resolved)
            )

    def roi(self, account_id: int) -> list[RoiLine]:
        """The entries of the ROI register as they stood."""
        if self._roi is None:
            self._read_roi()
        return (self._roi or {}).get(account_id, [])

    def _read_roi(self) -> None:
        entries = RoiEntry.objects.filter(tenant=self.tenant, account_id__in=self.account_ids)
        changes = RegisterChange.objects.filter(
            tenant=self.tenant, account_id__in=self.account_ids, register=RegisterChange.Register.ROI
        )
        later = () if self.live else changes.filter(at__gte=self.as_of).order_by("-id")
        self._roi = roi_as_of(entries.order_by("id"), later)

    # ── What was known when ──────────────────────────────────────────────────────────────────────────────────────

    def _tables(self, first: date, last: date) -> AsOfRelations:
        have = self._relations
        if have is not None and have[0] <= first and last <= have[1]:
            return have[2]
        cutoff = self.as_of if self._is_past(first, last) else None
        made = relations(
            tenant=self.tenant,
            days=(first, last),
            cutoff=cutoff,
            accounts=(self.account_ids[0], self.account_ids[-1]) if self.account_ids else (0, 0),
        )
        self._relations = (first, last, made)
        return made

    def _is_past(self, first: date, last: date) -> bool:
        """Whether anything arrived since; if not, the live rollups say what was known."""
        if self.live:
            return False
        params = {
            "tenant": self.tenant.pk,
            "ids": self.account_ids,
            "first": first,
            "last": last,
            "as_of": self.as_of,
        }
        return bool(_rows(_LATER_SQL, params)[0][0])


_LATER_SQL = """
SELECT EXISTS (
  SELECT 1 FROM usage_event e WHERE e.tenant_id = %(tenant)s AND e.account_id = ANY(%(ids)s)
    AND e.day BETWEEN %(first)s AND %(last)s AND e.received_at >= %(as_of)s
) OR EXISTS (
  SELECT 1 FROM usage_pushed_value p WHERE p.tenant_id = %(tenant)s AND p.account_id = ANY(%(ids)s)
    AND p.day BETWEEN %(first)s AND %(last)s AND p.received_at >= %(as_of)s
)
"""

_SPANS = (
    "FROM unnest(%(numbers)s::int[], %(firsts)s::date[], %(lasts)s::date[], %(metrics)s::bigint[]) "
    "AS w(n, first, last, metric) JOIN {table} u ON u.day BETWEEN w.first AND w.last "
    "WHERE u.tenant_id = %(tenant)s AND u.account_id = ANY(%(ids)s) "
)
_PEOPLE_SQL = {
    PEOPLE: "SELECT w.n, u.account_id, u.contact_id, count(DISTINCT u.day), sum(u.events)::bigint "
    + _SPANS
    + "AND u.contact_id > 0 AND (w.metric = 0 OR w.metric = ANY(u.metrics)) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    DAYS: "SELECT w.n, u.account_id, u.day, count(DISTINCT u.contact_id) " + _SPANS + "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    FEATURES: "SELECT w.n, u.account_id, f, count(DISTINCT u.contact_id), count(DISTINCT u.day) "
    + _SPANS.replace("WHERE", "CROSS JOIN LATERAL unnest(u.features) AS f WHERE")
    + "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
}  # fmt: skip


def _rows(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _union(needs: Sequence[Need]) -> tuple[date, date]:
    return min(need.first for need in needs), max(need.last for need in needs)


_ADDED = (Metric.Kind.ALL_EVENTS, Metric.Kind.COUNT, Metric.Kind.SUM)


def _joined(metric: Metric, before: float | None, value: float) -> float:
    """Of one day there may be a row for each day on which more of it became known."""
    if before is None:
        return value
    if metric.kind in _ADDED:
        return round(before + value, metric.decimals)
    return max(before, value) if metric.kind == Metric.Kind.MAX else value


_open: ContextVar[Reading | None] = ContextVar("figure_reading", default=None)


@contextmanager
def reading_for(
    tenant: Tenant, account_ids: Sequence[int], as_of: datetime, *, live: bool = False
) -> Iterator[Reading]:
    """Let every query that runs inside for this moment take from one reading."""
    reading = Reading(tenant, account_ids, as_of, live=live)
    token = _open.set(reading)
    try:
        yield reading
    finally:
        _open.reset(token)


def current_reading(tenant: Tenant, account_id: int, as_of: datetime) -> Reading:
    """The reading that is open for this account and moment, else one of its own."""
    reading = _open.get()
    if reading is not None and account_id in reading.account_ids and reading.as_of == as_of:
        return reading
    return Reading(tenant, [account_id], as_of)
