"""Publishing a case study, which both parties must have approved word by word, and taking it down."""

from __future__ import annotations

import hashlib
from copy import copy
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.links import public_url
from accounts.models import Membership, Tenant
from nps.stories import timeline
from nps.stories.advice import refusals
from nps.stories.figures import value_text
from nps.stories.models import Story, StoryApproval, StoryFile
from nps.stories.reading import hash_of, text_of
from nps.stories.rendering import fit_story, story_pdf
from nps.stories.text import missing
from outreach.services import publish_event
from qbr.figures.services import SOURCE_GONE, verify_figures

from .approving import approval_of
from .keeping import journal, locked_story, void_approvals

State, Party, Answer = Story.State, StoryApproval.Party, StoryApproval.State
FIGURES = "figures"  # the code of a refusal that may be read and passed over
VALID_DAYS = 365  # an approval says nothing about a text that is published a year later


def publish_story(
    *, tenant: Tenant, story_id: int, member: Membership | None = None, as_recorded: bool = False
) -> Story:
    """Put the approved text on the public page; everything that stands against it is said at once.

    Its figures are verified once more. Where one no longer holds that is refused with code `figures`; `as_recorded` says
    that somebody has read it and publishes what the customer approved all the same, which stays in the journal.
    """
    story = locked_story(tenant, story_id, member)
    if story.state == State.PUBLISHED:
        return story
    if story.state == State.WITHDRAWN:
        raise ValidationError(_("This case study was withdrawn. Open it again first."), code="withdrawn")
    against = blockers(tenant, story, timezone.now())
    if against:
        raise ValidationError(against, code="blocked")
    doubtful = doubts(tenant, story)
    if doubtful and not as_recorded:
        raise ValidationError([ValidationError(line, code=FIGURES) for line in doubtful])
    text = text_of(story)
    pdf = story_pdf(tenant, story, text)
    StoryFile.objects.filter(tenant=tenant, story=story).delete()
    StoryFile.objects.create(tenant=tenant, story=story, hash=story.hash, pdf=pdf)
    story.state, story.published, story.published_hash = State.PUBLISHED, text.as_dict(), story.hash
    story.published_at, story.published_by = timezone.now(), member
    story.withdrawn_at, story.withdrawn_by, story.withdrawn_why = None, None, ""
    story.save()
    journal(
        tenant,
        story,
        timeline.PUBLISHED,
        member,
        {"pdf": hashlib.sha256(pdf).hexdigest(), "slug": story.slug}
        | ({"as_recorded": doubtful} if doubtful else {}),
    )
    publish_event(
        tenant=tenant,
        event_type="story.published",
        data={
            "id": story.pk,
            "account_id": story.account.external_id,
            "title": story.title,
            "language": story.language,
            "url": address_of(tenant, story),
            "hash": story.hash,
        },
        account=story.account,
        dedupe_key=f"story-published:{story.pk}:{story.revision}",
    )
    return story


def doubts(tenant: Tenant, story: Story) -> list[str]:
    """Verify the story's figures; what no longer holds, in words that say what to do. Empty: all of them hold."""
    results = list(story.results.select_related("figure").order_by("position", "id"))
    if not results:
        return []
    verdicts = verify_figures(tenant=tenant, figures=[one.figure for one in results])
    said = []
    for one in results:
        verdict = verdicts[one.figure_id]
        if verdict.holds:
            continue
        values = {"label": one.label, "value": one.value}
        if verdict.state == SOURCE_GONE:
            text = _("“%(label)s” (%(value)s) cannot be checked any more: what it was read from is gone.")
        elif verdict.now is None:
            text = _("“%(label)s” (%(value)s) does not hold any more: there is no data for it now.")
        else:
            now = copy(one.figure)
            now.value = verdict.now
            with translation.override(story.language):  # as it would be printed
                values["now"] = value_text(now)
            text = _("“%(label)s” (%(value)s) does not hold any more: it would be %(now)s now.")
        said.append(text % values)
    return said


def address_of(tenant: Tenant, story: Story) -> str:
    """Where everybody may read it."""
    return public_url("story-page", tenant_slug=tenant.slug, slug=story.slug)


def blockers(tenant: Tenant, story: Story, now: datetime) -> list[str]:
    """Why the story may not be published now, in words that say what to do; empty: it may."""
    if hash_of(story) != story.hash:
        return [_("The text is not the one that was stored. Save it again and ask for both approvals.")]
    text = text_of(story)
    found = refusals(missing(text), fit_story(tenant, story, text))
    for party in Party:
        why = _against(approval_of(tenant, story, party), story, now, str(party.label))
        if why:
            found.append(why)
    return found


def _against(approval: StoryApproval | None, story: Story, now: datetime, party: str) -> str:
    """Why an approval does not count; empty: it does."""
    values = {"party": party}
    if approval is None:
        return _("%(party)s has not been asked yet.") % values
    if approval.link is None or approval.link.revoked_at is not None:
        return _("%(party)s: the link was taken back, so the approval does not count. Ask again.") % values
    if approval.state == Answer.CHANGES:
        return _("%(party)s asks for changes. Make them and ask again.") % values
    if approval.hash != story.hash or approval.state == Answer.VOID:
        return (
            _("%(party)s was asked on an older text, which was changed since. Ask again on this one.")
            % values
        )
    if approval.state == Answer.WAITING:
        if approval.link.expires_at <= now:
            return _("%(party)s has not answered, and the link has expired. Ask again.") % values
        return _("%(party)s has not answered yet.") % values
    if approval.decided_at is None or approval.decided_at < now - timedelta(days=VALID_DAYS):
        return _("%(party)s approved more than a year ago. Ask again.") % values
    return ""


def withdraw_story(*, tenant: Tenant, story_id: int, why: str, member: Membership | None = None) -> Story:
    """Take it down at once: the page says that it is gone, the PDF is deleted, the approvals end."""
    story = locked_story(tenant, story_id, member)
    if story.state == State.WITHDRAWN:
        return story
    why = why.strip()[:500]
    if not why:
        raise ValidationError({"why": _("Say why, and who asked for it.")})
    StoryFile.objects.filter(tenant=tenant, story=story).delete()
    void_approvals(tenant, story, StoryApproval.Void.WITHDRAWN)
    story.state, story.withdrawn_at, story.withdrawn_by = State.WITHDRAWN, timezone.now(), member
    story.withdrawn_why, story.published = why, None
    story.save()
    journal(tenant, story, timeline.WITHDRAWN, member, {"text": why})
    return story
