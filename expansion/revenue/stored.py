"""The usual report of retention, computed in the night: live it takes seconds where a tenant has 100,000 accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import Tenant
from expansion.renewals.models import RetentionStore

from .retention import Movements, Period, Retention
from .selectors import Group, RetentionReport, retention, trailing_year


def keep_retention(*, tenant: Tenant, rates: Mapping[str, Decimal]) -> None:
    """Store the report of the last twelve complete months; the history it is made of changes in the night only."""
    period = trailing_year(tenant.today())
    RetentionStore.objects.update_or_create(
        tenant=tenant,
        defaults={
            "first": period.first,
            "last": period.last,
            "basis": _basis(tenant, rates),
            "groups": [_written(group) for group in retention(tenant, period, rates).groups],
            "made_at": timezone.now(),
        },
    )


def retention_report(tenant: Tenant, period: Period, rates: Mapping[str, Decimal]) -> RetentionReport:
    """The report of a period: as it was stored last night where that is the one, else computed now.

    Segments and owners of a stored report are those of the night.
    """
    stored = RetentionStore.objects.filter(
        tenant=tenant, first=period.first, last=period.last, basis=_basis(tenant, rates)
    ).first()
    if stored is None:
        return retention(tenant, period, rates)
    return RetentionReport(period, [_read(one) for one in stored.groups])


def _basis(tenant: Tenant, rates: Mapping[str, Decimal]) -> dict[str, Any]:
    """What the figures depend on beside the history."""
    said = {currency: str(Decimal(rate).normalize()) for currency, rate in sorted(rates.items())}
    return {"currency": tenant.currency, "rates": said}


def _written(group: Group) -> dict[str, Any]:
    figures = [
        {
            "currency": one.currency,
            "left_out": one.left_out,
            "whole": list(astuple(one.whole)),
            "months": [list(astuple(month)) for month in one.months],
        }
        for one in group.by_currency
    ]
    return {"dimension": group.dimension, "key": group.key, "figures": figures}


def _read(said: Mapping[str, Any]) -> Group:
    figures = tuple(
        Retention(
            one["currency"],
            Movements(*one["whole"]),
            tuple(Movements(*month) for month in one["months"]),
            one["left_out"],
        )
        for one in said["figures"]
    )
    return Group(said["dimension"], said["key"], figures)
