"""NPS and CSAT as a whole, by segment, survey, wave, account and month; response rate; time to close."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from accounts.models import Tenant
from nps.surveys.models import Answer, Survey, Wave
from nps.surveys.numbers import Score, median_days, response_rate
from nps.surveys.scales import DETRACTOR, PASSIVE, PROMOTER

from .filtering import Narrowed, answers_of, invitations_of

# Whoever opened or answered it got it, whatever the mail server said.
ARRIVED = (
    Q(delivered_at__isnull=False)
    | Q(opened_at__isnull=False)
    | Q(answered_at__isnull=False)
    | Q(message__sent_at__isnull=False)
)
MOST_LOOPS = 5000  # of the newest closed answers, for the median
MOST_LINES = 200


@dataclass(frozen=True)
class Reach:
    """How many were asked, how many invitations arrived, were opened and answered."""

    asked: int = 0
    delivered: int = 0
    opened: int = 0
    answered: int = 0

    @property
    def rate(self) -> float | None:
        """Answered of delivered, in percent."""
        return response_rate(self.answered, self.delivered)


@dataclass(frozen=True)
class Line:
    """A group with its figure."""

    key: str
    name: str
    score: Score
    reach: Reach


@dataclass(frozen=True)
class Loops:
    """Detractors who wait for an answer of ours, and how long it took with those who got one."""

    open: int
    closed: int
    median_days: float | None


def _score(kind: str, rows: Iterable[Mapping[str, Any]]) -> Score:
    counts: dict[str, int] = defaultdict(int)
    total = 0.0
    for row in rows:
        counts[row["category"]] += row["n"]
        total += row["total"] or 0
    return Score(kind, counts[DETRACTOR], counts[PASSIVE], counts[PROMOTER], total)


def overall(tenant: Tenant, wanted: Narrowed) -> Line:
    """The figure of everything that a filter lets through. Two queries."""
    found = answers_of(tenant, wanted).order_by()
    rows = found.values("category").annotate(n=Count("pk"), total=Sum("score"))
    reach = invitations_of(tenant, wanted).order_by().aggregate(**_REACH)
    return Line("", "", _score(wanted.kind, rows), Reach(**reach))


OPENED = Q(opened_at__isnull=False) | Q(answered_at__isnull=False)
_REACH = {
    "asked": Count("pk", filter=Q(lost="")),
    "delivered": Count("pk", filter=ARRIVED),
    "opened": Count("pk", filter=OPENED),
    "answered": Count("pk", filter=Q(answered_at__isnull=False)),
}


def _grouped(tenant: Tenant, wanted: Narrowed, by: str) -> list[Line]:
    """Figures by a field that answers and invitations both have, the most answers first. Two queries."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    found = answers_of(tenant, wanted).order_by()
    for row in found.values(by, "category").annotate(n=Count("pk"), total=Sum("score")):
        groups[row[by]].append(row)
    reach = {
        row.pop(by): Reach(**row)
        for row in invitations_of(tenant, wanted).order_by().values(by).annotate(**_REACH)
    }
    return _lines(wanted.kind, groups, reach)


def _lines(
    kind: str, groups: Mapping[str, list[Mapping[str, Any]]], reach: Mapping[str, Reach]
) -> list[Line]:
    lines = [
        Line(str(key), str(key), _score(kind, groups.get(key, ())), reach.get(key, Reach()))
        for key in groups.keys() | reach.keys()
    ]
    return sorted(lines, key=lambda line: (-line.score.n, -line.reach.asked, line.name))[:MOST_LINES]


def by_segment(tenant: Tenant, wanted: Narrowed) -> list[Line]:
    """By the account's segment. Two queries."""
    return _grouped(tenant, wanted, "account__segment")


def by_survey(tenant: Tenant, wanted: Narrowed) -> list[Line]:
    """By survey. Three queries."""
    names = dict(Survey.objects.filter(tenant=tenant).values_list("key", "name"))
    lines = _grouped(tenant, wanted, "survey__key")
    return [Line(line.key, names.get(line.key, line.key), line.score, line.reach) for line in lines]


def by_account(tenant: Tenant, wanted: Narrowed) -> list[Line]:
    """By account, those with most answers. Two queries."""
    return _grouped(tenant, wanted, "account__external_id")


def by_wave(tenant: Tenant, wanted: Narrowed) -> list[Line]:
    """By round: days after go-live, and waves that somebody started under the names they were given. Three queries."""
    return _named_waves(tenant, _grouped(tenant, wanted, "wave"))


def _named_waves(tenant: Tenant, lines: Iterable[Line]) -> list[Line]:
    names = {
        wave.key: wave.name for wave in Wave.objects.filter(tenant=tenant).only("id", "name", "tenant_id")
    }
    shown = [line for line in lines if not line.key.startswith("ticket-")]
    return [Line(line.key, names.get(line.key, line.key), line.score, line.reach) for line in shown]


