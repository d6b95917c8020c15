"""The shipped rules."""

from __future__ import annotations

from accounts.models import Tenant
from alerts.models import Rule
from alerts.shipped import shipped_rules


def install_shipped_rules(*, tenant: Tenant) -> list[Rule]:
    """Add the shipped rules that the tenant does not have, in its language; the others stay as they are."""
    have = set(Rule.objects.filter(tenant=tenant).values_list("key", flat=True))
    language = tenant.language
    return Rule.objects.bulk_create(
        Rule(
            tenant=tenant,
            key=rule.key,
            name=rule.name.in_language(language),
            description=rule.description.in_language(language).strip(),
            kind=rule.kind,
            params=rule.params,
            severity=rule.severity,
            play=rule.play,
            play_key=rule.play_key,
            position=rule.position,
            cooldown_days=rule.cooldown_days,
            clear_days=rule.clear_days,
            grace_days=rule.grace_days,
            topic=rule.topic,
            interrupts=rule.interrupts,
            origin=Rule.Origin.SHIPPED,
        )
        for rule in shipped_rules()
        if rule.key not in have
    )
