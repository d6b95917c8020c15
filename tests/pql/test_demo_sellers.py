"""What the demo's sellers make of the leads of a past: the same every time, never before its day, and told in full."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, TimelineEntry
from cs_platform.demo.selling import DECIDED_AFTER_DAYS, TAKEN_AFTER_DAYS, sell_through
from pql.models import Lead, Standing
from tests.pql.conftest import Leads

MANY = 40
LATEST = DECIDED_AFTER_DAYS + 8  # the slowest decision


@pytest.fixture
def board(leads: Leads, seller: Membership) -> Leads:
    """Forty leads, opened by their own request for sales."""
    rows = []
    for n in range(MANY):
        account = leads.account(f"a{n:02d}")
        rows.append(
            {
                "account_id": account.external_id,
                "event": "Contact Sales",
                "user_id": f"u{n}",
                "occurred_at": f"{leads.today.isoformat()}T00:10:00Z",
                "received_at": f"{leads.today.isoformat()}T00:10:00Z",
                "event_id": str(n),
            }
        )
    leads.send(rows)
    leads.night()
    return leads


def sell(leads: Leads, seller: Membership, after: int) -> dict[str, int]:
    """A day of selling so many days after the leads were opened; the states that leads have then."""
    with tenant_scope(leads.tenant):
        sell_through(leads.tenant, leads.today + timedelta(days=after), [seller])
        states = list(Lead.objects.values_list("state", flat=True))
    return {state: states.count(state) for state in set(states)}


def test_nobody_is_called_before_the_time_and_most_are_taken(board: Leads, seller: Membership) -> None:
    assert sell(board, seller, TAKEN_AFTER_DAYS - 1) == {"new": MANY}
    found = sell(board, seller, TAKEN_AFTER_DAYS)
    assert found["accepted"] + found["new"] == MANY and found["accepted"] > found["new"] > 0
    assert sell(board, seller, TAKEN_AFTER_DAYS) == found  # twice the same day decides nothing more
    with tenant_scope(board.tenant):
        for lead in Lead.objects.filter(state="accepted"):
            assert lead.accepted_at is not None and lead.accepted_by_id == lead.owner_id == seller.pk
            assert lead.accepted_at.astimezone(board.tenant.tz).date() == board.today + timedelta(
                days=TAKEN_AFTER_DAYS
            )


def test_decisions_leave_account_standing_and_timeline_in_step(board: Leads, seller: Membership) -> None:
    sell(board, seller, TAKEN_AFTER_DAYS)
    found = sell(board, seller, LATEST)
    assert set(found) == {"new", "converted", "rejected"}
    with tenant_scope(board.tenant):
        for lead in Lead.objects.select_related("account"):
            standing = Standing.objects.get(account_id=lead.account_id)
            entries = set(
                TimelineEntry.objects.filter(account_id=lead.account_id).values_list("kind", flat=True)
            )
            if lead.state == "converted":
                assert lead.account.plan_kind == Account.PlanKind.CONTRACT
                assert (lead.plan_before, standing.converted_by) == ("trial", "lead")
                assert standing.converted_on == lead.closed_on == board.today + timedelta(days=LATEST)
                assert {"lead_opened", "lead_accepted", "lead_converted"} <= entries
            elif lead.state == "rejected":
                assert lead.account.plan_kind == Account.PlanKind.TRIAL and standing.converted_on is None
                assert lead.reject_reason in Lead.Reason.values and lead.closed_by_id == seller.pk
                assert {"lead_opened", "lead_accepted", "lead_rejected"} <= entries
            else:
                assert lead.closed_on is None and entries == {"lead_opened"}
