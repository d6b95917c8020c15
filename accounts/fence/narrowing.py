"""Has statements of somebody who sees only some accounts meet only those, whoever wrote the statement.

The cursor (`accounts/fence/backend/cursors.py`) asks here before each statement, the ORM's and hand-written ones alike.
The statement is parsed once (`statements.py`): `JOIN accounts_account AS a` becomes
`JOIN (SELECT * FROM accounts_account WHERE …) AS a`, and rows that are changed or deleted get one condition more, also
those that an INSERT meets and changes instead (ON CONFLICT DO UPDATE).
PostgreSQL pulls such a sub-select up, so the plan is that of the condition. What cannot be kept to the accounts is refused.
Nothing is rewritten for whoever sees everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from django.apps import apps
from django.db.models import ForeignKey

from accounts.visibility import Visibility

from .statements import Condition, Template, template_of

if TYPE_CHECKING:
    from django.db.models import Model

# Tables without a model whose rows are of an account.
RAW_TABLES = (
    "usage_event",
    "usage_day",
    "usage_user_day",
    "usage_dim_day",
    "usage_pushed_value",
    "usage_recent",
    "scoring_backtest_case",
)
# What was summed up over all accounts, or cannot be told apart by account: not for whoever sees only some.
OVER_ALL = frozenset(
    {
        "health.TenantDay",
        "scoring.WhatIf",
        "scoring.BandWeek",
        "scoring.Backtest",
        "pql.ConversionMonth",
        "alerts.DryRun",
        "expansion.RetentionStore",
        "usage.Quarantine",
    }
)
# References that say nothing of whose row it is: who did something, what it was made with.
NO_WAY = frozenset({"accounts.Membership", "accounts.Account", "accounts.Job"})

# A statement of one member is mostly another's too; longer ones (lists of ids written out) hardly come back.
KEPT_STATEMENTS, LONGEST_KEPT = 4096, 20_000
# Their names are counted up, and they read nothing.
SAVEPOINTS = (b"SAVEPOINT ", b"RELEASE SAVEPOINT ", b"ROLLBACK TO SAVEPOINT ")

Way = tuple[str, type["Model"], bool]  # the field, the model it leads to, whether it may be empty


@cache
def way_of(model: type[Model]) -> Way | None:
    """The reference that tells of which account a row is: `account`, else the first one to a row that is of an account."""
    fields = [
        field
        for field in model._meta.fields
        if isinstance(field, ForeignKey) and field.name not in ("tenant", "merged_into", "parent")
    ]
    for field in fields:
        if field.name == "account":
            return "account", field.remote_field.model, field.null
    found: Way | None = None
    for field in fields:
        other = field.remote_field.model
        if other is model or other._meta.label in NO_WAY or not is_of_accounts(other):
            continue
        if not field.null:
            return field.name, other, False
        found = found or (field.name, other, True)
    return found


def is_of_accounts(model: type[Model]) -> bool:
    """Whether rows of the model are of an account, or not to be shown to whoever sees only some."""
    label = model._meta.label
    return label == "accounts.Account" or label in OVER_ALL or way_of(model) is not None


Rule = Callable[[Visibility, str], str]  # eyes, and what stands before the columns


@cache
def conditions() -> Mapping[str, Rule]:
    """How each table of accounts is narrowed, by its name."""
    found: dict[str, Rule] = dict.fromkeys(RAW_TABLES, _by_column)
    for model in apps.get_models():
        if not any(field.name == "tenant" for field in model._meta.fields):
            continue
        if is_of_accounts(model):
            found[model._meta.db_table] = _condition_of(model)
    return found


def _by_column(seen: Visibility, prefix: str) -> str:
    rows = f"SELECT id FROM accounts_account WHERE tenant_id = app_tenant() AND {_owned(seen, '')}"
    return f"{prefix}account_id IN ({rows})"


def _owned(seen: Visibility, prefix: str) -> str:
    # Numbers of our own, written out: the statement keeps its parameters.
    owners = ", ".join(str(int(owner)) for owner in seen.owners or ())
    owned = f"{prefix}owner_id IN ({owners})" if owners else "false"
    return f"({owned} OR {prefix}owner_id IS NULL)" if seen.unowned else owned


def _condition_of(model: type[Model]) -> Rule:
    label = model._meta.label
    if label in OVER_ALL:
        return lambda seen, prefix: "false"
    if label == "accounts.Account":
        return _owned
    way = way_of(model)
    assert way is not None
    name, other, nullable = way
    column = next(field.column for field in model._meta.fields if field.name == name)
    inner = _condition_of(other)
    table = other._meta.db_table

    def condition(seen: Visibility, prefix: str) -> str:
        rows = f"SELECT id FROM {table} WHERE tenant_id = app_tenant() AND {inner(seen, '')}"
        found = f"{prefix}{column} IN ({rows})"
        return f"({found} OR {prefix}{column} IS NULL)" if nullable else found

    return condition


@lru_cache(maxsize=KEPT_STATEMENTS)
def _template(statement: bytes, with_values: bool) -> Template:
    return template_of(statement, conditions(), with_values=with_values)


@lru_cache(maxsize=KEPT_STATEMENTS)
def _condition(place: Condition, seen: Visibility) -> bytes:
    return conditions()[place.table](seen, place.prefix).encode()


def narrowed_sql(sql: str | bytes, seen: Visibility, *, with_values: bool = True) -> bytes:
    """The statement with every table of accounts in it narrowed to what is seen; raises `Unnarrowable`.

    `with_values` says that parameters (`%s`) will be put in, so that `%%` is one sign.
    """
    statement = sql.encode() if isinstance(sql, str) else bytes(sql)
    if statement.startswith(SAVEPOINTS):
        return statement
    read = _template if len(statement) <= LONGEST_KEPT else _template.__wrapped__
    return b"".join(
        piece if isinstance(piece, bytes) else _condition(piece, seen)
        for piece in read(statement, with_values)
    )
