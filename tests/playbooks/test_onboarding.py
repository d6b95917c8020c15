"""Onboarding plans from posted numbers to ticked milestones, what people do with them, and how many queries it takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Tenant, TimelineEntry
from playbooks.models import Milestone, OnboardingPlan, PlanMilestone
from playbooks.onboarding.selectors import time_to_value, views_of
from playbooks.onboarding.services import (
    add_milestone,
    ask_the_numbers,
    edit_milestone,
    end_plan,
    evaluate_onboarding,
    install_milestones,
    start_plan,
    tick_milestone,
    untick_milestone,
)
from playbooks.services import install_shipped_plays, start_run
from tests.conftest import make_member
from usage.models import Metric
from usage.services import install_starter_metrics

from .making import scored

GO_LIVE = date(2026, 3, 2)  # a Monday


@pytest.fixture
def inside(acme: Tenant) -> Iterator[Tenant]:
    """Acme with its starter metrics and its milestones."""
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
        install_milestones(tenant=acme)
        yield acme


@pytest.fixture
def fresh(inside: Tenant, carl: Membership) -> Account:
    """An account of Carl's that went live on a Monday."""
    return make_account(inside, "fresh", owner=carl)


def make_account(tenant: Tenant, name: str, **fields: Any) -> Account:
    return Account.objects.create(
        tenant=tenant, external_id=name, name=name.title(), **{"go_live_on": GO_LIVE, **fields}
    )


def store(account: Account, day: date, **values: float) -> None:
    """Daily numbers as the drain leaves them; `active` people make an active day."""
    if values.pop("active", 0):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO usage_user_day (tenant_id, account_id, contact_id, day, events, features, metrics) "
                "VALUES (%s, %s, 1, %s, 3, '{}', '{}')",
                [account.tenant_id, account.pk, day],
            )
    if not values:
        return
    slots = dict(Metric.objects.filter(key__in=list(values)).values_list("key", "slot"))
    width = max(slots.values())
    row: list[float | None] = [None] * width
    for key, value in values.items():
        row[slots[key] - 1] = value
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO usage_day (tenant_id, account_id, day, "values") VALUES (%s, %s, %s, %s)',
            [account.tenant_id, account.pk, day, row],
        )


def line(account: Account, key: str) -> PlanMilestone:
    return PlanMilestone.objects.select_related("plan").get(plan__account=account, key=key)


def plan(account: Account) -> OnboardingPlan:
    return OnboardingPlan.objects.get(account=account)


def night(tenant: Tenant, day: int) -> Any:
    return evaluate_onboarding(tenant=tenant, day=GO_LIVE + timedelta(days=day))


def test_a_plan_is_made_from_go_live_with_nine_milestones(inside: Tenant, fresh: Account) -> None:
    summary = night(inside, 0)
    assert (summary.begun, summary.evaluated, summary.reached) == (1, 1, 0)
    assert plan(fresh).starts_on == GO_LIVE
    assert PlanMilestone.objects.filter(plan=plan(fresh)).count() == 9
    assert TimelineEntry.objects.filter(account=fresh, kind="onboarding_started").count() == 1


def test_the_numbers_tick_activation_with_their_evidence(inside: Tenant, fresh: Account) -> None:
    for day in (0, 3, 7, 10):
        store(fresh, GO_LIVE + timedelta(days=day), active=1, demos_booked=0.0, dashboards_active=1.0)
    assert night(inside, 12).reached == 1  # the dashboard; the second week has not ended
    assert line(fresh, "weekly_usage").done_on is None
    night(inside, 13)
    usage = line(fresh, "weekly_usage")
    assert (usage.done_on, usage.done_how, usage.state) == (GO_LIVE + timedelta(days=13), "system", "done")
    weeks = usage.evidence["weeks"]
    assert [(w["week"], w["value"], w["fulfils"]) for w in weeks] == [
        ("2026-03-02", 2.0, True), ("2026-03-09", 2.0, True)
    ]  # fmt: skip
    store(fresh, GO_LIVE + timedelta(days=20), demos_booked=2.0)
    night(inside, 20)
    assert plan(fresh).value_on == GO_LIVE + timedelta(days=20)
    view = views_of(inside, [plan(fresh)], GO_LIVE + timedelta(days=20))[0]
    assert (view.value_days, view.done) == (20, 3)


