"""The Score tab, overrides and sentiment as people meet them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from plotly import graph_objects

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from scoring.models import Component, Measure, Override, Sentiment, Version
from scoring.overrides.services import set_override, set_sentiment
from scoring.waterfall import Cause
from workspace.selectors.account import header
from workspace.selectors.score_material import read_material
from workspace.selectors.why import finding_of, why_changed

from .world import World, make_world

SignIn = Callable[[Membership], Client]


def tab(world: World, place: int = 0, query: str = "") -> str:
    return f"/t/acme/accounts/{world.accounts[place].pk}/score/{query}"


def new_version(world: World, weights: dict[str, float]) -> Version:
    """The published version with other weights, as of today."""
    old = world.version
    made = Version.objects.create(
        tenant=world.tenant,
        model=old.model,
        number=2,
        state="published",
        origin="edited",
        note="Payment matters more",
        in_force_from=world.today,
    )
    Version.objects.filter(pk=old.pk).update(state="retired")
    for component in old.components.order_by("position"):
        measures = list(component.measures.order_by("position"))
        twin = Component.objects.create(
            tenant=world.tenant,
            version=made,
            key=component.key,
            name=component.name,
            weight=weights.get(component.key, component.weight),
            position=component.position,
        )
        for measure in measures:
            Measure.objects.create(
                tenant=world.tenant,
                component=twin,
                metric_key=measure.metric_key,
                aggregate=measure.aggregate,
                window_days=measure.window_days,
                scale_params=measure.scale_params,
                position=measure.position,
            )
    return made


def test_the_tab_says_what_changed_since_a_week_and_how_sure_it_is(
    world: World, vera: Membership, browser: SignIn
) -> None:
    page = browser(vera).get(tab(world)).text
    for words in ("What changed", "data moved", "How sure is it", "of the weight is known", "Computed score"):
        assert words in page, words
    assert 'name="from"' in page
    assert "Override the health" not in page  # a viewer reads


def test_two_days_of_the_address_are_compared_in_their_order(
    world: World, carl: Membership, browser: SignIn
) -> None:
    first, last = world.today - timedelta(days=20), world.today - timedelta(days=3)
    page = browser(carl).get(tab(world, 0, f"?from={first}&to={last}")).text
    assert f'value="{first}"' in page and f'value="{last}"' in page
    assert page.count('class="chart-canvas') == 2
    turned = browser(carl).get(tab(world, 0, f"?from={last}&to={first}")).text
    assert f'name="from" value="{first}"' in turned
    for odd in ("?from=soon", "?from=0001-01-01", "?to=9999-12-31", "?from=2020-01-01&to=2020-02-01"):
        assert browser(carl).get(tab(world, 0, odd)).status_code == 200
    assert "Nothing to compare" in browser(carl).get(tab(world, 0, "?from=2020-01-01")).text


def test_the_parts_on_the_page_add_up_to_the_difference(world: World) -> None:
    with tenant_scope(world.tenant):
        for place in range(4):
            head = header(world.tenant, world.accounts[place].pk, world.today)
            assert head is not None and head.current is not None
            days = (world.today - timedelta(days=30), world.today - timedelta(days=1))
            change = why_changed(read_material(world.tenant, head, head.current, days, world.today))
            assert change is not None
            assert change.difference is not None
            parts = [amount.amount for line in change.components for amount in line.amounts]
            assert sum(parts) == pytest.approx(change.difference, abs=1e-6)
            assert change.chart is not None
            graph_objects.Figure(change.chart.figure)


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        ({Cause.MOVED: 0.03}, "The score did not move: 95.7 on both days."),
        ({Cause.MOVED: 2.0, Cause.MODEL: -2.0}, "From 95.7 to 95.7, mostly because: data moved (+2.0)."),
    ],
)
def test_what_nobody_would_see_is_no_change(moved: dict[Cause, float], words: str) -> None:
    water = SimpleNamespace(before=95.71, after=95.74, verdict=None, by_cause=lambda: moved)
    day = SimpleNamespace(row=SimpleNamespace(day=date(2026, 5, 4)))
    change: Any = SimpleNamespace(waterfall=water, before=day, after=day)
    with translation.override("en"):
        assert finding_of(change) == words


def test_a_new_version_is_said_and_stands_apart_from_the_data(
    world: World, carl: Membership, browser: SignIn
) -> None:
    account = world.accounts[0]
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        made = new_version(world, {"usage": 10.0, "payment": 30.0})
        for table in ("scoring_score", "scoring_current"):
            cursor.execute(
                f"UPDATE {table} SET version_id = %s, score = 55, components = '{{50,50,50,50,75}}', "
                "points = '{5,12.5,10,7.5,22.5}', effective = '{10,25,20,15,30}', scaled = '{50,50,50,50,50,75}' "
                "WHERE tenant_id = %s AND account_id = %s AND day = %s",
                [made.pk, world.tenant.pk, account.pk, world.today - timedelta(days=1)],
            )
    page = browser(carl).get(tab(world)).text
    assert "model changed" in page
    assert "Payment matters more" in browser(carl).get("/t/acme/score/").text
    header = page[: page.index("facts")]
    assert "delta-" not in header  # no trend across versions
    other = browser(carl).get(tab(world, 1)).text
    assert "model changed" not in other


def test_an_account_without_any_score_has_a_tab(world: World, carl: Membership, browser: SignIn) -> None:
    with tenant_scope(world.tenant):
        lonely = Account.objects.create(tenant=world.tenant, external_id="lonely", name="Lonely")
    page = browser(carl).get(f"/t/acme/accounts/{lonely.pk}/score/").text
    assert "No score yet" in page
    how = browser(carl).get(f"/t/acme/accounts/{lonely.pk}/how/").text
    assert "Not scored yet" in how and "Product usage" in how
    assert (
        browser(carl).get(f"/t/acme/accounts/{lonely.pk}/override/").status_code == 403
    )  # nobody's, not his


def test_an_override_without_a_reason_is_refused_and_keeps_what_was_typed(
    world: World, carl: Membership, browser: SignIn
) -> None:
    client, pk = browser(carl), world.accounts[0].pk
    answer = client.post(f"/t/acme/accounts/{pk}/override/", {"score": "33", "days": "60", "reason": " "})
    assert answer.status_code == 400
    assert "Say why." in answer.text
    assert 'value="33' in answer.text
    assert '<option value="60" selected>' in answer.text
    with tenant_scope(world.tenant):
        assert not Override.objects.exists()


def test_an_override_is_shown_wherever_the_score_is(
    world: World, carl: Membership, vera: Membership, browser: SignIn
) -> None:
    client, account = browser(carl), world.accounts[0]
    answer = client.post(
        f"/t/acme/accounts/{account.pk}/override/",
        {"band": "critical", "days": "30", "reason": "The sponsor left"},
    )
    assert answer.status_code == 302
    for path in (tab(world), f"/t/acme/accounts/{account.pk}/", "/t/acme/accounts/", "/t/acme/?view=mine"):
        page = client.get(path).text
        assert "overridden until" in page, path
        assert "computed" in page, path
    assert "The sponsor left" in client.get(tab(world)).text
    narrowed = client.get("/t/acme/accounts/?override=yes").text
    assert account.name in narrowed and world.accounts[1].name not in narrowed
    with tenant_scope(world.tenant):
        made = Override.objects.get()
        assert made.created_by == carl
    end = f"/t/acme/accounts/{account.pk}/override/{made.pk}/end/"
    assert browser(vera).post(end).status_code == 403
    assert client.post(f"/t/acme/accounts/{world.accounts[1].pk}/override/{made.pk}/end/").status_code == 404
    assert client.post(end).status_code == 302
    assert "overridden until" not in client.get("/t/acme/accounts/").text


def test_a_csm_overrides_own_accounts_only(
    world: World, carl: Membership, mona: Membership, browser: SignIn
) -> None:
    with tenant_scope(world.tenant):
        Account.objects.filter(pk=world.accounts[0].pk).update(owner=mona)
    wish = {"band": "healthy", "days": "7", "reason": "x"}
    path = f"/t/acme/accounts/{world.accounts[0].pk}/override/"
    assert browser(carl).get(path).status_code == 403
    assert browser(carl).post(path, wish).status_code == 403
    assert browser(mona).post(path, wish).status_code == 302


def test_sentiment_is_noted_and_stands_in_the_header(world: World, carl: Membership, browser: SignIn) -> None:
    client, pk = browser(carl), world.accounts[0].pk
    assert client.get(f"/t/acme/accounts/{pk}/sentiment/").status_code == 200
    assert client.post(f"/t/acme/accounts/{pk}/sentiment/", {"value": "9"}).status_code == 400
    there = client.post(
        f"/t/acme/accounts/{pk}/sentiment/", {"value": "2", "note": "Angry", "next": "/t/acme/tasks/"}
    )
    assert there.headers["Location"] == "/t/acme/tasks/"
    page = client.get(f"/t/acme/accounts/{pk}/score/").text
    assert "2 of 5" in page and "Angry" in page
    with tenant_scope(world.tenant):
        assert Sentiment.objects.get().value == 2


def test_a_form_never_leads_out_of_the_company(world: World, carl: Membership, browser: SignIn) -> None:
    pk = world.accounts[0].pk
    for odd in ("javascript:alert(1)", "https://evil.example/", "//evil.example/t/acme/"):
        page = browser(carl).get(f"/t/acme/accounts/{pk}/sentiment/?next={odd}").text
        assert f'href="{odd}' not in page and f'name="next" value="{odd}' not in page
        there = (
            browser(carl)
            .post(f"/t/acme/accounts/{pk}/sentiment/", {"value": "2", "next": odd})
            .headers["Location"]
        )
        assert there == f"/t/acme/accounts/{pk}/score/"


def test_the_tab_costs_the_same_with_one_override_and_with_three(
    acme: Tenant, rival: Tenant, carl: Membership, alice: Membership, browser: SignIn
) -> None:
    few = Membership.objects.create(tenant=rival, user=alice.user, role="admin")
    counts = {}
    for tenant, owner, rows in ((rival, few, 1), (acme, carl, 3)):
        with tenant_scope(tenant):
            made = make_world(tenant, owner, count=rows, history=10 * rows)
            for _ in range(rows):
                set_override(
                    tenant=tenant, account_id=made.accounts[0].pk, band="critical", reason="x", member=owner
                )
                set_sentiment(tenant=tenant, account_id=made.accounts[0].pk, value=4, member=owner)
        client = browser(alice)
        for page in ("score/", "how/", "override/", "sentiment/"):
            path = f"/t/{tenant.slug}/accounts/{made.accounts[0].pk}/{page}"
            client.get(path)
            with CaptureQueriesContext(connection) as seen:
                assert client.get(path).status_code == 200
            counts[tenant.slug, page] = len(seen)
    for page in ("score/", "how/", "override/", "sentiment/"):
        assert counts["rival", page] == counts["acme", page], page
        assert counts["acme", page] <= 50, counts
