"""What the demo's sellers did with leads on a past day; the services would sign it with today's date."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from accounts.models import Account, Membership, Tenant, TimelineEntry
from pql.models import Lead, Standing
from pql.timeline import LEAD_ACCEPTED, LEAD_CONVERTED, LEAD_REJECTED

TAKEN_SHARE = 82  # of a hundred new leads are taken
TAKEN_AFTER_DAYS = 2
DECIDED_AFTER_DAYS = 26
CONVERTED_SHARE = 45  # of a hundred decided ones
REASONS = (
    Lead.Reason.NOT_NOW,
    Lead.Reason.TOO_SMALL,
    Lead.Reason.NO_BUDGET,
    Lead.Reason.NO_CONTACT,
    Lead.Reason.NOT_A_FIT,
)


def _draw(number: int) -> int:
    """0–99, always the same for the same account and day."""
    return number * 6_271 % 100


def sell_through(tenant: Tenant, day: date, colleagues: list[Membership]) -> None:
    """Take the leads of the days before, and decide those that were taken some weeks ago."""
    noon = datetime.combine(day, time(11, 30), tenant.tz)
    entries: list[TimelineEntry] = []
    leads = Lead.objects.filter(
        tenant=tenant, state__in=Lead.OPEN, opened_on__lte=day - timedelta(days=TAKEN_AFTER_DAYS)
    ).order_by("id")
    for place, lead in enumerate(leads.select_related("account")):
        seller = lead.owner_id or lead.account.owner_id or colleagues[lead.account_id % len(colleagues)].pk
        draw = _draw(lead.account_id + lead.opened_on.toordinal())
        if lead.state == Lead.State.NEW:
            if draw >= TAKEN_SHARE:
                continue
            lead.state, lead.accepted_by_id, lead.owner_id = Lead.State.ACCEPTED, seller, seller
            lead.accepted_at = lead.first_action_at = noon
            kind, title = LEAD_ACCEPTED, lead.account.name
        elif lead.opened_on > day - timedelta(days=DECIDED_AFTER_DAYS + draw % 9):
            continue
        elif draw % 50 < CONVERTED_SHARE // 2:
            lead.state, lead.plan_before = Lead.State.CONVERTED, lead.account.plan_kind
            kind, title = LEAD_CONVERTED, lead.account.name
            Account.objects.filter(tenant=tenant, pk=lead.account_id).update(
                plan_kind=Account.PlanKind.CONTRACT
            )
            Standing.objects.filter(tenant=tenant, account_id=lead.account_id).update(
                converted_on=day, converted_by=Standing.ConvertedBy.LEAD
            )
        else:
            lead.state, lead.reject_reason = Lead.State.REJECTED, REASONS[place % len(REASONS)]
            kind, title = LEAD_REJECTED, str(lead.get_reject_reason_display())
        if lead.state != Lead.State.ACCEPTED:
            lead.closed_at, lead.closed_on, lead.closed_by_id = noon, day, seller
        lead.save()
        entries.append(
            TimelineEntry(
                tenant=tenant,
                account_id=lead.account_id,
                kind=kind,
                at=noon,
                title=title[:300],
                actor_id=seller,
                data={"lead": lead.pk},
            )
        )
    TimelineEntry.objects.bulk_create(entries)
