"""From what holds on a day to what opens, waits and resolves. Pure: the night and the dry run walk the same steps.

A rule is patient: what holds must hold for its dwell, what has ended is silent for its cool-down, nobody hears of one
account more often than the cap, what held when the rule was switched on may have to clear first, and an open alert resolves
when it has surely not held for enough days. For a day in the past nothing is undone that came later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

Key = tuple[int, str]  # account (0: none), subject


@dataclass(frozen=True)
class Patience:
    """How patient a rule is."""

    dwell_days: int = 0
    cooldown_days: int = 7
    clear_days: int = 1
    reentry_max: int = 0  # 0: no cap
    reentry_days: int = 30


@dataclass
class Standing:
    """An open alert; `id` is 0 in a dry run."""

    opened_on: date
    last_seen_on: date
    snoozed_until: date | None = None
    is_snoozed: bool = False
    clear_since: date | None = None
    id: int = 0


@dataclass
class Memory:
    """What is remembered of one rule."""

    open: dict[Key, Standing] = field(default_factory=dict)
    waiting: dict[Key, date] = field(default_factory=dict)  # holds, but not long enough: since when
    baseline: set[Key] = field(default_factory=set)  # held when the rule was switched on
    ended: dict[Key, date] = field(default_factory=dict)  # the latest end
    snoozed: dict[Key, date] = field(default_factory=dict)  # ended, but asked to be silent until
    openings: dict[int, list[date]] = field(default_factory=dict)  # per account, for the cap


@dataclass
class Moves:
    """What a day changes."""

    opened: list[Key] = field(default_factory=list)
    resolved: list[Key] = field(default_factory=list)
    woken: list[Key] = field(default_factory=list)
    seen: list[Key] = field(default_factory=list)
    clearing: list[Key] = field(default_factory=list)  # first day on which it surely does not hold
    unclearing: list[Key] = field(default_factory=list)
    starts_waiting: list[Key] = field(default_factory=list)
    stops_waiting: list[Key] = field(default_factory=list)
    baseline_over: list[Key] = field(default_factory=list)


def step(
    memory: Memory,
    *,
    fires: Collection[Key],
    cleared: Collection[Key],
    gone: Collection[Key],
    day: date,
    patience: Patience,
    suspended: bool = False,
) -> Moves:
    """What this day changes; nothing is changed here.

    `cleared` are watched keys that surely do not hold; `gone` are watched keys whose account the rule is no longer about.
    """
    moves = Moves()
    _settle(moves, memory, fires, cleared, gone, day, patience)
    if suspended:
        return moves
    moves.baseline_over = sorted(key for key in memory.baseline if key in cleared or key in gone)
    if patience.dwell_days:
        moves.stops_waiting = [
            key for key, since in memory.waiting.items() if key not in fires and since <= day
        ]
    budget: dict[int, int] = {}
    for key in sorted(key for key in fires if key not in memory.open):
        if key in memory.baseline:
            continue
        if patience.dwell_days:
            since = memory.waiting.get(key)
            if since is None:
                moves.starts_waiting.append(key)
                continue
            if since + timedelta(days=patience.dwell_days) > day:
                continue
        if _is_silent(memory, key, day, patience) or not _has_room(memory, key, day, patience, budget):
            continue
        moves.opened.append(key)
    return moves


def _settle(
    moves: Moves,
    memory: Memory,
    fires: Collection[Key],
    cleared: Collection[Key],
    gone: Collection[Key],
    day: date,
    patience: Patience,
) -> None:
    """Sort the open alerts into resolved, clearing, woken and merely still holding."""
    for key, standing in memory.open.items():
        if standing.opened_on > day or standing.last_seen_on > day:
            continue
        if key in gone:
            moves.resolved.append(key)
            continue
        if key in cleared:
            since = standing.clear_since
            if since is None or since > day:
                since = day
                if patience.clear_days > 1:
                    moves.clearing.append(key)
            if (day - since).days + 1 >= patience.clear_days:
                moves.resolved.append(key)
                continue
        elif standing.clear_since is not None and standing.clear_since <= day:
            moves.unclearing.append(key)
        if standing.is_snoozed and standing.snoozed_until is not None and standing.snoozed_until <= day:
            moves.woken.append(key)
        if key in fires and standing.last_seen_on < day:
            moves.seen.append(key)


def _is_silent(memory: Memory, key: Key, day: date, patience: Patience) -> bool:
    """Cooling down after its last alert ended (at least the day on which it ended), or snoozed beyond the day."""
    ended, until = memory.ended.get(key), memory.snoozed.get(key)
    cooldown = timedelta(days=max(patience.cooldown_days, 1))
    return (ended is not None and ended > day - cooldown) or (until is not None and until > day)


def _has_room(memory: Memory, key: Key, day: date, patience: Patience, budget: dict[int, int]) -> bool:
    """Whether the account has heard of this rule less often than the cap; counts the one that opens."""
    if not patience.reentry_max or not key[0]:
        return True
    if key[0] not in budget:
        since = day - timedelta(days=patience.reentry_days)
        budget[key[0]] = sum(since < opened <= day for opened in memory.openings.get(key[0], ()))
    if budget[key[0]] >= patience.reentry_max:
        return False
    budget[key[0]] += 1
    return True


def remember(memory: Memory, moves: Moves, day: date) -> None:
    """Carry a day's changes into the memory: what the night writes, for a walk over many days without writing."""
    for key in moves.resolved:
        del memory.open[key]
        memory.ended[key] = day
    for key in moves.clearing:
        if key in memory.open:
            memory.open[key].clear_since = day
    for key in moves.unclearing:
        memory.open[key].clear_since = None
    for key in moves.woken:
        memory.open[key].is_snoozed = False
    for key in moves.seen:
        memory.open[key].last_seen_on = day
    for key in moves.starts_waiting:
        memory.waiting[key] = day
    for key in moves.stops_waiting:
        del memory.waiting[key]
    memory.baseline.difference_update(moves.baseline_over)
    for key in moves.opened:
        memory.open[key] = Standing(day, day)
        memory.openings.setdefault(key[0], []).append(day)


def watched(memory: Memory) -> Iterable[Key]:
    """The keys of which a probe must say whether they have cleared."""
    return [*memory.open, *memory.baseline]
