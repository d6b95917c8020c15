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
    ExceptionRule,
    Measure,
    ScoreModel,
    StoredScore,
    Version,
)
from scoring.scale_text import read_scale_text
from scoring.services import create_draft, definition_of, score_accounts
from tests.conftest import PASSWORD, make_member
from tests.scoring.conftest import World, days_back


@pytest.fixture
def browser(world: World) -> Client:
    """An admin of the tenant, logged in."""
    member = make_member(world.tenant, "alice", Role.ADMIN)
    client = Client()
    assert client.login(email=member.user.email, password=PASSWORD)
    return client


@pytest.fixture
def draft(world: World) -> Version:
    with tenant_scope(world.tenant):
        return create_draft(tenant=world.tenant, model=ScoreModel.objects.get(key="plg"))


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
        ({"measures-0-scale_values": "0: 0, 10: 500"}, "points[1][1]: Enter a score between 0 and 100."),
        ({"measures-0-scale_values": ""}, "points: This value is required."),
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


TEXTS = [
    (
        "percent_of_target",
        'target: 100, segment Enterprise: 500, segment "Big, new": 20.5',
        {"target": 100, "segment_targets": {"Enterprise": 500, "Big, new": 20.5}},
    ),
    (
        "piecewise",
        "from day 0\n0: 0, 5: 100\nfrom day 90\n0: 0, 10: 50, 50: 100",
        {
            "by_tenure": [
                {"from_days": 0, "points": [[0, 0], [5, 100]]},
                {"from_days": 90, "points": [[0, 0], [10, 50], [50, 100]]},
            ]
        },
    ),
    ("linear", "worst: 0, best: 10\nfrom day 30\nworst: 0, best: 40", None),
    (
        "percentile",
        "higher_is_better: no, peers: segment, reference_of: day",
        {"higher_is_better": False, "peers": "segment", "reference_of": "day"},
    ),
]


@pytest.mark.parametrize(("kind", "text", "params"), TEXTS, ids=lambda value: str(value)[:12])
def test_targets_by_segment_stages_by_tenure_and_peers_are_typed(
    world: World, browser: Client, draft: Version, kind: str, text: str, params: dict[str, Any] | None
) -> None:
    where = component_page(world, draft, "engagement")
    data = form_of(browser.get(where)) | {"measures-0-scale_kind": kind, "measures-0-scale_values": text}
    assert browser.post(where, data).status_code == 302
    with tenant_scope(world.tenant):
        kept = Measure.objects.get(component__version=draft, component__key="engagement")
        assert params is None or kept.scale_params == params
    shown = form_of(browser.get(where))["measures-0-scale_values"]
    assert read_scale_text(kind, shown) == kept.scale_params
    assert browser.post(where, form_of(browser.get(where))).status_code == 302
    with tenant_scope(world.tenant):
        assert Measure.objects.get(pk=kept.pk).scale_params == kept.scale_params


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        ("percent_of_target", "segment smb: -3", "segment_targets.smb: Enter a number greater than 0."),
        ("linear", "worst: 0, best: 1, segment smb: 3", "segment_targets: This scale has no such value."),
        ("piecewise", "from day 0\n0: 0, 5: 1\nfrom day 0\n0: 0, 5: 2", "must start later and later"),
        ("piecewise", "from day 9\n0: 0, 5: 1", "The first stage must start at day 0."),
        ("piecewise", "from day soon\n0: 0", "from day soon: Write pairs"),
        ("identity", "from day 0", "cannot depend on how long"),
        ("percentile", "peers: friends", "peers: friends: Write pairs"),
        ("percentile", "peers: day", "Peers are those of the tenant or of the segment."),
    ],
)
def test_a_text_that_makes_no_sense_says_where(
    world: World, browser: Client, draft: Version, kind: str, text: str, sentence: str
) -> None:
    where = component_page(world, draft, "engagement")
    data = form_of(browser.get(where)) | {"measures-0-scale_kind": kind, "measures-0-scale_values": text}
    answer = browser.post(where, data)
    assert answer.status_code == 200
    assert sentence in words(answer)
    assert text.split("\n")[-1] in answer.content.decode()  # what was typed is still there


