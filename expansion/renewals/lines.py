"""What accounts pay for, as lines: a row per subscription, and one for each account that has none."""

from __future__ import annotations

from django.db import connection

from accounts.models import Tenant

COLUMNS = (
    "account_id bigint, line_id bigint, plan text, mrr_cents bigint, currency text, starts_on date, renews_on date, "
    "ended_on date, known_on date"
)
# An account that has churned ends all its subscriptions, whatever they say.
FILL_SQL = """
INSERT INTO renewal_incoming (account_id, line_id, plan, mrr_cents, currency, starts_on, renews_on, ended_on, known_on)
SELECT s.account_id, s.id, coalesce(nullif(s.plan, ''), a.plan), s.mrr_cents,
       coalesce(nullif(s.currency, ''), nullif(a.currency, ''), %(currency)s), s.starts_on, s.renews_on,
       least(s.ends_on, a.churned_on), (s.received_at AT TIME ZONE %(zone)s)::date
FROM accounts_subscription s JOIN accounts_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
WHERE s.tenant_id = %(tenant)s AND s.account_id >= %(first)s AND (%(last)s::bigint IS NULL OR s.account_id < %(last)s)
UNION ALL
SELECT a.id, 0, a.plan, a.mrr_cents, coalesce(nullif(a.currency, ''), %(currency)s), NULL, a.renewal_on, a.churned_on,
       least(a.go_live_on, a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date)
FROM accounts_account a
WHERE a.tenant_id = %(tenant)s AND a.id >= %(first)s AND (%(last)s::bigint IS NULL OR a.id < %(last)s)
  AND NOT EXISTS (SELECT 1 FROM accounts_subscription s WHERE s.tenant_id = a.tenant_id AND s.account_id = a.id)
"""


def read_lines(tenant: Tenant, first: int = 0, last: int | None = None) -> None:
    """Fill the temporary table `renewal_incoming` with the lines of a range of accounts as they stand (all: no range)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS renewal_incoming ({COLUMNS}) ON COMMIT DELETE ROWS"
        )
        cursor.execute("DELETE FROM renewal_incoming")
        cursor.execute(
            FILL_SQL,
            {
                "tenant": tenant.pk,
                "currency": tenant.currency,
                "zone": tenant.timezone,
                "first": first,
                "last": last,
            },
        )
        cursor.execute("ANALYZE renewal_incoming")
