"""The cursor below everything that reads: the ORM, hand-written statements, COPY, server-side cursors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg2.extensions import cursor

from accounts.visibility import current_visibility


def _seen(statement: Any, *, with_values: bool, raw: Any) -> Any:
    """The statement as whoever asks may run it."""
    seen = current_visibility()
    if seen.is_all:
        return statement
    from accounts.fence.narrowing import narrowed_sql  # models load after the backend

    text = statement if isinstance(statement, (str, bytes)) else statement.as_string(raw)
    return narrowed_sql(text, seen, with_values=with_values)


class NarrowedCursor(cursor):
    """Keeps each statement to the accounts that the running request may show (`accounts/fence/narrowing.py`)."""

    def execute(self, query: Any, vars: Any = None) -> None:
        """One statement."""
        super().execute(_seen(query, with_values=vars is not None, raw=self), vars)

    def executemany(self, query: Any, vars_list: Iterable[Any]) -> None:
        """One statement with many rows of values."""
        super().executemany(_seen(query, with_values=True, raw=self), vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        """COPY, whose statement takes no values."""
        super().copy_expert(_seen(sql, with_values=False, raw=self), file, size)

    def copy_to(self, file: Any, table: str, *args: Any, **options: Any) -> None:
        """COPY of a whole table: only for whoever sees everything."""
        if not current_visibility().is_all:
            from accounts.fence.statements import Unnarrowable

            raise Unnarrowable("Use copy_expert() with a SELECT: COPY of a table takes no condition.")
        super().copy_to(file, table, *args, **options)
