"""What templates say about figures and packs."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from outreach.formatting import as_html
from qbr import numbers
from qbr.models import Figure, Pack
from workspace.figure_words import figure_title, figure_value, language, verdict_text

register = template.Library()

TONES = {
    Pack.State.DRAFT: "flag",
    Pack.State.READY: "flag",
    Pack.State.SENT: "",
    Pack.State.HELD: "good",
    Pack.State.SKIPPED: "",
}
ICONS = {"holds": "circle-check", "changed": "alert-triangle", "source_gone": "circle-x"}


@register.filter
def figure_icon(figure: Figure) -> str:
    """The icon of the last verdict."""
    return ICONS.get(figure.verdict, "file-check")


@register.filter
def figure_words(figure: Figure) -> str:
    """What a mark is called for who cannot see it: the figure and its verdict."""
    verdict = verdict_text(figure)
    return f"{figure_title(figure)}: {verdict}" if verdict else figure_title(figure)


@register.filter
def figure_shown(figure: Figure) -> str:
    """The figure's value."""
    return figure_value(figure, figure.value)


@register.filter
def pack_tone(pack: Pack) -> str:
    """How a pack's state looks."""
    return TONES[Pack.State(pack.state)]


@register.filter
def in_month(day: Any) -> str:
    """A month with its year."""
    return numbers.month_text(day, language())


@register.filter
def in_quarter(day: Any) -> str:
    """A quarter with its year."""
    return numbers.quarter_text(day, language())


@register.filter
def in_period(pack: Pack) -> str:
    """The days that a pack looks back on."""
    return numbers.period_text(pack.period_first, pack.period_last, language())


@register.filter
def said(text: str) -> SafeString:
    """A pack's Markdown as HTML; everything in it is escaped."""
    if not text.strip():
        return SafeString()
    return mark_safe(as_html(text.replace("{{", "{ {"), {}))  # no merge field: a pack has none
