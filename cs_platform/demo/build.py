"""Making the demo tenant and taking it away, as jobs of the ledger with visible progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.utils.translation import override

from accounts.fence.planning import prefer_hash_joins
from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import (
    Account,
    Contact,
    ContactMembership,
    Invoice,
    Job,
    Membership,
    Subscription,
    Tenant,
    Ticket,
    User,
)
from alerts.services import evaluate_rules
from cs_platform.demo.advocates import win_advocates
from cs_platform.demo.deeds import work_through
from cs_platform.demo.growing import grow
from cs_platform.demo.opinions import say_opinions
from cs_platform.demo.plays import start_growing, write_today
from cs_platform.demo.renewing import renew
from cs_platform.demo.reviews import keep_reviews
from cs_platform.demo.routines import keep_routines
from cs_platform.demo.selling import sell_through
from cs_platform.demo.storyline import DAYS, SIGNAL_DAYS, Customer, Story, events, tell
from cs_platform.demo.voices import follow_up, speak_up
from health.services import summarise_day
from playbooks.services import advance_runs
from pql.services import evaluate_leads, measure_signals, note_signals, save_settings
from reports.services import keep_reports
from reports.services.backfill import past_days
from scoring.quality import count_band_weeks
from scoring.services import score_accounts
from usage.asof import relations
from usage.models import Feature
from usage.services import accept_rows, drain_pending, snapshot_state

ACCOUNTS_PER_USAGE_CHUNK = 10
LEAD_NIGHTS = (*range(172, 6, -14), 4, 1, 0)  # days ago: every other week, then the last days
FINDING_DAYS = 28  # the rules are run for each of the last days, so alerts have a history
SOURCE = "product"


@lru_cache(maxsize=2)
def _story(last_day: date, language: str, zone: str, owners: int) -> Story:
    """The story, told once per process."""
    return tell(last_day, language, zone, owners)


def _of(tenant: Tenant, job: Job) -> Story:
    return _story(
        date.fromisoformat(job.params["last_day"]), tenant.language, tenant.timezone, job.params["owners"]
    )


def _owners(tenant: Tenant) -> list[Membership]:
    """Members who own accounts: the CSMs, in the order they were made."""
    return list(Membership.objects.filter(tenant=tenant, role="csm", is_active=True).order_by("id"))


def _people(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Accounts, contacts, subscriptions, tickets and invoices, each known since the day it happened."""
    story, owners = _of(tenant, job), _owners(tenant)
    # Said before there are events, which would all have to be counted anew.
    save_settings(tenant=tenant, fields={"activation_events": ["A/B Test Won"], "activation_days": 2})
    Feature.objects.create(tenant=tenant, key="messages", name="Messages", is_key=True)
    accounts = {
        account.external_id: account
        for account in Account.objects.bulk_create([_account(tenant, c, owners) for c in story.customers])
    }
    since = datetime.combine(story.last_day - timedelta(days=DAYS + 760), datetime.min.time(), story.tz)
    contacts = Contact.objects.bulk_create(
        [
            Contact(
                tenant=tenant,
                account=accounts[customer.external_id],
                user_id=person.user_id,
                email=person.email,
                name=person.name,
                roles=list(person.roles),
            )
            for customer in story.customers
            for person in customer.people
        ]
    )
    ContactMembership.objects.bulk_create(
        [
            ContactMembership(tenant=tenant, contact=c, account=c.account, since=since, source=SOURCE)
            for c in contacts
        ]
    )
    Subscription.objects.bulk_create(
        [
            Subscription(
                tenant=tenant,
                external_id=f"{c.external_id}-s1",
                account=accounts[c.external_id],
                plan=c.plan,
                seats=c.seats,
                mrr_cents=c.mrr_cents,
                currency=tenant.currency,
                starts_on=c.go_live_on,
                renews_on=c.renewal_on,
                ends_on=c.churned_on,
            )
            for c in story.customers
            if c.mrr_cents
        ]
    )
    Ticket.objects.bulk_create(
        [
            Ticket(
                tenant=tenant,
                external_id=t.external_id,
                account=accounts[t.account],
                title=t.title,
                status="closed" if t.resolved_at else "open",
                severity=t.severity,
                opened_at=t.opened_at,
                resolved_at=t.resolved_at,
                received_at=t.opened_at,
            )
            for t in story.tickets
        ]
    )
    Invoice.objects.bulk_create(
        [
            Invoice(
                tenant=tenant,
                external_id=i.external_id,
                account=accounts[i.account],
                amount_cents=i.amount_cents,
                currency=tenant.currency,
                due_on=i.due_on,
                paid_at=i.paid_at,
                state=i.state,
                received_at=i.issued_at,
            )
            for i in story.invoices
        ]
    )


