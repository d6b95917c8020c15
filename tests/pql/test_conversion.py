"""Conversion by band, and what another threshold would let through."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from psycopg2.extras import execute_values

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry
from pql.models import Standing
from pql.selectors import conversion_by_band, conversion_by_month, threshold_preview
from pql.services import count_conversions, draft_thresholds
from pql.shares import Share
from scoring.models import ScoreModel, Version
from tests.pql.conftest import Leads

COLUMNS = (
    "tenant_id, kind, account_id, day, version_id, score, band, coverage, is_new, is_final, components, points, "
    "effective, raw, scaled"
)


def month(day: date, back: int) -> date:
    """The first of the month so many months before."""
    for _ in range(back):
        day = day.replace(day=1) - timedelta(days=1)
    return day.replace(day=1)


def store(leads: Leads, account: Account, day: date, score: float, *, current: bool = False) -> None:
    """A stored score; the band is what thresholds of 50 and 70 make of it."""
    band = 3 if score > 70 else 1 if score < 50 else 2
    with tenant_scope(leads.tenant):
        version = Version.objects.get(model__key="pql", state="published")
        with connection.cursor() as cursor:
            for table in ("scoring_score", *(["scoring_current"] if current else [])):
                execute_values(
                    cursor.cursor,
                    f"INSERT INTO {table} ({COLUMNS}) VALUES %s",
                    [
                        (
                            leads.tenant.pk, 2, account.pk, day, version.pk, score, band, 1.0, False, True,
                            [score] * 5, [score / 5] * 5, [20.0] * 5, [1.0] * 5, [score] * 5,
                        )
                    ],
                )  # fmt: skip


def stand(leads: Leads, account: Account, **fields: object) -> None:
    with tenant_scope(leads.tenant):
        Standing.objects.create(account=account, since_on=leads.ago(400), **fields)


def test_an_account_counts_once_a_month_with_its_best_band_until_it_converts(leads: Leads) -> None:
    start = month(leads.today, 6)
    high, medium, none, late = (leads.account(name, old=400) for name in ("high", "medium", "none", "late"))
    store(leads, high, start + timedelta(days=2), 60)
    store(leads, high, start + timedelta(days=9), 75)
    store(leads, high, start + timedelta(days=20), 40)  # after its conversion: says nothing
    stand(leads, high, converted_on=start + timedelta(days=15))
    store(leads, medium, start + timedelta(days=3), 70)  # exactly 70 is medium
    stand(leads, medium)
    store(leads, none, start + timedelta(days=3), 49.999)
    stand(leads, none)
    store(leads, late, start + timedelta(days=1), 50)  # exactly 50 is medium
    stand(leads, late, converted_on=start + timedelta(days=92))  # the 91st day: too late
    with tenant_scope(leads.tenant):
        count_conversions(tenant=leads.tenant, day=leads.today)
        count_conversions(tenant=leads.tenant, day=leads.today)
        rows = conversion_by_month(leads.tenant)
    assert [(r.month, r.band, r.share, r.waiting) for r in rows] == [
        (start, 3, Share(1, 1), 0),
        (start, 2, Share(0, 2), 0),
        (start, 1, Share(0, 1), 0),
    ]
    assert conversion_by_band(rows) == {3: Share(1, 1), 2: Share(0, 2), 1: Share(0, 1)}


def test_a_first_payment_counts_like_a_contract_and_once(leads: Leads) -> None:
    start = month(leads.today, 6)
    account = leads.account("pays", old=400)
    store(leads, account, start + timedelta(days=4), 60)
    store(leads, account, start + timedelta(days=64), 80)
    stand(
        leads,
        account,
        paid_on=start + timedelta(days=20),
        converted_on=start + timedelta(days=70),
        converted_by="contract",
    )
    with tenant_scope(leads.tenant):
        count_conversions(tenant=leads.tenant, day=leads.today)
        rows = conversion_by_month(leads.tenant)
    assert [(row.band, row.share) for row in rows] == [(2, Share(1, 1)), (3, Share(1, 1))]


def test_a_month_whose_90_days_run_is_not_counted_as_finished(leads: Leads) -> None:
    account = leads.account("new")
    store(leads, account, leads.today, 90)
    stand(leads, account)
    with tenant_scope(leads.tenant):
        count_conversions(tenant=leads.tenant, day=leads.today)
        rows = conversion_by_month(leads.tenant)
    assert [(r.share, r.waiting, r.is_complete) for r in rows] == [(Share(0, 1), 1, False)]
    assert conversion_by_band(rows)[3] == Share(0, 0)


def test_the_preview_counts_who_passes_and_who_would_have_been_caught(leads: Leads) -> None:
    scores = {"a": 95.0, "b": 70.0, "c": 70.5, "d": 12.0, "e": 100.0}
    for name, score in scores.items():
        account = leads.account(name, old=400)
        store(leads, account, leads.today, score, current=True)
        stand(leads, account, activated_on=leads.ago(50) if name != "e" else None)
    for name, score in (("won", 82.0), ("surprise", 30.0)):
        account = leads.account(name, old=400, plan_kind="contract")
        store(leads, account, leads.ago(41), score)
        store(leads, account, leads.ago(200), 99)  # too long before to say anything
        stand(leads, account, converted_on=leads.ago(40))
    with tenant_scope(leads.tenant):
        preview = threshold_preview(leads.tenant, None, None, leads.today)
    cuts = {cut.above: cut for cut in preview.cuts}
    assert preview.scored == 5
    assert (cuts[70].accounts, cuts[70].ready, cuts[70].caught) == (3, 2, Share(1, 2))
    assert (cuts[65].accounts, cuts[95].accounts, cuts[100].accounts) == (4, 1, 0)
    assert (cuts[0].accounts, cuts[0].caught, cuts[30].caught) == (5, Share(2, 2), Share(1, 2))
    assert preview.histogram[14] == 2 and preview.histogram[19] == 2 and preview.histogram[2] == 1
    assert sum(preview.histogram) == 5
    nearest = preview.at(72)
    assert nearest is not None and nearest.above == 70


def test_thresholds_go_to_the_draft_and_nowhere_else(leads: Leads) -> None:
    with tenant_scope(leads.tenant):
        draft = draft_thresholds(tenant=leads.tenant, high_above=65, low_below=45)
        assert (draft.state, draft.healthy_above, draft.critical_below) == ("draft", 65, 45)
        draft_thresholds(tenant=leads.tenant, high_above=60, low_below=45)
        assert Version.objects.filter(model__key="pql").count() == 2
        published = Version.objects.get(model__key="pql", state="published")
        assert (published.healthy_above, published.critical_below) == (70, 50)
        assert AuditEntry.objects.filter(action="pql.thresholds.drafted").count() == 2
        with pytest.raises(ValidationError):
            draft_thresholds(tenant=leads.tenant, high_above=40, low_below=45)
        ScoreModel.objects.filter(kind="pql").update(active=False)
        with pytest.raises(ValidationError):
            draft_thresholds(tenant=leads.tenant, high_above=60, low_below=45)


def test_an_empty_tenant_has_no_shares(leads: Leads) -> None:
    with tenant_scope(leads.tenant):
        assert conversion_by_month(leads.tenant) == []
        preview = threshold_preview(leads.tenant, None, None, leads.today)
    assert preview.scored == 0
    assert preview.cuts[0].caught.pct is None
