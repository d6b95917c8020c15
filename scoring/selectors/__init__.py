"""Reads of scoring."""

from .explanation import empty_explanation, evaluate_components, explanation, score_details
from .history import score_history, score_series
from .versions import model_timelines, published_version, version_marks

__all__ = [
    "empty_explanation",
    "evaluate_components",
    "explanation",
    "model_timelines",
    "published_version",
    "score_details",
    "score_history",
    "score_series",
    "version_marks",
]
