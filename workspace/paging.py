"""Pages by position instead of by number: row 100,000 costs what row 1 costs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext, ngettext

from accounts.sealing import Unsealable, seal, unseal
from accounts.visibility import money_hidden
from workspace.formatting import number

PAGE_SIZE = 50
COUNT_CAP = 1000  # beyond it a list says "1,000+": nobody reads the difference, and counting it is dear
CURSOR_PARAMETER = "after"
SEALED = "~"  # no sign of base64
LONGEST_CURSOR = 2400  # a name of 200 letters that are escaped


@dataclass(frozen=True)
class Cursor:
    """Where the last page ended: the sort value of its last row (None in the part without values) and its id."""

    value: str | int | float | None
    pk: int

    def encode(self) -> str:
        """As a parameter of an address; sealed for who sees no money: many lists are sorted by an amount."""
        said = json.dumps([self.value, self.pk])
        if money_hidden():
            return SEALED + seal(said)
        return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor | None:
    """The cursor of an address; None for the first page and for what nobody has made here."""
    if not text or len(text) > LONGEST_CURSOR:
        return None
    try:
        if money_hidden() and not text.startswith(SEALED):
            return None  # a cursor that somebody makes up would ask for who is above an amount
        if text.startswith(SEALED):
            value, pk = json.loads(unseal(text.removeprefix(SEALED)))
        else:
            value, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error, Unsealable):
        return None
    if (
        not isinstance(pk, int)
        or isinstance(value, (bool, list, dict))
        or (isinstance(value, str) and "\0" in value)
    ):
        return None
    return Cursor(value, pk) if abs(pk) < 2**63 else None


@dataclass(frozen=True)
class Page:
    """The foot of a list: how many rows there are, and where the others are."""

    summary: str
    first_url: str = ""
    next_url: str = ""


def address(path: str, parameters: Mapping[str, str], **changes: str) -> str:
    """An address with some parameters changed and the empty ones left out; a link is a view."""
    merged = {**parameters, **changes}
    query = urlencode({key: value for key, value in merged.items() if value != ""})
    return f"{path}?{query}" if query else path


def capped(count: int, cap: int = COUNT_CAP) -> str:
    """A count as it is shown."""
    return f"{number(cap)}+" if count > cap else number(count)


def page_of(
    *, path: str, parameters: Mapping[str, str], shown: int, total: int, next_cursor: Cursor | None
) -> Page:
    """The foot of one page of a list."""
    at_start = CURSOR_PARAMETER not in parameters
    words = ngettext("%(count)s row", "%(count)s rows", total) % {"count": capped(total)}
    if shown < total:
        words = gettext("%(shown)s of %(rows)s") % {"shown": number(shown), "rows": words}
    return Page(
        summary=words,
        first_url="" if at_start else address(path, parameters, **{CURSOR_PARAMETER: ""}),
        next_url=address(path, parameters, **{CURSOR_PARAMETER: next_cursor.encode()}) if next_cursor else "",
    )
