"""Exceptions, hysteresis, tenure, targets by segment and peers in the model editor, as an admin's browser uses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from scoring.models import ExceptionRule, Measure, Version
from scoring.scale_text import read_scale_text
from scoring.services import definition_of
from tests.scoring.conftest import World
from tests.scoring.test_admin import address, component_page, form_of, words

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
    opened = browser.get(where)
    assert "How the values of a scale are written" in words(opened)
    data = form_of(opened) | {"measures-0-scale_kind": kind, "measures-0-scale_values": text}
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
        ("percent_of_target", "segment smb: -3", "Targets by segment, smb: Enter a number greater than 0."),
        ("linear", "worst: 0, best: 1, segment smb: 3", "Targets by segment: This scale has no such value."),
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
