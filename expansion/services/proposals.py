"""Making proposal documents: each is a version with the text and the price as they stood, and is kept as it was sent."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.languages import LANGUAGES, account_language
from accounts.models import Membership, Tenant
from expansion import stages, timeline
from expansion.models import Opportunity, Proposal
from expansion.proposal import Sender, proposal_content
from expansion.words import refusal_words
from outreach.documents.brand import brand_of
from outreach.documents.pdf import render_pdf
from usage.models import Metric
from usage.starter import starter_name

from .definitions import expansion_settings, offering_text
from .opportunities import demand_open, locked
from .telling import write_down

TEMPLATE = "expansion/documents/proposal.typ"


def make_proposal(
    *, tenant: Tenant, opportunity_id: int, language: str = "", member: Membership | None = None
) -> Proposal:
    """Set a proposal as a PDF and keep it as a new version; raises a ValidationError that says what is missing."""
    one = locked(tenant, opportunity_id, member)
    demand_open(one)
    missing = [
        code
        for there, code in ((bool(one.what), stages.NO_WHAT), (one.value_cents > 0, stages.NO_VALUE))
        if not there
    ]
    if missing:
        raise ValidationError(refusal_words(missing), code="stage")
    if language and language not in LANGUAGES:
        raise ValidationError({"language": _("Choose a language.")})
    spoken = language or account_language(tenant, one.account)
    today = tenant.today()
    valid_until = today + timedelta(days=expansion_settings(tenant).valid_days)
    last = Proposal.objects.filter(tenant=tenant, opportunity=one).aggregate(last=Max("number"))["last"] or 0
    owner = one.owner or one.account.owner
    sender = Sender(tenant.name, str(owner) if owner else tenant.name, owner.user.email if owner else "")
    title, pitch = offering_text(one.offering, spoken) if one.offering else (one.title, "")
    with override(spoken):
        content = proposal_content(
            one,
            sender=sender,
            number=last + 1,
            made_on=today,
            valid_until=valid_until,
            names=_names(tenant, one, spoken),
            partners=_partners(tenant, one),
            title=title,
            pitch=pitch,
        )
        pdf = render_pdf(
            template=TEMPLATE,
            data=content,
            brand=brand_of(tenant),
            language=spoken,
            at=timezone.now(),
        )
    made = Proposal.objects.create(
        tenant=tenant,
        opportunity=one,
        number=last + 1,
        language=spoken,
        content=content,
        pdf=pdf,
        sha256=hashlib.sha256(pdf).hexdigest(),
        valid_until=valid_until,
        net_cents=one.net_cents,
        currency=one.currency,
        made_at=timezone.now(),
        made_by=member,
    )
    if one.proposed_on is None:
        one.proposed_on = today
        one.save(update_fields=["proposed_on"])
    write_down(
        tenant,
        one,
        timeline.PROPOSED,
        member,
        {},
        title=_("%(what)s, version %(number)d") % {"what": one.title, "number": made.number},
        after={"number": made.number, "net_cents": made.net_cents, "sha256": made.sha256},
    )
    return made


def _names(tenant: Tenant, one: Opportunity, language: str) -> dict[str, str]:
    key = one.evidence.get("metric", "")
    found = Metric.objects.filter(tenant=tenant, key=key).values_list("key", "name")
    return {key: starter_name(key, name, language) for key, name in found}


def _partners(tenant: Tenant, one: Opportunity) -> list[str]:
    """What else closes with it."""
    if not one.bundle_pct:
        return []
    others = Opportunity.objects.filter(tenant=tenant, account_id=one.account_id, stage=stages.CLOSING)
    return [other.title for other in others.exclude(pk=one.pk).select_related("offering").order_by("pk")]
