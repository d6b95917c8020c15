"""Privacy requests, the export of everything, and the end of a company."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import get_or_404
from accounts.models import CompanyExport, Contact, Job, PrivacyRequest
from accounts.privacy.deletion import (
    GRACE_DAYS,
    ask_deletion,
    cancel_deletion,
    confirm_deletion,
    standing_ask,
)
from accounts.privacy.exporting import DAYS_OPEN, KIND, archive, ask_export, newest_export
from accounts.privacy.person import archive_of_person, people_with, person_of
from accounts.requests import TenantRequest
from accounts.services import record_audit
from workspace.access import admin_only
from workspace.rights_forms import DeletionForm, PersonForm, ReasonForm
from workspace.services.privacy import ask_erasure, note_export
from workspace.services.privacy_files import kept_documents

LOG_SHOWN = 50


@require_safe
@admin_only
def privacy(request: TenantRequest) -> HttpResponse:
    """Look a person up by address, user id or name; and what was answered before."""
    form = PersonForm(request.GET or None)
    asked = request.GET.get("q", "")[:254]
    context: dict[str, Any] = {
        "form": form,
        "asked": asked,
        "people": people_with(request.tenant, asked),
        "log": PrivacyRequest.objects.filter(tenant=request.tenant)
        .select_related("actor__user")
        .order_by("-at", "-pk")[:LOG_SHOWN],
    }
    return render(request, "workspace/settings/privacy.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def person(request: TenantRequest, pk: int) -> HttpResponseBase:
    """One person: give the data out, or erase them; both with a reason that stays in the log."""
    contact = get_or_404(Contact, tenant=request.tenant, pk=pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if request.POST.get("deed") == "export":
            note_export(tenant=request.tenant, contact=contact, reason=reason, actor=request.member)
            return StreamingHttpResponse(
                archive_of_person(request.tenant, contact.pk),
                content_type="application/zip",
                headers={"Content-Disposition": f'attachment; filename="person-{contact.pk}.zip"'},
            )
        ask_erasure(tenant=request.tenant, contact=contact, reason=reason, actor=request.member)
        messages.success(
            request, _("The person is being erased in every table; the log says when it is done.")
        )
        return redirect("workspace:settings_privacy")
    kept = kept_documents(request.tenant, person_of(request.tenant, contact))
    context = {"contact": contact, "form": form, "kept": kept}
    return render(request, "workspace/settings/person.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def export(request: TenantRequest) -> HttpResponse:
    """Everything of the company as one archive, written by a job."""
    if request.method == "POST":
        ask_export(tenant=request.tenant, actor=request.member)
        messages.success(request, _("The archive is being written. You can leave this page."))
        return redirect("workspace:settings_export")
    found = newest_export(request.tenant)
    running = (
        Job.objects.filter(tenant=request.tenant, kind=KIND, key=str(found.pk)).first()
        if found and found.done_at is None
        else None
    )
    context: dict[str, Any] = {"found": found, "running": running, "days": DAYS_OPEN}
    context["rows"] = sorted(found.rows.items()) if found else []
    return render(request, "workspace/settings/export.html", context)


@require_safe
@admin_only
def export_file(request: TenantRequest, pk: int) -> StreamingHttpResponse:
    """The archive, put together while it is sent."""
    found = get_or_404(CompanyExport, tenant=request.tenant, pk=pk)
    if found.done_at is None or found.expires_at is None or found.expires_at <= timezone.now():
        raise Http404
    record_audit(
        tenant=request.tenant, actor=request.member, action="company.export_taken", target=request.tenant.slug
    )
    name = f"{request.tenant.slug}-{found.done_at:%Y-%m-%d}.zip"
    return StreamingHttpResponse(
        archive(request.tenant, found.pk),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def end(request: TenantRequest) -> HttpResponse:
    """Ask for the company's deletion; what is asked for is confirmed or taken back on the same page."""
    form = DeletionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ask_deletion(tenant=request.tenant, actor=request.member, typed=form.cleaned_data["typed"])
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("It was asked for. Nothing happens until it is confirmed."))
            return redirect("workspace:settings_end")
    ask = standing_ask(request.tenant)
    context = {
        "form": form,
        "ask": ask,
        "mine": ask is not None and ask.asked_by_id == request.member.pk,
        "code": request.GET.get("code", "")[:500],
        "days": GRACE_DAYS,
    }
    return render(request, "workspace/settings/end.html", context, status=400 if form.errors else 200)


@require_POST
@admin_only
def end_confirm(request: TenantRequest) -> HttpResponse:
    """Confirm it: a second admin, or the one who asked with the code of the mail."""
    try:
        confirm_deletion(tenant=request.tenant, actor=request.member, code=request.POST.get("code", "")[:500])
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Confirmed. Every admin can take it back until the day it says."))
    return redirect("workspace:settings_end")


@require_POST
@admin_only
def end_cancel(request: TenantRequest) -> HttpResponse:
    """Take it back."""
    cancel_deletion(tenant=request.tenant, actor=request.member)
    messages.success(request, _("Nothing will be deleted."))
    return redirect("workspace:settings_end")
