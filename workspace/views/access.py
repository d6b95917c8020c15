"""Single sign-on and the rules of access, for admins."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.links import public_url
from accounts.models import Membership, SignOn, Tenant
from accounts.requests import TenantRequest
from accounts.services import reset_factors
from accounts.services.signon import release_identity, save_sign_on, set_access_rules
from accounts.signon.checking import Finding, check
from workspace.access import admin_only
from workspace.access_forms import AccessForm, SignOnForm
from workspace.selectors import access

FIELDS = ("protocol", "label", "issuer", "client_id", "sso_url", "certificate", "new_member_role")


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def sign_on(request: TenantRequest) -> HttpResponse:
    """The provider, the rules, and who has a second factor."""
    form = SignOnForm(request.POST if request.method == "POST" else None, initial=_initial(request.tenant))
    if request.method == "POST" and form.is_valid():
        try:
            save_sign_on(tenant=request.tenant, actor=request.member, **form.cleaned_data)
        except ValidationError as error:
            _add_errors(form, error)
        else:
            messages.success(request, _("Single sign-on was saved. Check it, then sign in with it once."))
            return redirect("workspace:sign_on")
    return _page(request, form)


@require_POST
@admin_only
def rules(request: TenantRequest) -> HttpResponse:
    """Who needs what to come in."""
    form = AccessForm(request.POST)
    if form.is_valid():
        try:
            set_access_rules(tenant=request.tenant, actor=request.member, **form.cleaned_data)
        except ValidationError as error:
            _add_errors(form, error)
        else:
            messages.success(request, _("Saved; it holds from everybody's next page on."))
            return redirect("workspace:sign_on")
    return _page(request, SignOnForm(initial=_initial(request.tenant)), access_form=form)


@require_POST
@admin_only
def check_sign_on(request: TenantRequest) -> HttpResponse:
    """What is wrong with it, in words."""
    found = access.sign_on(request.tenant)
    if found is None:
        messages.error(request, _("First set single sign-on up."))
        return redirect("workspace:sign_on")
    return _page(request, SignOnForm(initial=_initial(request.tenant)), findings=check(found))


@require_POST
@admin_only
def factors_reset(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a member's factors away; the person hears of it by mail."""
    member = _member(request.tenant, pk)
    try:
        count = reset_factors(tenant=request.tenant, member=member, actor=request.member)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        words = ngettext(
            "%(count)d factor of %(who)s was removed and all sessions ended; a mail tells why.",
            "%(count)d factors of %(who)s were removed and all sessions ended; a mail tells why.",
            count,
        )
        messages.success(request, words % {"count": count, "who": member})
    return redirect("workspace:sign_on")


@require_POST
@admin_only
def identity_release(request: TenantRequest, pk: int) -> HttpResponse:
    """Let the next sign-on decide anew whom the provider means."""
    member = _member(request.tenant, pk)
    release_identity(tenant=request.tenant, actor=request.member, member=member)
    messages.success(request, _("%(who)s is found by address at the next sign-on.") % {"who": member})
    return redirect("workspace:sign_on")


def _member(tenant: Tenant, pk: int) -> Membership:
    found = Membership.objects.filter(tenant=tenant, pk=pk).select_related("user").first()
    if found is None:
        raise Http404
    return found


def _initial(tenant: Tenant) -> dict[str, object]:
    found = access.sign_on(tenant)
    if found is None:
        return {"protocol": SignOn.Protocol.OIDC}
    return {name: getattr(found, name) for name in (*FIELDS, "vouches", "starts_elsewhere", "is_enabled")} | {
        "domains": ", ".join(found.domains)
    }


def _add_errors(form: SignOnForm | AccessForm, error: ValidationError) -> None:
    for name, faults in error.message_dict.items():
        form.add_error(name if name in form.fields else None, faults)


def _page(
    request: TenantRequest,
    form: SignOnForm,
    *,
    access_form: AccessForm | None = None,
    findings: list[Finding] | None = None,
) -> HttpResponse:
    tenant = request.tenant
    rules_now = {
        "second_factor_required": tenant.second_factor_required,
        "sign_on_only": tenant.sign_on_only,
    }
    slug = tenant.slug
    context = {
        "form": form,
        "access_form": access_form or AccessForm(initial=rules_now),
        "findings": findings,
        "sign_on": access.sign_on(tenant),
        "members": access.members_access(tenant),
        "refusals": access.last_refusals(tenant),
        "addresses": [
            (_("Page where members begin"), public_url("signon", slug=slug)),
            (_("Redirect address (OpenID Connect)"), public_url("signon_callback", slug=slug)),
            (_("Metadata and entity id (SAML)"), public_url("signon_metadata", slug=slug)),
            (_("Assertion consumer service (SAML)"), public_url("signon_acs", slug=slug)),
        ],
    }
    wrong = form.errors or (access_form is not None and access_form.errors)
    return render(request, "workspace/access/sign_on.html", context, status=400 if wrong else 200)
