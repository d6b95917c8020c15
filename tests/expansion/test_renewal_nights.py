"""Renewals are made, followed and closed by the night; checkpoints are reached once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Membership, Subscription, Tenant, TimelineEntry
from accounts.sealing import seal
from expansion.models import Renewal, RenewalChange, RenewalCheckpoint, RenewalStep
from expansion.renewals.services import keep_renewals, save_settings
from outreach.models import Endpoint, Event
from playbooks.models import Run, Task
from playbooks.services import cancel_task, complete_task, create_task, install_shipped_plays
from scoring.models import Component, ScoreModel, Version

DAY = date(2026, 5, 20)
DUE = date(2027, 3, 1)


@pytest.fixture
def inside(acme: Tenant) -> Iterator[Tenant]:
    """Acme with the shipped plays."""
    with tenant_scope(acme):
        install_shipped_plays(tenant=acme)
        yield acme


def make(
    tenant: Tenant, name: str = "one", *, line: dict[str, object] | None = None, **fields: object
) -> Account:
    """An account with a subscription of a year that costs 100 a month."""
    account = Account.objects.create(tenant=tenant, external_id=name, name=name.title(), **fields)
    values: dict[str, object] = {
        "mrr_cents": 100_00,
        "currency": "EUR",
        "plan": "Pro",
        "starts_on": DUE - timedelta(days=365),
        "renews_on": DUE,
    }
    Subscription.objects.create(
        tenant=tenant, account=account, external_id=f"{name}-s", **values | (line or {})
    )
    return account


def change(account: Account, **fields: object) -> None:
    Subscription.objects.filter(external_id=f"{account.external_id}-s").update(**fields)


def score(account: Account, band: int, engagement: float | None = None) -> None:
    """The current score as a night stores it, under a model with usage and engagement."""
    model, _made = ScoreModel.objects.get_or_create(
        tenant=account.tenant, key="plg", defaults={"kind": "health", "name": "PLG", "is_default": True}
    )
    version, made = Version.objects.get_or_create(
        tenant=account.tenant,
        model=model,
        number=1,
        defaults={"state": "published", "origin": "shipped", "in_force_from": date(2020, 1, 1)},
    )
    if made:
        for position, key in enumerate(("usage", "engagement")):
            Component.objects.create(version=version, key=key, name=key, weight=50, position=position)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO scoring_current (tenant_id, kind, account_id, day, version_id, score, band, coverage, is_new, "
            "is_final, components, points, effective, raw, scaled) "
            "VALUES (%s, 1, %s, %s, %s, 50, %s, 1, false, true, %s, '{}', '{}', '{}', '{}') "
            "ON CONFLICT (tenant_id, kind, account_id) DO UPDATE SET band = excluded.band, components = excluded.components",
            [account.tenant_id, account.pk, DAY, version.pk, band, [90.0, engagement]],
        )


def one(account: Account) -> Renewal:
    return Renewal.objects.get(account=account)


def kinds(renewal: Renewal) -> list[str]:
    return list(RenewalChange.objects.filter(renewal=renewal).order_by("id").values_list("kind", flat=True))


def test_a_subscription_has_one_renewal_with_its_target(inside: Tenant) -> None:
    account = make(inside)
    assert keep_renewals(tenant=inside, day=DAY).opened == 1
    assert keep_renewals(tenant=inside, day=DAY).opened == 0
    found = one(account)
    assert (found.due_on, found.term_months, found.currency, found.plan) == (DUE, 12, "EUR", "Pro")
    assert (found.target_cents, found.forecast_cents, found.final_cents) == (1200_00, 1200_00, None)
    assert (found.category, found.at_risk, found.state) == ("best_case", False, "open")
    assert kinds(found) == ["opened"]


def test_what_is_far_off_short_free_ended_or_long_past_has_none(inside: Tenant) -> None:
    make(inside, "far", line={"renews_on": DAY + timedelta(days=600)})
    make(
        inside, "monthly", line={"renews_on": DAY + timedelta(days=20), "starts_on": DAY - timedelta(days=10)}
    )
    make(inside, "free", line={"mrr_cents": 0})
    make(inside, "ended", line={"ends_on": DAY})
    make(inside, "churned", churned_on=DAY - timedelta(days=1))
    make(inside, "stale", line={"renews_on": DAY - timedelta(days=300)})
    make(inside, "no date", line={"renews_on": None})
    assert keep_renewals(tenant=inside, day=DAY).opened == 0
    save_settings(tenant=inside, fields={"shortest_term_months": 1})
    assert keep_renewals(tenant=inside, day=DAY).opened == 1


def test_an_account_without_subscriptions_renews_as_a_whole(inside: Tenant) -> None:
    account = Account.objects.create(external_id="a", name="A", mrr_cents=50_00, renewal_on=DUE)
    keep_renewals(tenant=inside, day=DAY)
    found = one(account)
    assert (found.line_id, found.target_cents, found.currency) == (0, 600_00, inside.currency)
    Subscription.objects.create(
        account=account, external_id="s", mrr_cents=70_00, currency="EUR", renews_on=DUE, starts_on=DAY
    )
    keep_renewals(tenant=inside, day=DAY)
    states = dict(Renewal.objects.filter(account=account).values_list("line_id", "state"))
    assert states.pop(0) == "void"
    assert list(states.values()) == ["open"]


def test_it_follows_dates_and_prices_and_says_so(inside: Tenant) -> None:
    account = make(inside)
    keep_renewals(tenant=inside, day=DAY)
    change(account, renews_on=DUE + timedelta(days=40), mrr_cents=80_00)
    assert keep_renewals(tenant=inside, day=DAY).moved == 1
    found = one(account)
    assert (found.due_on, found.target_cents, found.forecast_cents) == (
        DUE + timedelta(days=40),
        960_00,
        960_00,
    )
    assert kinds(found) == ["opened", "date", "target"]
    keep_renewals(tenant=inside, day=DAY)
    assert kinds(found) == ["opened", "date", "target"]


def test_renewed_by_its_date_it_closes_and_the_next_term_opens(inside: Tenant) -> None:
    account = make(inside)
    keep_renewals(tenant=inside, day=DAY)
    change(account, renews_on=date(2028, 3, 1), mrr_cents=120_00)
    assert keep_renewals(tenant=inside, day=date(2027, 2, 25)).renewed == 1
    old, new = Renewal.objects.filter(account=account).order_by("due_on")
    assert (old.state, old.outcome, old.final_cents, old.target_cents, old.closed_on) == (
        "renewed",
        "more",
        1440_00,
        1200_00,
        date(2027, 2, 25),
    )
    assert (new.state, new.term_months, new.target_cents) == ("open", 12, 1440_00)
    assert TimelineEntry.objects.filter(account=account, kind="renewal_closed").count() == 1


def test_cancelled_it_is_lost_and_a_successor_within_a_month_makes_it_renewed(inside: Tenant) -> None:
    account = make(inside)
    keep_renewals(tenant=inside, day=DAY)
    ended = date(2026, 8, 1)
    change(account, ends_on=ended)
    keep_renewals(tenant=inside, day=date(2026, 7, 1))
    found = one(account)
    assert (found.state, found.risks, found.ends_on) == ("open", ["category", "notice"], ended)
    assert keep_renewals(tenant=inside, day=ended).lost == 1
    found.refresh_from_db()
    assert (found.state, found.final_cents, found.reason_missing) == ("lost", 0, True)
    Subscription.objects.create(
        account=account,
        external_id="again",
        mrr_cents=90_00,
        currency="EUR",
        starts_on=ended + timedelta(days=10),
        renews_on=ended + timedelta(days=375),
    )
    assert keep_renewals(tenant=inside, day=ended + timedelta(days=10)).renewed == 1
    found.refresh_from_db()
    assert (found.state, found.outcome, found.final_cents) == ("renewed", "less", 1080_00)
    assert found.reason_missing


def test_risk_comes_from_band_engagement_and_severe_alerts_and_goes_again(inside: Tenant) -> None:
    critical, away, alarmed, fine = (make(inside, name) for name in ("critical", "away", "alarmed", "fine"))
    score(critical, 1, 90.0)
    score(away, 3, 30.0)
    score(alarmed, 3, 90.0)
    score(fine, 3, 90.0)
    keep_renewals(tenant=inside, day=DAY, severe=[alarmed.pk])
    assert (one(critical).category, one(critical).risks) == ("at_risk", ["category", "critical"])
    assert (one(away).category, one(away).at_risk) == ("best_case", False)
    assert one(alarmed).risks == ["category", "severe"]
    assert (one(fine).category, one(fine).at_risk, one(fine).plan_missing) == ("commit", False, False)
    assert one(critical).plan_missing
    score(critical, 3, 90.0)
    summary = keep_renewals(tenant=inside, day=DAY + timedelta(days=1))
    assert (one(critical).at_risk, one(alarmed).at_risk, summary.at_risk) == (False, False, 0)
    assert kinds(one(critical)) == ["opened", "category", "safe"]
    score(critical, 1, 90.0)
    assert keep_renewals(tenant=inside, day=DAY + timedelta(days=2)).at_risk == 1
    assert TimelineEntry.objects.filter(account=critical, kind="renewal_risk").count() == 1


def test_a_plan_is_over_when_its_steps_are_dropped_or_it_was_done_for_an_older_risk(
    inside: Tenant, carl: Membership
) -> None:
    account = make(inside, owner=carl)
    score(account, 1)
    keep_renewals(tenant=inside, day=DAY)
    found = one(account)
    task = create_task(tenant=inside, account_id=account.pk, title="Call", due_on=DAY)
    RenewalStep.objects.create(renewal=found, task=task)
    Renewal.objects.filter(pk=found.pk).update(has_plan=True)
    complete_task(tenant=inside, task_id=task.pk)
    keep_renewals(tenant=inside, day=DAY)
    assert one(account).has_plan
    score(account, 3)
    keep_renewals(tenant=inside, day=DAY)
    score(account, 1)
    keep_renewals(tenant=inside, day=DAY)
    assert one(account).plan_missing
    other = create_task(tenant=inside, account_id=account.pk, title="Write", due_on=DAY)
    RenewalStep.objects.create(renewal=found, task=other)
    Renewal.objects.filter(pk=found.pk).update(has_plan=True)
    keep_renewals(tenant=inside, day=DAY)
    assert one(account).has_plan
    RenewalStep.objects.filter(task=task).delete()
    cancel_task(tenant=inside, task_id=other.pk)
    keep_renewals(tenant=inside, day=DAY)
    assert one(account).plan_missing


# ── checkpoints ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_named_accounts_are_called_and_the_others_get_the_play(inside: Tenant, carl: Membership) -> None:
    named = make(inside, "named", owner=carl, touch_model="named")
    tech = make(inside, "tech", touch_model="tech")
    Contact.objects.create(account=tech, user_id="u", email="u@example.com", name="Una")
    orphan = make(inside, "orphan", touch_model="named")
    unsaid = make(inside, "unsaid", owner=carl)
    assert keep_renewals(tenant=inside, day=date(2026, 8, 31)).checkpoints == 0
    assert keep_renewals(tenant=inside, day=date(2026, 9, 1)).checkpoints == 4
    assert keep_renewals(tenant=inside, day=date(2026, 9, 2)).checkpoints == 0
    ways = dict(RenewalCheckpoint.objects.values_list("renewal__account_id", "way"))
    assert ways == {named.pk: "call", tech.pk: "play", orphan.pk: "call", unsaid.pk: "call"}
    task = Task.objects.get(account=named)
    assert (task.assignee_id, task.due_on, task.title) == (
        carl.pk,
        date(2026, 9, 8),
        "Renewal in 6 months: call Named",
    )
    assert Task.objects.get(account=orphan).pool == "manager"
    assert Run.objects.get(account=tech).playbook.key == "renewal_checkpoint"
    keep_renewals(tenant=inside, day=date(2026, 12, 1))
    assert sorted(RenewalCheckpoint.objects.filter(renewal__account=named).values_list("months", "on")) == [
        (3, date(2026, 12, 1)),
        (6, date(2026, 9, 1)),
    ]


def test_a_checkpoint_that_passed_long_ago_makes_no_work(inside: Tenant, carl: Membership) -> None:
    account = make(inside, owner=carl, touch_model="named")
    assert keep_renewals(tenant=inside, day=date(2026, 12, 5)).checkpoints == 1
    assert dict(RenewalCheckpoint.objects.values_list("months", "way")) == {6: "missed", 3: "call"}
    assert Task.objects.filter(account=account).count() == 1


def test_a_tenant_that_is_older_than_the_play_gets_it_when_it_is_needed(acme: Tenant) -> None:
    with tenant_scope(acme):
        account = make(acme, "tech", touch_model="tech")
        keep_renewals(tenant=acme, day=date(2026, 9, 1))
        assert Run.objects.get(account=account).playbook.key == "renewal_checkpoint"


# ── the house ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_night_asks_as_much_of_one_renewal_as_of_three(inside: Tenant) -> None:
    counts = []
    for size in (1, 3):
        for number in range(size):
            make(inside, f"{size}-{number}")
        keep_renewals(tenant=inside, day=DAY)
        Subscription.objects.update(mrr_cents=100_00 + size)
        with CaptureQueriesContext(connection) as queries:
            keep_renewals(tenant=inside, day=DAY)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14


def test_ranges_of_accounts_together_are_one_night(inside: Tenant) -> None:
    soon: dict[str, object] = {"starts_on": DAY - timedelta(days=280), "renews_on": DAY + timedelta(days=85)}
    accounts = [make(inside, f"a{n}", line=soon) for n in range(4)]
    edge = accounts[2].pk
    assert keep_renewals(tenant=inside, day=DAY, first=0, last=edge).opened == 2
    assert set(Renewal.objects.values_list("account_id", flat=True)) == {one.pk for one in accounts[:2]}
    below = keep_renewals(tenant=inside, day=DAY, first=edge)
    assert (below.opened, below.checkpoints) == (2, 2)
    for account in accounts:
        change(account, ends_on=DAY)
    assert keep_renewals(tenant=inside, day=DAY, first=edge, severe=[accounts[0].pk]).lost == 2
    assert list(Renewal.objects.order_by("account_id").values_list("state", flat=True)) == [
        "open",
        "open",
        "lost",
        "lost",
    ]  # of the others nothing was read: their lines did not look gone
    assert keep_renewals(tenant=inside, day=DAY).lost == 2


def test_endpoints_hear_of_losses_and_of_risk(inside: Tenant) -> None:
    Endpoint.objects.create(url="https://hooks.example.com/", secret_sealed=seal("whsec_AAAA"))
    account = make(inside)
    keep_renewals(tenant=inside, day=DAY)
    score(account, 1)
    keep_renewals(tenant=inside, day=DAY)
    change(account, ends_on=DAY)
    keep_renewals(tenant=inside, day=DAY)
    assert list(Event.objects.order_by("id").values_list("type", flat=True)) == [
        "renewal.at_risk",
        "renewal.lost",
    ]


def test_another_tenant_s_subscriptions_make_no_renewal_here(acme: Tenant, rival: Tenant) -> None:
    with tenant_scope(rival):
        make(rival)
    with tenant_scope(acme):
        assert keep_renewals(tenant=acme, day=DAY).opened == 0
        assert Renewal.objects.count() == 0
    with tenant_scope(rival):
        assert keep_renewals(tenant=rival, day=DAY).opened == 1
