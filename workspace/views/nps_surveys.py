"""Surveys: the list, the editor with its previews, waves, settings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import TenantRequest
from nps.surveys.audience import audience_counts
from nps.surveys.delivery import example_mail
from nps.surveys.models import LANGUAGES, Survey, Wave
from nps.surveys.public import page_context
from nps.surveys.selectors import reading
from nps.surveys.services import (
    cancel_wave,
    save_settings,
    save_survey,
    send_survey_test,
    settings_of,
    start_wave,
    switch_survey,
)
from nps.surveys.texts import CONTEXT_FIELDS
from outreach.fields import FIELDS
from outreach.mail.viewing import seen
from playbooks.models import Playbook
from workspace.access import admin_only, manager_only, member_only
from workspace.selectors import nps as selectors
from workspace.survey_forms import SurveyForm, SurveySettingsForm, WaveForm
from workspace.views.messages import framed


@require_safe
@member_only
def nps_surveys(request: TenantRequest) -> HttpResponse:
    """Every survey: whom it asks when, and how it goes."""
    context = {
        "lines": selectors.survey_lines(request.tenant, request.tenant.today()),
        "choices": settings_of(request.tenant),
    }
    return render(request, "workspace/nps/surveys.html", context)


def _survey(request: TenantRequest, pk: int) -> Survey:
    found = Survey.objects.filter(tenant=request.tenant, pk=pk).first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def nps_survey_new(request: TenantRequest) -> HttpResponse:
    """A new survey, with the texts of the first one of its kind to begin from."""
    survey = Survey(tenant=request.tenant)
    pattern = Survey.objects.filter(tenant=request.tenant).order_by("position", "id").first()
    if pattern is not None and request.method != "POST":
        for name in ("question", "why", "thanks", "subject", "body"):
            for language in LANGUAGES:
                setattr(survey, f"{name}_{language}", getattr(pattern, f"{name}_{language}"))
    return _form_page(request, survey)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def nps_survey_edit(request: TenantRequest, pk: int) -> HttpResponse:
    """The editor."""
    return _form_page(request, _survey(request, pk))


def _form_page(request: TenantRequest, survey: Survey) -> HttpResponse:
    plays = list(Playbook.objects.filter(tenant=request.tenant).order_by("position", "key"))
    form = SurveyForm(request.POST or None, instance=survey, plays=plays)
    if request.method == "POST" and form.is_valid():
        try:
            save_survey(tenant=request.tenant, actor=request.member, survey=survey, values=form.cleaned_data)
        except ValidationError as error:
            _put_errors(form, error)
        else:
            messages.success(request, _("“%(name)s” was saved.") % {"name": survey.name})
            return redirect("workspace:nps_survey", survey.pk)
    context = {
        "form": form,
        "survey": survey,
        "fields": FIELDS.items(),
        "own_fields": CONTEXT_FIELDS,
    }
    return render(request, "workspace/nps/edit.html", context, status=400 if form.errors else 200)


def _put_errors(form: Any, error: ValidationError) -> None:
    """What the service found, at the fields of the form; the rest above it."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, found in error.message_dict.items():
        form.add_error(name if name in form.fields else None, found)


@require_safe
@member_only
def nps_survey(request: TenantRequest, pk: int) -> HttpResponse:
    """One survey: what is asked, whom, how many that are; its waves."""
    survey = _survey(request, pk)
    choices = settings_of(request.tenant)
    fitting, reachable, throttled = audience_counts(request.tenant, survey, choices, request.tenant.today())
    plays = dict(Playbook.objects.filter(tenant=request.tenant).values_list("key", "name"))
    context = {
        "survey": survey,
        "when": selectors.when_text(survey),
        "choices": choices,
        "fitting": fitting,
        "reachable": reachable,
        "throttled": throttled,
        "free": reachable - throttled,
        "flows": [
            (word, plays.get(key, key))
            for word, key in (
                (_("Detractors"), survey.detractor_play),
                (_("Passives"), survey.passive_play),
                (_("Promoters"), survey.promoter_play),
            )
        ],
        "waves": reading.waves_of(request.tenant, survey.pk),
        "wave_form": WaveForm(initial={"starts_on": request.tenant.today().isoformat()}),
        "languages": [one for one in LANGUAGES if getattr(survey, f"question_{one}").strip()],
        "today": request.tenant.today(),
    }
    return render(request, "workspace/nps/survey.html", context)


