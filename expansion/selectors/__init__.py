"""Every read of expansion."""

from .figures import Amount, StageTotal, Tiles, amounts, expansion_revenue, quarter_of, stage_totals, tiles
from .opportunities import (
    account_opportunities,
    best_proposal,
    discounts_of,
    moves_of,
    open_opportunities,
    opportunities_of,
    opportunity,
    opportunity_entries,
    proposals_of,
    waiting_discounts,
)
from .whitespace import Cell, Row, export_matrix, matrix_accounts, matrix_offerings, rows_of

__all__ = [
    "Amount",
    "Cell",
    "Row",
    "StageTotal",
    "Tiles",
    "account_opportunities",
    "amounts",
    "best_proposal",
    "discounts_of",
    "expansion_revenue",
    "export_matrix",
    "matrix_accounts",
    "matrix_offerings",
    "moves_of",
    "open_opportunities",
    "opportunities_of",
    "opportunity",
    "opportunity_entries",
    "proposals_of",
    "quarter_of",
    "rows_of",
    "stage_totals",
    "tiles",
    "waiting_discounts",
]
