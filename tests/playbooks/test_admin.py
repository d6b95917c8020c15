"""Plays in the tenant's admin: draft, publish, history."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Tenant
from playbooks.models import Playbook, PlaybookVersion, Step
from playbooks.services import draft_from_published, install_shipped_plays, start_run

from .conftest import MONDAY

BOOKS = "/t/acme/admin/playbooks/playbook/"
VERSIONS = "/t/acme/admin/playbooks/playbookversion/"


@pytest.fixture
def books(acme: Tenant) -> dict[str, int]:
    """The shipped plays of acme: key → id."""
    with tenant_scope(acme):
        return {book.key: book.pk for book in install_shipped_plays(tenant=acme)}


@pytest.fixture
def admin(client: Client, alice: Membership) -> Client:
    """A browser in which Alice is logged in."""
    client.force_login(alice.user)
    return client


def steps_form(steps: list[dict[str, Any]], existing: int) -> dict[str, Any]:
    """What the page of a version sends."""
    data: dict[str, Any] = {
        "note": "Shorter",
        "steps-TOTAL_FORMS": len(steps),
        "steps-INITIAL_FORMS": existing,
        "steps-MIN_NUM_FORMS": 0,
        "steps-MAX_NUM_FORMS": 1000,
    }
    base = {
        "kind": "task",
        "body": "",
        "due_in_days": 1,
        "priority": 2,
        "owner_rule": "owner",
        "owner_role": "",
    }
    for number, step in enumerate(steps):
        data |= {f"steps-{number}-{name}": value for name, value in (base | step).items()}
    return data


def draft_with_steps(acme: Tenant, playbook_id: int) -> tuple[int, list[Step]]:
    with tenant_scope(acme):
        draft = draft_from_published(tenant=acme, playbook_id=playbook_id)
        return draft.pk, list(draft.steps.all())


def test_steps_are_edited_in_a_draft_and_published(
    admin: Client, acme: Tenant, books: dict[str, int]
) -> None:
    book = {
        "name": "Value review",
        "description": "",
        "components": "value",
        "enabled": "on",
        "position": "70",
    }
    answer = admin.post(f"{BOOKS}{books['value_review']}/change/", {**book, "_steps": "1"})
    draft, steps = draft_with_steps(acme, books["value_review"])
    assert answer.headers["Location"].endswith(f"{VERSIONS}{draft}/change/")
    page = admin.get(f"{VERSIONS}{draft}/change/")
    assert 'name="_publish"' in page.content.decode()
    kept, dropped = steps[:2], steps[2:]
    rows = [
        {"id": kept[0].pk, "version": draft, "position": 2, "title": "Second"},
        {"id": kept[1].pk, "version": draft, "position": 1, "title": "First"},
        *(
            {"id": step.pk, "version": draft, "position": 9, "title": step.title, "DELETE": "on"}
            for step in dropped
        ),
        {
            "id": "",
            "version": draft,
            "position": 2,
            "title": "Third",
        },  # the same number twice: order of entry
    ]
    answer = admin.post(f"{VERSIONS}{draft}/change/", {**steps_form(rows, len(steps)), "_publish": "1"})
    assert answer.status_code == 302
    with tenant_scope(acme):
        version = PlaybookVersion.objects.get(pk=draft)
        assert (version.state, version.note) == ("published", "Shorter")
        assert list(version.steps.values_list("position", "title")) == [
            (1, "First"),
            (2, "Second"),
            (3, "Third"),
        ]
        assert version.playbook.versions.filter(state="published").count() == 1
        assert AuditEntry.objects.filter(action="playbook.publish").count() == 1


def test_a_draft_that_cannot_run_is_kept_and_the_reason_shown(
    admin: Client, acme: Tenant, books: dict[str, int]
) -> None:
    draft, steps = draft_with_steps(acme, books["value_review"])
    rows = [
        {"id": step.pk, "version": draft, "position": step.position, "title": step.title, "kind": "email"}
        for step in steps
    ]
    url = f"{VERSIONS}{draft}/change/"
    answer = admin.post(url, {**steps_form(rows, len(steps)), "_publish": "1"}, follow=True)
    assert "write a subject and a text, or choose a template." in answer.content.decode()
    with tenant_scope(acme):
        assert PlaybookVersion.objects.get(pk=draft).state == "draft"


def test_a_published_version_is_read_only(admin: Client, acme: Tenant, books: dict[str, int]) -> None:
    with tenant_scope(acme):
        version = PlaybookVersion.objects.get(playbook=books["data_audit"])
        steps = list(version.steps.all())
    page = admin.get(f"{VERSIONS}{version.pk}/change/").content.decode()
    assert 'name="_publish"' not in page
    assert 'name="_save"' not in page
    rows = [{"id": step.pk, "version": version.pk, "position": 1, "title": "Changed"} for step in steps]
    assert admin.post(f"{VERSIONS}{version.pk}/change/", steps_form(rows, len(steps))).status_code == 403
    assert admin.post(f"{VERSIONS}{version.pk}/delete/", {"post": "yes"}).status_code == 403
    with tenant_scope(acme):
        assert not Step.objects.filter(title="Changed").exists()


def test_a_new_play_leads_to_its_first_draft(admin: Client, acme: Tenant, books: dict[str, int]) -> None:
    new = {
        "key": "mine",
        "name": "Mine",
        "description": "",
        "components": "",
        "enabled": "on",
        "position": "5",
    }
    answer = admin.post(f"{BOOKS}add/", new)
    with tenant_scope(acme):
        draft = PlaybookVersion.objects.get(playbook__key="mine")
        assert (draft.number, draft.state, draft.playbook.origin) == (1, "draft", "own")
    assert answer.headers["Location"].endswith(f"{VERSIONS}{draft.pk}/change/")


def test_a_play_that_ran_is_not_deleted(admin: Client, acme: Tenant, books: dict[str, int]) -> None:
    with tenant_scope(acme):
        account = Account.objects.create(tenant=acme, external_id="a", name="A")
        start_run(tenant=acme, playbook_key="data_audit", account_id=account.pk, started_on=MONDAY)
    assert admin.post(f"{BOOKS}{books['data_audit']}/delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"{BOOKS}{books['value_review']}/delete/", {"post": "yes"}).status_code == 302
    with tenant_scope(acme):
        assert Playbook.objects.filter(key__in=["data_audit", "value_review"]).count() == 1


def test_the_action_of_the_list_opens_the_draft_of_one_play(
    admin: Client, acme: Tenant, books: dict[str, int]
) -> None:
    one = {"action": "edit_steps", "_selected_action": [books["data_audit"]]}
    answer = admin.post(BOOKS, one)
    draft, _steps = draft_with_steps(acme, books["data_audit"])
    assert answer.headers["Location"].endswith(f"{VERSIONS}{draft}/change/")
    two = {"action": "edit_steps", "_selected_action": list(books.values())[:2]}
    assert "Choose one play." in admin.post(BOOKS, two, follow=True).content.decode()
