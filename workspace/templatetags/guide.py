"""What every page says about itself: its help, and the section it belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from django import forms, template
from django.forms import BoundField
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from workspace import formatting
from workspace.formatting import number
from workspace.glossary import BY_KEY, Term
from workspace.help_texts import PageHelp, help_of
from workspace.navigation import ENTRIES, same_words

register = template.Library()


@register.filter
def shown_value(field: BoundField) -> str:
    """What a form would have in a field, in words, for those who may only read it."""
    value = field.value()
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(field.field, forms.ChoiceField):
        words = dict(cast(Iterable[tuple[Any, Any]], field.field.choices))
        return str(words.get(value, value))
    if isinstance(value, int | float):
        return number(value)
    return formatting.NO_VALUE if value in (None, "") else str(value)


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
    return _help(_view_name(context))


def _help(view_name: str) -> ShownHelp | None:
    found = help_of(view_name)
    return ShownHelp(found, [BY_KEY[key] for key in found.terms]) if found else None


@register.simple_tag(takes_context=True)
def help_dialog(context: dict[str, Any]) -> SafeString:
    """What a page says about itself, behind its question mark."""
    return _help_dialog(_view_name(context), *same_words())


@lru_cache(maxsize=1024)
def _help_dialog(view_name: str, _prefix: str, _language: str, _word: str) -> SafeString:
    found = _help(view_name)
    return (
        mark_safe("") if found is None else render_to_string("workspace/_help_dialog.html", {"help": found})
    )


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
