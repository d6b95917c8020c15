"""What the demo's people sold beside what accounts had: opportunities in every stage, won and lost over half a year.

The services would sign it with today's date; a handful of bulk statements tell half a year in well under a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from accounts.models import Account, Subscription, Tenant, TimelineEntry
from accounts.upserts import roll_up_subscriptions
from expansion import stages, timeline
from expansion.models import Offering, Opportunity, OpportunityType, Stage, StageChange, Trigger
from expansion.pricing import net_cents
from expansion.services import evaluate_expansion, expansion_settings

WAYS = {
    stages.CASE: (stages.CASE,),
    stages.PROPOSAL: (stages.CASE, stages.PROPOSAL),
    stages.PILOT: (stages.CASE, stages.PROPOSAL, stages.PILOT),
    stages.CLOSING: (stages.CASE, stages.PROPOSAL, stages.CLOSING),
    stages.WON: (stages.CASE, stages.PROPOSAL, stages.PILOT, stages.CLOSING, stages.WON),
    stages.LOST: (stages.CASE, stages.PROPOSAL, stages.LOST),
}
# Where each of the plans is, what was sold, how many days ago its last move was, and its discount.
DEALS: tuple[tuple[str, str, int, int], ...] = (
    ("won", "marketing", 150, 10), ("won", "premium_support", 118, 0), ("won", "docs", 92, 5), ("won", "seats", 61, 0),
    ("won", "dept_marketing", 40, 10), ("won", "course", 24, 0), ("won", "workshop", 11, 0), ("won", "docs", 6, 5),
    ("lost", "marketing", 105, 0), ("lost", "course", 70, 0), ("lost", "dept_sales", 33, 0), ("lost", "workshop", 12, 0),
    ("case", "course", 3, 0), ("case", "dept_learning", 19, 0), ("case", "seats", 8, 0), ("case", "marketing", 5, 0),
    ("proposal", "docs", 6, 5), ("proposal", "dept_sales", 28, 0), ("proposal", "premium_support", 10, 0),
    ("pilot", "marketing", 9, 0), ("pilot", "dept_learning", 16, 10), ("closing", "course", 4, 10),
    ("closing", "dept_marketing", 21, 5), ("closing", "workshop", 2, 0),
)  # fmt: skip
LOST_FOR = ("no_budget", "not_now", "no_decision", "price")
DAYS_A_STAGE = 13
CASES = {
    "en": "They use what they have every day and ask who else could.\nThe other team does the same work by hand.",
    "es": "Usan a diario lo que tienen y preguntan quién más podría.\nEl otro equipo hace el mismo trabajo a mano.",
}
PILOTS = {
    "en": "Ten people work with it for two weeks; half of them every day",
    "es": "Diez personas lo usan dos semanas; la mitad, a diario",
}
STEPS = {
    "en": ("Meet the champion", "Send the figures again", "Ask who decides", "Agree on a date"),
    "es": (
        "Reunión con la persona impulsora",
        "Enviar de nuevo las cifras",
        "Preguntar quién decide",
        "Fijar fecha",
    ),
}


@dataclass(frozen=True)
class _Deal:
    """One of the deals, at an account."""

    place: int
    stage: str
    what: str
    ago: int
    discount: int
    account: Account


def grow(tenant: Tenant, day: date) -> int:
    """Say what accounts have, tell the deals of half a year, and let the night find more; returns how many there are."""
    expansion_settings(tenant)
    _say_plans(tenant)
    accounts = Account.objects.filter(tenant=tenant, churned_on=None, owner__isnull=False, mrr_cents__gt=0)
    chosen = list(accounts.select_related("owner").order_by("-mrr_cents", "id")[: len(DEALS)])
    deals = [
        _Deal(place, stage, what, ago, discount, chosen[place * 5 % len(chosen)])
        for place, (stage, what, ago, discount) in enumerate(DEALS)
        if chosen
    ]
    _tell(tenant, day, _unlike(deals))
    evaluate_expansion(tenant=tenant, day=day, suppress_deliveries=True)
    return Opportunity.objects.filter(tenant=tenant).count()


def _unlike(deals: Sequence[_Deal]) -> list[_Deal]:
    """An account buys a thing once."""
    seen: set[tuple[int, str]] = set()
    out = []
    for deal in deals:
        if (deal.account.pk, deal.what) not in seen:
            seen.add((deal.account.pk, deal.what))
            out.append(deal)
    return out


def _say_plans(tenant: Tenant) -> None:
    """Which plan includes what, and which use shows it: the whitespace is told from that; and when triggers fire here.

    Smaller customers of the story buy seats in the product by themselves, and leads have a board of their own.
    """
    Offering.objects.filter(tenant=tenant, type=OpportunityType.SEATS).update(segments=["enterprise"])
    for key, least in (("winners_stable", 4), ("pql_high", 84), ("limit_reached", 95)):
        Trigger.objects.filter(tenant=tenant, key=key).update(at_least=least)
    for key, plans, metric, least in (
        ("marketing", ["Enterprise"], "", 1),
        ("course", [], "ab_winners", 6),
        ("dept_sales", ["Enterprise", "Growth", "Starter"], "", 1),
        ("dept_marketing", [], "email_sequences", 4),
    ):
        Offering.objects.filter(tenant=tenant, key=key).update(
            plans=plans, metric_key=metric, metric_least=least
        )


def _tell(tenant: Tenant, day: date, deals: Sequence[_Deal]) -> None:
    settings = expansion_settings(tenant)
    offerings = {one.key: one for one in Offering.objects.filter(tenant=tenant)}
    language = "es" if tenant.language == "es" else "en"
    steps = STEPS[language]
    rows = []
    for deal in deals:
        account, offering, place = deal.account, offerings[deal.what], deal.place
        way = WAYS[deal.stage]
        moved = day - timedelta(days=deal.ago)
        opened = moved - timedelta(days=DAYS_A_STAGE * (len(way) - 1))
        seats = 5 if offering.per_seat else None
        value = offering.price_cents * (seats or 1) or max(account.mrr_cents // 6 // 1000 * 1000, 20_000)
        closed = deal.stage in stages.CLOSED
        far = stages.ORDER.index(deal.stage)
        rows.append(
            Opportunity(
                tenant=tenant,
                account=account,
                type=offering.type,
                what=offering.key,
                offering=offering,
                stage=Stage(deal.stage),
                stage_since=moved,
                value_cents=value,
                net_cents=net_cents(value, deal.discount),
                discount_pct=deal.discount,
                currency=account.currency or tenant.currency,
                recurring=offering.recurring,
                seats=seats,
                probability_pct=settings.probability(deal.stage),
                opened_by=Opportunity.OpenedBy.PERSON,
                opened_on=opened,
                created_by=account.owner,
                owner=account.owner,
                close_on=moved if closed else day + timedelta(days=9 * place % 70 - 6),
                next_step="" if closed else steps[place % len(steps)],
                next_on=None if closed else day + timedelta(days=place % 9 + 1),
                case_text=CASES[language] if far or place % 2 else "",
                roi_cents=account.mrr_cents * 3 if far or place % 2 else None,
                proposed_on=moved if far else None,
                pilot_goal=PILOTS[language] if stages.PILOT in way else "",
                pilot_until=day + timedelta(days=6) if deal.stage == stages.PILOT else None,
                closed_on=moved if closed else None,
                closed_at=_noon(tenant, moved) if closed else None,
                closed_by=account.owner if closed else None,
                lost_reason=LOST_FOR[place % len(LOST_FOR)] if deal.stage == stages.LOST else "",
                mrr_before_cents=account.mrr_cents if deal.stage == stages.WON else None,
            )
        )
    made = Opportunity.objects.bulk_create(rows)
    _bill(tenant, [one for one in made if one.stage == stages.WON])
    _trace(tenant, made)


def _bill(tenant: Tenant, won: Sequence[Opportunity]) -> None:
    """What was won and is paid every month is a subscription of its own, as the service would have made it."""
    lines = Subscription.objects.bulk_create(
        Subscription(
            tenant=tenant,
            external_id=f"opportunity-{one.pk}",
            account=one.account,
            plan=one.title,
            seats=one.seats,
            mrr_cents=one.net_cents,
            currency=one.currency,
            starts_on=one.closed_on,
            renews_on=one.account.renewal_on,
        )
        for one in won
        if one.recurring
    )
    of = {line.external_id: line for line in lines}
    for one in won:
        one.subscription = of.get(f"opportunity-{one.pk}")
        one.won_mrr_cents = one.net_cents if one.recurring else 0
    Opportunity.objects.bulk_update(won, ["subscription", "won_mrr_cents"])
    roll_up_subscriptions(tenant=tenant, account_ids=[one.account_id for one in won])


def _trace(tenant: Tenant, made: Sequence[Opportunity]) -> None:
    """How each came where it is, in the history and on the timeline."""
    moves, entries = [], []
    kinds = {stages.WON: timeline.WON, stages.LOST: timeline.LOST}
    for one in made:
        way, before = WAYS[one.stage], ""
        for step, stage in enumerate(way):
            on = one.stage_since - timedelta(days=DAYS_A_STAGE * (len(way) - 1 - step))
            at = _noon(tenant, on)
            moves.append(
                StageChange(
                    tenant=tenant,
                    opportunity=one,
                    before=before,
                    after=stage,
                    on=on,
                    at=at,
                    by=one.owner,
                    days=DAYS_A_STAGE if before else 0,
                    value_cents=one.value_cents,
                )
            )
            kind = kinds.get(stage, timeline.MOVED if before else timeline.OPENED)
            title = one.title if kind != timeline.MOVED else f"{one.title}: {Stage(stage).label}"
            entries.append(
                TimelineEntry(
                    tenant=tenant,
                    account=one.account,
                    kind=kind,
                    at=at,
                    title=title,
                    actor=one.owner,
                    data={"opportunity": one.pk},
                )
            )
            before = stage
    StageChange.objects.bulk_create(moves)
    TimelineEntry.objects.bulk_create(entries)


def _noon(tenant: Tenant, day: date) -> datetime:
    return datetime.combine(day, time(12, 15), tenant.tz)
