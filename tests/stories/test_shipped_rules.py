"""Each shipped rule from what is posted over HTTP to the alert, its play, its tasks and its end; and one where it is quiet.

The clock is frozen: the night of a day runs early on the next morning.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import Account, Membership, Tenant
from accounts.services.tenants import create_tenant
from alerts.models import Alert
from alerts.services import evaluate_rules
from playbooks.models import Run, Task
from playbooks.services import advance_runs
from scoring.services import score_accounts
from tests.conftest import make_member
from usage.models import Feature
from usage.services import drain_pending, snapshot_state

SUNDAY = date(2026, 3, 8)
LONG_AGO = "2025-09-01"
Rows = list[dict[str, Any]]


class Company:
    """A tenant that is spoken to over HTTP, and its nights."""

    def __init__(self, tenant: Tenant, owner: Membership, client: Client) -> None:
        self.tenant, self.owner, self.client = tenant, owner, client
        _key, secret = make_key(tenant=tenant, name="story", scope="write")
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.sent = 0

    def post(self, path: str, *items: dict[str, Any], on: date = SUNDAY, hour: int = 12) -> None:
        """Records as the customer's systems send them."""
        with time_machine.travel(datetime.combine(on, time(hour), UTC), tick=False):
            answer = self.client.post(
                f"/api/v1/{path}/bulk",
                {"items": list(items)},
                content_type="application/json",
                headers=self.headers,
            )
        assert answer.status_code == 200, answer.text
        assert answer.json()["rejected"] == []

    def accounts(self, *names: str, **fields: Any) -> None:
        """Accounts of the owner, live since long ago."""
        given = {"owner_email": self.owner.user.email, "go_live_on": LONG_AGO, **fields}
        items = [{"external_id": name, "name": name.title(), **given} for name in names]
        self.post("accounts", *items, on=SUNDAY - timedelta(days=40))
        with tenant_scope(self.tenant):  # they have been customers for long, whatever the test's clock says
            Account.objects.update(first_seen_on=LONG_AGO)

    def events(self, rows: Rows, on: date = SUNDAY, hour: int = 13) -> None:
        """Usage, received on this day."""
        for first in range(0, len(rows), 1000):
            with time_machine.travel(datetime.combine(on, time(hour), UTC), tick=False):
                answer = self.client.post(
                    "/api/v1/events",
                    {"events": rows[first : first + 1000]},
                    content_type="application/json",
                    headers=self.headers,
                )
            assert answer.status_code == 200, answer.text
            assert answer.json()["rejected"] == []

    def use(
        self,
        account: str,
        day: date,
        event: str = "Message Sent",
        count: int = 1,
        people: int = 1,
        **more: Any,
    ) -> Rows:
        """Events of a day, shared out among people."""
        rows = []
        for n in range(count):
            self.sent += 1
            at = datetime.combine(day, time(9, n % 60), UTC).isoformat()
            person = f"{account}-{n % people}"
            rows.append(
                {
                    "account_id": account,
                    "user_id": person,
                    "event": event,
                    "occurred_at": at,
                    "event_id": f"e{self.sent}",
                    "properties": more,
                }
            )
        return rows

    def drain(self, day: date) -> None:
        """Take in what was posted by the end of a day."""
        with time_machine.travel(datetime.combine(day, time(23), UTC), tick=False):
            drain_pending(tenant=self.tenant)

    def night(self, day: date = SUNDAY, *, score: bool = False) -> tuple[int, int]:
        """The night after a day: how many alerts it opened and resolved."""
        with time_machine.travel(datetime.combine(day + timedelta(days=1), time(2), UTC), tick=False):
            drain_pending(tenant=self.tenant)
            with tenant_scope(self.tenant):
                snapshot_state(tenant=self.tenant, day=day)
                if score:
                    score_accounts(tenant=self.tenant, day=day)
                found = evaluate_rules(tenant=self.tenant, day=day)
                advance_runs(tenant=self.tenant, day=day)
                assert evaluate_rules(tenant=self.tenant, day=day).opened == 0
        return found.opened, found.resolved

    def alerts(self) -> list[tuple[str, str, str, str]]:
        """Rule, account, subject, state."""
        with tenant_scope(self.tenant):
            rows = Alert.objects.order_by("id").values_list(
                "rule__key", "account__external_id", "subject", "state"
            )
            return list(rows)

    def only(self, rule: str, account: str, subject: str = "", play: str = "", state: str = "open") -> None:
        """There is this alert of the rule and no other of it; its play runs and its tasks are the owner's."""
        found = [row for row in self.alerts() if row[0] == rule]
        assert found == [(rule, account, subject, state)]
        if play and state == "open":
            with tenant_scope(self.tenant):
                run = Run.objects.get(playbook__key=play, account__external_id=account)
                assert Alert.objects.get(rule__key=rule).run_id == run.pk
                owners = set(Task.objects.filter(run=run).values_list("assignee_id", flat=True))
            assert owners == {self.owner.pk}


