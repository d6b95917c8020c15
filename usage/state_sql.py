"""The state of every account at the end of a day, in one statement."""

# A ticket or invoice counts from when it was received; one that was resolved or paid later was open then.
# Severity: 0 none open, 1 low, 2 normal, 3 high, 4 urgent.
SNAPSHOT = """
WITH tickets AS MATERIALIZED (
  SELECT t.account_id,
         count(*) AS open_tickets,
         extract(epoch FROM %(at)s - min(t.opened_at)) / 3600 AS oldest_open_ticket_hours,
         max(array_position(ARRAY['low', 'normal', 'high', 'urgent'], t.severity::text)) AS open_ticket_severity
  FROM accounts_ticket t
  WHERE t.tenant_id = %(tenant)s AND t.received_at < %(at)s AND t.opened_at < %(at)s
    AND (t.resolved_at IS NULL OR t.resolved_at >= %(at)s)
  GROUP BY 1
), ticketing AS MATERIALIZED (
  SELECT EXISTS (SELECT 1 FROM accounts_ticket t WHERE t.tenant_id = %(tenant)s AND t.received_at < %(at)s) AS sent
), invoices AS MATERIALIZED (
  SELECT i.account_id,
         max(%(day)s::date - i.due_on) FILTER (WHERE i.due_on < %(day)s) AS invoice_overdue_days,
         count(*) FILTER (WHERE i.state = 'failed') AS failed_charges
  FROM accounts_invoice i
  WHERE i.tenant_id = %(tenant)s AND i.received_at < %(at)s AND i.state <> 'void'
    AND (i.paid_at >= %(at)s OR i.paid_at IS NULL AND i.state <> 'paid')
  GROUP BY 1
), billing AS MATERIALIZED (
  SELECT EXISTS (SELECT 1 FROM accounts_invoice i WHERE i.tenant_id = %(tenant)s AND i.received_at < %(at)s) AS sent
), people AS MATERIALIZED (
  SELECT u.account_id, count(DISTINCT u.contact_id) AS seats_used
  FROM usage_user_day u
  WHERE u.tenant_id = %(tenant)s AND u.contact_id > 0 AND u.day > %(day)s::date - 28 AND u.day <= %(day)s
  GROUP BY 1
), volume AS MATERIALIZED (
  SELECT DISTINCT ON (p.account_id) p.account_id, p.value AS volume_used
  FROM usage_pushed_value p JOIN usage_metric m ON m.tenant_id = p.tenant_id AND m.id = p.metric_id
  WHERE p.tenant_id = %(tenant)s AND m.key = 'volume_used' AND p.key = '' AND p.value IS NOT NULL
    AND p.day <= %(day)s AND p.day > %(day)s::date - m.hold_days AND p.received_at < %(at)s
  ORDER BY p.account_id, p.day DESC
), paid AS MATERIALIZED (
  SELECT s.account_id, sum(s.mrr_cents) AS mrr_cents, min(s.renews_on) FILTER (WHERE s.renews_on >= %(day)s) AS renews_on
  FROM accounts_subscription s
  WHERE s.tenant_id = %(tenant)s AND s.received_at < %(at)s AND coalesce(s.starts_on, %(day)s) <= %(day)s
    AND (s.ends_on IS NULL OR s.ends_on > %(day)s)
  GROUP BY 1
)
SELECT a.id AS account_id,
       CASE WHEN ticketing.sent THEN coalesce(tickets.open_tickets, 0) END AS open_tickets,
       CASE WHEN ticketing.sent THEN coalesce(tickets.oldest_open_ticket_hours, 0) END AS oldest_open_ticket_hours,
       CASE WHEN ticketing.sent THEN coalesce(tickets.open_ticket_severity, 0) END AS open_ticket_severity,
       CASE WHEN billing.sent THEN greatest(coalesce(invoices.invoice_overdue_days, 0), 0) END AS invoice_overdue_days,
       CASE WHEN billing.sent THEN coalesce(invoices.failed_charges, 0) END AS failed_charges,
       CASE WHEN a.first_seen_on <= %(day)s THEN coalesce(people.seats_used, 0) END AS seats_used,
       CASE WHEN a.first_seen_on <= %(day)s AND a.seats > 0
            THEN 100.0 * coalesce(people.seats_used, 0) / a.seats END AS seats_used_pct,
       CASE WHEN a.volume_limit > 0 THEN 100.0 * volume.volume_used / a.volume_limit END AS volume_used_pct,
       coalesce(paid.mrr_cents, a.mrr_cents) AS mrr_cents,
       coalesce(paid.renews_on, a.renewal_on) - %(day)s::date AS days_to_renewal
FROM accounts_account a CROSS JOIN ticketing CROSS JOIN billing
LEFT JOIN tickets ON tickets.account_id = a.id
LEFT JOIN invoices ON invoices.account_id = a.id
LEFT JOIN people ON people.account_id = a.id
LEFT JOIN volume ON volume.account_id = a.id
LEFT JOIN paid ON paid.account_id = a.id
WHERE a.tenant_id = %(tenant)s AND (a.churned_on IS NULL OR a.churned_on > %(day)s)
  AND least(a.first_seen_on, (a.created_at AT TIME ZONE %(zone)s)::date) <= %(day)s
"""
