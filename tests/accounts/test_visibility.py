"""Whose accounts a member sees: the tables that are known, what a request sets; statements are in `test_narrowing`."""

from __future__ import annotations

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from accounts.fence.middleware import TenantMiddleware
from accounts.fence.narrowing import OVER_ALL, RAW_TABLES, conditions, way_of
from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Membership, Team, TeamMember, Tenant, Ticket
from accounts.visibility import (
    EVERYTHING,
    Visibility,
    current_visibility,
    money_hidden,
    seeing,
    seeing_everything,
    visibility_of,
    visible_owners,
)
from playbooks.models import TaskComment

TWO = Visibility((7, 9), unowned=False)


def test_owners_are_those_of_whoever_asks() -> None:
    assert visible_owners() is None
    with seeing(TWO):
        assert visible_owners() == [7, 9]
        with seeing_everything():
            assert visible_owners() is None


@pytest.mark.django_db
def test_every_table_with_a_column_of_accounts_is_known() -> None:
    """A new table without a model has to be named; one with a model is found by its reference."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id' "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
        tables = {name for (name,) in cursor.fetchall()}
    assert set(RAW_TABLES) <= tables
    # A token at another company's sign-on is of an account there; the table stays empty.
    assert tables - set(conditions()) == {"socialaccount_socialtoken"}


def test_rows_below_an_account_find_their_way_to_it() -> None:
    assert way_of(Ticket) == ("account", Account, False)
    way = way_of(TaskComment)
    assert way is not None
    assert way[0] == "task"
    assert way_of(Team) is None
    assert {"health.TenantDay", "usage.Quarantine"} <= OVER_ALL


# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def owned(acme: Tenant, carl: Membership, mona: Membership) -> dict[str, Account]:
    """One account each of carl, of mona, of nobody."""
    with tenant_scope(acme):
        return {
            name: Account.objects.create(external_id=name, name=name, owner=owner)
            for name, owner in (("carls", carl), ("monas", mona), ("nobodys", None))
        }


def seen_names() -> set[str]:
    return set(Account.objects.values_list("name", flat=True))


def test_scopes_see_what_they_say(
    acme: Tenant, carl: Membership, mona: Membership, owned: dict[str, Account]
) -> None:
    with tenant_scope(acme):
        Contact.objects.create(account=owned["monas"], name="of mona")
        Contact.objects.create(account=owned["carls"], name="of carl")
        Contact.objects.create(account=None, name="of nobody")
        team = Team.objects.create(name="North")
        TeamMember.objects.create(team=team, member=mona)
        assert visibility_of(carl) == Visibility(None, True, True)
        carl.scope = "own"
        with seeing(visibility_of(carl)):
            assert seen_names() == {"carls"}
            assert {one.name for one in Contact.objects.all()} == {"of carl", "of nobody"}
            assert not Account.objects.filter(pk=owned["monas"].pk).update(name="x")
            with connection.cursor() as cursor:
                cursor.execute("SELECT name FROM accounts_account a WHERE tenant_id = %s", [acme.pk])
                assert cursor.fetchall() == [("carls",)]
            # What is joined is narrowed too, though the query begins at a table of people.
            assert list(mona.owned_accounts.all()) == []
            assert Membership.objects.filter(owned_accounts__name="monas").count() == 0
        carl.scope = "team"
        with seeing(visibility_of(carl)):
            assert seen_names() == {"carls", "nobodys"}
        TeamMember.objects.create(team=team, member=carl)
        with seeing(visibility_of(carl)):
            assert seen_names() == {"carls", "monas", "nobodys"}
        assert seen_names() == {"carls", "monas", "nobodys"}


def test_an_admin_sees_everything_whatever_is_said(acme: Tenant, alice: Membership) -> None:
    alice.scope, acme.hidden_money_roles = "own", ["admin"]
    alice.tenant = acme
    assert visibility_of(alice) == EVERYTHING


def test_money_is_hidden_by_role(acme: Tenant, carl: Membership, mona: Membership) -> None:
    acme.hidden_money_roles = ["csm"]
    acme.save()
    for member, hidden in ((carl, True), (mona, False)):
        member.tenant = acme
        with seeing(visibility_of(member)):
            assert money_hidden() is hidden
    assert not money_hidden()


def test_a_stream_is_read_with_the_eyes_of_who_asked_for_it(
    acme: Tenant, carl: Membership, owned: dict[str, Account]
) -> None:
    carl.scope = "own"
    carl.save()

    def rows() -> object:
        with tenant_scope(acme):
            yield from Account.objects.order_by("pk").values_list("name", flat=True)

    request = RequestFactory().get("/t/acme/")
    request.user = carl.user
    request.session = {}  # type: ignore[assignment]  # the session middleware does not run here
    response = TenantMiddleware(lambda _request: StreamingHttpResponse(rows()))(request)  # type: ignore[arg-type]
    assert isinstance(response, StreamingHttpResponse)
    assert current_visibility() == EVERYTHING
    assert b"".join(response) == b"carls"
    assert current_visibility() == EVERYTHING
