"""Pages of the platform's operator: outside every company, 404 for everybody else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import gate
from accounts.access import get_or_404
from accounts.models import Tenant, User
from workspace.audit_words import action_words
from workspace.selectors import platform as selectors
from workspace.services.operating import enter, resume, suspend

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
NAMES = {
    "inbox": gettext_lazy("Batches in the inbox"),
    "lag": gettext_lazy("Oldest of them"),
    "jobs_waiting": gettext_lazy("Jobs that wait"),
    "jobs_running": gettext_lazy("Jobs that run"),
    "jobs_failed": gettext_lazy("Jobs that failed"),
    "outbox_waiting": gettext_lazy("Mails and webhooks that wait"),
    "outbox_failed": gettext_lazy("Mails and webhooks put aside"),
    "database": gettext_lazy("Size of the database"),
    "partitions": gettext_lazy("Months of events (the next one is made)"),
    "disk_free": gettext_lazy("Free on the disk"),
}


def operator_only(view: View[P]) -> View[P]:
    """For superusers, as on the operator's site: no company's provider made the session, and a second factor was shown."""

    @wraps(view)
    def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not (request.user.is_authenticated and request.user.is_active and request.user.is_superuser):
            raise Http404
        if (
            gate.signed_on_tenant(request) is not None
        ):  # whoever controls that provider would enter every company
            raise Http404
        if not gate.may_operate(request):
            return gate.to_second_factor(request, reverse("platform"))
        return view(request, *args, **kwargs)

    return door


@operator_only
@require_safe
def platform(request: HttpRequest) -> HttpResponse:
    """Companies and the health of everything."""
    page = request.GET.get("page", "")
    found = selectors.platform(
        page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        text=request.GET.get("q", "")[:50].replace("\0", ""),
    )
    lines = [(NAMES[line.name], line) for line in found.lines]
    log = [(entry, action_words(entry.action)) for entry in found.log]
    context = {"found": found, "lines": lines, "log": log, "q": request.GET.get("q", "")}
    return render(request, "workspace/platform.html", context)


def _deed(request: HttpRequest, pk: int, act: Callable[..., object], done: str) -> HttpResponse:
    tenant = get_or_404(Tenant, pk=pk)
    try:
        act(tenant=tenant, operator=cast(User, request.user), reason=request.POST.get("reason", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("platform")
    messages.success(request, done % {"company": tenant})
    return redirect("platform")


@operator_only
@require_POST
def platform_suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a company to everybody."""
    return _deed(request, pk, suspend, _("%(company)s is closed to everybody."))


@operator_only
@require_POST
def platform_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Open it again."""
    return _deed(request, pk, resume, _("%(company)s is open again."))


@operator_only
@require_POST
def platform_enter(request: HttpRequest, pk: int) -> HttpResponse:
    """Go into a company to help, as a reader, for an hour."""
    return _deed(
        request,
        pk,
        enter,
        _("You can read in %(company)s for an hour. Its audit log says so, with the reason."),
    )
