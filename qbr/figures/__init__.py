"""Auditable figures: every number that a customer sees can be asked for again.

`record_figure` asks a registered query and keeps the answer; `verify_figure` asks again and says whether it still holds.
"""

from __future__ import annotations

from .registry import FigureResult, SourceGone, figure_queries, figure_query, register_figure_query
from .services import (
    Asked,
    Verdict,
    ask_as_recorded,
    draw_figures,
    record_figure,
    record_figures,
    store_figures,
    verify_figure,
    verify_figures,
)

__all__ = [
    "Asked",
    "FigureResult",
    "SourceGone",
    "Verdict",
    "ask_as_recorded",
    "draw_figures",
    "figure_queries",
    "figure_query",
    "record_figure",
    "record_figures",
    "register_figure_query",
    "store_figures",
    "verify_figure",
    "verify_figures",
]
