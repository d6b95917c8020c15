"""Metrics that an admin defines by SQL: published views, a reader that lets little through, a role that may do less."""

from .check import SqlProblem, SqlRefused, Statement, read_sql
from .run import QueryResult, SqlFailed, run_sql
from .views import VIEWS, View

__all__ = [
    "VIEWS",
    "QueryResult",
    "SqlFailed",
    "SqlProblem",
    "SqlRefused",
    "Statement",
    "View",
    "read_sql",
    "run_sql",
]
