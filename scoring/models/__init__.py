"""Tables of scoring; the history and the current row are hand-written tables with read-only models."""

from .definitions import Component, Measure, ScoreModel, Version
from .results import KIND_CODES, CurrentScore, StoredScore

__all__ = ["KIND_CODES", "Component", "CurrentScore", "Measure", "ScoreModel", "StoredScore", "Version"]
