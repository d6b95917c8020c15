"""What an admin decides about surveys, and waves that a manager starts. All of it is in the audit log."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.access import has_role
from accounts.models import Job, Membership, Role, Tenant
from accounts.outbox import send_to_outbox
from accounts.services import enqueue_job, record_audit
from nps.surveys.delivery import SURVEY_TEST
from nps.surveys.events import WAVE_JOB
from nps.surveys.models import LANGUAGES, Survey, SurveySettings, Wave
from nps.surveys.scales import CATEGORIES
from nps.surveys.texts import CONTEXT_FIELDS, PRIVATE_FIELDS
from outreach.fields import check_merge_fields
from playbooks.models import Playbook

from .installing import settings_of

TEXTS = ("question", "why", "thanks", "subject", "body")
FIELDS = (
    "name",
    "enabled",
    "by_mail",
    "in_app",
    "days",
    "roles",
    "segments",
    "reminder_days",
    "open_days",
    *(f"{name}_{language}" for name in TEXTS for language in LANGUAGES),
    *(f"{category}_play" for category in CATEGORIES),
    "notify",
)
CHOSEN_ONCE = ("kind", "trigger")  # answers are counted by them
SETTINGS = ("throttle_days", "edit_hours", "send_hour", "nps_days", "csat_days")
MOST_WAVES_AHEAD_DAYS = 365


def save_survey(
    *, tenant: Tenant, actor: Membership | None, survey: Survey, values: Mapping[str, Any]
) -> Survey:
    """Keep a survey, a new one too; raises a ValidationError by field that says how to mend it."""
    is_new = survey.pk is None
    before = None if is_new else _said(Survey.objects.get(tenant=tenant, pk=survey.pk))
    for name in (*FIELDS, *(CHOSEN_ONCE if is_new else ())):
        if name in values:
            setattr(survey, name, values[name])
    survey.days = sorted(set(survey.days or []))
    if is_new:
        survey.key = _fresh_key(tenant, survey.name)
    _check(tenant, survey)
    survey.full_clean(exclude={"tenant"})
    after = _said(survey)
    if before == after:
        return survey
    survey.save()
    record_audit(
        tenant=tenant,
        actor=actor,
        action="survey.added" if is_new else "survey.changed",
        target=survey.key,
        before=before,
        after=after,
    )
    return survey


def switch_survey(*, tenant: Tenant, actor: Membership | None, survey_id: int, on: bool) -> Survey:
    """Switch a survey on or off; off, nobody new is asked and no reminder goes, but open pages stay open."""
    survey = Survey.objects.select_for_update().get(tenant=tenant, pk=survey_id)
    if survey.enabled != on:
        survey.enabled = on
        _check(tenant, survey)
        survey.save(update_fields=["enabled"])
        record_audit(
            tenant=tenant,
            actor=actor,
            action="survey.switched_on" if on else "survey.switched_off",
            target=survey.key,
        )
    return survey


def save_settings(*, tenant: Tenant, actor: Membership | None, values: Mapping[str, Any]) -> SurveySettings:
    """Keep what holds for all surveys."""
    choices = settings_of(tenant)
    before = {name: getattr(choices, name) for name in SETTINGS}
    for name in SETTINGS:
        if name in values:
            setattr(choices, name, values[name])
    choices.full_clean(exclude={"tenant"}, validate_unique=False, validate_constraints=False)
    choices.save()
    after = {name: getattr(choices, name) for name in SETTINGS}
    if before != after:
        record_audit(
            tenant=tenant,
            actor=actor,
            action="survey.settings_changed",
            target="surveys",
            before=before,
            after=after,
        )
    return choices


def start_wave(
    *, tenant: Tenant, survey_id: int, name: str, starts_on: date, member: Membership | None = None
) -> tuple[Wave, Job | None]:
    """Ask a survey's audience today, or plan it for a day; the job is that of a wave which begins now."""
    if member is not None and not has_role(member, Role.MANAGER):
        raise PermissionDenied
    survey = Survey.objects.get(tenant=tenant, pk=survey_id)
    today = tenant.today()
    if survey.trigger != Survey.Trigger.WAVE:
        raise ValidationError(_("This survey asks by itself; make one that is asked in waves."))
    if not survey.enabled:
        raise ValidationError(_("Switch the survey on first."))
    if not today <= starts_on <= today + timedelta(days=MOST_WAVES_AHEAD_DAYS):
        raise ValidationError({"starts_on": _("Choose today or a day of the next year.")})
    name = name.replace("\0", "").strip()
    if not name:
        raise ValidationError({"name": _("Give the wave a name, such as the quarter.")})
    wave = Wave.objects.create(
        tenant=tenant, survey=survey, name=name[:120], starts_on=starts_on, created_by=member
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action="survey.wave_planned",
        target=survey.key,
        after={"wave": wave.pk, "name": wave.name, "starts_on": starts_on.isoformat()},
    )
    if starts_on > today:
        return wave, None
    job = enqueue_job(
        tenant=tenant, kind=WAVE_JOB, key=str(wave.pk), params={"wave": wave.pk}, requested_by=member
    )
    return wave, job


