"""What the pages of manager reports show: the question of the address, the rows of the index, charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Membership, Role, TeamMember, Tenant
from accounts.visibility import Visibility
from reports.asking import Asked, read_asked
from reports.definitions import GROUPS
from reports.formulas import Kind
from reports.models import ReportView
from reports.naming import owner_names, team_names
from reports.pictures import axis_text, drawn_parts
from reports.scope import ALL, EVERYBODY, OWNER, PLAN, SEGMENT, TEAM, Slice, allowed
from reports.selectors import Figure, Line, ReportPage, all_figures
from reports.words import (
    change_text,
    day_text,
    decimals_of,
    finding,
    language_now,
    moved,
    target_text,
    texts_of,
    value_text,
)
from workspace import report_charts
from workspace.charts import Chart

MINE, TEAMS, EVERYONE = "mine", "team", "all"
BARS = 20
Whose = ReportView.Whose


@dataclass(frozen=True)
class Question:
    """What a page is asked: period, day, whose figures, and how the address says it."""

    asked: Asked
    whose: str  # mine, team, all; empty where the address names a filter
    which: Slice | None  # what of it may be shown

    @property
    def days(self) -> int:
        """The period."""
        return self.asked.days

    def address(self, path: str, **changed: str) -> str:
        """The same question elsewhere."""
        base = self.asked if not self.whose else replace(self.asked, which=EVERYBODY)
        whose = {"whose": self.whose} if self.whose else {}
        if "whose" in changed or any(name in changed for name in (OWNER, TEAM, SEGMENT, PLAN)):
            whose = {}
        return base.address(path, **(whose | changed))


def read_question(tenant: Tenant, member: Membership, given: Mapping[str, str], seen: Visibility) -> Question:
    """The question of an address; without a filter the view that the member chose. At most two queries.

    Raises `reports.asking.Misasked` in words.
    """
    asked = read_asked(given)
    if asked.which.dimension != ALL:
        return Question(asked, "", allowed(asked.which, seen))
    whose = given.get("whose", "")
    if given.get("of") == ALL:
        whose = EVERYONE
    if whose not in Whose.values:
        whose = default_view(tenant, member)
    which = EVERYBODY
    if whose == MINE:
        which = Slice(OWNER, (str(member.pk),))
    elif whose == TEAMS:
        which = Slice(OWNER, _teammates(tenant, member))
    return Question(replace(asked, which=which), whose, allowed(which, seen))


def default_view(tenant: Tenant, member: Membership) -> str:
    """What a member chose to see first; CSMs their own accounts, everybody else all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT whose FROM reports_reportview WHERE tenant_id = %s AND member_id = %s",
            [tenant.pk, member.pk],
        )
        (chosen,) = cursor.fetchone() or ("",)
    return str(chosen) or (MINE if member.role == Role.CSM else EVERYONE)


def _teammates(tenant: Tenant, member: Membership) -> tuple[str, ...]:
    teams = TeamMember.objects.filter(tenant=tenant, member=member).values("team_id")
    found = TeamMember.objects.filter(tenant=tenant, team_id__in=teams).values_list("member_id", flat=True)
    return tuple(sorted({str(member.pk), *map(str, found)}))


@dataclass(frozen=True)
class Row:
    """A report in the index."""

    figure: Figure
    url: str
    value: str
    change: str
    tone: str  # of the change: good, bad or nothing
    target: str
    verdict: str


def row_of(figure: Figure, url: str, values: Mapping[str, int], changes: Mapping[str, int]) -> Row:
    """A figure in words, with the decimals of the list that it stands in."""
    report = figure.report
    way = moved(figure.part, figure.change) * report.better
    return Row(
        figure,
        url,
        value_text(figure.part, figure.value, figure.currency, values),
        change_text(figure.part, figure.change, figure.currency, decimals=changes),
        {1: "good", -1: "bad"}.get(way, ""),
        target_text(report, figure.target),
        str(figure.verdict),
    )


def rows_of(pairs: Sequence[tuple[Figure, str]]) -> list[Row]:
    """A list of figures with their addresses in words."""
    values = decimals_of((one.part, one.value) for one, _url in pairs)
    changes = decimals_of(((one.part, one.change) for one, _url in pairs), change=True)
    return [row_of(figure, url, values, changes) for figure, url in pairs]


def index_groups(tenant: Tenant, question: Question) -> list[tuple[str, list[Row]]]:
    """Every report with its figure, by group. Three queries."""
    assert question.which is not None
    found = all_figures(tenant, which=question.which, window=question.days, on=question.asked.on)
    return [
        (
            str(title),
            rows_of(
                [
                    (
                        found[report.key][report.headline.key],
                        question.address(reverse("workspace:report", args=[report.key])),
                    )
                    for report in reports
                ]
            ),
        )
        for title, reports in GROUPS
    ]


_A_DAY = "0000-00-00"  # in the address that all points share but for their day


def has_line(page: ReportPage) -> bool:
    """Whether two days or more say something: of one alone there is no line."""
    keys = [part.key for part in drawn_parts(page.report, page)]
    known = [point for point in page.points if any(point.values.get(key) is not None for key in keys)]
    return len(known) > 1


