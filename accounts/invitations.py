"""The mail that lets a new member in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from accounts.links import public_url, tenant_url
from accounts.mail import Letter, message_of
from accounts.models import Membership, Tenant, User
from accounts.outbox import stable_id
from accounts.services.members import INVITATION


def send_invitation_mail(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> None:
    """Outbox handler: write to the member in the member's language; nothing to do when the member has gone meanwhile."""
    message = compose_invitation(tenant, key, payload)
    if message is not None:
        message.send()


def compose_invitation(
    tenant: Tenant, key: str, payload: Mapping[str, Any], *, with_link: bool = True
) -> EmailMultiAlternatives | None:
    """The mail; without its link for whoever only looks at what was sent, since the link lets one in."""
    member = (
        Membership.objects.select_related("user")
        .filter(tenant=tenant, pk=payload["membership_id"], is_active=True)
        .first()
    )
    if member is None:
        return None
    language = member.user.language or tenant.language
    has_password = member.user.has_usable_password()
    if has_password or not with_link:
        link = tenant_url(tenant)
    else:
        link = password_link(member.user)
    with translation.override(language):
        context = {
            "tenant": tenant,
            "invited_by": payload["invited_by"],
            "has_password": has_password,
            "link": link,
        }
        subject = " ".join(render_to_string("accounts/mail/invitation_subject.txt", context).split())
        text = render_to_string("accounts/mail/invitation.txt", context)
    return message_of(
        Letter(subject, text, language=language),
        tenant=tenant,
        to=[member.user.email],
        message_id=stable_id(tenant, INVITATION, key),
    )


def password_link(user: User) -> str:
    """An address where this person, once and for three days, chooses a password."""
    return public_url(
        "account_reset_password_from_key",
        uidb36=user_pk_to_url_str(user),
        key=default_token_generator.make_token(user),
    )
