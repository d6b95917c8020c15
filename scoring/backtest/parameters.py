"""What a backtest is asked to do, and what keeps it from being done. Pure.

Beware of censoring: the days after a date must lie before the data's end, or those that are still to leave would count as
having stayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

MIN_HISTORY_DAYS = 28  # before the first date
MIN_STEP, MAX_STEP, DEFAULT_STEP = 7, 366, 91
MIN_HORIZON, MAX_HORIZON, DEFAULT_HORIZON = 7, 365, 90
MAX_DATES, DEFAULT_DATES = 60, 8
CHURN_DATES_FOR_DEFAULT = 20  # fewer churn dates than this make inactivity the better question

CHURN, NON_RENEWAL, CONTRACTION, INACTIVITY, CONVERSION = (
    "churn",
    "non_renewal",
    "contraction",
    "inactivity",
    "conversion",
)
OUTCOMES = (CHURN, NON_RENEWAL, CONTRACTION, INACTIVITY, CONVERSION)
GOOD_OUTCOMES = frozenset({CONVERSION})  # a high score should come before these, a low one before the others
OF_SUBSCRIPTIONS = frozenset({NON_RENEWAL, CONTRACTION, CONVERSION})
AUTO, RECEIVED, OCCURRED = "auto", "received", "occurred"
ARRIVALS = (AUTO, RECEIVED, OCCURRED)
THEN, PUBLISHED = "then", "published"
SCALES = (AUTO, THEN, PUBLISHED)


class Refusal(Exception):
    """A backtest that cannot be made: a code and its values; `words.refusal_words` says it to people."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = {
            name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()
        }
        super().__init__(f"{code} {self.values}")


