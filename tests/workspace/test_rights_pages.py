"""People, teams and the company's settings as pages: what they ask, what they change, what they refuse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import (
    Account,
    AuditEntry,
    Job,
    Membership,
    Outbox,
    Role,
    Team,
    TeamMember,
    Tenant,
    TimelineEntry,
)
from playbooks.models import Handover, Task
from reports.scope import Slice
from reports.services import subscribe
from tests.conftest import make_member
from tests.doors import table
from workspace.capabilities import CAPABILITIES

SignIn = Callable[[Membership], Client]


def test_what_roles_may_do_is_what_the_doors_say() -> None:
    doors = {door.route: door for door in table.TENANT}
    for _title, lines in CAPABILITIES:
        for line in lines:
            assert doors[line.route].needs[line.method] == line.role, line.route


def test_several_people_are_invited_at_once_or_nobody(
    acme: Tenant, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    with tenant_scope(acme):
        team = Team.objects.create(name="North")
    said = {
        "emails": "one@acme.example, two@acme.example",
        "role": "csm",
        "scope": "team",
        "team_ids": [team.pk],
    }
    wrong = client.post("/t/acme/team/", said | {"emails": "one@acme.example\nno-address"})
    assert wrong.status_code == 400
    assert "no-address" in wrong.text
    assert not Membership.objects.filter(user__email="one@acme.example").exists()
    assert client.post("/t/acme/team/", said).status_code == 302
    invited = Membership.objects.filter(tenant=acme, user__email__in=["one@acme.example", "two@acme.example"])
    assert {(one.role, one.scope) for one in invited} == {("csm", "team")}
    with tenant_scope(acme):
        assert Outbox.objects.filter(kind="invitation").count() == 2
        assert TeamMember.objects.filter(team=team).count() == 2
    page = client.get("/t/acme/team/")
    assert "Invited" in page.text
    assert "North" in page.text


def test_an_invitation_is_sent_again_or_taken_back(acme: Tenant, alice: Membership, browser: SignIn) -> None:
    client = browser(alice)
    client.post("/t/acme/team/", {"emails": "new@acme.example", "role": "csm", "scope": "all"})
    new = Membership.objects.get(tenant=acme, user__email="new@acme.example")
    client.post(f"/t/acme/team/{new.pk}/invite-again/")
    with tenant_scope(acme):
        assert Outbox.objects.filter(kind="invitation").count() == 2
    client.post(f"/t/acme/team/{new.pk}/revoke/")
    new.refresh_from_db()
    assert new.is_active is False
    come = make_member(acme, "come", "csm")
    client.post(f"/t/acme/team/{come.pk}/revoke/")
    come.refresh_from_db()
    assert come.is_active is True


def test_whoever_leaves_gives_the_work_to_somebody(
    acme: Tenant, alice: Membership, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    with tenant_scope(acme):
        account = Account.objects.create(external_id="a", name="A", owner=carl)
        theirs = Account.objects.create(external_id="b", name="B", owner=alice)
        task = Task.objects.create(account=account, title="Call them", assignee=carl, due_on=acme.today())
        other = Task.objects.create(account=theirs, title="Help", assignee=carl, due_on=acme.today())
        plan = {"every": "week", "weekday": 0, "hour": 8}
        mail = subscribe(tenant=acme, member=carl, metric="nrr", fields=plan, which=Slice())
    key, raw = make_key(tenant=acme, name="Carls sync", scope="read", created_by=carl)
    client, his = browser(alice), Client()
    his.force_login(carl.user)
    assert his.get("/t/acme/").status_code == 200
    page = client.get(f"/t/acme/team/{carl.pk}/leave/").text
    assert "Call them" in page and "Carls sync" in page
    assert client.post(f"/t/acme/team/{carl.pk}/leave/", {"to": ""}).status_code == 400
    assert client.post(f"/t/acme/team/{carl.pk}/leave/", {"to": str(carl.pk)}).status_code == 400
    said = {"to": str(mona.pk), "with_keys": "on"}
    answer = client.post(f"/t/acme/team/{carl.pk}/leave/", said)
    carl.refresh_from_db()
    assert carl.is_active is False
    assert his.get("/t/acme/").status_code == 302  # the session itself is over
    assert Client(headers={"Authorization": f"Bearer {raw}"}).get("/api/v1/accounts").status_code == 401
    with tenant_scope(acme):
        for one in (account, task, other, mail):
            one.refresh_from_db()
        book = Handover.objects.get()
        assert answer.headers["Location"] == f"/t/acme/hand-over/{book.pk}/"
        assert (account.owner_id, task.assignee_id, other.assignee_id) == (mona.pk, mona.pk, mona.pk)
        assert mail.ended_at is not None
        assert TimelineEntry.objects.filter(account=account, kind="handover_moved").count() == 1
        entry = AuditEntry.objects.get(action="member.left")
        assert entry.after == {
            "owner": mona.pk, "accounts": 1, "tasks": 2, "alerts": 0, "open tasks": ["Call them", "Help"],
            "book waits": False, "mails ended": 1, "keys revoked": [key.prefix],
        }  # fmt: skip
    assert client.post(f"/t/acme/team/{mona.pk}/leave/", {"to": "nobody"}).status_code == 302
    with tenant_scope(acme):
        task.refresh_from_db()
        assert (task.assignee_id, task.pool) == (None, Role.MANAGER)
        account.refresh_from_db()
        assert account.owner_id is None
        assert TimelineEntry.objects.filter(account=account, kind="handover_moved").count() == 2
    client.post(f"/t/acme/team/{carl.pk}/return/")
    carl.refresh_from_db()
    assert carl.is_active is True


def test_a_book_can_wait_for_the_page_of_hand_overs(
    acme: Tenant, alice: Membership, carl: Membership, browser: SignIn
) -> None:
    with tenant_scope(acme):
        account = Account.objects.create(external_id="a", name="A", owner=carl)
        task = Task.objects.create(account=account, title="x", assignee=carl, due_on=acme.today())
    client = browser(alice)
    answer = client.post(f"/t/acme/team/{carl.pk}/leave/", {"to": "book"})
    assert answer.headers["Location"] == f"/t/acme/hand-over/?from={carl.pk}"
    page = client.get(answer.headers["Location"]).text
    assert "has left" in page and f'value="{account.pk}"' in page
    carl.refresh_from_db()
    with tenant_scope(acme):
        account.refresh_from_db()
        task.refresh_from_db()
    assert (carl.is_active, account.owner_id, task.assignee_id) == (False, carl.pk, carl.pk)
    assert f"/hand-over/?from={carl.pk}" in client.get(f"/t/acme/team/{carl.pk}/").text


def test_teams_are_made_changed_and_removed(
    acme: Tenant, alice: Membership, carl: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    assert client.post("/t/acme/team/teams/", {"name": "North", "member_ids": [carl.pk]}).status_code == 302
    assert client.post("/t/acme/team/teams/", {"name": "north"}).status_code == 400
    with tenant_scope(acme):
        team = Team.objects.get()
    assert "Carl" in client.get("/t/acme/team/teams/").text
    client.post(f"/t/acme/team/teams/{team.pk}/", {"name": "South", "member_ids": [alice.pk]})
    with tenant_scope(acme):
        team.refresh_from_db()
        assert team.name == "South"
        assert [one.member_id for one in team.members.all()] == [alice.pk]
    client.post(f"/t/acme/team/teams/{team.pk}/remove/")
    with tenant_scope(acme):
        assert not Team.objects.exists()
        assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
            "team.added",
            "team.changed",
            "team.removed",
        ]


@pytest.mark.parametrize("path", ["team/", "team/teams/"])
def test_lists_of_people_need_the_same_queries_for_any_number(
    acme: Tenant,
    alice: Membership,
    browser: SignIn,
    path: str,
    django_assert_num_queries: Callable[[int], object],
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = browser(alice)
    counts = []
    for number in range(3):
        member = make_member(acme, f"member{number}", "csm")
        with tenant_scope(acme):
            TeamMember.objects.create(team=Team.objects.create(name=f"Team {number}"), member=member)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/t/acme/{path}").status_code == 200
        counts.append(len(caught))
    assert counts[0] == counts[1] == counts[2]


def test_settings_say_what_they_cause_and_are_audited(
    acme: Tenant, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    said = {"name": "Acme Inc", "language": "es", "currency": "eur", "timezone": "Europe/Madrid"}
    assert client.post("/t/acme/settings/company/", said | {"currency": "12"}).status_code == 400
    assert client.post("/t/acme/settings/company/", said).status_code == 302
    acme.refresh_from_db()
    assert (acme.name, acme.language, acme.currency, acme.timezone) == (
        "Acme Inc",
        "es",
        "EUR",
        "Europe/Madrid",
    )
    with tenant_scope(acme):
        assert Job.objects.filter(kind="redate").count() == 1
    client.post("/t/acme/settings/look/", {"brand_color": "#FFEE00"})
    client.post(
        "/t/acme/settings/data/",
        {"unknown_accounts": "quarantine", "raw_retention_days": 90, "nightly_hour": 4},
    )
    client.post("/t/acme/settings/money/", {"roles": ["csm", "viewer"]})
    acme.refresh_from_db()
    assert (acme.brand_color, acme.hidden_money_roles) == ("#ffee00", ["viewer", "csm"])
    assert "1.2" in client.get("/t/acme/settings/look/").text
    client.post("/t/acme/settings/money/", {})
    acme.refresh_from_db()
    assert acme.hidden_money_roles == []
    with tenant_scope(acme):
        actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
        assert actions == [
            "tenant.company.changed",
            "tenant.look.changed",
            "tenant.data.changed",
            "tenant.money.changed",
            "tenant.money.changed",
        ]
