"""A small tenant of which every figure can be computed by hand: rows as the services leave them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Contact, Membership, Role, Team, TeamMember, Tenant, TimelineEntry
from accounts.services.tenants import create_tenant
from alerts.models import Alert, Rule
from expansion.models import Holding, MrrChange, Offering, Opportunity, Renewal
from nps.surveys.models import Answer, Invitation, Survey
from nps.surveys.scales import category_of
from playbooks.models import OnboardingPlan, Playbook, PlaybookVersion, Run, Task
from reports.days import last_month_end
from reports.services import keep_reports
from scoring.bands import Bands
from scoring.models import Version
from tests.conftest import make_member
from usage.models import Feature

TODAY = date(2026, 6, 17)  # a Wednesday


def code_of(value: float) -> int:
    """The band that the shipped thresholds give a score."""
    return int(Bands().classify(np.array([value]))[0])


@dataclass
class Small:
    """The tenant; every helper works inside the scope that the caller opened."""

    tenant: Tenant = field(default_factory=lambda: create_tenant(slug="small", name="Small", currency="EUR"))
    accounts: dict[str, Account] = field(default_factory=dict)
    members: dict[str, Membership] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.today = TODAY
        month = last_month_end(self.today)
        self.month = month if month < self.today else last_month_end(month.replace(day=1) - timedelta(days=1))
        for name, role in [("mona", Role.MANAGER), ("carl", Role.CSM), ("cora", Role.CSM)]:
            self.members[name] = make_member(self.tenant, name, role)
        with tenant_scope(self.tenant):
            self.version = Version.objects.get(model__key="plg", state="published")

    def ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def at(self, day: date, hour: int = 12) -> datetime:
        return datetime.combine(day, time(hour), UTC)

    def account(self, name: str, **fields: Any) -> Account:
        values = {"first_seen_on": self.ago(800), "currency": "EUR"} | fields
        made = Account.objects.create(external_id=name, name=name.title(), **values)
        self.accounts[name] = made
        return made

    def score(
        self, name: str, value: float | None, day: date, coverage: float = 1.0, components: str = "{}"
    ) -> None:
        """A stored score with the band that the model's thresholds give it."""
        code = 0 if value is None else code_of(value)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO scoring_score VALUES (%s, 1, %s, %s, %s, %s, %s, %s, false, true, %s, '{}', '{}', '{}', '{}')",
                [
                    self.tenant.pk,
                    self.accounts[name].pk,
                    day,
                    self.version.pk,
                    value,
                    code,
                    coverage,
                    components,
                ],
            )

    def scores(self, name: str, first: date, last: date, value: float) -> None:
        """The same score on each of some days."""
        code = code_of(value)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO scoring_score SELECT %s, 1, %s, d::date, %s, %s, %s, 1, false, true, "
                "'{}', '{}', '{}', '{}', '{}' FROM generate_series(%s::date, %s::date, '1 day') d",
                [self.tenant.pk, self.accounts[name].pk, self.version.pk, value, code, first, last],
            )

    def pays(self, name: str, *changes: tuple[date, int], currency: str = "EUR") -> None:
        for on, cents in changes:
            MrrChange.objects.create(
                account=self.accounts[name], on=on, mrr_cents=cents, currency=currency, line_id=0
            )

    def run(self, name: str, started: date, **fields: Any) -> Run:
        play = Playbook.objects.get(key=fields.pop("play", "express_training"))
        version = PlaybookVersion.objects.get(playbook=play, state="published")
        return Run.objects.create(
            playbook=play,
            version=version,
            account=self.accounts[name],
            started_on=started,
            **({"state": Run.State.DONE} | fields),
        )

    def alert(self, name: str, opened: date, **fields: Any) -> Alert:
        rule = Rule.objects.get(kind="ticket_unresolved")
        return Alert.objects.create(
            rule=rule,
            account=self.accounts[name],
            subject=f"{opened}",
            opened_on=opened,
            last_seen_on=opened,
            created_at=self.at(opened + timedelta(days=1), 0),
            **fields,
        )

    def answer(self, name: str, value: int, day: date) -> None:
        self.asked(name, day, answered=True)
        invitation = Invitation.objects.latest("id")
        Answer.objects.create(
            invitation=invitation,
            survey=invitation.survey,
            wave=invitation.wave,
            account=invitation.account,
            contact=invitation.contact,
            kind="nps",
            score=value,
            category=category_of("nps", value),
            answered_at=self.at(day),
            changed_at=self.at(day),
        )

    def asked(self, name: str, day: date, *, answered: bool = False, arrived: bool = True) -> None:
        contact = Contact.objects.create(account=self.accounts[name], email="x@y.example")
        Invitation.objects.create(
            survey=Survey.objects.get(key="relationship"),
            wave="wave-1",
            account=self.accounts[name],
            contact=contact,
            nonce="n",
            asked_on=day,
            send_at=self.at(day),
            closes_on=day,
            delivered_at=self.at(day) if arrived else None,
            answered_at=self.at(day) if answered else None,
        )

    def keep(self, day: date | None = None) -> int:
        return keep_reports(tenant=self.tenant, day=day or self.today)


