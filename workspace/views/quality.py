"""How far the scores can be trusted, and where people disagree with them."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.requests import TenantRequest
from workspace.access import manager_only, member_only, over_all
from workspace.paging import CURSOR_PARAMETER, Cursor, address, read_cursor
from workspace.selectors import quality as selectors
from workspace.selectors.work import sees_everybody


@require_safe
@manager_only
@over_all
def quality(request: TenantRequest) -> HttpResponse:
    """Coverage, freshness, versions, steadiness, overrides and disagreements on one page."""
    found = selectors.quality(request.tenant)
    lines = selectors.queue_lines(request.member, found.queue.rows)
    return render(request, "workspace/quality/quality.html", {"quality": found, "lines": lines})


@require_safe
@member_only
def quality_changes(request: TenantRequest) -> HttpResponse:
    """The accounts whose band changed within a week."""
    found = selectors.changed_accounts(request.tenant, request.GET)
    if found is None:
        raise Http404
    week, changes = found
    context = {
        "week": week,
        "before": week - timedelta(days=1),
        "after": week + timedelta(days=6),
        "changes": changes,
    }
    return render(request, "workspace/quality/changes.html", context)


@require_safe
@member_only
def disagreements(request: TenantRequest) -> HttpResponse:
    """Where score, team and customers say different things, largest MRR first."""
    who = request.GET.get("who", "")
    mine = who == "mine" or (who != "all" and not sees_everybody(request.member))
    cursor = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    after = (cursor.value, cursor.pk) if cursor and isinstance(cursor.value, int) else None
    if after and abs(after[0]) >= 2**63:
        after = None
    queue = selectors.disagreement_queue(request.tenant, request.member, mine=mine, after=after)
    shown = {"who": "mine" if mine else "all"}
    next_url = ""
    if queue.next_after:
        mrr, pk = queue.next_after
        next_url = address(request.path, shown, **{CURSOR_PARAMETER: Cursor(mrr, pk).encode()})
    context = {"queue": queue, "mine": mine, "next_url": next_url, "paged": after is not None}
    return render(request, "workspace/quality/disagreements.html", context)
