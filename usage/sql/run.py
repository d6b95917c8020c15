"""Running an admin's SQL: as a role that may only read, in a savepoint that is always rolled back."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg2
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _

from accounts.fence.querying import QUERY_ROLE
from accounts.fence.scope import current_tenant_id
from accounts.models import Account, Tenant
from usage.matching import MAX_VALUE

from .check import Statement, read_sql
from .views import VIEWS

NAMED = 3  # accounts named in a message

# Reverted by ROLLBACK TO SAVEPOINT, all of it: role, limits, and whatever a statement might have set.
_LIMITS = (
    "SET LOCAL transaction_read_only = on",
    "SET LOCAL statement_timeout = %(milliseconds)s",
    "SET LOCAL lock_timeout = '2s'",
    "SET LOCAL search_path = pg_catalog, pg_temp",
    "SET LOCAL max_parallel_workers_per_gather = 0",
)
_BECOME = f"SET LOCAL ROLE {QUERY_ROLE}"
# The casts keep the rows small and numbers numbers; one row more than allowed tells that there are too many.
_WRAPPED = "SELECT q.a::bigint, q.b::double precision FROM ({sql}) AS q(a, b) LIMIT {limit}"


class SqlFailed(ValueError):
    """A query that was run and gave no usable numbers: why, in the reader's language."""


@dataclass(frozen=True)
class QueryResult:
    """A number (or nothing) per account, and how long it took."""

    values: dict[int, float | None]
    seconds: float


@contextmanager
def as_query_role(seconds: float) -> Iterator[Any]:
    """A cursor of `cs_query` in the open scope; afterwards everything is as it was before."""
    current_tenant_id()  # raises outside a scope
    mark = connection.savepoint()
    if mark is None:
        raise RuntimeError("A query needs the transaction of a tenant scope.")
    try:
        with connection.cursor() as cursor:
            for statement in _LIMITS:
                cursor.execute(statement % {"milliseconds": round(seconds * 1000)})
            cursor.execute(_BECOME)
            yield cursor
    finally:
        connection.savepoint_rollback(mark)
        connection.savepoint_commit(mark)  # releases the name; the work is gone already


def run_sql(tenant: Tenant, text: str, day: date, moment: datetime) -> QueryResult:
    """The value of every account that the query names, as of a day; raises `SqlRefused` or `SqlFailed`."""
    statement = read_sql(text, day, moment)
    began = time.monotonic()
    rows = _rows(statement)
    seconds = time.monotonic() - began
    return QueryResult(_values(tenant, rows), seconds)


def _rows(statement: Statement) -> list[tuple[int | None, float | None]]:
    limit = int(settings.SQL_METRIC_ROWS)
    sql = _WRAPPED.format(sql=statement.sql, limit=limit + 1)
    try:
        with as_query_role(settings.SQL_METRIC_SECONDS) as cursor:
            cursor.execute(sql)
            rows: list[tuple[int | None, float | None]] = cursor.fetchall()
    except DatabaseError as error:
        raise SqlFailed(_words(error, statement)) from error
    if len(rows) > limit:
        raise SqlFailed(
            _(
                "The query gives more than %(limit)d rows; it must give one for each account. Group by account_id."
            )
            % {"limit": limit}
        )
    return rows


def _values(tenant: Tenant, rows: list[tuple[int | None, float | None]]) -> dict[int, float | None]:
    if any(account is None for account, _value in rows):
        raise SqlFailed(
            _(
                "The first column has rows without an account. Leave them out with WHERE account_id IS NOT NULL."
            )
        )
    counted = Counter(account for account, _value in rows if account is not None)
    known = dict(Account.objects.filter(tenant=tenant).values_list("pk", "name"))
    twice = [account for account, count in counted.items() if count > 1]
    if twice:
        names = ", ".join(str(known.get(account, account)) for account in sorted(twice)[:NAMED])
        raise SqlFailed(
            _(
                "The query gives several rows for %(count)d accounts (%(names)s …); it must give one. Group by account_id."
            )
            % {"count": len(twice), "names": names}
        )
    if strangers := set(counted) - set(known):
        raise SqlFailed(
            _("The first column must be the account_id of the views; %(count)d rows name no account.")
            % {"count": len(strangers)}
        )
    values: dict[int, float | None] = {}
    for account, value in rows:
        if account is None:
            continue
        if value is not None and (not math.isfinite(value) or abs(value) > MAX_VALUE):
            raise SqlFailed(
                _("The value of %(account)s is no finite number that can be kept. Mind divisions and powers.")
                % {"account": known[account]}
            )
        values[account] = value
    return values


def _words(error: DatabaseError, statement: Statement) -> str:
    """Why the server would not, in words that tell how to mend it."""
    cause = error.__cause__
    code = getattr(cause, "pgcode", None) or ""
    message = _server_message(cause)
    if code == "57014":
        return _(
            "The query took longer than %(seconds)s seconds and was stopped. Look at fewer days, or at one metric."
        ) % {"seconds": f"{settings.SQL_METRIC_SECONDS:g}"}
    if code == "55P03":
        return _("The tables are being changed right now; try again in a moment.")
    if code in ("42703", "42P01"):
        return _("%(message)s. The views have: %(views)s.") % {
            "message": message,
            "views": _columns(statement),
        }
    if code == "22012":
        return _("The query divides by zero. Write the divisor as nullif(…, 0): the value is missing then.")
    if code in ("22P02", "42846", "22003"):
        return _("The columns must be account_id and a number: %(message)s.") % {"message": message}
    if code in ("42803", "42P20"):
        return _("%(message)s. Name the column in GROUP BY, or count, add or average it.") % {
            "message": message
        }
    if code == "42501":
        return _("The query reads something that it may not: %(message)s.") % {"message": message}
    return _("The database refused the query: %(message)s.") % {"message": message}


def _server_message(cause: BaseException | None) -> str:
    if isinstance(cause, psycopg2.Error) and cause.diag.message_primary:
        parts = [cause.diag.message_primary, cause.diag.message_hint or ""]
        return ". ".join(part for part in parts if part).rstrip(".")
    return str(cause or "").strip().splitlines()[0] if cause else ""


def _columns(statement: Statement) -> str:
    """The columns of the views that a statement reads."""
    used = [view for view in VIEWS if re.search(rf"query\.\"?{view.name}\b", statement.sql)]
    return "; ".join(f"{view.name}: {', '.join(view.columns)}" for view in used or VIEWS)
