"""Which variant won: the best share against every other one, and an honest “not yet” where that cannot be said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

from playbooks.lift import Arm, newcombe

LEAST_TRIALS = 50  # of a variant that is compared
CONFIDENCE = 0.95  # of all comparisons together
WON, FEW, CLOSE, SINGLE, NO_SHARE = "won", "few", "close", "single", "no_share"


@dataclass(frozen=True)
class Variant:
    """One variant: how often it was tried, and how often it worked."""

    key: str
    trials: int
    successes: int

    @property
    def share(self) -> float | None:
        """Successes per trial; None of no trials."""
        return self.successes / self.trials if self.trials else None


@dataclass(frozen=True)
class Outcome:
    """The variants, best first, and what can be said of them.

    `uplift_pct` is how much better the winner is than the runner-up, relative to it; `low` and `high` bound the difference
    of the shares in percentage points.
    """

    variants: tuple[Variant, ...]
    verdict: str
    winner: Variant | None = None
    runner_up: Variant | None = None
    uplift_pct: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def trials(self) -> int:
        """How many trials there were in all."""
        return sum(variant.trials for variant in self.variants)


def variants_from(successes: Mapping[str, float], trials: Mapping[str, float]) -> list[Variant]:
    """Variants from totals by key; a key without trials was not part of the test."""
    return [
        Variant(key, round(trials[key]), round(successes.get(key, 0.0))) for key in trials if trials[key] > 0
    ]


def judge(variants: list[Variant], *, higher_is_better: bool = True) -> Outcome:
    """Whether one variant is surely better than all others that were tried often enough."""
    ordered = sorted(
        variants, key=lambda v: ((v.share or 0.0) * (-1 if higher_is_better else 1), -v.trials, v.key)
    )
    everything = tuple(ordered)
    if any(variant.successes > variant.trials for variant in ordered):
        return Outcome(everything, NO_SHARE)
    if len(ordered) < 2:
        return Outcome(everything, SINGLE)
    compared = [variant for variant in ordered if variant.trials >= LEAST_TRIALS]
    if len(compared) < 2:
        return Outcome(everything, FEW)
    best, others = compared[0], compared[1:]
    # As many comparisons as there are rivals: each has to be surer, or ten variants always have a winner.
    z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / (2 * len(others)))
    bounds = [_difference(best, other, z, higher_is_better) for other in others]
    low, high = bounds[0]
    surely = all(bound[0] > 0 for bound in bounds)
    runner_up = others[0]
    base, top = runner_up.share or 0.0, best.share or 0.0
    uplift = (top - base) / base * 100 if base else None
    return Outcome(
        everything,
        WON if surely else CLOSE,
        best if surely else None,
        runner_up,
        uplift if surely else None,
        low * 100,
        high * 100,
    )


def _difference(best: Variant, other: Variant, z: float, higher_is_better: bool) -> tuple[float, float]:
    low, high = newcombe(Arm(best.trials, best.successes), Arm(other.trials, other.successes), z)
    return (low, high) if higher_is_better else (-high, -low)
