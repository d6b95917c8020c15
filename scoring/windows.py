"""Windows: how far back a measure looks, and how much a day that long ago still counts."""

from __future__ import annotations

import math

DAYS_PER_WEEK = 7
MAX_WINDOW_DAYS = 730
MIN_HALF_LIFE, MAX_HALF_LIFE = 1, 365
NEGLIGIBLE = 1 / 16  # a day that counts less than this no longer does


def decay_weight(days_ago: int, half_life_days: float) -> float:
    """How much a day counts after so many days: 1 today, a half after the half-life."""
    return math.pow(0.5, days_ago / half_life_days)


def decay_window(half_life_days: float) -> int:
    """How many days a decayed measure looks back: until a day counts less than a sixteenth (four half-lives)."""
    return math.ceil(half_life_days * math.log2(1 / NEGLIGIBLE))


def per_week(total: float, window_days: int) -> float:
    """A total over a window as an amount a week."""
    return total * DAYS_PER_WEEK / window_days


def full_decay(half_life_days: float) -> float:
    """What someone reaches who was active on every day of the window."""
    return math.fsum(decay_weight(day, half_life_days) for day in range(decay_window(half_life_days)))