@dataclass(frozen=True)
class Limits:
    """What is there to replay: when usage happened, when it was received, how many churn dates and subscriptions."""

    first_event: date | None
    last_event: date | None
    first_received: date | None
    last_received: date | None
    churn_dates: int = 0
    last_churn: date | None = None
    subscriptions: int = 0
    has_events: bool = True  # False: nothing but pushed values

    def data_end(self, outcome: str) -> date | None:
        """The last day of which everything is known."""
        ends = [day for day in (self.last_event, self.last_received) if day]
        end = min(ends) if ends else None
        if outcome != INACTIVITY and self.last_churn and end:
            return max(end, self.last_churn)
        return end


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for; None and "auto" leave the choice to `settle`."""

    first: date | None = None
    last: date | None = None
    step_days: int = DEFAULT_STEP
    horizon_days: int = DEFAULT_HORIZON
    outcome: str = AUTO
    everyone: bool = False  # also accounts that were silent for a whole horizon already
    arrival: str = AUTO
    scales: str = AUTO


@dataclass(frozen=True)
class Settled:
    """What will be done."""

    dates: tuple[date, ...]
    step_days: int
    horizon_days: int
    outcome: str
    everyone: bool
    arrival: str
    scales: str
    known_on: date | None  # replay of events as they happened: delivery of metrics is judged as of this day

    @property
    def good(self) -> bool:
        """Whether the outcome is one to hope for."""
        return self.outcome in GOOD_OUTCOMES

    def to_dict(self) -> dict[str, Any]:
        """As it is kept with the result."""
        return {
            "dates": [day.isoformat() for day in self.dates],
            "step_days": self.step_days,
            "horizon_days": self.horizon_days,
            "outcome": self.outcome,
            "everyone": self.everyone,
            "arrival": self.arrival,
            "scales": self.scales,
            "known_on": self.known_on.isoformat() if self.known_on else None,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Settled:
        """As it was kept."""
        return cls(
            dates=tuple(date.fromisoformat(day) for day in data["dates"]),
            step_days=data["step_days"],
            horizon_days=data["horizon_days"],
            outcome=data["outcome"],
            everyone=data["everyone"],
            arrival=data["arrival"],
            scales=data["scales"],
            known_on=date.fromisoformat(data["known_on"]) if data["known_on"] else None,
        )


def settle(wanted: Wanted, limits: Limits, today: date) -> Settled:
    """The dates and choices of a backtest; raises `Refusal` when there can be none."""
    _check_numbers(wanted)
    if limits.first_event is None or limits.first_received is None:
        raise Refusal("no_data")
    outcome = wanted.outcome
    if outcome == AUTO:
        outcome = CHURN if limits.churn_dates >= CHURN_DATES_FOR_DEFAULT else INACTIVITY
    _check_outcome(outcome, limits)
    end = limits.data_end(outcome)
    assert end is not None  # there is a first event
    end = min(end, today)
    latest = end - timedelta(days=wanted.horizon_days)
    arrival = _arrival(wanted, limits, latest)
    begin = limits.first_event if arrival == OCCURRED else max(limits.first_event, limits.first_received)
    earliest = begin + timedelta(days=MIN_HISTORY_DAYS)
    if latest < earliest:
        raise Refusal(
            "short",
            needed=MIN_HISTORY_DAYS + wanted.horizon_days,
            horizon=wanted.horizon_days,
            days=max(0, (end - begin).days),
            begin=begin,
            end=end,
        )
    dates = _dates(wanted, earliest, latest, today, end)
    return Settled(
        dates=dates,
        step_days=wanted.step_days,
        horizon_days=wanted.horizon_days,
        outcome=outcome,
        everyone=wanted.everyone,
        arrival=arrival,
        scales=wanted.scales,
        known_on=limits.last_received if arrival == OCCURRED else None,
    )


def _check_numbers(wanted: Wanted) -> None:
    if not MIN_STEP <= wanted.step_days <= MAX_STEP:
        raise Refusal("step", low=MIN_STEP, high=MAX_STEP)
    if not MIN_HORIZON <= wanted.horizon_days <= MAX_HORIZON:
        raise Refusal("horizon", low=MIN_HORIZON, high=MAX_HORIZON)
    if wanted.first and wanted.last and wanted.first > wanted.last:
        raise Refusal("order", first=wanted.first, last=wanted.last)


def _check_outcome(outcome: str, limits: Limits) -> None:
    if outcome == CHURN and not limits.churn_dates:
        raise Refusal("no_churn")
    if outcome in OF_SUBSCRIPTIONS and not limits.subscriptions:
        raise Refusal("no_subscriptions")
    if outcome == INACTIVITY and not limits.has_events:
        raise Refusal("no_events")


def _arrival(wanted: Wanted, limits: Limits, latest: date) -> str:
    """Events count from when they were received, wherever that leaves a date to replay."""
    if wanted.arrival != AUTO:
        return wanted.arrival
    assert limits.first_received is not None  # settle has asked
    first = wanted.first or latest
    known_from = limits.first_received + timedelta(days=MIN_HISTORY_DAYS)
    return RECEIVED if first >= known_from else OCCURRED


def _dates(wanted: Wanted, earliest: date, latest: date, today: date, end: date) -> tuple[date, ...]:
    """The dates, a step apart; counted back from the last one where no first one was asked for."""
    step = timedelta(days=wanted.step_days)
    for day in (wanted.first, wanted.last):
        if day and day > today:
            raise Refusal("future", day=day, today=today)
        if day and day > latest:
            raise Refusal("horizon_end", day=day, horizon=wanted.horizon_days, end=end, latest=latest)
        if day and day < earliest:
            raise Refusal("early", day=day, earliest=earliest)
    last = wanted.last or latest
    if wanted.first is None:
        count = min(DEFAULT_DATES, (last - earliest) // step + 1)
        return tuple(last - step * back for back in range(count - 1, -1, -1))
    count = (last - wanted.first) // step + 1
    if count > MAX_DATES:
        raise Refusal("too_many", count=count, most=MAX_DATES)
    return tuple(wanted.first + step * place for place in range(count))
