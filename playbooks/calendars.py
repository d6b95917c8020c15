"""Who works on which days: the company's week and holidays, a member's own, days off. Four queries at most."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from functools import lru_cache

from accounts.models import Tenant

from .models import DayOff, MemberCalendar, WorkSettings
from .workdays import Calendar

AHEAD_DAYS = 2 * 365 + 7  # as far as 365 working days can reach, with holidays
BEHIND_DAYS = 400


class Calendars:
    """The calendars of some members; `None` and strangers have the company's."""

    def __init__(self, company: Calendar, members: dict[int, Calendar]) -> None:
        self.company, self._members = company, members

    def of(self, member_id: int | None) -> Calendar:
        """The days on which this member works."""
        return self.company if member_id is None else self._members.get(member_id, self.company)


class Later:
    """The same, read when it is first asked for: most nights, most runs only look whether to go on."""

    def __init__(self, tenant: Tenant, member_ids: Collection[int], around: date) -> None:
        self._asked = (tenant, member_ids, around)
        self._found: Calendars | None = None

    def _read(self) -> Calendars:
        if self._found is None:
            self._found = calendars_of(*self._asked)
        return self._found

    def of(self, member_id: int | None) -> Calendar:
        """The days on which this member works."""
        return self._read().of(member_id)

    def add(self, day: date, count: int) -> date:
        """The `count`-th of the company's working days after a day."""
        return self._read().company.add(day, count)


def calendars_of(tenant: Tenant, member_ids: Collection[int], around: date) -> Calendars:
    """The company's calendar and those of the members, for the years around a day; three queries."""
    settings = WorkSettings.objects.filter(tenant=tenant).first() or WorkSettings()
    first, last = around - timedelta(days=BEHIND_DAYS), around + timedelta(days=AHEAD_DAYS)
    own = {
        calendar.member_id: calendar
        for calendar in MemberCalendar.objects.filter(tenant=tenant, member_id__in=list(member_ids))
    }
    off: dict[int | None, set[date]] = {}
    for line in DayOff.objects.filter(tenant=tenant, last__gte=first, first__lte=last):
        if line.member_id is None or line.member_id in member_ids:
            off.setdefault(line.member_id, set()).update(_days(max(line.first, first), min(line.last, last)))
    everybody = frozenset(off.get(None, ()))
    company = Calendar(
        frozenset(settings.week), everybody | public_holidays(settings.country, settings.region, first, last)
    )
    members = {}
    for member_id in {*own, *(pk for pk in off if pk is not None)}:
        calendar = own.get(member_id)
        country = calendar.country if calendar and calendar.country else settings.country
        region = calendar.region if calendar and calendar.country else settings.region
        members[member_id] = Calendar(
            frozenset(calendar.week if calendar and calendar.week else settings.week),
            everybody | frozenset(off.get(member_id, ())) | public_holidays(country, region, first, last),
        )
    return Calendars(company, members)


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def public_holidays(country: str, region: str, first: date, last: date) -> frozenset[date]:
    """The public holidays of a country, with those of a region of it, between two days."""
    if not country:
        return frozenset()
    found: set[date] = set()
    for year in range(first.year, last.year + 1):
        found |= _holidays_of(country, region, year)
    return frozenset(day for day in found if first <= day <= last)


@lru_cache(maxsize=512)
def _holidays_of(country: str, region: str, year: int) -> frozenset[date]:
    import holidays  # a large library, needed only where a country is set

    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))


@lru_cache(maxsize=1)
def countries() -> dict[str, list[str]]:
    """The countries whose holidays are known, each with its regions."""
    import holidays

    return {country: list(regions) for country, regions in holidays.list_supported_countries().items()}
