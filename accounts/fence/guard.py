"""Refuse to serve with a database role that could get round the fence."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.signals import connection_created

GUARDED_PROCESSES = frozenset({"web", "worker", "drain", "beat", "command"})

ROLE_SQL = """
SELECT r.rolname, r.rolsuper, r.rolbypassrls,
       EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'public' AND c.relowner = r.oid),
       EXISTS (SELECT 1 FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid
               -- It may become the role of an admin's SQL, which can do less; it has nothing of it otherwise.
               AND (g.rolname <> 'cs_query' OR m.inherit_option OR m.admin_option))
FROM pg_roles r WHERE r.rolname = current_user
"""


def role_faults(cursor: Any) -> list[str]:
    """What makes the connection's role unfit to serve; empty when it is fit."""
    cursor.execute(ROLE_SQL)
    name, superuser, bypasses, owns, member = cursor.fetchone()
    faults = []
    if superuser:
        faults.append(f"{name} is a superuser")
    if bypasses:
        faults.append(f"{name} has BYPASSRLS")
    if owns:
        faults.append(f"{name} owns tables")
    if member:
        faults.append(f"{name} is a member of another role")
    return faults


def refuse_strong_role(sender: Any, connection: Any, **kwargs: Any) -> None:
    """Signal handler: look at the role of each new connection of a serving process."""
    if connection.alias not in connections or connection.alias == "dispatch":
        return
    with (
        connection.connection.cursor() as cursor
    ):  # the raw cursor: Django's would open a transaction of its own
        faults = role_faults(cursor)
    if faults:
        connection.close()
        raise ImproperlyConfigured(
            "DATABASE_URL: the role must not be able to get round the tenant fence, but "
            + "; ".join(faults)
            + "."
        )


def install(process: str) -> None:
    """Guard the connections of this process if it serves."""
    if process in GUARDED_PROCESSES:
        connection_created.connect(refuse_strong_role, dispatch_uid="accounts.fence.guard")
