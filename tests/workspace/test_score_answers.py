"""The answers at the top of the Score tab, forms in a dialog, and what lists say of overrides."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Role, Tenant
from accounts.services.tenants import create_tenant
from scoring.models import Component, ExceptionRule, Override
from scoring.overrides.services import set_override
from scoring.selectors.preview import preview
from scoring.services import create_draft, score_accounts
from tests.conftest import make_member
from workspace.formatting import number

from .test_what_if_pages import drafted, fill
from .test_why import new_version
from .world import World

SignIn = Callable[[Membership], Client]
MOST_QUERIES = 33  # eight of them are the request's: session, user, member, scope, other companies
IN_SHEET = {"HX-Request": "true", "HX-Target": "sheet-content"}


def answers(client: Client, path: str) -> dict[str, str]:
    """Question and answer, as they stand at the top of the page."""
    page = client.get(path).text
    start = page.index('class="card-body answers"')
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page[start : page.index("</dl>", start)], re.S)
    return {unescape(ask): " ".join(unescape(re.sub("<[^>]+>", "", said)).split()) for ask, said in found}


def test_the_five_questions_are_answered(world: World, vera: Membership, browser: SignIn) -> None:
    said = answers(browser(vera), f"/t/acme/accounts/{world.accounts[0].pk}/score/")
    why, moved, version, sure, draft = said
    assert re.fullmatch(r"Why is it \d+\.\d\?", why) and re.fullmatch(r"Why was it \d+\.\d on .+\?", moved)
    assert said[why].startswith("Most points are lost in Product usage (")
    assert re.match(r"[+−±]?\d+\.\d from .+ to .+: .+ \(data moved\)", said[moved])
    assert said[version].startswith("Product-led growth, version 1, in force since")
    assert "It made both scores." in said[version]
    assert said[sure].startswith("100% of the weight is known. 500 days of history.")
    assert said[draft].startswith("There is no draft.")


def test_the_draft_says_what_the_preview_says(browser: SignIn, db: None) -> None:
    tenant = create_tenant(slug="globex", name="Globex")
    viewer = make_member(tenant, "viewer", Role.VIEWER)
    fill(tenant, 3)
    draft = drafted(tenant, usage=10, adoption=40)
    with tenant_scope(tenant):
        account = Account.objects.get(external_id="a1")
        expected = preview(tenant, draft, account)
    path = f"/t/globex/accounts/{account.pk}/score/"
    words = f"The draft, version 2, would say {number(expected.score, 1)} ("
    assert words in answers(browser(viewer), path)["What would new weights say?"]
    with tenant_scope(tenant):
        Component.objects.filter(version=draft, key="usage").update(weight=-1)
    assert "cannot score yet" in answers(browser(viewer), path)["What would new weights say?"]


def test_what_else_moved_the_score_is_said(
    world: World, carl: Membership, vera: Membership, browser: SignIn
) -> None:
    account = world.accounts[0]
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        made = new_version(world, {"usage": 10.0, "payment": 30.0})
        rule = ExceptionRule.objects.create(
            version=made, name="Late payer", metric_key="invoice_overdue_days", operator=">", value=1, cap=40
        )
        for table in ("scoring_score", "scoring_current"):
            cursor.execute(
                f"UPDATE {table} SET version_id = %s, score = 40, exception_id = %s, adjustment = -15, "
                "components = '{50,50,50,50,75}', points = '{5,12.5,10,7.5,22.5}', "
                "effective = '{10,25,20,15,30}', scaled = '{50,50,50,50,50,75}' "
                "WHERE tenant_id = %s AND account_id = %s AND day = %s",
                [made.pk, rule.pk, world.tenant.pk, account.pk, world.today - timedelta(days=1)],
            )
        set_override(
            tenant=world.tenant, account_id=account.pk, band="critical", reason="They told us", member=carl
        )
    said = answers(browser(vera), f"/t/acme/accounts/{account.pk}/score/")
    why = said["Why is it 40.0?"]
    assert "The exception “Late payer” holds it at 40 or less (−15.0)." in why
    assert "People see critical until" in why and "They told us" in why
    assert "was made by version 1." in said["Which version?"]
    assert "(model changed)" in " ".join(said.values())


def test_an_account_that_nothing_is_known_of_says_so(world: World, vera: Membership, browser: SignIn) -> None:
    said = answers(browser(vera), f"/t/acme/accounts/{world.accounts[5].pk}/score/")
    assert said["Why is there no score?"] == "Nothing is known of what the model measures."
    assert "Under 50% there is no band." in said["How sure is it?"]


def test_the_answers_speak_spanish(world: World, vera: Membership, browser: SignIn) -> None:
    vera.user.language = "es"
    vera.user.save()
    said = answers(browser(vera), f"/t/acme/accounts/{world.accounts[0].pk}/score/")
    assert list(said)[2:] == ["¿Qué versión?", "¿Qué certeza hay?", "¿Qué dirían otros pesos?"]
    assert not re.search(r"\b(the|of|score|is|weight)\b", " ".join([*said, *said.values()]))


def test_the_tab_reads_each_thing_once(browser: SignIn, db: None) -> None:
    """Also with a draft: other weights cost no reading of usage."""
    counts = []
    for slug, size in (("few", 1), ("many", 3)):
        tenant = create_tenant(slug=slug, name=slug)
        client = browser(make_member(tenant, "admin", "admin"))
        fill(tenant, size)
        with tenant_scope(tenant):
            score_accounts(tenant=tenant, day=tenant.today() - timedelta(days=7))
            account = Account.objects.earliest("id").pk
        drafted(tenant, usage=10, adoption=40)
        path = f"/t/{slug}/accounts/{account}/score/"
        client.get(path)
        with CaptureQueriesContext(connection) as seen:
            assert "would say" in client.get(path).text
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert counts[1] <= MOST_QUERIES, [query["sql"][:300] for query in seen.captured_queries]


def test_the_form_answers_in_its_dialog(world: World, carl: Membership, browser: SignIn) -> None:
    client, pk = browser(carl), world.accounts[0].pk
    path = f"/t/acme/accounts/{pk}/override/"
    part = client.get(path, headers=IN_SHEET).text
    assert 'id="sheet-title"' in part and "<html" not in part
    assert "<html" in client.get(path).text
    wrong = client.post(path, {"score": "33", "days": "60", "reason": ""}, headers=IN_SHEET)
    assert wrong.status_code == 200
    assert "Say why." in wrong.text and 'value="33' in wrong.text
    good = client.post(
        path,
        {"score": "33", "days": "60", "reason": "Sponsor left", "next": "/t/acme/tasks/"},
        headers=IN_SHEET,
    )
    assert good.headers["HX-Redirect"] == "/t/acme/tasks/"
    with tenant_scope(world.tenant):
        assert Override.objects.get().score == 33
    noted = client.post(f"/t/acme/accounts/{pk}/sentiment/", {"value": "2"}, headers=IN_SHEET)
    assert noted.headers["HX-Redirect"] == f"/t/acme/accounts/{pk}/score/"


def test_a_list_by_health_says_that_it_goes_by_what_is_computed(
    world: World, carl: Membership, browser: SignIn
) -> None:
    client, words = browser(carl), "Filtered and sorted by the computed score and band."
    assert words not in client.get("/t/acme/accounts/?band=critical").text
    with tenant_scope(world.tenant):
        set_override(
            tenant=world.tenant, account_id=world.accounts[0].pk, band="critical", reason="x", member=carl
        )
    for path in ("?band=healthy", "?sort=score", "?score_from=20"):
        page = client.get(f"/t/acme/accounts/{path}").text
        assert words in page and "1 account shows an override instead." in page, path
    for path in ("", "?sort=name", "?override=yes&sort=score"):
        assert words not in client.get(f"/t/acme/accounts/{path}").text, path


@pytest.mark.parametrize("path", ["draft", "publish"])
def test_faults_of_a_draft_are_told_in_words(
    path: str, acme: Tenant, alice: Membership, world: World, browser: SignIn
) -> None:
    with tenant_scope(acme):
        draft = create_draft(tenant=acme, model=world.version.model)
        ExceptionRule.objects.create(
            version=draft, name="Late payer", metric_key="gone", operator=">", value=1, cap=40
        )
    client = browser(alice)
    address = f"/t/acme/score/versions/{draft.pk}/"
    address += "publish/" if path == "publish" else "what-if/run/"
    page = client.post(address, follow=True).text
    assert "Exception 1 (Late payer), metric: No measure of this model reads this metric" in unescape(page)
    assert "exceptions[0]" not in page
