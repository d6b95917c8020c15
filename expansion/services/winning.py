"""Winning: the subscription grows, the account holds the offering, and the month counts what was added."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Subscription, Tenant
from accounts.upserts import roll_up_subscriptions
from expansion import stages, timeline
from expansion.models import Holding, Opportunity, Stage
from expansion.pricing import net_cents

from .opportunities import NOTE_LENGTH, demand_stage, locked, note_move
from .telling import publish, write_down

EXTERNAL_ID = "opportunity-{}"


def win_opportunity(
    *,
    tenant: Tenant,
    opportunity_id: int,
    starts_on: date | None = None,
    note: str = "",
    member: Membership | None = None,
) -> Opportunity:
    """The account bought it: MRR, seats and what it holds change at once; twice is once.

    What is paid every month becomes a subscription of its own beside those that other systems keep up to date, so none of
    them is overwritten; an account that never had a subscription gets MRR and seats on its own row. What is paid once
    changes neither.
    """
    one = locked(tenant, opportunity_id, member)
    if one.stage == stages.WON:
        return one
    demand_stage(one, stages.WON)
    account, today = one.account, tenant.today()
    if one.recurring and account.currency and account.currency != one.currency:
        raise ValidationError(
            _(
                "The account pays in %(account)s and the opportunity is in %(own)s; open it again in the account's currency."
            )
            % {"account": account.currency, "own": one.currency}
        )
    before, starts = one.stage, starts_on or today
    one.stage, one.probability_pct = Stage.WON, 100
    one.net_cents = net_cents(one.value_cents, one.discount_pct, one.bundle_pct)
    one.mrr_before_cents = account.mrr_cents
    one.won_mrr_cents = one.net_cents if one.recurring else 0
    one.closed_at, one.closed_on, one.closed_by = timezone.now(), today, member
    if one.recurring:
        _grow(tenant, one, starts)
    _hold(tenant, one, starts)
    note_move(tenant, one, before=before, member=member, note=note)
    one.save()
    write_down(
        tenant,
        one,
        timeline.WON,
        member,
        {"stage": before, "mrr_cents": one.mrr_before_cents},
        title=one.title,
        text=note.strip()[:NOTE_LENGTH],
        after={
            "stage": one.stage,
            "won_mrr_cents": one.won_mrr_cents,
            "seats": one.seats,
            "subscription": EXTERNAL_ID.format(one.pk) if one.subscription_id else None,
        },
    )
    publish(tenant, one, "won")
    return one


def _grow(tenant: Tenant, one: Opportunity, starts: date) -> None:
    """More MRR and seats, where the account has its money from."""
    account = one.account
    if not Subscription.objects.filter(tenant=tenant, account=account).exists():
        account.mrr_cents += one.net_cents
        account.currency = account.currency or one.currency
        if one.seats:
            account.seats = (account.seats or 0) + one.seats
        account.save(update_fields=["mrr_cents", "currency", "seats", "updated_at"])
        return
    one.subscription, _made = Subscription.objects.get_or_create(
        tenant=tenant,
        external_id=EXTERNAL_ID.format(one.pk),
        defaults={
            "account": account,
            "plan": one.title[:100],
            "seats": one.seats or None,
            "mrr_cents": one.net_cents,
            "currency": one.currency,
            "starts_on": starts,
            "renews_on": account.renewal_on,
        },
    )
    roll_up_subscriptions(tenant=tenant, account_ids=[account.pk])
    account.refresh_from_db(fields=["mrr_cents", "seats", "plan", "renewal_on"])


def _hold(tenant: Tenant, one: Opportunity, starts: date) -> None:
    """The whitespace knows it at once, not only after the night."""
    if one.offering is None or one.offering.is_repeatable:
        return
    Holding.objects.get_or_create(
        tenant=tenant,
        account_id=one.account_id,
        offering=one.offering,
        until_on=None,
        defaults={"source": Holding.Source.WON, "since_on": starts, "mrr_cents": one.won_mrr_cents},
    )
