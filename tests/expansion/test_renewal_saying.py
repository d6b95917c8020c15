"""What people say of renewals: forecast under its cap, the plan that cannot be left out, calls, the end; and the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Tenant
from expansion.models import Renewal, RenewalChange, RenewalCheckpoint
from expansion.renewals.selectors import (
    Wanted,
    by_owner,
    calendar,
    renewal_detail,
    renewal_of,
    renewals_of,
    renewals_of_account,
    totals,
)
from expansion.renewals.services import (
    PlanStep,
    close_renewal,
    give_reason,
    make_plan,
    note_call,
    save_settings,
    set_forecast,
    settings_of,
)
from playbooks.models import Task

SOON = date(2099, 1, 1)


@pytest.fixture
def inside(acme: Tenant) -> Iterator[Tenant]:
    """Acme's scope."""
    with tenant_scope(acme):
        yield acme


def make(tenant: Tenant, name: str = "one", owner: Membership | None = None, **fields: Any) -> Renewal:
    """A renewal of an account that pays 100 a month."""
    account = Account.objects.create(tenant=tenant, external_id=name, name=name.title(), owner=owner)
    values: dict[str, Any] = {
        "due_on": tenant.today() + timedelta(days=100),
        "term_months": 12,
        "currency": "EUR",
        "mrr_cents": 100_00,
        "target_cents": 1200_00,
        "forecast_cents": 1200_00,
        "category": "commit",
        "computed_category": "commit",
        "opened_on": tenant.today(),
    }
    return Renewal.objects.create(tenant=tenant, account=account, **values | fields)


def said(error: pytest.ExceptionInfo[ValidationError]) -> dict[str, str]:
    return {name: str(one.code) for name, found in error.value.error_dict.items() for one in found}


def kinds(renewal: Renewal) -> list[str]:
    return list(RenewalChange.objects.filter(renewal=renewal).order_by("id").values_list("kind", flat=True))


def test_a_forecast_is_at_most_the_target_and_can_be_taken_back(inside: Tenant, carl: Membership) -> None:
    renewal = make(inside, owner=carl)
    found = set_forecast(tenant=inside, renewal_id=renewal.pk, forecast_cents=900_00, member=carl)
    assert (found.forecast_cents, found.said_cents, kinds(renewal)) == (900_00, 900_00, ["forecast"])
    with pytest.raises(ValidationError) as error:
        set_forecast(tenant=inside, renewal_id=renewal.pk, forecast_cents=1200_01, member=carl)
    assert said(error) == {"forecast_cents": "above_target"}
    with pytest.raises(ValidationError):
        set_forecast(tenant=inside, renewal_id=renewal.pk, forecast_cents=-1, member=carl)
    assert set_forecast(tenant=inside, renewal_id=renewal.pk, forecast_cents=None).forecast_cents == 1200_00
    by_hand = set_forecast(tenant=inside, renewal_id=renewal.pk, category="best_case", note="They said so.")
    assert (by_hand.category, by_hand.category_by_hand) == ("best_case", True)
    again = set_forecast(tenant=inside, renewal_id=renewal.pk, category=None)
    assert (again.category, again.category_by_hand) == ("commit", False)
    assert AuditEntry.objects.filter(action="renewal.forecast").count() == 4
    assert RenewalChange.objects.get(renewal=renewal, note="They said so.").kind == "category"


def test_the_database_refuses_a_forecast_above_the_target_too(inside: Tenant) -> None:
    renewal = make(inside)
    with pytest.raises(IntegrityError), transaction.atomic():
        Renewal.objects.filter(pk=renewal.pk).update(forecast_cents=1200_01)


@pytest.mark.parametrize(
    ("fields", "category"),
    [
        ({"at_risk": True, "risks": ["critical"]}, "commit"),
        ({"at_risk": True, "risks": ["severe"]}, "best_case"),
        ({}, "at_risk"),
        ({}, "lost"),
    ],
)
def test_at_risk_nothing_is_forecast_without_a_plan(
    inside: Tenant, carl: Membership, fields: dict[str, Any], category: str
) -> None:
    renewal = make(inside, owner=carl, **fields)
    with pytest.raises(ValidationError) as error:
        set_forecast(tenant=inside, renewal_id=renewal.pk, category=category, member=carl)
    assert said(error) == {"category": "plan"}
    renewal.refresh_from_db()
    assert renewal.category == "commit"
    make_plan(
        tenant=inside,
        renewal_id=renewal.pk,
        summary="The champion left.",
        steps=[PlanStep("Call", carl.pk, SOON)],
        member=carl,
    )
    assert (
        set_forecast(tenant=inside, renewal_id=renewal.pk, category=category, member=carl).category
        == category
    )


def test_a_renewal_that_is_given_up_is_worth_nothing_and_at_risk(inside: Tenant, carl: Membership) -> None:
    renewal = make(inside, owner=carl, has_plan=True)
    found = set_forecast(tenant=inside, renewal_id=renewal.pk, category="lost", member=carl)
    assert (found.forecast_cents, found.at_risk, found.risks) == (0, True, ["category"])
    back = set_forecast(tenant=inside, renewal_id=renewal.pk, category="commit", member=carl)
    assert (back.forecast_cents, back.at_risk, back.risks) == (1200_00, False, [])


