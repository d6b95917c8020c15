"""Retention: GRR, NRR and expansion share with their definition and their numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.requests import TenantRequest
from expansion.renewals.services import rates_of, settings_of
from expansion.revenue.retention import (
    EXPANSION_TARGET_PCT,
    GRR_TARGET_PCT,
    NRR_TARGET_PCT,
    Period,
    read_period,
)
from expansion.revenue.selectors import OWNER, SEGMENT, trailing_year
from expansion.revenue.stored import retention_report
from workspace.access import member_only, with_money
from workspace.selectors import people


@require_safe
@member_only
@with_money
def retention_page(request: TenantRequest) -> HttpResponse:
    """The figures of a period: of all accounts, month by month, by segment and by CSM."""
    tenant = request.tenant
    settings = settings_of(tenant)
    period, fault = _period(request, tenant.today())
    report = retention_report(tenant, period, rates_of(settings))
    members = {member.pk: member for member in people.members(tenant, active_only=False)}
    edges = period.edges()
    context = {
        "period": period,
        "fault": fault,
        "figures": report.overall,
        "main": report.overall[0] if report.overall else None,
        "months": [
            (edge, one.currency, month)
            for one in report.overall
            for edge, month in zip(edges, one.months, strict=False)
        ],
        "segments": [(group.key, one) for group in report.of(SEGMENT) for one in group.by_currency],
        "owners": [
            (members.get(group.key) if group.key else None, one)
            for group in report.of(OWNER)
            for one in group.by_currency
        ],
        "has_rates": bool(settings.rates),
        "nrr_target": NRR_TARGET_PCT,
        "grr_target": GRR_TARGET_PCT,
        "expansion_target": EXPANSION_TARGET_PCT,
    }
    return render(request, "workspace/renewals/retention.html", context)


def _period(request: TenantRequest, today: date) -> tuple[Period, str]:
    """The period of the address, else the last twelve complete months; and what was wrong with it."""
    usual = trailing_year(today)
    given: dict[str, Any] = {}
    for name in ("from", "to"):
        try:
            given[name] = parse_date(request.GET.get(name, ""))
        except ValueError:
            given[name] = None
    if given["from"] is None and given["to"] is None:
        return usual, ""
    try:
        return read_period(given["from"], given["to"] or usual.last), ""
    except ValueError:
        return usual, _("This is no period: it begins before it ends and has at most five years.")
