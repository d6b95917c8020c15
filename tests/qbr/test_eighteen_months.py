"""Eighteen months of nights on a tenant's own clock: which drafts come about, skips, month ends and late starts included."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from qbr.cadence import add_months
from qbr.models import Pack
from qbr.services import close_drafting, draft_due_packs, skip_pack

pytestmark = pytest.mark.django_db
FIRST = date(2026, 8, 31)
# New York's clock goes back on two of these days and forward on one: 02:30 is then there twice, or never.
CLOCK_CHANGES = {date(2026, 11, 1), date(2027, 3, 14), date(2027, 11, 7)}
STEP = 9  # days between nights that run; a draft is due for ten, so none may be lost


def nights(tenant: Tenant, account: Account, skip_on: date, member: Membership) -> None:
    """Run the night's part by the tenant's clock; the account's review of `skip_on` is skipped when its draft is there."""
    zone = ZoneInfo(tenant.timezone)
    days = {FIRST + timedelta(days=n) for n in range(0, 18 * 31, STEP)}
    days |= {day + timedelta(days=n) for day in CLOCK_CHANGES for n in (-1, 0, 1)}
    for day in sorted(day for day in days if day <= add_months(FIRST, 18)):
        with time_machine.travel(datetime.combine(day, time(2, 30), tzinfo=zone), tick=False):
            assert tenant.today() == day
            draft_due_packs(tenant=tenant, day=tenant.today())
            if day in CLOCK_CHANGES:  # the same night once more
                assert draft_due_packs(tenant=tenant, day=tenant.today()) == 0
            for pack in Pack.objects.filter(account=account, due_on=skip_on, state=Pack.State.DRAFT):
                skip_pack(tenant=tenant, pack_id=pack.pk, reason="They close their year", member=member)
            close_drafting(tenant=tenant, day=day)


def test_three_monthly_then_quarterly_drafts(shop: Tenant, acorn: Account, carl: Membership) -> None:
    assert shop.timezone == "America/New_York"
    skipped = date(2027, 2, 28)
    starts = {
        "a1": FIRST,  # the 31st: month ends
        "late": date(2023, 10, 15),  # in production for three years before anybody looked
        "later": date(2027, 1, 30),  # goes live meanwhile; a February follows
        "never": None,
    }
    with tenant_scope(shop):
        for name, go_live in starts.items():
            if name == "a1":
                Account.objects.filter(pk=acorn.pk).update(go_live_on=go_live)
            else:
                Account.objects.create(external_id=name, name=name, owner=carl, go_live_on=go_live)
        nights(shop, acorn, skipped, carl)
        found: dict[str, list[tuple[str, int | None, str]]] = {name: [] for name in starts}
        for pack in Pack.objects.select_related("account").order_by("due_on"):
            found[pack.account.external_id].append((pack.due_on.isoformat(), pack.number, pack.state))
    assert found["a1"] == [
        ("2026-09-30", 1, "draft"),
        ("2026-10-31", 2, "draft"),
        ("2026-11-30", 3, "draft"),
        ("2027-02-28", 4, "skipped"),
        ("2027-05-31", 5, "draft"),
        ("2027-08-31", 6, "draft"),
        ("2027-11-30", 7, "draft"),
        ("2028-02-29", 8, "draft"),
    ]
    # No backlog for who started long ago: every quarter from the next one on, on the 15th of its months.
    assert [(on, state) for on, _number, state in found["late"]] == [
        (f"{year}-{month:02d}-15", "draft")
        for year, month in ((2026, 10), (2027, 1), (2027, 4), (2027, 7), (2027, 10), (2028, 1))
    ]
    # The skip of one account is nobody else's, though the review falls on the same day.
    assert [(on, state) for on, _number, state in found["later"]] == [
        ("2027-02-28", "draft"),
        ("2027-03-30", "draft"),
        ("2027-04-30", "draft"),
        ("2027-07-30", "draft"),
        ("2027-10-30", "draft"),
        ("2028-01-30", "draft"),
    ]
    assert found["never"] == []
