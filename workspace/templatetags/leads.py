"""Small parts of the lead pages as tags."""

from __future__ import annotations

from datetime import date

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, pgettext_lazy

from workspace.formatting import number
from workspace.templatetags.shell import icon

register = template.Library()

# A PQL band is no verdict on the account: none is grey, not red.
BANDS = {
    3: ("healthy", pgettext_lazy("PQL band", "High"), "trending-up"),
    2: ("at_risk", pgettext_lazy("PQL band", "Medium"), "minus"),
    1: ("unknown", pgettext_lazy("PQL band", "None"), "circle"),
    0: ("unknown", gettext_lazy("Unknown"), "circle-dashed"),
}
STATES = {
    "new": ("unknown", "inbox"),
    "accepted": ("at_risk", "player-play"),
    "converted": ("healthy", "circle-check"),
    "rejected": ("unknown", "circle-x"),
    "expired": ("unknown", "hourglass"),
}


@register.simple_tag
def lead_band(code: int | None) -> SafeString:
    """The PQL band as icon and word on its colour."""
    tone, word, name = BANDS[code or 0]
    return format_html('<span class="band band-{}">{}{}</span>', tone, icon(name), word)


@register.simple_tag
def lead_score(score: float | None, code: int | None) -> SafeString:
    """A PQL score with its band."""
    if score is None:
        return lead_band(0)
    return format_html(
        '<span class="score"><span class="score-figure">{}</span>{}</span>', number(score, 0), lead_band(code)
    )


@register.simple_tag
def lead_state(key: str, word: str) -> SafeString:
    """The state of a lead as icon and word."""
    tone, name = STATES[key]
    return format_html('<span class="band band-{}">{}{}</span>', tone, icon(name), word)


@register.filter
def as_date(text: str) -> date:
    """A stored day, which is text."""
    return date.fromisoformat(text)
