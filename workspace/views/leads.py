"""Leads: the board, the list, one lead and what is done with it, conversion, thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.csv_text import csv_lines
from accounts.fence.scope import tenant_scope
from accounts.requests import TenantRequest
from pql import selectors as pql
from pql.export import export_header, export_row
from pql.models import Disqualifier, Lead, Signal, Standing
from pql.services import (
    accept_lead,
    convert_lead,
    draft_thresholds,
    hand_over_lead,
    lead_settings,
    reject_lead,
    reopen_lead,
)
from pql.services.standing import why_off
from workspace.access import admin_only, csm_only, member_only, over_all
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.selectors import leads as selectors
from workspace.selectors import people
from workspace.selectors.lead_figures import conversion_figures, threshold_figures
from workspace.views.going_back import back

NOTE_LENGTH = 4000
# what somebody who asks why an account is not on the board wants to see first
OFF_FIRST = (
    Standing.Status.DISQUALIFIED,
    Standing.Status.NO_VALUE,
    Standing.Status.COOLING,
    Standing.Status.BELOW,
)


@require_safe
@member_only
def lead_list(request: TenantRequest) -> HttpResponse:
    """The board, or the list of the same leads."""
    tenant, member, now = request.tenant, request.member, timezone.now()
    wanted = selectors.read_lead_filter(request.GET, member)
    settings = lead_settings(tenant)
    parameters = wanted.parameters(selectors.default_who(member))
    members = people.members(tenant)
    standings = pql.standing_counts(tenant)
    context: dict[str, Any] = {
        "wanted": wanted,
        "settings": settings,
        "members": members,
        "sellers": pql.sellers(members),
        "states": Lead.State.choices,
        "causes": Lead.Cause.choices,
        "reasons": Lead.Reason.choices,
        "standings": standings,
        "watched": sum(standings.values()),
        "board_url": address(request.path, parameters, view=""),
        "list_url": address(request.path, parameters, view="list"),
        "export_url": address(f"{request.path}export.csv", parameters, view=""),
    }
    if wanted.view == "list":
        after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
        found = selectors.lead_list(tenant, settings, wanted, member, now, after)
        shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
        context |= {
            "found": found,
            "page": page_of(
                path=request.path,
                parameters=shown,
                shown=len(found.cards),
                total=found.total,
                next_cursor=found.next_cursor,
            ),
        }
        return render(request, "workspace/leads/list.html", context)
    context["board"] = selectors.board(tenant, settings, wanted, member, now)
    return render(request, "workspace/leads/board.html", context)


@require_safe
@member_only
def lead_export(request: TenantRequest) -> HttpResponseBase:
    """The filtered leads as a CSV file."""
    tenant = request.tenant
    wanted = selectors.read_lead_filter(request.GET, request.member)
    member, now = request.member, timezone.now()

    def rows() -> Iterator[list[object]]:
        # The request's transaction is over when the stream is read.
        with tenant_scope(tenant):
            for lead, facts in pql.export_rows(tenant, selectors.filtered(tenant, wanted, member, now)):
                yield export_row(lead, facts)

    name = f"leads-{tenant.slug}-{tenant.today().isoformat()}.csv"
    return StreamingHttpResponse(
        csv_lines(export_header(), rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
@member_only
def lead_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One lead: why it is one, whom to talk to, what has happened, what can be done."""
    lead = pql.lead(request.tenant, pk)
    if lead is None:
        raise Http404
    tenant = request.tenant
    settings = lead_settings(tenant)
    crowd = pql.people_of(tenant, lead.account_id)
    card = selectors.one_card(lead, settings, request.member, timezone.now())
    members = people.members(tenant)
    context = {
        "lead": lead,
        "account": lead.account,
        "card": card,
        "settings": settings,
        "why": selectors.explanation(tenant, lead),
        "signals": pql.signal_days(tenant, lead.account_id, tenant.today()),
        "crowd": crowd,
        "call": pql.first_to_call(crowd),
        "entries": pql.lead_entries(tenant, lead.account_id),
        "off": why_off(card.facts.standing) if card.facts.standing else "",
        "sellers": pql.sellers(members),
        "reasons": Lead.Reason.choices,
    }
    return render(request, "workspace/leads/lead.html", context)


