"""Where accounts stand: experienced value, what keeps them off the board, what they became."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Tenant
from pql.models import Disqualifier, LeadSettings, Standing
from usage.models import Metric

from .definitions import ACTIVATION_METRIC

LOOK_BACK_DAYS = 90

# The n-th different day, of those of the last 90 days, on which value was there.
ACTIVATED_SQL = """
UPDATE pql_standing p SET activated_on = f.day
FROM (
  SELECT account_id, day FROM (
    SELECT u.account_id, u.day, row_number() OVER (PARTITION BY u.account_id ORDER BY u.day) AS nth
    FROM usage_day u JOIN pql_standing s ON s.tenant_id = u.tenant_id AND s.account_id = u.account_id
    WHERE u.tenant_id = %(tenant)s AND s.activated_on IS NULL AND s.converted_on IS NULL
      AND u.day > %(day)s::date - %(back)s AND u.day <= %(day)s AND u."values"[{slot}] > 0
  ) AS days WHERE nth = %(days)s
) AS f
WHERE p.tenant_id = %(tenant)s AND p.account_id = f.account_id
"""


def note_activation(*, tenant: Tenant, settings: LeadSettings, day: date) -> None:
    """Note the day on which accounts experienced value: the first named event, else use at all, on enough days."""
    wanted = {"key": ACTIVATION_METRIC} if settings.activation_events else {"kind": Metric.Kind.ALL_EVENTS}
    metric = Metric.objects.filter(tenant=tenant, active=True, slot__isnull=False, **wanted).first()
    if metric is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            ACTIVATED_SQL.format(slot=int(metric.slot or 0)),
            {"tenant": tenant.pk, "day": day, "back": LOOK_BACK_DAYS, "days": settings.activation_days},
        )


# Each finds accounts with a standing that a rule matches, and the fact that made it match.
_OF_ACCOUNTS = """
SELECT DISTINCT ON (a.id) a.id, {fact} FROM pql_standing s
JOIN accounts_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id {more}
WHERE s.tenant_id = %(tenant)s AND {condition} ORDER BY a.id, 2
"""
_DOMAIN = "lower(split_part(c.email, '@', 2))"
_CONTACTS = "JOIN accounts_contact c ON c.tenant_id = a.tenant_id AND c.account_id = a.id AND c.email <> ''"
DISQUALIFIED_SQL: dict[str, str] = {
    Disqualifier.Kind.DOMAIN: _OF_ACCOUNTS.format(
        fact="c.email", more=_CONTACTS, condition=f"{_DOMAIN} = ANY(%(words)s)"
    ),
    Disqualifier.Kind.FREE_MAIL: f"""
SELECT a.id, min(c.email) FROM pql_standing s
JOIN accounts_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id {_CONTACTS}
WHERE s.tenant_id = %(tenant)s GROUP BY a.id HAVING bool_and({_DOMAIN} = ANY(%(words)s)) AND cardinality(%(words)s) > 0
""",
    Disqualifier.Kind.TAG: _OF_ACCOUNTS.format(
        fact="t.tag",
        more="CROSS JOIN LATERAL unnest(a.tags) AS t(tag)",
        condition="lower(t.tag) = ANY(%(words)s)",
    ),
    Disqualifier.Kind.SEGMENT: _OF_ACCOUNTS.format(
        fact="a.segment", more="", condition="lower(a.segment) = ANY(%(words)s)"
    ),
    Disqualifier.Kind.STAGE: _OF_ACCOUNTS.format(
        fact="a.stage", more="", condition="lower(a.stage) = ANY(%(words)s)"
    ),
    Disqualifier.Kind.PLAN_KIND: _OF_ACCOUNTS.format(
        fact="a.plan", more="", condition="a.plan_kind = ANY(%(words)s)"
    ),
    Disqualifier.Kind.CHURNED: _OF_ACCOUNTS.format(
        fact="a.churned_on::text", more="", condition="a.churned_on <= %(day)s"
    ),
}
KEEP_OFF_SQL = """
UPDATE pql_standing p SET disqualifier_id = n.rule, disqualified_why = n.why
FROM (
  SELECT s.id, f.rule, coalesce(f.why, '') AS why
  FROM pql_standing s LEFT JOIN unnest(%(accounts)s::bigint[], %(rules)s::bigint[], %(whys)s::text[])
    AS f(account_id, rule, why) ON f.account_id = s.account_id
  WHERE s.tenant_id = %(tenant)s
) AS n
WHERE p.tenant_id = %(tenant)s AND p.id = n.id
  AND (p.disqualifier_id IS DISTINCT FROM n.rule OR p.disqualified_why <> n.why)
