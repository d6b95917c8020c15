"""References: the pipeline, the library, requests of sales, one customer and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import has_role, may_work_on
from accounts.models import Role
from accounts.requests import TenantRequest
from nps.references import selectors
from nps.references.models import Reference, ReferenceAsk, ReferenceRequest, ReferenceUse
from nps.references.rights import demand_sales
from nps.references.services import (
    ask_for_reference,
    cancel_request,
    decide_request,
    list_reference,
    log_use,
    note_answer,
    note_outcome,
    propose_reference,
    request_reference,
    rest_reference,
    save_reference_settings,
    wake_reference,
)
from nps.references.services.asking import first_ask_day
from nps.references.services.settings import FIELDS, reference_settings
from workspace.access import admin_only, csm_only, member_only
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.reference_forms import (
    AnswerForm,
    AskForm,
    ListingForm,
    ReferenceSettingsForm,
    RequestForm,
    RestForm,
    UseForm,
)
from workspace.selectors import references as lists
from workspace.selectors.ask_texts import ask_text
from workspace.views.going_back import back

State = Reference.State


@require_safe
@member_only
def pipeline(request: TenantRequest) -> HttpResponse:
    """Who may be asked, who was, who agreed."""
    tenant, member = request.tenant, request.member
    wanted = lists.read_pipeline_filter(request.GET)
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    found = lists.pipeline(tenant, wanted, member, after)
    parameters = wanted.parameters()
    shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
    counts = selectors.state_counts(tenant)
    context = {
        "wanted": wanted,
        "counts": counts,
        "tabs": [
            (key, word, counts.get(key, 0), address(request.path, parameters, state=key))
            for key, word in State.choices
        ],
        "found": found,
        "settings": reference_settings(tenant),
        "open_requests": selectors.requests(tenant, state=ReferenceRequest.State.OPEN).count(),
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.rows),
            total=found.total,
            next_cursor=found.next_cursor,
        ),
    }
    return render(request, "workspace/references/pipeline.html", context)


@require_safe
@member_only
def library(request: TenantRequest) -> HttpResponse:
    """Who may be used for what: what sales looks at."""
    wanted = selectors.read_library_filter(request.GET)
    found = list(selectors.library(request.tenant, wanted)[: selectors.LIST_MAX])
    context = {"wanted": wanted, "found": found, "choices": selectors.library_choices(request.tenant)}
    return render(request, "workspace/references/library.html", context)


@require_safe
@member_only
def reference_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One customer: why it is a candidate, who was asked, for what it was used."""
    return _page(request, pk)


def _page(request: TenantRequest, pk: int, status: int = 200, **bound: forms.BaseForm) -> HttpResponse:
    """The page, with the form that was refused as it was filled in."""
    tenant = request.tenant
    reference = selectors.reference(tenant, pk)
    if reference is None:
        raise Http404
    people = selectors.people_to_ask(tenant, reference.account_id)
    asks = selectors.asks_of(tenant, pk)
    first = next((one for one in people if one.email), None)
    subject, body = ask_text(tenant, reference.account, first)
    settings = reference_settings(tenant)
    today = tenant.today()
    blank: dict[str, forms.BaseForm] = {
        "ask_form": AskForm(people=people, initial={"subject": subject, "body": body}),
        "answer_form": AnswerForm(initial={"types": ["call"]}),
        "listing_form": ListingForm(instance=reference, people=people),
        "rest_form": RestForm(),
        "use_form": UseForm(types=reference.types, initial={"used_on": today}),
    }
    free = first_ask_day(tenant, reference, first.pk if first else 0, settings)
    context: dict[str, Any] = {
        "reference": reference,
        "account": reference.account,
        "may_work": may_work_on(request.member, reference.account),
        "waiting": next((ask for ask in asks if ask.answer == ReferenceAsk.Answer.WAITING), None),
        "asks": asks,
        "uses": selectors.uses_of(tenant, pk),
        "settings": settings,
        "askable": reference.state in Reference.ASKABLE and not reference.never_ask,
        "ask_from": free if free is not None and free > today else None,
        "outcomes": ReferenceUse.Outcome.choices,
        "opened": next(iter(bound), ""),
        **blank,
        **bound,
    }
    return render(request, "workspace/references/reference.html", context, status=status)


