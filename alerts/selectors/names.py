"""What people call the metrics and components that evidence remembers by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext

from accounts.models import Tenant
from alerts.rule_words import CURRENCY
from alerts.wording import evidence_sentence
from scoring.models import Component, Version
from usage.models import Metric

COMPONENT = "component "  # before a component's key, which may also be a metric's


def metric_names(tenant: Tenant) -> dict[str, str]:
    """Names of the metrics by key, and of the models' components; one query, in the reader's language."""
    metrics = Metric.objects.filter(tenant=tenant).values_list("key", "name", Value(False))
    components = Component.objects.filter(tenant=tenant, version__state=Version.State.PUBLISHED)
    marked = components.values_list(Concat(Value(COMPONENT), F("key")), "name", "version__model__is_default")
    # Models may share a key; the default model, which scores most accounts, has the last word.
    found = sorted(metrics.union(marked), key=lambda row: row[2])
    return {key: gettext(name) for key, name, _is_default in found} | {CURRENCY: tenant.currency}


def finding_sentence(kind: str, evidence: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Why an alert fired, with names in place of keys, in the reader's language."""
    said = dict(evidence)
    if "weakest" in said:
        said["weakest"] = names.get(COMPONENT + said["weakest"], said["weakest"])
    return evidence_sentence(kind, said, names)
