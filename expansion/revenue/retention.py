"""GRR, NRR and expansion share of a period. Pure.

The customers that count are those that paid when the period began. Of each, only its MRR then (opening) and its MRR when
the period ended (closing) are compared:

* churn: the opening MRR of who pays nothing at the end;
* contraction: opening − closing, of who pays less; expansion: closing − opening, of who pays more;
* GRR = (opening − churn − contraction) ÷ opening; NRR = (opening + expansion − churn − contraction) ÷ opening.

So an upgrade and a downgrade in one period net out, who left and came back within it has not churned, and a customer that
is new, or came back after having left earlier (reactivation), is in neither figure: the cohort is the opening one. This is
the net revenue retention of ChurnZero's Churnopedia ((start + expansion − churn − contraction) ÷ start, same customers) with
the opening cohort that excludes new and reactivated accounts; movements are named as in Lago's MRR reference.

An annual contract is its price ÷ 12 each month: nothing happens to it between its terms, and an end counts on the day on
which it ends, not when notice was given. Amounts of different currencies are never added; an account whose currency changed
within the period is left out of it and counted apart, unless a rate makes the two comparable.

Expansion share (SPEC 10) asks what upgrades and add-ons brought, so it takes each calendar month of the period for itself:
Σ expansion of the months ÷ MRR at the start of the period. What was upgraded in March and lost in October was sold all the
same, and shows in GRR and NRR instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

NRR_TARGET_PCT = 120.0
GRR_TARGET_PCT = 90.0
EXPANSION_TARGET_PCT = (15.0, 25.0)


@dataclass(frozen=True)
class Movements:
    """What happened to the MRR of many accounts between two moments, in one currency."""

    opening_cents: int = 0
    new_cents: int = 0
    reactivation_cents: int = 0
    expansion_cents: int = 0
    contraction_cents: int = 0
    churn_cents: int = 0
    closing_cents: int = 0
    accounts: int = 0  # that paid at the start
    churned: int = 0
    contracted: int = 0
    expanded: int = 0
    new: int = 0
    reactivated: int = 0

    @property
    def kept_cents(self) -> int:
        """What is left of the opening MRR, without what was added."""
        return self.opening_cents - self.churn_cents - self.contraction_cents

    @property
    def grr_pct(self) -> float | None:
        """Gross revenue retention, 0–100; None where nobody paid at the start."""
        return _pct(self.kept_cents, self.opening_cents)

    @property
    def nrr_pct(self) -> float | None:
        """Net revenue retention; None where nobody paid at the start."""
        return _pct(self.kept_cents + self.expansion_cents, self.opening_cents)

    @property
    def logo_pct(self) -> float | None:
        """The share of the customers at the start that still pay."""
        return _pct(self.accounts - self.churned, self.accounts)

    def plus(self, other: Movements) -> Movements:
        """Both together."""
        names = self.__dataclass_fields__
        return Movements(**{name: getattr(self, name) + getattr(other, name) for name in names})


def _pct(part: int, whole: int) -> float | None:
    return part / whole * 100 if whole else None


@dataclass(frozen=True)
class Retention:
    """The figures of a period for one group of accounts in one currency."""

    currency: str
    whole: Movements
    months: tuple[Movements, ...] = ()
    left_out: int = 0  # accounts whose currency changed

    @property
    def grr_pct(self) -> float | None:
        """Gross revenue retention."""
        return self.whole.grr_pct

    @property
    def nrr_pct(self) -> float | None:
        """Net revenue retention."""
        return self.whole.nrr_pct

    @property
    def expansion_cents(self) -> int:
        """What upgrades and add-ons brought, month by month."""
        return sum(month.expansion_cents for month in self.months)

    @property
    def expansion_pct(self) -> float | None:
        """Expansion share: that ÷ the MRR at the start."""
        return _pct(self.expansion_cents, self.whole.opening_cents)


@dataclass(frozen=True)
class Change:
    """From a day on, an account pays this much a month in this currency."""

    on: date
    mrr_cents: int
    currency: str = "EUR"


@dataclass(frozen=True)
class Period:
    """Days, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("A period ends on or after the day on which it begins.")

    @property
    def after(self) -> date:
        """The day after the last one."""
        return self.last + timedelta(days=1)

    def edges(self) -> list[date]:
        """The mornings between which its calendar months lie: first, each first of a month within, the day after."""
        edges = [self.first]
        day = _next_month(self.first)
        while day <= self.last:
            edges.append(day)
            day = _next_month(day)
        return [*edges, self.after]


