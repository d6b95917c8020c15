"""What every change of a story goes through: the lock, the hash, approvals that become void, the journal."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit, record_timeline
from nps.references.rights import demand_account
from nps.stories.models import Story, StoryApproval
from nps.stories.reading import hash_of

State = Story.State
STANDING = (StoryApproval.State.WAITING, StoryApproval.State.APPROVED)


def locked_story(tenant: Tenant, story_id: int, member: Membership | None) -> Story:
    """The story, held until the transaction ends; raises unless the member may work on its account."""
    story = (
        Story.objects.select_for_update(of=("self",))
        .select_related("account__owner", "communications")
        .get(tenant=tenant, pk=story_id)
    )
    demand_account(member, story.account)
    return story


def demand_editable(story: Story) -> None:
    """What is published is not changed under its readers' eyes."""
    if story.state == State.PUBLISHED:
        raise ValidationError(
            _("A published case study is not changed. Withdraw it first."), code="published"
        )
    if story.state == State.WITHDRAWN:
        raise ValidationError(_("This case study was withdrawn. Open it again first."), code="withdrawn")


def keep_text(tenant: Tenant, story: Story, member: Membership | None, what: str) -> bool:
    """Hash the text anew after an edit; any difference voids both approvals. Returns whether there was one."""
    before, story.hash = story.hash, hash_of(story)
    if before == story.hash:
        story.save()
        return False
    story.revision += 1
    voided = void_approvals(tenant, story, StoryApproval.Void.EDITED)
    was, story.state = story.state, State.DRAFT
    story.save()
    record_audit(
        tenant=tenant,
        actor=member,
        action="story.edited",
        target=f"story:{story.pk}",
        before={"hash": before, "state": was},
        after={"hash": story.hash, "what": what, "voided": voided},
    )
    return True


def void_approvals(tenant: Tenant, story: Story, why: str, party: str = "") -> int:
    """End what was asked or approved; returns how many."""
    found = StoryApproval.objects.filter(tenant=tenant, story=story, state__in=STANDING)
    if party:
        found = found.filter(party=party)
    return found.update(state=StoryApproval.State.VOID, void_at=timezone.now(), void_why=why)


def journal(
    tenant: Tenant, story: Story, kind: str, member: Membership | None, data: dict[str, Any], title: str = ""
) -> None:
    """A line on the account's timeline and one in the audit log."""
    record_timeline(
        tenant=tenant,
        account_id=story.account_id,
        kind=kind,
        at=timezone.now(),
        title=title or story.title,
        actor=member,
        data={"story": story.pk} | data,
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target=f"story:{story.pk}",
        after={"state": story.state, "hash": story.hash} | data,
    )
