"""The kinds of notifications that members may choose where to see; apps above add theirs in `ready()`."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OTHER = "other"
WEBHOOK_OFF = "webhook_off"


@dataclass(frozen=True)
class NoticeKind:
    """A kind of notification in the words of the preferences page."""

    name: str
    label: str | Promise
    mail: bool = False  # whether it also goes out by mail, unless the member chose otherwise


_kinds: dict[str, NoticeKind] = {
    WEBHOOK_OFF: NoticeKind(WEBHOOK_OFF, _("A webhook was switched off"), mail=True),
    OTHER: NoticeKind(OTHER, _("Everything else")),
}


def register_notice_kind(name: str, label: str | Promise, *, mail: bool = False) -> None:
    """Make a kind known; called from an app's `ready()`."""
    _kinds[name] = NoticeKind(name, label, mail)


def notice_kinds() -> list[NoticeKind]:
    """Every kind, the rest last."""
    return sorted(_kinds.values(), key=lambda kind: (kind.name == OTHER, kind.name))


def choice_key(kind: str) -> str:
    """Under which kind a member's choice about this one is kept."""
    return kind if kind in _kinds else OTHER
