"""Fields that the company declares for its accounts, and filling them in."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import get_or_404, may_work_on
from accounts.custom_fields import declared_fields, undeclared_keys
from accounts.models import Account, CustomField
from accounts.requests import TenantRequest
from accounts.services import delete_field, save_field, set_custom_values
from workspace.access import admin_only, csm_only, member_only
from workspace.field_forms import DeclareForm, ValuesForm
from workspace.selectors import people


@require_safe
@member_only
def field_list(request: TenantRequest) -> HttpResponse:
    """The declared fields, and keys in use that nobody has declared."""
    found = CustomField.objects.filter(tenant=request.tenant).order_by("section", "position", "pk")
    context = {"fields": list(found), "offered": undeclared_keys(request.tenant)}
    return render(request, "workspace/fields/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def field_add(request: TenantRequest) -> HttpResponse:
    """Declare a field, perhaps for a key that is in use."""
    key, kind = request.GET.get("key", "")[:100], request.GET.get("kind", "")
    start = CustomField(key=key, label_en=key.replace("_", " ").strip().capitalize())
    start.kind = kind if kind in CustomField.Kind.values else CustomField.Kind.TEXT
    return _form(request, start, request.GET.get("options", ""))


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def field_change(request: TenantRequest, pk: int) -> HttpResponse:
    """Change what a field is."""
    return _form(request, get_or_404(CustomField, pk=pk))


def _form(request: TenantRequest, field: CustomField, options: str = "") -> HttpResponse:
    form = DeclareForm(request.POST or None, instance=field)
    if options:
        form.fields["choices"].initial = options.replace(";", "\n")
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_field(tenant=request.tenant, actor=request.member, field=form.field())
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved: %(field)s") % {"field": saved})
            return redirect("workspace:fields")
    return render(
        request,
        "workspace/fields/form.html",
        {"form": form, "field": field},
        status=400 if form.errors else 200,
    )


@require_POST
@admin_only
def field_delete(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a declaration back; the values stay under their key."""
    field = get_or_404(CustomField, pk=pk)
    delete_field(tenant=request.tenant, actor=request.member, field=field)
    messages.success(
        request, _("“%(field)s” is no longer declared; its values are still there.") % {"field": field}
    )
    return redirect("workspace:fields")


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def account_fields(request: TenantRequest, pk: int) -> HttpResponse:
    """Fill in the declared fields of an account."""
    account = get_or_404(Account, pk=pk)
    if not may_work_on(request.member, account):
        raise PermissionDenied
    form = ValuesForm(
        request.POST or None,
        declared=declared_fields(request.tenant),
        custom=account.custom,
        members=people.members(request.tenant),
    )
    page = reverse("workspace:account", args=[pk])
    in_sheet = bool(request.htmx) and request.htmx.target == "sheet-content"
    if request.method == "POST" and form.is_valid():
        try:
            changed = set_custom_values(
                tenant=request.tenant, actor=request.member, account_id=pk, typed=form.typed
            )
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved.") if changed else _("Nothing was different."))
            return HttpResponseClientRedirect(page) if in_sheet else redirect(page)
    context = {"account": account, "form": form, "in_sheet": in_sheet}
    if in_sheet:
        return render(request, "workspace/fields/_values.html", context)
    return render(request, "workspace/fields/values.html", context, status=400 if form.errors else 200)