def test_a_plan_is_tasks_with_an_owner_and_a_date(inside: Tenant, carl: Membership, vera: Membership) -> None:
    renewal = make(inside, owner=carl, at_risk=True, risks=["critical"])
    steps = [PlanStep("Call", carl.pk, SOON), PlanStep("Write", carl.pk, SOON)]
    make_plan(tenant=inside, renewal_id=renewal.pk, summary="Why.", steps=steps, member=carl)
    assert sorted(Task.objects.values_list("title", "assignee_id", "due_on", "priority")) == [
        ("Call", carl.pk, SOON, 1),
        ("Write", carl.pk, SOON, 1),
    ]
    renewal.refresh_from_db()
    assert (renewal.has_plan, renewal.plan_missing, kinds(renewal)) == (True, False, ["plan"])
    make_plan(tenant=inside, renewal_id=renewal.pk, steps=[PlanStep("More", carl.pk, SOON)], member=carl)
    detail = renewal_detail(inside, renewal.pk)
    assert detail is not None
    assert (len(detail.steps), detail.steps_done) == (3, 0)


@pytest.mark.parametrize(
    ("summary", "step", "fields"),
    [
        ("", ("Call", True, SOON), {"summary"}),
        ("Why.", None, {"steps"}),
        ("Why.", ("", True, SOON), {"title-0"}),
        ("Why.", ("Call", False, SOON), {"owner-0"}),
        ("Why.", ("Call", True, None), {"due-0"}),
        ("Why.", ("Call", True, date(2020, 1, 1)), {"due-0"}),
        ("", ("", False, None), {"summary", "title-0", "owner-0", "due-0"}),
    ],
)
def test_half_a_plan_is_none(
    inside: Tenant,
    carl: Membership,
    summary: str,
    step: tuple[str, bool, date | None] | None,
    fields: set[str],
) -> None:
    renewal = make(inside, owner=carl, at_risk=True, risks=["critical"])
    steps = [] if step is None else [PlanStep(step[0], carl.pk if step[1] else None, step[2])]
    with pytest.raises(ValidationError) as error:
        make_plan(tenant=inside, renewal_id=renewal.pk, summary=summary, steps=steps, member=carl)
    assert set(error.value.error_dict) == fields
    renewal.refresh_from_db()
    assert not renewal.has_plan
    assert Task.objects.count() == 0


def test_who_may_not_do_tasks_cannot_own_a_step(inside: Tenant, carl: Membership, vera: Membership) -> None:
    renewal = make(inside, owner=carl)
    with pytest.raises(ValidationError) as error:
        make_plan(
            tenant=inside,
            renewal_id=renewal.pk,
            summary="Why.",
            steps=[PlanStep("Call", vera.pk, SOON)],
            member=carl,
        )
    assert set(error.value.error_dict) == {"owner-0"}


def test_a_call_at_a_checkpoint_keeps_person_and_numbers_beside_each_other(
    inside: Tenant, carl: Membership
) -> None:
    renewal = make(inside, owner=carl, computed_category="best_case", category="best_case")
    checkpoint = RenewalCheckpoint.objects.create(
        renewal=renewal, months=6, on=inside.today(), way="call", computed_category="commit"
    )
    with pytest.raises(ValidationError) as error:
        note_call(
            tenant=inside, renewal_id=renewal.pk, note="Good.", checkpoint_id=checkpoint.pk, member=carl
        )
    assert said(error) == {"category": "required"}
    note_call(
        tenant=inside,
        renewal_id=renewal.pk,
        note="They are happy.",
        checkpoint_id=checkpoint.pk,
        category="commit",
        member=carl,
    )
    checkpoint.refresh_from_db()
    assert (checkpoint.called_category, checkpoint.computed_category, checkpoint.disagrees) == (
        "commit",
        "best_case",
        True,
    )
    assert [one.pk for one in renewals_of(inside, Wanted(disagrees=True))] == [renewal.pk]
    (line,) = by_owner(inside, settings_of(inside), renewals_of(inside))
    assert (line.owner_id, line.disagreements) == (carl.pk, 1)
    note_call(tenant=inside, renewal_id=renewal.pk, note="Again.", member=carl)
    assert kinds(renewal) == ["call", "call"]
    with pytest.raises(ValidationError):
        note_call(tenant=inside, renewal_id=renewal.pk, note="  ", member=carl)


