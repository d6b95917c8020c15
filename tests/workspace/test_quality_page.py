"""Score quality and disagreements as a manager and a CSM meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import set_urlconf
from plotly import graph_objects

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from scoring.models import CurrentScore
from scoring.overrides.services import set_override, set_sentiment
from scoring.quality import count_band_weeks
from workspace.selectors.quality import quality

from .world import World, make_world

SignIn = Callable[[Membership], Client]


def disagree(world: World, place: int) -> Account:
    """A healthy account that its team sees as lost."""
    account = world.accounts[place]
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE scoring_current SET band = 3 WHERE tenant_id = %s AND account_id = %s",
            [world.tenant.pk, account.pk],
        )
        set_sentiment(tenant=world.tenant, account_id=account.pk, value=1, note="They are leaving")
    return account


def test_the_page_is_for_managers_and_names_every_part(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    assert browser(carl).get("/t/acme/quality/").status_code == 403
    assert 'href="/t/acme/quality/"' not in browser(carl).get("/t/acme/").text
    assert 'href="/t/acme/quality/"' in browser(mona).get("/t/acme/").text
    with tenant_scope(world.tenant):
        count_band_weeks(tenant=world.tenant)
        set_override(
            tenant=world.tenant, account_id=world.accounts[1].pk, band="critical", reason="Quiet sponsor"
        )
    account = disagree(world, 0)
    page = browser(mona).get("/t/acme/quality/").text
    for words in (
        "Mean coverage",
        "Change band in a week",
        "in the last complete week",
        "How much is known",
        "Which version scores",
        "How fresh the sources are",
        "Were overrides right?",
        "Nothing to judge yet",
        "Quiet sponsor",
        "They are leaving",
        account.name,
    ):
        assert words in page, words


def test_an_empty_company_is_told_what_comes_first(mona: Membership, browser: SignIn) -> None:
    page = browser(mona).get("/t/acme/quality/")
    assert page.status_code == 200
    assert "Nothing is scored yet." in page.text
    assert "Everybody agrees" in browser(mona).get("/t/acme/quality/disagreements/").text
    assert "No account changed band" in browser(mona).get("/t/acme/quality/changes/").text


@pytest.fixture
def _inside() -> Iterator[None]:
    """The addresses of a company, without its prefix."""
    set_urlconf("cs_platform.urls.tenant")
    yield
    set_urlconf(None)


@pytest.mark.usefixtures("_inside")
def test_every_figure_leads_to_its_accounts(world: World, mona: Membership, browser: SignIn) -> None:
    client = browser(mona)
    with tenant_scope(world.tenant):
        count_band_weeks(tenant=world.tenant)
        found = quality(world.tenant)
        scores = CurrentScore.objects.filter(tenant=world.tenant, kind=1).count()
    assert sum(step.accounts for step in found.coverage) == scores
    for step in found.coverage:
        listed = client.get(f"/t/acme{step.url}").text
        rows = sum(account.name.replace("&", "&amp;") in listed for account in world.accounts)
        assert rows == step.accounts, step.words
    (line,) = found.versions
    assert line.found.accounts == scores
    assert world.accounts[0].name in client.get(f"/t/acme{line.url}").text
    assert found.chart is not None
    graph_objects.Figure(found.chart.figure)
    for link in found.chart.figure["data"][0]["customdata"]:
        assert client.get(f"/t/acme{link}").status_code == 200


def test_a_week_of_the_address_must_be_a_complete_one(
    world: World, vera: Membership, browser: SignIn
) -> None:
    client = browser(vera)
    for odd in ("soon", "0001-01-01", "9999-12-31", world.today.isoformat()):
        assert client.get(f"/t/acme/quality/changes/?week={odd}").status_code == 404, odd
    week = world.today - timedelta(days=14)
    assert client.get(f"/t/acme/quality/changes/?week={week}").status_code == 200


def test_a_csm_sees_own_disagreements_first_and_acts_on_them(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    own, other = disagree(world, 0), disagree(world, 2)  # the third account is nobody's
    mine = browser(carl).get("/t/acme/quality/disagreements/").text
    assert own.name in mine and other.name not in mine
    assert f"/t/acme/accounts/{own.pk}/override/" in mine
    everybody = browser(carl).get("/t/acme/quality/disagreements/?who=all").text
    assert other.name in everybody
    assert f"/t/acme/accounts/{other.pk}/override/" not in everybody  # nobody's: he may note, not override
    assert f"/t/acme/accounts/{other.pk}/sentiment/" in everybody
    assert other.name in browser(mona).get("/t/acme/quality/disagreements/").text
    with tenant_scope(world.tenant):
        set_override(tenant=world.tenant, account_id=own.pk, band="critical", reason="x", member=carl)
    assert own.name not in browser(carl).get("/t/acme/quality/disagreements/").text
    for odd in ("?cursor=zzz", "?cursor=WyJhIiwgMV0", "?cursor=Wy4x"):
        assert browser(carl).get(f"/t/acme/quality/disagreements/{odd}").status_code == 200


def test_the_pages_cost_the_same_with_one_account_and_with_nine(
    acme: Tenant, rival: Tenant, carl: Membership, alice: Membership, browser: SignIn
) -> None:
    few = Membership.objects.create(tenant=rival, user=alice.user, role="admin")
    counts = {}
    for tenant, owner, rows in ((rival, few, 1), (acme, carl, 9)):
        with tenant_scope(tenant):
            made = make_world(tenant, owner, count=rows, history=40)
            count_band_weeks(tenant=tenant)
        for place in range(min(rows, 3)):
            disagree(made, place)
            with tenant_scope(tenant):
                set_override(
                    tenant=tenant, account_id=made.accounts[-1 - place].pk, band="critical", reason="x"
                )
        client = browser(alice)
        for page in ("quality/", "quality/disagreements/?who=all", "quality/changes/"):
            client.get(f"/t/{tenant.slug}/{page}")
            with CaptureQueriesContext(connection) as seen:
                assert client.get(f"/t/{tenant.slug}/{page}").status_code == 200
            counts[tenant.slug, page] = len(seen)
    for (slug, page), count in counts.items():
        assert count == counts["acme", page], (slug, page)
        assert count <= 30, counts
