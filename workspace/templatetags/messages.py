"""Messages, outbox items and the bell on pages."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.http import HttpRequest

from accounts.models import Outbox
from outreach.formatting import as_text
from outreach.merge import merge
from outreach.models import Message
from outreach.selectors import unread_count
from workspace.message_words import KINDS
from workspace.timeline_kinds import OTHER, Kind

register = template.Library()


@register.filter
def subject(message: Message) -> str:
    """A message's subject with its merge fields filled."""
    return merge(message.subject, message.merged)


@register.filter
def body_text(message: Message) -> str:
    """A message's text with its merge fields filled."""
    return as_text(message.body, message.merged)


@register.filter
def outbox_kind(kind: str) -> Kind:
    """A kind of outbox item in words."""
    return KINDS.get(kind, OTHER)


@register.filter
def line_of(lines: Mapping[int, str], item: Outbox) -> str:
    """What an item of the outbox is about."""
    return lines.get(item.pk, "")


@register.simple_tag(takes_context=True)
def bell_count(context: dict[str, HttpRequest]) -> int:
    """How many notifications the member has not looked at; one small query for each page."""
    request = context["request"]
    member = getattr(request, "member", None)
    return unread_count(member.tenant, member) if member is not None else 0
