"""Expansion: the board, the list, one opportunity and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import has_role
from accounts.aliases import current_name
from accounts.languages import account_language
from accounts.models import Account, Membership, Role
from accounts.requests import TenantRequest
from alerts.selectors import metric_names
from expansion import selectors as expansion
from expansion.models import Discount, Holding, Offering, Opportunity, OpportunityType, Proposal, Stage
from expansion.rights import may_work
from expansion.services import (
    ask_discount,
    bundle,
    bundle_partners,
    decide_discount,
    edit_opportunity,
    expansion_settings,
    lose_opportunity,
    make_proposal,
    move_opportunity,
    open_opportunity,
    reopen_opportunity,
    win_opportunity,
    withdraw_discount,
)
from expansion.services.discounts import may_decide
from expansion.services.opportunities import standing_of
from expansion.stages import OPEN, ORDER, refusals
from expansion.words import refusal_words
from usage.models import Metric
from workspace.access import csm_only, member_only, with_money
from workspace.expansion_forms import DiscountForm, EditForm, OpenForm, WinForm, cents_of
from workspace.expansion_words import evidence_lines, evidence_sentence, metric_keys, suggested_case
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.selectors import expansion as selectors
from workspace.selectors import people
from workspace.selectors.view_kinds import view_state
from workspace.views.going_back import back

BOARD_HEADER = "X-Board"  # the board's script asks by fetch and wants words, not a page


def _offerings(request: TenantRequest) -> list[Offering]:
    return list(Offering.objects.filter(tenant=request.tenant, active=True))


def _workers(request: TenantRequest) -> list[Membership]:
    return [
        member for member in people.members(request.tenant) if member.is_active and has_role(member, Role.CSM)
    ]


@require_safe
@member_only
def opportunity_list(request: TenantRequest) -> HttpResponse:
    """The board, or the list of the same opportunities."""
    tenant, member = request.tenant, request.member
    state = view_state(tenant, member, "opportunities", request.GET)
    wanted = selectors.read_filter(state.said)
    settings = expansion_settings(tenant)
    parameters = wanted.parameters()
    context: dict[str, Any] = {
        "state": state,
        "wanted": wanted,
        "settings": settings,
        "workers": _workers(request),
        "types": OpportunityType.choices,
        "stages": Stage.choices,
        "segments": selectors.segments(tenant),
        "waiting": expansion.waiting_discounts(tenant, member),
        "board_url": state.changed(request.path, view="board"),
        "list_url": state.changed(request.path, view="list"),
        "export_url": address(f"{request.path}export.csv", parameters, view=""),
    }
    if wanted.view == "list":
        after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
        found = selectors.opportunity_list(tenant, settings, wanted, member, after)
        shown = state.parameters(parameters) | ({CURSOR_PARAMETER: after.encode()} if after else {})
        page = page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.cards),
            total=found.total,
            next_cursor=found.next_cursor,
        )
        return render(request, "workspace/expansion/list.html", context | {"found": found, "page": page})
    context |= {
        "board": selectors.board(tenant, settings, wanted, member),
        "lost_reasons": Opportunity.LostReason.choices,
        "win_form": WinForm(auto_id="win-%s"),
    }
    return render(request, "workspace/expansion/board.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def opportunity_new(request: TenantRequest) -> HttpResponse:
    """Open an opportunity by hand; an address may say the account and the offering."""
    offerings = _offerings(request)
    initial = {name: request.GET.get(name, "") for name in ("account", "offering")}
    form = OpenForm(request.POST or None, offerings=offerings, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        account = Account.objects.filter(external_id=current_name(data["account"].strip())).first()
        type_, _colon, what = data["offering"].partition(":")
        if account is None:
            form.add_error("account", _("There is no account with this external id."))
        else:
            try:
                made = open_opportunity(
                    tenant=request.tenant,
                    account_id=account.pk,
                    type=type_,
                    what=what,
                    value_cents=cents_of(data["value"]),
                    member=request.member,
                    fields={"seats": data["seats"], "note": data["note"]},
                )
            except ValidationError as error:
                form.add_error(None, " ".join(error.messages))
            else:
                messages.success(request, _("The opportunity is open."))
                return redirect("workspace:expansion_opportunity", made.pk)
    return render(request, "workspace/expansion/new.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@member_only
def opportunity_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One opportunity: evidence, history, what is known, the offer, what can be done."""
    return _page(request, pk)


