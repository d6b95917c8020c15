"""Case studies: the list, the editor with its pages, approvals, publishing."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import has_role, may_work_on
from accounts.links import public_url
from accounts.models import Role
from accounts.requests import TenantRequest
from nps.references.selectors import people_to_ask
from nps.stories import selectors
from nps.stories.advice import too_long
from nps.stories.models import Story, StoryApproval, StoryPicture
from nps.stories.reading import text_of
from nps.stories.rendering import fit_story, story_pages, story_pdf
from nps.stories.services import (
    create_story,
    edit_story,
)
from nps.stories.services.editing import TEXTS
from nps.stories.services.publishing import address_of, blockers
from nps.stories.services.results import offers_of
from nps.stories.text import missing
from workspace.access import csm_only, member_only, with_money
from workspace.story_forms import ApprovalForm, PictureForm, ResultForm, StoryForm
from workspace.views.going_back import back

State = Story.State


@require_safe
@member_only
def story_list(request: TenantRequest) -> HttpResponse:
    """All case studies by state."""
    state = request.GET.get("state", "")
    state = state if state in State.values else ""
    found = list(selectors.stories(request.tenant, [state] if state else [])[: selectors.LIST_MAX])
    context = {
        "found": found,
        "chosen": state,
        "states": State.choices,
        "index": address_of_index(request) if any(s.state == State.PUBLISHED for s in found) else "",
    }
    return render(request, "workspace/stories/list.html", context)


def address_of_index(request: TenantRequest) -> str:
    """Where everybody finds the published ones."""
    return public_url("story-index", tenant_slug=request.tenant.slug)


@require_POST
@csm_only
def new(request: TenantRequest, pk: int) -> HttpResponse:
    """Begin one with what is known of the account."""
    try:
        story = create_story(tenant=request.tenant, account_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:reference_stories")
    return redirect("workspace:reference_story", story.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
@with_money
def editor(request: TenantRequest, pk: int) -> HttpResponse:
    """The text with its pages beside it; a POST saves."""
    story = story_of(request, pk)
    if request.method != "POST":
        return story_editor(request, story)
    _demand_csm(request)
    form = StoryForm(request.POST, instance=story)
    if form.is_valid():
        said = form.cleaned_data
        try:
            edit_story(
                tenant=request.tenant,
                story_id=pk,
                fields={name: said[name] for name in TEXTS},
                revision=said["revision"],
                slug=said["slug"],
                language=said["language"],
                member=request.member,
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("workspace:reference_story", pk)
    return story_editor(request, story_of(request, pk), 422, story_form=form)


def _demand_csm(request: TenantRequest) -> None:
    if not has_role(request.member, Role.CSM):
        raise PermissionDenied


def story_of(request: TenantRequest, pk: int) -> Story:
    found = selectors.story(request.tenant, pk)
    if found is None:
        raise Http404
    return found


def story_editor(request: TenantRequest, story: Story, status: int = 200, **bound: Any) -> HttpResponse:
    """The editor, with the form that was refused as it was filled in."""
    tenant, now = request.tenant, timezone.now()
    text = text_of(story)
    approvals = selectors.approvals_of(tenant, story.pk)
    people = people_to_ask(tenant, story.account_id)
    newest = selectors.newest_by_party(approvals)
    legal = newest.get(StoryApproval.Party.LEGAL)
    legal_done = legal is not None and legal.state == StoryApproval.State.APPROVED
    may_work = may_work_on(request.member, story.account) and has_role(request.member, Role.CSM)
    is_open = story.state in Story.EDITABLE
    pictures = {one.kind: one for one in story.pictures.defer("png")}
    party = StoryApproval.Party.COMMUNICATIONS if legal_done else StoryApproval.Party.LEGAL
    context: dict[str, Any] = {
        "story": story,
        "account": story.account,
        "may_edit": may_work and is_open,
        "may_work": may_work,
        "fit": fit_story(tenant, story, text),
        "missing": missing(text),
        "results": selectors.results_of(tenant, story.pk),
        "pictures": [(key, word, pictures.get(key)) for key, word in StoryPicture.Kind.choices],
        "approvals": approvals,
        "parties": [(key, word, newest.get(key)) for key, word in StoryApproval.Party.choices],
        "against": blockers(tenant, story, now) if is_open else [],
        "changes": selectors.changes_of(tenant, story.pk)[:30],
        "now": now,
        "public_url": address_of(tenant, story) if story.state == State.PUBLISHED else "",
        "story_form": StoryForm(instance=story, initial={"revision": story.revision}),
        "result_form": ResultForm(offers=offers_of(tenant)),
        "picture_form": PictureForm(),
        "approval_form": ApprovalForm(
            people=people, initial={"party": party, "then": story.communications_id}
        ),
        "opened": next(iter(bound), ""),
        **bound,
    }
    context["too_long"] = [too_long(leaf) for leaf in context["fit"].leaves if leaf.over]
    return render(request, "workspace/stories/editor.html", context, status=status)


@require_POST
@member_only
@with_money
def preview(request: TenantRequest, pk: int) -> HttpResponse:
    """The pages as they are with the text in the form, saved or not; nothing is written."""
    story = story_of(request, pk)
    form = StoryForm(request.POST, instance=story)
    form.is_valid()
    for name in (*TEXTS, "language"):
        if name in request.POST and name in form.cleaned_data:
            setattr(story, name, str(form.cleaned_data[name]).replace("\r\n", "\n").strip())
    text = text_of(story)
    pages = story_pages(request.tenant, story, text)
    fit = fit_story(request.tenant, story, text)
    context = {
        "pages": [f"data:image/png;base64,{base64.b64encode(page).decode()}" for page in pages],
        "fit": fit,
        "too_long": [too_long(leaf) for leaf in fit.leaves if leaf.over],
        "text": text,
        "missing": missing(text),
    }
    return render(request, "workspace/stories/_preview.html", context)


@require_safe
@member_only
@with_money
def pdf(request: TenantRequest, pk: int) -> HttpResponse:
    """The PDF of the text as it stands."""
    story = story_of(request, pk)
    return HttpResponse(
        story_pdf(request.tenant, story, text_of(story)),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{story.slug}.pdf"'},
    )


@require_safe
@member_only
def picture(request: TenantRequest, pk: int, kind: str) -> HttpResponse:
    """A picture of the story."""
    found = StoryPicture.objects.filter(tenant=request.tenant, story_id=pk, kind=kind).first()
    if found is None:
        raise Http404
    return HttpResponse(bytes(found.png), content_type="image/png")


def refuse(form: forms.Form | forms.BaseForm, error: ValidationError) -> None:
    if hasattr(error, "error_dict"):
        for name, faults in error.message_dict.items():
            for fault in faults:
                form.add_error(name if name in form.fields else None, fault)
    else:
        for fault in error.messages:
            form.add_error(None, fault)
