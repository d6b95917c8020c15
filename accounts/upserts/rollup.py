"""What an account pays, from its subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import connection
from django.utils import timezone

from accounts.models import Tenant

# Of the subscriptions that run on the day: the dearest gives plan and currency, those in its currency add up to seats
# and MRR, the first renewal ahead is the renewal, else the last one past (an overdue renewal must not vanish).
# An account that never had a subscription is left alone; one whose
# last has ended pays nothing and keeps the name of its last plan.
ROLL_UP_SQL = """
WITH held AS (
  SELECT account_id FROM accounts_subscription
  WHERE tenant_id = %(tenant)s AND (%(accounts)s::bigint[] IS NULL OR account_id = ANY(%(accounts)s)) GROUP BY account_id
), running AS (
  SELECT s.*, row_number() OVER dearest AS rank, first_value(s.currency) OVER dearest AS main_currency
  FROM accounts_subscription s
  WHERE s.tenant_id = %(tenant)s AND (%(accounts)s::bigint[] IS NULL OR s.account_id = ANY(%(accounts)s))
    AND coalesce(s.starts_on <= %(day)s, true) AND coalesce(s.ends_on > %(day)s, true)
  WINDOW dearest AS (PARTITION BY s.account_id ORDER BY s.mrr_cents DESC, s.id)
), totals AS (
  SELECT h.account_id,
    max(r.plan) FILTER (WHERE r.rank = 1) AS plan,
    max(r.main_currency) AS currency,
    sum(r.seats) FILTER (WHERE r.currency = r.main_currency) AS seats,
    coalesce(sum(r.mrr_cents) FILTER (WHERE r.currency = r.main_currency), 0) AS mrr_cents,
    coalesce(min(r.renews_on) FILTER (WHERE r.renews_on >= %(day)s), max(r.renews_on)) AS renewal_on
  FROM held h LEFT JOIN running r ON r.account_id = h.account_id GROUP BY h.account_id
)
UPDATE accounts_account a SET
  plan = coalesce(nullif(t.plan, ''), a.plan), currency = coalesce(nullif(t.currency, ''), a.currency),
  seats = t.seats, mrr_cents = t.mrr_cents, renewal_on = t.renewal_on, updated_at = %(now)s
FROM totals t
WHERE a.tenant_id = %(tenant)s AND a.id = t.account_id
  AND (a.plan, a.currency, a.seats, a.mrr_cents, a.renewal_on) IS DISTINCT FROM
      (coalesce(nullif(t.plan, ''), a.plan), coalesce(nullif(t.currency, ''), a.currency), t.seats, t.mrr_cents,
       t.renewal_on)
"""


def roll_up_subscriptions(
    *, tenant: Tenant, account_ids: Sequence[int] | None = None, day: date | None = None
) -> int:
    """Set plan, seats, MRR and renewal of these accounts (without a list: of all); returns how many changed."""
    params = {
        "tenant": tenant.pk,
        "accounts": None if account_ids is None else list(account_ids),
        "day": day or tenant.today(),
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(ROLL_UP_SQL, params)
        return int(cursor.rowcount)
