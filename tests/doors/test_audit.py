"""Every write through every door leaves a row of the audit log; PostgreSQL's own counters say what was written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts import keys as key_cache
from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, RequestRecord
from accounts.trail import INGEST, NOT_DATA
from tests.doors import table
from tests.doors.asking import address, lines
from tests.doors.door import Door
from tests.doors.world import World, make_world, undone

pytestmark = [pytest.mark.django_db(databases=["default", "dispatch"]), pytest.mark.timeout(600)]
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
WRITTEN_SQL = """
SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables
WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND schemaname = 'public'
"""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def acme(settings: Any) -> World:
    settings.API_REQUESTS_PER_MINUTE = 0
    with connection.cursor() as cursor:  # the test is one transaction, longer than the web role may take
        cursor.execute("SET transaction_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    key_cache._cache.clear()
    return make_world("acme")


def written() -> dict[str, int]:
    """How many rows of each table this transaction has written so far, whoever wrote them."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN_SQL)
        return {name: count for name, count in cursor.fetchall() if name not in NOT_DATA}


def ask(world: World, client: Client, method: str, door: Door) -> tuple[str, bool]:
    """What is missing in the log of this request, and whether it wrote anything; all of it is undone."""
    path = address(door, world, prefix="" if door.route.startswith("api/") else "/t/acme")
    is_api = path.startswith("/api/")
    with undone():
        before = written()
        with tenant_scope(world.tenant):
            records, entries = RequestRecord.objects.count(), AuditEntry.objects.count()
        options = {"content_type": "application/json"} if is_api else {}
        body = (door.body or {}) if is_api else table.FORM
        answer = getattr(client, method.lower())(path, body, **options)
        changed = {name for name, count in written().items() if count > before.get(name, 0)}
        if answer.status_code >= 400 and not getattr(answer, "commit_on_error", False):
            return "", False  # rolled back
        with tenant_scope(world.tenant):
            record = RequestRecord.objects.order_by("id").last()
            found = RequestRecord.objects.count() - records
            detailed = AuditEntry.objects.count() > entries
    if not changed:
        return ("a record of nothing" if found else ""), False
    if found != 1 or record is None:
        return f"{found} records of {sorted(changed)}", True
    missing = {name.split("_y20")[0] for name in changed} - set(record.changes["tables"])
    if missing:
        return f"not named: {sorted(missing)}", True
    if record.detailed != detailed or not record.request_id or not record.route:
        return "not tied to its details", True
    return "", True


def test_every_write_through_every_door_leaves_a_record_that_names_it(acme: World) -> None:
    admin, caller = acme.client("admin"), acme.caller("write")
    wrong, wrote = [], 0
    for door in [*table.TENANT, *table.API]:
        if f"/{door.route}".startswith(INGEST):
            continue
        for method in UNSAFE:
            if method not in door.needs:
                continue
            client = caller if door.route.startswith("api/") else admin
            session = client.cookies.get("sessionid")
            problem, did_write = ask(acme, client, method, door)
            if session is not None:
                client.cookies["sessionid"] = session.value
            wrote += did_write
            if problem:
                wrong.append((method, door.route, problem))
    assert lines(wrong) == ""
    assert wrote > 60  # most forms want more than the table's general answer, and are refused
