"""Editing the draft of a play: its steps, their order, and for whom, how often and until when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from playbooks.criteria import InvalidCondition
from playbooks.engine import END
from playbooks.models import Playbook, PlaybookVersion, Step
from playbooks.terms import read_entry, read_exits
from playbooks.words import invalid_words

from .faults import problems_of_step
from .plays import STEP_FIELDS, TERMS, draft_from_published

MAX_STEPS = 60
EDITABLE = tuple(name for name in STEP_FIELDS if name != "position")


def create_play(
    *, tenant: Tenant, name: str, description: str = "", member: Membership | None = None
) -> PlaybookVersion:
    """Make a play with an empty draft."""
    name = name.strip()[:200]
    if not name:
        raise ValidationError({"name": _("A play needs a name.")})
    taken = set(Playbook.objects.filter(tenant=tenant).values_list("key", flat=True))
    base = slugify(name).replace("-", "_")[:50] or "play"
    key = next(k for n in range(len(taken) + 1) if (k := f"{base}_{n + 1}" if n else base) not in taken)
    book = Playbook.objects.create(tenant=tenant, key=key, name=name, description=description.strip()[:2000])
    record_audit(
        tenant=tenant, actor=member, action="playbook.created", target=f"playbook:{key}", after={"name": name}
    )
    return draft_from_published(tenant=tenant, playbook_id=book.pk, member=member)


def rename_play(
    *, tenant: Tenant, playbook_id: int, name: str, description: str, member: Membership | None = None
) -> Playbook:
    """Change what a play is called and what it is for; rules know it by its key."""
    book = Playbook.objects.select_for_update().get(tenant=tenant, pk=playbook_id)
    if not name.strip():
        raise ValidationError({"name": _("A play needs a name.")})
    before = {"name": book.name, "description": book.description}
    book.name, book.description = name.strip()[:200], description.strip()[:2000]
    book.save(update_fields=["name", "description"])
    record_audit(
        tenant=tenant,
        actor=member,
        action="playbook.renamed",
        target=f"playbook:{book.key}",
        before=before,
        after={"name": book.name, "description": book.description},
    )
    return book


def save_step(
    *,
    tenant: Tenant,
    version_id: int,
    step_id: int | None = None,
    after: int | None = None,
    fields: Mapping[str, Any],
    member: Membership | None = None,
) -> Step:
    """Change a step of a draft, or add one behind the position `after` (the last one unless said)."""
    version = locked_draft(tenant, version_id)
    unknown = set(fields) - set(EDITABLE)
    if unknown:
        raise ValidationError(_("Unknown field."), code="unknown")
    if step_id is not None:
        step = version.steps.get(pk=step_id)
        before = {name: getattr(step, name) for name in EDITABLE}
    else:
        step, before = Step(tenant=tenant, version=version, position=_room(version, after)), {}
    for name, value in fields.items():
        setattr(step, name, value)
    step.title = step.title.strip()[:200]
    if not step.title:
        raise ValidationError({"title": _("A step needs a title.")})
    problems = problems_of_step(step)
    if problems:
        raise ValidationError(problems)
    step.save()
    after_state = {name: getattr(step, name) for name in EDITABLE}
    _audit(tenant, version, member, "playbook.step", step.position, before or None, after_state)
    return step


def label_of(*, tenant: Tenant, version_id: int, step_id: int, member: Membership | None = None) -> str:
    """The label by which other steps lead to this one; it is given one when it has none."""
    version = locked_draft(tenant, version_id)
    step = version.steps.get(pk=step_id)
    if not step.label:
        taken = set(version.steps.values_list("label", flat=True))
        base = slugify(step.title)[:30] or "step"
        names = (f"{base}-{n}" if n else base for n in range(len(taken) + 2))
        step.label = next(name for name in names if name not in taken and name != END)
        step.save(update_fields=["label"])
        _audit(tenant, version, member, "playbook.step", step.position, {"label": ""}, {"label": step.label})
    return step.label


def _room(version: PlaybookVersion, after: int | None) -> int:
    """A position behind another one; those further on make room."""
    count = version.steps.count()
    if count >= MAX_STEPS:
        raise ValidationError(_("A play has at most %(most)s steps.") % {"most": MAX_STEPS}, code="many")
    position = min(max(after if after is not None else count, 0), count) + 1
    version.steps.filter(position__gte=position).update(position=F("position") + 1)
    return position


def move_step(*, tenant: Tenant, step_id: int, by: int, member: Membership | None = None) -> Step:
    """Move a step of a draft up (-1) or down (1); at the ends it stays."""
    step = Step.objects.get(tenant=tenant, pk=step_id)
    version = locked_draft(tenant, step.version_id)
    steps = list(version.steps.order_by("position"))
    place = next(n for n, each in enumerate(steps) if each.pk == step_id)
    target = place + (1 if by > 0 else -1)
    if 0 <= target < len(steps):
        steps[place], steps[target] = steps[target], steps[place]
        _number(steps)
        _audit(
            tenant,
            version,
            member,
            "playbook.step_moved",
            target + 1,
            {"position": place + 1},
            {"title": step.title},
        )
    return next(each for each in steps if each.pk == step_id)


def remove_step(*, tenant: Tenant, step_id: int, member: Membership | None = None) -> PlaybookVersion:
    """Take a step out of a draft; the others close up."""
    step = Step.objects.get(tenant=tenant, pk=step_id)
    version = locked_draft(tenant, step.version_id)
    position, before = step.position, {name: getattr(step, name) for name in EDITABLE}
    step.delete()
    _number(list(version.steps.order_by("position")))
    _audit(tenant, version, member, "playbook.step_removed", position, before, None)
    return version


def _number(steps: list[Step]) -> None:
    for position, step in enumerate(steps, start=1):
        step.position = position
    Step.objects.bulk_update(steps, ["position"])


def save_terms(
    *, tenant: Tenant, version_id: int, terms: Mapping[str, Any], member: Membership | None = None
) -> PlaybookVersion:
    """Say for whom, how often and until when a draft runs."""
    version = locked_draft(tenant, version_id)
    before = {name: getattr(version, name) for name in TERMS}
    for name in TERMS:
        if name in terms:
            setattr(version, name, terms[name])
    try:
        read_entry(version.entry)
        read_exits(version.exits)
    except InvalidCondition as error:
        raise ValidationError(invalid_words(error), code=error.code) from error
    version.full_clean(exclude=["playbook", "published_by", "entry", "exits"], validate_constraints=False)
    version.save(update_fields=list(TERMS))
    after = {name: getattr(version, name) for name in TERMS}
    _audit(tenant, version, member, "playbook.terms", None, before, after)
    return version


def locked_draft(tenant: Tenant, version_id: int) -> PlaybookVersion:
    """The draft, locked by its play; a published or retired version is what runs follow and never changes."""
    version = PlaybookVersion.objects.select_related("playbook").get(tenant=tenant, pk=version_id)
    Playbook.objects.select_for_update().get(tenant=tenant, pk=version.playbook_id)
    version.refresh_from_db(fields=["state"])
    if version.state != PlaybookVersion.State.DRAFT:
        raise ValidationError(
            _("Only a draft can be edited. Make one from the published version."), code="not_a_draft"
        )
    return version


def _audit(
    tenant: Tenant,
    version: PlaybookVersion,
    member: Membership | None,
    action: str,
    position: int | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    where = f"playbook:{version.playbook.key}:{version.number}"
    record_audit(
        tenant=tenant,
        actor=member,
        action=action,
        target=where if position is None else f"{where}:{position}",
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
    )
