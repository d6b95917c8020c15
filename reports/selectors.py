"""What pages, files, mails and the API show: the stored sums of a slice, made into figures. A constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from accounts.models import Tenant
from reports.days import MONTHS, POINTS, keeps_its_place, months_before
from reports.definitions import REPORTS
from reports.formulas import Kind, Sums, Verdict, change_of, value_of, verdict_of
from reports.models import ReportDay
from reports.scope import EVERYBODY, Slice
from reports.services.keeping import DAY, MONTH
from reports.shape import Part, Report

FEW_POINTS = 8  # below so many weeks a line is drawn through every day there is
MOST_DAYS = 60
Cell = dict[str, Sums]  # by currency


@dataclass(frozen=True)
class Target:
    """What is aimed at: as shipped, or as the company said."""

    low: Decimal | None = None
    high: Decimal | None = None
    is_own: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure of a slice on a day, beside the one that it is compared with."""

    report: Report
    part: Part
    sums: Sums | None
    value: Decimal | None
    currency: str = ""
    day: date | None = None
    earlier: Decimal | None = None
    earlier_n: int = 0
    earlier_day: date | None = None
    target: Target = Target()
    others: tuple[tuple[str, Decimal], ...] = ()  # the same in other currencies

    @property
    def n(self) -> int:
        """Of how many it is."""
        return n_of(self.part, self.sums)

    @property
    def change(self) -> Decimal | None:
        """By how much it moved."""
        return change_of(self.value, self.earlier)

    @property
    def verdict(self) -> Verdict:
        """Whether it is what was aimed at; parts beside the headline have no target."""
        if self.part.key != self.report.headline.key:
            return Verdict.UNKNOWN
        return verdict_of(self.report.aim, self.value, self.target.low, self.target.high, self.earlier)


def n_of(part: Part, sums: Sums | None) -> int:
    """Of how many a figure is: rows, or people where its parts are people."""
    if sums is None:
        return 0
    return int(sums.denominator) if part.n_of_parts else sums.n


@dataclass(frozen=True)
class Days:
    """The stored days that a figure and its comparison are of; months have their own."""

    day: date | None = None
    earlier: date | None = None
    month: date | None = None
    earlier_month: date | None = None

    def of(self, report: Report) -> tuple[date | None, date | None]:
        """The day of a report and the one it is compared with."""
        return (self.month, self.earlier_month) if report.monthly else (self.day, self.earlier)


@dataclass(frozen=True)
class Line:
    """A bar of a breakdown: a slice with its figure."""

    key: str
    sums: Sums
    value: Decimal | None
    n: int


@dataclass(frozen=True)
class Point:
    """A day of a line: each part's figure."""

    day: date
    values: Mapping[str, Decimal | None]
    ns: Mapping[str, int]


@dataclass(frozen=True)
class ReportPage:
    """Everything that a report says of a slice."""

    report: Report
    days: int
    slice: Slice
    currency: str
    figures: dict[str, Figure] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    breakdowns: dict[str, list[Line]] = field(default_factory=dict)

    @property
    def headline(self) -> Figure:
        """The figure that the report is known for."""
        return self.figures[self.report.headline.key]


MARKS_SQL = """
SELECT day, part FROM reports_day
WHERE tenant_id = %(tenant)s AND metric = '' AND dimension = 'all' AND key = '' AND days = 0
  AND day > %(since)s AND day <= %(on)s ORDER BY day
"""


def stored_days(tenant: Tenant, on: date, since: date) -> tuple[list[date], list[date]]:
    """The days that were kept, and the ends of months; the oldest first. One query."""
    with connection.cursor() as cursor:
        cursor.execute(MARKS_SQL, {"tenant": tenant.pk, "on": on, "since": since})
        rows = cursor.fetchall()
    return [day for day, part in rows if part == DAY], [day for day, part in rows if part == MONTH]


def compared(days: Sequence[date], months: Sequence[date], window: int) -> Days:
    """The newest day and month, and those that lie a window before them."""
    day, month = days[-1] if days else None, months[-1] if months else None
    earlier = earlier_month = None
    if day is not None:
        earlier = max((one for one in days if one <= day - timedelta(days=window)), default=None)
    if month is not None:
        limit = months_before(month, MONTHS[window] - 1)  # of the window's first month
        earlier_month = max((one for one in months if one < limit), default=None)
    return Days(day, earlier, month, earlier_month)


SUMS_SQL = """
SELECT metric, days, part, day, currency, sum(numerator), sum(denominator), sum(n)::bigint,
       CASE WHEN count(*) = 1 THEN max(median) END
FROM reports_day
WHERE tenant_id = %(tenant)s AND metric = ANY(%(metrics)s) AND dimension = %(dimension)s AND key = ANY(%(keys)s)
  AND days = ANY(%(windows)s) AND day = ANY(%(days)s)
  AND (%(line)s::text[] IS NULL OR part = ANY(%(line)s) OR day = ANY(%(whole)s::date[]))
GROUP BY metric, days, part, day, currency
"""


