"""What a tenant says about growing its customers: the starter set, and edits that leave a trace."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from expansion.models import ExpansionSettings, Offering, Opportunity, Trigger
from expansion.stages import OPEN
from playbooks.models import Playbook
from usage.models import Metric
from usage.services import install_starter_metrics

TYPE_STAYS = gettext_lazy("Opportunities for it are open; its type stays until they are closed.")
NEEDS_METRIC = (Trigger.Kind.ROI, Trigger.Kind.WINNERS)
WITH_VALUE = frozenset(
    {
        Metric.Kind.ALL_EVENTS,
        Metric.Kind.COUNT,
        Metric.Kind.SUM,
        Metric.Kind.LAST,
        Metric.Kind.MAX,
        Metric.Kind.PUSHED,
        Metric.Kind.STATE,
        Metric.Kind.SQL,
    }
)


@cache
def shipped() -> dict[str, list[dict[str, Any]]]:
    """The starter set as it is written."""
    text = (Path(__file__).resolve().parent.parent / "shipped.yaml").read_text(encoding="utf-8")
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return found


def install_expansion(*, tenant: Tenant) -> ExpansionSettings:
    """Give a tenant its settings, offerings and triggers, once; what an admin changed or deleted stays so."""
    settings, made = ExpansionSettings.objects.get_or_create(tenant=tenant)
    if not made:
        return settings
    install_starter_metrics(tenant=tenant)  # those that a tenant of an earlier release does not have yet
    language = tenant.language

    def said(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: value.get(language, value["en"]) if key in ("name", "pitch") else value
            for key, value in entry.items()
        }

    Offering.objects.bulk_create(
        Offering(tenant=tenant, position=place * 10, **said(entry))
        for place, entry in enumerate(shipped()["offerings"], 1)
    )
    Trigger.objects.bulk_create(
        Trigger(tenant=tenant, position=place * 10, **said(entry))
        for place, entry in enumerate(shipped()["triggers"], 1)
    )
    return settings


def expansion_settings(tenant: Tenant) -> ExpansionSettings:
    """The tenant's settings; a tenant of an earlier release is given the starter set now."""
    found = ExpansionSettings.objects.filter(tenant=tenant).first()
    return found or install_expansion(tenant=tenant)


def offering_text(offering: Offering, language: str) -> tuple[str, str]:
    """Name and pitch in a language: the shipped words where the tenant has left them as they came, else its own."""
    entry = next((one for one in shipped()["offerings"] if one["key"] == offering.key), None)
    if entry is None:
        return offering.name, offering.pitch
    said = []
    for field in ("name", "pitch"):
        own, words = getattr(offering, field), entry[field]
        said.append(words.get(language, own) if own in words.values() else own)
    return said[0], said[1]


def check_trigger(tenant: Tenant, trigger: Trigger) -> None:
    """Raise a ValidationError that says by field what the trigger lacks."""
    errors: dict[str, str] = {}
    kind = trigger.kind
    if kind in NEEDS_METRIC and not trigger.metrics:
        errors["metrics"] = _("Name at least one metric.")
    if kind == Trigger.Kind.ASKS and not (trigger.metrics or trigger.tags or trigger.phrases):
        errors["metrics"] = _("Name a metric, a tag of tickets or words in notes.")
    if kind == Trigger.Kind.LIMIT and not trigger.metrics and not trigger.hits:
        errors["metrics"] = _("Name a metric, or say how many events of a limit are enough.")
    known = dict(Metric.objects.filter(tenant=tenant, key__in=trigger.metrics).values_list("key", "kind"))
    wrong = [key for key in trigger.metrics if known.get(key) not in WITH_VALUE]
    if wrong:
        errors["metrics"] = _("There is no metric with a value a day called %(keys)s.") % {
            "keys": ", ".join(wrong)
        }
    if trigger.what:
        offering = Offering.objects.filter(tenant=tenant, key=trigger.what).first()
        if offering is None or offering.type != trigger.type:
            errors["what"] = _("There is no offering of this type with this key.")
    if trigger.play_key and not Playbook.objects.filter(tenant=tenant, key=trigger.play_key).exists():
        errors["play_key"] = _("There is no play with this key.")
    if errors:
        raise ValidationError(errors)


def save_trigger(*, tenant: Tenant, trigger: Trigger, member: Membership | None = None) -> Trigger:
    """Store a trigger and write down what changed."""
    check_trigger(tenant, trigger)
    old = Trigger.objects.filter(tenant=tenant, pk=trigger.pk).first() if trigger.pk else None
    trigger.tenant = tenant
    trigger.save()
    _audit(tenant, member, "trigger", old, trigger)
    return trigger


def save_offering(*, tenant: Tenant, offering: Offering, member: Membership | None = None) -> Offering:
    """Store an offering; its type stays while opportunities for it are open."""
    old = Offering.objects.filter(tenant=tenant, pk=offering.pk).first() if offering.pk else None
    if old is not None and old.type != offering.type:
        if Opportunity.objects.filter(tenant=tenant, offering=old, stage__in=OPEN).exists():
            raise ValidationError({"type": TYPE_STAYS})
    offering.tenant = tenant
    offering.save()
    _audit(tenant, member, "offering", old, offering)
    return offering


def save_settings(
    *, tenant: Tenant, fields: Mapping[str, Any], member: Membership | None = None
) -> ExpansionSettings:
    """Change the settings; another probability of a stage counts for all that are in it and have none of their own."""
    expansion_settings(tenant)
    settings = ExpansionSettings.objects.select_for_update().get(tenant=tenant)
    before = {name: getattr(settings, name) for name in fields}
    for name, value in fields.items():
        setattr(settings, name, value)
    settings.full_clean(exclude=["tenant", "id"], validate_unique=False, validate_constraints=False)
    settings.save()
    after = {name: getattr(settings, name) for name in fields}
    if before == after:
        return settings
    for stage in OPEN:
        if before.get(f"{stage}_pct") != after.get(f"{stage}_pct"):
            in_stage = Opportunity.objects.filter(tenant=tenant, stage=stage, probability_is_own=False)
            in_stage.update(probability_pct=settings.probability(stage))
    record_audit(
        tenant=tenant,
        actor=member,
        action="expansion_settings.changed",
        target="expansion settings",
        before=before,
        after=after,
    )
    return settings


def lock_expansion(tenant: Tenant) -> None:
    """Take turns per tenant until the transaction ends: the night must not race with what people open by hand."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"expansion:{tenant.pk}"])


def _audit(
    tenant: Tenant,
    member: Membership | None,
    noun: str,
    old: Trigger | Offering | None,
    new: Trigger | Offering,
) -> None:
    before, after = _said(old), _said(new)
    if before != after:
        record_audit(
            tenant=tenant,
            actor=member,
            action=f"{noun}.changed" if old else f"{noun}.added",
            target=f"{noun}:{new.key}",
            before=before,
            after=after,
        )


def _said(one: Trigger | Offering | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        field.name: getattr(one, field.name)
        for field in one._meta.concrete_fields
        if field.name not in ("id", "tenant")
    }
