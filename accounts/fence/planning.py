"""A hint for statements over all of a tenant's accounts."""

from __future__ import annotations

from django.db import connection


def prefer_hash_joins() -> None:
    """Keep the planner from nested loops for the rest of the scope.

    A table that was filled a moment ago has no statistics yet; PostgreSQL then expects one row and recomputes an aggregate
    for each account, which turns a second into minutes. Statements over all accounts never want that.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