def _deed(
    request: TenantRequest, pk: int, deed: Callable[..., Lead], words: str, *, undo: bool
) -> HttpResponse:
    """Do one thing with a lead and say so; what is refused is said in its words."""
    try:
        lead = deed(tenant=request.tenant, lead_id=pk, member=request.member)
    except Lead.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:leads")
    tags = f"undo:{reverse('workspace:lead_reopen', args=[pk])}" if undo else ""
    messages.success(request, words % {"account": lead.account.name}, extra_tags=tags)
    return back(request, "workspace:leads")


def _note(request: TenantRequest) -> str:
    return request.POST.get("note", "")[:NOTE_LENGTH]


@require_POST
@csm_only
def lead_accept(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a lead."""
    return _deed(request, pk, accept_lead, _("The lead %(account)s is accepted."), undo=False)


@require_POST
@csm_only
def lead_hand_over(request: TenantRequest, pk: int) -> HttpResponse:
    """Hand a lead to a member, or to sales outside."""
    to = request.POST.get("to", "")
    member_id = int(to) if to.isascii() and to.isdigit() and len(to) < 19 else None
    outside = "" if member_id is not None else request.POST.get("outside", "")
    deed = partial(hand_over_lead, to_member_id=member_id, outside=outside, note=_note(request))
    return _deed(request, pk, deed, _("The lead %(account)s is handed over."), undo=False)


@require_POST
@csm_only
def lead_convert(request: TenantRequest, pk: int) -> HttpResponse:
    """The account bought."""
    deed = partial(convert_lead, note=_note(request), to_contract=request.POST.get("to_contract") == "yes")
    return _deed(request, pk, deed, _("The lead %(account)s has converted."), undo=True)


@require_POST
@csm_only
def lead_reject(request: TenantRequest, pk: int) -> HttpResponse:
    """No lead after all."""
    deed = partial(reject_lead, reason=request.POST.get("reason", ""), note=_note(request))
    return _deed(request, pk, deed, _("The lead %(account)s is rejected."), undo=True)


@require_POST
@csm_only
def lead_reopen(request: TenantRequest, pk: int) -> HttpResponse:
    """Undo the end of a lead."""
    return _deed(request, pk, reopen_lead, _("The lead %(account)s is open again."), undo=False)


@require_safe
@member_only
@over_all
def conversion(request: TenantRequest) -> HttpResponse:
    """Who converted from which band, and what another threshold would let through."""
    context = conversion_figures(request.tenant) | threshold_figures(request.tenant)
    return render(request, "workspace/leads/conversion.html", context)


@require_POST
@admin_only
def thresholds(request: TenantRequest) -> HttpResponse:
    """Put thresholds into the model's draft."""
    try:
        high, low = float(request.POST.get("high", "")), float(request.POST.get("low", ""))
    except ValueError:
        messages.error(request, _("Enter both thresholds as numbers."))
        return redirect("workspace:lead_conversion")
    try:
        draft = draft_thresholds(tenant=request.tenant, high_above=high, low_below=low, member=request.member)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("workspace:lead_conversion")
    messages.success(
        request,
        _("Version %(number)d is a draft with these thresholds; publish it there.")
        % {"number": draft.number},
    )
    return redirect("admin:scoring_version_change", draft.pk)


@require_safe
@member_only
def rules(request: TenantRequest) -> HttpResponse:
    """How an account becomes a lead, and who is kept off the board."""
    tenant = request.tenant
    settings = lead_settings(tenant)
    counts = pql.standing_counts(tenant)
    status = request.GET.get("status", "")
    if status not in Standing.Status.values:
        status = next((key for key in OFF_FIRST if counts.get(key)), Standing.Status.DISQUALIFIED)
    chosen = Standing.Status(status)
    off = pql.kept_off(tenant, chosen)
    context = {
        "settings": settings,
        "signals": Signal.objects.filter(tenant=tenant),
        "disqualifiers": Disqualifier.objects.filter(tenant=tenant),
        "chosen": chosen,
        "statuses": [(key, word, counts.get(key, 0)) for key, word in Standing.Status.choices],
        "off": [(standing, why_off(standing)) for standing in off],
    }
    return render(request, "workspace/leads/rules.html", context)
