"""The database roles: exactly the rights the fence counts on, whatever was there before."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege, QueryCanceled

from cs_platform import roles
from cs_platform.embedded.pair import CHECKOUT, Pair, throwaway_pair

ATTRIBUTES = """
    SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication, rolcanlogin
    FROM pg_roles WHERE rolname LIKE 'cs\\_%' ORDER BY rolname
"""
EXPECTED = [
    # name, superuser, bypasses row security, makes databases, makes roles, replicates, logs in
    ("cs_backup", False, True, False, False, False, True),
    ("cs_dispatch", False, False, False, False, False, True),
    ("cs_migrate", False, True, True, False, False, True),
    ("cs_platform", False, False, False, False, False, True),
    ("cs_query", False, False, False, False, False, False),
    ("cs_web", False, False, False, False, False, True),
    ("cs_worker", False, False, False, False, False, True),
]


MEMBERS = """
    SELECT member::regrole::text, roleid::regrole::text, inherit_option, set_option, admin_option
    FROM pg_auth_members WHERE member::regrole::text LIKE 'cs\\_%' ORDER BY 1, 2
"""
# An admin's SQL is run as cs_query: web and worker may become it, and have nothing of it otherwise.
MAY_BECOME = [("cs_web", "cs_query", False, True, False), ("cs_worker", "cs_query", False, True, False)]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A server of this module's own: roles belong to the whole server."""
    with throwaway_pair() as running:
        yield running


def _run(pair: Pair, role: str, statement: str, database: str | None = None) -> list[tuple[object, ...]]:
    url = pair.environment()[roles.ADDRESS_VARIABLES[role]]
    connection = psycopg2.connect(url, **({"dbname": database} if database else {}))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def _as_admin(pair: Pair, statement: str) -> list[tuple[object, ...]]:
    connection = pair.postgres.connect(roles.DATABASE)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def _make_again(pair: Pair) -> subprocess.CompletedProcess[str]:
    """As docker-compose.yml does it."""
    admin = f"postgresql://postgres:{pair.postgres.password}@127.0.0.1:{pair.postgres.port}/postgres"
    env = dict(os.environ) | pair.environment() | {"ADMIN_DATABASE_URL": admin}
    command = [sys.executable, "-m", "cs_platform.roles"]
    return subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_every_role_has_its_attributes_and_none_inherits_from_another(pair: Pair) -> None:
    assert _as_admin(pair, ATTRIBUTES) == EXPECTED
    assert _as_admin(pair, MEMBERS) == MAY_BECOME


def test_making_them_again_takes_back_what_somebody_gave(pair: Pair) -> None:
    _as_admin(pair, "ALTER ROLE cs_web SUPERUSER BYPASSRLS")
    _as_admin(pair, "ALTER ROLE cs_web SET statement_timeout = 0")
    _as_admin(pair, "ALTER ROLE cs_web SET row_security = off")
    _as_admin(pair, "GRANT cs_migrate TO cs_web")
    _as_admin(pair, "ALTER ROLE cs_query LOGIN CREATEROLE")
    _as_admin(pair, "GRANT cs_query TO cs_web WITH INHERIT TRUE, ADMIN TRUE")
    _as_admin(pair, "GRANT pg_monitor TO cs_query")
    done = _make_again(pair)
    assert (done.returncode, done.stderr) == (0, "")
    assert _as_admin(pair, ATTRIBUTES) == EXPECTED
    assert _as_admin(pair, MEMBERS) == MAY_BECOME
    assert _run(
        pair, "cs_web", "SELECT current_setting('statement_timeout'), current_setting('row_security')"
    ) == [("15s", "on")]


