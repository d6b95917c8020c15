"""What a report is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.functional import Promise

from reports.formulas import Aim, Kind

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def loose_title(key: str) -> str:
    """What a part is called that the tenant's data name: a month in words, everything else as it is."""
    found = MONTH.fullmatch(key)
    return key if found is None else date_format(date(int(found[1]), int(found[2]), 1), "YEAR_MONTH_FORMAT")


@dataclass(frozen=True)
class Part:
    """One figure of a report."""

    key: str
    title: str | Promise
    kind: Kind
    unit: str | Promise = ""  # points, days or hours; shares and money say theirs
    n_of_parts: bool = False  # n is the denominator: people, not rows
    lists: str = "numerator"  # which rows are behind its bar: those that count in it, or all that were asked
    is_money: bool = False  # an amount, or a share of amounts by currency
    decimals: int = 1


@dataclass(frozen=True)
class Report:
    """A report: `windows` are the days it looks back on (none: as it stands on a day)."""

    key: str
    title: str | Promise
    definition: str | Promise
    parts: tuple[Part, ...]
    windows: tuple[int, ...] = ()
    monthly: bool = False  # of complete calendar months; made once a month is over
    aim: Aim = Aim.NONE
    low: Decimal | None = None
    high: Decimal | None = None
    better: int = 1  # 1: more is better, -1: less is, 0: neither
    subject: str | Promise = ""  # of the sentence that says what was found; else the title
    stacked: tuple[str, ...] = ()  # parts that make one whole together
    loose: bool = False  # has parts that the tenant's data name: features, months
    now_only: bool = False  # what it reads has no history, so past days cannot be made
    by_member: bool = False  # its rows are of members, not of accounts

    @property
    def headline(self) -> Part:
        """The part that the report is known for."""
        return self.parts[0]

    def part(self, key: str) -> Part:
        """A part by its key; one that the tenant's data name looks like the headline."""
        for one in self.parts:
            if one.key == key:
                return one
        if self.loose:
            first = self.headline
            return Part(
                key, loose_title(key), first.kind, first.unit, first.n_of_parts, first.lists, first.is_money
            )
        raise KeyError(key)

    def has_part(self, key: str) -> bool:
        """Whether it may be asked for."""
        return self.loose or any(one.key == key for one in self.parts)

    def window(self, days: int) -> int:
        """Under which window its rows are kept when a period of so many days is asked for."""
        return days if days in self.windows else 0

    @property
    def has_target(self) -> bool:
        """Whether a tenant may set a number."""
        return self.aim not in (Aim.NONE, Aim.RISING)
