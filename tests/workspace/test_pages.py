"""Every page opens for those who may, says something useful when empty, and costs the same however much there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Tenant
from alerts.models import Alert
from tests.conftest import make_member
from workspace.navigation import ENTRIES

from .world import World, make_world

SignIn = Callable[[Membership], Client]
LISTS = (
    "/t/acme/",
    "/t/acme/?view=mine",
    "/t/acme/?view=team",
    "/t/acme/?by=mrr",
    "/t/acme/today/alerts/",
    "/t/acme/health/",
    "/t/acme/health/?on=2020-01-01",
    "/t/acme/health/?on=soon",
    "/t/acme/accounts/",
    "/t/acme/accounts/?sort=score&dir=desc",
    "/t/acme/accounts/?sort=renewal&band=healthy&owner=none&segment=Enterprise&stage=active&plan=Pro&tag=x&q=a",
    "/t/acme/accounts/?score_from=80&score_to=100&stage=churned",
    "/t/acme/alerts/",
    "/t/acme/alerts/?who=all&state=closed&severity=high&rule=ticket-unresolved",
    "/t/acme/tasks/",
    "/t/acme/tasks/?who=mine&due=overdue&state=done",
    "/t/acme/sources/",
    "/t/acme/sources/metrics/",
    "/t/acme/sources/quarantine/",
    "/t/acme/score/",
    "/t/acme/rules/",
    "/t/acme/playbooks/",
    "/t/acme/playbooks/runs/",
    "/t/acme/playbooks/runs/?state=all",
    "/t/acme/team/",
    "/t/acme/profile/",
    "/t/acme/search/",
    "/t/acme/search/?q=nor",
)
MOST_QUERIES = 30
TABS = ("", "usage/", "score/", "people/", "work/", "files/", "records/", "everything/")


@pytest.mark.parametrize("path", LISTS)
def test_a_list_opens_for_every_role_in_an_empty_company(
    path: str, vera: Membership, alice: Membership, browser: SignIn
) -> None:
    for member in (vera, alice):
        assert browser(member).get(path, follow=True).status_code == 200


def test_a_list_costs_the_same_with_one_row_and_with_nine(
    acme: Tenant, rival: Tenant, carl: Membership, alice: Membership, browser: SignIn
) -> None:
    few = Membership.objects.create(tenant=rival, user=alice.user, role="admin")
    with tenant_scope(rival):
        make_world(rival, few, count=1, history=10)
    with tenant_scope(acme):
        make_world(acme, carl, count=9, history=40)
    client = browser(alice)
    for path in LISTS:
        counts = []
        for slug in ("rival", "acme"):
            client.get(path.replace("acme", slug))  # the filters' offer is kept from here on
            with CaptureQueriesContext(connection) as seen:
                assert client.get(path.replace("acme", slug)).status_code == 200
            counts.append(len(seen))
        assert counts[0] == counts[1], path
        assert counts[1] <= MOST_QUERIES, path


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_an_account_opens(tab: str, world: World, vera: Membership, browser: SignIn) -> None:
    response = browser(vera).get(f"/t/acme/accounts/{world.accounts[0].pk}/{tab}")
    assert response.status_code == 200
    assert "Northwind Trading" in response.text


def test_the_first_page_leaves_what_waits_to_a_part_of_it(
    world: World, alice: Membership, browser: SignIn
) -> None:
    """The first page is read from what the night added up; what is open now is counted for the part alone."""
    client = browser(alice)
    with CaptureQueriesContext(connection) as seen:
        page = client.get("/t/acme/").text
    assert 'hx-get="/t/acme/today/alerts/"' in page
    assert not [query["sql"] for query in seen if "alerts_alert" in query["sql"]]
    with tenant_scope(world.tenant):
        late = world.tasks[0]
        type(late).objects.filter(pk=late.pk).update(due_on=world.tenant.today() - timedelta(days=1))
        most = Alert.objects.filter(state=Alert.State.OPEN).order_by("-rank", "-pk").first()
    part = client.get("/t/acme/today/alerts/").text
    assert "<html" not in part
    assert most is not None
    assert f"/t/acme/alerts/{most.pk}/" in part
    assert "/t/acme/tasks/?who=all&amp;due=overdue" in part


def test_an_account_that_was_never_scored_says_so(world: World, carl: Membership, browser: SignIn) -> None:
    with tenant_scope(world.tenant):
        lonely = type(world.accounts[0]).objects.create(
            tenant=world.tenant, external_id="lonely", name="Lonely", owner=carl
        )
    for tab in TABS:
        assert browser(carl).get(f"/t/acme/accounts/{lonely.pk}/{tab}").status_code == 200
    assert "Not scored yet" in browser(carl).get(f"/t/acme/accounts/{lonely.pk}/").text


def test_one_of_each_thing_has_a_page(world: World, carl: Membership, browser: SignIn) -> None:
    client = browser(carl)
    run_id = next(alert.run_id for alert in world.alerts if alert.run_id)
    with tenant_scope(world.tenant):
        book_id = next(alert.run for alert in world.alerts if alert.run_id).playbook_id
    for path in (
        f"alerts/{world.alerts[0].pk}/",
        f"tasks/{world.tasks[0].pk}/",
        f"playbooks/runs/{run_id}/",
        f"playbooks/{book_id}/",
    ):
        assert client.get(f"/t/acme/{path}").status_code == 200
        assert client.get(f"/t/acme/{path[:-1]}999999/").status_code == 404


@pytest.mark.parametrize(
    "path", ["accounts/{account}/", "alerts/{alert}/", "tasks/{task}/", "accounts/{account}/score/"]
)
def test_another_companys_thing_is_not_found(path: str, world: World, rival: Tenant, browser: SignIn) -> None:
    stranger = make_member(rival, "eve", "admin")
    address = path.format(account=world.accounts[0].pk, alert=world.alerts[0].pk, task=world.tasks[0].pk)
    assert browser(stranger).get(f"/t/rival/{address}").status_code == 404
    assert browser(stranger).get(f"/t/acme/{address}").status_code == 404


def test_the_shell_names_what_a_role_may_open(vera: Membership, alice: Membership, browser: SignIn) -> None:
    assert "/t/acme/keys/" not in browser(vera).get("/t/acme/").text
    assert "/t/acme/keys/" in browser(alice).get("/t/acme/rules/").text
    assert browser(vera).get("/t/acme/keys/").status_code == 403


def test_no_two_pages_have_the_same_key() -> None:
    keys = [entry.key for _title, entries in ENTRIES for entry in entries if entry.key]
    assert sorted(keys) == sorted(set(keys))


def test_the_current_page_is_marked_in_the_navigation(vera: Membership, browser: SignIn) -> None:
    page = browser(vera).get("/t/acme/rules/").text
    marked = page[: page.index('aria-current="page"')].rsplit("href=", 1)[1]
    assert marked.startswith('"/t/acme/rules/"')


def test_no_page_carries_an_inline_style_script_or_handler(
    world: World, alice: Membership, browser: SignIn
) -> None:
    client = browser(alice)
    for path in (*LISTS, f"/t/acme/accounts/{world.accounts[0].pk}/score/", "/t/acme/keys/"):
        page = client.get(path).text
        assert ' style="' not in page, path
        assert "<style" not in page, path
        assert " onclick=" not in page, path
        assert "<script>" not in page, path


def test_a_login_with_one_company_goes_straight_there(vera: Membership, browser: SignIn) -> None:
    response = browser(vera).get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/t/acme/")


def test_a_login_with_two_companies_chooses(vera: Membership, rival: Tenant, browser: SignIn) -> None:
    Membership.objects.create(tenant=rival, user=vera.user, role="viewer")
    page = browser(vera).get("/").text
    assert "/t/acme/" in page and "/t/rival/" in page


def test_a_stranger_is_led_to_the_login(db: None) -> None:
    response = Client().get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/login/?next=/")
    assert Client().get("/accounts/login/").status_code == 200


def test_the_brand_colour_is_a_style_sheet_of_its_own(
    acme: Tenant, vera: Membership, browser: SignIn
) -> None:
    acme.brand_color = "#ff6600"
    acme.save()
    assert "brand.css?ff6600" in browser(vera).get("/t/acme/").text
    response = browser(vera).get("/t/acme/brand.css")
    assert response.headers["Content-Type"] == "text/css"
    assert "--cs-brand-fill:#ff6600" in response.text
