"""A small believable company: accounts with half a year of scores, alerts with plays, tasks, people, tickets, invoices."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from psycopg2.extras import execute_values

from accounts.models import Account, Contact, Invoice, Membership, Tenant, Ticket
from accounts.services import record_timeline
from alerts.models import Alert, Rule
from alerts.services import install_shipped_rules
from health.services import summarise_day
from playbooks.models import Task
from playbooks.services import create_task, install_shipped_plays, start_run
from scoring.models import Component, Measure, ScoreModel, Version
from usage.models import Feature, Metric

PARTS = (
    ("usage", "Product usage", 30, (("all_events", "per_week", 28), ("active_users", "users", 7))),
    ("engagement", "Engagement", 25, (("active_days", "decayed_days", 90),)),
    ("adoption", "Feature adoption", 20, (("features_used", "features", 90),)),
    ("support", "Support", 15, (("oldest_open_ticket_hours", "latest", 7),)),
    ("payment", "Payment", 10, (("invoice_overdue_days", "latest", 7),)),
)
METRICS = (
    ("all_events", "Events", "all_events", ""),
    ("active_users", "Active people", "distinct_users", ""),
    ("active_days", "Active days", "active_days", ""),
    ("features_used", "Features used", "features_used", ""),
    ("sends", "Sends", "count", ""),
    ("oldest_open_ticket_hours", "Oldest open ticket", "state", "h"),
    ("invoice_overdue_days", "Days overdue", "state", "days"),
)
NAMES = (
    "Northwind Trading",
    "Almería Logistics",
    "Kestrel Robotics",
    "Bluefin Analytics",
    "Castillo & Hijos",
    "Delta Health",
    "Everest Labs",
    "Fjord Media",
    "Galdós Editorial",
    "Harbour Freight Co",
    "Iberia Seguros",
    "Juniper Retail",
    "Kobalt Finance",
    "Lumen Energy",
    "Mirador Hotels",
    "Nimbus Cloud",
    "Ocelot Games",
    "Pampas Foods",
    "Quartz Legal",
    "Ribera Textil",
    "Saffron Travel",
    "Tundra Sports",
    "Umbra Security",
    "Vega Motors",
    "Willow Education",
    "Xenon Pharma",
    "Yucca Garden",
    "Zafiro Telecom",
    "Aster Biotech",
    "Brisa Wind",
    "Cobre Mining",
    "Duna Apparel",
    "Eco Packaging",
    "Faro Ports",
    "Granito Build",
    "Hélice Aviation",
    "Iris Optics",
    "Jade Cosmetics",
    "Kilo Grocery",
    "Lince Rail",
)
COLUMNS = "account_id, day, version_id, score, band, coverage, is_new, is_final, components, points, effective, raw, scaled"
WEIGHTS = [30.0, 25.0, 20.0, 15.0, 10.0]
RAW = [62.0, 7.0, 31.5, 6.0, 30.0, 0.0]
SCALE = {"points": [[0, 0], [5, 40], [20, 65], [60, 85], [150, 100]]}


@dataclass
class World:
    """What was made."""

    tenant: Tenant
    today: date
    accounts: list[Account]
    alerts: list[Alert]
    tasks: list[Task]
    version: Version


def make_model(tenant: Tenant, today: date, key: str = "plg") -> Version:
    """The published model with its five components, and the metrics it reads."""
    slots = iter(range(1, 20))
    Metric.objects.bulk_create(
        Metric(
            tenant=tenant,
            key=k,
            name=n,
            kind=kind,
            unit=unit,
            slot=next(slots) if kind in ("all_events", "count", "state") else None,
        )
        for k, n, kind, unit in METRICS
    )
    model = ScoreModel.objects.create(
        tenant=tenant, key=key, kind="health", name="Product-led growth", is_default=True
    )
    version = Version.objects.create(
        tenant=tenant,
        model=model,
        number=1,
        state="published",
        origin="shipped",
        in_force_from=today - timedelta(days=400),
    )
    for place, (part, name, weight, measures) in enumerate(PARTS):
        component = Component.objects.create(
            tenant=tenant, version=version, key=part, name=name, weight=weight, position=place
        )
        for order, (metric, aggregate, window) in enumerate(measures):
            Measure.objects.create(
                tenant=tenant,
                component=component,
                metric_key=metric,
                aggregate=aggregate,
                window_days=window,
                scale_params=SCALE,
                position=order,
            )
    return version


def make_accounts(tenant: Tenant, count: int, owners: list[Membership | None], today: date) -> list[Account]:
    """Accounts of mixed segments, plans and ages."""
    rng = random.Random(7)
    made = []
    for n in range(count):
        name = NAMES[n % len(NAMES)] + ("" if n < len(NAMES) else f" {n // len(NAMES) + 1}")
        made.append(
            Account(
                tenant=tenant,
                external_id=f"acc-{n:05d}",
                name=name,
                name_search=name.lower(),
                owner=owners[n % len(owners)],
                segment=("Enterprise", "Mid-market", "Small business")[n % 3],
                stage=("active", "onboarding", "active", "renewal")[n % 4],
                plan=("Business", "Pro", "Starter")[n % 3],
                plan_kind="contract",
                seats=5 + 5 * (n % 9),
                mrr_cents=rng.randrange(4, 240) * 10_000,
                currency="USD",
                renewal_on=today + timedelta(days=rng.randrange(5, 340)),
                go_live_on=today - timedelta(days=rng.randrange(40, 900)),
                first_seen_on=today - timedelta(days=500),
                tags=["reference"] if n % 7 == 0 else [],
                targets={"sends": 100} if n % 2 else {},
            )
        )
    return Account.objects.bulk_create(made)


def store_scores(tenant: Tenant, version: Version, accounts: list[Account], days: list[date]) -> None:
    """A score for every account and day: most drift around a level of their own, some fall, some are not known."""
    rng = random.Random(11)
    rows: list[tuple[Any, ...]] = []
    for n, account in enumerate(accounts):
        level, slope = rng.gauss(76, 14), rng.choice([0, 0, 0, -18, 14])
        for place, day in enumerate(days):
            if n % 19 == 5:
                rows.append((account.pk, day, None, 0, 0.2, [None] * 5, [None] * 5))
                continue
            score = min(99.0, max(6.0, level + slope * place / len(days) + rng.gauss(0, 1.6)))
            values = [score] * 5
            points = [value * part[2] / 100 for value, part in zip(values, PARTS, strict=True)]
            band = 3 if score > 80 else 1 if score < 60 else 2
            rows.append((account.pk, day, sum(points), band, 1.0, values, points))
    with connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            f"INSERT INTO scoring_score (tenant_id, kind, {COLUMNS}) VALUES %s",
            [
                (
                    account,
                    day,
                    version.pk,
                    score,
                    band,
                    coverage,
                    False,
                    True,
                    values,
                    points,
                    WEIGHTS,
                    RAW,
                    RAW,
                )
                for account, day, score, band, coverage, values, points in rows
            ],
            template=f"({tenant.pk}, 1, " + ", ".join(["%s"] * 8 + ["%s::float8[]"] * 5) + ")",
            page_size=2000,
        )
        cursor.execute(
            f"INSERT INTO scoring_current (tenant_id, kind, {COLUMNS}, previous_score, previous_band) "
            f"SELECT s.tenant_id, s.kind, {', '.join('s.' + c for c in COLUMNS.split(', '))}, p.score, p.band "
            "FROM scoring_score s LEFT JOIN scoring_score p ON p.tenant_id = s.tenant_id AND p.kind = s.kind "
            "AND p.account_id = s.account_id AND p.day = s.day - 1 WHERE s.tenant_id = %s AND s.day = %s",
            [tenant.pk, days[-1]],
        )


def make_world(tenant: Tenant, csm: Membership, *, count: int = 40, history: int = 180) -> World:
    """Everything; runs inside the tenant's scope."""
    today = tenant.today()
    version = make_model(tenant, today)
    accounts = make_accounts(tenant, count, [csm, csm, None], today)
    days = [today - timedelta(days=back) for back in range(history, 0, -1)]
    store_scores(tenant, version, accounts, days)
    summarise_day(tenant=tenant, day=days[-1], first_day=days[0])
    install_shipped_plays(tenant=tenant)
    install_shipped_rules(tenant=tenant)
    alerts = _alerts(tenant, accounts, today)
    tasks = list(Task.objects.filter(tenant=tenant).order_by("pk"))
    tasks.append(
        create_task(
            tenant=tenant,
            account_id=accounts[0].pk,
            title="Call before the renewal",
            due_on=today,
            member=csm,
        )
    )
    tasks.append(
        create_task(
            tenant=tenant,
            account_id=accounts[-1].pk,
            title="Send the summary",
            due_on=today - timedelta(days=3),
            member=csm,
        )
    )
    _records(tenant, accounts, csm, today)
    return World(tenant, today, accounts, alerts, tasks, version)


