"""Everything the Score tab says: how sure, what changed between two days and why, overrides, sentiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Tenant
from scoring.models import CurrentScore, Override, Sentiment
from scoring.selectors.changes import ScoreChange, ScoredDay, change_between, restated_score
from scoring.selectors.rollup import RollUp, rollup
from scoring.selectors.trends import Trend
from scoring.waterfall import Cause, Part, Verdict, Waterfall
from usage.selectors import Freshness, source_freshness
from workspace.charts import Chart
from workspace.formatting import number, short_date
from workspace.selectors.account import Header, score_history
from workspace.selectors.answers import Answer, answers
from workspace.selectors.backtest import ChanceLine, chance_line
from workspace.selectors.score import ComponentLine, ScorePanel, explained
from workspace.selectors.score_material import Material, drafted, material_panel, read_material
from workspace.selectors.why_charts import history_chart, signed, waterfall_chart

DAYS_BACK = 7
RESTATED_DIFFERENCE = 0.05

CAUSE_WORDS: dict[Cause, Promise] = {
    Cause.MODEL: gettext_lazy("model changed"),
    Cause.STALE: gettext_lazy("data went stale"),
    Cause.MOVED: gettext_lazy("data moved"),
    Cause.BACK: gettext_lazy("data came back"),
    Cause.EXCEPTION: gettext_lazy("exception of the model"),
    Cause.OVERRIDE: gettext_lazy("override"),
}


@dataclass(frozen=True)
class Amount:
    """What one cause did to one component."""

    cause: Cause
    word: str
    amount: float


@dataclass(frozen=True)
class ChangedMeasure:
    """A measure on both days in words; empty where nothing was known."""

    label: str
    before: str
    after: str

    @property
    def moved(self) -> bool:
        """Whether the words differ."""
        return self.before != self.after


@dataclass(frozen=True)
class ChangedComponent:
    """A component on both days: points of its weight, and what each cause did."""

    label: str
    before: ComponentLine | None
    after: ComponentLine | None
    difference: float
    amounts: list[Amount]
    measures: list[ChangedMeasure]


@dataclass(frozen=True)
class WhyChanged:
    """The difference between two days, ready to be shown."""

    before: ScoredDay
    after: ScoredDay
    waterfall: Waterfall
    components: list[ChangedComponent]
    others: list[Amount]  # exceptions and overrides: of no component
    causes: list[Amount]
    chart: Chart | None
    sentence: str
    restated: float | None  # the earlier day with what is known of it by now, where that differs

    @property
    def ends(self) -> tuple[ScoredDay, ScoredDay]:
        """The two days."""
        return self.before, self.after

    @property
    def difference(self) -> float | None:
        """How much the computed score moved."""
        if self.waterfall.before is None or self.waterfall.after is None:
            return None
        return self.waterfall.after - self.waterfall.before


@dataclass(frozen=True)
class Sureness:
    """How sure the score is: what was known, how fresh the sources are, how long the account is known."""

    coverage: float
    minimum: float
    missing: list[str]
    quiet: list[Freshness]
    fresh: int
    known_days: int | None  # since the first usage; None before it
    is_new: bool
    is_final: bool
    chance: ChanceLine | None  # what became of accounts with such a score

    @property
    def enough(self) -> bool:
        """Whether enough was known for a band."""
        return self.coverage >= self.minimum


@dataclass(frozen=True)
class ScoreTab:
    """The Score tab of an account that has a score."""

    panel: ScorePanel
    trend: Trend | None
    sure: Sureness
    history: Chart | None
    change: WhyChanged | None
    from_day: date
    to_day: date
    overrides: list[Override]
    sentiments: list[Sentiment]
    rollup: RollUp | None
    answers: list[Answer]


def read_days(tenant: Tenant, row: CurrentScore | None, given: Sequence[str]) -> tuple[date, date]:
    """The two days to lay side by side: those of the address in their order, else the newest and a week before."""
    newest = row.day if row else tenant.today()
    earlier, later = (_read_day(text) for text in given)
    later = min(later or newest, newest)
    earlier = earlier or later - timedelta(days=DAYS_BACK)
    return (earlier, later) if earlier <= later else (later, min(earlier, newest))


def _read_day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return found if found and date(1970, 1, 2) <= found <= date(9000, 1, 1) else None


def score_tab(
    tenant: Tenant, head: Header, row: CurrentScore, days: tuple[date, date], today: date
) -> ScoreTab:
    """The whole Score tab; a fixed number of queries."""
    material = read_material(tenant, head, row, days, today)
    panel = material_panel(material)
    past = score_history(material.year, material.versions)
    sure, change = _sureness(tenant, material, panel), why_changed(material)
    return ScoreTab(
        panel=panel,
        trend=head.trend,
        sure=sure,
        history=history_chart(past, head.overrides) if past else None,
        change=change,
        from_day=days[0],
        to_day=days[1],
        overrides=head.overrides,
        sentiments=head.sentiments,
        rollup=rollup(tenant, [head.account.pk]).get(head.account.pk),
        answers=answers(material, panel, change, sure, drafted(material), head.override),
    )


def _sureness(tenant: Tenant, material: Material, panel: ScorePanel) -> Sureness:
    sources = source_freshness(tenant)
    first = material.account.first_seen_on
    return Sureness(
        coverage=panel.row.coverage,
        minimum=panel.version.coverage_min,
        missing=[line.label for line in panel.missing],
        quiet=[state for state in sources if state.is_quiet],
        fresh=sum(not state.is_quiet for state in sources),
        known_days=None if first is None or first > panel.row.day else (panel.row.day - first).days + 1,
        is_new=panel.row.is_new,
        is_final=panel.row.is_final,
        chance=chance_line(tenant, panel.row.version_id, panel.row.score),
    )


def why_changed(material: Material) -> WhyChanged | None:
    """The difference between the two days with its parts in words; None where one of them has no score."""
    if material.pair is None:
        return None
    first, last = material.pair
    change = change_between(
        material.tenant,
        material.pair,
        material.parts,
        material.loaded(first.version_id, last.version_id),
        material.overrides_of(first.day, last.day + timedelta(days=1)),
        material.ground,
    )
    lines = _lines(material, change)
    restated = _restated(material, change.before) if first.day < last.day else None
    components = _components(change, *lines)
    sentence = finding_of(change)
    others = [_other(part, change) for part in change.waterfall.parts if not part.key]
    return WhyChanged(
        before=change.before,
        after=change.after,
        waterfall=change.waterfall,
        components=components,
        others=others,
        causes=[
            Amount(cause, str(CAUSE_WORDS[cause]), amount)
            for cause, amount in change.waterfall.by_cause().items()
        ],
        chart=waterfall_chart(change, components, others, sentence),
        sentence=sentence,
        restated=restated,
    )


def _restated(material: Material, day: ScoredDay) -> float | None:
    """The score with what came late, where it says something else than the stored one."""
    found = restated_score(material.tenant, material.account.pk, day, material.ground)
    stored = day.row.score
    if found is None or stored is None or abs(found - stored) < RESTATED_DIFFERENCE:
        return None
    return found


def _lines(
    material: Material, change: ScoreChange
) -> tuple[dict[str, ComponentLine], dict[str, ComponentLine]]:
    """Each day's components by key."""
    metrics, currency = material.metrics, material.account.currency
    earlier, later = (
        {line.key: line for line in explained(day.row, material.versions[day.version.pk], metrics, currency)}
        for day in (change.before, change.after)
    )
    return earlier, later


