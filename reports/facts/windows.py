"""The windows that flows are counted in, as SQL."""

from __future__ import annotations

from reports.days import WINDOWS

WINDOWS_SQL = f"(VALUES {', '.join(f'({days})' for days in WINDOWS)}) AS w(days)"
LONGEST = max(WINDOWS)


def inside(column: str) -> str:
    """Whether a date lies in the window `w` that ends with the day."""
    return f"({column} <= %(day)s AND {column} > %(day)s::date - w.days)"


# An account that had not left by the end of the day.
PRESENT = "(a.churned_on IS NULL OR a.churned_on > %(day)s)"
