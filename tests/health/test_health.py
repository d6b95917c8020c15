"""The daily summary and what dashboards and the API read from it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, ApiKey, Tenant
from accounts.services.tenants import create_tenant
from health.models import TenantDay
from health.selectors import coverage, distribution, movers, summary, trend, trend_marks
from health.services import summarise_day
from scoring.models import Version

TODAY = date(2025, 6, 18)  # a Wednesday


class Scores:
    """A tenant whose stored scores are put in by hand."""

    def __init__(self) -> None:
        self.tenant = create_tenant(slug="globex", name="Globex", currency="EUR")
        self.accounts: dict[str, int] = {}
        with tenant_scope(self.tenant):
            self.version = Version.objects.get(model__key="plg").pk

    def account(self, name: str, **fields: Any) -> None:
        with tenant_scope(self.tenant):
            self.accounts[name] = Account.objects.create(external_id=name, name=name, **fields).pk

    def score(self, name: str, score: float | None, day: date = TODAY, coverage: float = 1.0) -> None:
        code = 0 if score is None else 3 if score > 80 else 1 if score < 60 else 2
        with tenant_scope(self.tenant), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO scoring_score VALUES "
                "(%s, 1, %s, %s, %s, %s, %s, %s, false, true, '{}', '{}', '{}', '{}', '{}', NULL)",
                [self.tenant.pk, self.accounts[name], day, self.version, score, code, coverage],
            )

    def summarise(self, day: date = TODAY, first_day: date | None = None) -> int:
        with tenant_scope(self.tenant):
            return summarise_day(tenant=self.tenant, day=day, first_day=first_day)


@pytest.fixture
def scores(db: None) -> Scores:
    made = Scores()
    for name, score, mrr, currency in [
        ("a", 100.0, 500_00, "EUR"),
        ("b", 80.1, 300_00, ""),
        ("c", 80.0, 200_00, "EUR"),
        ("d", 60.0, 100_00, "EUR"),
        ("e", 59.9, 50_00, "EUR"),
        ("f", None, 70_00, "EUR"),
        ("g", 91.0, 900_00, "USD"),
    ]:
        made.account(name, mrr_cents=mrr, currency=currency)
        made.score(name, score, coverage=0.0 if score is None else 0.75)
    made.account("gone", churned_on=TODAY, mrr_cents=1)
    made.score("gone", 5.0)
    return made


def test_the_distribution_counts_bands_of_scored_accounts_without_churned_ones(scores: Scores) -> None:
    assert scores.summarise() == 1
    with tenant_scope(scores.tenant):
        assert distribution(scores.tenant) == {
            "on": "2025-06-18",
            "scored": 6,
            "healthy": 3,
            "at_risk": 2,
            "critical": 1,
            "unknown": 1,
            "mean": pytest.approx(471.0 / 6),
            "healthy_pct": 50.0,
            "mrr": {
                "currency": "EUR",
                "scored_cents": 1150_00,
                "healthy_cents": 800_00,
                "at_risk_cents": 300_00,
                "critical_cents": 50_00,
                "unknown_cents": 70_00,
                "healthy_pct": 69.6,
            },
        }
        row = summary(scores.tenant)
        assert row is not None
        bins = {5 * place: count for place, count in enumerate(row.histogram) if count}
        assert bins == {55: 1, 60: 1, 80: 2, 90: 1, 95: 1}
        assert (row.mrr_histogram[16], sum(row.mrr_histogram)) == (500_00, 1150_00)
        assert coverage(scores.tenant) == {"on": TODAY, "coverage_pct": 64.3, "scored": 6, "unknown": 1}


def test_summarising_again_changes_nothing(scores: Scores) -> None:
    scores.summarise()
    with tenant_scope(scores.tenant):
        before = list(TenantDay.objects.values())
    assert scores.summarise() == 0
    with tenant_scope(scores.tenant):
        assert list(TenantDay.objects.values()) == before


def test_many_days_at_once_are_the_same_as_one_by_one(scores: Scores) -> None:
    for ago in range(1, 4):
        scores.score("a", 50.0 + ago, TODAY - timedelta(days=ago))
    assert scores.summarise(first_day=TODAY - timedelta(days=9)) == 4
    with tenant_scope(scores.tenant):
        means = {row.day: row.mean for row in TenantDay.objects.all()}
    assert [means[TODAY - timedelta(days=ago)] for ago in (1, 2, 3)] == [51.0, 52.0, 53.0]


def test_without_any_summary_everything_is_nothing(db: None) -> None:
    empty = Scores()
    assert empty.summarise() == 0
    with tenant_scope(empty.tenant):
        found = distribution(empty.tenant, TODAY)
        assert (found["on"], found["scored"], found["mean"], found["healthy_pct"]) == (
            "2025-06-18",
            0,
            None,
            None,
        )
        assert (trend(empty.tenant), movers(empty.tenant)) == ([], {"down": [], "up": []})


def test_the_trend_takes_the_last_day_of_each_week(scores: Scores) -> None:
    for ago, score in ((1, 50.0), (3, 90.0), (4, 10.0), (17, 70.0)):
        scores.score("a", score, TODAY - timedelta(days=ago))
    scores.summarise(first_day=TODAY - timedelta(days=30))
    with tenant_scope(scores.tenant):
        weeks = trend(scores.tenant, 4, until=TODAY)
    assert [
        (row["week"], row["day"], row["healthy_pct"], row["at_risk_pct"], row["critical_pct"])
        for row in weeks
    ] == [
        (date(2025, 5, 26), date(2025, 6, 1), 0.0, 100.0, 0.0),
        (date(2025, 6, 9), date(2025, 6, 15), 100.0, 0.0, 0.0),
        (date(2025, 6, 16), TODAY, 50.0, 33.3, 16.7),
    ]


def test_movers_are_the_largest_changes_of_a_week_by_owner_if_asked(scores: Scores) -> None:
    for name, before in (("a", 90.0), ("c", 95.0), ("e", 40.0), ("d", 60.0), ("g", 20.0)):
        scores.score(name, before, TODAY - timedelta(days=7))
    scores.summarise()
    with tenant_scope(scores.tenant):
        found = movers(scores.tenant, limit=2)
        assert [(line["name"], line["change"]) for line in found["up"]] == [
            ("g", 71.0),
            ("e", pytest.approx(19.9)),
        ]
        assert [
            (line["name"], line["change"], line["band_before"], line["band"]) for line in found["down"]
        ] == [("c", -15.0, 3, 2)]
        looked_up = movers(scores.tenant, days=7, limit=2, owner_id=-1)
        assert looked_up == {"down": [], "up": []}


def test_the_marks_of_the_trend_are_the_versions_published_since(scores: Scores) -> None:
    with tenant_scope(scores.tenant):
        assert trend_marks(scores.tenant, 4, until=TODAY) == []
        first = Version.objects.get(pk=scores.version)
        Version.objects.create(
            model=first.model,
            number=2,
            state=Version.State.PUBLISHED,
            in_force_from=TODAY - timedelta(days=3),
        )
        marks = trend_marks(scores.tenant, 4, until=TODAY)
    assert [(mark["day"], mark["model"], mark["version"]) for mark in marks] == [
        (TODAY - timedelta(days=3), "plg", 2)
    ]


def ask(tenant: Tenant, query: str = "") -> Any:
    _key, secret = make_key(tenant=tenant, name="t", scope=ApiKey.Scope.READ)
    return Client().get(f"/api/v1/health/distribution{query}", headers={"Authorization": f"Bearer {secret}"})


def test_the_api_gives_the_distribution_of_a_day(scores: Scores, rival: Tenant) -> None:
    scores.score("a", 70.0, TODAY - timedelta(days=5))
    scores.summarise(first_day=TODAY - timedelta(days=5))
    assert set(ask(scores.tenant).json()) == {
        "on",
        "scored",
        "healthy",
        "at_risk",
        "critical",
        "unknown",
        "mean",
        "healthy_pct",
        "mrr",
    }
    assert ask(scores.tenant).json()["scored"] == 6
    earlier = ask(scores.tenant, f"?on={TODAY - timedelta(days=2)}").json()
    assert (earlier["on"], earlier["scored"], earlier["at_risk"]) == ("2025-06-13", 1, 1)
    assert ask(scores.tenant, "?on=never").status_code == 400
    assert ask(rival).json()["scored"] == 0


@pytest.mark.parametrize("count", [1, 3])
def test_dashboards_cost_the_same_however_many_accounts(
    db: None, count: int, django_assert_num_queries: Any
) -> None:
    made = Scores()
    for number in range(count):
        made.account(str(number))
        made.score(str(number), 50.0)
        made.score(str(number), 90.0, TODAY - timedelta(days=7))
    made.summarise()
    with tenant_scope(made.tenant), django_assert_num_queries(5):
        distribution(made.tenant)
        trend(made.tenant, until=TODAY)
        trend_marks(made.tenant, until=TODAY)
        movers(made.tenant)
