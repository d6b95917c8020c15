"""Tests run as `cs_web`: the database is made and migrated by its owner, then every connection changes to the web role."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import TransactionTestCase

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Role, Tenant, TenantSettings, User

PASSWORD = "correct horse battery"


# Django's flush knows only the tables of models and truncates all of them; this empties those that have rows.
EMPTY_TABLES_SQL = """
DO $$
DECLARE
  t record;
  full_tables text := '';
  has_rows boolean;
BEGIN
  FOR t IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
             AND c.relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission') LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', t.relname) INTO has_rows;
    IF has_rows THEN
      full_tables := full_tables || ', ' || quote_ident(t.relname);
    END IF;
  END LOOP;
  IF full_tables <> '' THEN
    EXECUTE 'TRUNCATE ' || substr(full_tables, 3) || ' CASCADE';
  END IF;
END $$
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long forms out unless they are asked for."""
    if os.environ.get("CS_FULL"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("full")]


def use_role(variable: str) -> None:
    """Reconnect the default connection with the user of this address."""
    address = urlsplit(os.environ[variable])
    connection = connections["default"]
    connection.close()
    connection.settings_dict.update(USER=address.username, PASSWORD=address.password)
    # A test is one transaction; on a busy machine it may take longer than a request ever may.
    options = connection.settings_dict.setdefault("OPTIONS", {})
    options["options"] = "-c transaction_timeout=0 -c idle_in_transaction_session_timeout=0"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> Iterator[None]:
    """Serve as cs_web; only flushing and dropping need the owner."""
    connections["dispatch"].settings_dict["NAME"] = connections["default"].settings_dict["NAME"]
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        use_role("DATABASE_URL")
    teardown = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def empty_as_owner(self: TransactionTestCase) -> None:
        use_role("DATABASE_URL_MIGRATE")
        try:
            with connections["default"].cursor() as cursor:
                cursor.execute(EMPTY_TABLES_SQL)
        finally:
            use_role("DATABASE_URL")

    TransactionTestCase._fixture_teardown = empty_as_owner  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        use_role("DATABASE_URL_MIGRATE")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the real data sets; it may be absent."""
    return Path(os.environ.get("CS_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))


def make_tenant(slug: str, **fields: object) -> Tenant:
    """A tenant with its settings row."""
    tenant = Tenant.objects.create(slug=slug, name=slug.title(), **fields)
    with tenant_scope(tenant):
        TenantSettings.objects.create()
    return tenant


def make_member(tenant: Tenant, name: str, role: str) -> Membership:
    """A member `name@slug.example` with the test password."""
    user = User.objects.create_user(f"{name}@{tenant.slug}.example", PASSWORD, name=name.title())
    return Membership.objects.create(tenant=tenant, user=user, role=role)


@pytest.fixture
def acme(db: None) -> Tenant:
    """The tenant that most tests are about."""
    return make_tenant("acme")


@pytest.fixture
def rival(db: None) -> Tenant:
    """Another tenant, whose data must never be seen."""
    return make_tenant("rival")


@pytest.fixture
def alice(acme: Tenant) -> Membership:
    """Admin of acme."""
    return make_member(acme, "alice", Role.ADMIN)


@pytest.fixture
def mona(acme: Tenant) -> Membership:
    """Manager of acme."""
    return make_member(acme, "mona", Role.MANAGER)


@pytest.fixture
def carl(acme: Tenant) -> Membership:
    """CSM of acme."""
    return make_member(acme, "carl", Role.CSM)


@pytest.fixture
def vera(acme: Tenant) -> Membership:
    """Viewer of acme."""
    return make_member(acme, "vera", Role.VIEWER)