def test_twice_the_same_day_changes_nothing(inside: Tenant, fresh: Account) -> None:
    store(fresh, GO_LIVE, dashboards_active=1.0)
    night(inside, 5)
    before = list(PlanMilestone.objects.order_by("id").values()), list(OnboardingPlan.objects.values())
    again = night(inside, 5)
    assert (again.begun, again.reached) == (0, 0)
    assert (
        list(PlanMilestone.objects.order_by("id").values()),
        list(OnboardingPlan.objects.values()),
    ) == before
    assert TimelineEntry.objects.filter(kind="onboarding_reached").count() == 1


def test_an_idle_account_falls_behind_and_then_is_stuck(inside: Tenant, fresh: Account) -> None:
    states = []
    for day in (15, 16, 29):
        night(inside, day)
        states.append(plan(fresh).status)
    assert states == ["on_track", "behind", "stuck"]


def test_winning_variants_are_counted_for_each_product(inside: Tenant, fresh: Account) -> None:
    metric = Metric.objects.get(key="ab_winners")
    store(fresh, GO_LIVE, ab_winners=3.0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_dim_day (tenant_id, account_id, day, metric_id, key, value) "
            "VALUES (%(t)s, %(a)s, %(d)s, %(m)s, 'Docs', 2), (%(t)s, %(a)s, %(d)s, %(m)s, 'Course', 1)",
            {"t": inside.pk, "a": fresh.pk, "d": GO_LIVE, "m": metric.pk},
        )
    night(inside, 1)
    found = line(fresh, "winning_variants")
    assert (found.progress, found.evidence["by_value"]) == (0.75, {"Course": 1.0, "Docs": 2.0})


def test_a_run_of_the_expansion_play_ticks_expansion(inside: Tenant, fresh: Account) -> None:
    install_shipped_plays(tenant=inside)
    scored(inside, fresh, GO_LIVE, "healthy", 90.0)
    assert start_run(
        tenant=inside, playbook_key="expansion_sequence", account_id=fresh.pk, started_on=GO_LIVE
    )
    night(inside, 1)
    assert line(fresh, "expansion").done_on == GO_LIVE


def test_a_late_start_ticks_what_was_reached_meanwhile(inside: Tenant, fresh: Account) -> None:
    store(fresh, GO_LIVE + timedelta(days=4), dashboards_active=1.0)
    night(inside, 80)
    assert line(fresh, "dashboard").done_on == GO_LIVE + timedelta(days=6)  # the end of the week it was in
    assert plan(fresh).status == "stuck"


@pytest.mark.parametrize(("age", "plans"), [(90, 1), (91, 0), (-30, 1)])
def test_only_who_went_live_lately_gets_a_plan_by_itself(
    inside: Tenant, fresh: Account, age: int, plans: int
) -> None:
    night(inside, age)
    assert OnboardingPlan.objects.count() == plans


def test_a_go_live_that_moves_takes_the_plan_along_and_keeps_hand_ticks(
    inside: Tenant, fresh: Account, carl: Membership
) -> None:
    store(fresh, GO_LIVE, dashboards_active=1.0)
    night(inside, 3)
    today = inside.today()
    Account.objects.filter(pk=fresh.pk).update(go_live_on=today - timedelta(days=3))
    evaluate_onboarding(tenant=inside, day=today)
    assert plan(fresh).starts_on == today - timedelta(days=3)
    assert line(fresh, "dashboard").done_on is None  # was before
    tick_milestone(tenant=inside, milestone_id=line(fresh, "roi").pk, note="Spreadsheet", member=carl)
    Account.objects.filter(pk=fresh.pk).update(go_live_on=today - timedelta(days=1))
    evaluate_onboarding(tenant=inside, day=today)
    assert (line(fresh, "roi").done_on, line(fresh, "roi").note) == (today, "Spreadsheet")


