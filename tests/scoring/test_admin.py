"""The model editor in the tenant's admin, as an admin's browser uses it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import Job, Role
from scoring.models import (
    Component,
    CurrentScore,
    Measure,
    ScoreModel,
    StoredScore,
    Version,
)
from scoring.services import score_accounts
from tests.conftest import PASSWORD, make_member
from tests.scoring.conftest import World, days_back


def address(world: World, path: str) -> str:
    return f"/t/{world.tenant.slug}/admin/scoring/{path}"


def form_of(page: Any) -> dict[str, str]:
    """What the page's main form would send, read from the admin form and its inlines."""
    data: dict[str, str] = {}
    admin_form = page.context["adminform"].form
    forms = [admin_form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            data[bound.html_name] = "" if value is None else str(value)
    return data


def words(page: Any) -> str:
    """The page as text."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_changing_a_weight_and_a_threshold_and_publishing_shows_new_bands(
    world: World, browser: Client, counted: list[str]
) -> None:
    world.deliver(counted)
    world.account("busy")
    world.usage("busy", days_back(world.today, *range(60)), users=1, features=3, events=3)
    with tenant_scope(world.tenant):
        score_accounts(tenant=world.tenant, day=world.today)
        model = ScoreModel.objects.get(key="plg")
        before = CurrentScore.objects.get()
        assert before.band == 2
    opened = browser.post(address(world, f"scoremodel/{model.pk}/draft/"), follow=True)
    data = form_of(opened)
    weights = {data[f"components-{n}-key"]: f"components-{n}-weight" for n in range(5)}
    assert {key: data[name] for key, name in weights.items()} == {
        "usage": "30.0",
        "engagement": "25.0",
        "adoption": "20.0",
        "support": "15.0",
        "payment": "10.0",
    }
    data |= {
        weights["usage"]: "20",
        weights["engagement"]: "35",
        "healthy_above": "60",
        "critical_below": "40",
    }
    draft_address = opened.redirect_chain[-1][0]
    saved = browser.post(draft_address, data, follow=True)
    assert saved.status_code == 200
    with tenant_scope(world.tenant):
        draft = Version.objects.get(model=model, state="draft")
        assert dict(Component.objects.filter(version=draft).values_list("key", "weight"))["engagement"] == 35
    published = browser.post(address(world, f"version/{draft.pk}/publish/"), {"recompute": "1"}, follow=True)
    assert "It scores from today on" in words(published)
    with tenant_scope(world.tenant):
        job = Job.objects.get(kind="recompute")
        assert job.params == {"day": world.today.isoformat()}
        score_accounts(tenant=world.tenant, day=world.today)
        now = CurrentScore.objects.get()
        assert (now.band, now.version_id) == (3, draft.pk)
        assert StoredScore.objects.get(kind=1).version_id == draft.pk
    history = words(browser.get(address(world, f"scoremodel/{model.pk}/change/")))
    assert "version 2 · Published · Edited" in history
    assert "version 1 · Retired · Shipped" in history


@pytest.mark.parametrize(
    ("weight", "sentence"),
    [
        ("9", "The weights of the components add up to 99; they must add up to 100: 1 are missing."),
        ("11.5", "The weights of the components add up to 101.5; they must add up to 100: 1.5 too many."),
    ],
)
def test_weights_that_do_not_add_up_are_refused(
    world: World, browser: Client, draft: Version, weight: str, sentence: str
) -> None:
    where = address(world, f"version/{draft.pk}/change/")
    data = form_of(browser.get(where))
    data |= {name: weight for name, value in data.items() if name.endswith("-weight") and value == "10.0"}
    answer = browser.post(where, data)
    assert answer.status_code == 200
    assert sentence in words(answer)
    with tenant_scope(world.tenant):
        assert sum(Component.objects.filter(version=draft).values_list("weight", flat=True)) == 100


def test_thresholds_the_wrong_way_round_are_refused(world: World, browser: Client, draft: Version) -> None:
    where = address(world, f"version/{draft.pk}/change/")
    answer = browser.post(
        where, form_of(browser.get(where)) | {"healthy_above": "50", "critical_below": "60"}
    )
    assert "must not be above that of the best one" in words(answer)


def component_page(world: World, draft: Version, key: str) -> str:
    with tenant_scope(world.tenant):
        return address(world, f"component/{Component.objects.get(version=draft, key=key).pk}/change/")


def test_a_scale_is_typed_as_pairs_and_kept_as_points(world: World, browser: Client, draft: Version) -> None:
    where = component_page(world, draft, "engagement")
    data = form_of(browser.get(where))
    assert data["measures-0-scale_values"] == "0: 0, 4: 40, 15: 65, 40: 85, 75: 100"
    data |= {"measures-0-scale_values": "0: 0, 10: 50; 60: 100", "measures-0-half_life_days": "60"}
    answer = browser.post(where, data, follow=True)
    assert answer.redirect_chain[-1][0] == address(world, f"version/{draft.pk}/change/")
    with tenant_scope(world.tenant):
        measure = Measure.objects.get(component__version=draft, component__key="engagement")
        assert (measure.half_life_days, measure.scale) == (
            60,
            {"kind": "piecewise", "points": [[0, 0], [10, 50], [60, 100]]},
        )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"measures-0-scale_values": "0: 0, 10"}, "10: Write pairs such as 5: 40, separated by commas."),
        ({"measures-0-scale_values": "0: 0, 10: 500"}, "Pair 2: Enter a score between 0 and 100."),
        ({"measures-0-scale_values": ""}, "Points: This value is required."),
        ({"measures-0-scale_kind": "linear", "measures-0-scale_values": "worst: 3, best: 3"}, "must differ"),
        (
            {"measures-0-aggregate": "ratio"},
            "This metric cannot be counted this way. Choose: Active days, Active days, older",
        ),
        ({"measures-0-metric_key": "deleted"}, "Select a valid choice"),
    ],
)
def test_a_measure_that_makes_no_sense_is_refused_in_words(
    world: World, browser: Client, draft: Version, change: dict[str, str], sentence: str
) -> None:
    where = component_page(world, draft, "engagement")
    answer = browser.post(where, form_of(browser.get(where)) | change)
    assert answer.status_code == 200
    assert sentence in words(answer)


def test_a_measure_can_be_added_and_removed(world: World, browser: Client, draft: Version) -> None:
    where = component_page(world, draft, "support")
    data = form_of(browser.get(where))
    data |= {
        "measures-TOTAL_FORMS": "3",
        "measures-1-DELETE": "on",
        "measures-2-position": "3",
        "measures-2-metric_key": "csat",
        "measures-2-aggregate": "latest",
        "measures-2-window_days": "7",
        "measures-2-baseline_days": "28",
        "measures-2-half_life_days": "90",
        "measures-2-weight": "2",
        "measures-2-scale_kind": "linear",
        "measures-2-scale_values": "worst: 1, best: 5",
        "measures-2-id": "",
        "measures-2-component": data["measures-0-component"],
    }
    assert browser.post(where, data).status_code == 302
    with tenant_scope(world.tenant):
        kept = Measure.objects.filter(component__version=draft, component__key="support").order_by("position")
        assert [measure.metric_key for measure in kept] == ["oldest_open_ticket_hours", "csat"]


def test_a_published_version_is_read_only(world: World, browser: Client) -> None:
    with tenant_scope(world.tenant):
        version = Version.objects.get(model__key="plg")
        component = Component.objects.get(version=version, key="usage")
    for path in (f"version/{version.pk}/change/", f"component/{component.pk}/change/"):
        page = browser.get(address(world, path))
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode()
        assert browser.post(address(world, path), {"healthy_above": "10"}).status_code == 403
    assert browser.post(address(world, f"version/{version.pk}/delete/"), {"post": "yes"}).status_code == 403


def test_the_preview_shows_both_versions_and_stores_nothing(
    world: World, browser: Client, draft: Version, counted: list[str]
) -> None:
    world.deliver(counted)
    world.account("busy")
    world.usage("busy", days_back(world.today, *range(30)), users=3, features=6, events=6)
    with tenant_scope(world.tenant):
        Component.objects.filter(version=draft, key="usage").update(weight=5)
        Component.objects.filter(version=draft, key="adoption").update(weight=45)
    where = address(world, f"version/{draft.pk}/preview/")
    shown = words(browser.get(where, {"account": "busy"}))
    assert "Product-led growth, version 1" in shown
    assert "Product-led growth, version 2" in shown
    assert "all_events: 42" in shown
    assert "There is no account with the id “nobody”." in words(browser.get(where, {"account": "nobody"}))
    with tenant_scope(world.tenant):
        assert not StoredScore.objects.exists()


def test_buttons_that_change_something_are_no_links(world: World, browser: Client, draft: Version) -> None:
    with tenant_scope(world.tenant):
        model_id = draft.model_id
    for path in (
        f"version/{draft.pk}/publish/",
        f"version/{draft.pk}/discard/",
        f"scoremodel/{model_id}/draft/",
        f"scoremodel/{model_id}/default/",
    ):
        assert browser.get(address(world, path)).status_code == 405


def test_discarding_a_draft_and_choosing_another_default(
    world: World, browser: Client, draft: Version
) -> None:
    assert "The draft is gone" in words(
        browser.post(address(world, f"version/{draft.pk}/discard/"), follow=True)
    )
    with tenant_scope(world.tenant):
        playbook = ScoreModel.objects.get(key="playbook")
    answer = browser.post(address(world, f"scoremodel/{playbook.pk}/default/"), follow=True)
    assert "is the default now" in words(answer)
    with tenant_scope(world.tenant):
        assert ScoreModel.objects.get(kind="health", is_default=True).key == "playbook"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CSM, Role.MANAGER])
def test_only_admins_come_in(world: World, draft: Version, role: str) -> None:
    member = make_member(world.tenant, "other", role)
    client = Client()
    assert client.login(email=member.user.email, password=PASSWORD)
    for path in ("scoremodel/", f"version/{draft.pk}/change/", f"version/{draft.pk}/preview/"):
        assert client.get(address(world, path)).status_code in (302, 403, 404)
    assert client.post(address(world, f"version/{draft.pk}/publish/")).status_code in (302, 403, 404)
    with tenant_scope(world.tenant):
        assert Version.objects.get(pk=draft.pk).is_draft


def test_pages_have_no_inline_script_or_style(world: World, browser: Client, draft: Version) -> None:
    for path in ("scoremodel/", f"version/{draft.pk}/change/", f"version/{draft.pk}/preview/", "version/"):
        html = browser.get(address(world, path)).content.decode()
        assert not re.search(
            r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|\sstyle=\"|\son\w+=\"", html
        )
