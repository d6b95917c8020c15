"""Case studies: every refusal, what voids an approval, what is published and taken down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.models import AuditEntry, Role, SignedLink
from nps.models import Story, StoryApproval, StoryFile, StoryResult
from nps.stories.reading import hash_of
from nps.stories.services import (
    add_result,
    ask_approval,
    change_result,
    decide_approval,
    edit_story,
    publish_story,
    refresh_result,
    remove_result,
    reopen_story,
    revoke_approval,
    set_picture,
    withdraw_story,
)
from nps.stories.services.editing import choose_communications
from outreach.models import Message, Notification
from playbooks.models import Task
from tests.nps.advocates import Voices
from tests.nps.telling import approved_by, asked_for, fresh, picture, told
from usage.selectors import metric_values
from usage.services import push_metric_values

BOTH = ("legal", "communications")


@pytest.fixture
def story(voices: Voices) -> Story:
    account = voices.account("good", name="Good Shoes")
    voices.fits(account)
    return told(voices, account)


def publish(voices: Voices, story: Story) -> Story:
    with tenant_scope(voices.tenant):
        return publish_story(tenant=voices.tenant, story_id=story.pk, member=voices.csm)


# ── The whole way ───────────────────────────────────────────────────────────────────────────────────────────────


def test_from_draft_to_published_to_withdrawn(voices: Voices, story: Story) -> None:
    assert (story.state, story.customer) == ("draft", "Good Shoes")
    for party, state in zip(BOTH, ("communications", "approved"), strict=True):
        (approval,) = approved_by(voices, story, party)
        assert fresh(voices, story).state == state
        assert (approval.signer, approval.hash) == ("Lola Legal", story.hash)
        assert approval.text is not None and approval.text["title"] == story.title
    public = publish(voices, story)
    assert (public.state, public.published_hash) == ("published", story.hash)
    with tenant_scope(voices.tenant):
        assert bytes(StoryFile.objects.get().pdf).startswith(b"%PDF")
        with pytest.raises(ValidationError, match="Say why"):
            withdraw_story(tenant=voices.tenant, story_id=story.pk, why=" ", member=voices.csm)
        gone = withdraw_story(tenant=voices.tenant, story_id=story.pk, why="Asked", member=voices.csm)
        assert (gone.state, gone.published, StoryFile.objects.count()) == ("withdrawn", None, 0)
        with pytest.raises(ValidationError, match="withdrawn"):
            publish_story(tenant=voices.tenant, story_id=story.pk)
        reopen_story(tenant=voices.tenant, story_id=story.pk, member=voices.csm)
    with pytest.raises(ValidationError, match="older text"):  # approved before, and void since
        publish(voices, story)


def test_the_metric_says_that_it_was_proposed(voices: Voices, story: Story) -> None:
    with tenant_scope(voices.tenant):
        found = metric_values(voices.tenant, ["case_study_proposed"], voices.tenant.today())
    assert found[story.account_id]["case_study_proposed"] == 1


def test_legal_approving_asks_communications_at_once_where_somebody_was_named(
    voices: Voices, story: Story
) -> None:
    contact = voices.person(story.account)
    with tenant_scope(voices.tenant):
        choose_communications(tenant=voices.tenant, story_id=story.pk, contact_id=contact.pk)
    approved_by(voices, story, "legal")
    with tenant_scope(voices.tenant):
        waiting = StoryApproval.objects.get(party="communications")
        assert (waiting.state, waiting.hash) == ("waiting", story.hash)
        assert Message.objects.count() == 2


# ── What publishing is refused for ──────────────────────────────────────────────────────────────────────────────


def test_without_approvals(voices: Voices, story: Story) -> None:
    with pytest.raises(ValidationError) as refused:
        publish(voices, story)
    assert refused.value.messages == [
        "Legal has not been asked yet.",
        "Communications has not been asked yet.",
    ]


def test_with_one_only(voices: Voices, story: Story) -> None:
    approved_by(voices, story, "legal")
    with pytest.raises(ValidationError) as refused:
        publish(voices, story)
    assert refused.value.messages == ["Communications has not been asked yet."]
    asked_for(voices, story, "communications")
    with pytest.raises(ValidationError, match=r"Communications has not answered yet\."):
        publish(voices, story)


def test_with_approvals_of_an_older_text(voices: Voices, story: Story) -> None:
    approved_by(voices, story, *BOTH)
    with tenant_scope(voices.tenant):
        edit_story(tenant=voices.tenant, story_id=story.pk, fields={"role": "CEO"}, member=voices.csm)
        assert set(StoryApproval.objects.values_list("state", "void_why")) == {("void", "edited")}
    assert fresh(voices, story).state == "draft"
    with pytest.raises(ValidationError) as refused:
        publish(voices, story)
    assert all("older text" in message for message in refused.value.messages)
    assert len(refused.value.messages) == 2
    # also where the text is put back: an approval that ended does not come to life again
    with tenant_scope(voices.tenant):
        edit_story(tenant=voices.tenant, story_id=story.pk, fields={"role": story.role}, member=voices.csm)
    assert fresh(voices, story).hash == story.hash
    with pytest.raises(ValidationError, match="older text"):
        publish(voices, story)
    approved_by(voices, story, *BOTH)
    assert publish(voices, story).state == "published"


def test_with_a_text_that_was_changed_behind_the_services(voices: Voices, story: Story) -> None:
    approved_by(voices, story, *BOTH)
    with tenant_scope(voices.tenant):
        Story.objects.filter(pk=story.pk).update(quote="We are the best.")
    with pytest.raises(ValidationError, match="not the one that was stored"):
        publish(voices, story)


@pytest.mark.parametrize("by_service", [True, False])
def test_with_a_revoked_link(voices: Voices, story: Story, by_service: bool) -> None:
    legal, _communications = approved_by(voices, story, *BOTH)
    with tenant_scope(voices.tenant):
        if by_service:
            revoke_approval(tenant=voices.tenant, approval_id=legal.pk, member=voices.csm)
        else:
            SignedLink.objects.filter(pk=legal.link_id).update(revoked_at=timezone.now())
    with pytest.raises(ValidationError, match="Legal: the link was taken back"):
        publish(voices, story)


def test_with_an_expired_link_and_an_approval_of_long_ago(voices: Voices, story: Story) -> None:
    approval, _token = asked_for(voices, story, "legal")
    with tenant_scope(voices.tenant):
        SignedLink.objects.filter(pk=approval.link_id).update(expires_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(ValidationError, match="the link has expired"):
        publish(voices, story)
    approved_by(voices, story, *BOTH)
    with tenant_scope(voices.tenant):
        StoryApproval.objects.filter(party="legal", state="approved").update(
            decided_at=timezone.now() - timedelta(days=366)
        )
    with pytest.raises(ValidationError, match="more than a year ago"):
        publish(voices, story)


def test_with_changes_asked_for(voices: Voices, story: Story) -> None:
    approval, _token = asked_for(voices, story, "legal")
    with tenant_scope(voices.tenant):
        with pytest.raises(ValidationError, match="what should change"):
            decide_approval(
                tenant=voices.tenant, approval_id=approval.pk, approve=False, seen=story.hash, signer="L"
            )
        decide_approval(
            tenant=voices.tenant,
            approval_id=approval.pk,
            approve=False,
            seen=story.hash,
            signer="Lola",
            comment="No figures, please.",
        )
        assert Task.objects.get().body == "No figures, please."
        assert Notification.objects.filter(member=voices.csm).count() == 1
    assert fresh(voices, story).state == "draft"
    with pytest.raises(ValidationError, match="Legal asks for changes"):
        publish(voices, story)


def test_who_may_not(voices: Voices, story: Story) -> None:
    approved_by(voices, story, *BOTH)
    other = voices.member("dora", Role.CSM)
    with tenant_scope(voices.tenant), pytest.raises(PermissionDenied):
        publish_story(tenant=voices.tenant, story_id=story.pk, member=other)


# ── What asking is refused for ──────────────────────────────────────────────────────────────────────────────────


def test_communications_wait_for_legal(voices: Voices, story: Story) -> None:
    with pytest.raises(ValidationError, match="legal has to approve"):
        asked_for(voices, story, "communications")


def test_nobody_is_asked_about_half_a_text_or_three_pages(voices: Voices, story: Story) -> None:
    with tenant_scope(voices.tenant):
        edit_story(tenant=voices.tenant, story_id=story.pk, fields={"quote": ""}, member=voices.csm)
    with pytest.raises(ValidationError, match=r"Still missing: Quote\."):
        asked_for(voices, story, "legal")
    with tenant_scope(voices.tenant):
        long = {"quote": "Yes.", "challenge": "Nobody knew which hook had worked. " * 200}
        edit_story(tenant=voices.tenant, story_id=story.pk, fields=long, member=voices.csm)
    with pytest.raises(ValidationError, match=r"lines too long\. Shorten “The challenge” by about"):
        asked_for(voices, story, "legal")
    with tenant_scope(voices.tenant):
        assert Story.objects.get().challenge == long["challenge"].strip()  # told, not cut
        assert (StoryApproval.objects.count(), Message.objects.count()) == (0, 0)


def test_asking_again_ends_the_link_before(voices: Voices, story: Story) -> None:
    first, _token = asked_for(voices, story, "legal")
    second, _token = asked_for(voices, story, "legal")
    with tenant_scope(voices.tenant):
        first.refresh_from_db()
        assert (first.state, first.void_why) == ("void", "replaced")
        assert SignedLink.objects.get(pk=first.link_id).revoked_at is not None
        assert SignedLink.objects.get(pk=second.link_id).revoked_at is None
    approved_by(voices, story, "legal")
    with pytest.raises(ValidationError, match="approved exactly this text"):
        asked_for(voices, story, "legal")


def test_somebody_of_another_account_is_not_asked(voices: Voices, story: Story) -> None:
    stranger = voices.person(voices.account("other"))
    with tenant_scope(voices.tenant), pytest.raises(ValidationError, match="person of this account"):
        ask_approval(
            tenant=voices.tenant, story_id=story.pk, party="legal", contact_id=stranger.pk, member=voices.csm
        )


def test_a_decision_is_of_the_text_that_was_shown(voices: Voices, story: Story) -> None:
    approval, _token = asked_for(voices, story, "legal")
    said = {"tenant": voices.tenant, "approval_id": approval.pk, "approve": True, "signer": "Lola"}
    with tenant_scope(voices.tenant):
        for seen in ("", "0" * 64):
            with pytest.raises(ValidationError, match="changed in the meantime"):
                decide_approval(**said, seen=seen)  # type: ignore[arg-type]
        with pytest.raises(ValidationError, match="your name"):
            decide_approval(**(said | {"signer": " "}), seen=story.hash)  # type: ignore[arg-type]
        edit_story(tenant=voices.tenant, story_id=story.pk, fields={"role": "x"}, member=voices.csm)
        with pytest.raises(ValidationError, match="changed in the meantime"):
            decide_approval(**said, seen=story.hash)  # type: ignore[arg-type]
        assert not StoryApproval.objects.filter(state="approved").exists()


def test_deciding_twice_is_once(voices: Voices, story: Story) -> None:
    (approval,) = approved_by(voices, story, "legal")
    with tenant_scope(voices.tenant):
        again = decide_approval(
            tenant=voices.tenant, approval_id=approval.pk, approve=True, seen=story.hash, signer="Else"
        )
        assert again.signer == "Lola Legal"
        with pytest.raises(ValidationError, match="decided already"):
            decide_approval(
                tenant=voices.tenant,
                approval_id=approval.pk,
                approve=False,
                seen=story.hash,
                signer="L",
                comment="x",
            )


# ── Every edit voids ────────────────────────────────────────────────────────────────────────────────────────────


def _text(name: str) -> Callable[[Voices, Story], Any]:
    return lambda voices, story: edit_story(
        tenant=voices.tenant, story_id=story.pk, fields={name: f"{getattr(story, name)} more"}
    )


def _result(deed: Callable[..., Any], **more: Any) -> Callable[[Voices, Story], Any]:
    return lambda voices, story: deed(
        tenant=voices.tenant, result_id=StoryResult.objects.get(story=story).pk, **more
    )


def _refreshed(voices: Voices, story: Story) -> None:
    item = {"account_id": story.account.external_id, "metric": "roi_cents", "day": voices.ago(0), "value": 7}
    push_metric_values(tenant=voices.tenant, items=[item])
    refresh_result(tenant=voices.tenant, result_id=StoryResult.objects.get(story=story).pk)


EDITS: dict[str, Callable[[Voices, Story], Any]] = {
    **{name: _text(name) for name in ("title", "standfirst", "customer", "industry", "challenge")},
    **{name: _text(name) for name in ("solution", "results_intro", "quote", "person", "role")},
    "language": lambda v, s: edit_story(tenant=v.tenant, story_id=s.pk, fields={}, language="es"),
    "result words": _result(change_result, label="Other", detail=""),
    "result removed": _result(remove_result),
    "result added": lambda v, s: add_result(
        tenant=v.tenant, story_id=s.pk, offer="metric_total:nps", first=v.ago(9), last=v.ago(0)
    ),
    "figure recorded anew": _refreshed,
    "logo": lambda v, s: set_picture(
        tenant=v.tenant, story_id=s.pk, kind="logo", content=picture(), consent="Ana"
    ),
    "person's picture": lambda v, s: set_picture(
        tenant=v.tenant, story_id=s.pk, kind="person", content=picture(), consent="Ana"
    ),
}


@pytest.fixture
def approved(voices: Voices, story: Story) -> Story:
    """A story that could be published."""
    approved_by(voices, story, *BOTH)
    return story


def test_any_edit_voids_both_approvals(voices: Voices, approved: Story) -> None:
    from django.db import transaction

    with tenant_scope(voices.tenant):
        for name, edit in EDITS.items():
            point = transaction.savepoint()
            edit(voices, Story.objects.select_related("account").get(pk=approved.pk))
            now = Story.objects.get(pk=approved.pk)
            assert now.hash == hash_of(now) != approved.hash, name
            assert (now.state, now.revision) == ("draft", approved.revision + 1), name
            assert set(StoryApproval.objects.values_list("state", "void_why")) == {("void", "edited")}, name
            assert AuditEntry.objects.filter(action="story.edited").latest("id").after["voided"] == 2, name
            transaction.savepoint_rollback(point)
        # the control: saving the same text changes nothing
        edit_story(tenant=voices.tenant, story_id=approved.pk, fields={"title": approved.title})
        assert StoryApproval.objects.filter(state="approved").count() == 2


def test_a_published_story_is_not_changed(voices: Voices, approved: Story) -> None:
    publish(voices, approved)
    with tenant_scope(voices.tenant):
        for name, edit in EDITS.items():
            with pytest.raises(ValidationError, match="Withdraw it first"):
                edit(voices, Story.objects.select_related("account").get(pk=approved.pk))
            assert Story.objects.get().state == "published", name


def test_two_editors_do_not_overwrite_each_other(voices: Voices, story: Story) -> None:
    with tenant_scope(voices.tenant):
        edit_story(tenant=voices.tenant, story_id=story.pk, fields={"role": "a"}, revision=story.revision)
        with pytest.raises(ValidationError, match="while you were writing"):
            edit_story(tenant=voices.tenant, story_id=story.pk, fields={"role": "b"}, revision=story.revision)
