"""Signals that fade: what the newest days of some signals are worth on a day. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scoring.windows import decay_weight, decay_window

DECIMALS = 2


@dataclass(frozen=True)
class SignalRule:
    """A signal as the arithmetic needs it."""

    key: str
    points: float
    half_life_days: int

    @property
    def window(self) -> int:
        """How many days back a hit still counts: four half-lives."""
        return decay_window(self.half_life_days)


@dataclass(frozen=True)
class Faded:
    """One signal on one day: when it was last there and what is left of its points."""

    key: str
    on: date
    points: float


def faded(rules: Sequence[SignalRule], newest: Mapping[str, date], day: date) -> list[Faded]:
    """What each signal is worth on a day, the strongest first; only its newest day counts, so that a habit is no flood."""
    found = []
    for rule in rules:
        hit = newest.get(rule.key)
        if hit is not None and 0 <= (ago := (day - hit).days) < rule.window:
            found.append(
                Faded(rule.key, hit, round(rule.points * decay_weight(ago, rule.half_life_days), DECIMALS))
            )
    return sorted(found, key=lambda one: (-one.points, one.key))


def total_points(signals: Sequence[Faded]) -> float:
    """The value of the metric `signal_points`."""
    return round(sum(signal.points for signal in signals), DECIMALS)
