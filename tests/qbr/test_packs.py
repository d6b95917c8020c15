"""Packs: drafted by the night, edited, frozen, opened again; every figure verifies until something late arrives."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant, Ticket
from playbooks.models import Task
from playbooks.services import complete_task
from qbr import content as parts
from qbr.cadence import add_months
from qbr.content import Kpis, PackContent, from_json
from qbr.figures import Verdict
from qbr.models import Figure, Pack, PackVersion
from qbr.registers.services import save_entry
from qbr.services import (
    PackFrozen,
    add_action,
    change_language,
    draft_due_packs,
    hold_pack,
    mark_ready,
    prepare_pack,
    preview_refresh,
    refresh_pack,
    reopen_pack,
    save_section,
    save_summary,
    send_pack,
    skip_pack,
    skip_review,
    verify_pack,
)
from tests.qbr.test_registers import pushed
from tests.usage.conftest import event, send


def used(tenant: Tenant, account: str, *, weeks: int = 8) -> None:
    """Two people send on two days of each of the last weeks, and some are answered; all received on its day."""
    today, items = tenant.today(), []
    for week in range(weeks, 0, -1):
        for day in (today - timedelta(days=7 * week - 1), today - timedelta(days=7 * week - 3)):
            at = datetime(day.year, day.month, day.day, 12, tzinfo=tenant.tz)
            for who in ("u1", "u2"):
                number = f"{account}-{day}-{who}"
                fields = {"account_id": account, "occurred_at": at.isoformat(), "user_id": f"{account}{who}"}
                items.append(event(0, event_id=f"s{number}", **fields))
                if week % 2:
                    items.append(event(0, event="Reply Received", event_id=f"r{number}", **fields))
    send(tenant, items, at=timezone.now() - timedelta(hours=1))


@pytest.fixture
def due(shop: Tenant, acorn: Account) -> Account:
    """Acorn, whose second review is in five days."""
    used(shop, "a1")
    with tenant_scope(shop):
        Account.objects.filter(pk=acorn.pk).update(
            go_live_on=add_months(shop.today() + timedelta(days=5), -2), custom={"language": "es"}
        )
        acorn.refresh_from_db()
    return acorn


def night(tenant: Tenant, day: date | None = None) -> int:
    with tenant_scope(tenant):
        return draft_due_packs(tenant=tenant, day=day or tenant.today())


def the_pack(tenant: Tenant) -> Pack:
    with tenant_scope(tenant):
        return Pack.objects.select_related("account").get()


def read(pack: Pack) -> PackContent:
    return from_json(pack.content)


def test_from_events_to_a_draft_whose_every_figure_verifies_until_one_comes_late(
    shop: Tenant, due: Account, carl: Membership
) -> None:
    assert night(shop) == 1 and night(shop) == 0
    pack = the_pack(shop)
    content = read(pack)
    assert (pack.state, pack.number, pack.language) == ("draft", 2, "es")
    assert [section.key for section in content.sections] == list(parts.SECTION_KEYS)
    empty = [s for s in content.sections if s.key != "summary" and s.is_empty]
    assert empty and all(s.empty_reason for s in empty)
    kpis = content.section("kpis").blocks[0]
    assert isinstance(kpis, Kpis)
    assert {"Envíos", "Reply rate", "Contactos activos"} <= {item.label for item in kpis.items}
    assert content.summary_md.startswith("- ")
    with tenant_scope(shop):
        figures = {figure.pk: figure for figure in Figure.objects.filter(pk__in=content.figure_ids)}
        assert set(figures) == set(content.figure_ids) == set(Figure.objects.values_list("pk", flat=True))
        assert all(v.holds for v in verify_pack(tenant=shop, pack=pack).values())

    day = shop.today() - timedelta(days=2)
    at = datetime(day.year, day.month, day.day, 9, tzinfo=shop.tz)
    late = event(1, event_id="late", account_id="a1", user_id="a1u1", occurred_at=at.isoformat())
    send(shop, [late], at=timezone.now())
    with tenant_scope(shop):
        verdicts = verify_pack(tenant=shop, pack=pack)

    def changed(verdict: Verdict) -> bool:
        return verdict.state == "changed" and verdict.reason == "late"

    names = {
        (figures[pk].query, figures[pk].parameters.get("metric"))
        for pk, verdict in verdicts.items()
        if changed(verdict)
    }
    # One more send on a new day: what counts sends or events has changed, and the rate whose base they are.
    expected = {
        (query, metric)
        for query in ("metric_total", "metric_change")
        for metric in ("sends", "all_events", "reply_rate")
    }
    recorded = {(f.query, f.parameters.get("metric")) for f in figures.values()}
    assert names - {("metric_by_week", "sends"), ("metric_by_week", "reply_rate")} == expected & recorded
    assert all(verdicts[pk].holds for pk in figures if not changed(verdicts[pk]))


def test_refreshing_shows_the_difference_and_keeps_own_words(
    shop: Tenant, due: Account, carl: Membership
) -> None:
    night(shop)
    pack = the_pack(shop)
    with tenant_scope(shop):
        save_summary(tenant=shop, pack_id=pack.pk, title="Mi título", summary="Mío", member=carl)
        save_section(tenant=shop, pack_id=pack.pk, key="risks", intro="Nota", hidden=True, member=carl)
        risk = {"title": "Se va el patrocinador", "severity": 3, "likelihood": 3}
        save_entry(tenant=shop, register="risk", account_id=due.pk, values=risk, member=carl)
        pack.refresh_from_db()
        (difference,) = preview_refresh(tenant=shop, pack=pack)
        assert (difference.label, difference.was) == ("Se va el patrocinador", "")
        before = Figure.objects.count()
        refreshed = refresh_pack(tenant=shop, pack_id=pack.pk, member=carl)
        assert preview_refresh(tenant=shop, pack=refreshed) == []
    content = read(refreshed)
    assert (content.title, content.summary_md) == ("Mi título", "Mío")
    section = content.section("risks")
    assert section.intro == "Nota" and section.hidden and len(section.blocks) == 1
    with tenant_scope(shop):
        assert Figure.objects.count() == 2 * before  # what was shown before can still be looked up
        english = read(change_language(tenant=shop, pack_id=pack.pk, language="en", member=carl))
    assert english.section("risks").title == "Risk register" and english.title != "Mi título"
    assert english.summary_md == "Mío"


def test_a_pack_is_frozen_when_it_is_sent_and_opened_again_with_a_reason(
    shop: Tenant, due: Account, carl: Membership, vera: Membership
) -> None:
    night(shop)
    pk = the_pack(shop).pk
    with tenant_scope(shop):
        with pytest.raises(PermissionDenied):
            mark_ready(tenant=shop, pack_id=pk, member=vera)
        mark_ready(tenant=shop, pack_id=pk, member=carl)
        sent = send_pack(tenant=shop, pack_id=pk, member=carl)
        again = send_pack(tenant=shop, pack_id=pk, member=carl)
        assert again.sent_at == sent.sent_at and PackVersion.objects.count() == 1
        refused: list[Any] = [
            lambda: save_summary(tenant=shop, pack_id=pk, title="X", summary="X", member=carl),
            lambda: save_section(tenant=shop, pack_id=pk, key="kpis", intro="X", hidden=False, member=carl),
            lambda: refresh_pack(tenant=shop, pack_id=pk, member=carl),
            lambda: change_language(tenant=shop, pack_id=pk, language="en", member=carl),
            lambda: mark_ready(tenant=shop, pack_id=pk, member=carl),
            lambda: skip_pack(tenant=shop, pack_id=pk, reason="X", member=carl),
        ]
        for attempt in refused:
            with pytest.raises(PackFrozen):
                attempt()
        with pytest.raises(ValidationError):
            reopen_pack(tenant=shop, pack_id=pk, reason=" ", member=carl)
        opened = reopen_pack(tenant=shop, pack_id=pk, reason="A number was wrong", member=carl)
        assert (opened.state, opened.version, opened.sent_at) == ("draft", 2, None)
        save_summary(tenant=shop, pack_id=pk, title="New", summary="New", member=carl)
        version = PackVersion.objects.get()
        assert version.reopen_reason == "A number was wrong" and version.content == sent.content
        send_pack(tenant=shop, pack_id=pk, member=carl)
        assert [v.number for v in PackVersion.objects.order_by("number")] == [1, 2]


def test_actions_become_tasks_and_open_the_next_pack(shop: Tenant, due: Account, carl: Membership) -> None:
    night(shop)
    pk, soon = the_pack(shop).pk, shop.today() + timedelta(days=7)
    with tenant_scope(shop):
        mine = add_action(tenant=shop, pack_id=pk, title="Train the team", due_on=soon, member=carl)
        hold_pack(tenant=shop, pack_id=pk, member=carl)
        theirs = add_action(
            tenant=shop, pack_id=pk, title="Send the list", due_on=soon, customer_owner="Ana", member=carl
        )
        assert mine.task is not None and mine.task.assignee_id == carl.pk
        assert theirs.task is not None and "Ana" in theirs.task.title and theirs.side == "customer"
        assert "Train the team" in str(Pack.objects.get(pk=pk).content)
        assert "Send the list" not in str(Pack.objects.get(pk=pk).content)  # it was frozen before
        complete_task(tenant=shop, task_id=mine.task.pk, member=carl)
        following = prepare_pack(
            tenant=shop, account_id=due.pk, due_on=shop.today() + timedelta(days=40), member=carl
        )
        section = read(following).section("actions")
        assert "1 de 2" in str(section.blocks[0])
        table = section.blocks[1]
        assert isinstance(table, parts.Table)
        assert sorted((row[0], row[3]) for row in table.rows) == [
            ("Send the list", "Abierta"),
            ("Train the team", "Hecha"),
        ]
        assert Task.objects.count() == 2


def test_skips_and_hand_made_packs_keep_the_cadence(shop: Tenant, due: Account, carl: Membership) -> None:
    on = shop.today() + timedelta(days=5)
    with tenant_scope(shop):
        with pytest.raises(ValidationError):
            skip_review(tenant=shop, account_id=due.pk, due_on=on, reason="", member=carl)
        skip_review(tenant=shop, account_id=due.pk, due_on=on, reason="On holiday", member=carl)
        with pytest.raises(ValidationError):
            prepare_pack(tenant=shop, account_id=due.pk, member=carl)
    assert night(shop) == 0
    assert pushed(shop, "qbr_scheduled") == {shop.today(): 1.0}
    with tenant_scope(shop):
        pack = Pack.objects.get()
        reopen_pack(tenant=shop, pack_id=pack.pk, reason="They are back", member=carl)
    assert night(shop) == 0
    assert pushed(shop, "qbr_scheduled") == {shop.today(): 0.0}


def test_who_gets_no_draft(shop: Tenant, due: Account) -> None:
    with tenant_scope(shop):
        others: list[dict[str, Any]] = [
            {"go_live_on": None},
            {"go_live_on": due.go_live_on, "churned_on": shop.today()},
            {"go_live_on": shop.today() + timedelta(days=3)},
        ]
        for number, fields in enumerate(others):
            Account.objects.create(tenant=shop, external_id=f"n{number}", name="N", **fields)
    assert night(shop) == 1
    with tenant_scope(shop):
        assert list(Pack.objects.values_list("account__external_id", flat=True)) == ["a1"]


def test_tickets_and_registers_fill_their_sections(shop: Tenant, due: Account, carl: Membership) -> None:
    now, today = timezone.now(), shop.today()
    with tenant_scope(shop):
        Ticket.objects.create(
            tenant=shop, account=due, external_id="T-1", title="Slow", opened_at=now - timedelta(days=3)
        )
        rows: list[tuple[str, dict[str, Any]]] = [
            ("roadmap", {"title": "Docs", "quarter_on": today}),
            ("highlight", {"title": "Record week", "kind": "highlight", "happened_on": today}),
            ("highlight", {"title": "Short hooks win", "kind": "learning", "happened_on": today}),
            ("highlight", {"title": "Their campaign", "kind": "example", "happened_on": today}),
        ]
        for register, values in rows:
            save_entry(tenant=shop, register=register, account_id=due.pk, values=values, member=carl)
    night(shop)
    content = read(the_pack(shop))
    found = {section.key: str(section.blocks) for section in content.sections}
    assert "T-1: Slow" in found["blockers"] and "Docs" in found["roadmap"]
    assert "Record week" in found["highlights"] and "Short hooks win" in found["experiments"]
    assert "Their campaign" in found["cases"]


def test_drafting_many_costs_as_many_statements_as_drafting_one(shop: Tenant, due: Account) -> None:
    def statements() -> int:
        with tenant_scope(shop):
            Pack.objects.all().delete()
            with CaptureQueriesContext(connection) as recording:
                draft_due_packs(tenant=shop, day=shop.today())
            return len(recording)

    one = statements()
    for number in range(2):
        used(shop, f"b{number}")
    with tenant_scope(shop):
        Account.objects.filter(external_id__startswith="b").update(
            go_live_on=due.go_live_on, owner=due.owner, custom={"language": "en"}
        )
    assert statements() == one
    with tenant_scope(shop):
        assert Pack.objects.count() == 3
