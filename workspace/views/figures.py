"""The page of a figure: how a number came about, and whether it still holds."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import TenantRequest
from qbr.figures import ask_as_recorded, verify_figure
from qbr.figures.services import is_intact
from qbr.models import Figure
from workspace.access import member_only, with_money
from workspace.figure_words import (
    column_words,
    figure_title,
    figure_value,
    parameter_lines,
    row_cells,
    verdict_text,
)

ROWS_SHOWN = 200


def _figure(request: TenantRequest, pk: int) -> Figure:
    found = Figure.objects.filter(tenant=request.tenant, pk=pk).select_related("account").first()
    if found is None:
        raise Http404
    return found


@require_safe
@member_only
@with_money
def figure(request: TenantRequest, pk: int) -> HttpResponse:
    """Query, parameters, moment, rows, hash, and the last verdict."""
    found = _figure(request, pk)
    answer = ask_as_recorded(tenant=request.tenant, figure=found)
    gone = answer if isinstance(answer, str) else ""
    rows = [] if isinstance(answer, str) else list(answer.rows)
    shown = row_cells(rows[:ROWS_SHOWN])
    heads = [] if isinstance(answer, str) or not shown else column_words(answer.columns)
    context = {
        "figure": found,
        "account": found.account,
        "title": figure_title(found),
        "value": figure_value(found, found.value),
        "verdict": verdict_text(found),
        "intact": is_intact(found),
        "parameters": parameter_lines(found.parameters),
        "gone": gone,
        "columns": [(head, cell.is_number) for head, cell in zip(heads, shown[0], strict=True)]
        if heads
        else [],
        "rows": shown,
        "rows_total": len(rows),
        "rows_differ": not gone and len(rows) != found.rows,
    }
    return render(request, "workspace/figures/figure.html", context)


@require_POST
@member_only
@with_money
def figure_verify(request: TenantRequest, pk: int) -> HttpResponse:
    """Ask again."""
    found = _figure(request, pk)
    verdict = verify_figure(tenant=request.tenant, figure=found)
    if verdict.holds:
        messages.success(request, _("The figure holds."))
    else:
        messages.warning(request, verdict_text(found))
    return redirect("workspace:figure", pk)
