"""A company at work: books of CSMs, people and contracts at its accounts, and one whole night over them."""

from __future__ import annotations

import time
from datetime import date

from django.db import connection

from accounts.fence.scope import tenant_scope
from accounts.models import Account, CustomField, Job, Membership, Tenant
from bench.tenants import make_login
from cs_platform.pipeline import BY_ACCOUNTS, NIGHT, STEPS, account_chunks

BOOK = 400  # accounts of one CSM, the upper end of what one looks after
PASSWORD = "bench password"

# What happens at one account-day in some thousand; and what the state of the day says, not the noise of the fill.
SELDOM = "CASE WHEN (a.id * 11 + extract(doy FROM d)::int * 13) %% 2000 = 0 THEN 1 END"
RARE_EVENTS = {
    **dict.fromkeys(
        ("limit_hits", "billing_visits", "sales_requests", "reach_requests", "buying_signals"), SELDOM
    ),
    "nps": "CASE WHEN (a.id + extract(doy FROM d)::int) %% 300 = 0 THEN a.id %% 11 END",
    "csat": "CASE WHEN (a.id + extract(doy FROM d)::int) %% 300 = 0 THEN 1 + a.id %% 5 END",
    **dict.fromkeys(
        (
            "sentiment",
            "qbr_scheduled",
            "expansion_open",
            "case_study_proposed",
            "open_tickets",
            "oldest_open_ticket_hours",
            "open_ticket_severity",
            "invoice_overdue_days",
            "failed_charges",
        ),
        "NULL",
    ),
}

PEOPLE_SQL = """
INSERT INTO accounts_contact (tenant_id, account_id, user_id, email, name, roles, traits, last_seen_at, created_at)
SELECT %(tenant)s, a.id, a.id || '-' || n, 'person' || n || '@account-' || a.id || '.example',
       (ARRAY['Ada', 'Björn', 'Chloé', 'Dario'])[1 + (a.id + n) %% 4] || ' Person ' || a.id,
       CASE WHEN n = 1 THEN ARRAY['champion'] ELSE '{}' END, '{}', now() - (a.id %% 60) * interval '1 day', now()
FROM accounts_account a CROSS JOIN generate_series(1, 3) n WHERE a.tenant_id = %(tenant)s
ON CONFLICT DO NOTHING
"""
CONTRACTS_SQL = """
INSERT INTO accounts_subscription (tenant_id, external_id, account_id, plan, seats, mrr_cents, currency, starts_on,
                                   renews_on, received_at)
SELECT %(tenant)s, 'sub-' || a.id, a.id, 'Growth', 5 + a.id %% 50, a.mrr_cents, 'USD', %(day)s::date - 200,
       %(day)s::date + (a.id %% 365)::int, now()
FROM accounts_account a WHERE a.tenant_id = %(tenant)s
ON CONFLICT DO NOTHING
"""
TIERS_SQL = """
UPDATE accounts_account SET custom = jsonb_build_object('tier', (ARRAY['Gold', 'Silver', 'Bronze'])[1 + id %% 3])
WHERE tenant_id = %s AND custom = '{}'::jsonb
"""
BOOK_SQL = """
UPDATE accounts_account SET owner_id = %(member)s
WHERE tenant_id = %(tenant)s AND id IN (
  SELECT id FROM accounts_account WHERE tenant_id = %(tenant)s AND owner_id IS NULL ORDER BY id DESC LIMIT %(book)s)
"""


def open_company(tenant: Tenant, day: date) -> dict[str, Membership]:
    """People, contracts, a field of one's own, and three members: a manager, a CSM, one who sees their own book only."""
    manager = make_login(tenant, "manager", PASSWORD)
    csm = make_login(tenant, "csm", PASSWORD)
    narrow = make_login(tenant, "csm", PASSWORD, name="narrow", scope=Membership.Scope.OWN)
    with tenant_scope(tenant), connection.cursor() as cursor:
        CustomField.objects.get_or_create(
            key="tier", defaults={"kind": "choice", "label_en": "Tier", "options": ["Gold", "Silver"]}
        )
        cursor.execute(TIERS_SQL, [tenant.pk])
        for member in (csm, narrow):
            cursor.execute(BOOK_SQL, {"tenant": tenant.pk, "member": member.pk, "book": BOOK})
        cursor.execute(PEOPLE_SQL, {"tenant": tenant.pk})
        cursor.execute(CONTRACTS_SQL, {"tenant": tenant.pk, "day": day})
    return {"manager": manager, "csm": csm, "narrow": narrow}


def live_through_night(tenant: Tenant, day: date) -> dict[str, float]:
    """Every step of the night, as the worker runs them; the seconds of each, in their order."""
    with tenant_scope(tenant):
        job = Job.objects.create(tenant=tenant, kind="night", params={"day": day.isoformat()})
        ranges = account_chunks(tenant)
    took = {}
    for name in NIGHT:
        started = time.perf_counter()
        for params in ranges if name in BY_ACCOUNTS else [{}]:
            step = STEPS[name]
            if step.scoped:
                with tenant_scope(tenant):
                    step.run(tenant, job, params)
            else:
                step.run(tenant, job, params)
        took[name] = time.perf_counter() - started
        print(f"  night, {name}: {took[name]:.1f} s", flush=True)
    with tenant_scope(tenant):
        job.delete()
        found = Account.objects.filter(owner__isnull=False).count()
    assert found == 2 * BOOK
    return took