def _sums(
    tenant: Tenant,
    reports: Iterable[Report],
    which: Slice,
    window: int,
    days: Iterable[date | None],
    *,
    line: Collection[str] | None = None,
    drawn: Iterable[date] = (),
) -> dict[tuple[str, date, str], Cell]:
    """Report, day and part → the sums by currency; of the days that are only `drawn` the parts of the `line`. One query."""
    wanted = {report.key: report.window(window) for report in reports}
    whole = [day for day in days if day is not None]
    found: dict[tuple[str, date, str], Cell] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(
            SUMS_SQL,
            {
                "tenant": tenant.pk,
                "metrics": list(wanted),
                "dimension": which.dimension,
                "keys": list(which.keys),
                "windows": [0, window],
                "days": [*whole, *drawn],
                "line": None if line is None else list(line),
                "whole": whole,
            },
        )
        for metric, kept, part, day, currency, numerator, denominator, n, median in cursor.fetchall():
            if kept == wanted[metric]:
                found[metric, day, part][currency] = Sums(numerator, denominator, n, median)
    return found


def targets_of(tenant: Tenant) -> dict[str, Target]:
    """What each report aims at. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT metric, low, high FROM reports_reporttarget WHERE tenant_id = %s", [tenant.pk])
        own = {metric: Target(low, high, True) for metric, low, high in cursor.fetchall()}
    return {report.key: own.get(report.key) or Target(report.low, report.high) for report in REPORTS}


def empty_value(part: Part, kept: bool) -> Decimal | None:
    """What a figure without rows is: nobody counted is 0 of something that is counted, and nothing of a share."""
    return Decimal(0) if kept and part.kind in (Kind.COUNT, Kind.MONEY) else None


def _figure(
    report: Report,
    part: Part,
    found: Mapping[tuple[str, date, str], Cell],
    days: tuple[date | None, date | None],
    main: str,
    target: Target,
) -> Figure:
    day, earlier_day = days
    cell = {} if day is None else found.get((report.key, day, part.key), {})
    before = {} if earlier_day is None else found.get((report.key, earlier_day, part.key), {})
    currency = main if part.is_money else ""
    sums, sums_before = cell.get(currency), before.get(currency)
    value = value_of(part.kind, sums) if sums else empty_value(part, day is not None)
    earlier = value_of(part.kind, sums_before) if sums_before else empty_value(part, earlier_day is not None)
    others = [
        (name, made)
        for name, one in sorted(cell.items())
        if name != currency and (made := value_of(part.kind, one)) is not None
    ]
    return Figure(
        report,
        part,
        sums,
        value,
        currency,
        day,
        earlier,
        n_of(part, sums_before),
        earlier_day,
        target,
        tuple(others),
    )


def all_figures(
    tenant: Tenant, *, which: Slice = EVERYBODY, window: int, on: date | None = None
) -> dict[str, dict[str, Figure]]:
    """Every report's figures: report → part → figure. Three queries."""
    until = on or tenant.today()
    days = compared(*stored_days(tenant, until, until - timedelta(days=3 * 366)), window)
    found = _sums(tenant, REPORTS, which, window, {days.day, days.earlier, days.month, days.earlier_month})
    targets = targets_of(tenant)
    return {
        report.key: {
            part.key: _figure(report, part, found, days.of(report), tenant.currency, targets[report.key])
            for part in report.parts
        }
        for report in REPORTS
    }


def stored_day(tenant: Tenant, report: Report, *, window: int, on: date | None = None) -> date | None:
    """The newest stored day that a report's figures are of, by a day. One query."""
    until = on or tenant.today()
    return compared(*stored_days(tenant, until, until - timedelta(days=3 * 366)), window).of(report)[0]


def report_page(
    tenant: Tenant,
    report: Report,
    *,
    which: Slice = EVERYBODY,
    window: int,
    on: date | None = None,
    breakdowns: Collection[str] = (),
    only_drawn: bool = False,
) -> ReportPage:
    """One report: its figures, its line over a year, and on its day the bars of some dimensions. Four queries.

    The points of the line have every part, or those alone that a chart draws.
    """
    until = on or tenant.today()
    stored = stored_days(tenant, until, until - timedelta(days=3 * 366))
    pair = compared(*stored, window).of(report)
    drawn = points_of(stored[1] if report.monthly else stored[0], monthly=report.monthly)
    line = [*report.stacked, report.headline.key] if only_drawn and not report.loose else None
    found = _sums(tenant, [report], which, window, set(pair), line=line, drawn=drawn)
    target = targets_of(tenant)[report.key]
    parts = [*report.parts, *_loose_parts(report, found, pair[0])]
    figures = {part.key: _figure(report, part, found, pair, tenant.currency, target) for part in parts}
    pointed = parts if line is None else [part for part in parts if part.key in line]
    points = [_point(report, pointed, day, found, tenant.currency) for day in drawn]
    lines = _breakdowns(tenant, report, window, pair[0], breakdowns) if breakdowns else {}
    return ReportPage(report, window, which, tenant.currency, figures, points, lines)


