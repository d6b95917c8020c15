"""Reads of case studies: the list, one of them with its history, what is public."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import QuerySet

from accounts.models import AuditEntry, Tenant
from nps.stories.models import Story, StoryApproval, StoryFile, StoryResult

LIST_MAX = 200


def stories(tenant: Tenant, states: Collection[str] = (), account_id: int | None = None) -> QuerySet[Story]:
    """Stories with account and owner, the newest first."""
    found = Story.objects.filter(tenant=tenant)
    if states:
        found = found.filter(state__in=list(states))
    if account_id is not None:
        found = found.filter(account_id=account_id)
    return found.select_related("account__owner__user").order_by("-id")


def story(tenant: Tenant, pk: int) -> Story | None:
    """One story with everybody its page names."""
    return (
        Story.objects.filter(tenant=tenant, pk=pk)
        .select_related(
            "account__owner__user", "communications", "published_by__user", "withdrawn_by__user",
            "created_by__user",
        )
        .first()
    )  # fmt: skip


def results_of(tenant: Tenant, story_id: int) -> list[StoryResult]:
    """The results with their figures, in order."""
    found = StoryResult.objects.filter(tenant=tenant, story_id=story_id).select_related("figure")
    return list(found.order_by("position", "pk"))


def approvals_of(tenant: Tenant, story_id: int) -> list[StoryApproval]:
    """Everybody who was asked, the newest first."""
    found = StoryApproval.objects.filter(tenant=tenant, story_id=story_id)
    return list(found.select_related("asked_by__user", "link").order_by("-id")[:LIST_MAX])


def newest_by_party(approvals: Sequence[StoryApproval]) -> dict[str, StoryApproval]:
    """The newest of each party, of approvals in the order of `approvals_of`."""
    out: dict[str, StoryApproval] = {}
    for one in approvals:
        out.setdefault(one.party, one)
    return out


def changes_of(tenant: Tenant, story_id: int) -> list[AuditEntry]:
    """What was done with the story, the newest first."""
    found = AuditEntry.objects.filter(tenant=tenant, target=f"story:{story_id}")
    return list(found.select_related("actor__user").order_by("-at", "-id")[:LIST_MAX])


def published(tenant: Tenant) -> list[Story]:
    """What everybody may read, the newest first."""
    found = Story.objects.filter(tenant=tenant, state=Story.State.PUBLISHED)
    return list(found.order_by("-published_at", "-id")[:LIST_MAX])


def at_address(tenant: Tenant, slug: str) -> Story | None:
    """The story that has, or had, this public address."""
    shown = (Story.State.PUBLISHED, Story.State.WITHDRAWN)
    found = Story.objects.filter(tenant=tenant, slug=slug)
    return found.filter(state__in=shown).first()


def file_of(tenant: Tenant, story_id: int) -> StoryFile | None:
    """The PDF that was published."""
    return StoryFile.objects.filter(tenant=tenant, story_id=story_id).first()
