"""The bell: what a member is told, and where the member wants to see it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import get_script_prefix
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import TenantRequest
from outreach.models import Notification
from outreach.selectors import choices_of, notifications, unread_count
from outreach.services import mark_all_read, mark_read, save_choices
from workspace.access import member_only
from workspace.paging import CURSOR_PARAMETER, PAGE_SIZE, Cursor, page_of, read_cursor

IN_PANEL = 8


@require_safe
@member_only
def notification_list(request: TenantRequest) -> HttpResponse:
    """Everything, newest first, and the choices."""
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    rows = notifications(
        request.tenant, request.member, before=after.pk if after else None, limit=PAGE_SIZE + 1
    )
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    context = {
        "rows": rows,
        "unread": unread_count(request.tenant, request.member),
        "choices": choices_of(request.tenant, request.member),
        "page": page_of(
            path=request.path,
            parameters={CURSOR_PARAMETER: after.encode()} if after else {},
            shown=len(rows),
            total=len(rows),
            next_cursor=Cursor(None, rows[-1].pk) if more else None,
        ),
    }
    return render(request, "workspace/notifications/list.html", context)


@require_safe
@member_only
def notification_bell(request: TenantRequest) -> HttpResponse:
    """The count, asked for once a minute."""
    context = {"unread": unread_count(request.tenant, request.member)}
    return render(request, "workspace/notifications/_count.html", context)


@require_safe
@member_only
def notification_panel(request: TenantRequest) -> HttpResponse:
    """The newest few, when the bell is opened."""
    context = {
        "rows": notifications(request.tenant, request.member, limit=IN_PANEL),
        "unread": unread_count(request.tenant, request.member),
    }
    return render(request, "workspace/notifications/_panel.html", context)


@require_POST
@member_only
def notification_open(request: TenantRequest) -> HttpResponse:
    """Take it off the bell and go where it leads; one that is not the member's leads to the list."""
    said = request.POST.get("id", "")
    try:
        pk = int(said) if said.isdecimal() and len(said) < 19 else 0
        found = mark_read(tenant=request.tenant, member=request.member, notification_id=pk)
    except Notification.DoesNotExist:
        return redirect("workspace:notifications")
    if found.url.startswith("/") and not found.url.startswith("//"):
        return redirect(get_script_prefix().rstrip("/") + found.url)
    if found.url.startswith("https://"):
        return redirect(found.url)
    return redirect("workspace:notifications")


@require_POST
@member_only
def notification_read(request: TenantRequest) -> HttpResponse:
    """Empty the bell."""
    mark_all_read(tenant=request.tenant, member=request.member)
    return redirect("workspace:notifications")


@require_POST
@member_only
def notification_choices(request: TenantRequest) -> HttpResponse:
    """Keep where the member sees which kind."""
    kinds = [kind for kind, _bell, _mail in choices_of(request.tenant, request.member)]
    save_choices(
        tenant=request.tenant,
        member=request.member,
        choices={
            kind.name: (f"bell-{kind.name}" in request.POST, f"mail-{kind.name}" in request.POST)
            for kind in kinds
        },
    )
    messages.success(request, _("Your choice is kept."))
    return redirect("workspace:notifications")
