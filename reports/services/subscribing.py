"""Reports by mail: who gets which, and when the next one is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Job, Membership, Tenant
from accounts.services import enqueue_job
from accounts.visibility import visibility_of
from reports.days import USUAL, WINDOWS
from reports.definitions import BY_KEY, DIMENSIONS
from reports.models import Subscription
from reports.schedule import next_morning
from reports.scope import Slice, allowed

JOB_KIND = "report_mail"
MOST = 30  # subscriptions of a member


def subscribe(
    *,
    tenant: Tenant,
    member: Membership,
    metric: str,
    fields: Mapping[str, Any],
    which: Slice,
    now: datetime | None = None,
) -> Subscription:
    """Let a member have a report by mail; the same report and filter again changes when it comes."""
    if metric not in BY_KEY:
        raise ValidationError({"metric": _("There is no such report.")})
    if (
        which.dimension not in DIMENSIONS
        or len(which.keys) != 1
        or allowed(which, visibility_of(member)) is None
    ):
        raise ValidationError({"slice": _("You may not see these figures.")})
    days = fields.get("days", USUAL)
    made = Subscription(
        tenant=tenant,
        member=member,
        metric=metric,
        days=days if days in WINDOWS else USUAL,
        dimension=which.dimension,
        key=which.key,
        every=fields.get("every", Subscription.Every.WEEK),
        weekday=fields.get("weekday", 0),
        month_day=fields.get("month_day", 1),
        hour=fields.get("hour", 8),
    )
    made.full_clean(exclude=["member", "tenant", "ended_at", "last_on", "paused"], validate_constraints=False)
    mine = Subscription.objects.select_for_update().filter(tenant=tenant, member=member, ended_at=None)
    known = next(
        (
            one
            for one in mine
            if (one.metric, one.days, one.dimension, one.key)
            == (made.metric, made.days, made.dimension, made.key)
        ),
        None,
    )
    if known is None:
        if mine.count() >= MOST:
            raise ValidationError(
                {"metric": _("You already get %(most)s reports by mail; end one first.") % {"most": MOST}}
            )
        made.save()
    else:
        for name in ("every", "weekday", "month_day", "hour"):
            setattr(known, name, getattr(made, name))
        known.paused = ""
        known.save(update_fields=["every", "weekday", "month_day", "hour", "paused"])
        made = known
    plan_mail(tenant, made, now or timezone.now())
    return made


def end_subscription(
    *, tenant: Tenant, subscription_id: int, member: Membership | None = None
) -> Subscription:
    """Stop the mails; with a member only an own subscription. Twice is once."""
    found = Subscription.objects.select_for_update().filter(tenant=tenant, pk=subscription_id)
    if member is not None:
        found = found.filter(member=member)
    subscription = found.get()
    if subscription.ended_at is None:
        subscription.ended_at = timezone.now()
        subscription.save(update_fields=["ended_at"])
    return subscription


def end_subscriptions_of(*, tenant: Tenant, member: Membership) -> int:
    """Stop all mails to a member; how many there were."""
    return Subscription.objects.filter(tenant=tenant, member=member, ended_at=None).update(
        ended_at=timezone.now()
    )


def plan_mails(*, tenant: Tenant, now: datetime | None = None) -> int:
    """Write down the next mail of every subscription; the same morning is written down once."""
    now = now or timezone.now()
    found = Subscription.objects.filter(tenant=tenant, ended_at=None).select_related("member__user")
    return sum(plan_mail(tenant, one, now).state == Job.State.QUEUED for one in found)


def plan_mail(tenant: Tenant, subscription: Subscription, now: datetime) -> Job:
    """The job of a subscription's next morning."""
    member = subscription.member
    zone = ZoneInfo(member.user.timezone or tenant.timezone)
    moment = next_morning(
        now,
        zone,
        every=subscription.every,
        weekday=subscription.weekday,
        month_day=subscription.month_day,
        hour=subscription.hour,
    )
    on = moment.date().isoformat()
    return enqueue_job(
        tenant=tenant,
        kind=JOB_KIND,
        key=f"{subscription.pk}-{on}-{subscription.hour}",
        params={"subscription": subscription.pk, "on": on, "hour": subscription.hour},
        due_at=moment,
    )
