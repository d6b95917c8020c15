"""Words and numbers of scores in templates."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from accounts.percent import with_percent

register = template.Library()


@register.filter
def band_label(band: int, kind: str = "health") -> str:
    """The word of a band code in the reader's language."""
    if kind == "pql":
        return {0: _("Unknown"), 1: _("None"), 2: _("Medium"), 3: _("High")}[band]
    return {0: _("Unknown"), 1: _("Critical"), 2: _("At risk"), 3: _("Healthy")}[band]


@register.filter
def percent(share: float) -> str:
    """A share of 1 in percent."""
    return with_percent(round(100 * share))
