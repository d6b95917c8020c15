"""What the pages of surveys show: the filter of an address, tiles, the trend, groups, lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Account, Membership, Tenant
from nps.surveys.models import Category, Survey, Wave
from nps.surveys.numbers import Score
from nps.surveys.selectors import figures, reading
from nps.surveys.selectors.filtering import Narrowed
from workspace import nps_charts
from workspace.charts import Chart
from workspace.formatting import number, percent
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor

MINE = "mine"
PERIODS = (
    ("90", 90, gettext_lazy("Last 90 days")),
    ("180", 180, gettext_lazy("Last 180 days")),
    ("365", 365, gettext_lazy("Last 12 months")),
    ("all", 0, gettext_lazy("All time")),
)
DEFAULT_PERIOD = "365"
PANEL_DAYS, PANEL_ANSWERS = 180, 5
WAVE_WORDS = {"day": gettext_lazy("Day %(n)s after go-live")}


@dataclass(frozen=True)
class AnswerFilter:
    """What the pages are narrowed to; each field is a parameter of the address."""

    period: str = DEFAULT_PERIOD
    kind: str = Survey.Kind.NPS
    who: str = ""
    survey: str = ""
    segment: str = ""
    category: str = ""
    tag: str = ""
    text: str = ""

    def parameters(self) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "period": "" if self.period == DEFAULT_PERIOD else self.period,
            "kind": "" if self.kind == Survey.Kind.NPS else self.kind,
            "who": self.who,
            "survey": self.survey,
            "segment": self.segment,
            "category": self.category,
            "tag": self.tag,
            "q": self.text,
        }
        return {name: value for name, value in said.items() if value}

    @property
    def is_narrow(self) -> bool:
        """Whether anything but kind and period is chosen."""
        return bool(self.who or self.survey or self.segment or self.category or self.tag or self.text)


def read_filter(parameters: Mapping[str, str]) -> AnswerFilter:
    """The filter of an address; what cannot be understood is left out."""

    def plain(name: str, most: int = 100) -> str:
        return parameters.get(name, "").replace("\0", "").strip()[:most]

    period, kind, who, category = (plain(name) for name in ("period", "kind", "who", "category"))
    return AnswerFilter(
        period=period if period in {key for key, _days, _word in PERIODS} else DEFAULT_PERIOD,
        kind=kind if kind in Survey.Kind.values else Survey.Kind.NPS,
        who=who if who == MINE or (who.isascii() and who.isdigit() and len(who) < 19) else "",
        survey=plain("survey"),
        segment=plain("segment"),
        category=category if category in Category.values else "",
        tag=plain("tag", 40),
        text=plain("q"),
    )


def narrowed(
    tenant: Tenant, wanted: AnswerFilter, member: Membership, *, whole: bool = False, **more: object
) -> Narrowed:
    """The filter for the selectors; `whole` leaves out what only the list is narrowed by."""
    days = next(days for key, days, _word in PERIODS if key == wanted.period)
    owner = member.pk if wanted.who == MINE else int(wanted.who) if wanted.who else None
    fields: dict[str, object] = {
        "kind": wanted.kind,
        "since": tenant.today() - timedelta(days=days - 1) if days else None,
        "survey": wanted.survey,
        "segment": wanted.segment,
        "owner_id": owner,
    }
    if not whole:
        fields |= {"category": wanted.category, "tag": wanted.tag, "text": wanted.text}
    return Narrowed(**(fields | more))  # type: ignore[arg-type]  # of our own fields


@dataclass(frozen=True)
class Overview:
    """The figures above the list."""

    whole: figures.Line
    loops: figures.Loops
    segments: list[figures.Line]
    waves: list[figures.Line]
    chart: Chart | None
    finding: str


def overview(tenant: Tenant, wanted: AnswerFilter, member: Membership) -> Overview:
    """Tiles, trend and groups. Five queries, whatever was answered."""
    narrow = narrowed(tenant, wanted, member, whole=True)
    sides = figures.all_sides(tenant, narrow)
    return Overview(
        whole=sides.whole,
        loops=figures.loops(tenant, narrow),
        segments=sides.segments,
        waves=sides.waves,
        chart=_chart(sides.months, wanted.kind) if sides.months else None,
        finding=_finding(sides.months, wanted.kind),
    )


def _chart(months: list[tuple[date, Score]], kind: str) -> Chart:
    csat = kind == Survey.Kind.CSAT
    lines = []
    for on, score in months:
        interval = score.interval
        if score.value is None or interval is None:
            continue
        words = _("%(month)s: %(value)s, %(n)s answers") % {
            "month": date_format(on, "YEAR_MONTH_FORMAT"),
            "value": figure_text(score),
            "n": number(score.n),
        }
        lines.append(nps_charts.Month(on, score.value, interval.low, interval.high, words))
    axis = _("satisfied, %") if csat else _("NPS")
    return Chart(
        id="nps-trend",
        figure=nps_charts.trend(lines, axis=axis, csat=csat),
        summary=_finding(months, kind),
        columns=[_("Month"), axis, _("from"), _("to"), _("Answers")],
        rows=[
            [
                date_format(on, "YEAR_MONTH_FORMAT"),
                figure_text(score),
                "–" if score.interval is None else number(score.interval.low, 0),
                "–" if score.interval is None else number(score.interval.high, 0),
                number(score.n),
            ]
            for on, score in months
        ],
    )


def _finding(months: list[tuple[date, Score]], kind: str) -> str:
    """What the trend says: the last month against the one before it, and whether that is more than chance."""
    if not months:
        return ""
    (on, last) = months[-1]
    if len(months) == 1:
        words = ngettext(
            "%(value)s in %(month)s, from %(n)s answer", "%(value)s in %(month)s, from %(n)s answers", last.n
        )
        return words % {
            "value": figure_text(last),
            "month": date_format(on, "YEAR_MONTH_FORMAT"),
            "n": number(last.n),
        }
    _before_on, before = months[-2]
    change = (last.value or 0) - (before.value or 0)
    apart = (
        last.interval is not None
        and before.interval is not None
        and (last.interval.low > before.interval.high or last.interval.high < before.interval.low)
    )
    said = {
        "value": figure_text(last),
        "month": date_format(on, "YEAR_MONTH_FORMAT"),
        "change": signed(change),
    }
    if apart:
        return _("%(value)s in %(month)s, %(change)s on the month before") % said
    return _("%(value)s in %(month)s, %(change)s on the month before, which may be chance") % said


def figure_text(score: Score) -> str:
    """An NPS with its sign, a CSAT as percent."""
    if score.value is None:
        return "–"
    return percent(score.value) if score.kind == Survey.Kind.CSAT else signed(score.value)


def signed(value: float) -> str:
    """A whole number with its sign; zero has none."""
    rounded = round(value)
    shown = number(abs(rounded), 0)
    return shown if rounded == 0 else f"+{shown}" if rounded > 0 else f"−{shown}"


def interval_text(score: Score) -> str:
    """The interval in words."""
    found = score.interval
    if found is None:
        return ""
    if score.kind == Survey.Kind.CSAT:
        return _("%(low)s to %(high)s") % {"low": percent(found.low), "high": percent(found.high)}
    return _("%(low)s to %(high)s") % {"low": signed(found.low), "high": signed(found.high)}


def wave_text(key: str, name: str) -> str:
    """A round in words: the day after go-live, or the name somebody gave it."""
    kind, _dash, rest = key.partition("-")
    return str(WAVE_WORDS["day"]) % {"n": rest} if kind == "day" and name == key else name


def wave_name(tenant: Tenant, key: str) -> str:
    """The round of one answer in words; empty for those that a ticket set off. One query."""
    if key.startswith("ticket-"):
        return ""
    kind, _dash, rest = key.partition("-")
    if kind == "wave" and rest.isdecimal():
        found = Wave.objects.filter(tenant=tenant, pk=int(rest)).values_list("name", flat=True).first()
        return found or key
    return wave_text(key, key)


@dataclass(frozen=True)
class AnswerList:
    """A page of answers with what the pager says."""

    found: reading.AnswerPage
    next_cursor: Cursor | None


def answer_list(
    tenant: Tenant, narrow: Narrowed, after: Cursor | None, *, oldest_first: bool = False
) -> AnswerList:
    """A page of answers. Two queries."""
    page = reading.answer_page(
        tenant,
        narrow,
        after=_place(after),
        limit=PAGE_SIZE,
        count_cap=COUNT_CAP,
        oldest_first=oldest_first,
    )
    last = page.rows[-1] if page.more else None
    return AnswerList(page, Cursor(last.answered_at.isoformat(), last.pk) if last else None)


def _place(after: Cursor | None) -> tuple[datetime, int] | None:
    if after is None or not isinstance(after.value, str):
        return None
    try:
        at = parse_datetime(after.value)
    except ValueError:
        return None
    return (at, after.pk) if at is not None and at.tzinfo is not None else None


@dataclass(frozen=True)
class SurveyLine:
    """A survey with how it goes."""

    survey: Survey
    when: str
    score: Score
    reach: figures.Reach


def survey_lines(tenant: Tenant, today: date, days: int = 365) -> list[SurveyLine]:
    """Every survey with the figures of a year. Seven queries."""
    lines: dict[tuple[str, str], figures.Line] = {}
    for kind in Survey.Kind.values:
        narrow = Narrowed(kind=kind, since=today - timedelta(days=days - 1))
        for line in figures.by_survey(tenant, narrow):
            lines[(kind, line.key)] = line
    found = []
    for survey in reading.surveys(tenant):
        known = lines.get((survey.kind, survey.key))
        found.append(
            SurveyLine(
                survey,
                when_text(survey),
                known.score if known else Score(survey.kind, 0, 0, 0),
                known.reach if known else figures.Reach(),
            )
        )
    return found


def when_text(survey: Survey) -> str:
    """When a survey asks."""
    if survey.trigger == Survey.Trigger.GO_LIVE:
        days = ", ".join(str(day) for day in survey.days)
        return _("On days %(days)s after go-live") % {"days": days or "–"}
    return str(Survey.Trigger(survey.trigger).label)


def account_panel(tenant: Tenant, account: Account) -> dict[str, object]:
    """NPS at one account: the figure of 180 days, who waits, and the newest answers. Five queries."""
    narrow = Narrowed(account_id=account.pk, since=tenant.today() - timedelta(days=PANEL_DAYS - 1))
    line = figures.overall(tenant, narrow)
    return {
        "line": line,
        "figure": figure_text(line.score),
        "interval": interval_text(line.score),
        "rate": "–" if line.reach.rate is None else percent(line.reach.rate),
        "loops": figures.loops(tenant, narrow),
        "answers": reading.answers_at(tenant, account.pk, limit=PANEL_ANSWERS),
        "days": PANEL_DAYS,
    }


def closed_in(days: float | None) -> str:
    """A time to close in words."""
    return "–" if days is None else number(round(days, 0 if days >= 10 else 1))
