"""The charts of the Score tab: a year of scores, and the waterfall between two days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from scoring.models import Override
from scoring.selectors.changes import ScoreChange, ScoredDay
from scoring.waterfall import Cause, Verdict
from workspace.charts import Chart, Mark, Span, history
from workspace.formatting import number, short_date
from workspace.insight_charts import Bar
from workspace.insight_charts import waterfall as waterfall_figure
from workspace.selectors.account import History

if TYPE_CHECKING:
    from workspace.selectors.why import Amount, ChangedComponent

MOST_BARS = 14


def history_chart(past: History, overrides: Sequence[Override]) -> Chart:
    """A year of scores over the bands, with the versions that began and the days that were overridden."""
    first, last = past.days[0], past.days[-1]
    spans = [
        Span(
            max(one.starts_on, first),
            min(one.last_on - timedelta(days=1), last),
            _("overridden"),
            one.score,
        )
        for one in overrides
        if one.last_on > max(first, one.starts_on) and one.starts_on <= last
    ]
    figure = history(
        past.days,
        past.scores,
        healthy_above=past.healthy_above,
        critical_below=past.critical_below,
        marks=[Mark(day, text) for day, text in past.versions],
        axis=_("Health score"),
        spans=spans,
    )
    known = [score for score in past.scores if score is not None]
    summary = _("Health score by day: from %(first)s to %(last)s.") % {
        "first": number(known[0], 1) if known else "–",
        "last": number(known[-1], 1) if known else "–",
    }
    rows = [
        [short_date(day), number(score, 1)]
        for day, score in zip(reversed(past.days), reversed(past.scores), strict=True)
    ]
    return Chart(
        id="chart-history", figure=figure, summary=summary, columns=[_("Day"), _("Score")], rows=rows
    )


def signed(value: float) -> str:
    """A number with its sign."""
    shown = number(abs(value), 1)
    return f"+{shown}" if round(value, 1) > 0 else f"−{shown}" if round(value, 1) < 0 else shown


def waterfall_chart(
    change: ScoreChange, components: Sequence[ChangedComponent], others: Sequence[Amount], summary: str
) -> Chart | None:
    """From one shown score to the other, a bar for each part; None where there is nothing to draw."""
    water = change.waterfall
    if water.verdict != Verdict.COMPARED or water.before is None or water.after is None or not water.parts:
        return None
    bars = [
        Bar(f"{component.label}: {amount.word}", amount.cause.value, amount.amount, signed(amount.amount))
        for component in components
        for amount in component.amounts
    ]
    order = list(Cause)
    bars.sort(key=lambda bar: (order.index(Cause(bar.cause)), -abs(bar.amount)))
    bars = _fewest(bars) + [
        Bar(_capital(amount.word), amount.cause.value, amount.amount, signed(amount.amount))
        for amount in others
    ]
    shown = [_shown(day) for day in (change.before, change.after)]
    labels = [_day_label(change.before), _day_label(change.after)]
    if labels[0] == labels[1]:
        labels[1] += " "  # two rows of one name would fall together
    figure = waterfall_figure(
        bars,
        before=shown[0],
        after=shown[1],
        before_label=labels[0],
        after_label=labels[1],
        before_text=number(shown[0], 1),
        after_text=number(shown[1], 1),
        axis=_("Health score"),
    )
    return Chart(
        id="chart-waterfall",
        figure=figure,
        summary=summary,
        columns=[_("Part"), _("Points")],
        rows=[
            [labels[0], number(shown[0], 1)],
            *([bar.label, bar.shown] for bar in bars),
            [labels[1], number(shown[1], 1)],
        ],
    )


def _fewest(bars: list[Bar]) -> list[Bar]:
    """The largest parts in their order, and the rest as one bar."""
    if len(bars) <= MOST_BARS:
        return bars
    kept = sorted(bars, key=lambda bar: -abs(bar.amount))[: MOST_BARS - 1]
    rest = sum(bar.amount for bar in bars if bar not in kept)
    return [*(bar for bar in bars if bar in kept), Bar(_("All smaller parts"), "moved", rest, signed(rest))]


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _shown(day: ScoredDay) -> float:
    if day.override and day.override.score is not None:
        return day.override.score
    assert day.row.score is not None  # both days have a score, or there is no chart
    return day.row.score


def _day_label(day: ScoredDay) -> str:
    return _("%(day)s, version %(number)s") % {
        "day": short_date(day.row.day),
        "number": day.version.number,
    }
