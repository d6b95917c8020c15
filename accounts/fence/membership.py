"""Who is at the door: a person's membership of a company, by a plain statement, because every page asks it first."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

from accounts.models import Membership, Tenant

M = TypeVar("M", bound=models.Model)


@cache
def _statement() -> str:
    def columns(model: type[models.Model], alias: str) -> str:
        return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)

    return (
        f"SELECT {columns(Membership, 'm')}, {columns(Tenant, 't')}, EXISTS (SELECT FROM accounts_membership o"
        " WHERE o.user_id = m.user_id AND o.is_active AND o.id <> m.id)"
        " FROM accounts_membership m JOIN accounts_tenant t ON t.id = m.tenant_id"
        " WHERE m.user_id = %s AND m.is_active AND t.slug = %s"
    )


def membership_at(user_id: int, slug: str) -> tuple[Membership, bool] | None:
    """The active membership with its tenant, and whether the person is in other companies too; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [user_id, slug])
        row = cursor.fetchone()
    if row is None:
        return None
    width = len(Membership._meta.concrete_fields)
    member = _made(Membership, row[:width])
    member.tenant = _made(Tenant, row[width:-1])
    return member, bool(row[-1])


def _made(model: type[M], values: tuple[Any, ...]) -> M:
    """A row as Django makes it; no field of these two has values of its own in the database."""
    return model.from_db(connection.alias, [field.attname for field in model._meta.concrete_fields], values)
