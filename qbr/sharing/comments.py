"""Comments on a shared pack: written without a login by whoever has the link, answered by members."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import Membership, SignedLink, Tenant
from accounts.services import record_timeline
from outreach.documents.text import printable
from outreach.services import notify_members
from playbooks.rights import demand_account
from qbr.content import PackContent
from qbr.models import Pack, PackComment
from qbr.sharing import timeline

NOTICE = "pack_comment"
LONGEST_NAME, LONGEST_TEXT = 100, 4000
PER_HOUR, IN_ALL = 20, 500  # of one link; of one pack


@dataclass
class Thread:
    """A comment with its answers."""

    comment: PackComment
    answers: list[PackComment] = field(default_factory=list)


def add_comment(
    *, tenant: Tenant, pack: Pack, content: PackContent, link: SignedLink, section: str, name: str, text: str
) -> PackComment:
    """Keep what the customer wrote and tell the owner. Raises a ValidationError by field."""
    name, text = printable(name).strip(), printable(text).strip()
    wrong: dict[str, str] = {}
    if not name:
        wrong["name"] = _("Write your name, so that we know whom to answer.")
    elif len(name) > LONGEST_NAME:
        wrong["name"] = _("At most %(most)d letters.") % {"most": LONGEST_NAME}
    if not text:
        wrong["text"] = _("Write what you want to say.")
    elif len(text) > LONGEST_TEXT:
        wrong["text"] = _("At most %(most)d letters.") % {"most": LONGEST_TEXT}
    if section and section not in {one.key for one in content.shown}:
        wrong["section"] = _("This section is not in the pack.")
    if wrong:
        raise ValidationError(wrong)
    # One at a time for each link, so that many at once cannot pass the limit together.
    SignedLink.objects.select_for_update().get(tenant=tenant, pk=link.pk)
    now = timezone.now()
    lately = PackComment.objects.filter(tenant=tenant, link=link, at__gt=now - timedelta(hours=1)).count()
    if lately >= PER_HOUR or PackComment.objects.filter(tenant=tenant, pack=pack).count() >= IN_ALL:
        raise ValidationError(
            {"text": _("That is a lot of comments. Write to your contact person, or try again later.")}
        )
    comment = PackComment.objects.create(
        tenant=tenant, pack=pack, section=section, link=link, name=name, text=text, at=now
    )
    record_timeline(
        tenant=tenant,
        account_id=pack.account_id,
        kind=timeline.COMMENTED,
        at=now,
        title=f"{name}: {text}",
        data={"pack": pack.pk, "comment": comment.pk},
    )
    _tell(tenant, pack, link, comment)
    return comment


def _tell(tenant: Tenant, pack: Pack, link: SignedLink, comment: PackComment) -> None:
    """The account's owner, else whoever shared it."""
    member = pack.account.owner
    if (member is None or not member.is_active) and link.created_by_id is not None:
        member = (
            Membership.objects.select_related("user").filter(tenant=tenant, pk=link.created_by_id).first()
        )
    if member is None or not member.is_active:
        return
    with override(
        member.user.language or tenant.language
    ):  # not in the customer's, in which the page is shown
        title = _("%(name)s commented on the review of %(account)s") % {
            "name": comment.name,
            "account": pack.account.name,
        }
    notify_members(
        tenant=tenant,
        members=[member],
        kind=NOTICE,
        title=title,
        body=comment.text[:1000],
        url=f"/packs/{pack.pk}/share/#comments",
        account=pack.account,
        dedupe_key=f"pack-comment-{comment.pk}",
    )


def answer_comment(*, tenant: Tenant, comment_id: int, text: str, member: Membership) -> PackComment:
    """Answer on the shared page; raises `PackComment.DoesNotExist`, or a ValidationError."""
    comment = PackComment.objects.select_related("pack__account").get(tenant=tenant, pk=comment_id)
    demand_account(member, comment.pack.account)
    text = printable(text).strip()
    if not text or len(text) > LONGEST_TEXT:
        raise ValidationError(_("Write an answer of at most %(most)d letters.") % {"most": LONGEST_TEXT})
    return PackComment.objects.create(
        tenant=tenant,
        pack=comment.pack,
        section=comment.section,
        answers_id=comment.answers_id or comment.pk,
        member=member,
        name=str(member)[:LONGEST_NAME],
        text=text,
        at=timezone.now(),
    )


def threads_of(tenant: Tenant, pack: Pack) -> list[Thread]:
    """Comments with their answers, the oldest first; one query."""
    threads: dict[int, Thread] = {}
    for comment in PackComment.objects.filter(tenant=tenant, pack=pack).order_by("id"):
        if comment.answers_id is None:
            threads[comment.pk] = Thread(comment)
        elif comment.answers_id in threads:
            threads[comment.answers_id].answers.append(comment)
    return list(threads.values())
