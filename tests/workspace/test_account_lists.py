"""The list of accounts: AND and OR over any column, any order page by page, groups, declared fields, saved views."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import (
    Account,
    AuditEntry,
    Membership,
    SavedView,
    Tenant,
    TimelineEntry,
    ViewMark,
)
from accounts.visibility import Visibility, seeing
from alerts.models import Alert
from scoring.overrides.services import set_sentiment
from usage.models import Metric
from usage.recent import refresh_recent
from workspace.lists.account_columns import account_book
from workspace.lists.conditions import OPERATORS, Condition, Group, Tree, write_tree
from workspace.paging import read_cursor
from workspace.selectors import account_filter, account_list
from workspace.selectors.account_filter import read_filter
from workspace.selectors.account_list import (
    account_page,
    all_ids,
    cursor_after,
    filter_options,
    page_ids,
    usable,
)

from .listing import LIST, tiers, where
from .world import World

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]


def names(tenant: Tenant, member: Membership | None = None, **said: str) -> list[str]:
    """The names on the list, in its order."""
    wanted = read_filter(said, account_book(tenant), member.pk if member else None)
    assert wanted.read[1] == 0, "a condition was not understood"
    return [row.name for row in account_page(tenant, wanted, today=tenant.today()).rows]


@pytest.fixture
def tiered(world: World) -> World:
    """Accounts with values in declared fields."""
    tiers(world)
    return world


def test_and_and_or_over_columns_of_every_kind(tiered: World, carl: Membership, mona: Membership) -> None:
    accounts, tenant = tiered.accounts, tiered.tenant
    first, second, third, fourth = (account.name for account in accounts[:4])
    with tenant_scope(tenant):
        Account.objects.filter(pk=accounts[5].pk).update(owner=mona)
        everything = {account.name for account in accounts}

        def found(*rows: tuple[str, str, str], join: str = "all", **more: str) -> set[str]:
            return set(names(tenant, carl, where=where(*rows, join=join), **more))

        assert found(("f.tier", "is", "gold")) == {first, third}
        assert found(("f.tier", "is_not", "Gold")) == everything - {first, third}
        assert found(("f.tier", "empty", "")) == everything - {first, second, third}
        assert found(("f.budget", "over", "1,000")) == {first}
        assert found(("f.budget", "between", "1000..5000")) == {first, second}
        assert found(("f.since", "before", "2026-02-01")) == {first}
        assert found(("f.it's %s odd", "at_least", "2")) == {first, third}
        assert found(("f.areas", "has", "A")) == {first}
        assert found(("f.areas", "has_not", "B")) == everything - {first, second}
        assert found(("f.vip", "yes", "")) == {first}
        assert found(("f.vip", "no", ""), ("f.tier", "is", "Gold"), join="any") == {first, second, third}
        assert found(("f.tier", "is", "Gold"), ("f.budget", "over", "0")) == {first}
        assert found(("owner", "is", "me")) == set(names(tenant, carl, owner=str(carl.pk)))
        assert found(("owner", "is", str(mona.pk))) == {accounts[5].name}
        assert found(("owner", "empty", "")) == set(names(tenant, carl, owner="none"))
        assert found(("name", "contains", "ALMER")) == {second}
        assert found(("name", "starts", "north")) == {first}
        assert found(("tags", "has", "reference")) == {accounts[0].name, accounts[7].name}
        assert (
            found(("segment", "is", "Enterprise, small business")) | found(("segment", "is", "Mid-market"))
            == everything
        )
        # Old parameters and conditions hold together.
        assert found(("f.tier", "is", "Gold"), q="north") == {first}
        nested = Tree(
            (
                Group((Condition("f.tier", "is", "Silver"), Condition("f.vip", "yes", "")), "any"),
                Group((Condition("f.budget", "over", "2000"),)),
            )
        )
        assert names(tenant, carl, where=write_tree(nested)) == [first]
        assert fourth in names(tenant, carl, where=where(("score", "at_most", "100")))


def test_facts_of_other_tables(world: World, carl: Membership) -> None:
    tenant, today = world.tenant, world.today
    with tenant_scope(tenant):
        target = world.accounts[4]
        set_sentiment(tenant=tenant, account_id=target.pk, value=2, note="")
        set_sentiment(tenant=tenant, account_id=target.pk, value=5, note="")
        assert names(tenant, where=where(("sentiment", "equals", "5"))) == [target.name]
        assert names(tenant, where=where(("sentiment", "equals", "2"))) == []
        Alert.objects.filter(account=world.accounts[2]).update(state="closed")
        quiet = set(names(tenant, where=where(("alerts", "equals", "0"))))
        assert quiet == {world.accounts[2].name, *(a.name for a in world.accounts[9:])}
        TimelineEntry.objects.filter(actor_id__isnull=False).delete()
        TimelineEntry.objects.create(account=target, kind="note", actor=carl, at=f"{today}T09:00Z", title="x")
        assert names(tenant, where=where(("touch", "in_last", "3"))) == [target.name]
        assert target.name not in names(tenant, where=where(("touch", "not_in_last", "3")))
        assert len(names(tenant, where=where(("touch", "not_in_last", "3")))) == len(world.accounts) - 1
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE scoring_current SET score_7 = 10 WHERE tenant_id = %s AND account_id = %s",
                [tenant.pk, target.pk],
            )
        assert target.name in names(tenant, where=where(("change_7", "over", "20")))
        assert names(tenant, sort="change_7", dir="desc")[0] == target.name
        # Also where nothing is joined: accounts without a sentiment, a touch or an alert.
        moved = ("change_7", "over", "20")
        assert names(tenant, where=where(moved, ("sentiment", "equals", "5"))) == [target.name]
        beside = where(moved, ("sentiment", "empty", ""), ("touch", "empty", ""), join="any")
        assert len(names(tenant, where=beside)) == len(world.accounts)
        assert target.name in names(tenant, where=where(moved, ("alerts", "at_least", "0")))


VALUES = {"number": ("0", "3", "40"), "band": ("healthy", "unknown, critical"), "moment": ("30",)}


def test_facts_are_sieved_as_they_are_joined(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison on every fact, also over accounts that lack it, alone and beside others with AND and OR."""
    tenant, today = world.tenant, world.today
    with tenant_scope(tenant):
        book = account_book(tenant)
        for account, value in ((world.accounts[1], 3), (world.accounts[2], 5)):
            set_sentiment(tenant=tenant, account_id=account.pk, value=value, note="")
        refresh_recent(tenant=tenant, day=today - timedelta(days=1))
        with connection.cursor() as cursor:
            for table, place in (("scoring_current", 3), ("usage_recent", 4)):
                cursor.execute(f"DELETE FROM {table} WHERE account_id = %s", [world.accounts[place].pk])
        rows: list[tuple[str, str, str]] = []
        for key in (
            "score",
            "change_30",
            "band",
            "coverage",
            "alerts",
            "sentiment",
            "nps",
            "touch",
            "m7.sends",
        ):
            column = book[key]
            for operator in OPERATORS[column.kind]:
                for given in VALUES[column.kind]:
                    said = f"2026-01-01..{today}" if column.kind == "moment" else f"{given}..50"
                    single = "2026-01-01" if operator in ("before", "after") else given
                    rows.append((key, operator, said if operator == "between" else single))
        trees = [where(row) for row in rows]
        beside = ("segment", "is", "Enterprise")
        for first, second in zip(rows, rows[7:], strict=False):
            trees += [where(first, second, beside, join=join) for join in ("all", "any")]
        sieved = [names(tenant, where=tree) for tree in trees]
        monkeypatch.setattr(account_filter, "is_everywhere", lambda wanted: False)
        monkeypatch.setattr(account_list, "is_everywhere", lambda wanted: False)
        for tree, found in zip(trees, sieved, strict=True):
            assert found == names(tenant, where=tree), tree
        assert 0 < len({tuple(found) for found in sieved if found}) < len(trees)