def _do(
    request: TenantRequest,
    pk: int,
    name: str,
    form: forms.BaseForm,
    deed: Callable[[dict[str, Any]], Any],
    words: str,
) -> HttpResponse:
    """Do it with the form's values; what is refused is shown in the form."""
    if selectors.reference(request.tenant, pk) is None:
        raise Http404
    if not form.is_valid():
        return _page(request, pk, 422, **{name: form})
    try:
        deed(form.cleaned_data)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _refuse(form, error)
        return _page(request, pk, 422, **{name: form})
    messages.success(request, words)
    return redirect("workspace:reference", pk)


def _refuse(form: forms.BaseForm, error: ValidationError) -> None:
    """Each fault beside its field, the others above the form."""
    if hasattr(error, "error_dict"):
        for name, faults in error.message_dict.items():
            for fault in faults:
                form.add_error(name if name in form.fields else None, fault)
    else:
        for fault in error.messages:
            form.add_error(None, fault)


@require_POST
@csm_only
def ask(request: TenantRequest, pk: int) -> HttpResponse:
    """Ask a person."""
    reference = selectors.reference(request.tenant, pk)
    if reference is None:
        raise Http404
    form = AskForm(request.POST, people=selectors.people_to_ask(request.tenant, reference.account_id))

    def deed(said: dict[str, Any]) -> None:
        ask_for_reference(
            tenant=request.tenant,
            reference_id=pk,
            contact_id=said["contact"],
            incentive=said["incentive"],
            incentive_cents=said["cents"],
            subject=said["subject"],
            body=said["body"],
            by_mail=said["by_mail"],
            member=request.member,
        )

    return _do(request, pk, "ask_form", form, deed, _("Asked. A task reminds you in a week."))


@require_POST
@csm_only
def answer(request: TenantRequest, pk: int) -> HttpResponse:
    """Note what came of an ask."""
    found = ReferenceAsk.objects.filter(tenant=request.tenant, pk=pk).first()
    if found is None:
        raise Http404

    def deed(said: dict[str, Any]) -> None:
        note_answer(tenant=request.tenant, ask_id=pk, member=request.member, **said)

    return _do(
        request, found.reference_id, "answer_form", AnswerForm(request.POST), deed, _("The answer is noted.")
    )


@require_POST
@csm_only
def listing(request: TenantRequest, pk: int) -> HttpResponse:
    """Put it into the library, or change what stands there."""
    reference = selectors.reference(request.tenant, pk)
    if reference is None:
        raise Http404
    people = selectors.people_to_ask(request.tenant, reference.account_id)
    form = ListingForm(request.POST, instance=reference, people=people)

    def deed(said: dict[str, Any]) -> None:
        facts = {name: value for name, value in said.items() if name != "contact"}
        list_reference(
            tenant=request.tenant,
            reference_id=pk,
            facts=facts,
            contact_id=said["contact"],
            member=request.member,
        )

    return _do(request, pk, "listing_form", form, deed, _("It is in the library."))


@require_POST
@csm_only
def rest(request: TenantRequest, pk: int) -> HttpResponse:
    """Let it rest until a day."""

    def deed(said: dict[str, Any]) -> None:
        rest_reference(tenant=request.tenant, reference_id=pk, member=request.member, **said)

    return _do(request, pk, "rest_form", RestForm(request.POST), deed, _("It rests."))


