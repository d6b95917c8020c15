"""Small parts of the renewal pages as tags."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from expansion.models import Renewal, RenewalChange
from expansion.renewals import judging
from workspace import formatting
from workspace.templatetags.shell import icon

register = template.Library()

CATEGORIES = {
    "commit": ("healthy", "circle-check"),
    "best_case": ("at_risk", "trending-up"),
    "at_risk": ("critical", "alert-triangle"),
    "lost": ("critical", "circle-x"),
}
STATES = {
    "open": ("unknown", "clock"),
    "renewed": ("healthy", "circle-check"),
    "lost": ("critical", "circle-x"),
    "void": ("unknown", "ban"),
}
RISKS = {
    judging.CATEGORY: _("the category says so"),
    judging.CRITICAL: _("health is critical"),
    judging.SEVERE: _("a severe alert is open"),
    judging.NOTICE: _("an end is announced"),
}


@register.simple_tag
def renewal_category(key: str) -> SafeString:
    """A category as icon and word on its colour."""
    tone, name = CATEGORIES[key]
    return format_html(
        '<span class="band band-{}">{}{}</span>', tone, icon(name), Renewal.Category(key).label
    )


@register.simple_tag
def renewal_state(key: str) -> SafeString:
    """A state as icon and word on its colour."""
    tone, name = STATES[key]
    return format_html('<span class="band band-{}">{}{}</span>', tone, icon(name), Renewal.State(key).label)


@register.simple_tag
def risk_words(risks: list[str]) -> str:
    """Why a renewal is at risk."""
    return ", ".join(str(RISKS[risk]) for risk in risks if risk in RISKS)


@register.filter
def month_key(day: date) -> str:
    """A month as the address says it."""
    return f"{day.year:04d}-{day.month:02d}"


@register.filter
def month_words(day: date) -> str:
    """A month as people say it."""
    return formats.date_format(day, "F Y")


@register.simple_tag
def change_words(change: RenewalChange, currency: str) -> str:
    """What happened, in a few words: from what to what."""
    data = change.data
    if change.kind == RenewalChange.Kind.CLOSED:
        state = Renewal.State(data["state"]).label
        final = formatting.money(data["final"], currency) if data.get("final") else ""
        return " · ".join(str(part) for part in (state, final) if part)
    if change.kind == RenewalChange.Kind.RISK:
        return risk_words(data.get("risks", []))
    if change.kind == RenewalChange.Kind.CALL and data.get("category"):
        return str(Renewal.Category(data["category"]).label)
    if change.kind == RenewalChange.Kind.REASON:
        return str(Renewal.Reason(data["reason"]).label)
    if "from" in data and "to" in data:
        return f"{_said(change.kind, data['from'], currency)} → {_said(change.kind, data['to'], currency)}"
    return ""


def _said(kind: str, value: Any, currency: str) -> str:
    if kind == RenewalChange.Kind.CATEGORY:
        return str(Renewal.Category(value).label)
    if kind == RenewalChange.Kind.DATE:
        return formatting.short_date(date.fromisoformat(value))
    return formatting.money(value, currency)