def line_chart(page: ReportPage, question: Question) -> Chart:
    """The line over a year with its table; a point leads to the accounts of its day."""
    report, parts = page.report, drawn_parts(page.report, page)
    scale = 100 if report.headline.kind == Kind.MONEY else 1
    path = reverse("workspace:report_accounts", args=[report.key])
    target = page.headline.target.low
    shown_target = None if target is None or report.aim in ("none", "rising") else float(target)
    days = [point.day for point in page.points]
    whole = question.address(path, on=_A_DAY)
    links = [whole.replace(_A_DAY, day.isoformat()) for day in days]
    language = language_now()
    words = {
        part.key: texts_of(part, [point.values.get(part.key) for point in page.points], page.currency)
        for part in parts
    }
    headline = report.headline.key
    return Chart(
        id=f"report-{report.key}",
        figure=report_charts.over_time(
            days,
            [
                report_charts.Series(
                    str(part.title),
                    [_drawn(point.values.get(part.key), scale) for point in page.points],
                    words[part.key],
                )
                for part in parts
            ],
            axis="%" if report.stacked else axis_text(report.headline, page.currency),
            target=shown_target,
            target_text=_("target %(target)s")
            % {"target": value_text(report.headline, page.headline.target.low, page.currency)},
            stacked=bool(report.stacked),
            links=links,
        ),
        summary=finding(page.headline),
        columns=[_("Day"), *(str(part.title) for part in parts), "n"],
        rows=[
            [day_text(point.day, language), *said, str(point.ns.get(headline, 0))]
            for point, *said in zip(page.points, *words.values(), strict=True)
        ][::-1],
        links=links[::-1],
    )


def _drawn(value: Decimal | None, scale: int) -> float | None:
    return None if value is None else round(float(value) / scale, 2)


def named_lines(lines: Sequence[Line], names: Mapping[str, str] | None) -> list[tuple[str, Line]]:
    """The bars of a breakdown under their names; whoever is unknown has left."""
    known = names or {}
    return [(known.get(line.key, line.key) or _("none"), line) for line in lines]


def shown_breakdowns(page: ReportPage, which: Slice, seen: Visibility) -> dict[str, list[Line]]:
    """The bars that go with whose figures the page shows: of all accounts every dimension, of some owners those owners."""
    if which.dimension == ALL:
        return {
            dimension: [line for line in lines if allowed(Slice(dimension, (line.key,)), seen) is not None]
            for dimension, lines in page.breakdowns.items()
        }
    if which.dimension == OWNER and len(which.keys) > 1:
        return {OWNER: [line for line in page.breakdowns.get(OWNER, []) if line.key in which.keys]}
    return {}


def bar_chart(
    page: ReportPage, dimension: str, lines: Sequence[tuple[str, Line]], title: str, question: Question
) -> Chart:
    """The headline by group; each bar opens its accounts."""
    part = page.report.headline
    scale = 100 if part.kind == Kind.MONEY else 1
    path = reverse("workspace:report_accounts", args=[page.report.key])
    on = page.headline.day.isoformat() if page.headline.day else ""
    links = [question.address(path, **{dimension: line.key or "-"}, on=on) for _name, line in lines]
    words = texts_of(part, [line.value for _name, line in lines], page.currency)
    bars = [
        report_charts.Bar(name, _drawn(line.value, scale), said, link)
        for (name, line), said, link in zip(lines[:BARS], words, links, strict=False)
    ]
    target = page.headline.target.low if page.report.has_target else None
    return Chart(
        id=f"report-{page.report.key}-{dimension}",
        figure=report_charts.by_group(
            bars,
            axis=axis_text(part, page.currency),
            target=None if target is None else float(target),
        ),
        summary=title,
        columns=[title, str(part.title), "n"],
        rows=[[name, said, str(line.n)] for (name, line), said in zip(lines, words, strict=True)],
        links=links,
    )


def dimension_words() -> dict[str, str]:
    """What a breakdown is by."""
    return {OWNER: _("By CSM"), TEAM: _("By team"), SEGMENT: _("By segment"), PLAN: _("By plan")}


def slice_choices(
    tenant: Tenant, page: ReportPage | None, seen: Visibility
) -> tuple[list[tuple[str, list[tuple[str, str]]]], dict[str, dict[str, str]]]:
    """The groups of the filter "of whom", and the names of owners and teams. Two queries."""
    owners, teams = owner_names(tenant), team_names(tenant)
    names = {OWNER: owners, TEAM: teams}
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    lines = page.breakdowns if page is not None else {}
    for dimension, title in (
        (OWNER, _("CSM")),
        (TEAM, _("Team")),
        (SEGMENT, _("Segment")),
        (PLAN, _("Plan")),
    ):
        keys = [line.key for line in lines.get(dimension, [])]
        found = [
            (f"{dimension}:{key}", names.get(dimension, {}).get(key, key) or _("none"))
            for key in keys
            if allowed(Slice(dimension, (key,)), seen) is not None
        ]
        if found:
            groups.append((title, sorted(found, key=lambda pair: pair[1].lower())))
    return groups, names


# ── scorecards ──────────────────────────────────────────────────────────────────────────────────────────────────