def over_time(tenant: Tenant, wanted: Narrowed) -> list[tuple[date, Score]]:
    """By month of the tenant's calendar, the oldest first; months without answers are left out. One query."""
    months: dict[date, list[Mapping[str, Any]]] = defaultdict(list)
    found = answers_of(tenant, wanted).order_by()
    rows = found.annotate(month=TruncMonth("answered_at", tzinfo=tenant.tz))
    for row in rows.values("month", "category").annotate(n=Count("pk"), total=Sum("score")):
        months[row["month"].date()].append(row)
    return [(month, _score(wanted.kind, rows)) for month, rows in sorted(months.items())]


@dataclass(frozen=True)
class Sides:
    """The same answers from every side that the overview shows."""

    whole: Line
    segments: list[Line]
    waves: list[Line]
    months: list[tuple[date, Score]]


_ANSWER_SIDES = """
SELECT CASE WHEN grouping(segment) = 0 THEN 'segment' WHEN grouping(wave) = 0 THEN 'wave'
            WHEN grouping(month) = 0 THEN 'month' ELSE 'whole' END,
       segment, wave, month, category, count(*), sum(score)
FROM ({found}) AS x(category, score, segment, wave, month)
GROUP BY GROUPING SETS ((category), (category, segment), (category, wave), (category, month))
"""
_REACH_SIDES = """
SELECT CASE WHEN grouping(segment) = 0 THEN 'segment' WHEN grouping(wave) = 0 THEN 'wave' ELSE 'whole' END,
       segment, wave, count(*) FILTER (WHERE asked), count(*) FILTER (WHERE arrived), count(*) FILTER (WHERE opened),
       count(*) FILTER (WHERE answered)
FROM ({found}) AS x(segment, wave, asked, arrived, opened, answered)
GROUP BY GROUPING SETS ((), (segment), (wave))
"""


def all_sides(tenant: Tenant, wanted: Narrowed) -> Sides:
    """As a whole, by segment, by wave and by month, each answer and invitation read once. Three queries."""

    def fact(condition: Q) -> ExpressionWrapper[Any]:
        return ExpressionWrapper(condition, output_field=BooleanField())

    answers: dict[str, dict[Any, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    found = answers_of(tenant, wanted).order_by().annotate(month=TruncMonth("answered_at", tzinfo=tenant.tz))
    for side, segment, wave, month, category, n, total in _rows(
        _ANSWER_SIDES, found.values_list("category", "score", "account__segment", "wave", "month")
    ):
        key = {"segment": segment, "wave": wave, "month": month}.get(side)
        answers[side][key].append({"category": category, "n": n, "total": total})
    asked = (
        invitations_of(tenant, wanted)
        .order_by()
        .annotate(
            asked_them=fact(Q(lost="")),
            arrived=fact(ARRIVED),
            seen=fact(OPENED),
            replied=fact(Q(answered_at__isnull=False)),
        )
    )
    reach: dict[str, dict[Any, Reach]] = defaultdict(dict)
    for side, segment, wave, *counts in _rows(
        _REACH_SIDES,
        asked.values_list("account__segment", "wave", "asked_them", "arrived", "seen", "replied"),
    ):
        reach[side][{"segment": segment, "wave": wave}.get(side)] = Reach(*counts)
    kind = wanted.kind
    months = sorted(answers["month"].items(), key=lambda pair: pair[0])
    return Sides(
        Line("", "", _score(kind, answers["whole"][None]), reach["whole"].get(None, Reach())),
        _lines(kind, answers["segment"], reach["segment"]),
        _named_waves(tenant, _lines(kind, answers["wave"], reach["wave"])),
        [
            (month.date(), _score(kind, rows)) for month, rows in months
        ],  # it came as the tenant's clock shows it
    )


def _rows(statement: str, found: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """What the statement makes of a query's rows."""
    sql, params = found.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(statement.format(found=sql), params)
        return list(cursor.fetchall())


def loops(tenant: Tenant, wanted: Narrowed) -> Loops:
    """Two queries."""
    found = answers_of(tenant, wanted).filter(category=DETRACTOR).order_by()
    counts = found.aggregate(
        open=Count("pk", filter=Q(closed_at=None)), closed=Count("pk", filter=Q(closed_at__isnull=False))
    )
    times = (
        found.exclude(closed_at=None)
        .order_by("-closed_at")
        .values_list("answered_at", "closed_at")[:MOST_LOOPS]
    )
    hours = [(closed - answered).total_seconds() / 3600 for answered, closed in times if closed]
    return Loops(counts["open"], counts["closed"], median_days(hours))


def tags_of(tenant: Tenant, wanted: Narrowed, most: int = 30) -> list[tuple[str, int]]:
    """Tags in use with how often, the most frequent first. One query."""
    found = answers_of(tenant, wanted).exclude(tags=[]).order_by()
    counts: dict[str, int] = defaultdict(int)
    for row in found.values("tags").annotate(n=Count("pk")):
        for tag in row["tags"]:
            counts[tag] += row["n"]
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]


def segments_of(tenant: Tenant, kind: str) -> list[str]:
    """Segments of accounts that have answered. One query."""
    found = Answer.objects.filter(tenant=tenant, kind=kind, account__segment__gt="").order_by()
    return sorted(found.values_list("account__segment", flat=True).distinct())
