"""Pages without a login: the approver's, which a signed link opens, and the published stories, which everybody may read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.brand import brand_css
from accounts.fence.scope import tenant_scope
from accounts.links import LinkRefused, OpenedLink, count_opening
from accounts.models import Tenant
from accounts.public_pages import signed_page
from nps.stories import selectors
from nps.stories.models import Story, StoryApproval, StoryPicture
from nps.stories.reading import text_of
from nps.stories.rendering import story_pdf
from nps.stories.services.approving import PURPOSE, decide_approval
from nps.stories.text import StoryText, text_of_dict

P = ParamSpec("P")
Answer = StoryApproval.State
PAGE, APPROVE = "nps/stories/page.html", "nps/stories/approve.html"


# ── The approver ────────────────────────────────────────────────────────────────────────────────────────────────


def _approval(opened: OpenedLink) -> StoryApproval:
    """What the link is for; inside the tenant's scope."""
    found = StoryApproval.objects.select_related("story__account__owner__user").filter(
        tenant=opened.tenant, pk=opened.link.object_id, link=opened.link
    )
    approval = found.first()
    if approval is None:
        raise LinkRefused
    return approval


def _is_current(approval: StoryApproval) -> bool:
    return approval.state != Answer.VOID and approval.hash == approval.story.hash


# The token is the right to answer, and mail programs' browsers bring no cookie of ours.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@signed_page(PURPOSE)
def approval_page(request: HttpRequest, opened: OpenedLink) -> HttpResponse:
    """The text, and the two answers."""
    tenant = opened.tenant
    with tenant_scope(tenant):
        approval = _approval(opened)
        language = approval.story.language
        with translation.override(language):
            context: dict[str, Any] = {"tenant_name": tenant.name, "LANGUAGE_CODE": language}
            context["branded"] = bool(tenant.brand_color)
            context["token"] = request.resolver_match.kwargs["token"] if request.resolver_match else ""
            status = 200
            if request.method == "POST":
                status = _answer(request, opened, approval, context)
                approval = _approval(opened)
            elif request.method == "GET":
                count_opening(tenant=tenant, link=opened.link)
            context |= _shown(approval)
            return render(request, APPROVE, context, status=status)


def _answer(
    request: HttpRequest, opened: OpenedLink, approval: StoryApproval, context: dict[str, Any]
) -> int:
    """Record what was said; what is refused is shown with what was typed."""
    posted = {name: request.POST.get(name, "") for name in ("signer", "comment", "decision", "seen")}
    context["posted"] = posted
    try:
        decide_approval(
            tenant=opened.tenant,
            approval_id=approval.pk,
            approve=posted["decision"] == "approve",
            seen=posted["seen"],
            signer=posted["signer"],
            comment=posted["comment"],
            address=request.META.get("REMOTE_ADDR", ""),
            agent=request.headers.get("User-Agent", ""),
        )
    except ValidationError as error:
        context["faults"] = error.messages
        return 409 if getattr(error, "code", "") in ("changed", "decided") else 400
    return 200


def _shown(approval: StoryApproval) -> dict[str, Any]:
    """The text while it is the one that was asked about; afterwards only what was decided."""
    story = approval.story
    is_current = _is_current(approval)
    return {
        "approval": approval,
        "account": story.account,
        "owner": story.account.owner,
        "is_current": is_current,
        "text": text_of(story) if is_current else None,
        "pictures": list(story.pictures.values_list("kind", flat=True)) if is_current else [],
    }


@require_safe
@signed_page(PURPOSE)
def approval_pdf(request: HttpRequest, opened: OpenedLink) -> HttpResponse:
    """The two pages as they would be published."""
    with tenant_scope(opened.tenant):
        approval = _approval(opened)
        if not _is_current(approval):
            raise LinkRefused
        pdf = story_pdf(opened.tenant, approval.story, text_of(approval.story))
    return _pdf(pdf, approval.story.slug)


@require_safe
@signed_page(PURPOSE)
def approval_picture(request: HttpRequest, opened: OpenedLink, kind: str) -> HttpResponse:
    """The logo or the person's picture."""
    with tenant_scope(opened.tenant):
        approval = _approval(opened)
        if not _is_current(approval):
            raise LinkRefused
        picture = StoryPicture.objects.filter(tenant=opened.tenant, story=approval.story, kind=kind).first()
    if picture is None:
        raise LinkRefused
    return HttpResponse(bytes(picture.png), content_type="image/png")


