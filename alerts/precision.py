"""How often closing an alert was worth it, and which threshold would have spared the noise. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
LEAST_JUDGED = 20  # fewer say nothing
KEPT_SHARE = 0.9  # of the useful alerts must stay


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson; (0, 1) of nothing."""
    if not trials:
        return 0.0, 1.0
    share = successes / trials
    scale = 1 + Z95**2 / trials
    centre = (share + Z95**2 / (2 * trials)) / scale
    half = Z95 / scale * math.sqrt(share * (1 - share) / trials + Z95**2 / (4 * trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True)
class Suggestion:
    """A threshold that keeps nearly all useful alerts and opens less noise."""

    threshold: float
    noise: int
    noise_spared: int
    useful: int
    useful_kept: int


def suggest(judged: Sequence[tuple[float, bool]], *, fires_below: bool) -> Suggestion | None:
    """The threshold that would have removed most noise while at least 90 % of the useful alerts stay.

    `judged` are the values that fired, each with whether it was useful; alerts that were already known stay out of it. None
    under 20 judged, or where no threshold spares any noise.
    """
    useful = [value for value, is_useful in judged if is_useful]
    noise = [value for value, is_useful in judged if not is_useful]
    if len(judged) < LEAST_JUDGED or not useful or not noise:
        return None
    best: Suggestion | None = None
    for candidate in sorted(set(useful), reverse=fires_below):
        kept = sum(_stays(value, candidate, fires_below) for value in useful)
        if kept < KEPT_SHARE * len(useful):
            break
        spared = sum(not _stays(value, candidate, fires_below) for value in noise)
        if spared and (best is None or spared > best.noise_spared):
            best = Suggestion(candidate, len(noise), spared, len(useful), kept)
    return best


def _stays(value: float, threshold: float, fires_below: bool) -> bool:
    return value <= threshold if fires_below else value >= threshold