@pytest.fixture
def company(db: None, client: Client) -> Iterator[Company]:
    """A company as `create_tenant` makes it, in February."""
    with time_machine.travel(datetime(2026, 1, 20, 8, tzinfo=UTC), tick=False):
        tenant = create_tenant(slug="story", name="Story")
        owner = make_member(tenant, "olga", "csm")
    with time_machine.travel(datetime.combine(SUNDAY, time(8), UTC), tick=False):
        yield Company(tenant, owner, client)


def day(ago: int) -> date:
    return SUNDAY - timedelta(days=ago)


TOMORROW = SUNDAY + timedelta(days=1)


def test_usage_under_target(company: Company) -> None:
    company.accounts("sick", "well", targets={"sends": 10})
    company.accounts("aimless")
    rows = company.use("sick", day(9), count=4) + company.use("sick", day(2), count=4)
    rows += company.use("well", day(9), count=12) + company.use("well", day(2), count=12)
    rows += company.use("aimless", day(9)) + company.use("sick", day(30), count=12)
    company.events(rows)
    company.night()
    company.only("usage_under_target", "sick", play="express_training")
    company.events(company.use("sick", TOMORROW, count=6), on=TOMORROW)
    company.night(TOMORROW)
    company.only("usage_under_target", "sick", state="resolved")


def test_reply_rate_falling(company: Company) -> None:
    company.accounts("sick", "well", "small")
    rows: Rows = []
    for week in range(5):
        on = day(3 + 7 * week)
        rows += company.use("sick", on, count=20) + company.use("well", on, count=20)
        rows += company.use("sick", on, "Reply Received", count=2 if week == 0 else 10)
        rows += company.use("well", on, "Reply Received", count=9)
        rows += company.use("small", on, count=5)  # too few to judge
        rows += company.use("small", on, "Reply Received", count=0 if week == 0 else 4)
    company.events(rows)
    company.night()
    company.only("reply_rate_falling", "sick", play="hooks_review")
    on = SUNDAY + timedelta(days=4)
    company.events(
        company.use("sick", on, count=20) + company.use("sick", on, "Reply Received", count=9), on=on
    )
    company.night(SUNDAY + timedelta(days=7))
    company.only("reply_rate_falling", "sick", state="resolved")


def test_no_active_dashboard(company: Company) -> None:
    company.accounts("sick", "well")
    company.accounts("fresh", go_live_on=day(10).isoformat())
    rows = [row for name in ("sick", "well", "fresh") for row in company.use(name, day(1))]
    company.events(rows + company.use("well", day(1), "Dashboard Viewed"))
    company.night()
    company.only("no_active_dashboard", "sick", play="data_audit")
    company.events(company.use("sick", TOMORROW, "Dashboard Viewed"), on=TOMORROW)
    company.night(TOMORROW)
    company.only("no_active_dashboard", "sick", state="resolved")


def test_ticket_unresolved(company: Company) -> None:
    company.accounts("sick", "well")
    old = {"external_id": "T-1", "account_id": "sick", "opened_at": f"{day(5)}T08:00:00Z"}
    young = {"external_id": "T-2", "account_id": "well", "opened_at": f"{day(1)}T08:00:00Z"}
    company.post("tickets", old, young)
    company.night()
    company.only("ticket_unresolved", "sick", "T-1", play="data_audit")
    company.post("tickets", {**old, "resolved_at": f"{TOMORROW}T09:00:00Z"}, on=TOMORROW)
    company.night(TOMORROW)
    company.only("ticket_unresolved", "sick", "T-1", state="resolved")