@require_safe
@signed_page(PURPOSE)
def approval_brand(request: HttpRequest, opened: OpenedLink) -> HttpResponse:
    """The company's colour as a style sheet."""
    return HttpResponse(brand_css(opened.tenant.brand_color), content_type="text/css")


# ── Everybody ───────────────────────────────────────────────────────────────────────────────────────────────────

StoryView = Callable[Concatenate[HttpRequest, Tenant, P], HttpResponse]
SlugView = Callable[Concatenate[HttpRequest, str, P], HttpResponse]


def of_company(view: StoryView[P]) -> SlugView[P]:
    """Inside the scope of the company in the address; one that is not there is as empty as one without stories."""

    @wraps(view)
    def door(request: HttpRequest, /, tenant_slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        tenant = Tenant.objects.filter(slug=tenant_slug).first()
        if tenant is None:
            raise Http404
        with tenant_scope(tenant):
            answer = view(request, tenant, *args, **kwargs)
        # Taken down is taken down: nobody keeps it without asking again.
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    return door  # type: ignore[return-value]  # the slug is passed by name too


@require_safe
@of_company
def story_index(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """All published stories of a company."""
    found = selectors.published(tenant)
    if not found:
        raise Http404
    with translation.override(tenant.language):
        context = _company(tenant, tenant.language) | {"stories": found}
        return render(request, "nps/stories/index.html", context)


@require_safe
@of_company
def story_page(request: HttpRequest, tenant: Tenant, slug: str) -> HttpResponse:
    """One story as it was approved; 410 once it was withdrawn."""
    story = _public(tenant, slug)
    if story is None:
        return _gone(request, tenant)
    text = _published_text(story)
    with translation.override(story.language):
        context = _company(tenant, story.language)
        context |= {"story": story, "text": text, "pictures": _kinds(text)}
        return render(request, PAGE, context)


@require_safe
@of_company
def story_file(request: HttpRequest, tenant: Tenant, slug: str) -> HttpResponse:
    """The PDF that was approved."""
    story = _public(tenant, slug)
    file = selectors.file_of(tenant, story.pk) if story is not None else None
    if story is None or file is None:
        return _gone(request, tenant)
    return _pdf(bytes(file.pdf), story.slug)


@require_safe
@of_company
def story_picture(request: HttpRequest, tenant: Tenant, slug: str, kind: str) -> HttpResponse:
    """The logo or the person's picture of a published story."""
    story = _public(tenant, slug)
    if story is None:
        return _gone(request, tenant)
    picture = StoryPicture.objects.filter(tenant=tenant, story=story, kind=kind).first()
    if picture is None or picture.hash not in (_published_text(story).logo, _published_text(story).picture):
        raise Http404
    return HttpResponse(bytes(picture.png), content_type="image/png")


@require_safe
@of_company
def company_brand(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The company's colour as a style sheet, where it has published something."""
    if not selectors.published(tenant):
        raise Http404
    return HttpResponse(brand_css(tenant.brand_color), content_type="text/css")


def _public(tenant: Tenant, slug: str) -> Story | None:
    """The published story; None for a withdrawn one, 404 for what never was."""
    story = selectors.at_address(tenant, slug)
    if story is None or (story.state == Story.State.WITHDRAWN and story.published_at is None):
        raise Http404
    return story if story.state == Story.State.PUBLISHED else None


def _published_text(story: Story) -> StoryText:
    return text_of_dict(story.published or {})


def _kinds(text: StoryText) -> list[str]:
    return [
        kind for kind, there in ((StoryPicture.Kind.LOGO, text.logo), (StoryPicture.Kind.PERSON, text.picture)) if there
    ]  # fmt: skip


def _company(tenant: Tenant, language: str) -> dict[str, Any]:
    return {
        "company": tenant,
        "branded": bool(tenant.brand_color),
        "LANGUAGE_CODE": language,
        "now": timezone.now(),
    }


def _gone(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """410: it was there and is taken down; what it was is not said."""
    with translation.override(tenant.language):
        answer = render(request, "nps/stories/gone.html", {"LANGUAGE_CODE": tenant.language}, status=410)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _pdf(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}.pdf"'},
    )