def test_the_administrator_s_command_says_what_is_missing_or_wrong(pair: Pair) -> None:
    env = dict(os.environ) | pair.environment()
    env.pop("ADMIN_DATABASE_URL", None)
    command = [sys.executable, "-m", "cs_platform.roles"]
    missing = subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (missing.returncode, missing.stderr) == (2, "Not set: ADMIN_DATABASE_URL\n")
    wrong = env | {"ADMIN_DATABASE_URL": "postgresql://x", "DATABASE_URL": env["DATABASE_URL_WORKER"]}
    refused = subprocess.run(command, env=wrong, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (
        2,
        "DATABASE_URL must name the user cs_web and a password\n",
    )


def test_new_tables_are_readable_and_writable_but_not_owned_by_web_and_worker(pair: Pair) -> None:
    _run(pair, "cs_migrate", "CREATE TABLE thing (id bigserial PRIMARY KEY, word text)")
    for role in ("cs_web", "cs_worker"):
        assert _run(pair, role, "INSERT INTO thing (word) VALUES ('a') RETURNING word") == [("a",)]
        _run(pair, role, "UPDATE thing SET word = 'b'")
        _run(pair, role, "DELETE FROM thing")
        _run(pair, role, "CREATE TEMPORARY TABLE mine (x int)")
        for forbidden in (
            "TRUNCATE thing",
            "DROP TABLE thing",
            "ALTER TABLE thing DISABLE ROW LEVEL SECURITY",
            "CREATE TABLE other (x int)",
            "SELECT setval('thing_id_seq', 1)",
            "SET ROLE cs_migrate",
            "CREATE ROLE helper",
        ):
            with pytest.raises(InsufficientPrivilege):
                _run(pair, role, forbidden)
    _run(pair, "cs_migrate", "DROP TABLE thing")


def test_dispatch_and_platform_get_nothing_by_default_and_backup_only_reads(pair: Pair) -> None:
    _run(pair, "cs_migrate", "CREATE TABLE thing (id bigserial PRIMARY KEY)")
    for role in ("cs_dispatch", "cs_platform"):
        with pytest.raises(InsufficientPrivilege):
            _run(pair, role, "SELECT * FROM thing")
    assert _run(pair, "cs_backup", "SELECT count(*) FROM thing") == [(0,)]
    with pytest.raises(InsufficientPrivilege):
        _run(pair, "cs_backup", "START TRANSACTION READ WRITE; INSERT INTO thing DEFAULT VALUES")
    _run(pair, "cs_migrate", "DROP TABLE thing")


def test_the_same_rights_hold_in_a_database_made_by_the_owner_once_its_sql_ran(pair: Pair) -> None:
    _run(pair, "cs_migrate", "CREATE DATABASE test_rights")
    for statement in (*roles.default_privileges_sql(), "CREATE TABLE thing (id bigserial PRIMARY KEY)"):
        _run(pair, "cs_migrate", statement, database="test_rights")
    assert _run(pair, "cs_web", "INSERT INTO thing DEFAULT VALUES RETURNING id", database="test_rights") == [
        (1,)
    ]
    with pytest.raises(InsufficientPrivilege):
        _run(pair, "cs_web", "CREATE TABLE other (x int)", database="test_rights")


def test_timeouts_end_what_hangs(pair: Pair) -> None:
    with pytest.raises(QueryCanceled):
        _run(pair, "cs_web", "SET statement_timeout = '50ms'; SELECT pg_sleep(5)")
    shown = "SELECT current_setting('statement_timeout'), current_setting('transaction_timeout')"
    assert {
        role: _run(pair, role, shown)[0] for role in ("cs_web", "cs_worker", "cs_dispatch", "cs_migrate")
    } == {
        "cs_web": ("15s", "1min"),
        "cs_worker": ("15min", "30min"),
        "cs_dispatch": ("15s", "1min"),
        "cs_migrate": ("0", "0"),
    }


def test_each_address_names_its_role(pair: Pair) -> None:
    env = pair.environment()
    users = {variable: urlsplit(env[variable]).username for variable in roles.ADDRESS_VARIABLES.values()}
    assert users == {variable: role for role, variable in roles.ADDRESS_VARIABLES.items()}
    assert len({urlsplit(env[variable]).password for variable in users}) == len(users)
