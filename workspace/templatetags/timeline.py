"""Entries of a timeline and what hangs on them, as people see them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import Note, TimelineEntry
from workspace.formatting import DAYS_IN_WORDS, relative_day, short_date
from workspace.mentions import as_html
from workspace.role_words import ROLE_WORDS
from workspace.selectors.account_people import Touch, plain_role
from workspace.timeline_kinds import Kind, kind_of

register = template.Library()
NOTE_ICONS = {"note": "note", "call": "phone", "meeting": "users", "mail": "mail"}
FILE_ICONS = {"application/pdf": "file-text", "text/csv": "table"}
ISO_DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")
ANSWER = Kind(_("Survey answer"), "message-circle")


@register.filter
def shown_kind(entry: TimelineEntry) -> Kind:
    """Word and icon of an entry; a note says what it was."""
    kind = entry.data.get("type") if entry.kind == "note" else None
    return note_kind(kind) if kind in Note.Kind.values else kind_of(entry.kind)


@register.filter
def shown_title(entry: TimelineEntry) -> str:
    """What an entry is called."""
    return days_in_words(entry.title)


@register.filter
def days_in_words(text: str) -> str:
    """A text that was stored with days in no language, with the days in the reader's."""
    return ISO_DAY.sub(_as_people_write, text)


def _as_people_write(found: re.Match[str]) -> str:
    try:
        return short_date(date.fromisoformat(found[0]))
    except ValueError:  # a plan may be called like a day that there is not
        return found[0]


@register.simple_tag(takes_context=True)
def near(context: Mapping[str, Any], day: date) -> str:
    """How far a day is from the tenant's today, in words; nothing where that would be the day itself again."""
    today = context["tenant"].today()
    return relative_day(day, today) if abs((day - today).days) <= DAYS_IN_WORDS else ""


@register.filter
def note_kind(key: Any) -> Kind:
    """Word and icon of a kind of note."""
    return Kind(Note.Kind(key).label, NOTE_ICONS[key])


@register.filter
def touch_kind(touch: Touch) -> Kind:
    """How somebody was last spoken with."""
    return ANSWER if touch.kind == "answer" else note_kind(touch.kind)


@register.simple_tag(takes_context=True)
def words(context: Mapping[str, Any], text: str) -> SafeString:
    """A text whose links can be followed and in which the page's members stand out; nothing in it is markup."""
    members: dict[int, str] = getattr(context.get("page"), "members", {})
    return as_html(str(text), list(members.values()))


@register.simple_tag(takes_context=True)
def taking_part(context: Mapping[str, Any], entry: TimelineEntry) -> str:
    """Who of the account took part, as far as they are still there."""
    names: dict[int, str] = getattr(context.get("page"), "names", {})
    return ", ".join(names[pk] for pk in entry.data.get("contacts", ()) if pk in names)


@register.filter
def moment(text: str) -> datetime | None:
    """A time that was kept as text."""
    return parse_datetime(str(text))


@register.filter
def local_day(at: datetime) -> date:
    """The day of a moment on the reader's clock."""
    return timezone.localtime(at).date()


@register.filter
def role_word(role: str) -> str:
    """A role in the reader's language; a company's own roles as they are."""
    return str(ROLE_WORDS.get(plain_role(role), role))


@register.filter
def file_icon(media_type: str) -> str:
    """The icon of a kind of file."""
    return "eye" if media_type.startswith("image/") else FILE_ICONS.get(media_type, "file")


@register.filter
def file_size(size: int) -> str:
    """A size in words."""
    return str(filesizeformat(size))
