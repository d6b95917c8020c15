"""Whoever sees only the own accounts learns nothing of others' on any page, and whoever sees no money sees none."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from accounts import keys as key_cache
from accounts.access import RANK
from accounts.fence.models import TenantModel
from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Role
from tests.doors import table
from tests.doors.asking import Cell, address, ask, lines
from tests.doors.test_doors import COME_IN, _quiet
from tests.doors.world import World, make_world

pytestmark = [pytest.mark.django_db(databases=["default", "dispatch"]), pytest.mark.timeout(600)]
__all__ = ["_quiet"]

# What the world names after its tenant though it belongs to no account; everything else "… of acme" does.
SHARED = {
    "Module",
    "Text",
    "Off",
    "Feature",
    "Source",
    "Hello",
    "Webhook",
    "Wave",
    "World",
    "Why",
    "Event",
    "Field",
    "View",
    "Team",
    "Template",
}
NAMED = re.compile(r"([A-Za-z]+)(?:</\w+>)? of acme")
# Kinds of objects in addresses that belong to no account; all others must be as unknown as nobody's.
OF_NO_ACCOUNT = {
    "accounts.customfield",
    "accounts.savedview",
    "company_export",
    "backtest", "day_off", "deed", "delivery", "endpoint", "job", "key", "language", "member", "milestone", "model",
    "outbox", "picture_kind", "play_draft", "play_step", "playbook", "quarantine", "report", "report_file", "rule",
    "suppression", "survey",
    "survey_wave", "tab", "team", "template", "training_key", "undo", "version", "pack_kind", "pack_job",
}  # fmt: skip
CENTS = 987_654_300
AMOUNT = re.compile(
    r"9[.,\s\u00a0]?876[.,\s\u00a0]?543|987654300|\b9[.,]9M|118[.,\s\u00a0]?518[.,\s\u00a0]?516|118[.,]5M|119M"
)


@pytest.fixture
def acme(settings: Any) -> World:
    """The world with one figure for every amount of money."""
    settings.API_REQUESTS_PER_MINUTE = 0
    with connection.cursor() as cursor:
        cursor.execute("SET transaction_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    key_cache._cache.clear()
    world = make_world("acme")
    with tenant_scope(world.tenant):
        for model in apps.get_models():
            if not issubclass(model, TenantModel):
                continue
            amounts = [f.name for f in model._meta.fields if f.name.endswith("_cents")]
            if amounts and "settings" not in model._meta.model_name:
                model._default_manager.update(**dict.fromkeys(amounts, CENTS))
    return world


def narrow(world: World, role: str, scope: str) -> Client:
    """A member of this role who sees that much, with one account of the own."""
    member = world.members[role]
    Membership.objects.filter(pk=member.pk).update(scope=scope)
    with tenant_scope(world.tenant):
        Account.objects.filter(pk=world.named["account"]).update(owner=world.members["admin"])
        Account.objects.create(external_id="mine", name="Mine alone", owner=member)
    return world.client(role)


def text_of(response: Any) -> str:
    """Everything a body says, inside a ZIP (a workbook, an archive) too."""
    body = b"".join(response) if response.streaming else response.content
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return str(body.decode("utf-8", "replace"))


def pages(
    world: World, client: Client, role: str, *, only: Callable[[table.Door], bool] = lambda door: True
) -> Iterator[tuple[table.Door, int, str]]:
    """Every GET address that the role may open, with its status and all it says."""
    with_query = {"accounts/": "?sort=mrr", "health/": "?by=mrr", "": "?view=team&by=mrr", "search/": "?q=a"}
    with_query |= {"reports/": "?whose=all&days=30", "reports/csms/": "?whose=all"}
    for door in table.TENANT:
        if "GET" not in door.needs or RANK[Role(door.needs["GET"])] > RANK[Role(role)] or not only(door):
            continue
        path = address(door, world, prefix="/t/acme")
        for query in {"", with_query.get(door.route, "")}:
            response = ask(client, "GET", path + query)
            yield door, response.status_code, text_of(response)


def test_nothing_of_other_peoples_accounts_is_on_any_page(acme: World) -> None:
    client = narrow(acme, "manager", "own")
    wrong: list[Cell] = []
    seen_mine = 0
    for door, status, text in pages(acme, client, "manager"):
        of_accounts = set(door.params.values()) - OF_NO_ACCOUNT
        if of_accounts and status != 404 and status != 403:
            wrong.append(("opens", door.route, str(status)))
        elif status not in COME_IN | {403, 404}:
            wrong.append(("fails", door.route, str(status)))
        leaked = set(NAMED.findall(text)) - SHARED
        if leaked:
            wrong.append(("names", door.route, *sorted(leaked)))
        if AMOUNT.search(text):
            wrong.append(("sums", door.route, AMOUNT.search(text)[0]))  # type: ignore[index]
        seen_mine += "Mine alone" in text
    assert lines(wrong) == ""
    assert seen_mine >= 3


def test_deeds_at_other_peoples_accounts_find_nothing(acme: World) -> None:
    client = narrow(acme, "manager", "own")
    wrong: list[Cell] = []
    for door in table.TENANT:
        if "POST" not in door.needs or not set(door.params.values()) - OF_NO_ACCOUNT:
            continue
        status = ask(client, "POST", address(door, acme, prefix="/t/acme")).status_code
        if status not in (403, 404):
            wrong.append((door.route, str(status)))
    assert lines(wrong) == ""


def test_with_all_accounts_the_same_pages_show_them(acme: World) -> None:
    """The control of both tests above: the markers are there to be seen."""
    client = narrow(acme, "manager", "all")
    seen: set[str] = set()
    amounts = 0
    for _door, _status, text in pages(acme, client, "manager", only=lambda door: len(door.route) < 24):
        seen |= set(NAMED.findall(text))
        amounts += bool(AMOUNT.search(text))
    assert {"Account", "Contact", "Ticket", "Renewal", "Mail", "Comment", "Pack", "Deal"} <= seen
    assert amounts >= 10


def test_a_role_without_money_sees_no_amount_on_any_page(acme: World) -> None:
    acme.tenant.hidden_money_roles = ["manager"]
    acme.tenant.save(update_fields=["hidden_money_roles"])
    client = narrow(acme, "manager", "all")
    wrong = [
        (door.route, str(status), found[0])
        for door, status, text in pages(acme, client, "manager")
        if (found := AMOUNT.search(text))
    ]
    assert lines(wrong) == ""


def test_keys_of_the_api_see_everything(acme: World) -> None:
    narrow(acme, "manager", "own")
    body = acme.caller("read").get("/api/v1/accounts").json()
    assert {one["external_id"] for one in body["results"]} == {"acme-1", "mine"}
