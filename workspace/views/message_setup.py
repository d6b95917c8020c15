"""What is set up about messages: sender and limits, templates, suppressed addresses, Slack."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages as notes
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import has_role
from accounts.models import Role
from accounts.requests import TenantRequest
from outreach.deciding import settings_of
from outreach.fields import FIELDS
from outreach.mail.viewing import example_message, mail_of_message
from outreach.models import Suppression, Template
from outreach.services.choosing import (
    contact_for_preview,
    remove_template,
    save_settings,
    save_template,
    send_template_test,
)
from outreach.services.slack import set_slack_address, try_slack
from outreach.services.suppressing import release, suppress
from workspace.access import admin_only, manager_only, over_all
from workspace.message_forms import SenderForm, SlackForm, SuppressForm, TemplateForm
from workspace.paging import CURSOR_PARAMETER, read_cursor
from workspace.selectors import messages as selectors
from workspace.views.messages import foot, framed


@require_http_methods(["GET", "HEAD", "POST"])
@manager_only
def sender(request: TenantRequest) -> HttpResponse:
    """Who mail comes from, how it looks, how often and when it goes."""
    if request.method == "POST" and not has_role(request.member, Role.ADMIN):
        raise PermissionDenied
    choices = settings_of(request.tenant)
    form = SenderForm(
        request.POST or None,
        request.FILES or None,
        instance=choices,
        initial={"brand_color": request.tenant.brand_color},
    )
    if request.method == "POST" and form.is_valid():
        picture = form.cleaned_data.pop("logo", None)
        try:
            save_settings(
                tenant=request.tenant,
                actor=request.member,
                values=form.cleaned_data,
                logo=picture.read(1024 * 1024) if picture else None,
                remove_logo=form.cleaned_data.pop("remove_logo"),
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            notes.success(request, _("Sender and limits saved."))
            return redirect("workspace:message_sender")
    context = {"form": form, "choices": choices, "installation": settings.DEFAULT_FROM_EMAIL}
    return render(request, "workspace/messages/sender.html", context, status=400 if form.errors else 200)


@require_safe
@manager_only
def template_list(request: TenantRequest) -> HttpResponse:
    """Texts that plays and people use."""
    return render(
        request, "workspace/messages/templates.html", {"templates": selectors.templates(request.tenant)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def template_add(request: TenantRequest) -> HttpResponse:
    """A new text."""
    return _template_form(request, Template())


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def template_page(request: TenantRequest, pk: int) -> HttpResponse:
    """Edit a text, see it on a real account."""
    return _template_form(request, _template(request, pk))


def _template(request: TenantRequest, pk: int) -> Template:
    found = Template.objects.filter(tenant=request.tenant, pk=pk).first()
    if found is None:
        raise Http404
    return found


def _template_form(request: TenantRequest, template: Template) -> HttpResponse:
    form = TemplateForm(request.POST or None, instance=template)
    if request.method == "POST" and form.is_valid():
        try:
            save_template(
                tenant=request.tenant, actor=request.member, template=template, values=form.cleaned_data
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            notes.success(request, _("“%(name)s” was saved.") % {"name": template.name})
            return redirect("workspace:message_template", template.pk)
    typed = request.GET.get("account", "").replace("\0", "")[:200]
    context = {
        "form": form,
        "template": template,
        "fields": FIELDS.items(),
        "typed": typed,
        "account": selectors.account_for_preview(request.tenant, typed) if template.pk else None,
        "languages": [one for one in ("en", "es") if getattr(template, f"body_{one}").strip()],
    }
    return render(request, "workspace/messages/template.html", context, status=400 if form.errors else 200)


@require_safe
@framed
@admin_only
def template_preview(request: TenantRequest, pk: int, language: str) -> HttpResponse:
    """The stored text as somebody of an account would get it, for the frame."""
    template = _template(request, pk)
    account = selectors.account_for_preview(
        request.tenant, request.GET.get("account", "").replace("\0", "")[:200]
    )
    if account is None or language not in ("en", "es"):
        raise Http404
    message = example_message(
        request.tenant,
        template,
        account,
        contact_for_preview(request.tenant, account),
        language=language,
        address=request.member.user.email,
    )
    return HttpResponse(mail_of_message(request.tenant, message).html)


@require_POST
@admin_only
def template_test(request: TenantRequest, pk: int) -> HttpResponse:
    """Send me a test."""
    template = _template(request, pk)
    typed = request.POST.get("account", "").replace("\0", "")[:200]
    account = selectors.account_for_preview(request.tenant, typed)
    if account is None:
        notes.error(request, _("There is no account to show it on."))
        return redirect("workspace:message_template", pk)
    send_template_test(
        tenant=request.tenant,
        member=request.member,
        template=template,
        account=account,
        language=(get_language() or "en")[:2],
    )
    notes.success(request, _("A test is on its way to %(address)s.") % {"address": request.member.user.email})
    return redirect(f"{reverse('workspace:message_template', args=[pk])}?account={account.external_id}")


@require_POST
@admin_only
def template_remove(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a text away."""
    try:
        gone = remove_template(tenant=request.tenant, actor=request.member, template_id=pk)
    except Template.DoesNotExist as error:
        raise Http404 from error
    notes.success(request, _("“%(name)s” was removed.") % {"name": gone.name})
    return redirect("workspace:message_templates")


