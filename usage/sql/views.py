"""The views that an admin's SQL may read: the tenant's own rows, without what identifies other tenants or people.

Each view is `security_invoker`: whoever reads it needs rights on the columns below, and row-level security applies to them.
`cs_query` is granted exactly the columns named here (`accounts/fence/querying.py`); the fence audit compares.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from accounts.fence.querying import (
    POLICY,
    QUERY_SCHEMA,
    schema_statements,
    table_statements,
    view_statements,
)

RECENT_EVENT_DAYS = 90


@dataclass(frozen=True)
class View:
    """A published view: its columns, what they are read from, and which columns of which tables that takes."""

    name: str
    columns: tuple[str, ...]
    sql: str
    reads: tuple[tuple[str, tuple[str, ...]], ...]


def _plain(name: str, table: str, columns: dict[str, str], condition: str = "") -> View:
    """A view of one table; `columns` maps the published name to the table's."""
    picked = ", ".join(f't."{own}" AS "{shown}"' for shown, own in columns.items())
    where = f" WHERE {condition}" if condition else ""
    needed = {"tenant_id", *columns.values()}
    if condition:
        needed |= {word for word in ("merged_into_id",) if word in condition}
    return View(
        name,
        tuple(columns),
        f"SELECT {picked} FROM public.{table} AS t{where}",
        ((table, tuple(sorted(needed))),),
    )


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


VIEWS: tuple[View, ...] = (
    _plain(
        "accounts",
        "accounts_account",
        {
            "account_id": "id",
            **_same(
                "external_id",
                "name",
                "segment",
                "stage",
                "plan",
                "plan_kind",
                "seats",
                "volume_limit",
                "mrr_cents",
                "currency",
                "go_live_on",
                "renewal_on",
                "churned_on",
                "parent_id",
                "touch_model",
                "tags",
                "custom",
                "first_seen_on",
            ),
        },
    ),
    _plain(
        "contacts",
        "accounts_contact",
        {"contact_id": "id", **_same("account_id", "roles", "first_seen_at", "last_seen_at")},
        "t.merged_into_id IS NULL",
    ),
    _plain(
        "subscriptions",
        "accounts_subscription",
        _same(
            "account_id",
            "external_id",
            "plan",
            "seats",
            "mrr_cents",
            "currency",
            "starts_on",
            "renews_on",
            "ends_on",
        ),
    ),
    _plain(
        "tickets",
        "accounts_ticket",
        _same("account_id", "external_id", "status", "severity", "opened_at", "resolved_at", "tags"),
    ),
    _plain(
        "invoices",
        "accounts_invoice",
        _same("account_id", "external_id", "amount_cents", "currency", "due_on", "paid_at", "state"),
    ),
    View(
        "usage_days",
        ("account_id", "day", "metric", "value"),
        'SELECT u.account_id, u.day, m.key AS metric, u."values"[m.slot] AS value '
        "FROM public.usage_day AS u JOIN public.usage_metric AS m ON m.tenant_id = u.tenant_id "
        'WHERE m.active AND m.slot IS NOT NULL AND u."values"[m.slot] IS NOT NULL',
        (
            ("usage_day", ("account_id", "day", "tenant_id", "values")),
            ("usage_metric", ("active", "key", "slot", "tenant_id")),
        ),
    ),
    View(
        "events",
        ("account_id", "contact_id", "name", "feature", "occurred_at", "day", "properties"),
        "SELECT e.account_id, e.contact_id, e.name, e.feature, e.occurred_at, e.day, e.properties "
        f"FROM public.usage_event AS e WHERE e.day > CURRENT_DATE - {RECENT_EVENT_DAYS} AND e.account_id IS NOT NULL",
        (
            (
                "usage_event",
                (
                    "account_id",
                    "contact_id",
                    "day",
                    "feature",
                    "name",
                    "occurred_at",
                    "properties",
                    "tenant_id",
                ),
            ),
        ),
    ),
)
BY_NAME = {view.name: view for view in VIEWS}
COLUMNS = frozenset(column for view in VIEWS for column in view.columns)


def columns_read() -> dict[str, set[str]]:
    """The columns of each table that the views are made of."""
    tables: dict[str, set[str]] = defaultdict(set)
    for view in VIEWS:
        for table, columns in view.reads:
            tables[table] |= set(columns)
    return tables


MAKE_SQL = [
    *schema_statements(),
    *(statement for view in VIEWS for statement in view_statements(view.name, view.sql)),
    *(
        statement
        for table, columns in sorted(columns_read().items())
        for statement in table_statements(table, sorted(columns))
    ),
]
DROP_SQL = [
    f"DROP SCHEMA {QUERY_SCHEMA} CASCADE",
    *(f'DROP POLICY {POLICY} ON "{table}"' for table in sorted(columns_read())),
]