MOST_YEARS = 5
FIRST_YEAR, LAST_YEAR = 1990, 2199  # beyond them a date is a slip of the pen


def read_period(first: date | None, last: date) -> Period:
    """The period somebody asks for; without a first day the year up to the last. Raises ValueError in words."""
    if not FIRST_YEAR < last.year < LAST_YEAR or (
        first is not None and not FIRST_YEAR <= first.year < LAST_YEAR
    ):
        raise ValueError(f"years lie between {FIRST_YEAR} and {LAST_YEAR}")
    if first is None:
        after = last + timedelta(days=1)
        first = date(after.year - 1, after.month, min(after.day, 28))
    if (last - first).days > MOST_YEARS * 366:
        raise ValueError(f"at most {MOST_YEARS} years")
    if last < first:
        raise ValueError("from must not lie after to")
    return Period(first, last)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@dataclass
class _Sums:
    parts: dict[str, list[Movements]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def mrr_on_morning(history: Sequence[Change], morning: date) -> Mapping[str, int]:
    """What an account pays as a day begins (changes of that day not yet counted), by currency."""
    known = [change for change in history if change.on < morning]
    if not known:
        return {}
    last = max(known, key=lambda change: change.on)
    return {last.currency: last.mrr_cents} if last.mrr_cents else {}


def movement(opening: int, closing: int, *, paid_before: bool) -> Movements:
    """What one account did between two moments."""
    base = {"opening_cents": opening, "closing_cents": closing, "accounts": int(opening > 0)}
    if opening == 0:
        if closing == 0:
            return Movements()
        name, count = ("reactivation_cents", "reactivated") if paid_before else ("new_cents", "new")
        return Movements(**base, **{name: closing, count: 1})
    if closing == 0:
        return Movements(**base, churn_cents=opening, churned=1)
    if closing < opening:
        return Movements(**base, contraction_cents=opening - closing, contracted=1)
    if closing > opening:
        return Movements(**base, expansion_cents=closing - opening, expanded=1)
    return Movements(**base)


def retention_of(histories: Iterable[Sequence[Change]], period: Period) -> dict[str, Retention]:
    """The figures of a period by currency, from what each account paid from when on; the plain way, and slow."""
    edges = period.edges()
    spans = [(edges[0], edges[-1]), *pairwise(edges)]
    sums = _Sums()
    for history in histories:
        for place, (start, end) in enumerate(spans):
            before, after = mrr_on_morning(history, start), mrr_on_morning(history, end)
            if before and after and set(before) != set(after):
                if place == 0:
                    for currency in before:
                        sums.left_out[currency] = sums.left_out.get(currency, 0) + 1
                        sums.parts.setdefault(currency, [Movements()] * len(spans))
                continue
            paid = any(change.mrr_cents > 0 and change.on < start for change in history)
            for currency in set(before) | set(after):
                parts = sums.parts.setdefault(currency, [Movements()] * len(spans))
                one = movement(before.get(currency, 0), after.get(currency, 0), paid_before=paid)
                parts[place] = parts[place].plus(one)
    return {
        currency: Retention(currency, parts[0], tuple(parts[1:]), sums.left_out.get(currency, 0))
        for currency, parts in sums.parts.items()
    }
