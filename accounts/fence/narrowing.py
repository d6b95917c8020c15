"""Has statements of somebody who sees only some accounts read only those, whoever wrote the statement.

The manager of tenant models narrows what a query of the ORM begins with. Tables that it joins, and tables in hand-written
SQL, are put in here: `JOIN accounts_account AS a` becomes `JOIN (SELECT * FROM accounts_account WHERE …) AS a`. PostgreSQL
pulls such a sub-select up, so the plan is that of the condition. Nothing is rewritten for whoever sees everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import ForeignKey, Q, QuerySet

from accounts.visibility import Visibility, current_visibility

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


def narrowed(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that the running request may show."""
    seen = current_visibility()
    if seen.owners is None:
        return rows
    model: type[Model] = rows.model
    if model._meta.label in OVER_ALL:
        return rows.none()
    if model._meta.label == "accounts.Account":
        owned = Q(owner_id__in=seen.owners)
        return rows.filter(owned | Q(owner_id=None) if seen.unowned else owned)
    way = way_of(model)
    if way is None:
        return rows
    name, other, nullable = way
    parents = Q(**{f"{name}__in": other._default_manager.values("pk")})
    return rows.filter(parents | Q(**{f"{name}__isnull": True}) if nullable else parents)


@cache
def _conditions() -> Mapping[str, Callable[[Visibility], str]]:
    """How each table is narrowed, by its name."""
    found: dict[str, Callable[[Visibility], str]] = dict.fromkeys(RAW_TABLES, _by_column)
    for model in apps.get_models():
        if not any(field.name == "tenant" for field in model._meta.fields):
            continue
        if is_of_accounts(model):
            found[model._meta.db_table] = _condition_of(model)
    return found


def _by_column(seen: Visibility) -> str:
    return f"account_id IN ({_accounts(seen)})"


def _accounts(seen: Visibility) -> str:
    return f"SELECT id FROM accounts_account WHERE tenant_id = app_tenant() AND {_owned(seen)}"


def _owned(seen: Visibility) -> str:
    # Numbers of our own, written out: the statement keeps its parameters.
    owned = f"owner_id IN ({', '.join(str(int(owner)) for owner in seen.owners or ())})"
    return f"({owned} OR owner_id IS NULL)" if seen.unowned else owned


def _condition_of(model: type[Model]) -> Callable[[Visibility], str]:
    label = model._meta.label
    if label in OVER_ALL:
        return lambda seen: "false"
    if label == "accounts.Account":
        return _owned
    way = way_of(model)
    assert way is not None
    name, other, nullable = way
    column = next(field.column for field in model._meta.fields if field.name == name)
    inner = _condition_of(other)
    table = other._meta.db_table

    def condition(seen: Visibility) -> str:
        rows = f"{column} IN (SELECT id FROM {table} WHERE tenant_id = app_tenant() AND {inner(seen)})"
        return f"({rows} OR {column} IS NULL)" if nullable else rows

    return condition


_KEYWORDS = (
    "on|where|join|left|right|inner|full|cross|natural|group|order|limit|union|set|using|for|having|window|returning|"
    "except|intersect|offset|fetch|tablesample|lateral|and|or|as|do|when|then|values|select"
)


@cache
def _pattern() -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, _conditions()), key=len, reverse=True))
    return re.compile(
        # Hand-written: wherever a table can be read. The ORM quotes names; what it begins with its manager has narrowed.
        rf"(?P<before>(?<!delete )\b(?:from|join|using)\s+|,\s*)(?P<plain>{names})(?![\w.(\"])"
        rf"|(?P<joined>\bjoin\s+)\"(?P<quoted>{names})\"(?!\.)",
        re.IGNORECASE,
    )


_ALIAS = re.compile(rf"\s+(?:as\s+)?(?!(?:{_KEYWORDS})\b)[\"a-z_]", re.IGNORECASE)


@lru_cache(maxsize=2048)
def narrowed_sql(sql: str, seen: Visibility) -> str:
    """The statement with every table of accounts in it narrowed to what is seen."""
    conditions = _conditions()

    def narrow_one(match: re.Match[str]) -> str:
        table = match["plain"] or match["quoted"]
        rows = f"(SELECT * FROM {table} WHERE {conditions[table.lower()](seen)})"
        named = _ALIAS.match(sql, match.end())
        return f"{match['before'] or match['joined']}{rows}" + ("" if named else f' AS "{table}"')

    return _pattern().sub(narrow_one, sql)


def narrow(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Wrapper of statements (`connection.execute_wrapper`)."""
    seen = current_visibility()
    if not seen.is_all and isinstance(sql, str):
        sql = narrowed_sql(sql, seen)
    return execute(sql, params, many, context)
