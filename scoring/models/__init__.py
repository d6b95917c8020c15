"""Tables of scoring; the history and the current row are hand-written tables with read-only models."""

from .backtests import Backtest
from .definitions import Component, Measure, ScoreModel, Version
from .exceptions import ExceptionRule
from .judgement import BandWeek, Override, Sentiment
from .results import KIND_CODES, CurrentScore, PeerReference, StoredScore
from .what_if import Move, WhatIf

__all__ = [
    "KIND_CODES",
    "Backtest",
    "BandWeek",
    "Component",
    "CurrentScore",
    "ExceptionRule",
    "Measure",
    "Move",
    "Override",
    "PeerReference",
    "ScoreModel",
    "Sentiment",
    "StoredScore",
    "Version",
    "WhatIf",
]
