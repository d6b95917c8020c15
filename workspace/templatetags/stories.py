"""Small parts of the pages about case studies."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils import timezone

register = template.Library()


@register.filter
def date_of(at: datetime | None) -> date | None:
    """The day of a moment on the reader's clock."""
    return None if at is None else timezone.localtime(at).date()
