"""Full days: accounts at which everything waits that a list can show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection
from psycopg2.extras import execute_values

from accounts.models import Account, Contact, Membership, Tenant
from alerts.models import Alert, Rule
from alerts.services import install_shipped_rules
from expansion.models import Renewal
from nps.surveys.models import Answer, Invitation, Survey
from playbooks.models import Task
from playbooks.services import install_shipped_plays
from qbr.models import Pack
from scoring.models import ScoreModel, Version

from .world import COLUMNS, RAW, WEIGHTS, make_model

FELL = [(84.0, [90.0, 80.0, 85.0, 80.0, 80.0]), (55.0, [20.0, 70.0, 70.0, 60.0, 90.0])]


def set_up(tenant: Tenant) -> Version:
    """The model, plays and rules, once."""
    install_shipped_plays(tenant=tenant)
    install_shipped_rules(tenant=tenant)
    return make_model(tenant, tenant.today())


def full_days(tenant: Tenant, owner: Membership, count: int) -> list[Account]:
    """Accounts of the owner, each with a task, an alert, a fall, a renewal, a review and an unhappy answer."""
    if not ScoreModel.objects.filter(tenant=tenant).exists():
        set_up(tenant)
    version, today = Version.objects.get(tenant=tenant), tenant.today()
    start = Account.objects.filter(tenant=tenant).count()
    accounts = make_accounts_from(tenant, owner, start, count)
    _scores(tenant, version, accounts)
    rule = Rule.objects.get(tenant=tenant, kind="ticket_unresolved")
    Task.objects.bulk_create(
        Task(tenant=tenant, account=one, title=f"Call {one.name}", assignee=owner, due_on=today)
        for one in accounts
    )
    Alert.objects.bulk_create(
        Alert(
            tenant=tenant, rule=rule, account=one, severity="high", opened_on=today, last_seen_on=today,
            evidence={"ticket": "T-1", "title": "Export fails", "hours": 96.0, "limit": 72.0}, subject="T-1",
        )
        for one in accounts
    )  # fmt: skip
    Renewal.objects.bulk_create(
        Renewal(
            tenant=tenant, account=one, due_on=today + timedelta(days=40), term_months=12, currency="USD",
            mrr_cents=1000, target_cents=12000, forecast_cents=12000, category="commit",
            computed_category="commit", opened_on=today,
        )
        for one in accounts
    )  # fmt: skip
    Pack.objects.bulk_create(
        Pack(
            tenant=tenant, account=one, due_on=today + timedelta(days=6), period_first=today - timedelta(days=90),
            period_last=today,
        )
        for one in accounts
    )  # fmt: skip
    _answers(tenant, accounts)
    return accounts


def make_accounts_from(tenant: Tenant, owner: Membership, start: int, count: int) -> list[Account]:
    """More accounts, with names and ids of their own."""
    return Account.objects.bulk_create(
        Account(
            tenant=tenant,
            external_id=f"day-{n:04d}",
            name=f"Account {n:04d}",
            name_search=f"account {n:04d}",
            owner=owner,
            mrr_cents=100_000 + n,
            currency="USD",
            renewal_on=tenant.today() + timedelta(days=40),
        )
        for n in range(start, start + count)
    )


def _scores(tenant: Tenant, version: Version, accounts: list[Account]) -> None:
    """Healthy a week ago, critical now; usage lost most."""
    rows = []
    today = tenant.today()
    for account in accounts:
        for day, (score, values) in zip(
            (today - timedelta(days=8), today - timedelta(days=1)), FELL, strict=True
        ):
            points = [value * weight / 100 for value, weight in zip(values, WEIGHTS, strict=True)]
            band = 1 if score < 60 else 3
            rows.append(
                (account.pk, day, version.pk, score, band, 1.0, False, True, values, points, WEIGHTS, RAW, RAW)
            )  # fmt: skip
    template = f"({tenant.pk}, 1, " + ", ".join(["%s"] * 8 + ["%s::float8[]"] * 5) + ")"
    with connection.cursor() as cursor:
        for table, some in (("scoring_score", rows), ("scoring_current", rows[1::2])):
            execute_values(
                cursor.cursor,
                f"INSERT INTO {table} (tenant_id, kind, {COLUMNS}) VALUES %s",
                some,
                template=template,
                page_size=2000,
            )


def _answers(tenant: Tenant, accounts: list[Account]) -> None:
    now = datetime.now(UTC)
    survey, _made = Survey.objects.get_or_create(
        tenant=tenant, key="nps", defaults={"name": "NPS", "detractor_play": "nps_recovery"}
    )
    people = Contact.objects.bulk_create(
        Contact(tenant=tenant, account=one, name="Ana Ruiz", user_id=f"ana-{one.pk}") for one in accounts
    )
    asked = Invitation.objects.bulk_create(
        Invitation(
            tenant=tenant, survey=survey, wave="wave-1", account=one, contact=who, nonce=f"n{who.pk}",
            asked_on=now.date(), send_at=now, closes_on=now.date() + timedelta(days=30),
        )
        for one, who in zip(accounts, people, strict=True)
    )  # fmt: skip
    Answer.objects.bulk_create(
        Answer(
            tenant=tenant, invitation=each, survey=survey, wave="wave-1", account_id=each.account_id,
            contact_id=each.contact_id, kind="nps", score=3, category="detractor", comment="Too slow",
            answered_at=now, changed_at=now,
        )
        for each in asked
    )  # fmt: skip
