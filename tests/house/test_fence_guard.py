"""A process that serves refuses a database role that could get round the fence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from accounts.fence import guard
from cs_platform.embedded.pair import throwaway_pair

STRONG = {
    "plain": ([], []),
    "superuser": (["ALTER ROLE probe SUPERUSER"], ["probe is a superuser"]),
    "bypass": (["ALTER ROLE probe BYPASSRLS"], ["probe has BYPASSRLS"]),
    "owner": (
        ["CREATE TABLE public.held (id int)", "ALTER TABLE public.held OWNER TO probe"],
        ["probe owns tables"],
    ),
    "member": (["GRANT pg_read_all_stats TO probe"], ["probe is a member of another role"]),
}


@pytest.fixture(scope="module")
def superuser() -> Iterator[Any]:
    """A cursor on a server of our own: only there a role may be made strong."""
    with throwaway_pair() as pair:
        server = pair.postgres.connect()
        with server.cursor() as cursor:
            yield cursor
        server.close()


@pytest.mark.parametrize("kind", sorted(STRONG))
def test_each_kind_of_strong_role_is_named(superuser: Any, kind: str) -> None:
    statements, faults = STRONG[kind]
    for statement in ["CREATE ROLE probe", *statements, "SET LOCAL ROLE probe"]:
        superuser.execute(statement)
    assert guard.role_faults(superuser) == faults
    superuser.connection.rollback()


def role(variable: str) -> Any:
    """The default connection, to be opened anew as this role."""
    address = urlsplit(os.environ[variable])
    connection = connections["default"]
    connection.close()
    connection.settings_dict.update(USER=address.username, PASSWORD=address.password)
    return connection


@pytest.fixture
def guarded(transactional_db: None) -> Iterator[None]:
    """The guard as web and worker install it."""
    guard.connection_created.connect(guard.refuse_strong_role, dispatch_uid="test guard")
    yield
    guard.connection_created.disconnect(dispatch_uid="test guard")
    role("DATABASE_URL")


@pytest.mark.parametrize("variable", ["DATABASE_URL", "DATABASE_URL_WORKER"])
def test_the_serving_roles_are_let_in(guarded: None, variable: str) -> None:
    with role(variable).cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (urlsplit(os.environ[variable]).username,)


@pytest.mark.parametrize(
    ("variable", "fault"),
    [
        ("DATABASE_URL_MIGRATE", "but cs_migrate has BYPASSRLS; cs_migrate owns tables"),
        ("DATABASE_URL_BACKUP", "but cs_backup has BYPASSRLS"),
    ],
)
def test_a_strong_role_is_refused_when_it_connects(guarded: None, variable: str, fault: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=fault):
        role(variable).connect()
    assert connections["default"].connection is None


def test_every_process_that_serves_is_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(
        guard.connection_created, "connect", lambda receiver, dispatch_uid: installed.append(dispatch_uid)
    )
    for process in ("web", "worker", "drain", "beat", "command", "maintain", "migrate", "test"):
        guard.install(process)
    assert len(installed) == 5
