"""The whitespace: what each account has, could have and cannot have, a page of accounts at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Account, Tenant
from expansion import stages
from expansion.models import Holding, Offering, Opportunity, OpportunityType

OWNED, PIPELINE, GAP, NOT_ELIGIBLE = "owned", "pipeline", "gap", "not_eligible"
STATES = (OWNED, PIPELINE, GAP, NOT_ELIGIBLE)
EXPORT_PART = 1000
MATRIX_TYPES = (OpportunityType.CROSS_PRODUCT, OpportunityType.CROSS_DEPARTMENT)


class Cell(NamedTuple):
    """What an offering is to an account."""

    offering: Offering
    state: str
    cents: int | None = None  # what it pays for it, or what the opportunity is worth
    opportunity_id: int | None = None
    stage: str = ""


@dataclass(frozen=True)
class Row:
    """An account with a cell for each offering, in their order."""

    account: Account
    cells: list[Cell]


def matrix_offerings(tenant: Tenant, types: Sequence[str] = MATRIX_TYPES) -> list[Offering]:
    """The columns: active offerings of these types; one query."""
    return list(
        Offering.objects.filter(tenant=tenant, active=True, type__in=list(types)).order_by("position", "id")
    )


def matrix_accounts(
    tenant: Tenant,
    *,
    owner_id: int | None = None,
    segment: str = "",
    text: str = "",
    offering: Offering | None = None,
    state: str = "",
) -> QuerySet[Account]:
    """Accounts that have not churned, by id; with an offering and a state only those that stand so to it."""
    today = tenant.today()
    found = Account.objects.filter(tenant=tenant).filter(Q(churned_on=None) | Q(churned_on__gt=today))
    if owner_id is not None:
        found = found.filter(owner_id=owner_id)
    if segment:
        found = found.filter(segment=segment)
    if text:
        found = found.filter(name_search__gte=text.lower(), name_search__lt=text.lower() + "\uffff")
    if offering is not None and state in STATES:
        found = found.filter(_stands(tenant, offering, state))
    return found.order_by("id")


def _stands(tenant: Tenant, offering: Offering, state: str) -> Q:
    """The same order of states as in `cells_of`: owned, then in the pipeline, then not eligible, else a gap."""
    held = Exists(
        Holding.objects.filter(tenant=tenant, account_id=OuterRef("pk"), offering=offering, until_on=None)
    )
    opened = Exists(
        Opportunity.objects.filter(
            tenant=tenant,
            account_id=OuterRef("pk"),
            type=offering.type,
            what=offering.key,
            stage__in=stages.OPEN,
        )
    )
    fits = Q()
    if offering.segments:
        fits &= Q(segment__in=offering.segments)
    if offering.plan_kinds:
        fits &= Q(plan_kind__in=offering.plan_kinds)
    if state == OWNED:
        return Q(held)
    if state == PIPELINE:
        return ~Q(held) & Q(opened)
    free = ~Q(held) & ~Q(opened)
    if state == GAP:
        return free & fits
    return free & ~fits if offering.segments or offering.plan_kinds else Q(pk__in=[])


def eligible(offering: Offering, account: Account) -> bool:
    """Whether the offering is for accounts like this one."""
    return (not offering.segments or account.segment in offering.segments) and (
        not offering.plan_kinds or account.plan_kind in offering.plan_kinds
    )


def rows_of(tenant: Tenant, accounts: Sequence[Account], offerings: Sequence[Offering]) -> list[Row]:
    """The cells of some accounts; two queries however many they are."""
    ids = [account.pk for account in accounts]
    held = {
        (one.account_id, one.offering_id): one.mrr_cents
        for one in Holding.objects.filter(tenant=tenant, account_id__in=ids, until_on=None)
    }
    opened = {
        (one.account_id, one.type, one.what): one
        for one in Opportunity.objects.filter(tenant=tenant, account_id__in=ids, stage__in=stages.OPEN)
    }
    rows = []
    for account in accounts:
        cells = []
        for offering in offerings:
            place = (account.pk, offering.pk)
            one = opened.get((account.pk, offering.type, offering.key))
            if place in held:
                cells.append(Cell(offering, OWNED, held[place]))
            elif one is not None:
                cells.append(Cell(offering, PIPELINE, one.net_cents, one.pk, one.stage))
            else:
                cells.append(Cell(offering, GAP if eligible(offering, account) else NOT_ELIGIBLE))
        rows.append(Row(account, cells))
    return rows


def export_matrix(
    tenant: Tenant, found: QuerySet[Account], offerings: Sequence[Offering], size: int = EXPORT_PART
) -> Iterator[Row]:
    """Every row, in pieces."""
    last = 0
    while True:
        part = list(found.filter(pk__gt=last).select_related("owner__user")[:size])
        yield from rows_of(tenant, part, offerings)
        if len(part) < size:
            return
        last = part[-1].pk
