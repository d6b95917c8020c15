"""Metric and feature definitions, read for the pure modules."""

from __future__ import annotations

from typing import Any

from usage.matching import Definition, FeatureBook, Plan
from usage.models import Feature, Metric

MAX_FEATURES = 5_000  # labels beyond it are stored with the event but not registered


def load_plan() -> Plan:
    """The active metrics of the scope's tenant, compiled."""
    rows = Metric.objects.filter(active=True).values_list(
        "id", "key", "kind", "slot", "events", "property", "dimension", "decimals"
    )
    return Plan(
        Definition(pk, key, kind, slot, tuple(events), prop, dimension, decimals)
        for pk, key, kind, slot, events, prop, dimension, decimals in rows.order_by("id")
    )


def load_features() -> FeatureBook:
    """The features of the scope's tenant by the labels and event names that count as using them."""
    rows = Feature.objects.order_by("id").values_list("id", "key", "events")
    return FeatureBook([(pk, key, tuple(events)) for pk, key, events in rows], MAX_FEATURES)


def register_features(cursor: Any, tenant_id: int, book: FeatureBook, labels: dict[str, str]) -> None:
    """Store features that nobody has defined, by normalised key and name, and add them to the book."""
    if not labels:
        return
    keys = sorted(labels)
    cursor.execute(
        "INSERT INTO usage_feature (tenant_id, key, name, events, access, is_key, active) "
        "SELECT %s, k, n, ARRAY[]::varchar[], 'everybody', false, true FROM unnest(%s::text[], %s::text[]) AS f(k, n) "
        "ON CONFLICT (tenant_id, key) DO NOTHING",
        [tenant_id, keys, [labels[key] for key in keys]],
    )
    cursor.execute(
        "SELECT key, id FROM usage_feature WHERE tenant_id = %s AND key = ANY(%s::text[])", [tenant_id, keys]
    )
    for key, feature_id in cursor.fetchall():
        book.add(key, feature_id)
