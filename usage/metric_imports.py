"""Pushed metric values as something that can be imported from a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.imports.resources import OF_ACCOUNT, Resource, register_resource
from accounts.models import Tenant
from accounts.upserts import Outcome
from accounts.upserts.fields import Field, Invalid, day, text
from accounts.upserts.items import Fault, Rejection
from accounts.upserts.resources import ACCOUNT_ID
from usage.services import push_metric_values


def _read_value(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Invalid("must be a number")
    return float(value)


FIELDS: tuple[Field, ...] = (
    ACCOUNT_ID,
    text("metric", 60, required=True, words="key of a pushed metric"),
    day("day"),
    Field("value", _read_value, {"type": "number"}, required=True),
    text("key", 200, words="value of the metric's dimension"),
)
WORDS = {
    **OF_ACCOUNT,
    "metric": ("metric", "metric key", "metrica", "indicador"),
    "day": ("day", "date", "dia", "fecha"),
    "value": ("value", "amount", "valor", "cantidad"),
    "key": ("key", "dimension", "clave"),
}
# The part of an item that a refusal is about.
PATHS = {"unknown_account": "account_id", "unknown_metric": "metric"}


def upsert_metrics(*, tenant: Tenant, items: Sequence[Mapping[str, Any]], store: bool = True) -> Outcome:
    """Push the values of a file, or only try to; an item is refused with what is wrong with it."""
    with transaction.atomic():
        found = push_metric_values(tenant=tenant, items=items, source="import")
        if not store:
            transaction.set_rollback(True)
    return Outcome(found.created, found.updated, tuple(_rejection(one) for one in found.rejected))


def _rejection(said: Mapping[str, Any]) -> Rejection:
    code, message = str(said["code"]), str(said["message"])
    path = PATHS.get(code) or message.split(" ")[0]
    known = path if path in {one.name for one in FIELDS} else ""
    return Rejection(int(said["index"]), code, message, (Fault(known, code, message),))


def register_metric_import() -> None:
    """Make metric values importable; called when the app is ready."""
    register_resource(
        Resource(
            "metrics",
            _("Metric values"),
            FIELDS,
            upsert_metrics,
            ("account_id", "metric", "value"),
            words=WORDS,
        )
    )
