"""What an address asks of a report: the period, the day, whose figures. Used by pages, files and the API alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.utils.dateparse import parse_date

from reports.days import USUAL, WINDOWS
from reports.scope import ALL, EVERYBODY, OWNER, PLAN, SEGMENT, TEAM, Slice

FILTERS = (OWNER, TEAM, SEGMENT, PLAN)
NONE = "-"  # nobody's accounts, those without a segment or plan


class Misasked(ValueError):
    """Something in the address that is no period, day or filter."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Asked:
    """A period, a day (None: the newest) and whose figures."""

    days: int = USUAL
    on: date | None = None
    which: Slice = EVERYBODY

    @property
    def parameters(self) -> dict[str, str]:
        """As an address says it; what is usual is left out."""
        found: dict[str, str] = {}
        if self.days != USUAL:
            found["days"] = str(self.days)
        if self.on is not None:
            found["on"] = self.on.isoformat()
        if self.which.dimension != ALL:
            found[self.which.dimension] = self.which.key or NONE
        return found

    def address(self, path: str, **changed: str) -> str:
        """The same question elsewhere, with some of it changed; an empty value takes it away."""
        named = {name: value for name, value in (self.parameters | changed).items() if value}
        return f"{path}?{urlencode(named)}" if named else path


def read_asked(given: Mapping[str, str]) -> Asked:
    """The question of an address; raises `Misasked` in words."""
    text = given.get("days", "") or str(USUAL)
    if text not in {str(days) for days in WINDOWS}:
        raise Misasked("days", f"days is one of {', '.join(map(str, WINDOWS))}.")
    on = None
    if given.get("on"):
        try:
            on = parse_date(given["on"])
        except ValueError:
            on = None
        if on is None:
            raise Misasked("on", "Write the day as YYYY-MM-DD.")
    # The page's form has one field for all of them, "owner:12".
    asked = [(name, given[name]) for name in FILTERS if given.get(name)]
    if given.get("of"):
        name, _colon, value = given["of"].partition(":")
        if name in FILTERS:
            asked.append((name, value or NONE))
        elif name != ALL:
            raise Misasked("of", "There is no such filter.")
    if len(asked) > 1:
        raise Misasked(asked[1][0], "Figures are kept by one of owner, team, segment and plan at a time.")
    which = EVERYBODY
    if asked:
        name, value = asked[0]
        which = Slice(name, ("" if value == NONE else value[:100].replace("\x00", ""),))
    return Asked(int(text), on, which)
