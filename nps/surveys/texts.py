"""The texts of a survey as somebody reads them: merge fields, the row of numbers, the ends of the scale."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.links import public_url
from accounts.models import Tenant
from outreach.merge import merge

from .models import LANGUAGES, Survey
from .scales import CSAT, scale_of

# What a survey's texts may name beside outreach's own fields; the last ones are known only when the mail leaves.
CONTEXT_FIELDS = ("survey.question", "survey.name", "survey.ticket")
PRIVATE_FIELDS = ("survey.link",)
SCALE = "{{ survey.scale }}"
LINK = "{{ survey.link }}"


def scale_row(kind: str) -> str:
    """The numbers as buttons, each with the page's address and its own number."""
    return "[" + " ".join(f"[{one}]({LINK}?score={one})" for one in scale_of(kind)) + "]"


def body_of(survey: Survey, language: str) -> str:
    """The text of the mail with the row of numbers in its place; at its end, where the text does not say where."""
    text = survey.text("body", language)
    row = scale_row(survey.kind)
    return text.replace(SCALE, row) if SCALE in text else f"{text}\n\n{row}"


def question_of(survey: Survey, tenant: Tenant, language: str) -> str:
    """The question as it is asked."""
    return merge(survey.text("question", language), {"tenant.name": tenant.name})


def ends_of(kind: str, language: str) -> tuple[str, str]:
    """What the lowest and the highest number mean."""
    with translation.override(language):
        if kind == CSAT:
            return _("Very unsatisfied"), _("Very satisfied")
        return _("Not at all likely"), _("Extremely likely")


def context_of(survey: Survey, tenant: Tenant, language: str, *, ticket: str = "") -> dict[str, Any]:
    """The fields of a survey's mail."""
    return {
        "survey": {
            "question": question_of(survey, tenant, language),
            "name": survey.name,
            "ticket": ticket,
        }
    }


def page_url(token: str) -> str:
    """The absolute address of the page under a token."""
    return public_url("survey", token=token)


def language_for(said: str | None, tenant: Tenant) -> str:
    """The language of whoever is asked, where what is known of contact or account says one that we have."""
    short = (said or "")[:2].lower()
    if short in LANGUAGES:
        return short
    return tenant.language if tenant.language in LANGUAGES else LANGUAGES[0]
