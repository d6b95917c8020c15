"""What is on a member's list on a day: parts grouped by account, the account's next step first, ranked as alerts are. Pure.

A part is a task, an alert, a fall of the score, a renewal, a review or an unhappy answer; nothing of it is stored for the
list. What belongs to one account is one item. Its lead, the next best action, is the part that weighs most; a task of a play
weighs at least as much as the alert that started the play, because doing it is what answers the alert. An item ranks by

    MRR × risk × nearness of the renewal        (`alerts.ranking`), the risk with the weight of its heaviest part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from alerts.ranking import SEVERITY_WEIGHT, Factors, factors


class Kind(StrEnum):
    """What a part is; of parts that weigh the same, the earlier kind comes first."""

    TASK = "task"
    DETRACTOR = "detractor"
    ALERT = "alert"
    DROP = "drop"
    RENEWAL = "renewal"
    QBR = "qbr"


ORDER = {kind: place for place, kind in enumerate(Kind)}
HEAVY, MEDIUM, LIGHT = SEVERITY_WEIGHT["high"], SEVERITY_WEIGHT["medium"], SEVERITY_WEIGHT["low"]

DROP_DAYS = 7  # as trends elsewhere
DROP_POINTS = 10.0  # the shipped rule alerts at 15; this is the list of who is responsible for the account
RENEWAL_MARKS = (90, 60, 30, 14, 7, 1, 0)  # days before a renewal on which it is on the list again
REVIEW_MARKS = (14, 7, 3, 1, 0)
AGAIN_DAYS = 7  # what has no date of its own is back after a week
NO_ACCOUNT = 0


@dataclass(frozen=True)
class Part:
    """One thing to do at an account, in words."""

    kind: Kind
    pk: int  # of the task, alert, answer, renewal, pack; of a drop the account's
    account_id: int  # NO_ACCOUNT for an alert about the company's plumbing
    title: str
    why: str
    weight: float
    shown_from: date  # the first day on which it is on the list
    due: date | None = None
    is_late: bool = False
    back_on: date | None = None  # when it is on the list again although it was seen to; for what is derived
    value: float | None = None  # of a drop: the score
    run_id: int | None = None
    play_key: str = ""  # a play that would help
    play_name: str = ""

    @property
    def key(self) -> str:
        """How a form names it."""
        return f"{self.kind}-{self.pk}"


@dataclass(frozen=True)
class Said:
    """An override that stands."""

    band: int
    score: float | None
    until: date


@dataclass(frozen=True)
class Standing:
    """How an account stands: what the rank is made of, and what people say beside the score."""

    pk: int
    name: str
    mrr_cents: int
    currency: str
    renewal_on: date | None
    owner_id: int | None
    score: float | None
    band: int | None
    coverage: float | None = None
    override: Said | None = None


@dataclass(frozen=True)
class Item:
    """What waits at one account; the first part is the next best action."""

    account: Standing | None
    parts: tuple[Part, ...]
    rank: Factors
    days_to_renewal: int | None

    @property
    def key(self) -> str:
        """What the row is called."""
        return f"account-{self.account.pk if self.account else NO_ACCOUNT}"

    @property
    def lead(self) -> Part:
        """The next best action."""
        return self.parts[0]

    @property
    def others(self) -> tuple[Part, ...]:
        """What else waits there."""
        return self.parts[1:]

    @property
    def is_late(self) -> bool:
        """Whether anything of it should have been done before today."""
        return any(part.is_late for part in self.parts)


def next_mark(due: date, today: date, marks: Collection[int]) -> date:
    """The next day on which something due then is to be looked at again; a week on where the last one has passed."""
    ahead = [day for mark in marks if (day := due - timedelta(days=mark)) > today]
    return min(ahead, default=today + timedelta(days=AGAIN_DAYS))


def fell_further(value: float | None, score: float | None) -> bool:
    """Whether a score that somebody has seen to has fallen by as much again."""
    return value is not None and score is not None and value - score >= DROP_POINTS


def on_day(parts: Iterable[Part], day: date) -> list[Part]:
    """What is on the list by a day."""
    return [part for part in parts if part.shown_from <= day]


def coming(parts: Iterable[Part], today: date, until: date) -> list[Part]:
    """What is not on the list today and will be by a later day."""
    return [part for part in parts if today < part.shown_from <= until]


def items(parts: Iterable[Part], standings: Mapping[int, Standing], today: date) -> list[Item]:
    """One item per account, the most deserving first."""
    by_account: dict[int, list[Part]] = {}
    for part in parts:
        by_account.setdefault(part.account_id, []).append(part)
    found = [
        _item(standings.get(account_id), own, today)
        for account_id, own in by_account.items()
        if account_id == NO_ACCOUNT or account_id in standings
    ]
    return sorted(found, key=lambda item: (-item.rank.priority, item.key))


def _item(account: Standing | None, parts: list[Part], today: date) -> Item:
    ordered = sorted(_lifted(parts), key=_order)
    left = (account.renewal_on - today).days if account and account.renewal_on else None
    rank = factors(
        mrr_cents=account.mrr_cents if account else 0,
        weight=ordered[0].weight,
        score=account.score if account else None,
        days_to_renewal=left,
    )
    return Item(account, tuple(ordered), rank, left)


def _lifted(parts: list[Part]) -> list[Part]:
    """The parts, where tasks of a play weigh as much as the alert that it answers."""
    alerts = {
        part.run_id: part.weight for part in parts if part.kind == Kind.ALERT and part.run_id is not None
    }
    return [
        replace(part, weight=max(part.weight, alerts[part.run_id]))
        if part.kind == Kind.TASK and part.run_id in alerts
        else part
        for part in parts
    ]


def _order(part: Part) -> tuple[float, int, date, int]:
    return -part.weight, ORDER[part.kind], part.due or date.max, part.pk
