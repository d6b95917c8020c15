"""Registers: what is kept of each change, what may not be written, and the metric that follows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Tenant, TimelineEntry
from qbr.figures import record_figure, verify_figure
from qbr.models import RegisterChange, Risk, RoadmapItem, RoiEntry
from qbr.registers.months import month_of, next_month
from qbr.registers.services import push_running_roi, remove_entry, restore_entry, save_entry
from tests.usage.conftest import select


@pytest.fixture
def months(shop: Tenant) -> tuple[date, date, date]:
    """The month before last, the last one and the running one."""
    running = month_of(shop.today())
    last = month_of(running - timedelta(days=1))
    return month_of(last - timedelta(days=1)), last, running


def roi(**values: Any) -> dict[str, Any]:
    return {
        "title": "Deals from sequences",
        "kind": "revenue",
        "source": "CRM",
        "amount_cents": 30_001,
        "currency": "usd",
        **values,
    }


def pushed(tenant: Tenant, key: str = "roi_cents") -> dict[date, float | None]:
    rows = select(
        tenant,
        "SELECT p.day, p.value FROM usage_pushed_value p JOIN usage_metric m ON m.tenant_id = p.tenant_id "
        "AND m.id = p.metric_id WHERE p.tenant_id = %s AND m.key = %s",
        key,
    )
    return dict(rows)


def test_an_entry_feeds_the_metric_of_its_months_and_keeps_its_history(
    shop: Tenant, acorn: Account, carl: Membership, months: tuple[date, date, date]
) -> None:
    before, last, _running = months
    with tenant_scope(shop):
        entry = save_entry(
            tenant=shop,
            register="roi",
            account_id=acorn.pk,
            values=roi(first_month=before + timedelta(days=3), last_month=last + timedelta(days=9)),
            member=carl,
        )
        assert isinstance(entry, RoiEntry)
        assert (entry.currency, entry.first_month, entry.last_month) == ("USD", before, last)
    ends = [last - timedelta(days=1), next_month(last) - timedelta(days=1)]
    assert pushed(shop) == {ends[0]: 15_001.0, ends[1]: 15_000.0}
    with tenant_scope(shop):
        save_entry(
            tenant=shop,
            register="roi",
            account_id=acorn.pk,
            entry_id=entry.pk,
            values={"first_month": last},
            member=carl,
        )
    assert pushed(shop) == {ends[0]: None, ends[1]: 30_001.0}
    with tenant_scope(shop):
        remove_entry(tenant=shop, register="roi", entry_id=entry.pk, member=carl)
    assert pushed(shop) == {ends[0]: None, ends[1]: None}
    with tenant_scope(shop):
        restore_entry(tenant=shop, register="roi", entry_id=entry.pk, member=carl)
        changes = list(RegisterChange.objects.order_by("id"))
        assert [(c.before is None, c.after is None) for c in changes] == [
            (True, False),
            (False, False),
            (False, True),
            (True, False),
        ]
        assert (changes[1].before or {})["first_month"] == before.isoformat() and changes[1].by == carl
        assert TimelineEntry.objects.filter(kind="value_noted").count() == 4
        assert AuditEntry.objects.filter(action="register.roi").count() == 4
    assert pushed(shop)[ends[1]] == 30_001.0


def test_a_running_month_is_written_today_and_by_the_night(
    shop: Tenant, acorn: Account, months: tuple[date, date, date]
) -> None:
    running, today = months[2], shop.today()
    later = next_month(running)
    with tenant_scope(shop):
        values = roi(amount_cents=20_000, first_month=running, last_month=later)
        save_entry(tenant=shop, register="roi", account_id=acorn.pk, values=values)
    assert pushed(shop) == {today: 10_000.0}
    with tenant_scope(shop):
        assert push_running_roi(tenant=shop, day=today) == 0
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM usage_pushed_value WHERE tenant_id = %s", [shop.pk])
        assert push_running_roi(tenant=shop, day=today) == 1
        assert push_running_roi(tenant=shop, day=today) == 0
        assert push_running_roi(tenant=shop, day=next_month(later)) == 0


def test_a_figure_of_the_register_says_what_stood_in_it_then(
    shop: Tenant, acorn: Account, months: tuple[date, date, date]
) -> None:
    before, last, _running = months
    parameters = {"first": before.isoformat(), "last": last.isoformat(), "currency": "USD"}
    with tenant_scope(shop):
        values = roi(amount_cents=500_00, first_month=last, last_month=last)
        entry = save_entry(tenant=shop, register="roi", account_id=acorn.pk, values=values)
        figure = record_figure(
            tenant=shop, account=acorn, query="roi_total", parameters=parameters, as_of=timezone.now()
        )
        assert (figure.value, figure.currency, figure.rows) == (50_000.0, "USD", 1)
        assert verify_figure(tenant=shop, figure=figure).holds
        save_entry(
            tenant=shop,
            register="roi",
            account_id=acorn.pk,
            entry_id=entry.pk,
            values={"amount_cents": 600_00},
        )
        verdict = verify_figure(tenant=shop, figure=figure)
        assert (verdict.state, verdict.difference, verdict.reason) == ("changed", 10_000.0, "late")
        remove_entry(tenant=shop, register="roi", entry_id=entry.pk)
        verdict = verify_figure(tenant=shop, figure=figure)
        assert (verdict.state, verdict.now, verdict.reason) == ("changed", None, "late")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"amount_cents": 0}, "amount_cents"),
        ({"currency": "dollars"}, "currency"),
        ({"currency": "12$"}, "currency"),
        ({"title": " "}, "title"),
        ({"source": ""}, "source"),
        ({"last_month": date(2025, 12, 1)}, "last_month"),
        ({"last_month": date(2099, 12, 1)}, "last_month"),
        ({"first_month": None}, "first_month"),
        ({"kind": "luck"}, "kind"),
        ({"figure": 4711}, "figure"),
    ],
)
def test_what_is_wrong_is_named(shop: Tenant, acorn: Account, values: dict[str, Any], field: str) -> None:
    good = roi(first_month=date(2026, 1, 1), last_month=date(2026, 1, 1))
    with tenant_scope(shop):
        with pytest.raises(ValidationError) as refused:
            save_entry(tenant=shop, register="roi", account_id=acorn.pk, values=good | values)
        assert field in refused.value.message_dict
        assert not RoiEntry.objects.exists() and not RegisterChange.objects.exists()
        save_entry(tenant=shop, register="roi", account_id=acorn.pk, values=good)


def test_the_other_registers_and_whose_they_are(
    shop: Tenant, acorn: Account, carl: Membership, vera: Membership, rival: Tenant
) -> None:
    with tenant_scope(shop):
        risk = save_entry(
            tenant=shop,
            register="risk",
            account_id=acorn.pk,
            values={"title": "Champion leaves", "severity": 4, "likelihood": 2, "owner": carl.pk},
            member=carl,
        )
        assert isinstance(risk, Risk) and risk.weight == 8
        with pytest.raises(PermissionDenied):
            remove_entry(tenant=shop, register="risk", entry_id=risk.pk, member=vera)
        with pytest.raises(ValidationError):
            save_entry(
                tenant=shop, register="risk", account_id=acorn.pk, values={"title": "X", "owner": 4711}
            )
        item = save_entry(
            tenant=shop,
            register="roadmap",
            account_id=acorn.pk,
            values={"title": "Docs", "quarter_on": date(2026, 5, 20)},
        )
        assert isinstance(item, RoadmapItem) and item.quarter_on == date(2026, 4, 1)
        save_entry(
            tenant=shop,
            register="highlight",
            account_id=acorn.pk,
            values={"title": "Record week", "kind": "highlight", "happened_on": date(2026, 5, 20)},
        )
        assert RegisterChange.objects.count() == 3
    with tenant_scope(rival), pytest.raises(Account.DoesNotExist):
        save_entry(tenant=rival, register="risk", account_id=acorn.pk, values={"title": "X"})
