"""The page where somebody answers: no login, no script, no cookie; in the contact's language, with the company's look.

Looking never answers, since mail scanners open every link: the number of the address is only preselected, the button
answers.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.api_limits import Allowance, count_request
from accounts.brand import brand_css
from accounts.fence.scope import tenant_scope
from accounts.links import LinkRefused
from accounts.models import Tenant
from outreach.deciding import settings_of as message_settings

from .models import LANGUAGES, Answer, Invitation, Survey, category_word
from .services.answering import (
    SurveyClosed,
    is_open,
    note_opened,
    open_invitation,
    submit_answer,
    tenant_of_token,
)
from .texts import ends_of, question_of

TEMPLATE = "nps/survey.html"
HEADERS = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}
FORM_SALT = "nps.surveys.page"
FORM_SECONDS = 24 * 3600
# Of one address, which may be a whole office behind one router, and of one link.
PER_ADDRESS, PER_LINK = 240, 30


@csrf_exempt  # the signed link is the right to answer, and the page's own token stands in its form instead of a cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def survey_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, take the answer, say thank you."""
    refused = _limited(request, token)
    if refused is not None:
        return refused
    try:
        tenant = tenant_of_token(token)
        with tenant_scope(tenant):
            invitation = open_invitation(tenant=tenant, token=token)
            if request.method == "POST":
                return _sealed(_answer(request, tenant, invitation, token))
            if request.method == "GET":
                note_opened(tenant=tenant, invitation_id=invitation.pk)
            return _sealed(_show(request, tenant, invitation, token))
    except LinkRefused:
        return _sealed(render(request, TEMPLATE, {"state": "unknown"}, status=404))


def _limited(request: HttpRequest, token: str) -> HttpResponse | None:
    """429 for an address or a link that asks too often."""
    counts = [count_request(f"survey-from:{request.META.get('REMOTE_ADDR', '')}", PER_ADDRESS)]
    if request.method == "POST":
        counts.append(
            count_request(f"survey-link:{hashlib.sha256(token.encode()).hexdigest()[:32]}", PER_LINK)
        )
    spent: Allowance | None = next((one for one in counts if one is not None and one.exhausted), None)
    if spent is None:
        return None
    answer = render(request, TEMPLATE, {"state": "busy"}, status=429)
    answer.headers["Retry-After"] = str(spent.reset_seconds)
    return _sealed(answer)


def _answer_of(tenant: Tenant, invitation: Invitation) -> Answer | None:
    return Answer.objects.filter(tenant=tenant, invitation=invitation).first()


def _show(
    request: HttpRequest,
    tenant: Tenant,
    invitation: Invitation,
    token: str,
    *,
    typed: dict[str, str] | None = None,
    problem: str = "",
) -> HttpResponse:
    """The form, the thanks with what was answered, or that it is over."""
    now = timezone.now()
    language = language_of(request, invitation)
    answer = _answer_of(tenant, invitation)
    open_ = is_open(tenant=tenant, invitation=invitation, answer=answer, now=now)
    with translation.override(language):
        context = page_context(tenant, invitation.survey, language) | {
            "token": token,
            "state": _state(request, answer, open_, typed),
            "answer": answer,
            "answered_as": category_word(answer.kind, answer.category) if answer else "",
            "chosen": _chosen(request, invitation.survey, answer, typed),
            "comment": typed["comment"] if typed else answer.comment if answer else "",
            "problem": problem,
            "form_token": form_token(invitation),
            "may_change": open_ and answer is not None,
        }
        return render(request, TEMPLATE, context, status=400 if problem else 200)


def _state(request: HttpRequest, answer: Answer | None, open_: bool, typed: dict[str, str] | None) -> str:
    if not open_:
        return "closed"
    if answer is not None and typed is None and not request.GET.keys() & {"score", "change"}:
        return "thanks"
    return "asked"


def _chosen(
    request: HttpRequest, survey: Survey, answer: Answer | None, typed: dict[str, str] | None
) -> int | None:
    """The number that stands ready: typed, of the address, or answered before."""
    text = typed["score"] if typed else request.GET.get("score", "")
    if text.isascii() and text.isdigit() and len(text) < 3 and int(text) in survey.scores:
        return int(text)
    return answer.score if answer and not typed else None