def test_what_a_list_is_sorted_by_may_be_what_it_is_found_by(world: World) -> None:
    tenant = world.tenant
    with tenant_scope(tenant):
        for sort in ("score", "alerts", "change_7", "renewal", "name"):
            for way in ("", "desc"):
                every = names(tenant, sort=sort, dir=way)
                some = set(names(tenant, where=where(("score", "over", "50"))))
                assert 0 < len(some) < len(every)
                kept = [name for name in every if name in some]
                assert names(tenant, where=where(("score", "over", "50")), sort=sort, dir=way) == kept


def test_metrics_of_the_last_days_come_from_last_night(world: World) -> None:
    tenant, today = world.tenant, world.today
    with tenant_scope(tenant):
        sends = Metric.objects.get(key="sends")
        hours = Metric.objects.get(key="oldest_open_ticket_hours")
        width = max(int(sends.slot or 0), int(hours.slot or 0))
        with connection.cursor() as cursor:
            for account, day, sent, age in (
                (world.accounts[0], 1, 5, 10),
                (world.accounts[0], 7, 5, 90),
                (world.accounts[0], 8, 100, 5),
                (world.accounts[1], 20, 3, 7),
            ):
                values: list[float | None] = [None] * width
                values[int(sends.slot or 0) - 1], values[int(hours.slot or 0) - 1] = sent, age
                cursor.execute(
                    'INSERT INTO usage_day (tenant_id, account_id, day, "values") VALUES (%s, %s, %s, %s)',
                    [tenant.pk, account.pk, today - timedelta(days=day), values],
                )
        everybody = len(world.accounts)
        assert refresh_recent(tenant=tenant, day=today - timedelta(days=1)) == everybody
        first, second = world.accounts[0].name, world.accounts[1].name
        assert names(tenant, where=where(("m7.sends", "equals", "10"))) == [first]
        assert names(tenant, where=where(("m28.sends", "equals", "110"))) == [first]
        # Zero is not missing, and the newest value of a state counts.
        assert len(names(tenant, where=where(("m7.sends", "equals", "0")))) == len(world.accounts) - 1
        assert names(tenant, where=where(("m28.oldest_open_ticket_hours", "equals", "10"))) == [first]
        assert names(tenant, where=where(("m28.oldest_open_ticket_hours", "equals", "7"))) == [second]
        assert refresh_recent(tenant=tenant, day=today - timedelta(days=5)) == 0  # only moves forward
        assert (
            refresh_recent(tenant=tenant, day=today + timedelta(days=10)) == everybody
        )  # second has dropped out
        assert names(tenant, where=where(("m28.oldest_open_ticket_hours", "filled", ""))) == [first]
        # One that came after the night has done nothing that is known, which is not nothing.
        late = Account.objects.create(tenant=tenant, external_id="late", name="Late")
        assert names(tenant, where=where(("m7.sends", "empty", ""))) == [late.name]
        assert late.name not in names(tenant, where=where(("m7.sends", "under", "1")))