def _alerts(tenant: Tenant, accounts: list[Account], today: date) -> list[Alert]:
    rules = {rule.kind: rule for rule in Rule.objects.filter(tenant=tenant)}
    made = []
    for n, account in enumerate(accounts[:9]):
        if n % 3 == 0:
            rule, subject = rules["ticket_unresolved"], f"T-{n}"
            evidence = {
                "ticket": f"T-{n}",
                "title": "Export fails with a timeout",
                "hours": 96.0 + n,
                "limit": 72.0,
            }
        elif n % 3 == 1:
            rule, subject = rules["health_dropped"], ""
            evidence = {
                "score": 52.4,
                "from_score": 71.8,
                "since": (today - timedelta(days=7)).isoformat(),
                "weakest": "usage",
                "lost": 11.2,
            }
        else:
            rule, subject = rules["usage_under_target"], ""
            evidence = {
                "below": 0.5,
                "weeks": ["a", "b"],
                "metrics": [{"metric": "Sends", "values": [41, 38], "target": 100}],
            }
        alert = Alert.objects.create(
            tenant=tenant,
            rule=rule,
            account=account,
            subject=subject,
            severity=("high", "medium", "low")[n % 3],
            opened_on=today - timedelta(days=n),
            last_seen_on=today - timedelta(days=1),
            evidence=evidence,
        )
        if rule.play_key:
            alert.run = start_run(
                tenant=tenant,
                playbook_key=rule.play_key,
                account_id=account.pk,
                alert_id=alert.pk,
                started_on=today - timedelta(days=n),
            )
            alert.save(update_fields=["run"])
        record_timeline(
            tenant=tenant,
            account_id=account.pk,
            kind="alert_opened",
            at=datetime.now(UTC) - timedelta(days=n, hours=2),
            title=rule.name,
        )
        made.append(alert)
    return made


