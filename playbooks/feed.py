"""A member's tasks as a calendar that other programs read, by an address that needs no login and can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from icalendar import Calendar, Event

from accounts.fence.scope import tenant_scope
from accounts.links import public_url, tenant_url
from accounts.models import Membership, Tenant
from accounts.visibility import seeing, visibility_of

from .links import task_path
from .models import MemberCalendar, Priority
from .selectors import my_open_tasks

SALT = "playbooks.feed"
MOST = 1000
REFRESH = timedelta(hours=1)
TOKEN_LENGTH = 200


@dataclass(frozen=True)
class Entry:
    """A task as a day in a calendar."""

    uid: str
    title: str
    account: str
    body: str
    due_on: date
    url: str
    stamp: datetime
    urgent: bool


def feed_address(calendar: MemberCalendar) -> str:
    """The address of a member's feed; empty when there is none."""
    if not calendar.feed_key:
        return ""
    token = signing.dumps([calendar.tenant_id, calendar.member_id, calendar.feed_key], salt=SALT)
    return public_url("task-feed", token=token)


@require_safe
def task_feed(request: HttpRequest, token: str) -> HttpResponse:
    """The open tasks of the member whose key is in the address, the pools included."""
    if len(token) > TOKEN_LENGTH:
        raise Http404
    try:
        tenant_id, member_id, key = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise Http404 from error
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        raise Http404
    with tenant_scope(tenant):
        calendar = (
            MemberCalendar.objects.select_related("member__user")
            .filter(tenant=tenant, member_id=member_id, feed_key=key)
            .first()
        )
        if calendar is None or not key or not calendar.member.is_active:
            raise Http404
        member = calendar.member
        member.tenant = tenant
        with (
            translation.override(member.user.language or tenant.language),
            seeing(visibility_of(member)),
        ):
            body = calendar_file(
                _("Tasks · %(company)s") % {"company": tenant.name}, entries_of(tenant, member)
            )
    return HttpResponse(
        body,
        content_type="text/calendar; charset=utf-8",
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": 'inline; filename="tasks.ics"',
            "X-Robots-Tag": "noindex",
            "Referrer-Policy": "no-referrer",
        },
    )


def entries_of(tenant: Tenant, member: Membership) -> list[Entry]:
    """What a member has to do; one query."""
    member.tenant = tenant
    home = tenant_url(tenant).rstrip("/")
    return [
        Entry(
            uid=f"task-{task.pk}@{tenant.slug}",
            title=task.title,
            account=task.account.name,
            body=task.body,
            due_on=task.due_on,
            url=home + task_path(task),
            stamp=task.created_at,
            urgent=task.priority == Priority.HIGH,
        )
        for task in my_open_tasks(member)[:MOST]
    ]


def calendar_file(name: str, entries: Sequence[Entry]) -> bytes:
    """An iCalendar file: one all-day entry per task, which takes up no time."""
    calendar = Calendar()
    calendar.add("prodid", "-//cs-platform//tasks//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for entry in entries:
        event = Event()
        event.add("uid", entry.uid)
        event.add("summary", f"{entry.title} · {entry.account}")
        event.add("description", f"{entry.body}\n\n{entry.url}".strip())
        event.add("url", entry.url)
        event.add("dtstamp", entry.stamp.astimezone(UTC))
        event.add("dtstart", entry.due_on)
        event.add("dtend", entry.due_on + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        event.add("priority", 1 if entry.urgent else 5)
        calendar.add_component(event)
    return bytes(calendar.to_ical())