def test_filters_offer_what_the_reader_may_see(world: World, carl: Membership) -> None:
    tenant = world.tenant
    with tenant_scope(tenant):
        Account.objects.filter(pk=world.accounts[0].pk).update(owner=None, segment="Nobody's")
        for unowned, offered in ((False, False), (True, True), (False, False)):
            with seeing(Visibility((carl.pk,), unowned=unowned)):
                assert ("Nobody's" in filter_options(tenant).segments) is offered


def test_any_order_is_walked_page_by_page_without_loss(tiered: World, carl: Membership) -> None:
    tenant, today = tiered.tenant, tiered.today
    with tenant_scope(tenant):
        book = account_book(tenant)
        orders = [key for key, column in book.columns.items() if column.sorts]
        assert {"f.tier", "f.since", "f.budget", "touch", "change_30", "segment", "seats"} <= set(orders)
        for sort in orders:
            for way in ("", "desc"):
                wanted = read_filter({"sort": sort, "dir": way}, book)
                assert wanted.sort == sort
                walked: list[int] = []
                after = None
                for _page in range(len(tiered.accounts)):
                    found = page_ids(tenant, wanted, today=today, after=after, limit=2)
                    walked += [pk for pk, _part, _value in found]
                    if len(found) < 2:
                        break
                    after = usable(read_cursor(cursor_after(found[-1]).encode()), wanted)
                    assert after is not None
                assert sorted(walked) == sorted(account.pk for account in tiered.accounts), (sort, way)


