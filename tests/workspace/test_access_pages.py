"""Pages of sign-on, audit log and one's own security: what they say, in how many queries, and what they refuse."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, RequestRecord, SignOn, SignOnIdentity, Tenant
from accounts.origin import Origin, coming_from
from accounts.services import record_audit
from tests.conftest import make_member
from workspace.audit_words import differences, summary_of, value_words, written_words

pytestmark = pytest.mark.django_db
LOG, SIGN_ON = "/t/acme/settings/audit/", "/t/acme/settings/sign-on/"


@pytest.fixture
def admin(client: Client, alice: Membership) -> Client:
    client.force_login(alice.user)
    return client


def happened(tenant: Tenant, actor: Membership | None, number: int) -> None:
    """A change that a service described, and a request that nobody did."""
    with tenant_scope(tenant), coming_from(Origin("page", "192.0.2.7", "Browser/1", f"r-{number}")):
        record_audit(
            tenant=tenant, actor=actor, action="member.role_changed", target=f"target {number}",
            before={"role": "csm", "scope": "all"}, after={"role": "=admin()", "scope": "all"},
        )  # fmt: skip
        RequestRecord.objects.create(
            request_id=f"r-{number}", actor=actor, actor_label=str(actor or "system"), door="page",
            address="192.0.2.7", browser="Browser/1", method="POST", route="workspace:team_member",
            path=f"/team/{number}/", detailed=True,
            changes={"tables": {"accounts_membership": {"how": ["changed"], "rows": 1, "fields": ["role"], "ids": [5]}}},
        )  # fmt: skip
        RequestRecord.objects.create(
            request_id=f"q-{number}", actor=actor, actor_label=str(actor or "system"), door="page",
            method="POST", route="workspace:task_bulk", path="/tasks/bulk/", detailed=False, browser="",
            changes={
                "tables": {"playbooks_task": {"how": ["changed"], "rows": 2, "fields": ["state"], "ids": [1, 2]}},
                "sent": {"ids": ["1", "2"]},
            },
        )  # fmt: skip


def test_the_log_shows_both_kinds_once_each_and_pages_through_all(
    acme: Tenant, rival: Tenant, admin: Client, alice: Membership, carl: Membership
) -> None:
    for number in range(30):
        happened(acme, carl, number)
    happened(rival, None, 99)
    seen, address = [], LOG
    while address:
        page = admin.get(address)
        seen += [(row.kind, row.pk) for row in page.context["found"].rows]
        address = page.context["page"].next_url
    assert len(seen) == len(set(seen)) == 60
    text = admin.get(LOG).text
    for words in (
        "Role changed",
        "192.0.2.7",
        "Browser/1",
        "Task: 2 rows changed",
        "POST workspace:team_member",
    ):
        assert words in text, words
    assert "target 99" not in text
    assert (
        '<th scope="row">role</th>' in text and '<th scope="row">scope</th>' not in text
    )  # only what differs


def test_the_log_is_searched_by_person_action_target_period_text_and_request(
    acme: Tenant, admin: Client, carl: Membership, vera: Membership
) -> None:
    happened(acme, carl, 1)
    happened(acme, vera, 2)
    happened(acme, None, 3)
    today = acme.today()
    expected = {
        "": 6, f"?person={carl.pk}": 2, "?person=system": 2, "?action=member.": 3, "?target=target+2": 1,
        "?q=%3Dadmin": 3, "?q=nothing+like+it": 0, "?door=page": 6, "?door=api": 0, "?request=r-2": 1,
        f"?since={today}": 6, f"?until={today - timedelta(days=2)}": 0, "?since=rubbish&person=x&door=y&after=zz": 6,
        "?q=%25": 0, "?until=9999-12-31": 6,
    }  # fmt: skip
    for query, count in expected.items():
        page = admin.get(LOG + query)
        assert page.status_code == 200
        assert len(page.context["found"].rows) == count, query
    assert "Nothing in the log is like that" in admin.get(f"{LOG}?q=nothing").text


def test_pages_take_the_same_number_of_queries_whatever_there_is(
    acme: Tenant, admin: Client, carl: Membership
) -> None:
    with tenant_scope(acme):
        SignOn.objects.create(issuer="https://idp.example", is_enabled=True)

    def counts() -> list[int]:
        found = []
        for path in (LOG, SIGN_ON, "/t/acme/me/security/"):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert admin.get(path).status_code == 200
            found.append(len(queries))
        return found

    happened(acme, carl, 1)
    counts()
    one = counts()
    for number in (2, 3):
        happened(acme, make_member(acme, f"m{number}", "csm"), number)
    assert counts() == one


def test_exports_hold_the_same_rows_and_run_nothing(acme: Tenant, admin: Client, carl: Membership) -> None:
    happened(acme, carl, 1)
    answer = admin.get(f"{LOG}export.csv?action=member.")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert len(rows) == 2 and rows[1][3] == "member.role_changed"
    assert rows[1][5:7] == ["role: csm", "role: =admin()"]
    book = openpyxl.load_workbook(io.BytesIO(b"".join(admin.get(f"{LOG}export.xlsx").streaming_content)))  # type: ignore[attr-defined]
    cells = list(book.active.iter_rows())  # type: ignore[union-attr]
    assert len(cells) == 3
    assert "f" not in {cell.data_type for row in cells for cell in row}
    assert cells[2 if cells[1][3].value != "member.role_changed" else 1][6].value == "role: =admin()"


def test_differences_are_said_in_words() -> None:
    found = differences({"a": 1, "b": [1, 2], "same": 1}, {"a": None, "b": [1], "same": 1, "new_one": True})
    assert [(one.field, one.before, one.after) for one in found] == [
        ("a", "1", ""), ("b", "1, 2", "1"), ("new one", "", "yes"),
    ]  # fmt: skip
    assert differences(None, None) == []
    assert value_words({"x": [1]}) == '{"x": [1]}' and len(value_words("y" * 900)) == 301
    tables = {
        "accounts_account": {"how": ["added"], "rows": 1, "fields": ["owner_id"]},
        "usage_day": {"rows": 4},
    }
    assert [one.fields for one in written_words(tables)] == ["owner", ""]
    assert summary_of(tables) == "Account: 1 row added · Usage_day: 4 rows"


def test_sign_on_is_set_up_with_errors_in_words_and_kept_input(
    acme: Tenant, admin: Client, alice: Membership, carl: Membership
) -> None:
    wrong = {
        "protocol": "oidc",
        "issuer": "idp",
        "domains": "gmail.com",
        "new_member_role": "csm",
        "is_enabled": "on",
    }
    answer = admin.post(SIGN_ON, wrong)
    assert answer.status_code == 400
    for words in ("begins with https://", "Enter the client id.", "Anybody can have an address at gmail.com"):
        assert words in answer.text, words
    assert 'value="idp"' in answer.text
    good = {
        "protocol": "oidc",
        "issuer": "https://idp.example",
        "client_id": "x",
        "secret": "hush",
        "is_enabled": "on",
    }
    assert admin.post(SIGN_ON, good).status_code == 302
    page = admin.get(SIGN_ON)
    assert "hush" not in page.text and "/sso/acme/callback/" in page.text
    # Passwords cannot be closed by somebody who could not come in any more.
    answer = admin.post(f"{SIGN_ON}rules/", {"sign_on_only": "on"})
    assert answer.status_code == 400 and "second factor for yourself" in answer.text
    admin.post(f"{SIGN_ON}rules/", {"second_factor_required": "on"})
    acme.refresh_from_db()
    assert (acme.second_factor_required, acme.sign_on_only) == (True, False)
    assert admin.get(SIGN_ON)["Location"].startswith("/accounts/2fa/")


def test_an_identity_is_released(acme: Tenant, admin: Client, carl: Membership) -> None:
    now: Any = "2026-01-01T00:00:00Z"
    with tenant_scope(acme):
        SignOnIdentity.objects.create(member=carl, issuer="i", subject="s", first_at=now, last_at=now)
    assert admin.post(f"{SIGN_ON}members/{carl.pk}/release/").status_code == 302
    with tenant_scope(acme):
        assert not SignOnIdentity.objects.exists()
