"""Changing rules."""

from __future__ import annotations

from typing import Any

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from alerts.models import Rule


def save_rule(
    *,
    tenant: Tenant,
    actor: Membership,
    rule: Rule,
    severity: str,
    dwell_days: int,
    cooldown_days: int,
    params: dict[str, Any],
) -> Rule:
    """Store the thresholds of a rule; the next nightly run uses them."""
    after = {"severity": severity, "dwell_days": dwell_days, "cooldown_days": cooldown_days, "params": params}
    before = {name: getattr(rule, name) for name in after}
    for name, value in after.items():
        setattr(rule, name, value)
    rule.save(update_fields=list(after))
    record_audit(
        tenant=tenant,
        actor=actor,
        action="rule.changed",
        target=f"rule:{rule.key}",
        before=before,
        after=after,
    )
    return rule


def switch_rule(*, tenant: Tenant, actor: Membership, rule_id: int, enabled: bool) -> Rule | None:
    """Let a rule fire or not; None when there is no such rule."""
    rule = Rule.objects.select_for_update().filter(tenant=tenant, pk=rule_id).first()
    if rule is not None and rule.enabled != enabled:
        rule.enabled = enabled
        rule.save(update_fields=["enabled"])
        record_audit(
            tenant=tenant,
            actor=actor,
            action="rule.switched",
            target=f"rule:{rule.key}",
            before={"enabled": not enabled},
            after={"enabled": enabled},
        )
    return rule
