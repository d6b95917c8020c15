"""Which alerts interrupt a person: critical health, expansion, enterprise accounts, complex issues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from alerts.lifecycle import Key
from alerts.models import Interrupts, PersonReason, Rule, Topic
from alerts.probes import Night
from alerts.selectors import attention_of
from scoring.models import KIND_CODES

CRITICAL = 1  # the band's code
SEVERITIES = ["low", "normal", "high", "urgent"]

FACTS_SQL = """
SELECT a.id, lower(a.segment) = ANY(%(enterprise)s), coalesce(s.band = %(critical)s, false), EXISTS (
  SELECT 1 FROM accounts_ticket t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id AND t.opened_at < %(until)s
    AND t.received_at <= %(until)s AND (t.resolved_at IS NULL OR t.resolved_at > %(until)s)
    AND t.severity = ANY(%(complex)s))
FROM accounts_account a
LEFT JOIN scoring_score s ON s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.day = %(day)s AND s.account_id = a.id
WHERE a.tenant_id = %(tenant)s AND a.id = ANY(%(accounts)s)
"""


def person_reasons(night: Night, found: Sequence[tuple[Rule, Key]]) -> list[str]:
    """For each finding why it goes to a person, or nothing; one query for the facts of all accounts."""
    settings = attention_of(night.tenant)
    accounts = sorted({key[0] for rule, key in found if rule.interrupts == Interrupts.AUTO and key[0]})
    facts: dict[int, tuple[bool, bool, bool]] = {}
    if accounts:
        values: dict[str, Any] = {
            "tenant": night.tenant.pk,
            "day": night.day,
            "until": night.known_until,
            "kind": KIND_CODES["health"],
            "critical": CRITICAL,
            "enterprise": [segment.lower() for segment in settings.enterprise_segments],
            "complex": SEVERITIES[SEVERITIES.index(settings.complex_severity) :],
            "accounts": accounts,
        }
        with connection.cursor() as cursor:
            cursor.execute(FACTS_SQL, values)
            facts = {pk: tuple(rest) for pk, *rest in cursor.fetchall()}
    return [_reason(rule, facts.get(key[0], (False, False, False))) for rule, key in found]


def _reason(rule: Rule, facts: tuple[bool, bool, bool]) -> str:
    is_enterprise, is_critical, is_complex = facts
    if rule.interrupts == Interrupts.NEVER:
        return ""
    if rule.interrupts == Interrupts.ALWAYS or rule.topic == Topic.OPERATIONS:
        return PersonReason.RULE
    if is_critical:
        return PersonReason.CRITICAL
    if rule.topic == Topic.EXPANSION:
        return PersonReason.EXPANSION
    if is_enterprise:
        return PersonReason.ENTERPRISE
    return PersonReason.COMPLEX if is_complex else ""
