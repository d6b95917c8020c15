"""Sources and usage: what comes in, what it is counted as, what could not be taken in."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import TenantRequest
from accounts.services import record_audit
from usage.models import Quarantine
from usage.services import discard_quarantined, replay_quarantined
from usage.services.intake import NotReplayable
from workspace.access import admin_only, member_only, over_all
from workspace.paging import CURSOR_PARAMETER, capped, page_of, read_cursor
from workspace.selectors import sources as selectors


@require_safe
@member_only
def source_list(request: TenantRequest) -> HttpResponse:
    """Every source with its freshness."""
    waiting = selectors.open_quarantine(request.tenant)
    context = {
        "lines": selectors.sources(request.tenant, timezone.now(), request.tenant.today()),
        "waiting": waiting,
        "waiting_shown": capped(waiting),
        "host": request.build_absolute_uri("/").split("/t/")[0].rstrip("/"),
    }
    return render(request, "workspace/setup/sources.html", context)


@require_safe
@member_only
def metric_list(request: TenantRequest) -> HttpResponse:
    """What is counted: metrics and features."""
    context = {
        "metrics": selectors.metrics(request.tenant, request.tenant.today()),
        "features": selectors.features(request.tenant),
    }
    return render(request, "workspace/setup/metrics.html", context)


@require_safe
@member_only
@over_all
def quarantine_list(request: TenantRequest) -> HttpResponse:
    """Events that could not be taken in, by reason."""
    wanted = selectors.read_quarantine_filter(request.GET)
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    found = selectors.quarantine_page(request.tenant, wanted, after=after)
    shown = wanted.parameters() | ({CURSOR_PARAMETER: after.encode()} if after else {})
    context = {
        "wanted": wanted,
        "found": found,
        "states": Quarantine.State.choices,
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.rows),
            total=found.total,
            next_cursor=found.next_cursor,
        ),
    }
    return render(request, "workspace/setup/quarantine.html", context)


@require_safe
@member_only
@over_all
def quarantine_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One event as it came, with why it is here."""
    found = selectors.quarantined(request.tenant, pk)
    if found is None:
        raise Http404
    return render(request, "workspace/setup/quarantined.html", {"event": found})


@require_POST
@admin_only
def quarantine_replay(request: TenantRequest, pk: int) -> HttpResponse:
    """Send an event through its door again, as it is or corrected."""
    payload = request.POST.get("payload", "").strip() or None
    try:
        replay_quarantined(tenant=request.tenant, quarantine_id=pk, payload=payload)
    except Quarantine.DoesNotExist as error:
        raise Http404 from error
    except NotReplayable as error:
        messages.error(request, _("It would be refused again: %(why)s") % {"why": error})
        return redirect("workspace:source_quarantine_item", pk)
    record_audit(tenant=request.tenant, actor=request.member, action="quarantine.replayed", target=str(pk))
    messages.success(request, _("The event is on its way in again."))
    return redirect("workspace:source_quarantine")


@require_POST
@admin_only
def quarantine_discard(request: TenantRequest, pk: int) -> HttpResponse:
    """Put an event aside for good."""
    if not discard_quarantined(tenant=request.tenant, quarantine_ids=[pk]):
        raise Http404
    record_audit(tenant=request.tenant, actor=request.member, action="quarantine.discarded", target=str(pk))
    messages.success(request, _("The event was discarded."))
    return redirect("workspace:source_quarantine")
