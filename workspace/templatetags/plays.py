"""Tags of the pages about plays."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from playbooks.models import Run
from workspace.formatting import NO_VALUE, number

register = template.Library()


@register.simple_tag
def outcome(key: str) -> str:
    """What came of a run, in words."""
    return str(Run.Outcome(key).label) if key else _("not said")


@register.simple_tag
def points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    if value is None:
        return NO_VALUE
    return f"{'+' if value > 0 else ''}{number(value * 100, 1)}"