def test_groups_have_counts_money_and_mean_and_lead_to_their_accounts(
    world: World, carl: Membership, browser: SignIn
) -> None:
    client = browser(carl)
    with tenant_scope(world.tenant):
        rows = list(Account.objects.filter(segment="Enterprise"))
        Account.objects.filter(pk=rows[0].pk).update(currency="EUR")
    for key in ("owner", "segment", "stage", "band", "renewal_month"):
        response = client.get(f"{LIST}?group={key}")
        assert response.status_code == 200
        groups = response.context["found_groups"]
        assert sum(group.accounts for _word, group, _url in groups) == response.context["total"].accounts == 9
        for word, group, url in groups:
            inside = client.get(url).context["found"]
            assert inside.total == group.accounts, (key, word, url)
    enterprise = next(
        g for w, g, _u in client.get(f"{LIST}?group=segment").context["found_groups"] if w == "Enterprise"
    )
    assert set(enterprise.mrr) == {"EUR", "USD"}
    assert enterprise.mrr["EUR"] == rows[0].mrr_cents


def test_a_list_with_conditions_costs_the_same_whatever_it_finds(
    tiered: World, carl: Membership, browser: SignIn
) -> None:
    client = browser(carl)
    keys = "score,change_7,change_30,alerts,sentiment,nps,touch,f.tier,f.since,f.areas,f.vip,tags,band,external_id"
    counts = []
    for tree in (where(("f.tier", "is", "Gold")), where(("f.tier", "is", "Silver"))):
        address = {"where": tree, "columns": keys, "sort": "touch"}
        client.get(LIST, address)
        with CaptureQueriesContext(connection) as seen:
            response = client.get(LIST, address)
        assert response.status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 32
    assert "Tier is Silver" in response.text


def test_the_numbers_of_a_column_have_as_many_decimals(
    world: World, carl: Membership, browser: SignIn
) -> None:
    fell = {world.accounts[0].pk: 17, world.accounts[1].pk: 26.3}
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE scoring_current SET score_7 = score + %s WHERE tenant_id = %s AND account_id = %s",
            [[points, world.tenant.pk, pk] for pk, points in fell.items()],
        )
    page = browser(carl).get(LIST, {"columns": "change_7,alerts"}).text
    cells = re.findall(
        r'<td class="num">(\N{MINUS SIGN}?[\d.]+)</td><td class="num">(\d+)</td>', squeezed(page)
    )
    found = {moved for moved, _alerts in cells}
    assert {"\N{MINUS SIGN}17.0", "\N{MINUS SIGN}26.3"} <= found
    assert {len(moved.partition(".")[2]) for moved in found} == {1}


def squeezed(page: str) -> str:
    """Without what stands between two elements."""
    return re.sub(r">\s+<", "><", page)


