"""Webhooks: other systems that are told what happens here, and the log of it."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import TenantRequest
from outreach.delivery.webhooks import body_of
from outreach.events import event_types
from outreach.models import Delivery, Endpoint
from outreach.services import endpoints as services
from workspace.access import admin_only
from workspace.message_forms import EndpointForm, ReplayForm
from workspace.paging import CURSOR_PARAMETER, read_cursor
from workspace.selectors import webhooks as selectors
from workspace.views.messages import foot


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def webhook_list(request: TenantRequest) -> HttpResponse:
    """Every endpoint; a new one's secret is shown on the answer to its form and nowhere else."""
    form = EndpointForm(request.POST or None)
    fresh, added = None, None
    if request.method == "POST" and form.is_valid():
        try:
            added, fresh = services.add_endpoint(
                tenant=request.tenant, actor=request.member, **form.cleaned_data
            )
            form = EndpointForm()
        except ValidationError as error:
            form.add_error(None, error)
    context = {
        "form": form,
        "fresh": fresh,
        "added": added,
        "endpoints": selectors.endpoints(request.tenant),
        "kinds": event_types(),
    }
    return render(request, "workspace/webhooks/list.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def webhook(request: TenantRequest, pk: int) -> HttpResponse:
    """One endpoint: where it leads, what it is told, and its log."""
    found = _endpoint(request, pk)
    form = EndpointForm(
        request.POST or None,
        initial={"url": found.url, "description": found.description, "event_types": found.event_types},
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.change_endpoint(
                tenant=request.tenant, actor=request.member, endpoint_id=pk, **form.cleaned_data
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The webhook was saved."))
            return redirect("workspace:webhook", pk)
    return _page(request, found, form)


def _endpoint(request: TenantRequest, pk: int) -> Endpoint:
    found = selectors.endpoint(request.tenant, pk)
    if found is None:
        raise Http404
    return found


def _page(
    request: TenantRequest, found: Endpoint, form: EndpointForm, *, fresh: str | None = None
) -> HttpResponse:
    state = selectors.read_state(request.GET)
    log = selectors.delivery_page(
        request.tenant, found.pk, state, after=read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    )
    day_ago = timezone.localtime() - timedelta(days=1)
    context = {
        "endpoint": found,
        "form": form,
        "fresh": fresh,
        "log": log,
        "state": state,
        "states": Delivery.State.choices,
        "replay": ReplayForm(initial={"since": day_ago}),
        "both_until": found.old_secret_until
        if found.old_secret_until and found.old_secret_until > timezone.now()
        else None,
    }
    return render(
        request,
        "workspace/webhooks/webhook.html",
        context | foot(request, {"state": state} if state else {}, log),
        status=400 if form.errors else 200,
    )


@require_POST
@admin_only
def webhook_switch(request: TenantRequest, pk: int) -> HttpResponse:
    """Pause it, or let it go on."""
    turned_on = request.POST.get("on") == "1"
    try:
        services.switch_endpoint(tenant=request.tenant, actor=request.member, endpoint_id=pk, on=turned_on)
    except Endpoint.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("It is told again.") if turned_on else _("It is paused."))
    return redirect("workspace:webhook", pk)


@require_POST
@admin_only
def webhook_rotate(request: TenantRequest, pk: int) -> HttpResponse:
    """A new secret, shown on this answer and nowhere else."""
    try:
        _changed, fresh = services.rotate_secret(tenant=request.tenant, actor=request.member, endpoint_id=pk)
    except Endpoint.DoesNotExist as error:
        raise Http404 from error
    found = _endpoint(request, pk)
    values = {"url": found.url, "description": found.description, "event_types": found.event_types}
    return _page(request, found, EndpointForm(initial=values), fresh=fresh)


@require_POST
@admin_only
def webhook_test(request: TenantRequest, pk: int) -> HttpResponse:
    """Send an event that says nothing."""
    try:
        made = services.send_test(tenant=request.tenant, actor=request.member, endpoint_id=pk)
    except Endpoint.DoesNotExist as error:
        raise Http404 from error
    if made.state == Delivery.State.SKIPPED:
        messages.error(request, _("Switch the webhook on first."))
        return redirect("workspace:webhook", pk)
    messages.success(request, _("A test is on its way; here you see what became of it."))
    return redirect("workspace:webhook_delivery", pk, made.pk)


@require_POST
@admin_only
def webhook_remove(request: TenantRequest, pk: int) -> HttpResponse:
    """Take it away with its log."""
    try:
        services.remove_endpoint(tenant=request.tenant, actor=request.member, endpoint_id=pk)
    except Endpoint.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("The webhook was removed."))
    return redirect("workspace:webhooks")


@require_POST
@admin_only
def webhook_replay(request: TenantRequest, pk: int) -> HttpResponse:
    """Send again everything that failed since a moment."""
    found = _endpoint(request, pk)
    form = ReplayForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say since when, as a date and a time."))
        return redirect("workspace:webhook", pk)
    try:
        count = services.replay_failed(
            tenant=request.tenant,
            actor=request.member,
            endpoint_id=found.pk,
            since=form.cleaned_data["since"],
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        said = ngettext("%(count)s delivery is sent again.", "%(count)s deliveries are sent again.", count)
        messages.success(request, said % {"count": count})
    return redirect("workspace:webhook", pk)


@require_safe
@admin_only
def webhook_delivery(request: TenantRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """One delivery: what was sent, each attempt, what came back."""
    found = selectors.delivery(request.tenant, delivery_pk)
    if found is None or found.endpoint_id != pk:
        raise Http404
    context = {
        "delivery": found,
        "body": body_of(found.event).decode(),
        "attempts": selectors.attempts(request.tenant, found.pk),
    }
    return render(request, "workspace/webhooks/delivery.html", context)


@require_POST
@admin_only
def webhook_delivery_replay(request: TenantRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """Send one again."""
    found = selectors.delivery(request.tenant, delivery_pk)
    if found is None or found.endpoint_id != pk:
        raise Http404
    try:
        services.replay_delivery(tenant=request.tenant, actor=request.member, delivery_id=delivery_pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("It is sent again at once."))
    return redirect("workspace:webhook_delivery", pk, delivery_pk)
