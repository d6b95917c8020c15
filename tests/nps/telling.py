"""A case study that is ready to be approved, and the customer's answers to it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image

from accounts.fence.scope import tenant_scope
from accounts.models import Account
from nps.models import Story, StoryApproval
from nps.stories.reading import text_of
from nps.stories.services import ask_approval, create_story, decide_approval, edit_story
from nps.stories.text import StoryText
from qbr.figures.services import record_figure
from qbr.models import Figure
from tests.nps.advocates import Voices

WORDS = {
    "title": "Good doubles its reply rate",
    "standfirst": "How twelve people did it.",
    "challenge": "Nobody knew which hook had worked.",
    "solution": "They tested two variants a week.",
    "results_intro": "Three months later:",
    "quote": "We stopped guessing.",
    "person": "Ana Pérez",
    "role": "Head of sales",
}


def figure_of(voices: Voices, account: Account) -> Figure:
    """A figure over the ROI that was pushed."""
    first, last = voices.ago(30), voices.ago(0)
    from django.utils import timezone

    return record_figure(
        tenant=voices.tenant,
        account=account,
        query="metric_total",
        parameters={"metric": "roi_cents", "first": first.isoformat(), "last": last.isoformat()},
        as_of=timezone.now(),
    )


def told(voices: Voices, account: Account, language: str = "en", **words: str) -> Story:
    """A story with words and one result."""
    from nps.stories.services import add_result

    with tenant_scope(voices.tenant):
        story = create_story(
            tenant=voices.tenant, account_id=account.pk, language=language, member=voices.csm
        )
        edit_story(tenant=voices.tenant, story_id=story.pk, fields=WORDS | words, member=voices.csm)
        add_result(
            tenant=voices.tenant,
            story_id=story.pk,
            offer="metric_total:roi_cents",
            first=voices.ago(30),
            last=voices.ago(0),
            label="ROI per month",
            member=voices.csm,
        )
        return Story.objects.select_related("account").get(pk=story.pk)


def fresh(voices: Voices, story: Story) -> Story:
    """The story as it is stored."""
    with tenant_scope(voices.tenant):
        return Story.objects.select_related("account").get(pk=story.pk)


def text_now(voices: Voices, story: Story) -> StoryText:
    """Its text."""
    with tenant_scope(voices.tenant):
        return text_of(Story.objects.get(pk=story.pk))


def asked_for(voices: Voices, story: Story, party: str, **more: Any) -> tuple[StoryApproval, str]:
    """Ask; returns the approval and the token of its link."""
    contact = voices.person(story.account)
    with tenant_scope(voices.tenant):
        approval, address = ask_approval(
            tenant=voices.tenant,
            story_id=story.pk,
            party=party,
            contact_id=contact.pk,
            member=voices.csm,
            **more,
        )
    return approval, address.rstrip("/").rsplit("/", 1)[1]


def approved_by(voices: Voices, story: Story, *parties: str) -> list[StoryApproval]:
    """Asked and approved, in order."""
    out = []
    for party in parties:
        approval, _token = asked_for(voices, story, party)
        with tenant_scope(voices.tenant):
            out.append(
                decide_approval(
                    tenant=voices.tenant,
                    approval_id=approval.pk,
                    approve=True,
                    seen=approval.hash,
                    signer="Lola Legal",
                )
            )
    return out


def picture(colour: str = "red", size: tuple[int, int] = (60, 40), kind: str = "PNG") -> bytes:
    """A picture of one colour."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()
