"""Which text of a template somebody gets."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from outreach.models import Template


def text_in(template: Template, language: str) -> tuple[str, str, str]:
    """Subject, text and language of a template; the other language where this one was not written."""
    for one in (language, "es" if language == "en" else "en"):
        subject, body = getattr(template, f"subject_{one}"), getattr(template, f"body_{one}")
        if subject.strip() and body.strip():
            return subject, body, one
    raise ValidationError(_("The template “%(name)s” has no text.") % {"name": template.name})
