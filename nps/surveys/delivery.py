"""The test mail of a survey, composed exactly as a contact's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.links import tenant_url
from accounts.mail import mail_domain
from accounts.models import Account, Contact, Membership, Tenant
from accounts.outbox import stable_id
from outreach.deciding import settings_of
from outreach.fields import values_of
from outreach.mail.compose import compose_message
from outreach.mail.viewing import logo_address
from outreach.models import Message

from .models import Survey
from .texts import body_of, context_of

SURVEY_TEST = "survey_test"


def example_mail(
    tenant: Tenant, survey: Survey, *, language: str, address: str, logo: bool = False
) -> EmailMultiAlternatives:
    """What a contact would get, on the newest account with a contact, else on made-up names; nothing is stored."""
    contact = (
        Contact.objects.filter(tenant=tenant, account__churned_on=None)
        .exclude(email="")
        .exclude(account=None)
        .select_related("account__owner__user")
        .order_by("-id")
        .first()
    )
    account = contact.account if contact and contact.account else Account(tenant=tenant, name=tenant.name)
    contact = contact or Contact(tenant=tenant, name="Ana Lopez", email=address)
    values = values_of(
        tenant=tenant,
        account=account,
        contact=contact,
        context=context_of(survey, tenant, language),
        language=language,
    )
    message = Message(
        tenant=tenant,
        pk=0,
        account=account,
        contact=contact if contact.pk else None,
        channel=Message.Channel.EMAIL,
        purpose="engagement",
        address=address,
        language=language,
        subject=survey.text("subject", language),
        body=body_of(survey, language),
        merged=values | {"survey.link": preview_url(tenant, survey, language)},
        created_at=timezone.now(),
    )
    choices = settings_of(tenant)
    return compose_message(
        tenant, choices, message, logo=logo_address(choices) if logo else "", looked_at=logo
    )


def preview_url(tenant: Tenant, survey: Survey, language: str) -> str:
    """The preview of the page, for those who may log in."""
    return tenant_url(tenant, "workspace:nps_survey_page", pk=survey.pk, language=language)


def send_survey_test(tenant: Tenant, key: str, payload: Mapping[str, Any]) -> None:
    """Outbox handler: the test goes to the member who asked for it."""
    with tenant_scope(tenant):
        survey = Survey.objects.filter(tenant=tenant, pk=payload["survey_id"]).first()
        member = (
            Membership.objects.select_related("user")
            .filter(tenant=tenant, pk=payload["membership_id"], is_active=True)
            .first()
        )
        if survey is None or member is None:
            return
        mail = example_mail(tenant, survey, language=payload["language"], address=member.user.email)
    mail.extra_headers["Message-ID"] = f"<{stable_id(tenant, SURVEY_TEST, key)}@{mail_domain()}>"
    mail.send()
