"""Hints for statements over many of a tenant's accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


def prefer_hash_joins() -> None:
    """Keep the planner from nested loops for the rest of the scope.

    A table that was filled a moment ago has no statistics yet; PostgreSQL then expects one row and recomputes an aggregate
    for each account, which turns a second into minutes. Statements over all accounts never want that.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")


@contextmanager
def reading_everything(really: bool = True, *, alone: bool = False) -> Iterator[None]:
    """Keep the planner from nested loops within the block; after it holds what held before.

    For a page of what only a look at every account can find: PostgreSQL expects its rows soon, and looks up account after
    account in three other tables until it has them. With `alone` in one process: where rows are grouped before they are
    joined, each process would group all of them.
    """
    if not really:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('enable_nestloop'), current_setting('max_parallel_workers_per_gather')"
        )
        loops, processes = cursor.fetchone()
    prefer_hash_joins()
    if alone:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    yield  # an error ends the transaction, and the settings with it
    with connection.cursor() as cursor:
        if loops == "on":
            cursor.execute("SET LOCAL enable_nestloop = on")
        if alone:
            cursor.execute(f"SET LOCAL max_parallel_workers_per_gather = {int(processes)}")


def prefer_account_ranges() -> None:
    """Have the planner read a range of accounts by its key for the rest of the scope.

    With the settings of a spinning disk PostgreSQL reads a whole table of a big tenant for each tenth of its accounts, and
    spreads that over processes which the other workers need. What 10,000 accounts are grouped by takes some 20 MB.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL random_page_cost = 1.1; SET LOCAL max_parallel_workers_per_gather = 0;"
            " SET LOCAL work_mem = '64MB'"
        )


def group_in_memory() -> None:
    """Let a statement keep its groups in memory for the rest of the scope.

    PostgreSQL expects the state of an aggregate to be large and sorts gigabytes on disk instead: twenty-four windows of
    100,000 accounts took 8 s that way, and 5 s as a hash of 20 MB.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