def test_health_dropped(company: Company) -> None:
    company.accounts("sick", "well")
    rows = [
        row
        for n in range(40, 3, -1)
        for name in ("sick", "well")
        for row in company.use(name, day(n), count=8, people=4)
    ]
    company.events(rows, on=day(4))
    company.night(day(4), score=True)
    company.events(
        [row for n in range(3, -1, -1) for row in company.use("well", day(n), count=8, people=4)], on=SUNDAY
    )
    ticket = {
        "external_id": "T",
        "account_id": "sick",
        "opened_at": f"{day(9)}T08:00:00Z",
        "severity": "urgent",
    }
    invoice = {"external_id": "I", "account_id": "sick", "amount_cents": 100, "due_on": day(60).isoformat()}
    company.post("tickets", ticket)
    company.post("invoices", invoice)
    company.night(SUNDAY, score=True)
    company.only("health_dropped", "sick")
    with tenant_scope(company.tenant):
        alert = Alert.objects.select_related("run__playbook").get(rule__key="health_dropped")
        assert alert.run is not None
        assert alert.evidence["from_score"] > alert.evidence["score"]
        weakest = {"support": "data_audit", "payment": "payment_recovery", "usage": "express_training"}
        assert alert.run.playbook.key == weakest[alert.evidence["weakest"]]
        assert Task.objects.filter(run=alert.run, assignee=company.owner).exists()
    company.post("tickets", {**ticket, "resolved_at": f"{TOMORROW}T08:00:00Z"}, on=TOMORROW)
    company.post("invoices", {**invoice, "state": "paid", "paid_at": f"{TOMORROW}T08:00:00Z"}, on=TOMORROW)
    company.events(company.use("sick", TOMORROW, count=60, people=4), on=TOMORROW)
    company.night(TOMORROW, score=True)
    company.only("health_dropped", "sick", state="resolved")


def test_feature_adoption_low(company: Company) -> None:
    company.accounts("sick", "well")
    rows: Rows = []
    for name, users in (("sick", 1), ("well", 4)):
        rows += company.use(name, day(3), count=5, people=5)
        rows += company.use(name, day(2), "Report Exported", count=users, people=5)
    company.events(rows)
    company.drain(SUNDAY)
    with tenant_scope(company.tenant):
        feature = Feature.objects.get(name="Report Exported")
        Feature.objects.filter(pk=feature.pk).update(is_key=True)
    company.night()
    company.only("feature_adoption_low", "sick", feature.key, play="feature_adoption")
    company.events(company.use("sick", TOMORROW, "Report Exported", count=3, people=5), on=TOMORROW)
    company.night(TOMORROW)
    company.only("feature_adoption_low", "sick", feature.key, state="resolved")


def test_engagement_falling(company: Company) -> None:
    company.accounts("sick", "well")
    rows: Rows = []
    for week in range(5):
        on = day(3 + 7 * week)
        rows += company.use("sick", on, count=10, people=1 if week == 0 else 5)
        rows += company.use("well", on, count=10, people=5)
    company.events(rows)
    company.night()
    company.only("engagement_falling", "sick", play="re_engagement")
    on = SUNDAY + timedelta(days=4)
    company.events(
        [row for name in ("sick", "well") for row in company.use(name, on, count=10, people=5)], on=on
    )
    company.night(SUNDAY + timedelta(days=7))
    company.only("engagement_falling", "sick", state="resolved")


def test_limit_reached(company: Company) -> None:
    company.accounts("sick", "well", seats=5)
    company.events(
        company.use("sick", day(1), count=5, people=5) + company.use("well", day(1), count=3, people=3)
    )
    company.night()
    company.only("limit_reached", "sick")
    with tenant_scope(company.tenant):
        assert Alert.objects.get(rule__key="limit_reached").person_reason == "expansion"
    company.post("accounts", {"external_id": "sick", "seats": 10}, on=TOMORROW)
    company.night(TOMORROW)
    company.only("limit_reached", "sick", state="resolved")