def cancel_wave(*, tenant: Tenant, wave_id: int, member: Membership | None = None) -> Wave:
    """Call off a wave that has not begun."""
    if member is not None and not has_role(member, Role.MANAGER):
        raise PermissionDenied
    wave = (
        Wave.objects.select_for_update(of=("self",)).select_related("survey").get(tenant=tenant, pk=wave_id)
    )
    if wave.state != Wave.State.PLANNED:
        raise ValidationError(_("This wave has begun; the mails are on their way."))
    wave.state = Wave.State.CANCELLED
    wave.save(update_fields=["state"])
    record_audit(
        tenant=tenant,
        actor=member,
        action="survey.wave_cancelled",
        target=wave.survey.key,
        after={"wave": wave.pk},
    )
    return wave


def send_survey_test(*, tenant: Tenant, member: Membership, survey: Survey, language: str) -> None:
    """Send the member what a contact would get; its links lead to the preview of the page, so nothing can be answered."""
    send_to_outbox(
        tenant=tenant,
        kind=SURVEY_TEST,
        key=f"{survey.pk}-{uuid.uuid4()}",
        payload={"survey_id": survey.pk, "membership_id": member.pk, "language": language},
    )


def _check(tenant: Tenant, survey: Survey) -> None:
    """What the fields alone cannot know."""
    wrong: dict[str, str] = {}
    if survey.trigger == Survey.Trigger.GO_LIVE and not survey.days:
        wrong["days"] = _("Say on which days after go-live, such as 45, 90.")
    if not (survey.by_mail or survey.in_app):
        wrong["by_mail"] = _("Choose mail, the product, or both.")
    for name in ("question", "subject", "body"):
        for language in LANGUAGES:
            field = f"{name}_{language}"
            try:
                check_merge_fields(
                    getattr(survey, field).replace("{{ survey.scale }}", ""),
                    also=(*CONTEXT_FIELDS, *PRIVATE_FIELDS),
                )
            except ValidationError as error:
                wrong[field] = " ".join(error.messages)
    for language in LANGUAGES:
        written = [
            bool(getattr(survey, f"{name}_{language}").strip()) for name in ("question", "subject", "body")
        ]
        if any(written) and not all(written):
            missing = ("question", "subject", "body")[written.index(False)]
            wrong.setdefault(
                f"{missing}_{language}",
                _("Question, subject and mail belong together: write all three, or none in this language."),
            )
    if not (survey.question_en.strip() or survey.question_es.strip()) and not wrong:
        wrong["question_en"] = _("Write it in one language at least.")
    keys = {survey.play_for(category) for category in CATEGORIES} - {""}
    known = set(Playbook.objects.filter(tenant=tenant, key__in=keys).values_list("key", flat=True))
    for category in CATEGORIES:
        key = survey.play_for(category)
        if key and key not in known:
            wrong[f"{category}_play"] = _("There is no play “%(key)s”.") % {"key": key}
    if wrong:
        raise ValidationError(wrong)


def _fresh_key(tenant: Tenant, name: str) -> str:
    base = slugify(name)[:30] or "survey"
    taken = set(Survey.objects.filter(tenant=tenant, key__startswith=base).values_list("key", flat=True))
    return next(
        key for n in range(len(taken) + 1) if (key := base if n == 0 else f"{base}-{n + 1}") not in taken
    )


def _said(survey: Survey) -> dict[str, Any]:
    return {name: getattr(survey, name) for name in (*CHOSEN_ONCE, *FIELDS)}
