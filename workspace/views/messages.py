"""What is said to customers, and the outbox: what left the house or has to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages as notes
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Outbox
from accounts.outbox import replay_item
from accounts.requests import TenantRequest
from accounts.services import record_audit
from outreach.mail.viewing import MAIL_KINDS, mail_of_item, mail_of_message
from outreach.models import Message
from workspace.access import admin_only, manager_only, over_all
from workspace.message_words import KINDS
from workspace.paging import CURSOR_PARAMETER, page_of, read_cursor
from workspace.selectors import messages as selectors

# A mail styles itself, so what the frame shows may; it may do nothing else, and nobody else may frame it.
MAIL_POLICY: dict[str, Any] = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "script-src": ["'none'"],
    "connect-src": ["'none'"],
    "font-src": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
    "sandbox": True,
}


def framed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For a view that gives the HTML of a mail: only our own pages may frame it, and in it nothing may act."""
    replace: Any = csp_replace(MAIL_POLICY)  # typed for views without parameters
    framed_view: Callable[..., HttpResponse] = xframe_options_sameorigin(replace(view))
    return framed_view


def foot(request: TenantRequest, wanted: dict[str, str], found: Any) -> dict[str, Any]:
    """The pager of a list."""
    after = request.GET.get(CURSOR_PARAMETER, "")
    return {
        "page": page_of(
            path=request.path,
            parameters=wanted | ({CURSOR_PARAMETER: after} if read_cursor(after) else {}),
            shown=len(found.rows),
            total=found.total,
            next_cursor=found.next_cursor,
        )
    }


@require_safe
@manager_only
def message_list(request: TenantRequest) -> HttpResponse:
    """Everything that was said to customers, newest first."""
    wanted = selectors.read_message_filter(request.GET)
    found = selectors.message_page(
        request.tenant, wanted, after=read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    )
    context = {
        "wanted": wanted,
        "found": found,
        "states": Message.State.choices,
        "channels": Message.Channel.choices,
    }
    return render(
        request, "workspace/messages/list.html", context | foot(request, wanted.parameters(), found)
    )


@require_safe
@manager_only
def message_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One message: what it says, what became of it, and why."""
    found = selectors.message(request.tenant, pk)
    if found is None:
        raise Http404
    is_mail = found.channel == Message.Channel.EMAIL
    context = {
        "message": found,
        "item": selectors.item_of_message(request.tenant, pk) if is_mail else None,
        "mail": mail_of_message(request.tenant, found) if is_mail else None,
        "frame": reverse("workspace:message_html", args=[pk]),
    }
    return render(request, "workspace/messages/message.html", context)


@require_safe
@framed
@manager_only
def message_html(request: TenantRequest, pk: int) -> HttpResponse:
    """A message as its receiver sees it, for the frame."""
    found = selectors.message(request.tenant, pk)
    if found is None or found.channel != Message.Channel.EMAIL:
        raise Http404
    return HttpResponse(mail_of_message(request.tenant, found).html)


@require_safe
@manager_only
@over_all
def outbox(request: TenantRequest) -> HttpResponse:
    """Everything that left the house or has to."""
    wanted = selectors.read_outbox_filter(request.GET, KINDS)
    found = selectors.outbox_page(
        request.tenant, wanted, after=read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    )
    context = {
        "wanted": wanted,
        "found": found,
        "states": Outbox.State.choices,
        "kinds": KINDS.items(),
        "now": timezone.now(),
        "kept": settings.MAIL_IS_KEPT,
    }
    return render(
        request, "workspace/messages/outbox.html", context | foot(request, wanted.parameters(), found)
    )


@require_safe
@manager_only
@over_all
def outbox_item(request: TenantRequest, pk: int) -> HttpResponse:
    """One item: its mail or its data, its attempts, its error."""
    item = selectors.outbox_item(request.tenant, pk)
    if item is None:
        raise Http404
    context = {
        "item": item,
        "mail": mail_of_item(request.tenant, item) if item.kind in MAIL_KINDS else None,
        "lines": selectors.outbox_lines(request.tenant, [item]),
        "delivery": selectors.delivery_of_item(request.tenant, item),
        "frame": reverse("workspace:message_outbox_html", args=[pk]),
        "kept": settings.MAIL_IS_KEPT,
    }
    return render(request, "workspace/messages/outbox_item.html", context)


@require_safe
@framed
@manager_only
@over_all
def outbox_html(request: TenantRequest, pk: int) -> HttpResponse:
    """The mail of an item, for the frame."""
    item = selectors.outbox_item(request.tenant, pk)
    mail = mail_of_item(request.tenant, item) if item is not None and item.kind in MAIL_KINDS else None
    if mail is None:
        raise Http404
    return HttpResponse(mail.html)


@require_POST
@admin_only
def outbox_retry(request: TenantRequest, pk: int) -> HttpResponse:
    """Let an item that was put aside be tried again."""
    try:
        item = replay_item(tenant=request.tenant, item_id=pk)
    except Outbox.DoesNotExist as error:
        raise Http404 from error
    record_audit(
        tenant=request.tenant,
        actor=request.member,
        action="outbox.replayed",
        target=f"{item.kind} {item.key}",
    )
    notes.success(request, _("It is tried again at once."))
    return redirect("workspace:message_outbox_item", pk)
