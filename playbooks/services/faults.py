"""What keeps a version of a play from being published, all at once and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Tenant
from outreach.fields import check_merge_fields
from playbooks import engine
from playbooks.criteria import InvalidCondition
from playbooks.models import Playbook, PlaybookVersion, Step
from playbooks.stepconfig import (
    EmailConfig,
    InAppConfig,
    SetFieldConfig,
    StartPlayConfig,
    beat_of,
    config_of,
)
from playbooks.terms import GOOD_OUTCOMES, read_entry, read_exits
from playbooks.words import fault_words, invalid_words


def problems_of_version(
    tenant: Tenant, version: PlaybookVersion, steps: Sequence[Step]
) -> list[ValidationError]:
    """Everything that keeps this version from being published."""
    return [*problems_of_steps(tenant, version, steps), *problems_of_terms(version)]


def problems_of_steps(
    tenant: Tenant, version: PlaybookVersion, steps: Sequence[Step]
) -> list[ValidationError]:
    """What is wrong with the steps: each for itself, then their order."""
    problems = []
    if not any(step.kind in engine.DEEDS for step in steps):
        problems.append(
            ValidationError(_("A play needs at least one step that does something."), code="no_task")
        )
    for step in steps:
        where = {"position": step.position, "title": step.title}
        problems += [
            ValidationError(_("Step %(position)s, “%(title)s”: ") % where + words)
            for words in problems_of_step(step)
        ]
    if problems:
        return problems
    titles = {step.position: step.title for step in steps}
    faults = engine.faults_of([beat_of(step) for step in steps])
    problems = [ValidationError(fault_words(fault, titles[fault.position])) for fault in faults]
    return problems + _circles(tenant, version, steps)


def problems_of_step(step: Step) -> list[str]:
    """What is wrong with one step, in words that go behind its title."""
    try:
        config = config_of(step.kind, step.config)
        beat_of(step)
    except InvalidCondition as error:
        return [invalid_words(error)]
    except msgspec.ValidationError as error:
        return [_("its settings cannot be read (%(error)s).") % {"error": error}]
    found = []
    if step.owner_rule == Step.OwnerRule.ROLE and not step.owner_role:
        found.append(_("choose the role that does it."))
    if step.owner_rule == Step.OwnerRule.PERSON and step.owner_member_id is None:
        found.append(_("choose the person who does it."))
    if isinstance(config, EmailConfig) and not config.template and not (config.subject and config.body):
        found.append(_("write a subject and a text, or choose a template."))
    if isinstance(config, InAppConfig) and not config.text:
        found.append(_("write the message."))
    if isinstance(config, SetFieldConfig):
        found += _problems_of_field(config)
    if isinstance(config, StartPlayConfig) and not config.play:
        found.append(_("choose the play to start."))
    if isinstance(config, EmailConfig):
        found += _problems_of_text(config.subject, config.body)
    if isinstance(config, InAppConfig):
        found += _problems_of_text(config.heading, config.text)
    return found


def _problems_of_field(config: SetFieldConfig) -> list[str]:
    if config.field == "custom" and not config.key.strip():
        return [_("name the custom field.")]
    if config.field in ("add_tag", "remove_tag") and not config.value.strip():
        return [_("name the tag.")]
    if config.field == "touch_model" and config.value not in ("", "tech", "pooled", "named"):
        return [_("the touch model is tech, pooled or named.")]
    return []


def _problems_of_text(*texts: str) -> list[str]:
    try:
        check_merge_fields(*texts)
    except ValidationError as error:
        return list(error.messages)
    return []


def problems_of_terms(version: PlaybookVersion) -> list[ValidationError]:
    """What is wrong with entry, exit and hold-out."""
    problems = []
    exits = None
    try:
        read_entry(version.entry)
        exits = read_exits(version.exits)
    except InvalidCondition as error:
        problems.append(ValidationError(invalid_words(error)))
    if version.holdout_pct and exits is not None and not any(each.outcome in GOOD_OUTCOMES for each in exits):
        problems.append(
            ValidationError(
                _(
                    "A hold-out share needs an exit criterion with a good outcome: without one nothing says whether an "
                    "account got there, with the play or without it."
                ),
                code="holdout",
            )
        )
    return problems


def _circles(tenant: Tenant, version: PlaybookVersion, steps: Sequence[Step]) -> list[ValidationError]:
    """Plays that start each other would never come to rest."""
    mine = {step.config["play"] for step in steps if step.kind == engine.START_PLAY}
    if not mine:
        return []
    known = set(Playbook.objects.filter(tenant=tenant).values_list("key", flat=True))
    missing = sorted(mine - known)
    if missing:
        return [
            ValidationError(_("There is no play “%(key)s” to start.") % {"key": missing[0]}, code="no_play")
        ]
    starts: dict[str, set[str]] = {}
    rows = Step.objects.filter(
        tenant=tenant, kind=engine.START_PLAY, version__state=PlaybookVersion.State.PUBLISHED
    ).values_list("version__playbook__key", "config")
    for key, config in rows:
        starts.setdefault(key, set()).add(config.get("play", ""))
    starts[version.playbook.key] = mine
    if leads_back(version.playbook.key, starts):
        return [
            ValidationError(
                _(
                    "This play would start itself again, over the plays that it starts; leave one of them out."
                ),
                code="circle",
            )
        ]
    return []


def leads_back(key: str, starts: Mapping[str, set[str]]) -> bool:
    """Whether following who starts whom leads back to this play."""
    seen: set[str] = set()
    waiting = list(starts.get(key, ()))
    while waiting:
        each = waiting.pop()
        if each == key:
            return True
        if each not in seen:
            seen.add(each)
            waiting += starts.get(each, ())
    return False