def test_a_view_is_saved_opened_changed_and_deleted(
    world: World, carl: Membership, mona: Membership, vera: Membership, browser: SignIn
) -> None:
    client = browser(carl)
    address = f"segment=Enterprise&sort=mrr&dir=desc&columns=mrr,owner&where={where(('mrr', 'over', '1'))}"
    form = {"name": "Big ones", "shared": "private", "folder": "Mine", "favourite": "on", "default": "on"}
    made = client.post(f"/t/acme/views/save/?{address}", form)
    with tenant_scope(world.tenant):
        view = SavedView.objects.get()
    assert made["Location"] == f"/t/acme/accounts/?view={view.pk}"
    opened = client.get(LIST)  # it is the default
    assert opened.context["state"].current.view == view
    assert (
        opened.context["wanted"].parameters()
        == read_filter(dict(part.split("=", 1) for part in address.split("&"))).parameters()
    )
    assert "changed, not saved" not in opened.text
    assert client.get(f"{LIST}?view=all").context["state"].current is None
    assert (
        client.get(f"{LIST}?owner=none").context["state"].current is None
    )  # links of other pages are as they were
    turned = client.get(opened.context["heads"][0].link["url"])
    assert turned.context["state"].is_changed
    assert "changed, not saved" in turned.text
    counted = client.get(f"/t/acme/views/counts/?view={view.pk}")
    assert f">{account_count_of(world, view)}</span>" in counted.text
    # Nobody else sees it until it is shared, and then only its owner and managers change it.
    assert browser(vera).get(f"{LIST}?view={view.pk}").context["state"].current is None
    assert browser(vera).post(f"/t/acme/views/{view.pk}/mark/", {"what": "favourite"}).status_code == 404
    client.post(f"/t/acme/views/save/?view={view.pk}", {**form, "shared": "global", "over": str(view.pk)})
    with tenant_scope(world.tenant):
        assert SavedView.objects.get().shared == "global"
        assert AuditEntry.objects.filter(action="view.changed").count() == 1
    viewer = browser(vera)
    assert viewer.get(f"{LIST}?view={view.pk}").context["state"].current.view.pk == view.pk
    assert viewer.post(f"/t/acme/views/{view.pk}/mark/", {"what": "favourite"}).status_code == 302
    viewer.post(f"/t/acme/views/{view.pk}/delete/")
    assert "1 other member uses this view" in browser(mona).get(f"/t/acme/views/{view.pk}/delete/").text
    browser(mona).post(f"/t/acme/views/{view.pk}/delete/")
    with tenant_scope(world.tenant):
        assert (SavedView.objects.count(), ViewMark.objects.count()) == (0, 0)
    assert client.get(LIST).status_code == 200


def account_count_of(world: World, view: SavedView) -> int:
    with tenant_scope(world.tenant):
        wanted = read_filter(view.parameters, account_book(world.tenant))
        return len(all_ids(world.tenant, wanted, today=world.today))


def test_conditions_and_columns_are_built_by_form(tiered: World, carl: Membership, browser: SignIn) -> None:
    client = browser(carl)
    page = "/t/acme/accounts/conditions/?segment=Enterprise"
    assert client.get(page).status_code == 200
    typed = {
        "g0c0-column": "f.tier",
        "g0c0-operator": "is",
        "g0c0-value": ["Gold"],
        "g0-join": "any",
        "join": "all",
    }
    more = client.post(page, {**typed, "do": "add:0"})
    assert 'name="g0c1-column"' in more.text and "checked" in more.text
    wrong = client.post(
        page, {**typed, "g0c0-column": "mrr", "g0c0-operator": "over", "g0c0-value": "lots", "do": "apply"}
    )
    assert (
        wrong.status_code == 400
        and "MRR is compared with a number" in wrong.text
        and 'value="lots"' in wrong.text
    )
    done = client.post(page, {**typed, "do": "apply"})
    assert done.status_code == 302
    listed = client.get(done["Location"])
    assert listed.context["wanted"].segment == "Enterprise"
    assert [chip.text for chip in listed.context["chips"]] == ["Tier is Gold"]
    assert "Open alerts" in client.get("/t/acme/accounts/columns/").text
    chosen = client.post(
        "/t/acme/accounts/columns/", {"column": ["mrr", "f.tier"], "place-f.tier": "1", "place-mrr": "2"}
    )
    heads = client.get(chosen["Location"]).context["heads"]
    assert [head.label for head in heads] == ["Tier", "MRR"]