"""


def disqualify(*, tenant: Tenant, day: date) -> None:
    """Keep accounts off the board that a rule matches, and say why; the first rule that matches is the reason."""
    found: dict[int, tuple[int, str]] = {}
    with connection.cursor() as cursor:
        for rule in Disqualifier.objects.filter(tenant=tenant, active=True).order_by("position", "id"):
            words = [word.strip().lower().removeprefix("@") for word in rule.words if word.strip()]
            if rule.kind in Disqualifier.NEEDS_VALUES and not words:
                continue
            cursor.execute(DISQUALIFIED_SQL[rule.kind], {"tenant": tenant.pk, "words": words, "day": day})
            for account_id, fact in cursor.fetchall():
                found.setdefault(account_id, (rule.pk, str(fact or "")[:300]))
        cursor.execute(
            KEEP_OFF_SQL,
            {
                "tenant": tenant.pk,
                "accounts": list(found),
                "rules": [rule for rule, _why in found.values()],
                "whys": [why for _rule, why in found.values()],
            },
        )


# A first subscription says itself when it began, also when it becomes known later or is put right; accounts that paid from
# their first day on are no conversions.
PAID_SQL = """
UPDATE pql_standing p SET paid_on = n.paid_on
FROM (
  SELECT s.id, CASE WHEN f.starts_on IS NULL OR f.starts_on > %(day)s THEN s.paid_on
                    WHEN f.starts_on > s.since_on THEN least(s.paid_on, f.starts_on) END AS paid_on
  FROM pql_standing s LEFT JOIN (
    SELECT account_id, min(coalesce(starts_on, (received_at AT TIME ZONE %(zone)s)::date)) AS starts_on
    FROM accounts_subscription WHERE tenant_id = %(tenant)s AND mrr_cents > 0 GROUP BY 1
  ) AS f ON f.account_id = s.account_id
  WHERE s.tenant_id = %(tenant)s
) AS n
WHERE p.tenant_id = %(tenant)s AND p.id = n.id AND p.paid_on IS DISTINCT FROM n.paid_on
"""
# A contract is noticed by the night. An account converts once, whatever it buys later; another account of the same customer
# (a second workspace) is an account of its own.
CONTRACT_SQL = """
UPDATE pql_standing p SET converted_on = %(day)s, converted_by = 'contract'
FROM accounts_account a
WHERE p.tenant_id = %(tenant)s AND a.tenant_id = p.tenant_id AND a.id = p.account_id AND p.converted_on IS NULL
  AND a.plan_kind = 'contract' AND (a.churned_on IS NULL OR a.churned_on > %(day)s)
"""


def note_conversions(*, tenant: Tenant, day: date) -> None:
    """Note who began to pay and who moved to a contract."""
    values: dict[str, Any] = {"tenant": tenant.pk, "zone": tenant.timezone, "day": day}
    with connection.cursor() as cursor:
        cursor.execute(PAID_SQL, values)
        cursor.execute(CONTRACT_SQL, values)


def why_off(standing: Standing) -> str:
    """Why an account is not on the board, in words."""
    words = standing.get_status_display()
    if standing.status == Standing.Status.DISQUALIFIED and standing.disqualifier:
        fact = f" ({standing.disqualified_why})" if standing.disqualified_why else ""
        return _("%(status)s: %(rule)s") % {"status": words, "rule": standing.disqualifier.name} + fact
    return words
