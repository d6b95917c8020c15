"""Pictures and results of case studies, and what a new one begins with."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Membership, Role
from nps.models import Story, StoryPicture, StoryResult
from nps.stories.services import (
    add_result,
    create_story,
    edit_story,
    publish_story,
    remove_picture,
    set_picture,
)
from tests.nps.advocates import Voices
from tests.nps.telling import approved_by, fresh, picture, told
from usage.models import Metric


@pytest.fixture
def story(voices: Voices) -> Story:
    account = voices.account("good", name="Good Shoes")
    voices.fits(account)
    return told(voices, account)


def test_pictures_are_re_encoded_and_need_consent(voices: Voices, story: Story) -> None:
    with tenant_scope(voices.tenant):
        said: dict[str, Any] = {
            "tenant": voices.tenant,
            "story_id": story.pk,
            "kind": "logo",
            "consent": "Ana",
        }
        for content in (b"<svg onload=alert(1)>", b"", picture(kind="GIF"), picture(kind="BMP")):
            with pytest.raises(ValidationError, match="no PNG or JPEG"):
                set_picture(**said, content=content)
        with pytest.raises(ValidationError, match="larger than 3 MB"):
            set_picture(**said, content=b"x" * 3_000_001)
        with pytest.raises(ValidationError, match="allowed it"):
            set_picture(**(said | {"consent": ""}), content=picture())
        kept = set_picture(**said, content=picture(size=(2000, 500), kind="JPEG") + b"<?php evil")
        assert bytes(kept.png).startswith(b"\x89PNG") and b"evil" not in bytes(kept.png)
        assert (kept.width, kept.height) == (900, 225)
        remove_picture(tenant=voices.tenant, story_id=story.pk, kind="logo")
        assert StoryPicture.objects.count() == 0


def test_nobody_types_a_number(voices: Voices, story: Story) -> None:
    with tenant_scope(voices.tenant):
        result = StoryResult.objects.select_related("figure").get()
        assert (result.value, result.figure.value) == ("6,000", 600_000.0) or result.value == "$6,000"
        assert result.figure.hash[:16] in result.source
        with pytest.raises(ValidationError, match="no data"):
            add_result(
                tenant=voices.tenant,
                story_id=story.pk,
                offer="metric_total:csat",
                first=voices.ago(9),
                last=voices.ago(0),
            )
        with pytest.raises(ValidationError, match="of the list"):
            add_result(
                tenant=voices.tenant,
                story_id=story.pk,
                offer="rm:-rf",
                first=voices.ago(9),
                last=voices.ago(0),
            )


def test_a_new_story_takes_what_the_reference_said(voices: Voices) -> None:
    from tests.nps.test_references import agreed

    account = voices.account("kept", name="Kept")
    reference = agreed(voices, account, "case")
    with tenant_scope(voices.tenant):
        type(reference).objects.update(quote="It pays.")
        story = create_story(tenant=voices.tenant, account_id=account.pk, language="es", member=voices.csm)
        assert (story.quote, story.person, story.language) == ("It pays.", "Ana Pérez", "es")
        second = create_story(tenant=voices.tenant, account_id=account.pk, member=voices.csm)
        assert story.slug == "kept" != second.slug


def test_a_csm_of_another_account_may_not_edit(voices: Voices, story: Story) -> None:
    other: Membership = voices.member("dora", Role.CSM)
    with tenant_scope(voices.tenant), pytest.raises(PermissionDenied):
        edit_story(tenant=voices.tenant, story_id=story.pk, fields={"title": "x"}, member=other)


def test_figures_are_verified_once_more_when_it_is_published(voices: Voices) -> None:
    account = voices.account("good")
    voices.fits(account)
    story = told(voices, account)
    for party in ("legal", "communications"):
        approved_by(voices, story, party)
    voices.fits(account, roi=700_000)  # corrected after the customer approved

    def publish(**more: bool) -> Story:
        with tenant_scope(voices.tenant):
            return publish_story(tenant=voices.tenant, story_id=story.pk, member=voices.csm, **more)

    with pytest.raises(ValidationError) as refused:
        publish()
    (said,) = refused.value.messages
    assert said.startswith("“ROI per month” (") and "does not hold any more: it would be " in said
    client = Client()
    client.force_login(voices.csm.user)
    address = f"/t/globex/stories/{story.pk}/publish/"
    page = client.post(address)
    assert page.status_code == 422
    assert "ROI per month” (" in page.text and "as they were recorded" in page.text
    assert fresh(voices, story).state == "approved"
    with tenant_scope(voices.tenant):
        Metric.objects.filter(key="roi_cents").update(active=False)
    with pytest.raises(ValidationError, match="cannot be checked any more"):
        publish()
    assert client.post(address, {"as_recorded": "yes"}).status_code == 302
    public = fresh(voices, story)
    assert public.state == "published"
    with tenant_scope(voices.tenant):
        entry = AuditEntry.objects.filter(action="story.published").latest("id")
    assert len((entry.after or {})["as_recorded"]) == 1


def test_figures_that_hold_are_published_without_a_question(voices: Voices) -> None:
    account = voices.account("good")
    voices.fits(account)
    story = told(voices, account)
    for party in ("legal", "communications"):
        approved_by(voices, story, party)
    with tenant_scope(voices.tenant):
        published = publish_story(tenant=voices.tenant, story_id=story.pk, member=voices.csm)
        entry = AuditEntry.objects.filter(action="story.published").latest("id")
        assert list(published.results.values_list("figure__verdict", flat=True)) == ["holds"]
    assert "as_recorded" not in (entry.after or {})
