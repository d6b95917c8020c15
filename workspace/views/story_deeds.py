"""What is done with a case study on its page: results, pictures, approvals, publishing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.requests import TenantRequest
from nps.references.selectors import people_to_ask
from nps.stories.models import StoryApproval, StoryResult
from nps.stories.services import (
    add_result,
    ask_approval,
    change_result,
    publish_story,
    refresh_result,
    remove_picture,
    remove_result,
    reopen_story,
    revoke_approval,
    set_picture,
    withdraw_story,
)
from nps.stories.services.editing import choose_communications
from nps.stories.services.publishing import FIGURES
from nps.stories.services.results import offers_of
from qbr.figures.services import verify_figures
from workspace.access import csm_only
from workspace.story_forms import ApprovalForm, PictureForm, ResultForm
from workspace.views.going_back import back
from workspace.views.stories import refuse, story_editor, story_of


def _with_form(
    request: TenantRequest, pk: int, name: str, form: forms.Form, deed: Callable[[dict[str, Any]], str]
) -> HttpResponse:
    """Do it with the form's values; what is refused is shown in the form."""
    story_of(request, pk)
    if form.is_valid():
        try:
            words = deed(form.cleaned_data)
        except ObjectDoesNotExist as error:
            raise Http404 from error
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, words)
            return redirect("workspace:reference_story", pk)
    return story_editor(request, story_of(request, pk), 422, **{name: form})


def _plainly(request: TenantRequest, deed: Callable[[], int], words: str) -> HttpResponse:
    """Do something that has no form of its own; the deed says at which story."""
    try:
        pk = deed()
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:reference_stories")
    if words:
        messages.success(request, words)
    return redirect("workspace:reference_story", pk)


@require_POST
@csm_only
def result_add(request: TenantRequest, pk: int) -> HttpResponse:
    """Record a figure and show it."""

    def deed(said: dict[str, Any]) -> str:
        add_result(tenant=request.tenant, story_id=pk, member=request.member, **said)
        return _("The figure is recorded.")

    return _with_form(
        request, pk, "result_form", ResultForm(request.POST, offers=offers_of(request.tenant)), deed
    )


@require_POST
@csm_only
def result_change(request: TenantRequest, pk: int) -> HttpResponse:
    """Other words around a figure."""

    def deed() -> int:
        return change_result(
            tenant=request.tenant,
            result_id=pk,
            label=request.POST.get("label", ""),
            detail=request.POST.get("detail", ""),
            member=request.member,
        ).story_id

    return _plainly(request, deed, _("Saved."))


@require_POST
@csm_only
def result_refresh(request: TenantRequest, pk: int) -> HttpResponse:
    """Record the figure anew."""

    def deed() -> int:
        return refresh_result(tenant=request.tenant, result_id=pk, member=request.member).story_id

    return _plainly(request, deed, _("The figure is recorded anew; both parties are asked again."))


@require_POST
@csm_only
def result_remove(request: TenantRequest, pk: int) -> HttpResponse:
    """Show it no more."""

    def deed() -> int:
        return remove_result(tenant=request.tenant, result_id=pk, member=request.member).pk

    return _plainly(request, deed, _("The result is removed."))


@require_POST
@csm_only
def verify(request: TenantRequest, pk: int) -> HttpResponse:
    """Ask every figure again, and say what it says now."""
    story = story_of(request, pk)
    found = StoryResult.objects.filter(tenant=request.tenant, story=story).select_related("figure")
    figures = [one.figure for one in found]
    verdicts = verify_figures(tenant=request.tenant, figures=figures)
    changed = sum(not verdict.holds for verdict in verdicts.values())
    if changed:
        messages.error(
            request,
            _("%(n)d of %(all)d figures no longer hold; see which below.")
            % {"n": changed, "all": len(figures)},
        )
    else:
        messages.success(request, _("All %(all)d figures hold.") % {"all": len(figures)})
    return redirect("workspace:reference_story", pk)


@require_POST
@csm_only
def picture_set(request: TenantRequest, pk: int) -> HttpResponse:
    """Show a logo or a person."""

    def deed(said: dict[str, Any]) -> str:
        set_picture(
            tenant=request.tenant,
            story_id=pk,
            kind=said["kind"],
            content=said["picture"].read(),
            consent=said["consent"],
            member=request.member,
        )
        return _("The picture is in.")

    return _with_form(request, pk, "picture_form", PictureForm(request.POST, request.FILES), deed)


@require_POST
@csm_only
def picture_remove(request: TenantRequest, pk: int) -> HttpResponse:
    """Show it no more."""

    def deed() -> int:
        kind = request.POST.get("kind", "")
        return remove_picture(tenant=request.tenant, story_id=pk, kind=kind, member=request.member).pk

    return _plainly(request, deed, _("The picture is removed."))


@require_POST
@csm_only
def ask(request: TenantRequest, pk: int) -> HttpResponse:
    """Ask legal or communications."""
    story = story_of(request, pk)
    form = ApprovalForm(request.POST, people=people_to_ask(request.tenant, story.account_id))

    def deed(said: dict[str, Any]) -> str:
        then = said.pop("then")
        approval, address = ask_approval(tenant=request.tenant, story_id=pk, member=request.member, **said)
        if said["party"] == StoryApproval.Party.LEGAL:
            choose_communications(tenant=request.tenant, story_id=pk, contact_id=then, member=request.member)
        return _("%(name)s is asked. The link, shown once: %(address)s") % {
            "name": approval.asked_name,
            "address": address,
        }

    return _with_form(request, pk, "approval_form", form, deed)


@require_POST
@csm_only
def revoke(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a link back."""

    def deed() -> int:
        return revoke_approval(tenant=request.tenant, approval_id=pk, member=request.member).story_id

    return _plainly(request, deed, _("The link is taken back."))


@require_POST
@csm_only
def publish(request: TenantRequest, pk: int) -> HttpResponse:
    """Publish it; where figures no longer hold, they are shown and asked about first."""
    story = story_of(request, pk)
    try:
        publish_story(
            tenant=request.tenant,
            story_id=pk,
            member=request.member,
            as_recorded=request.POST.get("as_recorded") == "yes",
        )
    except ValidationError as error:
        if all(one.code == FIGURES for one in error.error_list):
            return story_editor(request, story, 422, doubts=error.messages)
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Published."))
    return redirect("workspace:reference_story", pk)


@require_POST
@csm_only
def withdraw(request: TenantRequest, pk: int) -> HttpResponse:
    """Take it down."""

    def deed() -> int:
        why = request.POST.get("why", "")
        return withdraw_story(tenant=request.tenant, story_id=pk, why=why, member=request.member).pk

    return _plainly(request, deed, _("Withdrawn: the page says that it is gone."))


@require_POST
@csm_only
def reopen(request: TenantRequest, pk: int) -> HttpResponse:
    """Make a draft of a withdrawn one."""

    def deed() -> int:
        return reopen_story(tenant=request.tenant, story_id=pk, member=request.member).pk

    return _plainly(request, deed, _("It is a draft again."))
