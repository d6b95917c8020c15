"""The mail that lets a new member in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from accounts.links import public_url, tenant_url
from accounts.models import Membership, Tenant, User


def send_invitation_mail(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> None:
    """Outbox handler: write to the member in the member's language; nothing to do when the member has gone meanwhile."""
    member = (
        Membership.objects.select_related("user")
        .filter(tenant=tenant, pk=payload["membership_id"], is_active=True)
        .first()
    )
    if member is None:
        return
    with translation.override(member.user.language or tenant.language):
        context = {
            "tenant": tenant,
            "invited_by": payload["invited_by"],
            "has_password": member.user.has_usable_password(),
            "link": tenant_url(tenant) if member.user.has_usable_password() else password_link(member.user),
        }
        subject = " ".join(render_to_string("accounts/mail/invitation_subject.txt", context).split())
        text = render_to_string("accounts/mail/invitation.txt", context)
    message_id = f"<invitation.{tenant.slug}.{key}@cs-platform>"
    EmailMessage(subject, text, to=[member.user.email], headers={"Message-ID": message_id}).send()


def password_link(user: User) -> str:
    """An address where this person, once and for three days, chooses a password."""
    return public_url(
        "account_reset_password_from_key",
        uidb36=user_pk_to_url_str(user),
        key=default_token_generator.make_token(user),
    )
