"""The roles of the database: who may do what, made idempotently by a superuser.

`python -m cs_platform.roles` does it on a server of one's own: ADMIN_DATABASE_URL names the superuser,
the DATABASE_URL* variables name the roles' passwords and the database.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from accounts.fence.grants import default_privileges_sql
from accounts.fence.querying import QUERY_ROLE, server_statements

DATABASE = "cs_platform"
OLDEST_VERSION = 170_000  # transaction_timeout

# Every attribute is written out, so that a role somebody made stronger is made weak again.
_PLAIN = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS"
ATTRIBUTES: Mapping[str, str] = {
    "cs_migrate": "LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOINHERIT NOREPLICATION BYPASSRLS",
    "cs_web": _PLAIN,
    "cs_worker": _PLAIN,
    "cs_dispatch": _PLAIN,
    "cs_platform": _PLAIN,
    "cs_backup": "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION BYPASSRLS",
}

# Nobody logs in as it: web and worker become it for the time of an admin's SQL, and get nothing from it otherwise.
QUERY_ATTRIBUTES = "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS"
QUERIES = ("cs_web", "cs_worker")

_QUICK = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "transaction_timeout": "60s",
}
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "cs_migrate": {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "10min"},
    "cs_web": _QUICK,
    "cs_worker": {
        "statement_timeout": "15min",
        "lock_timeout": "30s",
        "idle_in_transaction_session_timeout": "10min",
        "transaction_timeout": "30min",
    },
    "cs_dispatch": _QUICK,
    "cs_platform": _QUICK | {"statement_timeout": "60s", "transaction_timeout": "5min"},
    "cs_backup": {"default_transaction_read_only": "on"},
}

# Which environment variable carries the address of which role.
ADDRESS_VARIABLES: Mapping[str, str] = {
    "cs_web": "DATABASE_URL",
    "cs_worker": "DATABASE_URL_WORKER",
    "cs_migrate": "DATABASE_URL_MIGRATE",
    "cs_dispatch": "DATABASE_URL_DISPATCH",
    "cs_platform": "DATABASE_URL_PLATFORM",
    "cs_backup": "DATABASE_URL_BACKUP",
}


class RolesError(RuntimeError):
    """The roles cannot be made as asked."""


def make_roles(admin: Connection, passwords: Mapping[str, str]) -> None:
    """Make every role with its password, attributes and timeouts; none inherits from another."""
    if admin.server_version < OLDEST_VERSION:
        raise RolesError(f"PostgreSQL 17 or newer is needed, this is {admin.server_version // 10_000}.")
    with admin, admin.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('cs_platform roles'))")
        for role, attributes in ATTRIBUTES.items():
            _make_role(cursor, role, attributes, passwords[role])
        _make_query_role(cursor)
        _leave_every_group(cursor)
        cursor.execute(
            f"GRANT {QUERY_ROLE} TO {', '.join(QUERIES)} WITH ADMIN FALSE, INHERIT FALSE, SET TRUE"
        )


def make_database(admin: Connection, name: str = DATABASE) -> None:
    """Make the database, owned by cs_migrate, unless it is there."""
    with admin.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            admin.rollback()
            admin.autocommit = True  # CREATE DATABASE refuses a transaction
            try:
                cursor.execute(sql.SQL("CREATE DATABASE {} OWNER cs_migrate").format(sql.Identifier(name)))
            finally:
                admin.autocommit = False
        cursor.execute(sql.SQL("ALTER DATABASE {} OWNER TO cs_migrate").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        cursor.execute(
            sql.SQL(
                "GRANT CONNECT ON DATABASE {} TO cs_web, cs_worker, cs_dispatch, cs_platform, cs_backup"
            ).format(sql.Identifier(name))
        )
        cursor.execute(
            sql.SQL("GRANT TEMPORARY ON DATABASE {} TO cs_web, cs_worker, cs_platform").format(
                sql.Identifier(name)
            )
        )
    admin.commit()


def prepare_schema(inside: Connection) -> None:
    """Inside the database: only cs_migrate makes tables, and what it makes is granted by default."""
    with inside, inside.cursor() as cursor:
        cursor.execute("ALTER SCHEMA public OWNER TO cs_migrate")
        cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        cursor.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        for statement in default_privileges_sql():
            cursor.execute(statement)
    limit_functions(inside)


def limit_functions(inside: Connection) -> None:
    """Inside a database: what the server lets everybody call and an admin's SQL must not."""
    with inside, inside.cursor() as cursor:
        for statement in server_statements(list(ATTRIBUTES)):
            cursor.execute(statement)


def _make_query_role(cursor: Cursor) -> None:
    """The role of an admin's SQL: no login, no attribute, no setting of its own."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [QUERY_ROLE])
    verb = "ALTER" if cursor.fetchone() else "CREATE"
    cursor.execute(f"{verb} ROLE {QUERY_ROLE} {QUERY_ATTRIBUTES}")
    cursor.execute(f"ALTER ROLE {QUERY_ROLE} RESET ALL")


def _make_role(cursor: Cursor, role: str, attributes: str, password: str) -> None:
    name = sql.Identifier(role)
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    verb = "ALTER" if cursor.fetchone() else "CREATE"
    statement = sql.SQL("{} ROLE {} {} PASSWORD {}")
    cursor.execute(statement.format(sql.SQL(verb), name, sql.SQL(attributes), sql.Literal(password)))
    cursor.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(name))
    for setting, value in SETTINGS[role].items():
        cursor.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        )


def _leave_every_group(cursor: Cursor) -> None:
    """Take our roles out of every other role: nobody gains rights by a membership that somebody gave."""
    cursor.execute(
        """
        SELECT g.rolname, m.rolname FROM pg_auth_members a
        JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
        WHERE m.rolname = ANY(%s)
        """,
        [[*ATTRIBUTES, QUERY_ROLE]],
    )
    for group, member in cursor.fetchall():
        cursor.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(group), sql.Identifier(member)))


def main() -> int:
    """Make roles and database as the environment says."""
    admin_url = os.environ.get("ADMIN_DATABASE_URL")
    missing = [
        name for name in ("ADMIN_DATABASE_URL", *ADDRESS_VARIABLES.values()) if not os.environ.get(name)
    ]
    if missing or not admin_url:
        print(f"Not set: {', '.join(missing)}", file=sys.stderr)
        return 2
    passwords: dict[str, str] = {}
    databases: set[str] = set()
    for role, variable in ADDRESS_VARIABLES.items():
        address = urlsplit(os.environ[variable])
        if unquote(address.username or "") != role or not address.password:
            print(f"{variable} must name the user {role} and a password", file=sys.stderr)
            return 2
        passwords[role] = unquote(address.password)
        databases.add(address.path.lstrip("/"))
    if len(databases) != 1:
        print(f"The addresses name several databases: {', '.join(sorted(databases))}", file=sys.stderr)
        return 2
    database = databases.pop()
    try:
        admin = psycopg2.connect(admin_url)
        make_roles(admin, passwords)
        make_database(admin, database)
        admin.close()
        inside = psycopg2.connect(admin_url, dbname=database)
        prepare_schema(inside)
        inside.close()
    except (psycopg2.Error, RolesError) as error:
        print(f"The roles were not made: {error}", file=sys.stderr)
        return 1
    print(f"Roles and database {database} are ready.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