def _records(tenant: Tenant, accounts: list[Account], csm: Membership, today: date) -> None:
    now = datetime.now(UTC)
    for n, account in enumerate(accounts[:12]):
        for p in range(3):
            Contact.objects.create(
                tenant=tenant,
                account=account,
                user_id=f"u-{n}-{p}",
                name=("Ana Ruiz", "Tom Berg", "Lucía Peña")[p],
                email=f"person{p}@{account.external_id}.example",
                roles=[["champion"], ["user"], ["decision maker", "billing"]][p],
                first_seen_at=now - timedelta(days=200),
                last_seen_at=now - timedelta(days=p * 9, hours=n),
            )
        Ticket.objects.create(
            tenant=tenant,
            external_id=f"T-{n}",
            account=account,
            title="Export fails with a timeout",
            status="open",
            opened_at=now - timedelta(hours=90 + n),
            resolved_at=None if n % 3 == 0 else now - timedelta(hours=5),
        )
        Invoice.objects.create(
            tenant=tenant,
            external_id=f"INV-{n}",
            account=account,
            amount_cents=account.mrr_cents,
            currency="USD",
            due_on=today - timedelta(days=10),
            state="paid" if n % 4 else "open",
            paid_at=now - timedelta(days=11) if n % 4 else None,
        )
        record_timeline(
            tenant=tenant,
            account_id=account.pk,
            kind="note",
            at=now - timedelta(days=n),
            title="Call with Ana",
            data={
                "text": "They plan to roll it out to the second team in spring.\nWants a comparison with last quarter."
            },
            actor=csm,
        )
    Feature.objects.bulk_create(
        Feature(tenant=tenant, key=key, name=name, is_key=is_key)
        for key, name, is_key in (("reports", "Reports", True), ("exports", "Exports", False))
    )
