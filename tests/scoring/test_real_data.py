"""The shipped model on real events: everybody gets a score, every point is explained, the order of arrival is nothing."""

from __future__ import annotations

import csv
import gzip
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Account
from accounts.services.tenants import create_tenant
from scoring.models import CurrentScore, StoredScore
from scoring.selectors import explanation
from scoring.services import score_accounts
from usage.services import accept_rows, roll_up_pending

LAST_DAY = date(2025, 12, 31)
KEPT = ("day", "score", "band", "coverage", "points", "raw", "scaled")


def devtool_rows(shared_data: Path) -> list[dict[str, Any]]:
    with gzip.open(shared_data / "data" / "devtool_events.csv.gz", "rt", newline="") as file:
        return [
            {
                "account_id": row["account_id"],
                "user_id": row["user_id"],
                "event": row["event"],
                "feature": row["feature"],
                "occurred_at": row["occurred_at"].replace(" ", "T"),
                "received_at": row["received_at"].replace(" ", "T"),
                "event_id": row["event_id"],
            }
            for row in csv.DictReader(file)
        ]


def loaded(slug: str, rows: list[dict[str, Any]]) -> Any:
    tenant = create_tenant(slug=slug, name=slug)
    with tenant_scope(tenant):
        accept_rows(tenant=tenant, source="import", rows=rows)
        roll_up_pending(tenant=tenant)
    return tenant


def night(tenant: Any, day: date = LAST_DAY) -> dict[str, tuple[Any, ...]]:
    """Score one day; what is stored, by the external id."""
    with tenant_scope(tenant):
        score_accounts(tenant=tenant, day=day)
        names = dict(Account.objects.values_list("id", "external_id"))
        return {
            names[row["account_id"]]: tuple(row[key] for key in KEPT)
            for row in StoredScore.objects.filter(day=day).values()
        }


@pytest.fixture
def rows(shared_data: Path) -> list[dict[str, Any]]:
    return devtool_rows(shared_data)


def test_all_136_accounts_get_an_explained_score(db: None, rows: list[dict[str, Any]]) -> None:
    tenant = loaded("devtool", rows)
    stored = night(tenant)
    assert len(stored) == 136
    assert {row[3] for row in stored.values()} == {0.75}
    assert {row[2] for row in stored.values()} <= {1, 2, 3}
    with tenant_scope(tenant):
        for account in Account.objects.all():
            answer = explanation(tenant, account.pk, on=LAST_DAY)
            points = sum(part["points"] for part in answer["components"] if part["points"] is not None)
            assert points == pytest.approx(answer["score"], abs=1e-6)
            assert [part["missing"] for part in answer["components"]] == [False, False, False, True, True]
        before = list(CurrentScore.objects.order_by("account_id").values())
        again = score_accounts(tenant=tenant, day=LAST_DAY)
        assert (again.kinds["health"].stored, again.kinds["health"].changed) == (0, 0)
        assert list(CurrentScore.objects.order_by("account_id").values()) == before


def test_the_order_of_arrival_changes_no_score(db: None, rows: list[dict[str, Any]]) -> None:
    straight = night(loaded("straight", rows))
    random.Random(5).shuffle(rows)
    assert night(loaded("shuffled", rows)) == straight


def test_a_run_for_a_past_day_knows_only_what_had_been_received(db: None, rows: list[dict[str, Any]]) -> None:
    day = date(2025, 6, 30)
    whole = night(loaded("whole", rows), day)
    known = [row for row in rows if row["received_at"] < "2025-07-01"]
    part = night(loaded("part", known), day)
    assert len(part) > 90
    assert part == {name: whole[name] for name in part}
