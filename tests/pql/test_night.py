"""Who comes to the board, who stays off it and why, and what happens twice."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Subscription, TimelineEntry
from pql.models import Disqualifier, Lead, LeadSettings, Standing
from pql.services import (
    convert_lead,
    evaluate_leads,
    measure_signals,
    note_signals,
    reject_lead,
    save_settings,
)
from pql.services.standing import why_off
from scoring.models import CurrentScore
from tests.pql.conftest import Leads


def test_a_high_score_with_experienced_value_becomes_a_lead_once(leads: Leads) -> None:
    account = leads.account("busy")
    leads.busy(account, events=12)
    summary = leads.night()
    assert (summary.opened, leads.leads()) == (1, [("busy", "new")])
    again = leads.night()
    assert (again.opened, leads.leads()) == (0, [("busy", "new")])
    with tenant_scope(leads.tenant):
        lead = Lead.objects.get()
        entry = TimelineEntry.objects.get(kind="lead_opened")
    assert (lead.cause, lead.band, lead.opened_on) == ("score", 3, leads.today)
    assert lead.score is not None and lead.score > 70
    assert entry.account_id == account.pk and entry.data["lead"] == lead.pk
    assert leads.standing(account).status == Standing.Status.LEAD
    assert leads.standing(account).activated_on is not None


def test_a_low_score_stays_off_with_its_reason(leads: Leads) -> None:
    account = leads.account("quiet")
    leads.busy(account, days=4, users=1, features=1, events=1)
    leads.night()
    assert leads.leads() == []
    assert leads.standing(account).status == Standing.Status.BELOW


def test_experienced_value_is_what_the_tenant_says(leads: Leads) -> None:
    account = leads.account("busy")
    leads.busy(account, events=12)
    with tenant_scope(leads.tenant):
        save_settings(
            tenant=leads.tenant, fields={"activation_events": ["Report Shared"], "activation_days": 2}
        )
    leads.night()
    assert (leads.leads(), leads.standing(account).status) == ([], Standing.Status.NO_VALUE)
    leads.events(account, "report_shared", 3)
    leads.night()
    assert leads.leads() == []  # one day is not two
    leads.events(account, "report shared", 1)
    leads.night()
    assert leads.leads() == [("busy", "new")]
    assert leads.standing(account).activated_on == leads.ago(1)


def test_a_hand_raiser_comes_whatever_the_score(leads: Leads) -> None:
    account = leads.account("asks")
    leads.events(account, "Contact Sales", 0)
    leads.night()
    assert leads.leads() == [("asks", "new")]
    with tenant_scope(leads.tenant):
        lead = Lead.objects.get()
    assert lead.cause == Lead.Cause.HAND_RAISE
    assert lead.score is None or lead.score <= 70
    assert leads.standing(account).raised_on == leads.today


def test_an_old_request_for_sales_is_no_hand_raised_today(leads: Leads) -> None:
    leads.events(leads.account("asked"), "Contact Sales", 14)
    leads.night()
    assert leads.leads() == []
    leads.events(leads.account("recent"), "Contact Sales", 13)
    leads.night()
    assert leads.leads() == [("recent", "new")]


def test_disqualifiers_keep_off_and_say_why(leads: Leads) -> None:
    with tenant_scope(leads.tenant):
        Disqualifier.objects.filter(kind="domain").update(words=["@Rival.example "])
        Disqualifier.objects.create(kind="segment", name="Public sector", words=["public"], position=90)
        Disqualifier.objects.create(kind="stage", name="Lost", words=["lost"], position=91)
    rival, free, student, public, lost, fine = (
        leads.account("rival"),
        leads.account("free"),
        leads.account("student", tags=["vip", "Student"]),
        leads.account("public", segment="Public"),
        leads.account("lost", stage="lost"),
        leads.account("fine"),
    )
    leads.contact(rival, user_id="r1", email="ana@rival.example")
    leads.contact(free, user_id="f1", email="ana@gmail.com")
    leads.contact(free, user_id="f2", email="bob@Yahoo.com")
    leads.contact(fine, user_id="x1", email="ana@gmail.com")
    leads.contact(fine, user_id="x2", email="ana@fine.example")
    for account in (rival, free, student, public, lost, fine):
        leads.events(account, "Contact Sales", 0)
    leads.night()
    assert leads.leads() == [("fine", "new")]
    reasons = {
        account.external_id: (
            leads.standing(account).disqualifier.name,
            leads.standing(account).disqualified_why,
        )
        for account in (rival, free, student, public, lost)
    }
    assert reasons == {
        "rival": ("Competitor", "ana@rival.example"),
        "free": ("Only free e-mail addresses", "ana@gmail.com"),
        "student": ("Student or test account", "Student"),
        "public": ("Public sector", "Public"),
        "lost": ("Lost", "lost"),
    }
    assert why_off(leads.standing(rival)) == "Kept off the board: Competitor (ana@rival.example)"
    with tenant_scope(leads.tenant):
        Disqualifier.objects.filter(kind="tag").update(active=False)
    leads.night()
    assert ("student", "new") in leads.leads()


def test_a_contract_account_is_neither_scored_nor_a_lead(leads: Leads) -> None:
    for kind in ("contract", "self_serve", "trial", ""):
        account = leads.account(f"plan-{kind}", plan_kind=kind)
        leads.events(account, "Contact Sales", 0)
    leads.night()
    assert sorted(leads.leads()) == [("plan-self_serve", "new"), ("plan-trial", "new")]
    with tenant_scope(leads.tenant):
        scored = CurrentScore.objects.filter(kind=2).values_list("account__external_id", flat=True)
        assert sorted(scored) == ["plan-self_serve", "plan-trial"]


def test_a_rejected_lead_comes_back_after_the_cool_down_or_a_new_request(leads: Leads) -> None:
    account = leads.account("busy")
    leads.busy(account, events=12)
    leads.night()
    with tenant_scope(leads.tenant):
        lead = Lead.objects.get()
        reject_lead(tenant=leads.tenant, lead_id=lead.pk, reason="not_now")
    leads.night()
    assert leads.leads() == [("busy", "rejected")]
    assert leads.standing(account).status == Standing.Status.COOLING
    with tenant_scope(leads.tenant):
        Lead.objects.update(closed_on=leads.ago(59))
    leads.night()
    assert leads.leads() == [("busy", "rejected")]
    with tenant_scope(leads.tenant):
        Lead.objects.update(closed_on=leads.ago(60))
    leads.night()
    assert leads.leads() == [("busy", "rejected"), ("busy", "new")]


def test_a_new_request_for_sales_breaks_the_cool_down(leads: Leads) -> None:
    account = leads.account("asks")
    leads.events(account, "Contact Sales", 3)
    leads.night()
    with tenant_scope(leads.tenant):
        reject_lead(tenant=leads.tenant, lead_id=Lead.objects.get().pk, reason="no_budget")
        Lead.objects.update(closed_on=leads.ago(2))
    leads.night()
    assert leads.leads() == [("asks", "rejected")]
    leads.events(account, "Contact Sales", 1)
    leads.night()
    assert leads.leads() == [("asks", "rejected"), ("asks", "new")]


def test_a_new_lead_that_nobody_took_expires_and_an_accepted_one_does_not(leads: Leads) -> None:
    for name in ("taken", "left"):
        leads.events(leads.account(name), "Contact Sales", 0)
    leads.night()
    with tenant_scope(leads.tenant):
        Lead.objects.update(opened_on=leads.ago(30))
        Lead.objects.filter(account__external_id="taken").update(state="accepted")
        Standing.objects.update(raised_on=None)
    assert leads.night().expired == 1
    assert dict(leads.leads()) == {"taken": "accepted", "left": "expired"}


def test_moving_to_a_contract_or_a_first_payment_converts_the_lead(leads: Leads) -> None:
    contract, paying, paid = leads.account("contract"), leads.account("paying"), leads.account("paid", old=20)
    with tenant_scope(leads.tenant):
        Subscription.objects.create(account=paid, external_id="s0", mrr_cents=100, starts_on=leads.ago(20))
    for account in (contract, paying, paid):
        leads.events(account, "Contact Sales", 1)
    leads.night(1)
    with tenant_scope(leads.tenant):
        Account.objects.filter(pk=contract.pk).update(plan_kind="contract")
        Subscription.objects.create(account=paying, external_id="s1", mrr_cents=100, starts_on=leads.today)
    assert leads.night().converted == 2
    assert dict(leads.leads()) == {"contract": "converted", "paying": "converted", "paid": "new"}
    assert (leads.standing(contract).converted_by, leads.standing(contract).converted_on) == (
        "contract",
        leads.today,
    )
    assert (leads.standing(paying).paid_on, leads.standing(paying).converted_on) == (leads.today, None)
    assert (leads.standing(paid).paid_on, leads.standing(paid).converted_on) == (None, None)


def test_an_account_that_pays_by_itself_may_be_a_lead_for_a_contract_later(leads: Leads) -> None:
    account = leads.account("paying")
    with tenant_scope(leads.tenant):
        Subscription.objects.create(account=account, external_id="s", mrr_cents=100, starts_on=leads.ago(9))
    leads.events(account, "Contact Sales", 1)
    leads.night(1)
    assert leads.leads() == [("paying", "new")]
    assert leads.night().converted == 0
    with tenant_scope(leads.tenant):
        Account.objects.filter(pk=account.pk).update(plan_kind="contract")
    assert leads.night().converted == 1
    with tenant_scope(leads.tenant):
        Account.objects.filter(pk=account.pk).update(plan_kind="self_serve")
    leads.night()
    assert leads.standing(account).status == Standing.Status.BELOW  # back, and judged again


def test_a_second_contract_closes_the_lead_but_is_no_second_conversion(leads: Leads) -> None:
    account = leads.account("returns")
    leads.events(account, "Contact Sales", 3)
    leads.night(3)
    with tenant_scope(leads.tenant):
        Account.objects.filter(pk=account.pk).update(plan_kind="contract")
    assert leads.night(2).converted == 1
    with tenant_scope(leads.tenant):
        Account.objects.filter(pk=account.pk).update(plan_kind="self_serve")
    leads.events(account, "Contact Sales", 1)
    assert leads.night(1).opened == 1
    with tenant_scope(leads.tenant):
        Account.objects.filter(pk=account.pk).update(plan_kind="contract")
    assert leads.night().converted == 1
    assert leads.leads() == [("returns", "converted"), ("returns", "converted")]
    standing = leads.standing(account)
    assert (standing.converted_on, standing.status) == (leads.ago(2), Standing.Status.CONVERTED)


def test_another_workspace_of_a_customer_converts_by_itself(leads: Leads) -> None:
    customer = leads.account("customer", plan_kind="contract")
    workspace = leads.account("workspace", parent=customer)
    leads.events(workspace, "Contact Sales", 1)
    leads.night(1)
    with tenant_scope(leads.tenant):
        Account.objects.filter(pk=workspace.pk).update(plan_kind="contract")
    assert leads.night().converted == 1
    assert leads.standing(workspace).converted_on == leads.today


def test_a_first_payment_that_becomes_known_late_is_put_right(leads: Leads) -> None:
    account = leads.account("paying")
    leads.night(2)
    with tenant_scope(leads.tenant):
        Subscription.objects.create(account=account, external_id="b", mrr_cents=100, starts_on=leads.ago(2))
    leads.night(1)
    assert leads.standing(account).paid_on == leads.ago(2)
    with tenant_scope(leads.tenant):
        Subscription.objects.create(account=account, external_id="a", mrr_cents=100, starts_on=leads.ago(90))
    leads.night()
    assert leads.standing(account).paid_on == leads.ago(90)
    with tenant_scope(leads.tenant):
        Subscription.objects.create(account=account, external_id="0", mrr_cents=1, starts_on=leads.ago(300))
    leads.night()
    assert leads.standing(account).paid_on is None  # it paid from its first day on


def test_the_board_never_goes_back(leads: Leads) -> None:
    account = leads.account("asks")
    leads.events(account, "Contact Sales", 0)
    leads.night()
    before = leads.leads()
    assert leads.night(3).skipped
    assert leads.leads() == before
    with tenant_scope(leads.tenant):
        assert LeadSettings.objects.get().evaluated_on == leads.today


def test_a_churned_account_leaves_the_board(leads: Leads) -> None:
    account = leads.account("gone")
    leads.events(account, "Contact Sales", 1)
    leads.night(1)
    with tenant_scope(leads.tenant):
        Account.objects.filter(pk=account.pk).update(churned_on=leads.today)
    leads.night()
    assert leads.leads() == [("gone", "expired")]
    assert leads.standing(account).status == Standing.Status.DISQUALIFIED


def test_the_night_costs_the_same_for_one_account_and_for_three(leads: Leads) -> None:
    def cost() -> int:
        with tenant_scope(leads.tenant), CaptureQueriesContext(connection) as seen:
            measure_signals(tenant=leads.tenant, day=leads.today)
            evaluate_leads(tenant=leads.tenant, day=leads.today)
        return len(seen)

    leads.events(leads.account("one"), "Contact Sales", 0)
    leads.night()
    with tenant_scope(leads.tenant):
        Lead.objects.all().delete()
    first = cost()
    for name in ("two", "three"):
        leads.events(leads.account(name), "Contact Sales", 0)
    leads.night()
    with tenant_scope(leads.tenant):
        Lead.objects.all().delete()
    assert cost() == first


def test_an_empty_tenant_has_a_quiet_night(leads: Leads) -> None:
    assert leads.night().opened == 0


def test_band_edges_decide_who_is_a_lead(leads: Leads) -> None:
    exact, above = leads.account("exact"), leads.account("above")
    for account in (exact, above):
        leads.busy(account, days=4, users=1, features=1, events=1)
    leads.night()
    with tenant_scope(leads.tenant), connection.cursor() as cursor:
        for account, score, band in ((exact, 70.0, 2), (above, 70.000001, 3)):
            cursor.execute(
                "UPDATE scoring_score SET score = %s, band = %s WHERE tenant_id = %s AND account_id = %s AND kind = 2",
                [score, band, leads.tenant.pk, account.pk],
            )
        evaluate_leads(tenant=leads.tenant, day=leads.today)
    assert leads.leads() == [("above", "new")]


def test_a_conversion_by_hand_stays_when_the_night_runs(leads: Leads) -> None:
    account = leads.account("asks")
    leads.events(account, "Contact Sales", 0)
    leads.night()
    with tenant_scope(leads.tenant):
        convert_lead(tenant=leads.tenant, lead_id=Lead.objects.get().pk, to_contract=True)
    assert leads.night().opened == 0
    assert leads.standing(account).status == Standing.Status.CONVERTED


def test_the_first_action_is_due_within_working_hours(leads: Leads) -> None:
    leads.events(leads.account("asks"), "Contact Sales", 1)
    leads.night(1)
    with tenant_scope(leads.tenant):
        lead = Lead.objects.get()
    day = leads.today
    while day.weekday() >= 5:
        day += timedelta(days=1)
    # opened at midnight: eight hours of a day that begins at nine
    assert lead.due_at == datetime(day.year, day.month, day.day, 17, tzinfo=leads.tenant.tz)


def test_a_hand_raised_later_counts_for_no_earlier_night(leads: Leads) -> None:
    account = leads.account("asks")
    leads.events(account, "Contact Sales", 2, 0)
    with tenant_scope(leads.tenant):
        note_signals(tenant=leads.tenant, day=leads.today)
        note_signals(tenant=leads.tenant, day=leads.ago(5))
    assert leads.standing(account).raised_on is None
    leads.night(2)
    assert leads.standing(account).raised_on == leads.ago(2)
    with tenant_scope(leads.tenant):
        reject_lead(tenant=leads.tenant, lead_id=Lead.objects.get().pk, reason="not_now")
        Lead.objects.update(closed_on=leads.ago(1))
    assert leads.night(1).opened == 0
    assert leads.night().opened == 1
