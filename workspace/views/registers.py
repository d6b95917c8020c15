"""The registers of an account: adding a line, changing it, taking it out and putting it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import get_or_404, may_work_on
from accounts.models import Account
from accounts.requests import TenantRequest
from accounts.visibility import money_hidden
from qbr.models import RegisterChange
from qbr.registers.services import AnyEntry, remove_entry, restore_entry, roi_currency, save_entry
from workspace.access import closed, csm_only
from workspace.figure_words import figure_line
from workspace.register_words import change_lines
from workspace.review_forms import REGISTER_FORMS, RegisterForm, initial_of
from workspace.selectors.value import changes_of, offered_figures, register_entry
from workspace.views.packs import workers

TITLES = {
    "roi": (gettext_lazy("Note value"), gettext_lazy("Value")),
    "risk": (gettext_lazy("Note a risk"), gettext_lazy("Risk")),
    "roadmap": (gettext_lazy("Plan something"), gettext_lazy("Roadmap item")),
    "highlight": (gettext_lazy("Note a highlight or a learning"), gettext_lazy("Highlight or learning")),
}
Register = RegisterChange.Register


def _form(request: TenantRequest, register: str, account: Account, entry: AnyEntry | None) -> RegisterForm:
    tenant = request.tenant
    return REGISTER_FORMS[register](
        request.POST or None,
        members=workers(request),
        figures=offered_figures(tenant, account.pk, figure_line) if register == Register.ROI else (),
        today=tenant.today(),
        initial=initial_of(register, entry, roi_currency(tenant, account), tenant.today()),
    )


def _edit(request: TenantRequest, register: str, account: Account, entry: AnyEntry | None) -> HttpResponse:
    if not may_work_on(request.member, account):
        raise PermissionDenied
    if register == Register.ROI and money_hidden():
        return closed(request, "money")
    form = _form(request, register, account, entry)
    if request.method == "POST" and form.is_valid():
        try:
            save_entry(
                tenant=request.tenant,
                register=register,
                account_id=account.pk,
                entry_id=entry.pk if entry else None,
                values=form.values(),
                member=request.member,
            )
        except ObjectDoesNotExist as error:
            raise Http404 from error
        except ValidationError as error:
            for name, problems in error.message_dict.items():
                field = "amount" if name == "amount_cents" else name
                form.add_error(field if field in form.fields else None, [str(one) for one in problems])
        else:
            messages.success(request, _("The register is up to date."))
            return _to_tab(account.pk)
    context: dict[str, Any] = {
        "account": account,
        "form": form,
        "register": register,
        "entry": entry,
        "title": TITLES[register][1 if entry else 0],
        "changes": change_lines(register, changes_of(request.tenant, register, entry)) if entry else [],
    }
    status = 400 if form.is_bound and not form.is_valid() else 200
    return render(request, "workspace/value/entry.html", context, status=status)


def _to_tab(pk: int) -> HttpResponse:
    return redirect("workspace:account_tab", pk, "value")


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def register_add(request: TenantRequest, pk: int, register: str) -> HttpResponse:
    """Add a line to a register of an account."""
    if register not in REGISTER_FORMS:
        raise Http404
    return _edit(request, register, get_or_404(Account, tenant=request.tenant, pk=pk), None)


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def register_edit(request: TenantRequest, register: str, pk: int) -> HttpResponse:
    """Change a line, and see how it came to be what it is."""
    entry = register_entry(request.tenant, register, pk) if register in REGISTER_FORMS else None
    if entry is None or entry.removed_at is not None:
        raise Http404
    return _edit(request, register, entry.account, entry)


@require_POST
@csm_only
def register_remove(request: TenantRequest, register: str, pk: int) -> HttpResponse:
    """Take a line out; it can be put back."""
    if register not in REGISTER_FORMS:
        raise Http404
    try:
        entry = remove_entry(tenant=request.tenant, register=register, entry_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    undo = reverse("workspace:register_restore", args=[register, pk])
    messages.success(request, _("Taken out: %(title)s") % {"title": entry.title}, extra_tags=f"undo:{undo}")
    return _to_tab(entry.account_id)


@require_POST
@csm_only
def register_restore(request: TenantRequest, register: str, pk: int) -> HttpResponse:
    """Put a line back."""
    if register not in REGISTER_FORMS:
        raise Http404
    try:
        entry = restore_entry(tenant=request.tenant, register=register, entry_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("Back in the register: %(title)s") % {"title": entry.title})
    return _to_tab(entry.account_id)
