"""Files of the list of accounts, search, and the fields that a company declares."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from openpyxl import load_workbook

from accounts.csv_text import FORMULA_STARTS
from accounts.custom_fields import undeclared_keys
from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, CustomField, Membership, SavedView, Tenant, TimelineEntry
from accounts.upserts import upsert_accounts
from workspace.selectors.account_filter import AccountFilter
from workspace.selectors.search import search

from .listing import LIST, TIER, set_custom, tiers, where
from .world import World

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]


@pytest.fixture
def tiered(world: World) -> World:
    """Accounts with values in declared fields."""
    tiers(world)
    return world


def test_files_have_the_chosen_columns_and_the_declared_fields(
    tiered: World, carl: Membership, browser: SignIn
) -> None:
    client = browser(carl)
    with tenant_scope(tiered.tenant):
        Account.objects.filter(pk=tiered.accounts[0].pk).update(name="=1+1", name_search="=1+1")
    text = b"".join(client.get(f"{LIST}export.csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    usual = {row["external id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert (usual["acc-00000"]["name"], usual["acc-00000"]["Tier"], usual["acc-00000"]["Budget"]) == (
        "'=1+1",
        "Gold",
        "5000.0",
    )
    address = {"columns": "f.tier,touch,f.budget", "where": where(("f.tier", "is", "Gold"))}
    data = b"".join(client.get(f"{LIST}export.xlsx", address).streaming_content)  # type: ignore[attr-defined]
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("external id", "name", "Tier", "Last touch", "Budget")
    assert sorted(str(row[0]) for row in rows[1:]) == ["acc-00000", "acc-00002"]
    first = next(row for row in sheet.iter_rows(min_row=2) if row[0].value == "acc-00000")
    assert (first[1].value, first[1].data_type, first[4].value) == ("=1+1", "s", 5000)


def test_exported_names_are_text_to_whoever_reads_them(
    world: World, carl: Membership, browser: SignIn
) -> None:
    names = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"]
    with tenant_scope(world.tenant):
        listed = [account for account in world.accounts if account.churned_on is None]
        for account, name in zip(listed, names, strict=False):
            account.name = name
            account.mrr_cents = 12_345
            account.save()
    client = browser(carl)
    text = b"".join(client.get(f"{LIST}export.csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    found = {row["name"] for row in rows}
    names = names[: len(listed)]
    assert len(names) > 7 and {f"'{name}" for name in names} <= found
    assert not any(
        one.startswith(FORMULA_STARTS) for row in rows for one in row.values() if one != row["MRR"]
    )
    assert "123.45" in {row["MRR"] for row in rows}  # a number stays one
    data = b"".join(client.get(f"{LIST}export.xlsx").streaming_content)  # type: ignore[attr-defined]
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    kinds = {cell.value: cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row}
    assert {kinds.get(name) for name in names if name.isprintable()} == {"s"}  # text, not "f"
    assert "f" not in kinds.values() and kinds[123.45] == "n"


@override_settings(ROOT_URLCONF="cs_platform.urls.tenant")
def test_search_finds_words_pages_views_and_plays(
    world: World, rival: Tenant, carl: Membership, browser: SignIn
) -> None:
    tenant, today = world.tenant, world.today
    with tenant_scope(rival):
        Account.objects.create(external_id="logistics-9", name="Rival Logistics")
    with tenant_scope(tenant):
        SavedView.objects.create(list_key="accounts", name="My logistics", owner=carl, parameters={})

        def titles(text: str) -> dict[str, list[str]]:
            return {
                title: [hit.title for hit in hits] for title, hits in search(tenant, carl, text, today).groups
            }

        assert titles("logis") == {"Accounts": ["Almería Logistics"], "Saved views": ["My logistics"]}
        assert titles("ALMER") == {"Accounts": ["Almería Logistics"]}
        assert "Ana Ruiz" in titles("ruiz")["People"]
        assert titles("person1@acc-00003")["People"] == ["Tom Berg"]
        assert titles("acc-00004")["Accounts"] == [world.accounts[4].name]
        assert titles("renew")["Pages and actions"] == ["Renewals"]
        assert any("template" in title.lower() for title in titles("express")["Plays"])
        assert titles("x") == {}
        with CaptureQueriesContext(connection) as seen:
            search(tenant, carl, "logis", today)
        assert len(seen) == 6
    page = browser(carl).get("/t/acme/search/?q=logis")
    assert "Almería Logistics" in page.text and "Rival" not in page.text


def test_fields_are_declared_filled_in_and_kept(
    world: World, alice: Membership, carl: Membership, browser: SignIn
) -> None:
    account = world.accounts[0]
    with tenant_scope(world.tenant):
        set_custom(world.accounts, "industry", ["Retail", "Bank"])
        offered = undeclared_keys(world.tenant)
        assert [(one.key, one.accounts, one.kind, one.examples) for one in offered] == [
            ("industry", 2, "text", ["Bank", "Retail"])
        ]
    admin = browser(alice)
    assert "industry" in admin.get("/t/acme/fields/").text
    form = {
        "label_en": "Tier",
        "label_es": "Nivel",
        "key": "tier",
        "kind": "choice",
        "choices": "Gold\nSilver",
        "position": "1",
        "active": "on",
        "required": "on",
    }
    assert admin.post("/t/acme/fields/add/", {**form, "choices": ""}).status_code == 400
    assert admin.post("/t/acme/fields/add/", form).status_code == 302
    assert admin.post("/t/acme/fields/add/", form).status_code == 400  # the key is taken
    with tenant_scope(world.tenant):
        field = CustomField.objects.get()
    page = f"/t/acme/accounts/{account.pk}/fields/"
    client = browser(carl)
    assert client.post(page, {f"field-{field.pk}": ""}).status_code == 400  # it must be filled in
    assert client.post(page, {f"field-{field.pk}": "Gold"}).status_code == 302
    with tenant_scope(world.tenant):
        account.refresh_from_db()
        assert account.custom == {"industry": "Retail", "tier": "Gold"}
        entry = TimelineEntry.objects.get(kind="account_changed")
        assert (entry.title, entry.data) == ("Tier", {"before": {"tier": None}, "after": {"tier": "Gold"}})
        assert AuditEntry.objects.filter(action="account.fields_changed").count() == 1
    overview = client.get(f"/t/acme/accounts/{account.pk}/").text
    assert "Tier" in overview and "Gold" in overview and "1 more that nobody declared" in overview
    admin.post(f"/t/acme/fields/{field.pk}/delete/")
    with tenant_scope(world.tenant):
        assert Account.objects.get(pk=account.pk).custom["tier"] == "Gold"


def test_the_api_checks_declared_fields_by_path(world: World, rival: Tenant) -> None:
    with tenant_scope(world.tenant):
        CustomField.objects.create(**TIER, required=True)
        CustomField.objects.create(key="lead", kind="member", label_en="Lead")
        outcome = upsert_accounts(
            tenant=world.tenant,
            items=[
                {
                    "external_id": "a",
                    "custom": {"tier": "gold", "free": {"x": 1}, "lead": "carl@acme.example"},
                },
                {"external_id": "b", "custom": {"tier": "Bronze", "lead": "nobody@acme.example"}},
                {"external_id": "c", "custom": {"tier": None}},
            ],
        )
        assert [one.message for one in outcome.rejected] == [
            "custom.tier: must be one of Gold, Silver; custom.lead: must be the e-mail address of an active member",
            "custom.tier: must be filled in and cannot be cleared",
        ]
        stored = Account.objects.get(external_id="a").custom
        assert stored == {"tier": "Gold", "free": {"x": 1}, "lead": "carl@acme.example"}
    with tenant_scope(rival):  # another company's declarations are its own
        assert (
            upsert_accounts(tenant=rival, items=[{"external_id": "a", "custom": {"tier": "Bronze"}}]).created
            == 1
        )


def test_an_unknown_condition_is_left_out_and_said(world: World, carl: Membership, browser: SignIn) -> None:
    gone = json.dumps(
        {"j": "all", "g": [{"j": "all", "r": [["f.gone", "is", "x"], ["stage", "is", "active"]]}]}
    )
    page = browser(carl).get(LIST, {"where": gone})
    assert "1 condition of this list is no longer understood" in page.text
    assert [chip.text for chip in page.context["chips"]] == ["Stage is active"]
    assert AccountFilter(where=gone).read[1] == 1