def fill(small: Small) -> None:
    """Everything that the table of the golden test is computed from."""
    s, ago, today = small, small.ago, small.today
    carl, cora = s.members["carl"], s.members["cora"]
    smb = {"segment": "smb", "plan": "pro", "plan_kind": "contract"}
    s.account("a", owner=carl, mrr_cents=300_00, touch_model="named", **smb)
    s.account("b", owner=carl, mrr_cents=200_00, touch_model="named", **smb)
    s.account("c", owner=carl, mrr_cents=100_00, touch_model="pooled", segment="mid")
    s.account("d", owner=cora, mrr_cents=50_00, touch_model="tech")
    s.account("e", owner=cora, mrr_cents=70_00)
    s.account("f", mrr_cents=900_00, currency="USD")
    s.account("gone", owner=carl, mrr_cents=1, churned_on=today)
    team = Team.objects.create(name="North")
    TeamMember.objects.create(team=team, member=carl)
    # usage 30, engagement 25, adoption 20 count in the engagement score; support 15 and payment 10 do not
    s.score("a", 80.1, today, 0.75, "{90,80,70,0,0}")
    s.score("b", 80.0, today, 0.75, "{100,100,NULL,0,0}")
    s.score("c", 60.0, today, 0.75, "{NULL,NULL,NULL,60,60}")
    s.score("d", 59.9, today, 0.75, "{20,20,20,100,100}")
    s.score("e", None, today, 0.0)
    s.score("f", 95.0, today, 0.75)
    s.score("gone", 5.0, today)
    for name, before in [("a", 50.0), ("b", 90.0), ("c", 60.0), ("d", 70.0)]:
        s.score(name, before, ago(30))
    _months(s)
    _features(s)
    _growth(s)
    _renewals(s)
    _recovery(s)
    _service(s)


def _months(s: Small) -> None:
    """Scores and MRR around the last complete month."""
    first, before = s.month.replace(day=1), s.month.replace(day=1) - timedelta(days=1)
    for name, then, now in [("a", 60.0, 72.0), ("b", 80.0, 74.0), ("f", 50.0, 50.0)]:
        if name != "f":  # had no band in the month before
            s.score(name, then, before)
        s.score(name, now, first)
    year = date(s.month.year - 1, s.month.month, 1)
    long = year - timedelta(days=200)
    s.pays("a", (long, 1000_00), (first + timedelta(days=5), 1200_00))  # + 200 in the last month
    s.pays("b", (long, 500_00), (year + timedelta(days=45), 400_00))  # downgraded within the year
    s.pays("c", (long, 300_00), (first + timedelta(days=2), 0))  # churned in the last month
    s.pays("d", (first + timedelta(days=1), 80_00))  # new
    s.pays("f", (long, 700_00), currency="USD")


def _features(s: Small) -> None:
    """Four people at a and two at d; one key feature for all, one for admins."""
    key = Feature.objects.create(key="boards", name="Boards", is_key=True)
    admin = Feature.objects.create(key="sso", name="SSO", is_key=True, access="admins")
    Feature.objects.create(key="other", name="Other")
    people = [
        Contact.objects.create(
            account=s.accounts[name],
            user_id=f"{name}{number}",
            roles=["admin"] if number == 0 else [],
            first_seen_at=s.at(s.ago(90)),
        )
        for name, count in [("a", 4), ("d", 2)]
        for number in range(count)
    ]
    used = [(people[0], [key.pk, admin.pk]), (people[1], [key.pk]), (people[4], [key.pk])]
    with connection.cursor() as cursor:
        for person, features in used:
            cursor.execute(
                "INSERT INTO usage_user_day (tenant_id, account_id, contact_id, day, events, features) VALUES "
                "(%s, %s, %s, %s, 1, %s)",
                [s.tenant.pk, person.account_id, person.pk, s.ago(27), features],
            )
        cursor.execute(
            "INSERT INTO usage_user_day (tenant_id, account_id, contact_id, day, events, features) VALUES "
            "(%s, %s, %s, %s, 1, %s)",
            [s.tenant.pk, people[5].account_id, people[5].pk, s.ago(28), [key.pk]],  # a day too old
        )