def _page(
    request: TenantRequest,
    pk: int,
    *,
    edit: EditForm | None = None,
    discount: DiscountForm | None = None,
    status: int = 200,
) -> HttpResponse:
    tenant, member = request.tenant, request.member
    one = expansion.opportunity(tenant, pk)
    if one is None:
        raise Http404
    settings = expansion_settings(tenant)
    offerings, workers = _offerings(request), _workers(request)
    names = metric_names(tenant)
    found = Metric.objects.filter(tenant=tenant, key__in=metric_keys(one.evidence))
    metrics = {metric.key: metric for metric in found}
    sentence = evidence_sentence(one.evidence, metrics, names, one.currency)
    held = Holding.objects.filter(tenant=tenant, account_id=one.account_id, until_on=None)
    holdings = list(held.order_by("offering__position").values_list("offering__name", flat=True))
    discounts = expansion.discounts_of(tenant, pk)
    standing = standing_of(one)
    card = selectors.card_of(one, settings, member, tenant.today())
    context = {
        "one": one,
        "account": one.account,
        "card": card,
        "may_work": may_work(member, one) and has_role(member, Role.CSM),
        "sentence": sentence,
        "lines": evidence_lines(one.evidence, metrics, names, one.currency),
        "case_draft": suggested_case(one, sentence, holdings) if not one.case_text else "",
        "holdings": holdings,
        "moves": expansion.moves_of(tenant, pk),
        "proposals": expansion.proposals_of(tenant, pk),
        "discounts": [(wish, may_decide(member, wish, one)) for wish in discounts],
        "pending": next((wish for wish in discounts if wish.state == Discount.State.PENDING), None),
        "ways": [
            (to, word, refusal_words(refusals(standing, to)), ORDER.index(to) > ORDER.index(one.stage))
            for to, word in card.ways
            if to in OPEN
        ],
        "win_why": refusal_words(refusals(standing, Stage.WON)),
        "partners": bundle_partners(tenant, one) if one.is_open else 0,
        "settings": settings,
        "edit": edit or EditForm(one=one, offerings=offerings, members=workers),
        "discount_form": discount or DiscountForm(initial={"pct": one.discount_pct}),
        "win_form": WinForm(auto_id="win-%s", initial={"starts_on": tenant.today()}),
        "lost_reasons": Opportunity.LostReason.choices,
        "others": [
            other for other in expansion.account_opportunities(tenant, one.account_id) if other.pk != pk
        ],
        "proposal_language": account_language(tenant, one.account),
        "stage_list": [(stage, str(Stage(stage).label)) for stage in OPEN],
    }
    return render(request, "workspace/expansion/opportunity.html", context, status=status)


@require_POST
@csm_only
@with_money
def opportunity_edit(request: TenantRequest, pk: int) -> HttpResponse:
    """Keep what was typed about an opportunity; faults stand at their fields."""
    one = expansion.opportunity(request.tenant, pk)
    if one is None:
        raise Http404
    form = EditForm(request.POST, one=one, offerings=_offerings(request), members=_workers(request))
    if form.is_valid():
        try:
            edit_opportunity(
                tenant=request.tenant, opportunity_id=pk, fields=form.fields_to_save(), member=request.member
            )
        except ValidationError as error:
            _put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("workspace:expansion_opportunity", pk)
    return _page(request, pk, edit=form, status=422)


def _put_errors(form: EditForm, error: ValidationError) -> None:
    if not hasattr(error, "error_dict"):
        form.add_error(None, " ".join(error.messages))
        return
    for name, faults in error.message_dict.items():
        field = form.FIELD_OF.get(name, name)
        form.add_error(field if field in form.fields else None, " ".join(faults))


def _deed(
    request: TenantRequest,
    pk: int,
    deed: Callable[..., Any],
    words: Callable[[Opportunity], str],
    undo: str = "",
) -> HttpResponse:
    """Do one thing with an opportunity and say so; what is refused is said in its words, to a script as JSON."""
    refused = ""
    try:
        deed(tenant=request.tenant, opportunity_id=pk, member=request.member)
    except Opportunity.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        refused = " ".join(error.messages)
    one = expansion.opportunity(request.tenant, pk)
    if one is None:
        raise Http404
    said = refused or words(one)
    if request.headers.get(BOARD_HEADER):
        return JsonResponse({"done": not refused, "words": said, "stage": one.stage})
    if refused:
        messages.error(request, said)
    else:
        tags = f"undo:{reverse(undo, args=[pk])}" if undo else ""
        messages.success(request, said, extra_tags=tags)
    return back(request, reverse("workspace:expansion_opportunity", args=[pk]))


def _name(one: Opportunity) -> str:
    return f"{one.account.name}: {one.title}"


