"""The daily digest: what waits for a member, by mail in their own morning; nothing waits, nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.access import has_role
from accounts.jobs import Chunk
from accounts.links import tenant_url
from accounts.models import Job, Membership, Role, Tenant
from accounts.services import enqueue_job
from accounts.visibility import seeing, visibility_of
from alerts.models import Alert
from alerts.selectors import budget_of, budgets_of, finding_sentence, metric_names, open_alerts
from outreach.services import notify_members

from .delivery import path_of, title_of

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
    told = notify_members(
        tenant=tenant,
        members=[member],
        kind=NOTICE,
        title=said.title,
        body=said.summary,
        url="/alerts/",
        dedupe_key=f"digest-{on.isoformat()}",
        email=True,
        markup=said.markup,
        values=said.values,
    )
    return bool(told)


@dataclass
class _Said:
    """A digest in words: for the bell a line, for the mail a list under each heading."""

    title: str = ""
    summary: str = ""
    parts: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)

    @property
    def markup(self) -> str:
        return "\n\n".join(self.parts)

    def put(self, text: str) -> str:
        """The merge field that stands for a text which somebody else may have written."""
        name = f"said.n{len(self.values)}"
        self.values[name] = " ".join(text.split())
        return f"{{{{ {name} }}}}"


def _digest(tenant: Tenant, member: Membership, on: date) -> _Said | None:
    """What waits under three headings, the most deserving first; None where nothing waits."""
    mine = open_alerts(tenant, owner_id=member.pk, today=on)
    groups: list[tuple[str, QuerySet[Alert]]] = [
        (_("For you"), mine.exclude(person_reason="")),
        (_("Automation is on these"), mine.filter(person_reason="")),
    ]
    if has_role(member, Role.MANAGER):  # what is nobody's is the managers'
        groups.append((_("Nobody's accounts"), open_alerts(tenant, unowned=True, today=on)))
    since = on - timedelta(days=1)
    counts = [alerts.order_by().count() for _heading, alerts in groups]
    total = sum(counts)
    if not total:
        return None
    fresh = sum(alerts.filter(opened_on__gte=since).order_by().count() for _heading, alerts in groups)
    names, said, room = metric_names(tenant), _Said(), SHOWN
    for (heading, alerts), count in zip(groups, counts, strict=True):
        if not count:
            continue
        shown = list(alerts[:room])
        room -= len(shown)
        said.parts.append(f"## {heading}: {count}")
        lines = [_line(tenant, said, alert, names, alert.opened_on >= since) for alert in shown]
        if count > len(lines):
            rest = count - len(lines)
            lines.append(ngettext("… and %(count)s more.", "… and %(count)s more.", rest) % {"count": rest})
        said.parts.append("\n".join(f"- {line}" for line in lines))
    title = ngettext("%(count)s alert waits for you", "%(count)s alerts wait for you", total)
    said.title = title % {"count": total}
    if fresh:
        said.title += " " + ngettext("(%(count)s new)", "(%(count)s new)", fresh) % {"count": fresh}
    said.summary = " · ".join(
        f"{heading}: {count}" for (heading, _alerts), count in zip(groups, counts, strict=True) if count
    )
    return said


def _line(tenant: Tenant, said: _Said, alert: Alert, names: Mapping[str, str], is_new: bool) -> str:
    """An alert in one line: its name as a link, why it opened, and why it is a person's."""
    where = said.put(tenant_url(tenant).rstrip("/") + path_of(alert))
    line = f"[{said.put(title_of(alert))}]({where})"
    if is_new:
        line += " **" + pgettext("alert", "new") + "**"
    text = finding_sentence(alert.rule.kind, alert.evidence, names)
    if alert.person_reason:
        text = f"{text.removesuffix('.')} ({alert.get_person_reason_display()})".strip()
    return f"{line} – {said.put(text)}" if text else line
