"""Asking the customer's legal and communications, and what they decide; an approval is of exactly one text."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.links import make_link, public_url, revoke_link
from accounts.models import Contact, Membership, Tenant
from nps.stories import timeline
from nps.stories.advice import refusals
from nps.stories.models import Story, StoryApproval
from nps.stories.reading import text_of
from nps.stories.rendering import fit_story
from nps.stories.text import missing
from outreach.models import Message
from outreach.services import notify_members, send_email
from playbooks.services import create_task

from .editing import note_proposed
from .keeping import demand_editable, journal, locked_story, void_approvals

PURPOSE = "story-approval"
DAYS = 21
MOST_DAYS = 90
State, Party, Answer = Story.State, StoryApproval.Party, StoryApproval.State
STAGE = {Party.LEGAL: State.LEGAL, Party.COMMUNICATIONS: State.COMMUNICATIONS}
COMMENT_LENGTH = 4000


def approval_of(tenant: Tenant, story: Story, party: str) -> StoryApproval | None:
    """The newest time that this party was asked."""
    found = StoryApproval.objects.filter(tenant=tenant, story=story, party=party)
    return found.select_related("link", "contact").order_by("-id").first()


def ask_approval(
    *,
    tenant: Tenant,
    story_id: int,
    party: str,
    contact_id: int,
    days: int = DAYS,
    note: str = "",
    member: Membership | None = None,
) -> tuple[StoryApproval, str]:
    """Ask one party on the text as it stands; returns the approval and the address, which is shown once.

    Communications come after legal. Refused while something is missing or the text is not exactly two pages.
    """
    with transaction.atomic():
        story = locked_story(tenant, story_id, member)
        demand_editable(story)
        if party not in Party.values:
            raise ValidationError({"party": _("Choose legal or communications.")})
        if not 1 <= days <= MOST_DAYS:
            raise ValidationError({"days": _("Choose between 1 and %(most)d days.") % {"most": MOST_DAYS}})
        text = text_of(story)
        faults = refusals(missing(text), fit_story(tenant, story, text))
        if faults:
            raise ValidationError(faults)
        legal = approval_of(tenant, story, Party.LEGAL)
        if party == Party.COMMUNICATIONS and not _stands(legal, story):
            raise ValidationError(_("The customer's legal has to approve this text first."), code="order")
        contact = Contact.objects.filter(tenant=tenant, pk=contact_id, account_id=story.account_id).first()
        if contact is None or not contact.email:
            raise ValidationError({"contact": _("Choose a person of this account with an e-mail address.")})
        approval, address = _ask(tenant, story, party, contact, days, note, member)
    return approval, address


def _ask(
    tenant: Tenant,
    story: Story,
    party: str,
    contact: Contact,
    days: int,
    note: str,
    member: Membership | None,
) -> tuple[StoryApproval, str]:
    before = approval_of(tenant, story, party)
    if before is not None and before.state == Answer.APPROVED and before.hash == story.hash:
        raise ValidationError(_("They approved exactly this text already."), code="approved")
    void_approvals(tenant, story, StoryApproval.Void.REPLACED, party)
    if before is not None and before.link_id and before.state == Answer.WAITING:
        revoke_link(tenant=tenant, link_id=before.link_id, by=member)
    approval = StoryApproval.objects.create(
        tenant=tenant,
        story=story,
        party=party,
        contact=contact,
        asked_name=str(contact)[:200],
        hash=story.hash,
        asked_by=member,
    )
    link, token = make_link(
        tenant=tenant,
        purpose=PURPOSE,
        object_id=approval.pk,
        account=story.account,
        contact=contact,
        days=days,
        by=member,
    )
    address = public_url("story-approval", token=token)
    approval.link = link
    approval.message = _mail(tenant, story, approval, contact, address, note, member)
    approval.save()
    story.state = STAGE[Party(party)]
    story.save()
    journal(tenant, story, timeline.ASKED, member, {"party": party, "approval": approval.pk}, str(contact))
    note_proposed(tenant, story.account)
    return approval, address


def _mail(
    tenant: Tenant,
    story: Story,
    approval: StoryApproval,
    contact: Contact,
    address: str,
    note: str,
    member: Membership | None,
) -> Message:
    with translation.override(story.language):
        subject = _("Please approve: a case study about {{ account.name }}")
        body = _(
            "Hello {{ contact.first_name|there }},\n\n{{ tenant.name }} has written two pages about what your company "
            "has achieved. Nothing is published before you approve exactly this text: please read it, and approve it "
            "or say what should change."
        )
        closing = _("The link is for you alone and needs no login.")
    said = f"\n\n{_escaped(note)}" if note.strip() else ""
    message = send_email(
        tenant=tenant,
        account=story.account,
        contact=contact,
        subject=subject,
        body_md=f"{body}{said}\n\n{closing}",
        dedupe_key=f"story-approval:{approval.pk}",
        purpose="service",
        sender=member,
        action_url=address,
    )
    if message.state == Message.State.SUPPRESSED:
        raise ValidationError(
            {"contact": _("The mail would not go to %(name)s: %(why)s. Choose another person.")
             % {"name": contact, "why": message.get_reason_display()}}
        )  # fmt: skip
    return message


def _escaped(note: str) -> str:
    """What somebody typed names no merge field."""
    return note.strip()[:2000].replace("{{", "{ {").replace("}}", "} }")


def decide_approval(
    *,
    tenant: Tenant,
    approval_id: int,
    approve: bool,
    seen: str,
    signer: str,
    comment: str = "",
    address: str = "",
    agent: str = "",
) -> StoryApproval:
    """What the customer says, on exactly the text that was shown (`seen` is its hash).

    Refused in words when the text has changed meanwhile, when it was decided before, or when nobody signs.
    """
    story_id = StoryApproval.objects.get(tenant=tenant, pk=approval_id).story_id
    story = locked_story(tenant, story_id, None)
    approval = StoryApproval.objects.select_for_update().get(tenant=tenant, pk=approval_id)
    if approval.state in (Answer.APPROVED, Answer.CHANGES):
        if (approval.state == Answer.APPROVED) == approve and approval.hash == seen:
            return approval  # sent twice
        raise ValidationError(
            _("This was decided already. Ask your contact person for a new link."), code="decided"
        )
    if approval.state == Answer.VOID or not seen == approval.hash == story.hash:
        raise ValidationError(
            _("The text was changed in the meantime, so nothing was recorded. You will get a new link."),
            code="changed",
        )
    signer, comment = signer.strip()[:200], comment.strip()[:COMMENT_LENGTH]
    faults: dict[str, str] = {}
    if not signer:
        faults["signer"] = _("Enter your name.")
    if not approve and not comment:
        faults["comment"] = _("Say what should change.")
    if faults:
        raise ValidationError(faults)
    approval.state = Answer.APPROVED if approve else Answer.CHANGES
    approval.decided_at, approval.signer, approval.comment = timezone.now(), signer, comment
    approval.from_address, approval.from_agent = address[:64], agent[:300]
    approval.text = text_of(story).as_dict() if approve else None
    approval.save()
    _after(tenant, story, approval)
    return approval


def _after(tenant: Tenant, story: Story, approval: StoryApproval) -> None:
    """Where the story goes, and who is told."""
    agreed = approval.state == Answer.APPROVED
    kind = timeline.APPROVED if agreed else timeline.CHANGES
    if not agreed:
        story.state = State.DRAFT
    elif approval.party == Party.LEGAL:
        other = approval_of(tenant, story, Party.COMMUNICATIONS)
        story.state = State.APPROVED if _stands(other, story) else State.COMMUNICATIONS
    else:
        story.state = State.APPROVED
    story.save()
    journal(
        tenant,
        story,
        kind,
        None,
        {"party": approval.party, "approval": approval.pk, "from": approval.from_address,
         "text": approval.comment},
        approval.signer,
    )  # fmt: skip
    with translation.override(tenant.language):
        if agreed:
            title = _("Case study approved by %(name)s: %(story)s")
        else:
            title = _("Changes asked for by %(name)s: %(story)s")
        title = title % {"name": approval.signer, "story": story.title}
        if not agreed:
            create_task(
                tenant=tenant,
                account_id=story.account_id,
                title=title[:200],
                body=approval.comment,
                due_on=tenant.today() + timedelta(days=3),
            )
    people = {one.pk: one for one in (story.account.owner, approval.asked_by) if one is not None}
    notify_members(
        tenant=tenant,
        members=people.values(),
        kind="story_decided",
        title=title,
        body=approval.comment,
        url=f"/stories/{story.pk}/",
        account=story.account,
        dedupe_key=f"story-decided:{approval.pk}",
    )
    if agreed and story.state == State.COMMUNICATIONS and story.communications is not None:
        waiting = approval_of(tenant, story, Party.COMMUNICATIONS)
        if waiting is None or waiting.state != Answer.WAITING:
            _ask(tenant, story, Party.COMMUNICATIONS, story.communications, DAYS, "", approval.asked_by)


def _stands(approval: StoryApproval | None, story: Story) -> bool:
    return (
        approval is not None
        and approval.state == Answer.APPROVED
        and approval.hash == story.hash
        and approval.link is not None
        and approval.link.revoked_at is None
    )


def revoke_approval(*, tenant: Tenant, approval_id: int, member: Membership | None = None) -> StoryApproval:
    """Take a link back; an approval that was given under it counts no more."""
    story_id = StoryApproval.objects.get(tenant=tenant, pk=approval_id).story_id
    story = locked_story(tenant, story_id, member)
    demand_editable(story)
    approval = StoryApproval.objects.select_for_update().get(tenant=tenant, pk=approval_id)
    if approval.link_id:
        revoke_link(tenant=tenant, link_id=approval.link_id, by=member)
    if approval.state in (Answer.WAITING, Answer.APPROVED):
        approval.state, approval.void_at = Answer.VOID, timezone.now()
        approval.void_why = StoryApproval.Void.REVOKED
        approval.save()
        if story.state != State.DRAFT:
            story.state = State.DRAFT
            story.save()
        journal(tenant, story, timeline.ASKED, member, {"party": approval.party, "revoked": approval.pk})
    return approval
