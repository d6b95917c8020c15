"""Reads of scoring."""

from .backtests import latest_backtest
from .explanation import (
    empty_explanation,
    evaluate_components,
    explanation,
    measure_places,
    score_details,
)
from .history import score_history, score_series
from .rollup import Child, RollUp, rollup
from .versions import model_timelines, numbered_version, published_version, version_marks

__all__ = [
    "Child",
    "RollUp",
    "empty_explanation",
    "evaluate_components",
    "explanation",
    "latest_backtest",
    "measure_places",
    "model_timelines",
    "numbered_version",
    "published_version",
    "rollup",
    "score_details",
    "score_history",
    "score_series",
    "version_marks",
]