@require_POST
@csm_only
def opportunity_move(request: TenantRequest, pk: int) -> HttpResponse:
    """Move an opportunity to another stage."""
    deed = partial(move_opportunity, to=request.POST.get("to", ""), note=request.POST.get("note", ""))
    return _deed(
        request,
        pk,
        deed,
        lambda one: (
            _("%(what)s is in “%(stage)s” now.") % {"what": _name(one), "stage": one.get_stage_display()}
        ),
    )


@require_POST
@csm_only
@with_money
def opportunity_win(request: TenantRequest, pk: int) -> HttpResponse:
    """The account bought it."""
    form = WinForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Enter the day on which it begins as a date."))
        return back(request, reverse("workspace:expansion_opportunity", args=[pk]))
    deed = partial(win_opportunity, starts_on=form.cleaned_data["starts_on"], note=form.cleaned_data["note"])
    return _deed(request, pk, deed, lambda one: _("%(what)s is won.") % {"what": _name(one)})


@require_POST
@csm_only
def opportunity_lose(request: TenantRequest, pk: int) -> HttpResponse:
    """It comes to nothing."""
    deed = partial(lose_opportunity, reason=request.POST.get("reason", ""), note=request.POST.get("note", ""))
    return _deed(
        request,
        pk,
        deed,
        lambda one: _("%(what)s is lost.") % {"what": _name(one)},
        undo="workspace:expansion_reopen",
    )


@require_POST
@csm_only
def opportunity_reopen(request: TenantRequest, pk: int) -> HttpResponse:
    """Undo a loss."""
    return _deed(
        request, pk, reopen_opportunity, lambda one: _("%(what)s is open again.") % {"what": _name(one)}
    )


@require_POST
@csm_only
@with_money
def discount_ask(request: TenantRequest, pk: int) -> HttpResponse:
    """Ask for a discount, or grant it within one's limit."""
    form = DiscountForm(request.POST)
    if form.is_valid():
        try:
            wish = ask_discount(
                tenant=request.tenant, opportunity_id=pk, member=request.member, **form.cleaned_data
            )
        except Opportunity.DoesNotExist as error:
            raise Http404 from error
        except ValidationError as error:
            for name, faults in getattr(error, "message_dict", {None: error.messages}).items():
                form.add_error(name, " ".join(faults))
        else:
            if wish.state == Discount.State.PENDING:
                messages.success(request, _("Asked for; whoever decides was told."))
            else:
                messages.success(request, _("The discount counts."))
            return redirect("workspace:expansion_opportunity", pk)
    return _page(request, pk, discount=form, status=422)


@require_POST
@csm_only
@with_money
def discount_withdraw(request: TenantRequest, pk: int) -> HttpResponse:
    """Take back a discount that waits."""
    return _deed(request, pk, withdraw_discount, lambda _one: _("Withdrawn."))


@require_POST
@csm_only
@with_money
def discount_decide(request: TenantRequest, pk: int) -> HttpResponse:
    """Approve or refuse a discount."""
    wish = Discount.objects.filter(tenant=request.tenant, pk=pk).first()
    if wish is None:
        raise Http404
    try:
        decide_discount(
            tenant=request.tenant,
            discount_id=pk,
            approve=request.POST.get("approve") == "yes",
            reason=request.POST.get("reason", ""),
            member=request.member,
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Decided; whoever asked was told."))
    return back(request, reverse("workspace:expansion_opportunity", args=[wish.opportunity_id]))


@require_POST
@csm_only
@with_money
def opportunity_bundle(request: TenantRequest, pk: int) -> HttpResponse:
    """Give or take the bundle discount."""
    on = request.POST.get("on") == "yes"
    deed = partial(bundle, on=on)
    return _deed(
        request,
        pk,
        deed,
        lambda _one: _("The bundle discount counts.") if on else _("The bundle discount is taken back."),
    )


@require_POST
@csm_only
@with_money
def proposal_make(request: TenantRequest, pk: int) -> HttpResponse:
    """Make the document as things stand."""
    deed = partial(make_proposal, language=request.POST.get("language", ""))
    return _deed(request, pk, deed, lambda _one: _("The proposal is made; open it below “Proposals”."))


@require_safe
@member_only
@with_money
def proposal_file(request: TenantRequest, pk: int) -> HttpResponse:
    """The document as it was made."""
    made = (
        Proposal.objects.filter(tenant=request.tenant, pk=pk).select_related("opportunity__account").first()
    )
    if made is None:
        raise Http404
    name = slugify(made.opportunity.account.name) or "account"
    return HttpResponse(
        bytes(made.pdf),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="proposal-{name}-{made.opportunity_id}-v{made.number}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )
