"""Checklists: made for every account at once, ticked by the numbers, opened again, rolled up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from playbooks.checklists.items import MONTH, QUARTER, period_end, period_start, previous_start
from playbooks.checklists.selectors import accounts_with_lists, lists_of_account, rollup
from playbooks.checklists.services import keep_checklists, tick_item, untick_item
from playbooks.models import ChecklistItem, Run
from playbooks.services import install_shipped_plays
from tests.conftest import make_member
from usage.models import Metric
from usage.services import install_starter_metrics

from .making import make_play

DAY = date(2026, 5, 20)


@pytest.fixture
def inside(acme: Tenant) -> Iterator[Tenant]:
    """Acme with its metrics and plays."""
    with tenant_scope(acme):
        install_starter_metrics(tenant=acme)
        install_shipped_plays(tenant=acme)
        yield acme


@pytest.fixture
def owned(inside: Tenant, carl: Membership) -> Account:
    """An account of Carl's."""
    return Account.objects.create(tenant=inside, external_id="owned", name="Owned", owner=carl)


def push(account: Account, day: date, **values: float) -> None:
    slots = dict(Metric.objects.filter(key__in=list(values)).values_list("key", "slot"))
    row: list[float | None] = [None] * max(slots.values())
    for key, value in values.items():
        row[slots[key] - 1] = value
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO usage_day (tenant_id, account_id, day, "values") VALUES (%s, %s, %s, %s)',
            [account.tenant_id, account.pk, day, row],
        )


def score(account: Account, day: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO scoring_current (tenant_id, kind, account_id, day, version_id, score, band, coverage, is_new, "
            "is_final, components, points, effective, raw, scaled) "
            "VALUES (%s, 1, %s, %s, 1, 70, 2, 1, false, false, '{}', '{}', '{}', '{}', '{}')",
            [account.tenant_id, account.pk, day],
        )


def done(account: Account) -> set[str]:
    found = ChecklistItem.objects.filter(account=account, done_on__isnull=False)
    return set(found.values_list("key", flat=True))


@pytest.mark.parametrize(
    ("cadence", "day", "start", "end"),
    [
        (MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        (MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
        (QUARTER, date(2026, 5, 20), date(2026, 4, 1), date(2026, 6, 30)),
        (QUARTER, date(2026, 12, 1), date(2026, 10, 1), date(2026, 12, 31)),
        (QUARTER, date(2026, 1, 1), date(2026, 1, 1), date(2026, 3, 31)),
    ],
)
def test_periods(cadence: str, day: date, start: date, end: date) -> None:
    assert (period_start(cadence, day), period_end(cadence, start)) == (start, end)
    assert period_end(cadence, previous_start(cadence, start)) == start - timedelta(days=1)


def test_every_account_gets_both_lists_once(inside: Tenant, owned: Account) -> None:
    Account.objects.create(tenant=inside, external_id="gone", name="Gone", churned_on=DAY - timedelta(days=1))
    assert keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk]).made == 8
    assert keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk]).made == 0
    assert keep_checklists(tenant=inside, day=date(2026, 6, 1), at_risk=[owned.pk]).made == 4
    lists = lists_of_account(inside, owned.pk, DAY)
    assert [item.key for item in lists[MONTH]] == [
        "health_updated", "qbr_ready", "expansion_evaluated", "risks_mitigated"
    ]  # fmt: skip
    assert {item.period_on for item in lists[QUARTER]} == {date(2026, 4, 1)}


def test_the_numbers_tick_what_they_know(inside: Tenant, owned: Account) -> None:
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert done(owned) == set()
    score(owned, DAY)
    push(owned, DAY, qbr_scheduled=1.0, expansion_open=0.0, roi_cents=5000.0, case_study_proposed=1.0)
    keep_checklists(tenant=inside, day=DAY, at_risk=[])
    assert done(owned) == {
        "health_updated", "qbr_ready", "expansion_evaluated", "risks_mitigated", "roi_consolidated",
        "case_study_proposed",
    }  # fmt: skip
    seen = ChecklistItem.objects.get(account=owned, key="roi_consolidated")
    assert (seen.done_how, seen.evidence["value"]) == ("system", 5000)


def test_what_was_reported_in_another_period_does_not_count(inside: Tenant, owned: Account) -> None:
    push(owned, date(2026, 4, 30), qbr_scheduled=1.0, roi_cents=1.0)
    push(owned, DAY, qbr_scheduled=0.0)
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert done(owned) == {"roi_consolidated"}  # April is in the quarter, not in the month


def test_risks_that_come_back_open_the_item_again(inside: Tenant, owned: Account) -> None:
    keep_checklists(tenant=inside, day=DAY)
    assert done(owned) == {"risks_mitigated"}
    assert keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk]).reopened == 1
    assert done(owned) == set()


def test_a_recovered_play_mitigates_the_risk_while_the_alert_is_open(inside: Tenant, owned: Account) -> None:
    version = make_play(inside, "rescue", {"title": "Call"})
    Run.objects.create(
        tenant=inside, playbook=version.playbook, version=version, account=owned, state="done",
        outcome="recovered", started_on=DAY - timedelta(days=9), finished_on=DAY,
    )  # fmt: skip
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert done(owned) == {"risks_mitigated"}
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert done(owned) == {"risks_mitigated"}


def test_a_renewal_that_is_far_needs_no_preparation(inside: Tenant, owned: Account) -> None:
    Account.objects.filter(pk=owned.pk).update(renewal_on=date(2026, 6, 30) + timedelta(days=120))
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert done(owned) == set()
    Account.objects.filter(pk=owned.pk).update(renewal_on=date(2026, 6, 30) + timedelta(days=121))
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert done(owned) == {"renewal_prepared"}


def test_an_expansion_plan_is_closed_when_its_opportunities_fell_to_none(
    inside: Tenant, owned: Account
) -> None:
    push(owned, date(2026, 4, 2), expansion_open=2.0)
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert "expansion_closed" not in done(owned)
    push(owned, DAY, expansion_open=0.0)
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert "expansion_closed" in done(owned)


def test_people_tick_the_rest_and_the_numbers_respect_what_they_undo(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    qbr = ChecklistItem.objects.get(account=owned, key="qbr_ready")
    with pytest.raises(PermissionDenied):
        tick_item(tenant=inside, item_id=qbr.pk, member=make_member(inside, "other", "csm"))
    tick_item(tenant=inside, item_id=qbr.pk, note="On the 3rd", member=carl)
    qbr.refresh_from_db()
    assert (qbr.done_how, qbr.note, qbr.done_by_id) == ("hand", "On the 3rd", carl.pk)
    untick_item(tenant=inside, item_id=qbr.pk, member=carl)
    push(owned, DAY, qbr_scheduled=1.0)
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert done(owned) == {"qbr_ready"}  # the hand was undone, not the numbers
    untick_item(tenant=inside, item_id=qbr.pk, member=carl)
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    assert done(owned) == set()


def test_the_rollup_counts_by_owner_and_by_item(inside: Tenant, owned: Account, carl: Membership) -> None:
    Account.objects.create(tenant=inside, external_id="orphan", name="Orphan")
    keep_checklists(tenant=inside, day=DAY, at_risk=[owned.pk])
    found = rollup(inside, MONTH, date(2026, 5, 1))
    assert (found.done, found.total, found.by_system) == (1, 8, 1)
    assert {share.name: (share.done, share.total) for share in found.by_owner} == {
        carl.pk: (0, 4),
        None: (1, 4),
    }
    assert {share.name: share.done for share in found.by_item}["risks_mitigated"] == 1
    wanted = {"cadence": MONTH, "start": date(2026, 5, 1)}
    still = accounts_with_lists(inside, **wanted, item="risks_mitigated", open_only=True)  # type: ignore[arg-type]
    assert [account.name for account in still] == ["Owned"]


def test_a_night_takes_the_same_number_of_statements_for_any_number_of_accounts(
    inside: Tenant, owned: Account
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            keep_checklists(tenant=inside, day=DAY)
        return len(seen)

    one = statements()
    for name in ("two", "three"):
        Account.objects.create(tenant=inside, external_id=name, name=name)
    assert statements() == one


def test_a_range_of_accounts_is_kept_by_itself(inside: Tenant, owned: Account) -> None:
    later = Account.objects.create(tenant=inside, external_id="later", name="Later")
    assert keep_checklists(tenant=inside, day=DAY, first=later.pk).made == 8
    assert done(owned) == set()
    assert done(later) == {"risks_mitigated"}
    assert keep_checklists(tenant=inside, day=DAY, last=later.pk).made == 8
    assert done(owned) == {"risks_mitigated"}
    risky = {"tenant": inside, "day": DAY, "at_risk": [owned.pk, later.pk]}
    assert keep_checklists(**risky, first=later.pk).reopened == 1  # type: ignore[arg-type]
    assert done(owned) == {"risks_mitigated"}
