"""The kinds of events that endpoints may be told; apps above add theirs in `ready()`."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEST = "endpoint.test"


@dataclass(frozen=True)
class EventType:
    """A kind of event: `noun.verb`, and when it is sent."""

    name: str
    description: str | Promise


_types: dict[str, EventType] = {TEST: EventType(TEST, _("Sent by the button “Send a test”."))}


def register_event_type(name: str, description: str | Promise) -> None:
    """Make a kind known; called from an app's `ready()`."""
    _types[name] = EventType(name, description)


def event_types() -> list[EventType]:
    """What an endpoint may choose from, by name; the test event goes to every endpoint that asks for it."""
    return [_types[name] for name in sorted(_types) if name != TEST]


def is_known(name: str) -> bool:
    """Whether somebody registered this kind."""
    return name in _types
