"""What is done from the day's list: each deed goes to the service of what it is done to, and can be taken back at once.

A deed may touch tasks, alerts and what is derived at the same time. Each keeps its own way back; `Outcome.undo` names them
all, so one button takes everything back: `t` an `Undo` of playbooks, `a` a `Deed` of alerts, `n` an answer, `r` a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Tenant
from alerts.models import Alert
from alerts.services import close_alerts, reopen_alert, snooze_alerts, undo_deed
from nps.surveys.services import close_answer, reopen_answer
from playbooks.agenda.services import Thing, put_aside, put_back
from playbooks.models import Run, SetAside
from playbooks.services import (
    cancel_tasks,
    complete_tasks,
    put_off_tasks,
    reopen_task,
    start_run,
    stop_run,
    undo_change,
)
from workspace.agenda import Kind, Part
from workspace.services.notes import add_note

REFERENCE = re.compile(r"([tanr])(\d{1,18})\Z")
MOST_REFERENCES = 20


@dataclass(frozen=True)
class Outcome:
    """How many parts were dealt with, how many could not be, and how to take it back."""

    done: int
    left: int
    undo: tuple[str, ...]


def finish(
    *,
    tenant: Tenant,
    whose: Membership,
    actor: Membership,
    parts: Sequence[Part],
    verdict: str = Alert.Verdict.USEFUL,
    note: str = "",
) -> Outcome:
    """Done: tasks are ticked, alerts closed with a verdict, loops with detractors closed where a note says how.

    What is derived is seen to: it is off the list until it matters again.
    """
    note = note.strip()
    gone = Collected(whose)
    if tasks := _ids(parts, Kind.TASK):
        ticked = complete_tasks(tenant=tenant, task_ids=tasks, member=actor)
        gone.add(ticked.changed, ticked.skipped, "t", ticked.undo.pk if ticked.undo else None)
    if alerts := _ids(parts, Kind.ALERT):
        closed = close_alerts(tenant=tenant, member=actor, alert_ids=alerts, verdict=verdict, note=note)
        gone.add(closed.done, closed.left_out, "a", closed.deed.pk if closed.deed else None)
    derived = _derived(parts)
    if note:
        for part in [part for part in derived if part.kind == Kind.DETRACTOR]:
            close_answer(tenant=tenant, answer_id=part.pk, note=note, member=actor)
            gone.add(1, 0, "n", part.pk)
            derived.remove(part)
    gone.aside(tenant, derived, SetAside.Deed.DONE, actor)
    return gone.outcome()


def put_off(
    *,
    tenant: Tenant,
    whose: Membership,
    actor: Membership,
    parts: Sequence[Part],
    until: date,
    reason: str,
) -> Outcome:
    """Not before a day, for a reason: tasks get the date, alerts are snoozed, the rest is off the list until then."""
    gone = Collected(whose)
    if tasks := _ids(parts, Kind.TASK):
        moved = put_off_tasks(tenant=tenant, task_ids=tasks, until=until, reason=reason, member=actor)
        gone.add(moved.changed, moved.skipped, "t", moved.undo.pk if moved.undo else None)
    if alerts := _ids(parts, Kind.ALERT):
        snoozed = snooze_alerts(tenant=tenant, member=actor, alert_ids=alerts, until=until, reason=reason)
        gone.add(snoozed.done, snoozed.left_out, "a", snoozed.deed.pk if snoozed.deed else None)
    gone.aside(tenant, _derived(parts), SetAside.Deed.SNOOZED, actor, until=until, reason=reason)
    return gone.outcome()


def skip(
    *, tenant: Tenant, whose: Membership, actor: Membership, parts: Sequence[Part], reason: str = ""
) -> Outcome:
    """Not worth it: tasks are dropped, alerts closed as noise, the rest never comes back for this reason."""
    gone = Collected(whose)
    if tasks := _ids(parts, Kind.TASK):
        dropped = cancel_tasks(tenant=tenant, task_ids=tasks, member=actor)
        gone.add(dropped.changed, dropped.skipped, "t", dropped.undo.pk if dropped.undo else None)
    if alerts := _ids(parts, Kind.ALERT):
        closed = close_alerts(
            tenant=tenant, member=actor, alert_ids=alerts, verdict=Alert.Verdict.NOISE, note=reason
        )
        gone.add(closed.done, closed.left_out, "a", closed.deed.pk if closed.deed else None)
    gone.aside(tenant, _derived(parts), SetAside.Deed.SKIPPED, actor, reason=reason)
    return gone.outcome()


def start_play(*, tenant: Tenant, whose: Membership, actor: Membership, part: Part) -> tuple[Run, Outcome]:
    """Start the play that the part offers; from then on the play's tasks are what is on the list."""
    if not part.play_key:
        raise ValidationError(_("There is no play for this; choose one on the account's page."), code="play")
    ran = Run.objects.filter(
        tenant=tenant, account_id=part.account_id, playbook__key=part.play_key, state=Run.State.RUNNING
    ).exists()
    run = start_run(
        tenant=tenant,
        playbook_key=part.play_key,
        account_id=part.account_id,
        alert_id=part.pk if part.kind == Kind.ALERT else None,
        started_on=tenant.today(),
        member=actor,
    )
    gone = Collected(whose)
    if part.kind == Kind.ALERT:
        Alert.objects.filter(tenant=tenant, pk=part.pk, run=None).update(run=run)
    if not ran:
        gone.add(0, 0, "r", run.pk)
    gone.aside(tenant, _derived([part]), SetAside.Deed.DONE, actor)
    return run, gone.outcome()


