"""Metric definitions: the starter set, new ones, and edits, which take a new slot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Tenant
from usage.matching import normal
from usage.models import Metric
from usage.sql import SqlRefused, read_sql

from .rebuilding import rebuild_now_or_later

Kind = Metric.Kind
WITH_SLOT = {Kind.ALL_EVENTS, Kind.COUNT, Kind.SUM, Kind.MAX, Kind.LAST, Kind.PUSHED, Kind.STATE, Kind.SQL}
NAMES_EVENTS = {Kind.COUNT, Kind.SUM, Kind.MAX, Kind.LAST}
NEEDS_PROPERTY = {Kind.SUM, Kind.MAX, Kind.LAST}
# What decides which number an event adds to; changing one of these makes old numbers wrong.
COUNTED_BY = ("kind", "events", "property", "dimension", "decimals", "query")
MAX_SLOTS = 400  # an account-day is one row with all of them


@cache
def _starter() -> list[dict[str, Any]]:
    text = (Path(__file__).resolve().parent.parent / "starter.yaml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = yaml.safe_load(text)
    return entries


def install_starter_metrics(*, tenant: Tenant) -> list[Metric]:
    """Give a tenant the starter metrics it does not have, named in its language."""
    present = set(Metric.objects.filter(tenant=tenant).values_list("key", flat=True))
    slot = _next_slot(tenant)
    made = []
    for entry in _starter():
        if entry["key"] in present:
            continue
        fields = {name: value for name, value in entry.items() if name != "name"}
        fields["name"] = entry["name"].get(tenant.language, entry["name"]["en"])
        if fields["kind"] in WITH_SLOT:
            fields["slot"], slot = slot, slot + 1
        made.append(Metric(tenant=tenant, is_system=True, **fields))
    return Metric.objects.bulk_create(made)


def create_metric(*, tenant: Tenant, fields: Mapping[str, Any]) -> Metric:
    """Define a metric and fill it from the raw events there are."""
    metric = Metric(tenant=tenant, **fields)
    check_definition(tenant, metric)
    if metric.kind in WITH_SLOT:
        metric.slot = _next_slot(tenant)
    metric.start_on = tenant.today()
    metric.save()
    _backfill(tenant, metric)
    return metric


def edit_metric(*, tenant: Tenant, metric: Metric, fields: Mapping[str, Any]) -> Metric:
    """Change a definition. A change of what is counted takes a new slot, which is filled from raw events."""
    before = {name: getattr(metric, name) for name in COUNTED_BY}
    for name, value in fields.items():
        setattr(metric, name, value)
    check_definition(tenant, metric)
    recount = before != {name: getattr(metric, name) for name in COUNTED_BY}
    if recount:
        metric.slot = _next_slot(tenant) if metric.kind in WITH_SLOT else None
        metric.start_on = tenant.today()
    metric.save()
    if recount:
        _backfill(tenant, metric)
    return metric


def check_definition(tenant: Tenant, metric: Metric) -> None:
    """Raise a ValidationError that says by field what the definition lacks."""
    errors: dict[str, str] = {}
    kind = metric.kind
    if kind in NAMES_EVENTS and not any(normal(event) for event in metric.events):
        errors["events"] = _("Name at least one event.")
    if kind in NEEDS_PROPERTY and not metric.property:
        errors["property"] = _("Say which property of the event holds the number.")
    if metric.dimension and kind not in (Kind.COUNT, Kind.SUM):
        errors["dimension"] = _("Only counts and sums can be kept apart by a dimension.")
    if kind == Kind.RATIO:
        parts = dict(
            Metric.objects.filter(tenant=tenant, key__in=[metric.numerator, metric.denominator]).values_list(
                "key", "kind"
            )
        )
        for field in ("numerator", "denominator"):
            if parts.get(getattr(metric, field)) not in (Kind.ALL_EVENTS, Kind.COUNT, Kind.SUM):
                errors[field] = _("Choose a metric that is a count or a sum.")
    if kind == Kind.SQL:
        if problem := _query_problem(tenant, metric.query):
            errors["query"] = problem
    elif metric.query.strip():
        errors["query"] = _("Only the kind “SQL query” has a query.")
    same_key = Metric.objects.filter(tenant=tenant, key=metric.key)
    if metric.pk is not None:
        same_key = same_key.exclude(pk=metric.pk)
    if same_key.exists():
        errors["key"] = _("There is already a metric with this key.")
    if errors:
        raise ValidationError(errors)
    metric.clean_fields(exclude=["tenant", "id"])


def _query_problem(tenant: Tenant, text: str) -> str:
    """Why a query cannot be read; whether it runs is tried by its button and every night."""
    try:
        read_sql(text, tenant.today(), timezone.now())
    except SqlRefused as error:
        return str(error)
    return ""


def _next_slot(tenant: Tenant) -> int:
    """A slot that was never used; slots of edited metrics are not given out again."""
    with connection.cursor() as cursor:
        # Two admins at once must not take the same slot.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('usage.slots'), %s)", [tenant.pk % 2**31])
        cursor.execute(
            'SELECT coalesce(max(cardinality("values")), 0) FROM usage_day WHERE tenant_id = %s', [tenant.pk]
        )
        used = cursor.fetchone()[0]
    highest = Metric.objects.filter(tenant=tenant).aggregate(highest=Max("slot"))["highest"] or 0
    slot = max(used, highest) + 1
    if slot > MAX_SLOTS:
        raise ValidationError(
            _("There are too many metrics; an installation holds %(most)s.") % {"most": MAX_SLOTS}
        )
    return int(slot)


def _backfill(tenant: Tenant, metric: Metric) -> None:
    """Fill a new slot, and note since when its events have been delivered."""
    if metric.kind in (Kind.RATIO, Kind.PUSHED, Kind.STATE, Kind.SQL):
        return
    rebuild_now_or_later(tenant=tenant)
    with connection.cursor() as cursor:
        names = [normal(event) for event in metric.events]
        cursor.execute(
            "SELECT source, name, min((received_at AT TIME ZONE %s)::date) FROM usage_event "
            "WHERE tenant_id = %s GROUP BY 1, 2",
            [tenant.timezone, tenant.pk],
        )
        for source, name, first in cursor.fetchall():
            if metric.events and normal(name) not in names:
                continue
            cursor.execute(
                "INSERT INTO usage_source_metric AS s (tenant_id, source_id, metric_id, first_on) "
                "SELECT tenant_id, id, %s, %s FROM usage_source WHERE tenant_id = %s AND key = %s "
                "ON CONFLICT (tenant_id, source_id, metric_id) DO UPDATE "
                "SET first_on = least(s.first_on, excluded.first_on)",
                [metric.pk, first, tenant.pk, source],
            )