def _answer(request: HttpRequest, tenant: Tenant, invitation: Invitation, token: str) -> HttpResponse:
    """Keep what the form says; what cannot be kept is shown again as it was typed."""
    typed = {name: request.POST.get(name, "") for name in ("score", "comment")}
    language = language_of(request, invitation)

    def again(problem: str) -> HttpResponse:
        return _show(request, tenant, invitation, token, typed=typed, problem=problem)

    with translation.override(language):
        if not is_own_form(request.POST.get("form", ""), invitation):
            return again(_("This page had been open for long. Please press the button once more."))
        score = typed["score"]
        if not (score.isascii() and score.isdigit() and len(score) < 3):
            return again(_("Choose a number first."))
        try:
            submit_answer(
                tenant=tenant,
                invitation_id=invitation.pk,
                score=int(score),
                comment=typed["comment"],
                language=language,
            )
        except ValidationError as error:
            return again(" ".join(error.messages))
        except SurveyClosed:
            return _show(request, tenant, invitation, token)
    said = request.GET.get("lang", "")
    address = reverse("survey", kwargs={"token": token}) + (f"?lang={said}" if said in LANGUAGES else "")
    return HttpResponseRedirect(address, status=303)


def page_context(tenant: Tenant, survey: Survey, language: str) -> dict[str, Any]:
    """What the page says, also in the preview; the language must be on."""
    low, high = ends_of(survey.kind, language)
    return {
        "company": tenant.name,
        "LANGUAGE_CODE": language,
        "branded": bool(tenant.brand_color),
        "has_logo": message_settings(tenant).logo is not None,
        "survey": survey,
        "question": question_of(survey, tenant, language),
        "why": survey.text("why", language),
        "thanks": survey.text("thanks", language),
        "scores": list(survey.scores),
        "low": low,
        "high": high,
        "other": "en" if language == "es" else "es",
    }


def language_of(request: HttpRequest, invitation: Invitation) -> str:
    """The invitation's language, unless the person chose the other one on the page."""
    said = request.GET.get("lang", "")
    return said if said in LANGUAGES else invitation.language


def form_token(invitation: Invitation) -> str:
    """What the form carries: only a page that was shown under this link has it, and only for a day."""
    return signing.dumps([invitation.tenant_id, invitation.pk, invitation.nonce], salt=FORM_SALT)


def is_own_form(text: str, invitation: Invitation) -> bool:
    """Whether the form came from our page under this link."""
    try:
        said = signing.loads(text, salt=FORM_SALT, max_age=FORM_SECONDS)
    except (signing.BadSignature, ValueError):
        return False
    return bool(said == [invitation.tenant_id, invitation.pk, invitation.nonce])


def _sealed(answer: HttpResponse) -> HttpResponse:
    """Kept out of search engines, and its address out of other sites' logs."""
    for name, value in HEADERS.items():
        answer.headers[name] = value
    return answer


@require_safe
def survey_brand(request: HttpRequest, token: str) -> HttpResponse:
    """The colour of the company whose link this is, as a style sheet; empty for what is no link."""
    try:
        tenant = tenant_of_token(token)
        with tenant_scope(tenant):
            open_invitation(tenant=tenant, token=token)
        colour = tenant.brand_color
    except LinkRefused:
        colour = ""
    return HttpResponse(
        brand_css(colour), content_type="text/css", headers={"Cache-Control": "private, max-age=3600"}
    )


@require_safe
def survey_logo(request: HttpRequest, token: str) -> HttpResponse:
    """The company's logo, to whoever has the link."""
    try:
        tenant = tenant_of_token(token)
        with tenant_scope(tenant):
            open_invitation(tenant=tenant, token=token)
            choices = message_settings(tenant)
    except LinkRefused:
        return HttpResponse(status=404)
    if choices.logo is None:
        return HttpResponse(status=404)
    return HttpResponse(
        bytes(choices.logo),
        content_type=choices.logo_type,
        headers={"Cache-Control": "private, max-age=3600"},
    )
