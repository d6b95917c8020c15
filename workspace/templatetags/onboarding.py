"""The state of a milestone or plan as an icon and a word on its colour."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from playbooks.onboarding.words import STATE_NAMES
from workspace.templatetags.shell import icon

register = template.Library()
LOOKS = {
    "upcoming": ("unknown", "clock"),
    "on_track": ("healthy", "circle-check"),
    "behind": ("at_risk", "alert-triangle"),
    "stuck": ("critical", "alert-hexagon"),
    "done": ("healthy", "check"),
}


@register.simple_tag
def track(state: str) -> SafeString:
    """On track, behind, stuck, reached or later."""
    look, name = LOOKS[state]
    return format_html('<span class="band band-{}">{}{}</span>', look, icon(name), STATE_NAMES[state])


@register.filter
def of(mapping: dict[Any, Any], key: Any) -> Any:
    """The value of a key; nothing where there is none."""
    return mapping.get(key)


@register.filter
def period_end(start: date, cadence: str) -> date:
    """The last day of a month or quarter."""
    from playbooks.checklists.items import period_end as end

    return end(cadence, start)
