"""Tenants of a given size, filled inside the database so that filling costs little."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant, User
from accounts.services.tenants import create_tenant
from scoring.models import ScoreModel
from scoring.services import create_draft, definition_of, publish_version, save_draft
from usage.models import Metric

DAYS = 90

ACCOUNTS_SQL = """
INSERT INTO accounts_account (tenant_id, external_id, name, name_search, segment, stage, plan, plan_kind, mrr_cents,
                              currency, touch_model, tags, targets, custom, first_seen_on, created_at, updated_at)
SELECT %(tenant)s, 'acc-' || n, 'Account ' || n, 'account ' || n, (ARRAY['enterprise', 'mid-market', 'small'])[1 + n %% 3],
       'active', 'Growth', %(plan_kind)s, (n * 7919 %% 500000)::bigint, 'USD', 'pooled', '{}', '{}', '{}',
       %(first)s::date, %(first)s::date::timestamptz, %(first)s::date::timestamptz
FROM generate_series(1, %(accounts)s) n
ON CONFLICT DO NOTHING
"""
# Cheap integer noise: every account differs, about one account-day in five is silent.
DAYS_SQL = """
INSERT INTO usage_day (tenant_id, account_id, day, "values")
SELECT %(tenant)s, a.id, d::date, {values}
FROM accounts_account a CROSS JOIN generate_series(%(first)s::date, %(last)s::date, interval '1 day') d
CROSS JOIN LATERAL (SELECT ((a.id * 31 + extract(doy FROM d)::int * 17) %% 23)::float8 AS value) AS noise
WHERE a.tenant_id = %(tenant)s AND (a.id * 7 + extract(doy FROM d)::int * 13) %% 5 <> 0
ORDER BY a.id, d
ON CONFLICT DO NOTHING
"""
USERS_SQL = """
INSERT INTO usage_user_day (tenant_id, account_id, contact_id, day, events, features)
SELECT tenant_id, account_id, account_id * 10 + extract(dow FROM day)::bigint, day, 3,
       ARRAY[1 + account_id %% 7, 9 + extract(dow FROM day)::bigint]
FROM usage_day WHERE tenant_id = %(tenant)s
ORDER BY account_id, day
ON CONFLICT DO NOTHING
"""
SOURCE_SQL = """
WITH made AS (
  INSERT INTO usage_source (tenant_id, key, name, fresh_hours, keys_expire, events, duplicates, quarantined, unassigned,
                            accounts_created, first_received_at, last_received_at)
  VALUES (%(tenant)s, 'api', 'API', 72, true, 0, 0, 0, 0, 0, now(), now())
  ON CONFLICT DO NOTHING RETURNING id),
days AS (
  INSERT INTO usage_source_day (tenant_id, source_id, received_on, events)
  SELECT %(tenant)s, made.id, d::date, 1 FROM made, generate_series(%(first)s::date, %(last)s::date, interval '1 day') d
  ON CONFLICT DO NOTHING)
INSERT INTO usage_source_metric (tenant_id, source_id, metric_id, first_on)
SELECT %(tenant)s, made.id, m.id, %(first)s::date FROM made, usage_metric m WHERE m.tenant_id = %(tenant)s
ON CONFLICT DO NOTHING
"""

RISING = {"kind": "piecewise", "points": [[0, 0], [20, 40], [80, 85], [150, 100]]}
MORE_MEASURES = {
    "usage": [{"metric": "sends", "aggregate": "per_week", "window_days": 28, "scale": RISING}],
    "engagement": [
        {"metric": "demos_booked", "aggregate": "per_week", "window_days": 28, "scale": RISING},
        {
            "metric": "reply_rate",
            "aggregate": "ratio",
            "window_days": 28,
            "scale": {"kind": "linear", "worst": 0, "best": 2},
        },
    ],
    "adoption": [{"metric": "reports", "aggregate": "per_week", "window_days": 28, "scale": RISING}],
}


def make_tenant(
    slug: str,
    accounts: int,
    *,
    plan_kind: str = "contract",
    special: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Tenant, date]:
    """A tenant with this many accounts and 90 days of rollups, or the one that is there; returns it with the last day.

    `special` says in SQL (account `a`, day `d`) what some metrics are, by key; the others are the same noise.
    """
    existing = Tenant.objects.filter(slug=slug).first()
    if existing is not None:
        return existing, existing.today() - timedelta(days=1)
    tenant = create_tenant(slug=slug, name=slug, timezone="UTC", language="en")
    last = tenant.today() - timedelta(days=1)
    values = {
        "tenant": tenant.pk,
        "accounts": accounts,
        "first": last - timedelta(days=DAYS - 1),
        "last": last,
        "plan_kind": plan_kind,
    }
    with tenant_scope(tenant), connection.cursor() as cursor:
        values["slots"] = (
            Metric.objects.exclude(slot=None).order_by("-slot").values_list("slot", flat=True)[0]
        )
        said = {m.slot: special[m.key] for m in Metric.objects.exclude(slot=None) if m.key in special}
        cells = [said.get(slot, "noise.value") for slot in range(1, int(values["slots"]) + 1)]
        array = f"ARRAY[{', '.join(cells)}]::float8[]"
        for statement in (ACCOUNTS_SQL, DAYS_SQL.format(values=array), USERS_SQL, SOURCE_SQL):
            cursor.execute(statement, values)
        assert Account.objects.count() == accounts
        _publish_twelve_measures(tenant, values["first"])
    return tenant, last


def _publish_twelve_measures(tenant: Tenant, first: date) -> None:
    """The shipped model with four more measures: 5 components and 12 measures, in force from the first day on."""
    model = ScoreModel.objects.get(tenant=tenant, kind="health", is_default=True)
    draft = create_draft(tenant=tenant, model=model)
    definition = definition_of(draft)
    for component in definition["components"]:
        component["measures"] += MORE_MEASURES.get(component["key"], [])
    save_draft(tenant=tenant, version=draft, definition=definition)
    publish_version(tenant=tenant, version=draft, in_force_from=first)
    measures = sum(len(component["measures"]) for component in definition["components"])
    assert (len(definition["components"]), measures) == (5, 12)


def make_login(
    tenant: Tenant,
    role: str,
    password: str,
    *,
    name: str = "",
    scope: Membership.Scope = Membership.Scope.ALL,
) -> Membership:
    """A member to open pages with; called like the role unless `name` says otherwise."""
    user = User.objects.create_user(f"{name or role}@{tenant.slug}.example", password, name=name or role)
    return Membership.objects.create(tenant=tenant, user=user, role=role, scope=scope)
