"""Rules: the shipped ones, changing them, building one's own, switching them on and off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from alerts.conditions import ConditionError
from alerts.looking import look, night_of
from alerts.models import Channel, Match, Rule
from alerts.params import parse_params, stored_params
from alerts.rule_words import fault_words
from alerts.shipped import shipped_rules

from .evaluation import lock_alerts
from .remembering import recall
from .writing import store_matches

KEY_LENGTH = 60
OWN_POSITION = 200
MOST_OWN_RULES = 100
EDITABLE = (
    *("name", "description", "severity", "play", "play_key", "channels", "interrupts", "topic", "params"),
    *("dwell_days", "cooldown_days", "clear_days", "reentry_max", "reentry_days", "grace_days"),
    *("segments", "stages", "plan_kinds", "include_churned", "volume_metric", "volume_least"),
)
ALERT_NOW, ONLY_NEW = "now", "new"


def install_shipped_rules(*, tenant: Tenant) -> list[Rule]:
    """Add the shipped rules that the tenant does not have, in its language; the others stay as they are.

    A new tenant starts with all of them on. One that works already gets a later rule switched off: nobody is to wake up
    to alerts that nobody asked for.
    """
    known = dict(Rule.objects.filter(tenant=tenant).values_list("key", "origin"))
    works_already = Rule.Origin.SHIPPED in known.values()
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
            channels=[Channel.IN_APP],
            origin=Rule.Origin.SHIPPED,
            enabled=not works_already,
        )
        for rule in shipped_rules()
        if rule.key not in known
    )


def add_rule(*, tenant: Tenant, actor: Membership | None, values: Mapping[str, Any]) -> Rule:
    """A rule of the tenant's own conditions; it is off until somebody switches it on."""
    if Rule.objects.filter(tenant=tenant, origin=Rule.Origin.OWN).count() >= MOST_OWN_RULES:
        raise ValidationError(
            _("A company may have %(most)s rules of its own; delete one that is off.")
            % {"most": MOST_OWN_RULES}
        )
    rule = Rule(
        tenant=tenant,
        key=_free_key(tenant, values["name"]),
        kind=Rule.Kind.CONDITIONS,
        enabled=False,
        position=OWN_POSITION,
        origin=Rule.Origin.OWN,
    )
    after = _take(rule, values)
    rule.save()
    record_audit(
        tenant=tenant, actor=actor, action="rule.added", target=f"rule:{rule.key}", before=None, after=after
    )
    return rule


def change_rule(*, tenant: Tenant, actor: Membership | None, rule: Rule, values: Mapping[str, Any]) -> Rule:
    """Store what was changed about a rule; the next nightly run uses it."""
    before = {name: getattr(rule, name) for name in EDITABLE if name in values}
    after = _take(rule, values)
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        rule.save(update_fields=changed)
        record_audit(
            tenant=tenant,
            actor=actor,
            action="rule.changed",
            target=f"rule:{rule.key}",
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return rule


def _take(rule: Rule, values: Mapping[str, Any]) -> dict[str, Any]:
    """Put the values into the rule; raises `ValidationError` with every field that is wrong."""
    found = {name: values[name] for name in EDITABLE if name in values}
    if "params" in found:
        try:
            found["params"] = stored_params(parse_params(rule.kind, found["params"]))
        except ConditionError as error:
            raise ValidationError({"params": f"{error.path}: {fault_words(error)}"}) from error
        except ValueError as error:
            raise ValidationError({"params": str(error)}) from error
    for name, value in found.items():
        setattr(rule, name, value)
    if rule.play == Rule.Play.FIXED and not rule.play_key:
        raise ValidationError({"play_key": _("Choose the play.")})
    rule.clean_fields(exclude=["tenant", "params"])
    return found


def _free_key(tenant: Tenant, name: str) -> str:
    stem = slugify(name)[: KEY_LENGTH - 4].replace("-", "_") or "rule"
    taken = set(Rule.objects.filter(tenant=tenant, key__startswith=stem).values_list("key", flat=True))
    return next(key for key in (stem, *(f"{stem}_{n}" for n in range(2, 1000))) if key not in taken)


def switch_rule(
    *,
    tenant: Tenant,
    actor: Membership | None,
    rule_id: int,
    enabled: bool,
    existing: str = ALERT_NOW,
) -> Rule | None:
    """Let a rule fire or not; None when there is no such rule.

    With `existing` "new", what holds already opens nothing until it has cleared once.
    """
    rule = Rule.objects.select_for_update().filter(tenant=tenant, pk=rule_id).first()
    if rule is None or rule.enabled == enabled:
        return rule
    lock_alerts(tenant)
    Match.objects.filter(tenant=tenant, rule=rule).delete()
    rule.enabled = enabled
    rule.save(update_fields=["enabled"])
    held = _take_baseline(tenant, rule) if enabled and existing == ONLY_NEW else 0
    record_audit(
        tenant=tenant,
        actor=actor,
        action="rule.switched",
        target=f"rule:{rule.key}",
        before={"enabled": not enabled},
        after={"enabled": enabled, "existing": existing if enabled else "", "held_back": held},
    )
    return rule


def _take_baseline(tenant: Tenant, rule: Rule) -> int:
    """Remember what holds now, so that only what comes later opens an alert."""
    night = night_of(tenant, tenant.today() - timedelta(days=1))
    remembered = recall(tenant, [rule], night.day)[rule.pk]
    (seen,) = look(night, [rule], {rule.pk: remembered.watched})
    held = sorted(key for key in seen.fires if key not in remembered.memory.open)
    store_matches(
        night, [(rule, key) for key in held], night.day, baseline=True, evidence=seen.evidence_of(held)
    )
    return len(held)


def delete_rule(*, tenant: Tenant, actor: Membership | None, rule: Rule) -> None:
    """Delete a rule of one's own that never found anything; one that did is the ledger's and is switched off instead."""
    if rule.origin != Rule.Origin.OWN or rule.alerts.exists():
        raise ValidationError(
            _("A shipped rule, or one that has found something, is switched off and not deleted.")
        )
    record_audit(
        tenant=tenant,
        actor=actor,
        action="rule.deleted",
        target=f"rule:{rule.key}",
        before={"name": rule.name, "params": rule.params},
        after=None,
    )
    rule.delete()