@require_POST
@admin_only
def nps_survey_switch(request: TenantRequest, pk: int) -> HttpResponse:
    """Switch it on or off."""
    on = request.POST.get("on") == "1"
    try:
        survey = switch_survey(tenant=request.tenant, actor=request.member, survey_id=pk, on=on)
    except Survey.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("workspace:nps_survey_edit", pk)
    said = _("“%(name)s” asks from tonight on.") if survey.enabled else _("“%(name)s” asks nobody any more.")
    messages.success(request, said % {"name": survey.name})
    return redirect("workspace:nps_survey", pk)


@require_safe
@framed
@member_only
def nps_survey_mail(request: TenantRequest, pk: int, language: str) -> HttpResponse:
    """The mail as a contact would get it, for the frame."""
    survey = _survey(request, pk)
    if language not in LANGUAGES:
        raise Http404
    mail = example_mail(
        request.tenant, survey, language=language, address=request.member.user.email, logo=True
    )
    return HttpResponse(seen(mail).html)


@require_safe
@member_only
def nps_survey_page(request: TenantRequest, pk: int, language: str) -> HttpResponse:
    """The page as a contact would see it, with nothing behind its button."""
    survey = _survey(request, pk)
    if language not in LANGUAGES:
        raise Http404
    said = request.GET.get("score", "")
    chosen = int(said) if said.isascii() and said.isdigit() and len(said) < 3 else None
    with translation.override(language):
        context = page_context(request.tenant, survey, language) | {"chosen": chosen, "preview": True}
        return render(request, "workspace/nps/page_preview.html", context)


@require_POST
@admin_only
def nps_survey_test(request: TenantRequest, pk: int) -> HttpResponse:
    """Send me a test."""
    survey = _survey(request, pk)
    said = request.POST.get("language", "")
    language = said if said in LANGUAGES else (get_language() or "en")[:2]
    send_survey_test(tenant=request.tenant, member=request.member, survey=survey, language=language)
    messages.success(
        request, _("A test is on its way to %(address)s.") % {"address": request.member.user.email}
    )
    return redirect("workspace:nps_survey", pk)


@require_POST
@manager_only
def nps_wave_start(request: TenantRequest, pk: int) -> HttpResponse:
    """Ask the audience today, or plan it."""
    survey, form = _survey(request, pk), WaveForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the wave a name and a day."))
        return redirect("workspace:nps_survey", pk)
    try:
        _wave, job = start_wave(
            tenant=request.tenant, survey_id=survey.pk, member=request.member, **form.cleaned_data
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request,
            _("The wave has begun; the mails are being written.") if job else _("The wave is planned."),
        )
    return redirect("workspace:nps_survey", pk)


@require_POST
@manager_only
def nps_wave_cancel(request: TenantRequest, pk: int) -> HttpResponse:
    """Call a planned wave off."""
    try:
        wave = cancel_wave(tenant=request.tenant, wave_id=pk, member=request.member)
    except Wave.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("workspace:nps_surveys")
    messages.success(request, _("“%(name)s” was called off.") % {"name": wave.name})
    return redirect("workspace:nps_survey", wave.survey_id)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def nps_settings(request: TenantRequest) -> HttpResponse:
    """What holds for all surveys."""
    choices = settings_of(request.tenant)
    form = SurveySettingsForm(request.POST or None, instance=choices)
    if request.method == "POST" and form.is_valid():
        try:
            save_settings(tenant=request.tenant, actor=request.member, values=form.cleaned_data)
        except ValidationError as error:
            _put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("workspace:nps_surveys")
    return render(request, "workspace/nps/settings.html", {"form": form}, status=400 if form.errors else 200)