def test_expansion_signal(company: Company) -> None:
    company.accounts("keen", "well")
    company.events(company.use("keen", day(1), "Contact Sales") + company.use("well", day(1)))
    company.night()
    company.only("expansion_signal", "keen")
    for n in range(2, 16, 2):  # were the source silent, nobody could tell whether it is over
        company.events(company.use("well", SUNDAY + timedelta(days=n)), on=SUNDAY + timedelta(days=n))
    company.night(SUNDAY + timedelta(days=14))
    company.only("expansion_signal", "keen", state="resolved")


def test_payment_failed(company: Company) -> None:
    company.accounts("sick", "well")
    late = {"external_id": "I-1", "account_id": "sick", "amount_cents": 100, "due_on": day(3).isoformat()}
    company.post(
        "invoices", late, {**late, "external_id": "I-2", "account_id": "well", "due_on": "2026-04-01"}
    )
    company.night()
    company.only("payment_failed", "sick", play="payment_recovery")
    company.post("invoices", {**late, "paid_at": f"{TOMORROW}T08:00:00Z", "state": "paid"}, on=TOMORROW)
    company.night(TOMORROW)
    company.only("payment_failed", "sick", state="resolved")


def test_champion_gone(company: Company) -> None:
    company.accounts("sick", "well")
    rows = company.use("sick", day(35)) + company.use("well", day(2))
    company.events(rows + company.use("well", day(35)))
    company.post(
        "contacts",
        {"account_id": "sick", "user_id": "sick-0", "name": "Ann", "roles": ["champion"]},
        {"account_id": "well", "user_id": "well-0", "name": "Bob", "roles": ["champion"]},
    )
    company.night()
    company.only("champion_gone", "sick", "sick-0", play="re_engagement")
    company.events(company.use("sick", TOMORROW), on=TOMORROW)
    company.night(TOMORROW)
    company.only("champion_gone", "sick", "sick-0", state="resolved")
    company.post(
        "contacts", {"account_id": "well", "user_id": "well-0", "roles": []}, on=SUNDAY + timedelta(days=2)
    )
    company.night(SUNDAY + timedelta(days=2))
    assert ("champion_gone", "well", "well-0", "open") in company.alerts()


def test_low_nps(company: Company) -> None:
    company.accounts("sick", "well")
    company.post(
        "metrics",
        {"account_id": "sick", "metric": "nps", "day": day(1).isoformat(), "value": 6},
        {"account_id": "well", "metric": "nps", "day": day(1).isoformat(), "value": 7},
    )
    company.night()
    company.only("low_nps", "sick", play="nps_recovery")
    company.post(
        "metrics",
        {"account_id": "sick", "metric": "nps", "day": TOMORROW.isoformat(), "value": 9},
        on=TOMORROW,
    )
    company.night(TOMORROW)
    company.only("low_nps", "sick", state="resolved")


def test_a_source_that_died_is_one_alert_and_nobodys_fault(company: Company) -> None:
    names = [f"c{n}" for n in range(400)]
    company.accounts(*names, targets={"sends": 10})
    company.events([row for name in names for row in company.use(name, day(40), count=2)], on=day(40))
    for n in range(38, 19, -2):
        company.events(company.use("c0", day(n), count=6), on=day(n))
    assert company.night(day(20))[0] >= 399  # while it delivers, silence is silence
    with tenant_scope(company.tenant):
        Alert.objects.all().delete()
    company.night(day(10))
    assert company.alerts() == [("source_quiet", None, "api", "open")]
    with tenant_scope(company.tenant):
        evidence = Alert.objects.get().evidence
    assert {"usage_under_target", "no_active_dashboard", "engagement_falling"} <= set(evidence["rules"])
    assert "sends" in evidence["metrics_missing"]
    company.events([row for name in names for row in company.use(name, day(2), count=30)], on=day(2))
    company.night(day(2))
    assert ("source_quiet", None, "api", "resolved") in company.alerts()
