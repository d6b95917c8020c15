"""What people do with a lead: each deed once, with its rights, its words on the timeline and in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Role, TimelineEntry
from pql.models import Lead, Standing
from pql.services import accept_lead, convert_lead, hand_over_lead, reject_lead, reopen_lead
from tests.pql.conftest import Leads


@pytest.fixture
def lead(leads: Leads, seller: Membership) -> Lead:
    """A hand-raiser at an account of the seller's."""
    account = leads.account("asks", owner=seller)
    leads.events(account, "Contact Sales", 0)
    leads.night()
    with tenant_scope(leads.tenant):
        return Lead.objects.select_related("account").get()


def again(leads: Leads) -> Lead:
    return Lead.objects.select_related("account").get(tenant=leads.tenant)


def kinds() -> list[str]:
    return list(TimelineEntry.objects.order_by("id").values_list("kind", flat=True))


def test_accepting_takes_the_lead_and_stops_the_clock(leads: Leads, lead: Lead, boss: Membership) -> None:
    with tenant_scope(leads.tenant):
        accept_lead(tenant=leads.tenant, lead_id=lead.pk, member=boss)
        first = again(leads)
        accept_lead(tenant=leads.tenant, lead_id=lead.pk, member=boss)
        second = again(leads)
        assert (first.state, first.owner, first.accepted_by) == ("accepted", boss, boss)
        assert first.first_action_at == second.first_action_at is not None
        assert kinds() == ["lead_opened", "lead_accepted"]
        assert AuditEntry.objects.filter(action="lead.accepted").count() == 1


def test_handing_over_to_a_member_gives_them_the_right_to_work_on_it(
    leads: Leads, lead: Lead, seller: Membership
) -> None:
    other = leads.member("otto", Role.CSM)
    with tenant_scope(leads.tenant):
        with pytest.raises(PermissionDenied):
            accept_lead(tenant=leads.tenant, lead_id=lead.pk, member=other)
        hand = partial(hand_over_lead, tenant=leads.tenant, lead_id=lead.pk, member=seller)
        hand(to_member_id=other.pk, note="wants a quote")
        hand(to_member_id=other.pk, note="wants a quote")
        found = again(leads)
        assert (found.state, found.owner, found.handoff, found.handoff_note) == (
            "accepted",
            other,
            "member",
            "wants a quote",
        )
        assert kinds() == ["lead_opened", "lead_handed"]
        reject_lead(tenant=leads.tenant, lead_id=lead.pk, reason="too_small", member=other)


def test_handing_over_outside_names_who_has_it(leads: Leads, lead: Lead) -> None:
    with tenant_scope(leads.tenant):
        hand_over_lead(tenant=leads.tenant, lead_id=lead.pk, outside="Acme resellers", note="by mail")
        found = again(leads)
        assert (found.state, found.handoff, found.handoff_to) == ("accepted", "outside", "Acme resellers")
        assert TimelineEntry.objects.get(kind="lead_handed").data["text"] == "by mail"


def test_a_handover_needs_one_receiver_who_may_work(leads: Leads, lead: Lead, seller: Membership) -> None:
    viewer = leads.member("vera", Role.VIEWER)
    with tenant_scope(leads.tenant):
        for fields in (
            {},
            {"to_member_id": seller.pk, "outside": "x"},
            {"to_member_id": viewer.pk},
            {"outside": " "},
        ):
            with pytest.raises(ValidationError):
                hand_over_lead(tenant=leads.tenant, lead_id=lead.pk, **fields)
        assert again(leads).state == "new"


def test_converting_may_change_the_plan_and_undoing_gives_it_back(leads: Leads, lead: Lead) -> None:
    with tenant_scope(leads.tenant):
        convert_lead(tenant=leads.tenant, lead_id=lead.pk, note="500 seats", to_contract=True)
        convert_lead(tenant=leads.tenant, lead_id=lead.pk)
        assert Account.objects.get(external_id="asks").plan_kind == "contract"
        standing = Standing.objects.get()
        assert (standing.converted_by, standing.converted_on) == ("lead", leads.today)
        reopen_lead(tenant=leads.tenant, lead_id=lead.pk)
        assert Account.objects.get(external_id="asks").plan_kind == "trial"
        assert Standing.objects.get().converted_on is None
        assert again(leads).state == "new"
        assert kinds() == ["lead_opened", "lead_converted", "lead_reopened"]


def test_rejecting_needs_a_reason_and_something_else_needs_words(leads: Leads, lead: Lead) -> None:
    with tenant_scope(leads.tenant):
        reject = partial(reject_lead, tenant=leads.tenant, lead_id=lead.pk)
        with pytest.raises(ValidationError, match="Choose why"):
            reject(reason="because")
        with pytest.raises(ValidationError, match="Say in a few words"):
            reject(reason="other", note="  ")
        reject(reason="other", note="it is us")
        reject(reason="other", note="it is us")
        assert (again(leads).state, again(leads).close_note) == ("rejected", "it is us")
        assert kinds() == ["lead_opened", "lead_rejected"]
        with pytest.raises(ValidationError, match="closed"):
            reject(reason="too_small")


@pytest.mark.parametrize(
    "deed",
    [
        accept_lead,
        partial(convert_lead, to_contract=True),
        partial(reject_lead, reason="not_now"),
        partial(hand_over_lead, outside="x"),
    ],
)
def test_a_closed_lead_takes_no_deed(leads: Leads, lead: Lead, deed: Callable[..., Lead]) -> None:
    with tenant_scope(leads.tenant):
        Lead.objects.update(state="expired")
        with pytest.raises(ValidationError, match="closed"):
            deed(tenant=leads.tenant, lead_id=lead.pk)


def test_a_lead_is_not_opened_again_beside_another(leads: Leads, lead: Lead) -> None:
    with tenant_scope(leads.tenant):
        reject_lead(tenant=leads.tenant, lead_id=lead.pk, reason="not_now")
        now = lead.opened_at
        Lead.objects.create(account=lead.account, opened_on=leads.today, opened_at=now, due_at=now)
        with pytest.raises(ValidationError, match="another lead"):
            reopen_lead(tenant=leads.tenant, lead_id=lead.pk)


def test_a_viewer_and_another_csm_may_not_work_on_it(leads: Leads, lead: Lead, boss: Membership) -> None:
    for name, role in (("vera", Role.VIEWER), ("otto", Role.CSM)):
        member = leads.member(name, role)
        with tenant_scope(leads.tenant), pytest.raises(PermissionDenied):
            accept_lead(tenant=leads.tenant, lead_id=lead.pk, member=member)
    with tenant_scope(leads.tenant):
        assert accept_lead(tenant=leads.tenant, lead_id=lead.pk, member=boss).state == "accepted"
