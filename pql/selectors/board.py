"""Reads of leads: the board, the list, one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet

from accounts.access import has_role
from accounts.models import Contact, Membership, Role, Tenant, TimelineEntry
from pql import timeline
from pql.models import ContactScore, Lead, Signal, Standing
from scoring.models import KIND_CODES, CurrentScore
from scoring.specs import version_parts

PQL = KIND_CODES["pql"]
WHY_PARTS = 3
BUYER_ROLES = ("decision maker", "champion", "billing", "admin", "economic buyer", "owner")
MOST_PEOPLE = 50


def leads_of(
    tenant: Tenant,
    *,
    state: str = "",
    states: Collection[str] = (),
    account: str = "",
    owner_id: int | None = None,
    nobodys: bool = False,
    cause: str = "",
    band: int | None = None,
    overdue_at: datetime | None = None,
    text: str = "",
) -> QuerySet[Lead]:
    """Leads with account and people, the newest first, narrowed by what is given."""
    found = Lead.objects.filter(tenant=tenant)
    if state:
        found = found.filter(state=state)
    if states:
        found = found.filter(state__in=states)
    if account:
        found = found.filter(account__external_id=account)
    if owner_id is not None:
        found = found.filter(Q(owner_id=owner_id) | Q(owner=None, account__owner_id=owner_id))
    if nobodys:
        found = found.filter(owner=None, account__owner=None)
    if cause:
        found = found.filter(cause=cause)
    if band is not None:
        found = found.filter(band=band)
    if overdue_at is not None:
        found = found.filter(state=Lead.State.NEW, due_at__lt=overdue_at)
    if text:
        found = found.filter(
            account__name_search__gte=text.lower(), account__name_search__lt=text.lower() + "\uffff"
        )
    return found.select_related("account__owner__user", "owner__user").order_by("-id")


@dataclass(frozen=True)
class Part:
    """A component of the score: its name and its points out of its weight."""

    name: str
    points: float
    weight: float


@dataclass(frozen=True)
class SignalSeen:
    """A signal of an account: what, when last, what is left of its points."""

    name: str
    kind: str
    on: str  # a date as text, as it is stored
    points: float


@dataclass(frozen=True)
class LeadFacts:
    """What belongs to a lead and is not in its row."""

    standing: Standing | None = None
    current: CurrentScore | None = None
    parts: Sequence[Part] = ()
    signals: Sequence[SignalSeen] = field(default_factory=list)


def lead_facts(tenant: Tenant, account_ids: Collection[int]) -> dict[int, LeadFacts]:
    """Standing, newest score and why, for some accounts: five queries however many they are."""
    ids = list(account_ids)
    standings = {
        one.account_id: one
        for one in Standing.objects.filter(tenant=tenant, account_id__in=ids).select_related("disqualifier")
    }
    current = {
        one.account_id: one
        for one in CurrentScore.objects.filter(tenant=tenant, kind=PQL, account_id__in=ids).select_related(
            "version__model"
        )
    }
    parts = version_parts(tenant, {one.version_id: one.version for one in current.values()}.values())
    names = {signal.key: signal for signal in Signal.objects.filter(tenant=tenant)}
    out = {}
    for account_id in ids:
        standing, score = standings.get(account_id), current.get(account_id)
        worth = []
        if score is not None:
            worth = [
                Part(component.label, points, score.effective[place] or 0.0)
                for place, (component, _measures) in enumerate(parts[score.version_id])
                if (points := score.points[place])
            ]
        out[account_id] = LeadFacts(
            standing,
            score,
            sorted(worth, key=lambda part: -part.points)[:WHY_PARTS],
            [
                SignalSeen(names[s["key"]].name, names[s["key"]].kind, s["on"], s["points"])
                for s in (standing.signals if standing else [])
                if s["key"] in names
            ],
        )
    return out


def state_counts(tenant: Tenant, found: QuerySet[Lead]) -> dict[str, int]:
    """How many of these leads there are in each state: one query."""
    rows = found.order_by().values_list("state").annotate(n=Count("pk"))
    return dict(rows)


def lead(tenant: Tenant, pk: int) -> Lead | None:
    """One lead with everybody its page names."""
    return (
        Lead.objects.filter(tenant=tenant, pk=pk)
        .select_related(
            "account__owner__user", "owner__user", "accepted_by__user", "closed_by__user", "version__model"
        )
        .first()
    )


def open_lead(tenant: Tenant, account_id: int) -> Lead | None:
    """The lead of an account that somebody has to do something about."""
    return Lead.objects.filter(tenant=tenant, account_id=account_id, state__in=Lead.OPEN).first()


def lead_entries(tenant: Tenant, account_id: int, limit: int = 30) -> list[TimelineEntry]:
    """What happened with the leads of an account, the newest first."""
    found = TimelineEntry.objects.filter(tenant=tenant, account_id=account_id, kind__in=list(timeline.LABELS))
    return list(found.select_related("actor__user").order_by("-at", "-id")[:limit])


@dataclass(frozen=True)
class PersonLine:
    """A person at a lead: who they are and how much they use."""

    contact: Contact
    score: ContactScore | None

    @property
    def buys(self) -> bool:
        """Whether one of the person's roles has a say in buying."""
        return bool(set(self.contact.roles) & set(BUYER_ROLES))


def people_of(tenant: Tenant, account_id: int) -> list[PersonLine]:
    """Whom to talk to, the best first: those with a say and a score, then the other users, then who only has a role."""
    scores = {
        one.contact_id: one
        for one in ContactScore.objects.filter(tenant=tenant, account_id=account_id).order_by(
            F("score").desc(nulls_last=True), "contact_id"
        )[:MOST_PEOPLE]
    }
    chosen = Q(pk__in=list(scores)) | Q(account_id=account_id) & ~Q(roles=[])
    contacts = Contact.objects.filter(chosen, tenant=tenant, merged_into=None).order_by("name", "pk")
    lines = [PersonLine(contact, scores.get(contact.pk)) for contact in contacts[:MOST_PEOPLE]]

    def rank(line: PersonLine) -> tuple[bool, float]:
        return line.score is None, -((line.score.score if line.score else None) or 0.0)

    return sorted(lines, key=rank)


def first_to_call(lines: Sequence[PersonLine]) -> PersonLine | None:
    """The person a seller should begin with: the most active one with a say, else the most active one."""
    return next((line for line in lines if line.buys and line.score), None) or next(iter(lines), None)


def sellers(members: Sequence[Membership]) -> list[Membership]:
    """Members a lead can be handed to."""
    return [member for member in members if member.is_active and has_role(member, Role.CSM)]


def export_rows(tenant: Tenant, found: QuerySet[Lead], size: int = 500) -> Iterator[tuple[Lead, LeadFacts]]:
    """All of these leads, with their facts, in pieces."""
    last = None
    while True:
        part = list((found.filter(pk__lt=last) if last else found)[:size])
        facts = lead_facts(tenant, {one.account_id for one in part})
        for one in part:
            yield one, facts[one.account_id]
        if len(part) < size:
            return
        last = part[-1].pk


def kept_off(tenant: Tenant, status: str, limit: int = 100) -> list[Standing]:
    """Accounts that are not on the board for a reason, the strongest signals first."""
    found = Standing.objects.filter(tenant=tenant, status=status).select_related("account", "disqualifier")
    return list(found.order_by(F("signal_points").desc(nulls_last=True), "account_id")[:limit])


def standing_counts(tenant: Tenant) -> dict[str, int]:
    """How many accounts stand where: one query."""
    return dict(Standing.objects.filter(tenant=tenant).values_list("status").annotate(n=Count("pk")))