def _components(
    change: ScoreChange, before: dict[str, ComponentLine], after: dict[str, ComponentLine]
) -> list[ChangedComponent]:
    found = []
    for key in [*after, *(key for key in before if key not in after)]:
        parts = [part for part in change.waterfall.parts if part.key == key]
        old, new = before.get(key), after.get(key)
        line = new or old
        assert line is not None
        found.append(
            ChangedComponent(
                label=line.label,
                before=old,
                after=new,
                difference=sum(part.amount for part in parts),
                amounts=[_amount(part) for part in parts],
                measures=_measures(old, new),
            )
        )
    return found


def _measures(before: ComponentLine | None, after: ComponentLine | None) -> list[ChangedMeasure]:
    old = {measure.label: measure.text for measure in before.measures} if before else {}
    new = {measure.label: measure.text for measure in after.measures} if after else {}
    return [
        ChangedMeasure(label, old.get(label, ""), new.get(label, ""))
        for label in [*new, *(label for label in old if label not in new)]
    ]


def _amount(part: Part) -> Amount:
    return Amount(part.cause, str(CAUSE_WORDS[part.cause]), part.amount)


def _other(part: Part, change: ScoreChange) -> Amount:
    """A part of no component: an exception says its name."""
    if part.cause != Cause.EXCEPTION:
        return _amount(part)
    rules = [day.row.exception for day in (change.after, change.before)]
    names = list(dict.fromkeys(rule.label for rule in rules if rule))
    word = _("exception: %(names)s") % {"names": ", ".join(names)} if names else str(CAUSE_WORDS[part.cause])
    return Amount(part.cause, word, part.amount)


def finding_of(change: ScoreChange) -> str:
    """The finding in one sentence."""
    water = change.waterfall
    words = {"before": number(water.before, 1), "after": number(water.after, 1)}
    days = {"from": short_date(change.before.row.day), "to": short_date(change.after.row.day)}
    if water.verdict == Verdict.NEVER:
        return _("Nothing was known of the account on either day, so there is no score to compare.")
    if water.verdict == Verdict.APPEARED:
        return _("There was no score on %(from)s, because nothing was known; on %(to)s it is %(after)s.") % (
            words | days
        )
    if water.verdict == Verdict.VANISHED:
        return _("The score was %(before)s on %(from)s; on %(to)s nothing is known, so there is none.") % (
            words | days
        )
    causes = {cause: sum_ for cause, sum_ in water.by_cause().items() if cause != Cause.OVERRIDE}
    if not any(round(sum_, 1) for sum_ in causes.values()):  # as it is told; causes that cancel out are told
        return _("The score did not move: %(after)s on both days.") % words
    largest = max(causes, key=lambda cause: abs(causes[cause]))
    return _("From %(before)s to %(after)s, mostly because: %(cause)s (%(amount)s).") % (
        words | {"cause": CAUSE_WORDS[largest], "amount": signed(causes[largest])}
    )