def exception(data: dict[str, str], **changes: str) -> dict[str, str]:
    """The version's form with one more exception filled in."""
    number = int(data["exceptions-TOTAL_FORMS"])
    row = {
        "position": "1", "name": "An urgent ticket", "metric_key": "open_ticket_severity", "component_key": "",
        "aggregate": "", "reads": "value", "operator": ">=", "value": "4", "cap": "40", "id": "",
        "version": "",
    } | changes  # fmt: skip
    return (
        data
        | {"exceptions-TOTAL_FORMS": str(number + 1)}
        | {f"exceptions-{number}-{k}": v for k, v in row.items()}
    )


def test_an_exception_and_hysteresis_are_edited_published_and_explained(
    world: World, browser: Client, draft: Version
) -> None:
    where = address(world, f"version/{draft.pk}/change/")
    data = exception(form_of(browser.get(where)), version=str(draft.pk))
    data |= {"hysteresis": "points", "hysteresis_points": "4"}
    assert browser.post(where, data).status_code == 302
    world.account("angry")
    world.state("angry", world.today, open_ticket_severity=4.0, oldest_open_ticket_hours=1.0)
    shown = words(browser.get(address(world, f"version/{draft.pk}/preview/?account=angry")))
    assert "An urgent ticket" in shown
    browser.post(address(world, f"version/{draft.pk}/publish/"))
    with tenant_scope(world.tenant):
        version = Version.objects.get(pk=draft.pk)
        assert (version.state, version.hysteresis, version.hysteresis_points) == ("published", "points", 4)
        assert definition_of(version)["exceptions"] == [
            {
                "name": "An urgent ticket",
                "metric": "open_ticket_severity",
                "reads": "value",
                "operator": ">=",
                "value": 4,
                "cap": 40,
            }
        ]
    read_only = browser.get(where)
    assert "An urgent ticket" in words(read_only)
    assert b'name="exceptions-0-name"' not in read_only.content


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"metric_key": "sends"}, "Select a valid choice"),
        ({"component_key": "usage"}, "No measure of this model reads this metric"),
        ({"cap": "140"}, "less than or equal to 100"),
        ({"value": ""}, "This field is required"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_an_exception_that_makes_no_sense_is_refused(
    world: World, browser: Client, draft: Version, changes: dict[str, str], sentence: str
) -> None:
    where = address(world, f"version/{draft.pk}/change/")
    answer = browser.post(where, exception(form_of(browser.get(where)), version=str(draft.pk), **changes))
    assert answer.status_code == 200
    assert sentence in words(answer)


def test_points_that_put_a_band_out_of_reach_are_refused(
    world: World, browser: Client, draft: Version
) -> None:
    where = address(world, f"version/{draft.pk}/change/")
    data = form_of(browser.get(where)) | {"hysteresis": "points", "hysteresis_points": "20"}
    assert "could never be reached" in words(browser.post(where, data))


def test_an_exception_whose_measure_is_gone_keeps_the_draft_from_being_published(
    world: World, browser: Client, draft: Version
) -> None:
    where = address(world, f"version/{draft.pk}/change/")
    browser.post(where, exception(form_of(browser.get(where)), version=str(draft.pk)))
    with tenant_scope(world.tenant):
        Measure.objects.filter(component__version=draft, metric_key="open_ticket_severity").delete()
    answer = browser.post(address(world, f"version/{draft.pk}/publish/"), follow=True)
    assert "add one, or take the exception out" in words(answer)
    with tenant_scope(world.tenant):
        assert Version.objects.get(pk=draft.pk).is_draft


@pytest.mark.parametrize("rules", [1, 3])
def test_the_page_of_a_draft_costs_the_same_for_any_number_of_exceptions(
    world: World, browser: Client, draft: Version, rules: int, django_assert_max_num_queries: Any
) -> None:
    with tenant_scope(world.tenant):
        ExceptionRule.objects.bulk_create(
            [
                ExceptionRule(
                    tenant=world.tenant, version=draft, name=f"E{n}", metric_key="failed_charges", value=n
                )
                for n in range(rules)
            ]
        )
    with django_assert_max_num_queries(18):
        browser.get(address(world, f"version/{draft.pk}/change/"))


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
