"""Tables of scoring; the history and the current row are hand-written tables with read-only models."""

from .backtests import Backtest
from .definitions import Component, Measure, ScoreModel, Version
from .exceptions import ExceptionRule
from .results import KIND_CODES, CurrentScore, PeerReference, StoredScore

__all__ = [
    "KIND_CODES",
    "Backtest",
    "Component",
    "CurrentScore",
    "ExceptionRule",
    "Measure",
    "PeerReference",
    "ScoreModel",
    "StoredScore",
    "Version",
]
