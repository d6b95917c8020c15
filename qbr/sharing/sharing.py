"""Sending a pack: a signed link for each receiver, a mail with it, and links taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.links import LinkRefused, make_link, public_url, revoke_link
from accounts.models import Contact, Membership, SignedLink, Tenant
from accounts.services import record_audit, record_timeline
from outreach.models import Message
from outreach.services import send_email
from playbooks.rights import demand_account
from qbr.content import PackContent, from_json
from qbr.models import Pack, PackVersion
from qbr.services import send_pack, settings_of
from qbr.sharing import timeline
from qbr.sharing.files import KINDS, ask_files, states_of

PURPOSE = "pack"
MOST_RECEIVERS = 20


@dataclass(frozen=True)
class Shared:
    """A link that was made, with its address, which is stored nowhere, and the mail that carries it."""

    link: SignedLink
    url: str
    message: Message | None = None

    @property
    def is_unmailed(self) -> bool:
        """Whether a mail was wanted and must not go, such as to an address that bounced."""
        return self.message is not None and self.message.state == Message.State.SUPPRESSED


def send_to_customer(
    *,
    tenant: Tenant,
    pack_id: int,
    contact_ids: Sequence[int] = (),
    days: int | None = None,
    subject: str = "",
    message: str = "",
    member: Membership | None = None,
) -> list[Shared]:
    """Freeze the pack, make the links and mail them: all of it or nothing; a pack that is frozen is only shared.

    Raises a ValidationError: the review is skipped, or somebody cannot be written to.
    """
    with (
        transaction.atomic()
    ):  # who catches the refusal must not keep a pack that is frozen and went to nobody
        send_pack(tenant=tenant, pack_id=pack_id, member=member)
        return share_pack(
            tenant=tenant,
            pack_id=pack_id,
            contact_ids=contact_ids,
            days=days,
            subject=subject,
            message=message,
            member=member,
        )


def share_pack(
    *,
    tenant: Tenant,
    pack_id: int,
    contact_ids: Sequence[int] = (),
    days: int | None = None,
    subject: str = "",
    message: str = "",
    member: Membership | None = None,
) -> list[Shared]:
    """Make a link for each contact and mail it; without contacts, one link to pass on by hand.

    Without `days` a link is open for as long as the company says. Raises a ValidationError: the pack was not sent yet
    (its content is not frozen), or somebody has no address.
    """
    days = settings_of(tenant).share_days if days is None else days
    pack = (
        Pack.objects.select_related("account").select_for_update(of=("self",)).get(tenant=tenant, pk=pack_id)
    )
    demand_account(member, pack.account)
    if shown_content(tenant, pack) is None:
        raise ValidationError(_("Mark the pack as sent first: customers see what is frozen, not a draft."))
    if len(contact_ids) > MOST_RECEIVERS:
        raise ValidationError(_("At most %(most)d people at once.") % {"most": MOST_RECEIVERS})
    contacts = list(
        Contact.objects.filter(
            tenant=tenant, account=pack.account, merged_into=None, pk__in=contact_ids
        ).order_by("id")
    )
    if len(contacts) != len(set(contact_ids)):
        raise ValidationError(_("Choose people of this account."))
    unreachable = [str(contact) for contact in contacts if not contact.email]
    if unreachable:
        raise ValidationError(
            _("No e-mail address is known of %(names)s.") % {"names": ", ".join(unreachable)}
        )
    receivers: list[Contact | None] = [*contacts] or [None]
    made = [_share(tenant, pack, contact, days, member) for contact in receivers]
    if contacts:
        made = [
            replace(shared, message=_mail(tenant, pack, contact, shared, subject, message, member))
            for contact, shared in zip(contacts, made, strict=True)
        ]
    if not all(state.is_current for state in states_of(tenant, pack)):
        ask_files(
            tenant=tenant, pack_ids=[pack.pk], kinds=KINDS, member=member
        )  # for the customer to download
    record_timeline(
        tenant=tenant,
        account_id=pack.account_id,
        kind=timeline.SENT,
        at=timezone.now(),
        title=", ".join(str(contact) for contact in contacts) or _("a link"),
        actor=member,
        data={"pack": pack.pk, "links": [shared.link.pk for shared in made]},
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action="pack.shared",
        target=f"pack:{pack.pk}",
        after={
            "links": [shared.link.pk for shared in made],
            "days": days,
            "contacts": [c.pk for c in contacts],
        },
    )
    return made


def _share(
    tenant: Tenant, pack: Pack, contact: Contact | None, days: int, member: Membership | None
) -> Shared:
    link, token = make_link(
        tenant=tenant,
        purpose=PURPOSE,
        object_id=pack.pk,
        account=pack.account,
        contact=contact,
        days=days,
        by=member,
    )
    return Shared(link, public_url("pack-page", token=token))


def _mail(
    tenant: Tenant,
    pack: Pack,
    contact: Contact,
    shared: Shared,
    subject: str,
    message: str,
    member: Membership | None,
) -> Message:
    standard_subject, standard_message = standard_mail(tenant, pack)
    return send_email(
        tenant=tenant,
        account=pack.account,
        contact=contact,
        subject=subject.strip() or standard_subject,
        body_md=message.strip() or standard_message,
        dedupe_key=f"pack-link-{shared.link.pk}",
        purpose="service",
        sender=member,
        action_url=shared.url,
    )


def standard_mail(tenant: Tenant, pack: Pack) -> tuple[str, str]:
    """Subject and text that are proposed, in the pack's language."""
    with override(pack.language):
        subject = _("Our review: %(account)s") % {"account": pack.account.name}
        body = _(
            "Hello {{ contact.first_name }},\n\nhere is our review. You can read it without a login, download it as PDF or "
            "PowerPoint, and write a comment at every section.\n\nWith kind regards"
        )
    return subject, body


def unshare(*, tenant: Tenant, link_id: int, member: Membership | None = None) -> SignedLink:
    """Take a link to a pack back; raises `SignedLink.DoesNotExist`."""
    found = SignedLink.objects.select_related("account").get(tenant=tenant, pk=link_id, purpose=PURPOSE)
    demand_account(member, found.account)
    link = revoke_link(tenant=tenant, link_id=link_id, by=member)
    record_audit(
        tenant=tenant,
        actor=member,
        action="pack.link_revoked",
        target=f"pack:{link.object_id}",
        after={"link": link.pk},
    )
    return link


def links_of(tenant: Tenant, pack: Pack) -> list[SignedLink]:
    """Links to the pack, the newest first."""
    found = SignedLink.objects.filter(tenant=tenant, purpose=PURPOSE, object_id=pack.pk)
    return list(found.select_related("contact", "created_by__user").order_by("-id"))


def shown_pack(tenant: Tenant, link: SignedLink) -> tuple[Pack, PackContent]:
    """What a link shows: the pack as it was last sent, never a draft. Raises `LinkRefused`."""
    pack = (
        Pack.objects.select_related("account__owner__user")
        .filter(tenant=tenant, pk=link.object_id, account_id=link.account_id)
        .first()
    )
    content = shown_content(tenant, pack) if pack is not None else None
    if pack is None or content is None:
        raise LinkRefused
    return pack, content


def shown_content(tenant: Tenant, pack: Pack) -> PackContent | None:
    """The content that customers see: of a pack that is sent its own, of one that was opened again what was sent last."""
    if pack.state in (Pack.State.SENT, Pack.State.HELD):
        return from_json(pack.content)
    if pack.state == Pack.State.SKIPPED:
        return None
    last = PackVersion.objects.filter(tenant=tenant, pack=pack).order_by("-number").first()
    return from_json(last.content) if last is not None else None
