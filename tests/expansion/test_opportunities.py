"""What people do with an opportunity: each deed once, with its rights, its rules, and its trace."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Subscription, TimelineEntry
from accounts.sealing import seal
from expansion.models import Holding, Opportunity, StageChange
from expansion.selectors import best_proposal, expansion_revenue, open_opportunities
from expansion.services import (
    ask_discount,
    bundle,
    decide_discount,
    edit_opportunity,
    lose_opportunity,
    move_opportunity,
    open_opportunity,
    reopen_opportunity,
    save_settings,
    win_opportunity,
    withdraw_discount,
)
from outreach.models import Endpoint, Event, Notification
from tests.expansion.conftest import Growth

READY: dict[str, Any] = {
    "case_text": "They use two of three products.",
    "roi_cents": 900_000,
    "proposed_on": date(2026, 1, 5),
    "pilot_goal": "Ten people in two weeks",
    "pilot_until": date(2026, 3, 1),
    "pilot_result": "reached",
}


def opened(growth: Growth, account: Account, **more: Any) -> Opportunity:
    wanted: dict[str, Any] = {
        "type": "cross_product",
        "what": "docs",
        "value_cents": 100_000,
        "member": growth.members["carl"],
    }
    return open_opportunity(tenant=growth.tenant, account_id=account.pk, **(wanted | more))


def ready(growth: Growth, account: Account, stage: str = "closing", **more: Any) -> Opportunity:
    """An opportunity that has everything, moved to a stage."""
    one = opened(growth, account, fields=READY, **more)
    for to in ("proposal", "closing"):
        if one.stage != stage:
            one = move_opportunity(tenant=growth.tenant, opportunity_id=one.pk, to=to)
    return one


def test_opened_by_hand_with_the_list_price_once(growth: Growth) -> None:
    account, carl = growth.account("buyer"), growth.members["carl"]
    with tenant_scope(growth.tenant):
        one = opened(growth, account, value_cents=None)
        assert (one.stage, one.value_cents, one.net_cents, one.probability_pct) == (
            "case",
            50_000,
            50_000,
            10,
        )
        assert (one.owner, one.opened_by, one.close_on) == (carl, "person", growth.today + timedelta(days=60))
        with pytest.raises(ValidationError, match="is open at this account already"):
            opened(growth, account)
        with pytest.raises(ValidationError, match="no offering of this type"):
            opened(growth, account, what="workshop")
        kinds = list(TimelineEntry.objects.values_list("kind", "title"))
        assert kinds == [("opportunity_opened", "Docs")]
        assert AuditEntry.objects.get(action="opportunity.opened").target == f"opportunity:{one.pk}"


def test_who_may_work_on_it(growth: Growth) -> None:
    account, other = growth.account("mine"), growth.account("hers", owner=growth.members["mona"])
    carl, vera = growth.members["carl"], growth.members["vera"]
    with tenant_scope(growth.tenant):
        one = opened(growth, account)
        for member, place in ((vera, account), (carl, other)):
            with pytest.raises(PermissionDenied):
                opened(growth, place, what="course", member=member)
        with pytest.raises(PermissionDenied):
            lose_opportunity(tenant=growth.tenant, opportunity_id=one.pk, reason="not_now", member=vera)
        hers = opened(growth, other, member=growth.members["mona"])
        edit_opportunity(tenant=growth.tenant, opportunity_id=hers.pk, fields={"owner_id": carl.pk})
        moved = edit_opportunity(
            tenant=growth.tenant, opportunity_id=hers.pk, fields={"note": "x"}, member=carl
        )  # its owner may, though the account is another's
        assert moved.note == "x"
        with pytest.raises(ValidationError, match="active member"):
            edit_opportunity(tenant=growth.tenant, opportunity_id=one.pk, fields={"owner_id": vera.pk})


def test_a_move_says_everything_that_is_missing(growth: Growth) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        one = opened(growth, account, value_cents=0)
        move = partial(move_opportunity, tenant=growth.tenant, opportunity_id=one.pk)
        with pytest.raises(ValidationError) as refused:
            move(to="proposal")
        words = " ".join(refused.value.messages)
        assert words.startswith("Not moved to “Proposal”. Say what it is worth")
        assert "internal case" in words
        assert "ROI a month" in words
        with pytest.raises(ValidationError, match="Win or lose it"):
            move(to="won")
        edit_opportunity(tenant=growth.tenant, opportunity_id=one.pk, fields={"value_cents": 500, **READY})
        StageChange.objects.update(on=growth.ago(9))
        Opportunity.objects.update(stage_since=growth.ago(9))
        assert move(to="proposal", note="sent").probability_pct == 30
        assert move(to="proposal").stage == "proposal"  # twice is once
        last = StageChange.objects.latest("id")
        assert (last.before, last.after, last.days, last.note) == ("case", "proposal", 9, "sent")
        assert StageChange.objects.count() == 2
        assert move(to="pilot").stage == "pilot"
        assert move(to="case").stage == "case"


def test_a_probability_of_its_own_stays_and_the_stages_follow_the_settings(growth: Growth) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        own = ready(growth, account, "case")
        other = ready(growth, account, "case", what="course")
        edit = partial(edit_opportunity, tenant=growth.tenant, opportunity_id=own.pk)
        edit(fields={"probability_pct": 44})
        save_settings(tenant=growth.tenant, fields={"case_pct": 15})
        assert [Opportunity.objects.get(pk=one.pk).probability_pct for one in (own, other)] == [44, 15]
        assert (
            move_opportunity(tenant=growth.tenant, opportunity_id=own.pk, to="proposal").probability_pct == 44
        )
        assert edit(fields={"probability_pct": None}).probability_pct == 30
        with pytest.raises(ValidationError, match="percentage from 0 to 100"):
            edit(fields={"probability_pct": 101})


def test_won_adds_a_subscription_beside_the_others(growth: Growth) -> None:
    account = growth.account("buyer", renewal_on=date(2027, 5, 1))
    with tenant_scope(growth.tenant):
        Subscription.objects.create(
            account=account, external_id="base", plan="Pro", mrr_cents=200_000, seats=10, currency="USD"
        )
        one = ready(growth, account)
        ask_discount(
            tenant=growth.tenant, opportunity_id=one.pk, pct=10, reason="x", member=growth.members["carl"]
        )
        won = win_opportunity(tenant=growth.tenant, opportunity_id=one.pk, member=growth.members["carl"])
        win_opportunity(tenant=growth.tenant, opportunity_id=one.pk)  # twice is once
        assert (won.stage, won.probability_pct, won.won_mrr_cents, won.mrr_before_cents) == (
            "won",
            100,
            90_000,
            200_000,
        )
        line = Subscription.objects.get(external_id=f"opportunity-{one.pk}")
        assert (line.plan, line.mrr_cents, line.renews_on, line.starts_on) == (
            "Docs", 90_000, date(2027, 5, 1), growth.today
        )  # fmt: skip
        account.refresh_from_db()
        assert (account.mrr_cents, account.seats, account.plan) == (290_000, 10, "Pro")
        holding = Holding.objects.get()
        assert (holding.offering.key, holding.source, holding.until_on) == ("docs", "won", None)
        month = growth.today.replace(day=1)
        revenue = expansion_revenue(growth.tenant, month, growth.today)
        assert [(amount.cents, amount.currency) for amount in revenue[month]] == [(90_000, "USD")]
        with pytest.raises(ValidationError, match="has changed the subscription"):
            reopen_opportunity(tenant=growth.tenant, opportunity_id=one.pk)


def test_won_where_no_subscription_is_known_and_what_is_paid_once(growth: Growth) -> None:
    account = growth.account("buyer", seats=5)
    with tenant_scope(growth.tenant):
        seats = ready(growth, account, type="seats", what="seats", value_cents=30_000)
        edit_opportunity(tenant=growth.tenant, opportunity_id=seats.pk, fields={"seats": 3})
        win_opportunity(tenant=growth.tenant, opportunity_id=seats.pk)
        account.refresh_from_db()
        assert (account.mrr_cents, account.seats) == (230_000, 8)
        once = ready(growth, account, type="services", what="workshop", value_cents=250_000)
        won = win_opportunity(tenant=growth.tenant, opportunity_id=once.pk)
        account.refresh_from_db()
        assert (won.recurring, won.won_mrr_cents, account.mrr_cents) == (False, 0, 230_000)
        assert not Subscription.objects.exists()
        assert not Holding.objects.exists()  # both can be sold again
        assert ready(growth, account, type="seats", what="seats").is_open


def test_lost_asks_why_and_can_be_undone(growth: Growth) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        one = ready(growth, account, "proposal")
        lose = partial(lose_opportunity, tenant=growth.tenant, opportunity_id=one.pk)
        for wrong in ("", "other"):
            with pytest.raises(ValidationError):
                lose(reason=wrong)
        lost = lose(reason="other", note="They merged.")
        assert (lost.stage, lost.lost_note, lost.closed_on, lost.probability_pct) == (
            "lost",
            "They merged.",
            growth.today,
            0,
        )
        lose(reason="other", note="They merged.")
        assert StageChange.objects.filter(after="lost").count() == 1
        with pytest.raises(ValidationError, match="is closed: Lost"):
            edit_opportunity(tenant=growth.tenant, opportunity_id=one.pk, fields={"note": "x"})
        again = reopen_opportunity(tenant=growth.tenant, opportunity_id=one.pk)
        assert (again.stage, again.lost_reason, again.closed_on, again.probability_pct) == (
            "proposal",
            "",
            None,
            30,
        )
        lose(reason="price")
        opened(growth, account)
        with pytest.raises(ValidationError, match="is open at this account already"):
            reopen_opportunity(tenant=growth.tenant, opportunity_id=one.pk)


def test_other_systems_are_told_once_of_each(growth: Growth) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        Endpoint.objects.create(url="https://hooks.example.com/", secret_sealed=seal("whsec_AAAA"))
        won = ready(growth, account)
        win_opportunity(tenant=growth.tenant, opportunity_id=won.pk)
        win_opportunity(tenant=growth.tenant, opportunity_id=won.pk)
        lost = opened(growth, account, what="course")
        lose_opportunity(tenant=growth.tenant, opportunity_id=lost.pk, reason="price")
        told = list(Event.objects.order_by("id").values_list("type", "data__id"))
        assert told == [
            ("opportunity.opened", won.pk),
            ("opportunity.won", won.pk),
            ("opportunity.opened", lost.pk),
            ("opportunity.lost", lost.pk),
        ]
        assert Event.objects.get(type="opportunity.won").data["won_mrr_cents"] == 100_000


@pytest.mark.parametrize(
    ("who", "pct", "state", "needs"),
    [
        ("carl", 10, "approved", "csm"),
        ("carl", 11, "pending", "manager"),
        ("carl", 21, "pending", "admin"),
        ("mona", 20, "approved", "manager"),
        ("mona", 21, "pending", "admin"),
        ("alice", 60, "approved", "admin"),
    ],
)
def test_a_discount_is_granted_within_the_limit_of_the_role(
    growth: Growth, who: str, pct: int, state: str, needs: str
) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        one = opened(growth, account)
        wish = ask_discount(
            tenant=growth.tenant,
            opportunity_id=one.pk,
            pct=pct,
            reason="Two years",
            member=growth.members[who],
        )
        assert (wish.state, wish.needs) == (state, needs)
        one.refresh_from_db()
        assert one.net_cents == (100_000 * (100 - pct) // 100 if state == "approved" else 100_000)
        told = set(Notification.objects.values_list("member__user__name", flat=True))
        deciders = {"manager": {"Mona"}, "admin": {"Alice"}}
        assert told == (deciders[needs] if state == "pending" else set())


def decisions(growth: Growth, wish_pk: int) -> Any:
    return partial(decide_discount, tenant=growth.tenant, discount_id=wish_pk)


def test_a_discount_is_decided_by_a_stronger_role_and_keeps_it_from_being_won(growth: Growth) -> None:
    account, members = growth.account("buyer"), growth.members
    with tenant_scope(growth.tenant):
        one = ready(growth, account)
        ask = partial(ask_discount, tenant=growth.tenant, opportunity_id=one.pk, member=members["carl"])
        with pytest.raises(ValidationError, match="Say why"):
            ask(pct=30, reason=" ")
        first = ask(pct=30, reason="Competitor")
        with pytest.raises(ValidationError, match="discount waits"):
            win_opportunity(tenant=growth.tenant, opportunity_id=one.pk)
        with pytest.raises(ValidationError, match="waits for approval"):
            edit_opportunity(tenant=growth.tenant, opportunity_id=one.pk, fields={"value_cents": 1})
        wish = ask(pct=15, reason="Competitor")  # a newer wish replaces the older
        first.refresh_from_db()
        assert first.state == "withdrawn"
        decide = decisions(growth, wish.pk)
        with pytest.raises(PermissionDenied):
            decide(approve=True, member=members["carl"])
        with pytest.raises(ValidationError, match="Say why it is refused"):
            decide(approve=False, member=members["mona"])
        assert decide(approve=True, member=members["mona"]).state == "approved"
        decide(approve=True, member=members["mona"])
        with pytest.raises(ValidationError, match="decided already"):
            decide(approve=False, reason="x", member=members["mona"])
        one.refresh_from_db()
        assert (one.discount_pct, one.net_cents) == (15, 85_000)
        high = ask(pct=40, reason="Board")
        with pytest.raises(PermissionDenied):
            decisions(growth, high.pk)(approve=True, member=members["mona"])
        refused = decisions(growth, high.pk)(approve=False, reason="Too much", member=members["alice"])
        assert refused.decision == "Too much"
        one.refresh_from_db()
        assert one.discount_pct == 15
        told = list(
            Notification.objects.filter(member=members["carl"]).order_by("id").values_list("title", flat=True)
        )
        assert told == ["Discount of 15% for Buyer: Approved", "Discount of 40% for Buyer: Refused"]
        ask(pct=50, reason="Last")
        assert withdraw_discount(tenant=growth.tenant, opportunity_id=one.pk) == 1
        actions = AuditEntry.objects.filter(action__startswith="opportunity.discount").count()
        assert actions == 6
        assert win_opportunity(tenant=growth.tenant, opportunity_id=one.pk).net_cents == 85_000


def test_an_api_key_has_no_limit_of_its_own(growth: Growth) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        one = opened(growth, account)
        wish = ask_discount(tenant=growth.tenant, opportunity_id=one.pk, pct=1, reason="CRM")
        assert (wish.state, wish.needs) == ("pending", "admin")


def test_the_bundle_needs_two_that_close_together(growth: Growth) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        one = ready(growth, account)
        give = partial(bundle, tenant=growth.tenant, opportunity_id=one.pk, on=True)
        with pytest.raises(ValidationError, match="two or more"):
            give()
        early = ready(growth, account, "case", what="course")
        with pytest.raises(ValidationError, match="belongs to closing"):
            bundle(tenant=growth.tenant, opportunity_id=early.pk, on=True)
        ready_too = ready(growth, account, what="marketing")
        assert (give().bundle_pct, give().net_cents) == (10, 90_000)
        ask_discount(
            tenant=growth.tenant, opportunity_id=one.pk, pct=10, reason="x", member=growth.members["carl"]
        )
        one.refresh_from_db()
        assert one.net_cents == 80_000
        back = move_opportunity(tenant=growth.tenant, opportunity_id=one.pk, to="proposal")
        assert (back.bundle_pct, back.net_cents) == (0, 90_000)
        win_opportunity(tenant=growth.tenant, opportunity_id=ready_too.pk)
        move_opportunity(tenant=growth.tenant, opportunity_id=one.pk, to="closing")
        assert give().bundle_pct == 10  # the other was won a moment ago


def test_the_concrete_proposal_of_an_account(growth: Growth) -> None:
    account, empty = growth.account("buyer"), growth.account("empty")
    with tenant_scope(growth.tenant):
        vague = opened(growth, account, what="", value_cents=900_000)
        assert best_proposal(growth.tenant, account) == vague
        small = ready(growth, account, "proposal", what="course", value_cents=1_000)
        large = ready(growth, account, "proposal", what="docs", value_cents=2_000)
        early = ready(growth, account, "case", what="marketing", value_cents=9_000)
        assert best_proposal(growth.tenant, account) == large
        assert best_proposal(growth.tenant, empty.pk) is None
        found = open_opportunities(growth.tenant, [account.pk, empty.pk])
        assert found == {account.pk: [large, small, vague, early]}


def test_the_member_is_named_in_the_audit_log(growth: Growth) -> None:
    account = growth.account("buyer")
    carl: Membership = growth.members["carl"]
    with tenant_scope(growth.tenant):
        one = opened(growth, account)
        edit_opportunity(
            tenant=growth.tenant, opportunity_id=one.pk, fields={"value_cents": 7, "note": "n"}, member=carl
        )
        edit_opportunity(tenant=growth.tenant, opportunity_id=one.pk, fields={"note": "n"}, member=carl)
        entry = AuditEntry.objects.get(action="opportunity.edited")
        assert (entry.actor_label, entry.before, entry.after) == (
            "Carl",
            {"value_cents": 100_000, "note": "", "net_cents": 100_000},
            {"value_cents": 7, "note": "n", "net_cents": 7},
        )
