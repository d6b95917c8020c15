"""Saved views of tasks, alerts and opportunities, from saving to deleting; what the search finds and remembers."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, RecentSearch, SavedView, ViewMark
from playbooks.models import Task
from workspace.selectors.search import search
from workspace.services.searching import remember_search

from .world import World

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
SAVE = "/t/acme/views/save/"
BAR_COUNTS = re.compile(r'<span class="meta tnum">([^<]*)</span>')
FORM = {"name": "Urgent", "shared": "private", "folder": "", "favourite": "on"}


@pytest.mark.parametrize(
    ("key", "path", "parameter", "said", "kept", "other"),
    [
        (
            "tasks", "/t/acme/tasks/", "view", "who=all&due=week",
            {"who": "all", "state": "open", "due": "week"}, "state=done",
        ),
        (
            "alerts", "/t/acme/alerts/", "view", "who=mine&severity=high",
            {"who": "mine", "state": "waiting", "severity": "high"}, "state=closed",
        ),
        (
            "opportunities", "/t/acme/expansion/", "saved", "view=list&who=mine&q=al",
            {"who": "mine", "view": "list", "q": "al"}, "stage=won",
        ),
    ],
)  # fmt: skip
def test_a_view_of_each_list_is_saved_opened_changed_and_deleted(
    key: str,
    path: str,
    parameter: str,
    said: str,
    kept: dict[str, str],
    other: str,
    world: World,
    carl: Membership,
    mona: Membership,
    vera: Membership,
    browser: SignIn,
) -> None:
    client = browser(carl)
    plain = client.get(f"{path}?{said}")
    save = html.unescape(re.search(rf'href="({SAVE}[^"]*)"', plain.text)[1])  # type: ignore[index]
    assert f"list={key}" in save
    made = client.post(save, FORM)
    with tenant_scope(world.tenant):
        view = SavedView.objects.get()
    assert (view.list_key, view.parameters) == (key, kept)
    assert made["Location"] == f"{path}?{parameter}={view.pk}"
    opened = client.get(made["Location"])
    state = opened.context["state"]
    assert (state.current.view, state.is_changed) == (view, False)
    assert opened.context["wanted"] == plain.context["wanted"]
    assert "Urgent" in opened.text and "changed, not saved" not in opened.text
    # Changing a filter keeps the view to go back to and to save over.
    turned = client.get(f"{made['Location']}&changed=1&{said}&{other}")
    assert turned.context["state"].is_changed and "changed, not saved" in turned.text
    # Private: others do not find it; shared with all: they do, but only managers change it.
    assert browser(vera).get(made["Location"]).context["state"].current is None
    over = {**FORM, "name": "Hot", "shared": "global", "over": str(view.pk), "default": "on"}
    client.post(f"{SAVE}?list={key}&{parameter}={view.pk}", over)
    with tenant_scope(world.tenant):
        view = SavedView.objects.get()
        assert (view.name, view.shared, view.parameters) == ("Hot", "global", kept)
        assert AuditEntry.objects.filter(action="view.changed").count() == 1
    assert client.get(path).context["state"].current.view == view  # it is the default now
    assert client.get(f"{path}?{parameter}=all").context["state"].current is None
    assert (
        client.get(f"{path}?{other}").context["state"].current is None
    )  # links of other pages are as they were
    viewer = browser(vera)
    assert viewer.get(made["Location"]).context["state"].current.may_change is False
    listed = viewer.get("/t/acme/views/").text
    assert f"{path}?{parameter}={view.pk}" in listed and "Rename" not in listed
    assert f"{SAVE}?list={key}&amp;{parameter}={view.pk}" in browser(mona).get("/t/acme/views/").text
    browser(mona).post(f"/t/acme/views/{view.pk}/delete/")
    with tenant_scope(world.tenant):
        assert (SavedView.objects.count(), ViewMark.objects.count()) == (0, 0)
    assert client.get(path).context["state"].current is None


def test_every_bar_says_how_many_rows_its_views_have(world: World, carl: Membership, browser: SignIn) -> None:
    """In one query for all of them, asked for once the list is there, and with the eyes of who asks."""
    client = browser(carl)
    wanted = {
        "tasks": ["who=all", "who=all&state=done", "who=all&due=overdue&priority=1"],
        "alerts": ["who=all", "who=all&state=closed", f"who={carl.pk}&severity=high"],
        "opportunities": ["view=list", "view=list&stage=won", "view=list&who=mine&q=al"],
    }
    paths = {"tasks": "/t/acme/tasks/", "alerts": "/t/acme/alerts/", "opportunities": "/t/acme/expansion/"}
    for key, addresses in wanted.items():
        queries = []
        for number, address in enumerate(addresses):
            client.post(f"{SAVE}?list={key}&{address}", {**FORM, "name": f"View {number}"})
            cache.clear()
            with CaptureQueriesContext(connection) as seen:
                bar = client.get(f"/t/acme/views/counts/?list={key}").text
            queries.append(len(seen))
        assert queries[0] == queries[1] == queries[2], key
        page = client.get(paths[key], {"saved" if key == "opportunities" else "view": "all"}).text
        assert f"/t/acme/views/counts/?list={key}&amp;" in page
        for address, said in zip(addresses, BAR_COUNTS.findall(bar), strict=True):
            listed = client.get(f"{paths[key]}?{address}").context["found"]
            assert said == str(listed.total), (key, address)
    Membership.objects.filter(pk=carl.pk).update(scope="own")
    with tenant_scope(world.tenant):
        Account.objects.update(owner=None)
    bar = client.get("/t/acme/views/counts/?list=tasks").text
    tasks = client.get("/t/acme/tasks/?who=all").context["found"].total
    assert BAR_COUNTS.findall(bar)[0] == str(tasks)


def test_a_default_is_one_for_each_list(world: World, carl: Membership, browser: SignIn) -> None:
    client = browser(carl)
    for address in ("list=tasks&due=today", "list=tasks&due=week", "list=alerts&severity=high"):
        client.post(f"{SAVE}?{address}", {**FORM, "name": address[-5:], "default": "on"})
    with tenant_scope(world.tenant):
        marks = ViewMark.objects.filter(is_default=True).values_list("view__list_key", "view__name")
        assert set(marks) == {("tasks", "=week"), ("alerts", "=high")}


@override_settings(ROOT_URLCONF="cs_platform.urls.tenant")
def test_the_search_finds_views_of_every_list_and_tasks_by_their_words(
    world: World, carl: Membership, mona: Membership
) -> None:
    with tenant_scope(world.tenant):
        SavedView.objects.create(list_key="opportunities", name="Zebra", owner=carl, parameters={})
        account = world.accounts[0]
        for title, who in (
            ("Ask about the zebra crossing", carl),
            ("Zebra of somebody else", mona),
            ("Take a zebra along", mona),
            ("A zebra", mona),
        ):
            Task.objects.create(account=account, title=title, assignee=who, due_on=world.today)
        Task.objects.create(
            account=account, title="Zebra done", assignee=carl, due_on=world.today, state="done"
        )
        found = search(world.tenant, carl, "ZEBRA", world.today)
        assert next(hit.url for hit in found.views).endswith(
            f"/expansion/?saved={SavedView.objects.get().pk}"
        )
        # Of the own tasks any word, of the others the beginning of the title and of its second word.
        assert [hit.title for hit in found.tasks] == [
            "Ask about the zebra crossing",
            "Zebra of somebody else",
            "A zebra",
        ]


def test_the_last_five_searches_are_kept_for_each_member(
    world: World, carl: Membership, vera: Membership, browser: SignIn
) -> None:
    client = browser(carl)
    for text in ("one", "two", "three", "four", "five", "six", " TWO ", "x"):
        assert client.post("/t/acme/search/remember/", {"q": text}).status_code == 204
    with tenant_scope(world.tenant):
        remember_search(tenant=world.tenant, member=vera, text="hers")
        kept = RecentSearch.objects.filter(member=carl).order_by("-at")
        assert [one.text for one in kept] == ["TWO", "six", "five", "four", "three"]
    with CaptureQueriesContext(connection) as seen:
        page = client.get("/t/acme/search/", headers={"HX-Request": "true"})
    assert "TWO" in page.text and "hers" not in page.text and "?q=six" in page.text
    assert sum("recentsearch" in query["sql"] for query in seen.captured_queries) == 1
    assert "You looked for" not in client.get("/t/acme/search/?q=six", headers={"HX-Request": "true"}).text
    client.post("/t/acme/search/forget/")
    assert "You looked for" not in client.get("/t/acme/search/", headers={"HX-Request": "true"}).text
