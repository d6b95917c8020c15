"""The concrete proposal of a pack: the account's best open opportunity in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Tenant
from expansion.models import Opportunity
from expansion.selectors import open_opportunities
from qbr import numbers


@dataclass(frozen=True)
class Proposal:
    """What is proposed, what it costs, and the facts behind it."""

    title: str
    price: str = ""
    reasons: tuple[str, ...] = ()


def proposals_for(
    tenant: Tenant, account_ids: Collection[int], language_of: Mapping[int, str]
) -> dict[int, Proposal]:
    """Account → proposal: the furthest opportunity that says what is sold; accounts without one are missing. One query."""
    out = {}
    for account_id, found in open_opportunities(tenant, account_ids).items():
        named = [one for one in found if one.what] or found
        with translation.override(language_of[account_id]):
            out[account_id] = proposal_of(named[0], language_of[account_id])
    return out


def proposal_of(opportunity: Opportunity, language: str) -> Proposal:
    """One opportunity as the customer reads it: nothing of our stages and probabilities."""
    name = opportunity.offering.name if opportunity.offering else str(opportunity.get_type_display())
    title = _("%(what)s: %(seats)s more seats") if opportunity.seats else "%(what)s"
    reasons = []
    if opportunity.roi_cents:
        amount = numbers.money(opportunity.roi_cents, opportunity.currency, language)
        reasons.append(_("What you use today brings %(amount)s a month.") % {"amount": amount})
    if opportunity.pilot_goal:
        reasons.append(_("A short pilot shows whether it fits: %(goal)s") % {"goal": opportunity.pilot_goal})
    return Proposal(
        title % {"what": name, "seats": numbers.number(opportunity.seats, language)},
        _price(opportunity, language),
        tuple(reasons),
    )


def _price(opportunity: Opportunity, language: str) -> str:
    cents = opportunity.net_cents or opportunity.value_cents
    if not cents:
        return ""
    amount = numbers.money(cents, opportunity.currency, language)
    if not opportunity.recurring:
        return _("%(amount)s once") % {"amount": amount}
    return _("%(amount)s a month") % {"amount": amount}
