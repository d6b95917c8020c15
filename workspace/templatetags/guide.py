"""What every page says about itself: its help, and the section it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template

from workspace.glossary import BY_KEY, Term
from workspace.help_texts import PageHelp, help_of
from workspace.navigation import ENTRIES

register = template.Library()


@dataclass(frozen=True)
class ShownHelp:
    """A page's help with its words written out."""

    page: PageHelp
    terms: list[Term]


def _view_name(context: dict[str, Any]) -> str:
    match = getattr(context.get("request"), "resolver_match", None)
    return match.view_name if match else ""


@register.simple_tag(takes_context=True)
def page_help(context: dict[str, Any]) -> ShownHelp | None:
    """The help of the page that is drawn."""
    found = help_of(_view_name(context))
    return ShownHelp(found, [BY_KEY[key] for key in found.terms]) if found else None


@register.simple_tag(takes_context=True)
def section_title(context: dict[str, Any]) -> str:
    """The title of the navigation's item above this page; empty on the item's own page."""
    name = _view_name(context)
    section = name.removeprefix("workspace:").split("_")[0].rstrip("s")
    for _title, entries in ENTRIES:
        for entry in entries:
            if entry.section == section:
                return "" if entry.view == name else str(entry.title)
    return ""
