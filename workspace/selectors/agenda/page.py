"""A member's list: now, and what the next working day brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from accounts.models import Membership
from alerts.selectors import metric_names
from playbooks.calendars import calendars_of
from workspace.agenda import NO_ACCOUNT, Item, Part, coming, items, on_day
from workspace.selectors.agenda import reading, words

SHOWN = 30  # items; the others move up as the list empties


@dataclass(frozen=True)
class Day:
    """What waits for a member."""

    now: list[Item]
    next: list[Item]
    next_day: date
    today: date

    @property
    def shown(self) -> list[Item]:
        """The items on the page."""
        return self.now[:SHOWN]

    @property
    def more(self) -> int:
        """How many wait behind them."""
        return max(0, len(self.now) - SHOWN)

    @property
    def next_shown(self) -> list[Item]:
        """The items of the next working day that are on the page."""
        return self.next[:SHOWN]

    @property
    def next_more(self) -> int:
        """How many come behind them."""
        return max(0, len(self.next) - SHOWN)

    @property
    def is_tomorrow(self) -> bool:
        """Whether the next working day is tomorrow."""
        return (self.next_day - self.today).days == 1

    def item(self, account_id: int) -> Item | None:
        """What waits at one account."""
        wanted = f"account-{account_id}"
        return next((item for item in self.now if item.key == wanted), None)

    def parts(self) -> dict[str, Part]:
        """Everything on the list by its name in forms."""
        return {part.key: part for item in self.now for part in item.parts}


def day_of(member: Membership, today: date) -> Day:
    """The member's list and the next working day's; the queries do not depend on how much there is."""
    next_day = calendars_of(member.tenant, [member.pk], today).of(member.pk).add(today, 1)
    parts = list(find_parts(member, today, next_day))
    standings = reading.standings(member.tenant, {part.account_id for part in parts} - {NO_ACCOUNT}, today)
    return Day(
        now=items(on_day(parts, today), standings, today),
        next=items(coming(parts, today, next_day), standings, today),
        next_day=next_day,
        today=today,
    )


def find_parts(member: Membership, today: date, until: date) -> Iterator[Part]:
    """Everything that is on the member's list by a day; thirteen queries."""
    tenant = member.tenant
    plays, names = reading.plays(tenant), metric_names(tenant)
    asides = reading.set_asides(member, today)
    tasks = reading.due_tasks(member, until)
    runs = {task.run_id for task in tasks if task.run_id is not None}
    found: list[Part | None] = [words.task_part(task, today) for task in tasks]
    found += [words.alert_part(alert, names, plays) for alert in reading.waiting_alerts(member, until, runs)]
    found += [words.drop_part(drop, plays, asides, today) for drop in reading.drops(member, today)]
    found += [words.renewal_part(one, plays, asides, today) for one in reading.renewals(member, until)]
    found += [words.review_part(pack, asides, today) for pack in reading.reviews(member, today, until)]
    found += [words.answer_part(one, asides, plays, today) for one in reading.unhappy_answers(member)]
    yield from (part for part in found if part is not None)