def _growth(s: Small) -> None:
    """Two products: who has which since when, and what was won."""
    Offering.objects.all().delete()
    one = Offering.objects.create(key="one", name="One", type="cross_product")
    two = Offering.objects.create(key="two", name="Two", type="cross_product", segments=["smb"])
    for name in "abcdef":
        Holding.objects.create(account=s.accounts[name], offering=one, source="plan", since_on=s.ago(700))
    # Of "two" only a and b (smb) are told; a bought it 10 days ago, b has it in the pipeline of nobody: a gap.
    Holding.objects.create(account=s.accounts["a"], offering=two, source="won", since_on=s.ago(10))
    Holding.objects.filter(account=s.accounts["f"]).update(until_on=s.ago(20))  # left product one: a gap
    Opportunity.objects.create(
        account=s.accounts["a"],
        type="cross_product",
        what="two",
        stage="won",
        stage_since=s.ago(10),
        currency="EUR",
        opened_on=s.ago(40),
        close_on=s.ago(10),
        closed_on=s.ago(10),
        won_mrr_cents=200_00,
    )


def _renewals(s: Small) -> None:
    def put(name: str, due: date, target: int, **fields: Any) -> None:
        values = {
            "term_months": 12,
            "currency": "EUR",
            "mrr_cents": target // 12,
            "target_cents": target,
            "forecast_cents": target,
            "category": "commit",
            "computed_category": "commit",
            "opened_on": s.ago(500),
        }
        Renewal.objects.create(account=s.accounts[name], due_on=due, **(values | fields))

    put("a", s.ago(-30), 1200_00)
    put("b", s.ago(-30), 600_00, at_risk=True)
    put("c", s.ago(-31), 100_00)
    put("a", s.ago(20), 1000_00, state="renewed", outcome="more", final_cents=1500_00, closed_on=s.ago(20))
    put("b", s.ago(29), 800_00, state="renewed", outcome="less", final_cents=600_00, closed_on=s.ago(29))
    put("c", s.ago(10), 200_00, state="lost", final_cents=0, closed_on=s.ago(10))
    put("d", s.ago(40), 9000_00, state="lost", final_cents=0, closed_on=s.ago(40))


def _recovery(s: Small) -> None:
    """One case of each end: healthy for 60 days, renewed, lost, open, and what is none."""
    for name in ("back", "renewed", "lost", "waiting", "calm", "short"):
        s.account(name, churned_on=s.ago(5) if name == "lost" else None)
        s.score(name, 40.0 if name != "calm" else 70.0, s.ago(200))
        s.run(name, s.ago(198), state="done", finished_on=s.ago(190))
    s.scores("back", s.ago(80), s.ago(21), 90.0)  # 60 days in a row: the last one 21 days ago
    s.scores("short", s.ago(80), s.ago(22), 90.0)  # 59: still open
    Renewal.objects.create(
        account=s.accounts["renewed"],
        due_on=s.ago(100),
        term_months=12,
        mrr_cents=0,
        target_cents=0,
        forecast_cents=0,
        category="commit",
        computed_category="commit",
        opened_on=s.ago(400),
        state="renewed",
        final_cents=0,
        closed_on=s.ago(60),
    )
    s.run(
        "waiting", s.ago(197), play="hooks_review", finished_on=s.ago(3), outcome="no_effect"
    )  # the same case
    s.run("a", s.ago(20), finished_on=s.ago(2), outcome="recovered")  # never critical: a save, no case


def _service(s: Small) -> None:
    for name, status, started, value_on in [
        ("a", "on_track", 20, 8),
        ("b", "behind", 30, 10),
        ("c", "stuck", 90, None),
        ("d", "stuck", 200, 150),
    ]:
        OnboardingPlan.objects.create(
            account=s.accounts[name],
            starts_on=s.ago(started),
            status=status,
            value_on=None if value_on is None else s.ago(value_on),
        )
    for name, value, days in [
        ("a", 9, 1),
        ("a", 10, 29),
        ("b", 8, 2),
        ("c", 7, 3),
        ("d", 6, 4),
        ("b", 0, 30),
    ]:
        s.answer(name, value, s.ago(days))
    s.asked("e", s.ago(5))
    s.asked("e", s.ago(6), arrived=False)
    opened = s.alert("a", s.ago(10), first_action_at=s.at(s.ago(9), 4))  # there at midnight: 4 hours
    s.alert("b", s.ago(40), state="closed", ended_on=s.ago(29), closed_at=s.at(s.ago(29), 0))
    s.alert("c", s.ago(29))
    assert opened.first_action_at
    task = {"title": "t", "assignee": s.members["carl"], "created_at": s.at(s.ago(50))}
    Task.objects.create(account=s.accounts["a"], due_on=s.ago(1), **task)
    Task.objects.create(account=s.accounts["a"], due_on=s.today, **task)
    Task.objects.create(
        account=s.accounts["b"],
        due_on=s.ago(1),
        state="done",
        completed_by=s.members["cora"],
        completed_at=s.at(s.ago(29)),
        **task,
    )
    for name, days in [("a", 30), ("b", 31)]:
        TimelineEntry.objects.create(
            account=s.accounts[name], kind="note", at=s.at(s.ago(days)), actor=s.members["carl"], title="x"
        )
    TimelineEntry.objects.create(account=s.accounts["c"], kind="score", at=s.at(s.ago(1)), title="a machine")