@require_POST
@csm_only
def wake(request: TenantRequest, pk: int) -> HttpResponse:
    """End a rest."""
    try:
        wake_reference(tenant=request.tenant, reference_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    return redirect("workspace:reference", pk)


@require_POST
@csm_only
def use(request: TenantRequest, pk: int) -> HttpResponse:
    """Write a use down."""
    reference = selectors.reference(request.tenant, pk)
    if reference is None:
        raise Http404

    def deed(said: dict[str, Any]) -> None:
        log_use(tenant=request.tenant, reference_id=pk, member=request.member, **said)

    form = UseForm(request.POST, types=reference.types)
    return _do(request, pk, "use_form", form, deed, _("The use is noted."))


@require_POST
@csm_only
def outcome(request: TenantRequest, pk: int) -> HttpResponse:
    """What came of a use."""
    try:
        noted = note_outcome(
            tenant=request.tenant,
            use_id=pk,
            outcome=request.POST.get("outcome", ""),
            note=request.POST.get("note", ""),
            member=request.member,
        )
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:references")
    return redirect("workspace:reference", noted.reference_id)


@require_POST
@csm_only
def propose(request: TenantRequest, pk: int) -> HttpResponse:
    """Make an account a candidate by hand."""
    try:
        reference = propose_reference(tenant=request.tenant, account_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:references")
    return redirect("workspace:reference", reference.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def requests(request: TenantRequest) -> HttpResponse:
    """Requests of sales; a POST makes one."""
    tenant = request.tenant
    if request.method == "POST":
        demand_sales(request.member)
    listed = list(selectors.references(tenant, Reference.LISTED)[: selectors.LIST_MAX])
    chosen = request.GET.get("reference", "")
    form = RequestForm(
        request.POST if request.method == "POST" else None,
        references=listed,
        initial={"reference": int(chosen)}
        if chosen.isascii() and chosen.isdigit() and len(chosen) < 19
        else None,
    )
    status = 200
    if request.method == "POST":
        if form.is_valid():
            said = dict(form.cleaned_data)
            try:
                request_reference(
                    tenant=tenant, reference_id=said.pop("reference"), member=request.member, **said
                )
            except ValidationError as error:
                _refuse(form, error)
            else:
                messages.success(request, _("Your request is on its way."))
                return redirect("workspace:reference_requests")
        status = 422
    rows = list(selectors.requests(tenant)[: selectors.LIST_MAX])
    is_manager = has_role(request.member, Role.MANAGER)
    context = {
        "form": form,
        "listed": listed,
        "rows": [
            (
                row,
                is_manager
                or (row.reference is not None and may_work_on(request.member, row.reference.account)),
                is_manager or row.requested_by_id == request.member.pk,
            )
            for row in rows
        ],
        "opened": status != 200 or bool(chosen),
    }
    return render(request, "workspace/references/requests.html", context, status=status)


@require_POST
@csm_only
def decide(request: TenantRequest, pk: int) -> HttpResponse:
    """Accept or decline a request."""
    chosen = request.POST.get("reference", "")
    try:
        decide_request(
            tenant=request.tenant,
            request_id=pk,
            accept=request.POST.get("decision") == "accept",
            reference_id=int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else None,
            note=request.POST.get("note", ""),
            member=request.member,
        )
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("workspace:reference_requests")


@require_POST
@csm_only
def cancel(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a request back."""
    try:
        cancel_request(tenant=request.tenant, request_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("workspace:reference_requests")


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def settings_page(request: TenantRequest) -> HttpResponse:
    """Thresholds and limits."""
    current = reference_settings(request.tenant)
    form = ReferenceSettingsForm(request.POST if request.method == "POST" else None, instance=current)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            fields = {name: form.cleaned_data[name] for name in FIELDS}
            try:
                save_reference_settings(tenant=request.tenant, fields=fields, member=request.member)
            except ValidationError as error:
                _refuse(form, error)
            else:
                messages.success(request, _("Saved. The next night looks with these values."))
                return redirect("workspace:references")
        status = 422
    return render(request, "workspace/references/settings.html", {"form": form}, status=status)