@require_http_methods(["GET", "HEAD", "POST"])
@manager_only
@over_all
def suppressed(request: TenantRequest) -> HttpResponse:
    """Addresses that get nothing, and why."""
    form = SuppressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            added = suppress(
                tenant=request.tenant,
                cause=Suppression.Cause.MANUAL,
                actor=request.member,
                **form.cleaned_data,
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            said = _("%(address)s gets nothing more.") if added else _("%(address)s was on the list already.")
            notes.success(request, said % {"address": form.cleaned_data["address"]})
            return redirect("workspace:message_suppressed")
    search = request.GET.get("q", "").strip().replace("\0", "")[:254]
    found = selectors.suppression_page(
        request.tenant, search=search, after=read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    )
    context = {"form": form, "found": found, "search": search}
    return render(
        request,
        "workspace/messages/suppressed.html",
        context | foot(request, {"q": search} if search else {}, found),
        status=400 if form.errors else 200,
    )


@require_POST
@manager_only
@over_all
def suppressed_remove(request: TenantRequest, pk: int) -> HttpResponse:
    """Let an address be written to again."""
    try:
        row = release(tenant=request.tenant, suppression_id=pk, actor=request.member)
    except Suppression.DoesNotExist as error:
        raise Http404 from error
    notes.success(request, _("%(address)s may be written to again.") % {"address": row.address})
    return redirect("workspace:message_suppressed")


@require_http_methods(["GET", "HEAD", "POST"])
@manager_only
def slack(request: TenantRequest) -> HttpResponse:
    """Where posts go."""
    if request.method == "POST" and not has_role(request.member, Role.ADMIN):
        raise PermissionDenied
    form = SlackForm(request.POST or None)
    if request.method == "POST" and request.POST.get("remove"):
        set_slack_address(tenant=request.tenant, actor=request.member, address="")
        notes.success(request, _("Slack gets nothing more."))
        return redirect("workspace:message_slack")
    if request.method == "POST" and form.is_valid():
        try:
            set_slack_address(tenant=request.tenant, actor=request.member, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            notes.success(request, _("The address is kept. Try it with a test."))
            return redirect("workspace:message_slack")
    wanted = selectors.OutboxFilter(kind="slack")
    context = {
        "form": form,
        "choices": settings_of(request.tenant),
        "found": selectors.outbox_page(request.tenant, wanted, limit=10),
    }
    return render(request, "workspace/messages/slack.html", context, status=400 if form.errors else 200)


@require_POST
@admin_only
def slack_test(request: TenantRequest) -> HttpResponse:
    """Post a test."""
    try:
        try_slack(tenant=request.tenant, member=request.member)
    except ValidationError as error:
        notes.error(request, " ".join(error.messages))
    else:
        notes.success(request, _("A test is on its way; below you see what became of it."))
    return redirect("workspace:message_slack")
