"""Plays and their versions: shipped ones installed, drafts made, checked and published."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from playbooks.models import Playbook, PlaybookVersion, Step
from playbooks.shipped import PRIORITIES, ShippedPlay, shipped_plays

from .faults import problems_of_version

# What a draft takes over from the version that it starts from.
TERMS = ("entry", "exits", "group", "reentry_days", "holdout_pct", "measure_days")
STEP_FIELDS = (
    "position",
    "kind",
    "title",
    "body",
    "due_in_days",
    "priority",
    "owner_rule",
    "owner_role",
    "owner_member_id",
    "label",
    "next_label",
    "config",
)


def install_shipped_plays(*, tenant: Tenant) -> list[Playbook]:
    """Add the shipped plays that the tenant does not have, published, in its language; the others stay as they are."""
    have = set(Playbook.objects.filter(tenant=tenant).values_list("key", flat=True))
    missing = [play for play in shipped_plays() if play.key not in have]
    if not missing:
        return []
    language, now = tenant.language, timezone.now()
    books = Playbook.objects.bulk_create(
        Playbook(
            tenant=tenant,
            key=play.key,
            name=play.name.in_language(language),
            description=play.description.in_language(language).strip(),
            components=play.components,
            origin=Playbook.Origin.SHIPPED,
            position=play.position,
        )
        for play in missing
    )
    versions = PlaybookVersion.objects.bulk_create(
        PlaybookVersion(
            tenant=tenant,
            playbook=book,
            number=1,
            state=PlaybookVersion.State.PUBLISHED,
            published_at=now,
            entry=play.entry,
            exits=play.exits,
            group=play.group,
            reentry_days=play.reentry_days,
            measure_days=play.measure_days,
        )
        for book, play in zip(books, missing, strict=True)
    )
    Step.objects.bulk_create(
        step
        for version, play in zip(versions, missing, strict=True)
        for step in _shipped_steps(version, play, language)
    )
    return books


def _shipped_steps(version: PlaybookVersion, play: ShippedPlay, language: str) -> list[Step]:
    return [
        Step(
            tenant_id=version.tenant_id,
            version=version,
            position=position,
            kind=step.kind,
            title=step.title.in_language(language),
            body=step.body.in_language(language).strip(),
            due_in_days=step.due_in_days,
            priority=PRIORITIES[step.priority],
            owner_rule="role" if step.owner_role else step.owner,
            owner_role=step.owner_role,
            label=step.label,
            next_label=step.goes_on_with,
            config=step.config_in(language),
        )
        for position, step in enumerate(play.steps, start=1)
    ]


def draft_from_published(
    *, tenant: Tenant, playbook_id: int, member: Membership | None = None
) -> PlaybookVersion:
    """The play's draft, made as a copy of its published version when there is none yet."""
    book = Playbook.objects.select_for_update().get(tenant=tenant, pk=playbook_id)
    draft = book.versions.filter(state=PlaybookVersion.State.DRAFT).first()
    if draft is not None:
        return draft
    newest = book.versions.aggregate(newest=Max("number"))["newest"] or 0
    published = book.versions.filter(state=PlaybookVersion.State.PUBLISHED).first()
    terms = {name: getattr(published, name) for name in TERMS} if published is not None else {}
    draft = PlaybookVersion.objects.create(tenant=tenant, playbook=book, number=newest + 1, **terms)
    if published is not None:
        Step.objects.bulk_create(
            Step(tenant=tenant, version=draft, **{name: getattr(step, name) for name in STEP_FIELDS})
            for step in published.steps.all()
        )
    record_audit(
        tenant=tenant,
        actor=member,
        action="playbook.draft",
        target=f"playbook:{book.key}",
        after={"version": draft.number},
    )
    return draft


def discard_draft(*, tenant: Tenant, version_id: int, member: Membership | None = None) -> None:
    """Throw a draft away; published and retired versions stay for the runs that use them."""
    version = PlaybookVersion.objects.select_related("playbook").get(tenant=tenant, pk=version_id)
    if version.state != PlaybookVersion.State.DRAFT:
        raise ValidationError(_("Only a draft can be discarded."), code="not_a_draft")
    target, number = f"playbook:{version.playbook.key}", version.number
    version.delete()
    record_audit(
        tenant=tenant, actor=member, action="playbook.discard", target=target, before={"version": number}
    )


def publish_version(
    *, tenant: Tenant, version_id: int, note: str = "", member: Membership | None = None
) -> PlaybookVersion:
    """Make a draft the version that new runs start with; running ones keep theirs."""
    version = PlaybookVersion.objects.select_related("playbook").get(tenant=tenant, pk=version_id)
    book = Playbook.objects.select_for_update().get(tenant=tenant, pk=version.playbook_id)
    version.refresh_from_db()
    if version.state != PlaybookVersion.State.DRAFT:
        raise ValidationError(
            _("Version %(number)s is already published.") % {"number": version.number}, code="not_a_draft"
        )
    problems = problems_of_version(tenant, version, list(version.steps.order_by("position")))
    if problems:
        raise ValidationError(problems)
    before = book.versions.filter(state=PlaybookVersion.State.PUBLISHED).first()
    if before is not None:
        before.state = PlaybookVersion.State.RETIRED
        before.save(update_fields=["state"])
    version.state, version.published_at, version.published_by = (
        PlaybookVersion.State.PUBLISHED,
        timezone.now(),
        member,
    )
    version.note = note.strip()[:300] or version.note
    version.save(update_fields=["state", "published_at", "published_by", "note"])
    record_audit(
        tenant=tenant,
        actor=member,
        action="playbook.publish",
        target=f"playbook:{book.key}",
        before={"version": before.number} if before else None,
        after={"version": version.number, "note": version.note},
    )
    return version
