"""What a member has done today: read from what they wrote on timelines, and what of it can be opened again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from accounts.models import Membership, TimelineEntry
from alerts import timeline as alerts
from playbooks import timeline as playbooks
from playbooks.agenda import timeline as agenda
from workspace.selectors.agenda.reading import midnight

MOST = 500
# What can be opened again, by the words that open it: which of the entry's data names the thing.
TASKS = {playbooks.TASK_DONE, playbooks.TASK_CANCELLED}
ALERTS = {alerts.ALERT_CLOSED, alerts.ALERT_SNOOZED}
ASIDES = {agenda.SEEN_TO, agenda.PUT_OFF, agenda.NOT_MINE}
OPENED_AGAIN = {playbooks.TASK_REOPENED, alerts.ALERT_REOPENED, agenda.BACK}
# What the system writes under somebody's name while it does what they asked for.
BY_THE_WAY = {playbooks.RUN_DONE, playbooks.TASK_CREATED}


@dataclass(frozen=True)
class DoneLine:
    """Something that was done; `reopen` says how it can be opened again: `task-12`, `alert-5`, or nothing."""

    entry: TimelineEntry
    reopen: str

    @property
    def at(self) -> datetime:
        """When."""
        return self.entry.at


@dataclass(frozen=True)
class DoneToday:
    """A member's day so far."""

    lines: list[DoneLine]
    accounts: int


def done_today(member: Membership, today: date) -> DoneToday:
    """What the member did since midnight, the newest first; one query. What was taken back is left out."""
    found = (
        TimelineEntry.objects.filter(
            tenant=member.tenant, actor=member, at__gte=midnight(member.tenant, today)
        )
        .select_related("account")
        .order_by("-at", "-pk")
    )
    lines = list(_standing(found[:MOST]))
    return DoneToday(lines, len({line.entry.account_id for line in lines}))


def _standing(entries: Iterable[TimelineEntry]) -> Iterable[DoneLine]:
    """Of each thing the newest deed, unless that opened it again."""
    seen: set[tuple[str, object, object]] = set()
    for entry in entries:
        thing = _thing(entry)
        if thing is not None:
            if thing in seen:
                continue
            seen.add(thing)
        if entry.kind not in OPENED_AGAIN | BY_THE_WAY:
            yield DoneLine(entry, _reopen(entry))


def _thing(entry: TimelineEntry) -> tuple[str, object, object] | None:
    """What the entry is about, where something can be done to it more than once."""
    what = entry.kind.split("_")[0]
    if what in ("task", "alert"):
        return (what, entry.data.get(what), entry.account_id)
    if what == "agenda":
        return (what, entry.data.get("what"), entry.data.get("subject"))
    return None


def _reopen(entry: TimelineEntry) -> str:
    if entry.kind in TASKS and "task" in entry.data:
        return f"task-{entry.data['task']}"
    if entry.kind in ALERTS and "alert" in entry.data:
        return f"alert-{entry.data['alert']}"
    if entry.kind in ASIDES and {"what", "subject"} <= entry.data.keys():
        return f"{entry.data['what']}-{entry.data['subject']}"
    return ""