def test_closed_by_hand_with_less_it_says_why(inside: Tenant, carl: Membership) -> None:
    renewal = make(inside, owner=carl)
    with pytest.raises(ValidationError) as error:
        close_renewal(tenant=inside, renewal_id=renewal.pk, final_cents=1000_00, member=carl)
    assert said(error) == {"reason": "required"}
    with pytest.raises(ValidationError) as error:
        close_renewal(tenant=inside, renewal_id=renewal.pk, final_cents=0, reason="other", member=carl)
    assert said(error) == {"reason_note": "required"}
    found = close_renewal(
        tenant=inside, renewal_id=renewal.pk, final_cents=1000_00, reason="fewer_seats", member=carl
    )
    assert (found.state, found.outcome, found.final_cents, found.closed_by) == (
        "renewed",
        "less",
        1000_00,
        carl,
    )
    with pytest.raises(ValidationError) as error:
        set_forecast(tenant=inside, renewal_id=renewal.pk, category="commit")
    assert said(error) == {"category": "closed"}
    with pytest.raises(ValidationError) as error:
        close_renewal(tenant=inside, renewal_id=renewal.pk, final_cents=0, reason="price")
    assert said(error) == {"final": "closed"}


def test_what_closed_by_itself_is_given_its_reason_later(inside: Tenant, carl: Membership) -> None:
    lost = make(inside, owner=carl, state="lost", final_cents=0, closed_on=inside.today())
    assert [one.pk for one in renewals_of(inside, Wanted(reason_missing=True))] == [lost.pk]
    give_reason(tenant=inside, renewal_id=lost.pk, reason="price", member=carl)
    assert list(renewals_of(inside, Wanted(reason_missing=True))) == []
    kept = make(inside, "kept", owner=carl, state="renewed", outcome="flat", final_cents=1200_00)
    with pytest.raises(ValidationError):
        give_reason(tenant=inside, renewal_id=kept.pk, reason="price", member=carl)


def test_a_csm_works_on_own_accounts_only(
    inside: Tenant, acme: Tenant, carl: Membership, mona: Membership
) -> None:
    renewal = make(inside, owner=mona)
    with pytest.raises(PermissionDenied):
        set_forecast(tenant=inside, renewal_id=renewal.pk, forecast_cents=1, member=carl)
    with pytest.raises(PermissionDenied):
        close_renewal(tenant=inside, renewal_id=renewal.pk, final_cents=1200_00, member=carl)
    assert (
        set_forecast(tenant=inside, renewal_id=renewal.pk, forecast_cents=1, member=mona).forecast_cents == 1
    )


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sums_by_currency_month_and_owner(inside: Tenant, carl: Membership) -> None:
    first = inside.today().replace(day=1)
    make(inside, "a", owner=carl, due_on=first, said_cents=1000_00, forecast_cents=1000_00)
    make(inside, "b", due_on=first, category="at_risk", at_risk=True, risks=["category"])
    make(inside, "c", due_on=first, state="renewed", outcome="more", final_cents=1500_00)
    make(inside, "d", due_on=first, currency="USD")
    make(inside, "e", due_on=first, state="void")
    settings = settings_of(inside)
    euro, dollar = totals(settings, renewals_of(inside))
    assert (euro.count, euro.target_cents, euro.forecast_cents, euro.final_cents) == (
        3,
        3600_00,
        3400_00,
        1500_00,
    )
    assert (euro.at_risk_cents, euro.at_risk_count, euro.low_cents) == (1200_00, 1, 2200_00)
    assert dollar.target_cents == 1200_00
    months = calendar(settings, renewals_of(inside), inside.today(), 12)
    assert (len(months), months[0].first, months[0].count, months[1].sums) == (12, first, 4, [])
    lines = by_owner(inside, settings, renewals_of(inside))
    assert [(line.owner_id, line.count, line.plans_missing) for line in lines] == [
        (None, 3, 1),
        (carl.pk, 1, 0),
    ]


def test_a_configured_rate_makes_one_sum_of_them(inside: Tenant) -> None:
    make(inside, "a", currency="EUR")
    make(inside, "b", currency="GBP")
    make(inside, "c", currency=inside.currency)
    save_settings(tenant=inside, fields={"rates": {"eur": "1.10"}})
    own, pound = totals(settings_of(inside), renewals_of(inside))
    assert (own.currency, own.target_cents, own.count) == (inside.currency, 1320_00 + 1200_00, 2)
    assert pound.currency == "GBP"


@pytest.mark.parametrize(
    "fields",
    [
        {"rates": {"EURO": "1"}},
        {"rates": {"EUR": "0"}},
        {"rates": {"EUR": "nothing"}},
        {"rates": {"USD": "1"}},
        {"rates": ["EUR"]},
        {"commit_pct": 50, "best_case_pct": 60},
        {"usual_term_months": 0},
        {"at_risk_pct": 101},
    ],
)
def test_settings_that_make_no_sense_are_refused(inside: Tenant, fields: dict[str, Any]) -> None:
    assert inside.currency == "USD"
    with pytest.raises(ValidationError):
        save_settings(tenant=inside, fields=fields)


def test_the_next_renewal_of_an_account(inside: Tenant) -> None:
    late = make(inside)
    account = late.account
    assert renewal_of(inside, account) == late
    early = Renewal.objects.get(pk=late.pk)
    early.pk, early.line_id, early.due_on = None, 5, late.due_on - timedelta(days=9)
    early.save()
    assert renewal_of(inside, account.pk) == early
    Renewal.objects.update(state="lost", final_cents=0)
    assert renewal_of(inside, account) is None
    assert len(renewals_of_account(inside, account.pk)) == 2