def _account(tenant: Tenant, customer: Customer, owners: Sequence[Membership]) -> Account:
    age = (tenant.today() - customer.go_live_on).days
    stage = "churned" if customer.churned_on else "onboarding" if age <= 90 else "active"
    return Account(
        tenant=tenant,
        external_id=customer.external_id,
        name=customer.name,
        name_search=customer.name.lower(),
        owner=None if customer.owner is None else owners[customer.owner],
        segment=customer.segment,
        stage=stage,
        plan=customer.plan,
        plan_kind=customer.plan_kind,
        seats=customer.seats,
        mrr_cents=customer.mrr_cents,
        currency=tenant.currency,
        go_live_on=customer.go_live_on,
        renewal_on=None if customer.churned_on else customer.renewal_on,
        churned_on=customer.churned_on,
        touch_model=customer.touch_model,
        tags=list(customer.tags),
        targets={"sends": customer.weekly_sends},
        first_seen_on=customer.go_live_on,
        created_at=datetime.combine(customer.go_live_on, datetime.min.time(), tenant.tz),
    )


def _usage(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Some accounts' year of events, handed to the same inbox as everybody's."""
    story = _of(tenant, job)
    first = int(params["first"])
    rows: list[dict[str, Any]] = []
    for customer in story.customers[first : first + ACCOUNTS_PER_USAGE_CHUNK]:
        for event in events(story, customer):
            # Known a minute after it happened, so that the past nights could know it.
            happened = datetime.fromisoformat(event["occurred_at"])
            rows.append(event | {"received_at": (happened + timedelta(minutes=1)).isoformat()})
    accept_rows(tenant=tenant, source=SOURCE, rows=rows)


def _roll_up(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    drain_pending(tenant=tenant)


def _first_day(job: Job) -> date:
    return _last_day(job) - timedelta(days=DAYS - 31)  # scores need a month to look back on


def _last_day(job: Job) -> date:
    return date.fromisoformat(job.params["last_day"])


def _state(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    prefer_hash_joins()
    snapshot_state(tenant=tenant, day=_last_day(job), first_day=_last_day(job) - timedelta(days=DAYS - 1))
    measure_signals(tenant=tenant, day=_last_day(job), first_day=_last_day(job) - timedelta(days=SIGNAL_DAYS))


def _score(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Every past night by one call of the engine."""
    score_accounts(tenant=tenant, day=_last_day(job), first_day=_first_day(job))


def _leads(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Half a year of the board, and what sellers made of it."""
    prefer_hash_joins()
    colleagues = _owners(tenant)
    for ago in LEAD_NIGHTS:
        day = _last_day(job) - timedelta(days=ago)
        note_signals(tenant=tenant, day=day)
        evaluate_leads(tenant=tenant, day=day, figures=ago == 0)
        if ago:
            sell_through(tenant, day, colleagues)


def _findings(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """A week of rules, plays and what people did about them, night by night."""
    prefer_hash_joins()
    colleagues = _owners(tenant)
    first = date.fromisoformat(params["first"])
    # Everything in the story was known a minute after it happened, so the live rollups are what every night knew.
    tables = relations(tenant=tenant, days=(first, _last_day(job)), cutoff=None)
    if first == _last_day(job) - timedelta(days=FINDING_DAYS - 1):
        start_growing(tenant, first)
    for offset in range(int(params["days"])):
        day = first + timedelta(days=offset)
        evaluate_rules(tenant=tenant, day=day, suppress_deliveries=True, tables=tables)
        # A late beat gives the dates of a punctual one, so the weeks before the last may do with every other night.
        if offset % 2 or (_last_day(job) - day).days < 7:
            advance_runs(tenant=tenant, day=day)
        work_through(tenant, day, colleagues)


def _summary(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    summarise_day(tenant=tenant, day=_last_day(job), first_day=_first_day(job))
    count_band_weeks(tenant=tenant)
    say_opinions(tenant, _last_day(job), _owners(tenant))
    write_today(tenant)


def _surveys(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """What customers answered, before the rules, one of which listens to it."""
    prefer_hash_joins()
    speak_up(tenant, _last_day(job), _owners(tenant))


def _routines(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """What grew, renewals, onboarding, checklists and training as they stand on the last day."""
    prefer_hash_joins()
    with override(tenant.language):
        grow(tenant, _last_day(job))
    renew(tenant, _last_day(job))
    keep_reviews(tenant, _last_day(job))
    keep_routines(tenant, _last_day(job), _owners(tenant))
    follow_up(tenant)


def _advocates(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Customers who speak for the demo, and their case studies."""
    win_advocates(tenant, _last_day(job), _owners(tenant))


def _reports(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """What the reports would have kept: the ends of the last months and weeks, and the last day."""
    last = _last_day(job)
    for day in [*past_days(last, weeks=4, months=12), last]:
        keep_reports(tenant=tenant, day=day)


def _plan(tenant: Tenant, job: Job) -> list[Chunk]:
    accounts = len(_of(tenant, job).customers)
    start = _last_day(job) - timedelta(days=FINDING_DAYS - 1)
    weeks = [start + timedelta(days=offset) for offset in range(0, FINDING_DAYS, 7)]
    return [
        Chunk(0, "people", {}),
        *[Chunk(1, "usage", {"first": first}) for first in range(0, accounts, ACCOUNTS_PER_USAGE_CHUNK)],
        Chunk(2, "roll_up", {}),
        Chunk(3, "state", {}),
        Chunk(4, "score", {}),
        Chunk(5, "leads", {}),
        Chunk(6, "summary", {}),
        Chunk(7, "surveys", {}),
        *[
            Chunk(
                8 + n,
                "findings",
                {"first": week.isoformat(), "days": min(7, (_last_day(job) - week).days + 1)},
            )
            for n, week in enumerate(weeks)
        ],
        Chunk(8 + len(weeks), "routines", {}),
        Chunk(9 + len(weeks), "advocates", {}),
        Chunk(10 + len(weeks), "reports", {}),
    ]


def _plan_removal(tenant: Tenant, job: Job) -> list[Chunk]:
    return [Chunk(0, "remove", {})]


TENANT_TABLES_SQL = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relrowsecurity
  AND has_table_privilege(c.oid, 'DELETE')
"""
LEDGER = frozenset({"accounts_job", "accounts_jobchunk", "accounts_tenantsettings"})


def _remove(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Delete every row of the demo tenant that may be deleted, and its logins. The ledger and the audit log stay."""
    if not tenant.is_demo:
        raise ValueError(f"{tenant.slug} is not a demo tenant.")
    with connection.cursor() as cursor:
        cursor.execute(TENANT_TABLES_SQL)
        for (table,) in cursor.fetchall():
            if table not in LEDGER:
                cursor.execute(f'DELETE FROM "{table}" WHERE tenant_id = %s', [tenant.pk])
        cursor.execute("DELETE FROM accounts_job WHERE tenant_id = %s AND id <> %s", [tenant.pk, job.pk])
    demo_users = Membership.objects.filter(tenant=tenant, user__email__endswith="@demo.example").values_list(
        "user_id"
    )
    User.objects.filter(pk__in=demo_users).update(is_active=False)
    Membership.objects.filter(tenant=tenant).update(is_active=False)


def register_demo_jobs() -> None:
    """Make the demo's jobs known to the ledger."""
    steps = {
        "people": Step(_people),
        "usage": Step(_usage),
        "roll_up": Step(_roll_up, scoped=False),
        "state": Step(_state),
        "score": Step(_score),
        "leads": Step(_leads),
        "findings": Step(_findings),
        "summary": Step(_summary),
        "surveys": Step(_surveys),
        "routines": Step(_routines),
        "advocates": Step(_advocates),
        "reports": Step(_reports),
    }
    register_job_kind("demo", JobKind(plan=_plan, steps=steps))
    register_job_kind("demo_removal", JobKind(plan=_plan_removal, steps={"remove": Step(_remove)}))