def test_plans_end_with_churn_without_go_live_and_by_age(inside: Tenant) -> None:
    left, undone, old = (make_account(inside, name) for name in ("left", "undone", "old"))
    night(inside, 1)
    Account.objects.filter(pk=left.pk).update(churned_on=GO_LIVE + timedelta(days=2))
    Account.objects.filter(pk=undone.pk).update(go_live_on=None)
    night(inside, 3)
    assert [plan(one).state for one in (left, undone, old)] == ["ended", "ended", "running"]
    night(inside, 181)
    assert plan(old).state == "ended"
    assert night(inside, 20).begun == 0  # none of them comes back


def test_ticking_by_hand_needs_a_reason_and_can_be_undone(
    inside: Tenant, fresh: Account, carl: Membership
) -> None:
    Account.objects.filter(pk=fresh.pk).update(go_live_on=inside.today() - timedelta(days=2))
    evaluate_onboarding(tenant=inside, day=inside.today())
    roi = line(fresh, "roi")
    with pytest.raises(ValidationError, match="how you know"):
        tick_milestone(tenant=inside, milestone_id=roi.pk, note=" ", member=carl)
    with pytest.raises(ValidationError, match="go-live"):
        tick_milestone(
            tenant=inside, milestone_id=roi.pk, note="x", on=inside.today() - timedelta(days=3), member=carl
        )
    tick_milestone(tenant=inside, milestone_id=roi.pk, note="Their report", member=carl)
    ticked = line(fresh, "roi")
    assert (ticked.state, ticked.done_how, ticked.done_by_id) == ("done", "hand", carl.pk)
    untick_milestone(tenant=inside, milestone_id=roi.pk, note="Wrong month", member=carl)
    assert (line(fresh, "roi").done_on, line(fresh, "roi").ignore_numbers) == (None, False)
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions[-2:] == ["onboarding.ticked", "onboarding.unticked"]


def test_what_the_numbers_ticked_and_a_person_undid_stays_undone(
    inside: Tenant, fresh: Account, carl: Membership
) -> None:
    today = inside.today()
    Account.objects.filter(pk=fresh.pk).update(go_live_on=today - timedelta(days=2))
    store(fresh, today - timedelta(days=1), dashboards_active=1.0)
    evaluate_onboarding(tenant=inside, day=today)
    one = line(fresh, "dashboard")
    assert one.done_how == "system"
    untick_milestone(tenant=inside, milestone_id=one.pk, note="A test view", member=carl)
    evaluate_onboarding(tenant=inside, day=today)
    assert line(fresh, "dashboard").done_on is None
    ask_the_numbers(tenant=inside, milestone_id=one.pk, member=carl)
    assert line(fresh, "dashboard").done_on is not None


def test_strangers_to_the_account_may_not_tick(inside: Tenant, fresh: Account) -> None:
    night(inside, 1)
    other, viewer = make_member(inside, "other", "csm"), make_member(inside, "looker", "viewer")
    for member in (other, viewer):
        with pytest.raises(PermissionDenied):
            tick_milestone(tenant=inside, milestone_id=line(fresh, "roi").pk, note="x", member=member)


def test_finished_plans_say_so_and_run_again_when_one_is_opened(
    inside: Tenant, fresh: Account, carl: Membership
) -> None:
    today = inside.today()
    Account.objects.filter(pk=fresh.pk).update(go_live_on=today)
    evaluate_onboarding(tenant=inside, day=today)
    for one in PlanMilestone.objects.filter(plan=plan(fresh)):
        tick_milestone(tenant=inside, milestone_id=one.pk, note="Seen", member=carl)
    assert (plan(fresh).state, plan(fresh).status, plan(fresh).value_on) == ("done", "done", today)
    untick_milestone(tenant=inside, milestone_id=line(fresh, "roi").pk, member=carl)
    assert (plan(fresh).state, plan(fresh).finished_on) == ("running", None)