def log_note(
    *, tenant: Tenant, whose: Membership, actor: Membership, part: Part, text: str, done: bool
) -> Outcome:
    """Write a note on the account's timeline and, if that was all, tick the part off."""
    if not text.strip():
        raise ValidationError(_("Write something first."), code="note")
    if part.account_id:
        account = Account.objects.get(tenant=tenant, pk=part.account_id)
        add_note(tenant=tenant, actor=actor, account=account, text=text)
    if not done:
        return Outcome(0, 0, ())
    return finish(tenant=tenant, whose=whose, actor=actor, parts=[part], note=text)


def take_back(*, tenant: Tenant, actor: Membership, references: Iterable[str]) -> int:
    """Take back what a deed did, in the opposite order; how much is as it was."""
    found = [match for text in references if (match := REFERENCE.match(text))][:MOST_REFERENCES]
    if not found:
        raise ValidationError(_("There is nothing to take back."), code="nothing")
    count = 0
    for match in reversed(found):
        pk = int(match[2])
        match match[1]:
            case "t":
                count += undo_change(tenant=tenant, undo_id=pk, member=actor)
            case "a":
                count += undo_deed(tenant=tenant, member=actor, deed_id=pk)
            case "n":
                reopen_answer(tenant=tenant, answer_id=pk, member=actor)
                count += 1
            case "r":
                stop_run(
                    tenant=tenant,
                    run_id=pk,
                    outcome=Run.Outcome.NO_EFFECT,
                    reason=_("Started by mistake"),
                    member=actor,
                )
                Alert.objects.filter(tenant=tenant, run_id=pk).update(run=None)
                count += 1
    return count


def open_again(
    *, tenant: Tenant, whose: Membership, actor: Membership, kind: str, pk: int, title: str
) -> None:
    """Open something again that was done today."""
    if kind == Kind.TASK:
        reopen_task(tenant=tenant, task_id=pk, member=actor)
    elif kind == Kind.ALERT:
        reopen_alert(tenant=tenant, alert_id=pk, member=actor)
    else:
        put_back(tenant=tenant, member=whose, kind=kind, subject_id=pk, title=title, actor=actor)


class Collected:
    """What a deed did to one kind of part after the other."""

    def __init__(self, whose: Membership) -> None:
        self._whose = whose
        self._done = self._left = 0
        self._undo: list[str] = []

    def add(self, done: int, left: int, letter: str, pk: int | None) -> None:
        """Note what one service did, and how it is taken back."""
        self._done += done
        self._left += left
        if pk is not None:
            self._undo.append(f"{letter}{pk}")

    def aside(
        self,
        tenant: Tenant,
        parts: Sequence[Part],
        deed: str,
        actor: Membership,
        *,
        until: date | None = None,
        reason: str = "",
    ) -> None:
        """Put derived parts aside."""
        things = [
            Thing(part.kind, part.pk, part.account_id, str(part.title), part.back_on, part.value)
            for part in parts
        ]
        undo = put_aside(
            tenant=tenant, member=self._whose, things=things, deed=deed, until=until, reason=reason, actor=actor
        )  # fmt: skip
        self.add(len(things), 0, "t", undo.pk if undo else None)

    def outcome(self) -> Outcome:
        """The sum."""
        return Outcome(self._done, self._left, tuple(self._undo))


def _ids(parts: Sequence[Part], kind: Kind) -> list[int]:
    return [part.pk for part in parts if part.kind == kind]


def _derived(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if part.kind not in (Kind.TASK, Kind.ALERT)]
