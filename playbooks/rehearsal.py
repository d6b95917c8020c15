"""Trying a version at one account: every step with its day, its reason and its words, and nothing is written or sent.

What cannot be known is assumed and said: facts stay as they are today, and tasks are done on the day they are due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from accounts.models import Account, Contact, Membership, Tenant

from . import engine
from .calendars import calendars_of
from .criteria import TASKS, Seen
from .engine import Place, Reached
from .facts import facts_of, wanted_by
from .models import PlaybookVersion, Step
from .services.deeds import recipient, who_does
from .services.starts import Gate, Refusal
from .stepconfig import EmailConfig, InAppConfig, SetFieldConfig, beat_of, config_of
from .terms import ExitLook, Streaks, is_held_out, look_at_exits, read_exits

MOST_HALTS = 200


@dataclass(frozen=True)
class Tried:
    """A step as it would be reached."""

    step: Step
    reached: Reached
    seen: tuple[Seen, ...] = ()
    due_on: date | None = None
    assignee: Membership | None = None
    pool: str = ""
    contact: Contact | None = None
    nobody: bool = False
    config: Any = None
    before: str = ""


@dataclass(frozen=True)
class Rehearsal:
    """A version walked through at one account."""

    steps: list[Tried]
    refusal: Refusal | None
    held_out: bool
    exits: ExitLook
    ends_on: date


def rehearse(tenant: Tenant, version: PlaybookVersion, account: Account, start: date) -> Rehearsal:
    """Walk one account through a version, from a day on."""
    steps = {
        step.pk: step for step in version.steps.select_related("owner_member__user").order_by("position")
    }
    beats = [beat_of(step) for step in steps.values()]
    exits = read_exits(version.exits)
    asked = [c for beat in beats for c in beat.conditions] + [c for e in exits for c in e.conditions]
    facts = facts_of(tenant, [account.pk], start, wanted_by(asked))[account.pk]
    people = list(Contact.objects.filter(tenant=tenant, account=account, merged_into=None).order_by("id"))
    members = {
        member.pk: member
        for member in Membership.objects.filter(
            tenant=tenant,
            is_active=True,
            pk__in=[pk for pk in (account.owner_id, *(s.owner_member_id for s in steps.values())) if pk],
        ).select_related("user")
    }
    calendars = calendars_of(tenant, list(members), start)
    place, day, tried, due = (
        Place(beats[0].position if beats else None, start),
        start,
        list[Tried](),
        list[date](),
    )
    waiting: dict[int, Tried] = {}
    for _halt in range(MOST_HALTS):
        now = replace(facts, tasks={"open": float(sum(each > day for each in due))})
        walk = engine.advance(beats, place, now, day=day, calendar=calendars.company)
        for reached in walk.reached:
            step = steps[reached.step_id]
            each = _tried(step, reached, account, people, members)
            if each.due_on is not None:
                each = replace(
                    each,
                    due_on=calendars.of(each.assignee.pk if each.assignee else None).add(
                        reached.on, step.due_in_days
                    ),
                )
                due.append(each.due_on or day)
            if reached.left_on is None:
                waiting[step.pk] = each
            else:
                waiting.pop(step.pk, None)
                tried.append(each)
        place = walk.place
        if place.position is None or place.deadline is None:
            break
        day = _next_day(beats, place, due, day)
    return Rehearsal(
        steps=[*tried, *waiting.values()],
        refusal=Gate(tenant, [version], [account.pk], start).refusal(version, account),
        held_out=is_held_out(
            tenant_id=tenant.pk,
            playbook_key=version.playbook.key,
            account_key=account.external_id,
            holdout_pct=version.holdout_pct,
        ),
        exits=look_at_exits(exits, Streaks(), facts, start),
        ends_on=max([place.since, *due]),
    )


def _next_day(beats: list[engine.Beat], place: Place, due: list[date], day: date) -> date:
    """The next day on which something can change: the end of the wait, or when the tasks it waits for are due."""
    deadline = place.deadline or day
    standing = next(beat for beat in beats if beat.position == place.position)
    if any(condition.subject == TASKS for condition in standing.conditions):
        later = sorted(each for each in due if day < each < deadline)
        if later:
            return later[-1]
    return deadline


def _tried(
    step: Step,
    reached: Reached,
    account: Account,
    people: list[Contact],
    members: dict[int, Membership],
) -> Tried:
    config = config_of(step.kind, step.config)
    seen = reached.verdict.seen if reached.verdict else ()
    found = Tried(step, reached, seen, config=config)
    if reached.note == "too_often":
        return found
    if step.kind == engine.TASK:
        assignee_id, pool = who_does(step, account.owner_id, set(members))
        return replace(found, due_on=reached.on, assignee=members.get(assignee_id or 0), pool=pool)
    if isinstance(config, EmailConfig):
        contact = recipient(people, config.to_role, with_email=True)
        return replace(found, contact=contact, nobody=contact is None)
    if isinstance(config, InAppConfig) and config.to_role:
        contact = recipient(people, config.to_role, with_email=False)
        return replace(found, contact=contact, nobody=contact is None)
    if isinstance(config, SetFieldConfig):
        return replace(found, before=_before(account, config))
    return found


def _before(account: Account, config: SetFieldConfig) -> str:
    if config.field in ("add_tag", "remove_tag"):
        return ", ".join(account.tags)
    if config.field == "custom":
        return str(account.custom.get(config.key, ""))
    return str(getattr(account, config.field))
