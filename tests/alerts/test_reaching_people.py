"""Who is told of alerts, by which channel, how often, and when the digest comes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.fence.scope import tenant_scope
from accounts.jobs import run_jobs
from accounts.mail import compose_email
from accounts.models import Account, Job, Membership, Outbox, Tenant, Ticket
from alerts.models import Alert, Attention, MemberAttention, Rule
from alerts.services import evaluate_rules, plan_digests, send_digest
from alerts.services.digest import next_morning
from outreach.models import Endpoint, Event, Notification
from outreach.services import notify_members

from .conftest import SUNDAY
from .test_findings import make_alert

LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def tickets_only(inside: Tenant) -> Rule:
    """Acme with the ticket rule alone."""
    Rule.objects.exclude(key="ticket_unresolved").update(enabled=False)
    return Rule.objects.get(key="ticket_unresolved")


def ticket(account: Account, key: str, severity: str = "normal") -> Ticket:
    return Ticket.objects.create(
        tenant=account.tenant,
        account=account,
        external_id=key,
        opened_at=LONG_AGO,
        received_at=LONG_AGO,
        severity=severity,
    )


@pytest.mark.parametrize(
    ("interrupts", "segment", "severity", "reason"),
    [
        ("auto", "smb", "normal", ""),
        ("auto", "Enterprise", "normal", "enterprise"),
        ("auto", "smb", "high", "complex"),
        ("always", "smb", "normal", "rule"),
        ("never", "Enterprise", "high", ""),
    ],
)
def test_only_what_asks_for_a_person_interrupts_one(
    tickets_only: Rule, owned: Account, interrupts: str, segment: str, severity: str, reason: str
) -> None:
    Rule.objects.filter(pk=tickets_only.pk).update(interrupts=interrupts)
    Account.objects.filter(pk=owned.pk).update(segment=segment)
    ticket(owned, "T-1", severity)
    evaluate_rules(tenant=owned.tenant, day=SUNDAY)
    assert Alert.objects.get().person_reason == reason
    assert Notification.objects.count() == bool(reason)
    assert Alert.objects.get().run is not None  # automation runs either way


def test_the_company_says_what_is_enterprise_and_complex(tickets_only: Rule, owned: Account) -> None:
    Attention.objects.create(tenant=owned.tenant, enterprise_segments=["gold"], complex_severity="urgent")
    Account.objects.filter(pk=owned.pk).update(segment="GOLD")
    other = Account.objects.create(tenant=owned.tenant, external_id="o", name="O", segment="enterprise")
    ticket(owned, "T-1")
    ticket(other, "T-2", "high")
    evaluate_rules(tenant=owned.tenant, day=SUNDAY)
    found = dict(Alert.objects.values_list("subject", "person_reason"))
    assert found == {"T-1": "enterprise", "T-2": ""}


def test_nobody_is_interrupted_more_often_than_the_budget_and_managers_take_what_nobody_owns(
    tickets_only: Rule, owned: Account, carl: Membership, mona: Membership
) -> None:
    Rule.objects.filter(pk=tickets_only.pk).update(interrupts="always", channels=["in_app", "email"])
    MemberAttention.objects.create(tenant=owned.tenant, member=carl, budget=2)
    orphan = Account.objects.create(tenant=owned.tenant, external_id="orphan", name="Orphan")
    for n in range(4):
        ticket(owned, f"T-{n}")
    ticket(orphan, "T-9")
    evaluate_rules(tenant=owned.tenant, day=SUNDAY)
    told = list(Notification.objects.order_by("id").values_list("member_id", "title", "url"))
    assert [member for member, _title, _url in told].count(carl.pk) == 2
    assert [title for member, title, _url in told if member == mona.pk] == ["Orphan: Ticket unresolved"]
    assert Outbox.objects.count() == 3
    assert Alert.objects.count() == 5  # the inbox has them all
    evaluate_rules(tenant=owned.tenant, day=SUNDAY)
    assert (Notification.objects.count(), Outbox.objects.count()) == (3, 3)


def test_other_systems_are_told_of_opening_and_resolving(tickets_only: Rule, owned: Account) -> None:
    Endpoint.objects.create(
        tenant=owned.tenant, url="https://hooks.example/in", event_types=[], secret_sealed="x"
    )
    Rule.objects.filter(pk=tickets_only.pk).update(channels=["webhook"])
    found = ticket(owned, "T-1")
    evaluate_rules(tenant=owned.tenant, day=SUNDAY)
    Ticket.objects.filter(pk=found.pk).update(resolved_at=datetime(2026, 3, 9, 3, tzinfo=UTC))
    for _again in range(2):
        evaluate_rules(tenant=owned.tenant, day=SUNDAY + timedelta(days=1))
    assert list(Event.objects.order_by("id").values_list("type", flat=True)) == [
        "alert.opened",
        "alert.resolved",
    ]
    opened = Event.objects.order_by("id")[0]
    assert (opened.data["rule"], opened.data["account_id"], opened.data["subject"]) == (
        "ticket_unresolved",
        "owned",
        "T-1",
    )


# ── The digest ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("now", "zone", "hour", "morning"),
    [
        ("2026-03-09T02:00+00:00", "Europe/Madrid", 8, "2026-03-09T07:00+00:00"),
        ("2026-03-09T07:00+00:00", "Europe/Madrid", 8, "2026-03-10T07:00+00:00"),
        ("2026-03-09T02:00+00:00", "America/Lima", 8, "2026-03-09T13:00+00:00"),
        (
            "2026-03-28T23:30+00:00",
            "Europe/Madrid",
            2,
            "2026-03-29T01:00+00:00",
        ),  # that hour is skipped that night
        ("2026-10-25T00:15+00:00", "Europe/Madrid", 8, "2026-10-25T07:00+00:00"),  # the clock went back
        ("2028-02-28T23:00+00:00", "UTC", 8, "2028-02-29T08:00+00:00"),
    ],
)
def test_the_next_morning_is_the_members_own(now: str, zone: str, hour: int, morning: str) -> None:
    found = next_morning(datetime.fromisoformat(now), ZoneInfo(zone), hour)
    assert found.astimezone(UTC) == datetime.fromisoformat(morning)


def test_each_member_gets_one_digest_a_morning_in_their_zone(
    acme: Tenant, carl: Membership, mona: Membership, vera: Membership
) -> None:
    mona.user.timezone = "America/Lima"
    mona.user.save()
    now = datetime(2026, 3, 9, 2, tzinfo=UTC)
    with tenant_scope(acme):
        for _again in range(2):
            plan_digests(tenant=acme, now=now)
        jobs = {job.params["member"]: job.due_at for job in Job.objects.filter(kind="alert_digest")}
    assert jobs == {
        carl.pk: datetime(2026, 3, 9, 8, tzinfo=UTC),
        mona.pk: datetime(2026, 3, 9, 13, tzinfo=UTC),
    }


def test_a_digest_says_what_waits_and_is_skipped_when_nothing_does(
    inside: Tenant, owned: Account, carl: Membership, mona: Membership
) -> None:
    today = inside.today()
    assert not send_digest(tenant=inside, member=carl, on=today)
    assert Notification.objects.count() == 0
    evidence = {"ticket": "T-1", "title": "", "hours": 80, "limit": 72}
    make_alert(owned, subject="T-1", evidence=evidence, person_reason="critical", opened_on=today)
    make_alert(owned, subject="T-2", evidence={**evidence, "ticket": "T-2"}, opened_on=date(2026, 3, 1))
    carl.user.language = "es"
    carl.user.save()
    for first in (True, False):
        assert send_digest(tenant=inside, member=carl, on=today) is first
    mail = Outbox.objects.get()
    assert mail.payload["to"] == ["carl@acme.example"]
    assert mail.payload["subject"] == "2 alertas te esperan (1 nueva)"
    text = mail.payload["text"]
    assert text.index("Para ti: 1\n----------\n") < text.index("T-1") < text.index("T-2")
    assert text.index("La automatización se ocupa de estas: 1\n---") < text.index("T-2")
    assert "(la salud de la cuenta es crítica)" in text
    person, other = (Alert.objects.get(subject=name) for name in ("T-1", "T-2"))
    assert f"/t/acme/alerts/{person.pk}/) nueva – " in text and f"/t/acme/alerts/{other.pk}/) – " in text
    assert len([line for line in text.splitlines() if line.startswith("- ")]) == 2
    html = str(compose_email(inside, mail.key, mail.payload).alternatives[0][0])
    assert "<h2>Para ti: 1</h2><ul><li><a href=" in html and "<strong>nueva</strong>" in html
    assert Notification.objects.get().body == "Para ti: 1 · La automatización se ocupa de estas: 1"
    assert not send_digest(tenant=inside, member=mona, on=today)  # they are Carl's


def test_names_in_a_digest_are_never_markup_and_all_is_counted(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    today = inside.today()
    Account.objects.filter(pk=owned.pk).update(name="[Click](https://evil.example) {{ said.n0 }}")
    for number in range(23):
        evidence = {"ticket": f"N-{number}", "title": "**Bold**\n## Head", "hours": 80, "limit": 72}
        make_alert(owned, subject=f"N-{number}", evidence=evidence, opened_on=today - timedelta(days=9))
    assert send_digest(tenant=inside, member=carl, on=today)
    payload = Outbox.objects.get().payload
    assert payload["subject"] == "23 alerts wait for you"
    assert "Automation is on these: 23" in payload["text"] and "- … and 3 more." in payload["text"]
    html = str(compose_email(inside, "k", payload).alternatives[0][0])
    assert "[Click](https://evil.example) {{ said.n0 }}" in html and 'href="https://evil' not in html
    assert "**Bold** ## Head" in html and html.count("<li>") == 21


def test_a_digest_is_made_with_the_eyes_of_whoever_gets_it(
    inside: Tenant, owned: Account, carl: Membership, mona: Membership
) -> None:
    """The worker makes it, without a request: other people's accounts and hidden amounts stay out of it all the same."""
    today = inside.today()
    theirs = Account.objects.create(tenant=inside, external_id="theirs", name="Secret Corp", owner=mona)
    rule = Rule.objects.get(key="ticket_unresolved")
    rule.pk, rule.key, rule.kind, rule.name = None, "big", "conditions", "Big"
    rule.save()
    worth = {"facts": [{"fact": "field", "field": "mrr", "value": 98_765, "bound": 50_000}]}
    make_alert(owned, rule="big", evidence=worth, assignee=carl)
    make_alert(theirs, rule="big", evidence=worth, assignee=carl)
    carl.scope = "own"
    carl.save()
    assert send_digest(tenant=inside, member=carl, on=today)
    text = Outbox.objects.get().payload["text"]
    assert "Owned: Big" in text and "98,765" in text and "Secret Corp" not in text
    inside.hidden_money_roles = ["csm"]
    assert send_digest(tenant=inside, member=carl, on=today + timedelta(days=1))
    later = Outbox.objects.latest("id").payload["text"]
    assert "Owned: Big" in later and "98,765" not in later and "50,000" not in later
    # Whoever sees all accounts and amounts reads both; whoever sees the account is told of it by the bell.
    carl.scope, inside.hidden_money_roles = "all", []
    carl.save()
    assert send_digest(tenant=inside, member=carl, on=today + timedelta(days=2))
    whole = Outbox.objects.latest("id").payload["text"]
    assert "Secret Corp" in whole and "98,765" in whole


