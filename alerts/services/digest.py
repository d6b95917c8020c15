"""The daily digest: what waits for a member, by mail in their own morning; nothing waits, nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import has_role
from accounts.jobs import Chunk
from accounts.models import Job, Membership, Role, Tenant
from accounts.services import enqueue_job
from accounts.visibility import seeing, visibility_of
from alerts.models import Alert
from alerts.selectors import budget_of, budgets_of, finding_sentence, metric_names, open_alerts
from outreach.services import notify_members

from .delivery import title_of

JOB_KIND = "alert_digest"
NOTICE = "alert_digest"
SHOWN = 20


def next_morning(now: datetime, zone: ZoneInfo, hour: int) -> datetime:
    """The next moment at which the member's clock shows the hour; a night that skips it brings it an hour later."""
    local = now.astimezone(zone)
    morning = datetime.combine(local.date(), time(hour), zone)
    if morning <= local:
        morning = datetime.combine(local.date() + timedelta(days=1), time(hour), zone)
    return morning


def plan_digests(*, tenant: Tenant, now: datetime | None = None) -> int:
    """Write down each member's next digest; the same morning is written down once."""
    now = now or timezone.now()
    members = [
        member
        for member in Membership.objects.filter(tenant=tenant, is_active=True).select_related("user")
        if has_role(member, Role.CSM)
    ]
    budgets = budgets_of(tenant, members)
    planned = 0
    for member in members:
        if not budgets[member.pk].wants_digest:
            continue
        zone = ZoneInfo(member.user.timezone or tenant.timezone)
        morning = next_morning(now, zone, budgets[member.pk].digest_hour)
        job = enqueue_job(
            tenant=tenant,
            kind=JOB_KIND,
            key=f"{member.pk}-{morning.date().isoformat()}",
            params={"member": member.pk, "on": morning.date().isoformat()},
            due_at=morning,
        )
        planned += job.state == Job.State.QUEUED
    return planned


def plan_digest(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    """One transaction."""
    return [Chunk(0, "send", {})]


def send_chunk(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Send a member the digest of a morning, if they are still here and still want it."""
    member = (
        Membership.objects.filter(tenant=tenant, pk=job.params["member"], is_active=True)
        .select_related("user")
        .first()
    )
    if member is not None and budget_of(tenant, member).wants_digest:
        send_digest(tenant=tenant, member=member, on=date.fromisoformat(job.params["on"]))


def send_digest(*, tenant: Tenant, member: Membership, on: date) -> bool:
    """Say what waits for a member: what is for a person first, then what automation is on; False when nothing waits.

    It is made by the worker, so it is read and worded with the member's eyes: their accounts, and amounts if they see any.
    """
    member.tenant = tenant
    with seeing(visibility_of(member)), translation.override(member.user.language or tenant.language):
        said = _digest(tenant, member, on)
    if said is None:
        return False
    title, body = said
    told = notify_members(
        tenant=tenant,
        members=[member],
        kind=NOTICE,
        title=title,
        body=body,
        url="/alerts/",
        dedupe_key=f"digest-{on.isoformat()}",
        email=True,
    )
    return bool(told)


def _digest(tenant: Tenant, member: Membership, on: date) -> tuple[str, str] | None:
    """Subject and text; None where nothing waits."""
    found = open_alerts(tenant, owner_id=member.pk, today=on)
    if has_role(member, Role.MANAGER):  # what is nobody's is the managers'
        nobody = open_alerts(tenant, unowned=True, today=on)
    else:
        nobody = found.none()
    alerts = sorted(
        [*found[:SHOWN], *nobody[:SHOWN]], key=lambda alert: (not alert.person_reason, -alert.priority)
    )
    total = found.order_by().count() + nobody.order_by().count()
    if not total:
        return None
    names = metric_names(tenant)
    fresh = sum(alert.opened_on >= on - timedelta(days=1) for alert in alerts)
    lines = [_line(alert, names) for alert in alerts[:SHOWN]]
    if total > len(lines):
        rest = total - len(lines)
        lines.append(ngettext("… and %(count)s more.", "… and %(count)s more.", rest) % {"count": rest})
    title = ngettext("%(count)s alert waits for you", "%(count)s alerts wait for you", total) % {
        "count": total
    }
    if fresh:
        title += " " + ngettext("(%(count)s new)", "(%(count)s new)", fresh) % {"count": fresh}
    return title, "\n\n".join(lines)


def _line(alert: Alert, names: Mapping[str, str]) -> str:
    text = f"{title_of(alert)}. {finding_sentence(alert.rule.kind, alert.evidence, names)}"
    if alert.person_reason:
        reason = alert.get_person_reason_display()
        text += " " + _("For a person, because %(reason)s.") % {"reason": reason}
    return text
