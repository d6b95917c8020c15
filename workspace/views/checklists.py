"""Checklists: the lists of a month or quarter, who is how far, ticks by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import TenantRequest
from playbooks.checklists import selectors as checklists
from playbooks.checklists.items import CADENCES, items_of, period_end, previous_start
from playbooks.checklists.models import ChecklistItem
from playbooks.checklists.services import tick_item, untick_item
from workspace.access import csm_only, member_only
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.selectors import checklists as selectors
from workspace.selectors import people
from workspace.views.going_back import back


@require_safe
@member_only
def checklist_list(request: TenantRequest) -> HttpResponse:
    """The lists of a period: the roll-up, and the accounts behind it."""
    tenant, member = request.tenant, request.member
    wanted = selectors.read_list_filter(request.GET, member, tenant.today())
    default = selectors.default_who(member)
    parameters = wanted.parameters(default)
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    found = selectors.list_page(tenant, wanted, member, after)
    members = people.members(tenant)
    rollup = checklists.rollup(tenant, wanted.cadence, wanted.period)
    shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
    owners = selectors.owner_parts(rollup, members, wanted, _("Nobody"))
    items = selectors.item_parts(rollup, wanted)
    context: dict[str, Any] = {
        "wanted": wanted,
        "default_who": default,
        "members": members,
        "found": found,
        "rollup": rollup,
        "items": items_of(wanted.cadence),
        "owner_parts": [(part, address(request.path, parameters, **part.parameters)) for part in owners],
        "item_parts": [(part, address(request.path, parameters, **part.parameters)) for part in items],
        "cadences": [
            (key, word, address(request.path, parameters, every=key, period="", item=""))
            for key, word in CADENCES.items()
        ],
        "ends_on": period_end(wanted.cadence, wanted.period),
        "previous_url": address(
            request.path, parameters, period=previous_start(wanted.cadence, wanted.period).isoformat()
        ),
        "current_url": address(request.path, parameters, period=""),
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.lines),
            total=found.total,
            next_cursor=found.next_cursor,
        ),
    }
    return render(request, "workspace/checklists/list.html", context)


def _deed(
    request: TenantRequest, deed: Callable[[], ChecklistItem], words: str, undo: str = ""
) -> HttpResponse:
    try:
        item = deed()
    except ObjectDoesNotExist as error:
        raise Http404 from error
    messages.success(
        request,
        words % {"item": item.item.title, "account": item.account.name},
        extra_tags=f"undo:{undo}" if undo else "",
    )
    return back(request, "workspace:checklists")


@require_POST
@csm_only
def checklist_tick(request: TenantRequest, pk: int) -> HttpResponse:
    """Tick an item by hand."""
    deed = partial(
        tick_item,
        tenant=request.tenant,
        item_id=pk,
        note=request.POST.get("note", ""),
        member=request.member,
    )
    undo = reverse("workspace:checklist_untick", args=[pk])
    return _deed(request, deed, _("%(account)s: %(item)s is done."), undo)


@require_POST
@csm_only
def checklist_untick(request: TenantRequest, pk: int) -> HttpResponse:
    """Open an item again."""
    deed = partial(untick_item, tenant=request.tenant, item_id=pk, member=request.member)
    return _deed(request, deed, _("%(account)s: %(item)s is open again."))
