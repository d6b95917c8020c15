"""What the tenant says about leads: the starter set, and edits that keep the metrics in step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from pql.models import Disqualifier, LeadSettings, Signal, Standing
from usage.models import Metric
from usage.services import create_metric, edit_metric, install_starter_metrics

ACTIVATION_METRIC = "activation"
POINTS_METRIC = "signal_points"
OWN_PREFIX = "signal_"
STARTER_METRICS = frozenset({"limit_hits", "billing_visits", "invites", "sales_requests"})
READABLE = frozenset(
    {
        Metric.Kind.ALL_EVENTS,
        Metric.Kind.COUNT,
        Metric.Kind.SUM,
        Metric.Kind.LAST,
        Metric.Kind.MAX,
        Metric.Kind.PUSHED,
        Metric.Kind.STATE,
    }
)


@cache
def shipped() -> dict[str, list[dict[str, Any]]]:
    """The starter set as it is written."""
    text = (Path(__file__).resolve().parent.parent / "shipped.yaml").read_text(encoding="utf-8")
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return found


def install_leads(*, tenant: Tenant) -> LeadSettings:
    """Give a tenant its settings, signals and disqualifiers, once; what an admin changed or deleted stays so."""
    settings, made = LeadSettings.objects.get_or_create(tenant=tenant)
    if not made:
        return settings
    install_starter_metrics(tenant=tenant)  # those that a tenant of an earlier release does not have yet
    events = dict(Metric.objects.filter(tenant=tenant).values_list("key", "events"))
    Signal.objects.bulk_create(
        Signal(
            tenant=tenant,
            name=entry["name"].get(tenant.language, entry["name"]["en"]),
            position=place * 10,
            events=events.get(entry["metric_key"], []),
            **{key: value for key, value in entry.items() if key != "name"},
        )
        for place, entry in enumerate(shipped()["signals"], 1)
    )
    Disqualifier.objects.bulk_create(
        Disqualifier(
            tenant=tenant,
            kind=entry["kind"],
            words=entry["words"],
            name=entry["name"].get(tenant.language, entry["name"]["en"]),
            position=place * 10,
        )
        for place, entry in enumerate(shipped()["disqualifiers"], 1)
    )
    return settings


def lead_settings(tenant: Tenant) -> LeadSettings:
    """The tenant's settings; a tenant of an earlier release is given the starter set now."""
    found = LeadSettings.objects.filter(tenant=tenant).first()
    return found or install_leads(tenant=tenant)


def check_signal(tenant: Tenant, signal: Signal) -> None:
    """Raise a ValidationError that says by field what the signal lacks."""
    if signal.events:
        return
    if not signal.metric_key:
        raise ValidationError({"events": _("Name at least one event, or a metric.")})
    kind = Metric.objects.filter(tenant=tenant, key=signal.metric_key, active=True).values_list(
        "kind", flat=True
    )
    if not kind:
        raise ValidationError({"metric_key": _("There is no such metric, or it is switched off.")})
    if kind[0] not in READABLE:
        raise ValidationError({"metric_key": _("This metric has no value a day; name a count or a state.")})


def save_signal(*, tenant: Tenant, signal: Signal, member: Membership | None = None) -> Signal:
    """Store a signal; one that names events gets a metric that counts them, filled from the events there are."""
    check_signal(tenant, signal)
    old = Signal.objects.filter(tenant=tenant, pk=signal.pk).first() if signal.pk else None
    signal.tenant = tenant
    if signal.events:
        own = old.metric_key if old and old.events else f"{OWN_PREFIX}{signal.key}"
        signal.metric_key = own
        _count_events(tenant, own, signal.name, signal.events)
    signal.save()
    if old is None or _said(old) != _said(signal):
        record_audit(
            tenant=tenant,
            actor=member,
            action="signal.changed" if old else "signal.added",
            target=f"signal:{signal.key}",
            before=_said(old) if old else None,
            after=_said(signal),
        )
    return signal


def save_settings(
    *, tenant: Tenant, fields: Mapping[str, Any], member: Membership | None = None
) -> LeadSettings:
    """Change the settings; another definition of experienced value is judged anew for every account."""
    lead_settings(tenant)
    settings = LeadSettings.objects.select_for_update().get(tenant=tenant)
    before = {name: getattr(settings, name) for name in fields}
    for name, value in fields.items():
        setattr(settings, name, value)
    settings.full_clean(exclude=["tenant", "id"], validate_unique=False, validate_constraints=False)
    settings.save()
    after = {name: getattr(settings, name) for name in fields}
    if before == after:
        return settings
    if before.get("activation_events") != after.get("activation_events") and settings.activation_events:
        _count_events(tenant, ACTIVATION_METRIC, _("Activation"), settings.activation_events)
    if any(
        before[name] != after[name] for name in ("activation_events", "activation_days") if name in before
    ):
        Standing.objects.filter(tenant=tenant).update(activated_on=None)
    record_audit(
        tenant=tenant,
        actor=member,
        action="lead_settings.changed",
        target="lead settings",
        before=before,
        after=after,
    )
    return settings


def _said(signal: Signal) -> dict[str, Any]:
    names = ("name", "kind", "events", "metric_key", "at_least", "points", "half_life_days", "active")
    return {name: getattr(signal, name) for name in names}


def _count_events(tenant: Tenant, key: str, name: str, events: list[str]) -> Metric:
    """The count metric of these events, made or changed; a change is filled from raw events."""
    metric = Metric.objects.filter(tenant=tenant, key=key).first()
    if metric is None:
        fields = {"key": key, "name": name[:120], "kind": Metric.Kind.COUNT, "events": events}
        return create_metric(tenant=tenant, fields=fields)
    if metric.events != events or not metric.active:
        return edit_metric(tenant=tenant, metric=metric, fields={"events": events, "active": True})
    return metric
