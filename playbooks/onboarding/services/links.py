"""Links under which a customer sees the plan: signed, with an end, and they can be taken back."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.core import signing
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.languages import LANGUAGES, account_language
from accounts.links import public_url
from accounts.models import Membership, Tenant
from accounts.services import record_audit, record_timeline
from playbooks.onboarding import timeline
from playbooks.onboarding.models import OnboardingLink, OnboardingPlan
from playbooks.rights import demand_account

SALT = "playbooks.onboarding"
MOST_DAYS = 365
TOKEN_LENGTH = 200


def share_plan(
    *, tenant: Tenant, plan_id: int, days: int = 90, language: str = "", member: Membership | None = None
) -> OnboardingLink:
    """Make a link for the customer that is open for so many days."""
    plan = OnboardingPlan.objects.select_related("account").get(tenant=tenant, pk=plan_id)
    demand_account(member, plan.account)
    if not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": _("Choose between 1 and %(most)d days.") % {"most": MOST_DAYS}})
    link = OnboardingLink.objects.create(
        tenant=tenant,
        plan=plan,
        key=secrets.token_urlsafe(18),
        language=language if language in LANGUAGES else account_language(tenant, plan.account),
        expires_on=tenant.today() + timedelta(days=days),
        created_by=member,
    )
    record_timeline(
        tenant=tenant,
        account_id=plan.account_id,
        kind=timeline.SHARED,
        at=timezone.now(),
        title=link.expires_on.isoformat(),
        actor=member,
        data={"plan": plan.pk, "link": link.pk, "expires_on": link.expires_on.isoformat()},
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action="onboarding.shared",
        target=f"plan:{plan.pk}",
        after={"link": link.pk, "expires_on": link.expires_on.isoformat()},
    )
    return link


def revoke_link(*, tenant: Tenant, link_id: int, member: Membership | None = None) -> OnboardingLink:
    """Take a link back; whoever opens it sees that it is no longer open."""
    link = OnboardingLink.objects.select_related("plan__account").get(tenant=tenant, pk=link_id)
    demand_account(member, link.plan.account)
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
        record_audit(
            tenant=tenant,
            actor=member,
            action="onboarding.link_revoked",
            target=f"plan:{link.plan_id}",
            after={"link": link.pk},
        )
    return link


def address_of(link: OnboardingLink) -> str:
    """The absolute address of a link."""
    return public_url("onboarding-plan", token=token_of(link))


def token_of(link: OnboardingLink) -> str:
    """The signed part of a link's address."""
    return signing.dumps([link.tenant_id, link.pk, link.key], salt=SALT)


def read_token(token: str) -> tuple[int, int, str] | None:
    """Tenant, link and key of an address; None for what nobody signed here."""
    if len(token) > TOKEN_LENGTH:
        return None
    try:
        tenant_id, link_id, key = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return int(tenant_id), int(link_id), str(key)
