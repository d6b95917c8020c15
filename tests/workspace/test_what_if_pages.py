"""Pages of versions: what a draft would change, publish, go back, files."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Account, Job, Membership, Role, Tenant
from accounts.services.tenants import create_tenant
from scoring.models import Component, ScoreModel, Version, WhatIf
from scoring.services import create_draft, export_version, score_accounts
from tests.conftest import make_member
from tests.scoring.conftest import World, days_back
from usage.models import Metric

SignIn = Callable[[Membership], Client]
PATH = "/t/globex/score"


@pytest.fixture
def tenant(db: None) -> Tenant:
    return create_tenant(slug="globex", name="Globex")


@pytest.fixture
def people(tenant: Tenant) -> dict[str, Membership]:
    return {role: make_member(tenant, role, role) for role in Role.values}


def fill(tenant: Tenant, count: int) -> None:
    """Accounts from busy to silent, scored today."""
    world = World(tenant, tenant.today())
    with tenant_scope(tenant):
        world.metrics = {metric.key: metric for metric in Metric.objects.all()}
    world.deliver(["all_events", "active_users", "active_days", "features_used"])
    for n in range(count):
        world.account(f"a{n}", mrr_cents=100_000 * (n + 1), currency="USD", segment="Big" if n % 2 else "")
        world.usage(
            f"a{n}",
            days_back(world.today, *range(n * 3, 90, n + 1)),
            users=1 + n % 3,
            events=12 - n,
            features=1 + n,
        )
    with tenant_scope(tenant):
        score_accounts(tenant=tenant, day=tenant.today())


def drafted(tenant: Tenant, **weights: float) -> Version:
    with tenant_scope(tenant):
        draft = create_draft(tenant=tenant, model=ScoreModel.objects.get(key="plg"))
        for key, weight in weights.items():
            Component.objects.filter(version=draft, key=key).update(weight=weight)
        draft.healthy_above, draft.critical_below = 75, 65
        draft.save()
        return draft


def run_job(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        job = Job.objects.get(kind="what_if")
    assert finish_job(tenant, job.pk).state == Job.State.DONE


@pytest.mark.django_db(transaction=True)
def test_from_the_draft_to_the_published_version(
    tenant: Tenant, people: dict[str, Membership], browser: SignIn
) -> None:
    fill(tenant, 8)
    draft = drafted(tenant, usage=10, adoption=40)
    page = f"{PATH}/versions/{draft.pk}/what-if/"
    manager, admin, viewer = (browser(people[role]) for role in ("manager", "admin", "viewer"))
    assert "Not tried yet" in viewer.get(page).text
    assert viewer.post(f"{page}run/").status_code == 403
    assert "Weight of “Product usage”: 30 → 10" in viewer.get(page).text
    assert manager.post(f"{page}run/").status_code == 302
    assert "The draft is being tried on every account" in manager.get(page).text
    run_job(tenant)
    text = manager.get(page).text
    with tenant_scope(tenant):
        numbers = WhatIf.objects.get(version=draft).numbers
        names = list(Account.objects.order_by("-mrr_cents").values_list("name", flat=True))
    assert numbers["moved"] > 0
    assert "8 accounts, against version 1 of Product-led growth" in text
    assert "Publish version 2" not in text and "Publish version 2" in admin.get(page).text
    shown = manager.get(f"{page}?show=all").text
    places = [shown.index(f">{name}</a>") for name in names if f">{name}</a>" in shown]
    assert places == sorted(places) and len(places) == numbers["moved"]
    csv = b"".join(manager.get(f"{page}accounts.csv?show=all").streaming_content).decode()
    assert csv.count("\n") == 1 + numbers["moved"]
    with tenant_scope(tenant):
        account = Account.objects.get(external_id="a0")
    detail = viewer.get(f"{page}accounts/{account.pk}/").text
    assert "Component by component" in detail and "Product usage" in detail
    assert manager.post(f"{PATH}/versions/{draft.pk}/publish/").status_code == 403
    assert admin.post(f"{PATH}/versions/{draft.pk}/publish/").status_code == 302
    with tenant_scope(tenant):
        assert Version.objects.get(pk=draft.pk).state == "published"
        assert Job.objects.filter(kind="recompute").count() == 1
    assert "What version 2 was expected to change" in viewer.get(page).text


@pytest.mark.django_db(transaction=True)
def test_an_edited_draft_makes_the_result_old(
    tenant: Tenant, people: dict[str, Membership], browser: SignIn
) -> None:
    fill(tenant, 3)
    draft = drafted(tenant, usage=10, adoption=40)
    client, page = browser(people["admin"]), f"{PATH}/versions/{draft.pk}/what-if/"
    client.post(f"{page}run/")
    run_job(tenant)
    old = "The draft or the published version has changed since"
    assert old not in client.get(page).text
    with tenant_scope(tenant):
        Component.objects.filter(version=draft, key="usage").update(weight=20)
    text = client.get(page).text
    assert old in text and "Publish version 2" not in text


@pytest.mark.django_db(transaction=True)
def test_the_pages_cost_the_same_with_one_account_and_with_eight(browser: SignIn) -> None:
    counts: dict[str, list[int]] = {}
    for slug, size in (("few", 1), ("many", 8)):
        tenant = create_tenant(slug=slug, name=slug)
        client = browser(make_member(tenant, "admin", "admin"))
        fill(tenant, size)
        draft = drafted(tenant, usage=10, adoption=40)
        client.post(f"/t/{slug}/score/versions/{draft.pk}/what-if/run/")
        run_job(tenant)
        with tenant_scope(tenant):
            account = Account.objects.earliest("id").pk
        for path in (
            f"versions/{draft.pk}/what-if/?show=all",
            f"versions/{draft.pk}/what-if/accounts/{account}/",
            f"models/{draft.model_id}/",
        ):
            with CaptureQueriesContext(connection) as seen:
                assert client.get(f"/t/{slug}/score/{path}").status_code == 200
            counts.setdefault(re.sub(r"\d+", "N", path), []).append(len(seen))
    for path, found in counts.items():
        assert found[0] == found[1] <= 60, (path, found)


def test_a_draft_that_cannot_be_published_says_why(
    tenant: Tenant, people: dict[str, Membership], browser: SignIn
) -> None:
    draft = drafted(tenant, usage=29)
    client = browser(people["admin"])
    page = f"{PATH}/versions/{draft.pk}/what-if/"
    for path in (f"{page}run/", f"{PATH}/versions/{draft.pk}/publish/"):
        assert "add up to 99; they must add up to 100: 1 are missing." in client.post(path, follow=True).text
    with tenant_scope(tenant):
        assert Version.objects.get(pk=draft.pk).is_draft


def test_the_list_of_versions_tells_them_apart_and_goes_back(
    tenant: Tenant, people: dict[str, Membership], browser: SignIn
) -> None:
    client = browser(people["admin"])
    draft = drafted(tenant, usage=20, adoption=30)
    model = f"{PATH}/models/{draft.model_id}/"
    assert "Weight of “Feature adoption”: 20 → 30" in client.get(model).text
    client.post(f"{PATH}/versions/{draft.pk}/publish/")
    text = client.get(model).text
    assert "Go back to it" in text and "version 2 scores" in text
    assert "Go back to it" not in browser(people["viewer"]).get(model).text
    with tenant_scope(tenant):
        first = Version.objects.get(model_id=draft.model_id, number=1).pk
    assert browser(people["manager"]).post(f"{PATH}/versions/{first}/go-back/").status_code == 403
    after = client.post(f"{PATH}/versions/{first}/go-back/", {"reason": "Too strict"}, follow=True).text
    assert "Version 1 scores again, as version 3" in after and "Back to version 1. Too strict" in after
    assert "Nothing: both versions say the same." in client.get(f"{model}?from=1&to=3").text
    assert "The best band begins above: 75 → 80" in client.get(f"{model}?from=2&to=3").text
    assert client.get(f"{model}?from=x&to=99").status_code == 200
    with tenant_scope(tenant):
        newest = Version.objects.get(model_id=draft.model_id, number=3).pk
    assert "Choose an earlier version" in client.post(f"{PATH}/versions/{newest}/go-back/", follow=True).text


def test_a_file_is_checked_seen_and_then_saved(
    tenant: Tenant, people: dict[str, Membership], browser: SignIn
) -> None:
    client = browser(people["admin"])
    with tenant_scope(tenant):
        version = Version.objects.select_related("model").get(model__key="plg", state="published")
        text = export_version(version)
    assert client.get(f"{PATH}/versions/{version.pk}/model.yaml").text == text
    page = f"{PATH}/models/{version.model_id}/import/"
    assert "Check it" in client.get(page).text
    broken = client.post(
        page, {"text": text.replace("weight: 30", "weight: x", 1).replace("\n", "\r\n")}
    ).text
    assert "Line 10" in broken and "Enter a number." in broken
    assert "weight: x" in broken  # what was typed is still there
    changed = text.replace("weight: 30", "weight: 20", 1).replace("weight: 25", "weight: 35", 1)
    unseen = client.post(page, {"text": changed, "save": "1"})
    assert unseen.status_code == 200 and "Weight of “Product usage”: 30 → 20" in unseen.text
    with tenant_scope(tenant):
        assert not Version.objects.filter(state="draft").exists()
    seen = unseen.context["seen"]
    edited = client.post(
        page, {"text": changed.replace("weight: 20", "weight: 21", 1), "seen": seen, "save": "1"}
    )
    assert "add up to 101" in edited.text
    assert client.post(page, {"text": changed, "seen": seen, "save": "1"}).status_code == 302
    with tenant_scope(tenant):
        draft = Version.objects.get(state="draft")
        assert Component.objects.get(version=draft, key="usage").weight == 20
    uploaded = client.post(page, {"file": SimpleUploadedFile("m.yaml", b"\xef\xbb\xbf" + text.encode())})
    assert "Nothing: it says what the published version says." in uploaded.text
    assert "not UTF-8 text" in client.post(page, {"file": SimpleUploadedFile("m.yaml", b"\xff\xfe")}).text
    assert "Paste a model or choose a file." in client.post(page, {"text": " "}).text
    big = SimpleUploadedFile("m.yaml", b"x" * 1_000_000)
    assert "too long for a model" in client.post(page, {"file": big}).text


def test_the_api_gives_the_model_as_it_is_published(tenant: Tenant) -> None:
    from accounts.keys import make_key

    key = make_key(tenant=tenant, name="read", scope="read")[1]
    client = Client(headers={"Authorization": f"Bearer {key}"})
    found = client.get("/api/v1/models/plg").json()
    assert (found["version"], found["state"], found["in_force_from"]) == (
        1,
        "published",
        tenant.today().isoformat(),
    )
    assert [part["key"] for part in found["definition"]["components"]] == [
        "usage", "engagement", "adoption", "support", "payment",
    ]  # fmt: skip
    draft = drafted(tenant, usage=20, adoption=30)
    assert client.get("/api/v1/models/plg?version=2").json()["state"] == "draft"
    assert client.get("/api/v1/models/plg").json()["version"] == 1
    assert client.get("/api/v1/models/nothing").status_code == 404
    assert client.get("/api/v1/models/plg?version=99").status_code == 404
    assert client.get("/api/v1/models/plg?version=x").status_code == 400
    assert draft.number == 2
