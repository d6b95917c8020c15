"""How the things of a list are said: what to do, and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Role
from alerts.models import Alert, PersonReason, Rule
from alerts.ranking import SEVERITY_WEIGHT
from alerts.selectors import finding_sentence
from expansion.models import Renewal
from nps.surveys.models import Answer, Survey
from playbooks.models import Priority, Run, SetAside
from qbr.models import Pack
from workspace.agenda import (
    AGAIN_DAYS,
    DROP_DAYS,
    HEAVY,
    LIGHT,
    MEDIUM,
    NO_ACCOUNT,
    RENEWAL_MARKS,
    REVIEW_MARKS,
    Kind,
    Part,
    fell_further,
    next_mark,
)
from workspace.formatting import number, short_date

RENEWAL_DAYS, RENEWAL_SOON, RENEWAL_NEAR = 90, 30, 14
REVIEW_DAYS, REVIEW_NEAR = 14, 3
COMMENT_SHOWN = 160
CRITICAL_BAND = 1
SAVE_PLAY, RECOVERY_PLAY = "save_renewal", "nps_recovery"

Asides = Mapping[tuple[str, int], SetAside]


@dataclass(frozen=True)
class Plays:
    """The plays that can be started now: names by key, and which one repairs a component."""

    names: Mapping[str, str]
    by_component: Mapping[str, str]

    def offered(self, part: Part, key: str) -> Part:
        """The part with a play that would help, where it can be started."""
        return replace(part, play_key=key, play_name=self.names[key]) if key in self.names else part


@dataclass(frozen=True)
class Drop:
    """A score that fell within a week under one version, with the component that lost most."""

    account_id: int
    day: date
    before_on: date
    score: float
    before: float
    band: int
    component: str  # its name; empty where nothing stands out
    component_key: str
    points: float | None  # of it now; None where nothing is known of it any more
    points_before: float


class _Once:
    """Words that are made when they are first asked for."""

    __slots__ = ("made", "make")

    def __init__(self, make: Callable[[], str]) -> None:
        self.make, self.made = make, ""

    def __call__(self) -> str:
        if not self.made:
            self.made = self.make()
        return self.made


def _spoken(words: _Once) -> str:
    return words()


_said = lazy(_spoken, str)


def said_when_shown(make: Callable[[], str]) -> str:
    """Words that are made once, where they are shown: a list of hundreds is ranked, and shows some dozens."""
    return _said(_Once(make))


class DueTask(NamedTuple):
    """What a list says of a task."""

    pk: int
    account_id: int
    title: str
    priority: int
    due_on: date
    assignee_id: int | None
    pool: str
    run_id: int | None
    play: str | None


class WaitingAlert(NamedTuple):
    """What a list says of an alert."""

    pk: int
    rule: Rule
    account_id: int | None
    subject: str
    state: str
    severity: str
    opened_on: date
    snoozed_until: date | None
    person_reason: str
    run_id: int | None
    found: str  # the evidence as JSON: read where it is said

    @property
    def evidence(self) -> dict[str, Any]:
        """What the rule found."""
        read: dict[str, Any] = json.loads(self.found)
        return read


def task_part(task: DueTask, today: date) -> Part:
    """A task, due."""
    late = task.due_on < today
    weight = {Priority.HIGH.value: HEAVY, Priority.LOW.value: LIGHT}.get(task.priority, MEDIUM)
    why = [task.play] if task.play else []
    if late:
        days = (today - task.due_on).days
        why.append(ngettext("overdue by %(days)d day", "overdue by %(days)d days", days) % {"days": days})
    if task.assignee_id is None:
        why.append(_("from the pool: %(pool)s") % {"pool": Role(task.pool).label})
    return Part(
        kind=Kind.TASK,
        pk=task.pk,
        account_id=task.account_id,
        title=task.title,
        why=" · ".join(why),
        weight=max(weight, MEDIUM) if late else weight,
        shown_from=task.due_on,
        due=task.due_on,
        is_late=late,
        run_id=task.run_id,
    )


def _why(alert: WaitingAlert, names: Mapping[str, str]) -> str:
    why = finding_sentence(alert.rule.kind, alert.evidence, names)
    if alert.person_reason:
        why += " " + _("For a person, because %(reason)s.") % {
            "reason": PersonReason(alert.person_reason).label
        }
    return why


def alert_part(alert: WaitingAlert, names: Mapping[str, str], plays: Plays) -> Part:
    """An alert that waits for somebody."""
    name = alert.rule.name
    if alert.account_id is None:
        name = f"{alert.subject}: {name}" if alert.subject else name
    play = ""
    if alert.account_id is not None and alert.run_id is None:
        play = alert.rule.play_key
        if '"weakest"' in alert.found:
            play = plays.by_component.get(alert.evidence.get("weakest", ""), play)
    return Part(
        kind=Kind.ALERT,
        pk=alert.pk,
        account_id=alert.account_id or NO_ACCOUNT,
        title=name,
        why=said_when_shown(partial(_why, alert, names)),
        weight=SEVERITY_WEIGHT[alert.severity],
        shown_from=(
            alert.snoozed_until
            if alert.state == Alert.State.SNOOZED and alert.snoozed_until
            else alert.opened_on
        ),
        run_id=alert.run_id,
        play_key=play if play in plays.names else "",
        play_name=plays.names.get(play, ""),
    )


def drop_part(drop: Drop, plays: Plays, asides: Asides, today: date) -> Part | None:
    """A fall of the score; None while it was seen to and has not gone on."""
    aside = asides.get((Kind.DROP, drop.account_id))
    shown = today
    if aside is not None and not fell_further(aside.value, drop.score):
        if aside.until is None:
            return None
        shown = max(shown, aside.until)
    values = {"before": number(drop.before, 0), "score": number(drop.score, 0)}
    why = ""
    if drop.component and drop.points is None:
        why = _("Nothing is known of %(component)s any more.") % {"component": drop.component}
    elif drop.component and drop.points is not None:
        why = _("Mostly %(component)s: from %(from)s to %(to)s points.") % {
            "component": drop.component,
            "from": number(drop.points_before, 1),
            "to": number(drop.points, 1),
        }
    part = Part(
        kind=Kind.DROP,
        pk=drop.account_id,
        account_id=drop.account_id,
        title=_("Health fell from %(before)s to %(score)s in a week") % values,
        why=why,
        weight=HEAVY if drop.band == CRITICAL_BAND else MEDIUM,
        shown_from=shown,
        back_on=today + timedelta(days=DROP_DAYS),
        value=drop.score,
    )
    return plays.offered(part, plays.by_component.get(drop.component_key, ""))


def renewal_part(renewal: Renewal, plays: Plays, asides: Asides, today: date) -> Part | None:
    """A renewal within 90 days, or one that was due and of which nobody has said what came."""
    shown = _shown(asides, Kind.RENEWAL, renewal.pk, renewal.due_on - timedelta(days=RENEWAL_DAYS))
    if shown is None:
        return None
    left = (renewal.due_on - today).days
    if left <= RENEWAL_NEAR or renewal.plan_missing:
        weight = HEAVY
    else:
        weight = MEDIUM if left <= RENEWAL_SOON or renewal.at_risk else LIGHT
    part = Part(
        kind=Kind.RENEWAL,
        pk=renewal.pk,
        account_id=renewal.account_id,
        title=said_when_shown(partial(_renewal_title, renewal, today)),
        why=said_when_shown(partial(_renewal_why, renewal)),
        weight=weight,
        shown_from=shown,
        due=renewal.due_on,
        is_late=left < 0,
        back_on=next_mark(renewal.due_on, today, RENEWAL_MARKS),
    )
    return plays.offered(part, SAVE_PLAY) if renewal.at_risk else part


def _renewal_title(renewal: Renewal, today: date) -> str:
    left = (renewal.due_on - today).days
    if left < 0:
        return _("Say what came of the renewal of %(day)s") % {"day": short_date(renewal.due_on, today)}
    if left == 0:
        return _("Renewal today")
    return ngettext("Renewal in %(days)d day", "Renewal in %(days)d days", left) % {"days": left}


def _renewal_why(renewal: Renewal) -> str:
    why = [_("Expected: %(category)s.") % {"category": str(Renewal.Category(renewal.category).label).lower()}]
    if renewal.at_risk:
        why.append(
            _("At risk and without a plan.")
            if renewal.plan_missing
            else _("At risk; there is a plan for it.")
        )
    return " ".join(why)


def review_part(pack: Pack, asides: Asides, today: date) -> Part | None:
    """A review that is to be prepared, sent, or of which nobody has said that it was held."""
    first = pack.due_on - timedelta(days=REVIEW_DAYS)
    if pack.state == Pack.State.SENT:
        first = pack.due_on + timedelta(days=1)
    shown = _shown(asides, Kind.QBR, pack.pk, first)
    if shown is None:
        return None
    day = {"day": short_date(pack.due_on, today)}
    if pack.state == Pack.State.SENT:
        title, why = _("Was the QBR of %(day)s held?") % day, _("The pack was sent; nobody has said more.")
    elif pack.state == Pack.State.READY:
        title, why = _("Send the QBR of %(day)s") % day, _("The pack is ready.")
    else:
        title, why = (
            _("Prepare the QBR of %(day)s") % day,
            _("The draft has its figures; the summary is yours."),
        )
    left = (pack.due_on - today).days
    return Part(
        kind=Kind.QBR,
        pk=pack.pk,
        account_id=pack.account_id,
        title=title,
        why=why,
        weight=MEDIUM if left <= REVIEW_NEAR else LIGHT,
        shown_from=shown,
        due=pack.due_on,
        is_late=left < 0,
        back_on=next_mark(pack.due_on, today, REVIEW_MARKS),
    )  # fmt: skip


def answer_part(answer: Answer, asides: Asides, plays: Plays, today: date) -> Part | None:
    """Somebody who was unhappy and has heard nothing."""
    shown = _shown(asides, Kind.DETRACTOR, answer.pk, answer.answered_at.date())
    if shown is None:
        return None
    most = 5 if answer.kind == Survey.Kind.CSAT else 10
    title = _("%(who)s answered %(score)d of %(most)d") % {
        "who": str(answer.contact) if answer.contact else _("Somebody"),
        "score": answer.score,
        "most": most,
    }
    comment = " ".join(answer.comment.split())
    if len(comment) > COMMENT_SHOWN:
        comment = comment[: COMMENT_SHOWN - 1].rstrip() + "…"
    running = answer.run is not None and answer.run.state == Run.State.RUNNING
    part = Part(
        kind=Kind.DETRACTOR,
        pk=answer.pk,
        account_id=answer.account_id,
        title=title,
        why=f"“{comment}”" if comment else _("Without a word of why."),
        weight=HEAVY,
        shown_from=min(shown, today) if (Kind.DETRACTOR, answer.pk) not in asides else shown,
        back_on=today + timedelta(days=AGAIN_DAYS),
        run_id=answer.run_id,
    )
    if running:
        return part
    return plays.offered(part, answer.survey.play_for(answer.category) or RECOVERY_PLAY)


def _shown(asides: Asides, kind: Kind, pk: int, first: date) -> date | None:
    """From when on something derived is on the list; None while it is off for good."""
    aside = asides.get((kind, pk))
    if aside is None:
        return first
    return None if aside.until is None else max(first, aside.until)
