"""Renewals in the demo: what was paid in the past, a year of closed ones, forecasts, plans and calls of the open ones."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from accounts.models import Subscription, Tenant
from alerts.at_risk import accounts_with_severe_alerts
from expansion.models import MrrChange, Renewal, RenewalChange, RenewalCheckpoint
from expansion.renewals.amounts import outcome_of
from expansion.renewals.services import PlanStep, keep_renewals, make_plan, note_call, set_forecast
from expansion.renewals.terms import add_months
from expansion.revenue.history import keep_mrr_history

# So much of what is paid today was paid before the last change, in percent of today's; the shares are those of a company
# that grows with its customers.
CHANGES = ((34, 78), (14, 60), (9, 122))  # accounts of a hundred, the earlier MRR
REASONS = (
    Renewal.Reason.NO_VALUE,
    Renewal.Reason.BUDGET,
    Renewal.Reason.CHAMPION,
    Renewal.Reason.COMPETITOR,
    Renewal.Reason.FEWER,
)
PLAN = {
    "en": (
        "Nobody of the sales team has opened it for weeks.",
        "Call the decision maker",
        "Show the value of the last quarter",
    ),
    "es": (
        "Nadie del equipo de ventas lo abre desde hace semanas.",
        "Llamar a quien decide",
        "Mostrar el valor del último trimestre",
    ),
}
CALLS = {
    "en": "They would renew today, if the integration is ready by then.",
    "es": "Renovarían hoy mismo si la integración está lista para entonces.",
}


def _draw(number: int) -> int:
    """0–99, always the same for the same number."""
    return number * 7_919 % 100


def renew(tenant: Tenant, day: date) -> None:
    """The past first, then the night's own steps, then what people said."""
    _past(tenant, day)
    keep_mrr_history(tenant=tenant, day=day)
    keep_renewals(tenant=tenant, day=day, severe=accounts_with_severe_alerts(tenant))
    _say(tenant, day)


def _past(tenant: Tenant, day: date) -> None:
    """What accounts paid before their last change, and how the terms of the last year ended."""
    history: list[MrrChange] = []
    closed: list[Renewal] = []
    lines = Subscription.objects.filter(tenant=tenant, starts_on__isnull=False, mrr_cents__gt=0)
    for place, line in enumerate(lines.select_related("account").order_by("id")):
        assert line.starts_on is not None
        last_day = min(line.ends_on or day, day)
        before = _earlier(line.mrr_cents, _draw(place))
        changed_on = last_day - timedelta(days=25 + place * 37 % 300)
        if before != line.mrr_cents and changed_on > line.starts_on + timedelta(days=30):
            for on, cents in ((line.starts_on, before), (changed_on, line.mrr_cents)):
                history.append(
                    MrrChange(
                        tenant=tenant,
                        account_id=line.account_id,
                        line_id=line.pk,
                        on=on,
                        mrr_cents=cents,
                        currency=line.currency,
                    )
                )
        due_on = line.ends_on or (None if line.renews_on is None else add_months(line.renews_on, -12))
        if due_on is None or due_on <= line.starts_on or not day - timedelta(days=365) < due_on <= day:
            continue
        closed.append(
            _closed(tenant, line, due_on, before if changed_on <= due_on else line.mrr_cents, place)
        )
    MrrChange.objects.bulk_create(history)
    made = Renewal.objects.bulk_create(closed)
    RenewalChange.objects.bulk_create(
        RenewalChange(
            tenant=tenant,
            renewal=one,
            kind=RenewalChange.Kind.CLOSED,
            at=datetime.combine(one.closed_on or day, time(3), tenant.tz),
            data={"state": one.state, "outcome": one.outcome, "final": one.final_cents},
        )
        for one in made
    )


def _earlier(cents: int, draw: int) -> int:
    """What was paid before the last change; the same where there was none."""
    begin = 0
    for accounts, share in CHANGES:
        if begin <= draw < begin + accounts:
            return cents * share // 100
        begin += accounts
    return cents


def _closed(tenant: Tenant, line: Subscription, due_on: date, before: int, place: int) -> Renewal:
    """How a term ended: lost with the account, else renewed at what is paid since."""
    target = before * 12
    final = 0 if line.ends_on else line.mrr_cents * 12
    less = final < target
    return Renewal(
        tenant=tenant,
        account_id=line.account_id,
        line_id=line.pk,
        plan=line.plan,
        due_on=due_on,
        term_months=12,
        currency=line.currency,
        mrr_cents=before,
        target_cents=target,
        forecast_cents=target,
        final_cents=final,
        category=Renewal.Category.BEST_CASE,
        computed_category=Renewal.Category.BEST_CASE,
        state=Renewal.State.RENEWED if final else Renewal.State.LOST,
        outcome=outcome_of(final, target) if final else "",
        reason=REASONS[place % len(REASONS)] if less and place % 6 else "",
        opened_on=add_months(due_on, -12),
        closed_on=due_on,
    )


def _say(tenant: Tenant, day: date) -> None:
    """Half of those at risk have a plan, some forecasts differ from the target, some calls from the numbers."""
    language = "es" if tenant.language == "es" else "en"
    summary, *steps = PLAN[language]
    owned = Renewal.objects.filter(
        tenant=tenant, state=Renewal.State.OPEN, account__owner__isnull=False
    ).select_related("account__owner")
    for place, one in enumerate(owned.filter(at_risk=True).order_by("due_on", "id")[:16]):
        if place % 2:
            continue
        make_plan(
            tenant=tenant,
            renewal_id=one.pk,
            summary=summary,
            steps=[
                PlanStep(step, one.account.owner_id, day + timedelta(days=4 + 5 * number))
                for number, step in enumerate(steps)
            ],
            member=one.account.owner,
        )
        set_forecast(
            tenant=tenant,
            renewal_id=one.pk,
            category=Renewal.Category.AT_RISK,
            forecast_cents=one.target_cents * (40 + place * 4) // 100,
            member=one.account.owner,
        )
    for place, one in enumerate(owned.filter(at_risk=False).order_by("due_on", "id")[:12]):
        share = 100 if place % 3 else 90
        set_forecast(
            tenant=tenant,
            renewal_id=one.pk,
            category=Renewal.Category.COMMIT if place % 4 else Renewal.Category.BEST_CASE,
            forecast_cents=one.target_cents * share // 100,
            member=one.account.owner,
        )
    waiting = RenewalCheckpoint.objects.filter(
        tenant=tenant, called_on=None, renewal__account__owner__isnull=False
    ).select_related("renewal__account__owner")
    for place, checkpoint in enumerate(waiting.filter(way=RenewalCheckpoint.Way.CALL).order_by("id")[:6]):
        if place % 2 == 0:
            note_call(
                tenant=tenant,
                renewal_id=checkpoint.renewal_id,
                checkpoint_id=checkpoint.pk,
                note=CALLS[language],
                category=Renewal.Category.COMMIT,
                member=checkpoint.renewal.account.owner,
            )
