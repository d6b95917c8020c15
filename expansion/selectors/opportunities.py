"""Reads of opportunities: lists, one of them, what an account should be offered."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import Q, QuerySet

from accounts.models import Account, Membership, Role, Tenant, TimelineEntry
from expansion import stages, timeline
from expansion.models import Discount, Opportunity, Proposal, StageChange


def opportunities_of(
    tenant: Tenant,
    *,
    stage: str = "",
    only_stages: Collection[str] = (),
    account: str = "",
    owner_id: int | None = None,
    nobodys: bool = False,
    type: str = "",
    what: str = "",
    segment: str = "",
    text: str = "",
) -> QuerySet[Opportunity]:
    """Opportunities with account, people and offering, the newest first, narrowed by what is given."""
    found = Opportunity.objects.filter(tenant=tenant)
    if stage:
        found = found.filter(stage=stage)
    if only_stages:
        found = found.filter(stage__in=only_stages)
    if account:
        found = found.filter(account__external_id=account)
    if owner_id is not None:
        found = found.filter(Q(owner_id=owner_id) | Q(owner=None, account__owner_id=owner_id))
    if nobodys:
        found = found.filter(owner=None, account__owner=None)
    if type:
        found = found.filter(type=type)
    if what:
        found = found.filter(what=what)
    if segment:
        found = found.filter(account__segment=segment)
    if text:
        found = found.filter(
            account__name_search__gte=text.lower(), account__name_search__lt=text.lower() + "\uffff"
        )
    return found.select_related("account__owner__user", "owner__user", "offering", "trigger").order_by("-id")


def opportunity(tenant: Tenant, pk: int) -> Opportunity | None:
    """One opportunity with everybody its page names."""
    return (
        Opportunity.objects.filter(tenant=tenant, pk=pk)
        .select_related(
            "account__owner__user",
            "owner__user",
            "created_by__user",
            "closed_by__user",
            "offering",
            "trigger",
            "subscription",
            "tenant",
        )
        .first()
    )


def open_opportunities(tenant: Tenant, account_ids: Collection[int]) -> dict[int, list[Opportunity]]:
    """The open opportunities of each of these accounts, the best first; accounts without one are missing. One query."""
    found = Opportunity.objects.filter(
        tenant=tenant, account_id__in=list(account_ids), stage__in=stages.OPEN
    ).select_related("offering", "owner__user", "account")
    out: dict[int, list[Opportunity]] = {}
    for one in found:
        out.setdefault(one.account_id, []).append(one)
    return {account_id: sorted(ones, key=_worth, reverse=True) for account_id, ones in out.items()}


def _worth(one: Opportunity) -> tuple[int, int, int]:
    """The furthest on its way, then the one that is worth most, then the oldest."""
    return stages.ORDER.index(one.stage), one.net_cents * one.probability_pct, -one.pk


def best_proposal(tenant: Tenant, account: Account | int) -> Opportunity | None:
    """What an account should concretely be offered: the open opportunity that is furthest, and worth most there."""
    account_id = account if isinstance(account, int) else account.pk
    found = open_opportunities(tenant, [account_id]).get(account_id, [])
    named = [one for one in found if one.what]  # what nobody has named yet is no proposal
    return next(iter(named or found), None)


def account_opportunities(tenant: Tenant, account_id: int, closed: int = 10) -> list[Opportunity]:
    """Every open opportunity of an account and the newest closed ones; two queries."""
    opened = open_opportunities(tenant, [account_id]).get(account_id, [])
    over = Opportunity.objects.filter(tenant=tenant, account_id=account_id, stage__in=stages.CLOSED)
    return [*opened, *over.select_related("offering", "owner__user").order_by("-closed_on", "-id")[:closed]]


def moves_of(tenant: Tenant, opportunity_id: int) -> list[StageChange]:
    """How an opportunity moved, the newest first."""
    found = StageChange.objects.filter(tenant=tenant, opportunity_id=opportunity_id)
    return list(found.select_related("by__user").order_by("-id"))


def discounts_of(tenant: Tenant, opportunity_id: int) -> list[Discount]:
    """Every discount that was asked for, the newest first."""
    found = Discount.objects.filter(tenant=tenant, opportunity_id=opportunity_id)
    return list(found.select_related("asked_by__user", "decided_by__user").order_by("-id"))


def proposals_of(tenant: Tenant, opportunity_id: int) -> list[Proposal]:
    """The proposals that were made, the newest first, without the files."""
    found = Proposal.objects.filter(tenant=tenant, opportunity_id=opportunity_id).defer("pdf")
    return list(found.select_related("made_by__user").order_by("-number"))


def waiting_discounts(tenant: Tenant, member: Membership) -> list[Discount]:
    """The discounts that wait for somebody of this member's role, the oldest first."""
    roles: Sequence[str] = {
        Role.ADMIN: (Role.CSM, Role.MANAGER, Role.ADMIN),
        Role.MANAGER: (Role.CSM, Role.MANAGER),
    }.get(Role(member.role), ())
    if not roles:
        return []
    found = Discount.objects.filter(tenant=tenant, state=Discount.State.PENDING, needs__in=roles)
    return list(
        found.select_related("opportunity__account", "opportunity__offering", "asked_by__user").order_by("id")
    )


def opportunity_entries(tenant: Tenant, one: Opportunity, limit: int = 30) -> list[TimelineEntry]:
    """What happened with an opportunity, from its account's timeline, the newest first."""
    found = TimelineEntry.objects.filter(
        tenant=tenant,
        account_id=one.account_id,
        kind__in=list(timeline.LABELS),
        data__opportunity=one.pk,
    )
    return list(found.select_related("actor__user").order_by("-at", "-id")[:limit])
