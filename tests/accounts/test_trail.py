"""The net of the audit log: every kind of write is seen, secrets are not kept, and nobody can rewrite it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from accounts import trail
from accounts.fence.scope import tenant_scope
from accounts.jobs import Chunk, JobKind, Step, register_job_kind, run_jobs
from accounts.keys import make_key
from accounts.models import Account, AuditEntry, Membership, RequestRecord, Tenant
from accounts.services import enqueue_job, record_audit
from reports.leaving import make_token
from reports.scope import Slice
from reports.services import subscribe
from tests.conftest import use_role

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ('UPDATE "a_b" SET "x" = %s, "y_id" = 1 WHERE "a_b"."z" = 2', {"a_b": ("changed", {"x", "y_id"})}),
        ("INSERT INTO a_b (x) VALUES (1) ON CONFLICT (x) DO UPDATE SET x = 2", {"a_b": ("added", set())}),
        ('DELETE FROM "a_b" WHERE id IN (1)', {"a_b": ("deleted", set())}),
        (
            "WITH c AS (DELETE FROM a_b RETURNING x)\nINSERT INTO c_d SELECT x FROM c",
            {"a_b": ("deleted", set()), "c_d": ("added", set())},
        ),
        (
            "UPDATE a_b t SET done = c.done, state = CASE WHEN 1 = 1 THEN 2 END FROM (SELECT 1) c",
            {"a_b": ("changed", {"done", "state"})},
        ),
        ("SELECT x FROM a_b WHERE id = 1 FOR UPDATE SKIP LOCKED", {}),
        ("SELECT 'UPDATE' AS word", {}),
        ("UPDATE django_session SET x = 1", {}),
    ],
)
def test_statements_are_read(sql: str, found: dict[str, Any]) -> None:
    changes: trail.Changes = {}
    trail.note(changes, sql, 3)
    assert {table: (next(iter(c.how)), c.fields) for table, c in changes.items()} == found
    nothing: trail.Changes = {}
    trail.note(nothing, sql, 0)
    assert nothing == {}


def test_what_is_secret_is_not_kept() -> None:
    sent = {
        "password1": "a", "secret": "b", "api_key": "c", "code": "1", "csrfmiddlewaretoken": "t",
        "name": "n" * 900, "ids": ["1", "2"], "nested": {"client_secret": "s", "x": 1},
        "items": [{"external_id": "e", "name": "N", "phone": "5"}],
    }  # fmt: skip
    shown = trail.masked(sent)
    assert {shown[name] for name in ("password1", "secret", "api_key", "code")} == {trail.HIDDEN}
    assert "csrfmiddlewaretoken" not in shown and len(shown["name"]) == 200
    assert shown["ids"] == ["1", "2"] and shown["nested"] == {"client_secret": trail.HIDDEN, "x": 1}
    assert shown["items"] == [{"external_id": "e", "name": "N"}]


def test_a_page_and_an_api_call_say_from_where_and_what(acme: Tenant, alice: Membership) -> None:
    client = Client(headers={"User-Agent": "Tests/1"})
    client.force_login(alice.user)
    client.post("/t/acme/keys/", {"name": "Warehouse", "scope": "read"})
    _key, raw = make_key(tenant=acme, name="Sync", scope="write")
    sent = {"items": [{"external_id": "a-1", "name": "A"}, {"external_id": "a-2", "name": "B"}]}
    caller = Client(headers={"Authorization": f"Bearer {raw}"})
    assert caller.post("/api/v1/accounts/bulk", sent, content_type="application/json").status_code == 200
    with tenant_scope(acme):
        page, call = RequestRecord.objects.order_by("id")
        entry = AuditEntry.objects.get(action="api_key.created")
        ids = set(Account.objects.values_list("external_id", flat=True))
    assert (entry.request_id, entry.door, entry.address) == (page.request_id, "page", "127.0.0.1")
    assert (page.door, page.browser, page.route, page.detailed) == ("page", "Tests/1", "workspace:keys", True)
    assert page.changes["tables"]["accounts_apikey"]["how"] == ["added"]
    assert page.actor_id == alice.pk
    assert (call.door, call.actor_id) == ("api", None) and call.actor_label.startswith("Sync (csw_")
    assert call.changes["tables"]["accounts_account"]["rows"] == 2
    assert {item["external_id"] for item in call.changes["sent"]["items"]} == ids == {"a-1", "a-2"}


def test_what_was_refused_or_changed_nothing_leaves_no_record(acme: Tenant, alice: Membership) -> None:
    client = Client()
    client.force_login(alice.user)
    assert client.post("/t/acme/keys/", {"name": "", "scope": "read"}).status_code == 400
    client.get("/t/acme/keys/")
    client.post("/t/acme/me/security/end/", {"session": "1"})
    with tenant_scope(acme):
        assert RequestRecord.objects.count() == 0


def test_jobs_write_as_the_system_with_their_cause(acme: Tenant) -> None:
    def work(tenant: Tenant, job: Any, params: Any) -> None:
        record_audit(tenant=tenant, actor=None, action="made.by_job", target="x")

    register_job_kind("audited", JobKind(lambda _t, _j: [Chunk(0, "write", {})], {"write": Step(work)}))
    with tenant_scope(acme):
        job = enqueue_job(tenant=acme, kind="audited", key="1")
    run_jobs(acme)
    with tenant_scope(acme):
        entry = AuditEntry.objects.get(action="made.by_job")
    assert (entry.actor_label, entry.door, entry.cause) == ("system", "system", "audited: write")
    assert entry.request_id == f"job-{job.pk}"


def test_a_public_page_is_written_down_without_what_opens_it(acme: Tenant, carl: Membership) -> None:
    """Whoever has a link is no member; the log says what they did, and does not hand the link on."""
    with tenant_scope(acme):
        plan = {"every": "week", "weekday": 0, "hour": 8}
        mail = subscribe(tenant=acme, member=carl, metric="nrr", fields=plan, which=Slice())
    token = make_token(acme, mail.pk)
    client = Client(headers={"User-Agent": "Tests/1"})
    assert client.get(f"/reports/stop/{token}/").status_code == 200
    with tenant_scope(acme):
        assert RequestRecord.objects.count() == 0
    assert client.post(f"/reports/stop/{token}/").status_code == 200
    with tenant_scope(acme):
        (record,) = RequestRecord.objects.all()
        mail.refresh_from_db()
    assert mail.ended_at is not None
    assert (record.door, record.actor_id, record.actor_label) == ("link", None, trail.VISITOR)
    assert record.changes["tables"]["reports_subscription"]["fields"] == ["ended_at"]
    assert record.path == f"/reports/stop/{trail.HIDDEN}/" and token not in str(record.changes)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["DATABASE_URL", "DATABASE_URL_WORKER"])
@pytest.mark.parametrize("table", ["accounts_auditentry", "accounts_requestrecord"])
def test_nobody_who_serves_can_rewrite_the_log(acme: Tenant, role: str, table: str) -> None:
    with tenant_scope(acme):
        record_audit(tenant=acme, actor=None, action="x", target="x")
    use_role(role)
    try:
        for sql in (f"UPDATE {table} SET door = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            refused = pytest.raises(DatabaseError, match="permission denied")
            with refused, tenant_scope(acme), connection.cursor() as cursor:
                cursor.execute(sql)
        with tenant_scope(acme):
            assert AuditEntry.objects.filter(action="x").count() == 1
    finally:
        use_role("DATABASE_URL")
