"""Pictures and results of case studies, and what a new one begins with."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Role
from nps.models import Story, StoryPicture, StoryResult
from nps.stories.services import add_result, create_story, edit_story, remove_picture, set_picture
from tests.nps.advocates import Voices
from tests.nps.telling import picture, told


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