def points_of(days: Sequence[date], *, monthly: bool) -> list[date]:
    """The days that a line is drawn through: the ends of weeks and the newest day, or all of a tenant that is new."""
    if monthly or not days:
        return list(days[-24:])
    first = days[-1] - timedelta(days=7 * (POINTS - 1) + 6)
    recent = [day for day in days if day > first]
    chosen = [day for day in recent if keeps_its_place(day) or day == days[-1]]
    return chosen if len(chosen) >= FEW_POINTS else recent[-MOST_DAYS:]


def _loose_parts(report: Report, found: Mapping[tuple[str, date, str], Cell], day: date | None) -> list[Part]:
    """Parts that the data name: each feature, each month."""
    if not report.loose or day is None:
        return []
    known = {part.key for part in report.parts}
    keys = {part for metric, on, part in found if metric == report.key and on == day and part not in known}
    return [report.part(key) for key in sorted(keys)]


def _point(
    report: Report,
    parts: Sequence[Part],
    day: date,
    found: Mapping[tuple[str, date, str], Cell],
    main: str,
) -> Point:
    values: dict[str, Decimal | None] = {}
    ns: dict[str, int] = {}
    for part in parts:
        sums = found.get((report.key, day, part.key), {}).get(main if part.is_money else "")
        values[part.key] = value_of(part.kind, sums) if sums else empty_value(part, True)
        ns[part.key] = n_of(part, sums)
    return Point(day, values, ns)


LINES_SQL = """
SELECT dimension, key, part, numerator, denominator, n, median FROM reports_day
WHERE tenant_id = %(tenant)s AND day = %(day)s AND metric = %(metric)s AND days = %(days)s
  AND dimension = ANY(%(dimensions)s) AND part = ANY(%(parts)s) AND currency = ANY(%(currencies)s)
"""


def _breakdowns(
    tenant: Tenant, report: Report, window: int, day: date | None, dimensions: Collection[str]
) -> dict[str, list[Line]]:
    """The headline by owner, team, segment or plan, the largest group first. One query."""
    part = report.headline
    lines: dict[str, list[Line]] = {dimension: [] for dimension in dimensions}
    with connection.cursor() as cursor:
        cursor.execute(
            LINES_SQL,
            {
                "tenant": tenant.pk,
                "day": day,
                "metric": report.key,
                "days": report.window(window),
                "dimensions": list(dimensions),
                "parts": [part.key],
                "currencies": [tenant.currency if part.is_money else ""],
            },
        )
        for dimension, key, _part, numerator, denominator, n, median in cursor.fetchall():
            sums = Sums(numerator, denominator, n, median)
            lines[dimension].append(Line(key, sums, value_of(part.kind, sums), n_of(part, sums)))
    for found in lines.values():
        found.sort(key=lambda line: (-line.n, line.key))
    return lines


def newest_day(tenant: Tenant) -> ReportDay | None:
    """The newest day that was kept. One query."""
    return ReportDay.objects.filter(tenant=tenant, metric="", part=DAY).order_by("-day").first()


SCORES_SQL = """
SELECT key, metric, part, currency, numerator, denominator, n, median FROM reports_day
WHERE tenant_id = %(tenant)s AND dimension = 'owner'
  AND (metric, part, days, day) IN (
    SELECT * FROM unnest(%(metrics)s::text[], %(parts)s::text[], %(windows)s::smallint[], %(days)s::date[]))
"""


def scorecards(
    tenant: Tenant, *, window: int, on: date | None = None, wanted: Sequence[tuple[Report, str]]
) -> tuple[Days, dict[str, dict[tuple[str, str], Cell]]]:
    """Owner → (report, part) → sums by currency, on the newest day. Two queries."""
    until = on or tenant.today()
    days = compared(*stored_days(tenant, until, until - timedelta(days=3 * 366)), window)
    rows: dict[str, dict[tuple[str, str], Cell]] = defaultdict(lambda: defaultdict(dict))
    asked = [(report, part, day) for report, part in wanted if (day := days.of(report)[0]) is not None]
    with connection.cursor() as cursor:
        cursor.execute(
            SCORES_SQL,
            {
                "tenant": tenant.pk,
                "metrics": [report.key for report, _part, _day in asked],
                "parts": [part for _report, part, _day in asked],
                "windows": [report.window(window) for report, _part, _day in asked],
                "days": [day for _report, _part, day in asked],
            },
        )
        for key, metric, part, currency, numerator, denominator, n, median in cursor.fetchall():
            rows[key][metric, part][currency] = Sums(numerator, denominator, n, median)
    return days, rows