def test_a_plan_can_be_started_and_ended_by_hand(inside: Tenant, carl: Membership) -> None:
    old = make_account(inside, "old", owner=carl, go_live_on=inside.today() - timedelta(days=400))
    with pytest.raises(ValidationError, match="at most 180 days"):
        start_plan(tenant=inside, account_id=old.pk, member=carl)
    started = start_plan(tenant=inside, account_id=old.pk, starts_on=inside.today(), member=carl)
    assert (started.follows_go_live, started.evaluated_on) == (False, inside.today())
    with pytest.raises(ValidationError, match="already running"):
        start_plan(tenant=inside, account_id=old.pk, starts_on=inside.today(), member=carl)
    with pytest.raises(ValidationError, match="why it ends"):
        end_plan(tenant=inside, plan_id=started.pk, member=carl)
    assert end_plan(tenant=inside, plan_id=started.pk, reason="Bought by us", member=carl).state == "ended"


def test_thresholds_are_the_tenants_and_running_plans_keep_theirs_unless_told(
    inside: Tenant, fresh: Account, alice: Membership
) -> None:
    night(inside, 1)
    template = Milestone.objects.get(key="first_demos")
    common: dict[str, Any] = {"tenant": inside, "milestone_id": template.pk, "name": "", "kind": "total"}
    params = {"metric": "demos_booked", "at_least": "4"}
    edit_milestone(**common, params=params, enabled=True, member=alice)
    assert line(fresh, "first_demos").params["at_least"] == 2
    edit_milestone(**common, params=params, enabled=True, running_too=True, member=alice)
    assert line(fresh, "first_demos").params["at_least"] == 4
    entry = AuditEntry.objects.filter(action="onboarding.milestone_changed").latest("id")
    assert entry.after is not None
    assert (entry.actor_id, entry.after["running_plans"]) == (alice.pk, 1)
    for wrong, words in (
        ({"metric": "nope", "at_least": 1}, "no metric"),
        ({"metric": "sends", "at_least": 0}, "above 0"),
        ({"metric": "sends", "at_least": "nan"}, "above 0"),
        ({"metric": "", "at_least": 1}, "needed"),
    ):
        with pytest.raises(ValidationError, match=words):
            edit_milestone(**common, params=wrong, enabled=True)


def test_a_tenant_adds_milestones_of_its_own(inside: Tenant, fresh: Account, alice: Membership) -> None:
    own = add_milestone(tenant=inside, name="Kick-off held", phase=1, kind="hand", params={}, member=alice)
    again = add_milestone(tenant=inside, name="Kick-off held", phase=1, kind="hand", params={})
    assert own.key != again.key
    night(inside, 0)
    assert line(fresh, own.key).title == "Kick-off held"


def test_time_to_value_by_month_of_go_live(inside: Tenant) -> None:
    for place, days in enumerate((10, 20, 40, None)):
        account = make_account(inside, f"a{place}")
        OnboardingPlan.objects.create(
            tenant=inside,
            account=account,
            starts_on=GO_LIVE,
            value_on=None if days is None else GO_LIVE + timedelta(days=days),
        )
    (month,) = time_to_value(inside, GO_LIVE + timedelta(days=60))
    assert (month.month, month.plans, month.reached, month.median_days) == (date(2026, 3, 1), 4, 3, 20.0)


def test_a_night_takes_the_same_number_of_queries_for_any_number_of_plans(inside: Tenant) -> None:
    def queries(day: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            night(inside, day)
        return len(seen)

    store(make_account(inside, "one"), GO_LIVE, dashboards_active=1.0)
    first = queries(1)
    steady = queries(2)
    for name in ("two", "three"):
        store(make_account(inside, name), GO_LIVE, dashboards_active=1.0)
    assert queries(2) == first
    assert queries(3) == steady