def test_nobody_is_told_of_an_account_they_do_not_see(
    tickets_only: Rule, owned: Account, carl: Membership, mona: Membership, inside: Tenant
) -> None:
    """A manager who sees the own teams' accounts hears of nobody's, not of another team's."""
    Rule.objects.filter(pk=tickets_only.pk).update(interrupts="always", channels=["in_app"])
    mona.scope = "own"
    mona.save()
    orphan = Account.objects.create(tenant=inside, external_id="orphan", name="Orphan")
    ticket(orphan, "T-1")
    evaluate_rules(tenant=inside, day=SUNDAY)
    assert Alert.objects.count() == 1 and Notification.objects.count() == 0
    mona.scope = "team"
    mona.save()
    ticket(orphan, "T-2")
    evaluate_rules(tenant=inside, day=SUNDAY)
    assert list(Notification.objects.values_list("member_id", flat=True)) == [mona.pk]
    told = notify_members(
        tenant=inside, members=[carl, mona], kind="x", title="t", account=owned, dedupe_key="one"
    )
    assert told == 1  # it is Carl's


def test_a_digest_that_is_due_goes_out_unless_it_is_not_wanted_any_more(
    acme: Tenant, carl: Membership
) -> None:
    from alerts.services import install_shipped_rules

    with tenant_scope(acme):
        install_shipped_rules(tenant=acme)
        account = Account.objects.create(tenant=acme, external_id="a", name="A", owner=carl)
        make_alert(account, subject="T", evidence={"ticket": "T", "title": "", "hours": 80, "limit": 72})
        plan_digests(tenant=acme)
        Job.objects.update(due_at=datetime(2026, 1, 1, tzinfo=UTC))
    run_jobs(acme)
    with tenant_scope(acme):
        assert Notification.objects.count() == 1
        MemberAttention.objects.create(tenant=acme, member=carl, wants_digest=False)
        Notification.objects.all().delete()
        Job.objects.update(state="queued", params={"member": carl.pk, "on": "2026-03-01"})
    run_jobs(acme)
    with tenant_scope(acme):
        assert Notification.objects.count() == 0
