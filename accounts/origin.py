"""Where a change comes from: the door, the address, the request or the job. Set at each door, read by the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from uuid import uuid4

import structlog
from django.db.models import TextChoices
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Door(TextChoices):
    """How somebody came in."""

    PAGE = "page", _("Page")
    ADMIN = "admin", pgettext_lazy("door", "Tables")
    SIGN_ON = "signon", _("Single sign-on")
    API = "api", _("API key")
    LINK = "link", pgettext_lazy("door", "Public page")
    OPERATOR = "operator", _("Platform operator")
    SYSTEM = "system", pgettext_lazy("door", "System")


@dataclass
class Origin:
    """One request, or one piece of background work."""

    door: str = Door.SYSTEM
    address: str | None = None
    browser: str = ""
    request_id: str = ""
    cause: str = ""  # of what nobody did by hand
    label: str = ""  # who, where no member stands behind it
    entries: int = 0  # that services wrote


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current_origin() -> Origin:
    """Where the running code was called from; a command or a shell is the system."""
    return _current.get() or Origin()


@contextmanager
def coming_from(origin: Origin) -> Iterator[Origin]:
    """Let everything inside be written down as coming from there."""
    token = _current.set(origin)
    try:
        yield origin
    finally:
        _current.reset(token)


def origin_of(request: HttpRequest, door: str, *, label: str = "") -> Origin:
    """The origin of a request; its id is the one that the logs have."""
    return Origin(
        door=door,
        address=address_of(request),
        browser=request.headers.get("User-Agent", "").replace("\x00", "")[:200],
        request_id=str(structlog.contextvars.get_contextvars().get("request_id") or uuid4())[:64],
        label=label,
    )


def address_of(request: HttpRequest) -> str | None:
    """The sender's address, as the proxies of ours tell it; None where a socket has none."""
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
