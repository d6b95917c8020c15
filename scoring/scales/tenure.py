"""A scale whose values depend on how long an account has been with the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .base import (
    EXPECTED_DAYS,
    EXPECTED_STAGES,
    MAX_STAGES,
    NO_TENURE,
    STAGES_MUST_RISE,
    STARTS_AT_ZERO,
    TOO_MANY_STAGES,
    Array,
    Beside,
    Problem,
    Scale,
    Segments,
)


@dataclass(frozen=True)
class ByTenure(Scale):
    """Scales of one kind, each from so many days since go-live on; before go-live the first one counts."""

    kind: ClassVar[str] = "by_tenure"
    tenure_fits: ClassVar[bool] = False
    stages: tuple[tuple[int, Scale], ...] = ()

    @property
    def uses_tenure(self) -> bool:
        """Always."""
        return True

    @property
    def uses_targets(self) -> bool:
        """As its stages do, which are of one kind."""
        return self.first.uses_targets

    @property
    def first(self) -> Scale:
        """The scale of the first days."""
        return self.stages[0][1]

    def problems(self) -> list[Problem]:
        if not self.stages:
            return [("by_tenure", EXPECTED_STAGES)]
        problems: list[Problem] = []
        if len(self.stages) > MAX_STAGES:
            problems.append(("by_tenure", TOO_MANY_STAGES))
        if not self.first.tenure_fits:
            problems.append(("by_tenure", NO_TENURE))
        starts = [start for start, _scale in self.stages]
        for index, start in enumerate(starts):
            path = f"by_tenure[{index}].from_days"
            if isinstance(start, bool) or not isinstance(start, int) or start < 0:
                problems.append((path, EXPECTED_DAYS))
            elif index == 0 and start:
                problems.append((path, STARTS_AT_ZERO))
            elif index and isinstance(starts[index - 1], int) and start <= starts[index - 1]:
                problems.append((path, STAGES_MUST_RISE))
        return problems

    def _stage_of(self, tenure: Array) -> Any:
        starts = [start for start, _scale in self.stages]
        return np.maximum(np.searchsorted(starts, tenure, side="right") - 1, 0)

    def targets(self, own: Array, segments: Segments, tenure: Array) -> Array:
        """The target of each row at its tenure."""
        out, stage = own.copy(), self._stage_of(tenure)
        for place, (_start, scale) in enumerate(self.stages):
            rows = stage == place
            part = Segments(segments.codes[rows], segments.names)
            out[rows] = scale.targets(own[rows], part, tenure[rows])
        return out

    def scores(self, values: Array, beside: Beside) -> Array:
        if beside.tenure is None:
            raise ValueError("A scale by tenure must be told the tenure.")
        out, stage = np.full_like(values, np.nan), self._stage_of(beside.tenure)
        for place, (_start, scale) in enumerate(self.stages):
            rows = stage == place
            out[rows] = scale.scores(values[rows], beside.pick(rows))
        return out

    def to_dict(self) -> dict[str, Any]:
        """The kind of its stages, and each stage with its values."""
        stages = []
        for start, scale in self.stages:
            values = scale.to_dict()
            kind = values.pop("kind")
            stages.append({"from_days": start, **values})
        return {"kind": kind, "by_tenure": stages}
