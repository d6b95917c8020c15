"""The timeline of an account: what happened, narrowed by kind, person, contact, period and words; page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.dateparse import parse_date, parse_datetime

from accounts.models import Contact, Membership, Tenant, TimelineEntry
from accounts.timeline import NOTE
from workspace.timeline_kinds import GROUPS, keys_of

TIMELINE_PAGE = 40
OVERVIEW_TIMELINE = 8
PINNED = 5
# Which entries are about a contact: notes they took part in, what they were written, what they answered.
ABOUT_CONTACT = """(
  "accounts_timelineentry".data @> jsonb_build_object('contacts', jsonb_build_array(%s::bigint))
  OR EXISTS (SELECT 1 FROM outreach_message m WHERE m.tenant_id = %s AND m.contact_id = %s
      AND m.id::text = "accounts_timelineentry".data->>'message')
  OR EXISTS (SELECT 1 FROM nps_answer n WHERE n.tenant_id = %s AND n.contact_id = %s
      AND n.id::text = "accounts_timelineentry".data->>'answer'))"""


@dataclass(frozen=True)
class TimelineFilter:
    """What somebody wants to see; the parameters of the address."""

    group: str = ""
    kind: str = ""
    actor: str = ""
    contact: str = ""
    since: str = ""
    until: str = ""
    q: str = ""
    entry: str = ""

    def parameters(self) -> dict[str, str]:
        """As they stand in the address."""
        return {name: value for name, value in vars(self).items() if value}

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.parameters())


def read_timeline_filter(given: Mapping[str, str]) -> TimelineFilter:
    """The filter of an address; what nobody has made here counts as not said."""

    def number(name: str) -> str:
        text = given.get(name, "")
        return text if text.isascii() and text.isdigit() and len(text) < 19 else ""

    def day(name: str) -> str:
        try:
            found = parse_date(given.get(name, ""))
        except ValueError:
            return ""
        return found.isoformat() if found else ""

    group, kind = given.get("group", ""), given.get("kind", "")
    return TimelineFilter(
        group=group if group in GROUPS else "",
        kind=kind if kind in keys_of("") else "",
        actor=number("actor"),
        contact=number("contact"),
        since=day("since"),
        until=day("until"),
        q=given.get("q", "").replace("\0", "").strip()[:100],
        entry=number("entry"),
    )


@dataclass(frozen=True)
class TimelinePage:
    """Entries newest first, the names they speak of, and where the older ones start."""

    entries: list[TimelineEntry]
    pinned: list[TimelineEntry] = field(default_factory=list)
    next: str = ""
    names: dict[int, str] = field(default_factory=dict)  # of contacts
    members: dict[int, str] = field(default_factory=dict)


def timeline_page(
    tenant: Tenant,
    pk: int,
    wanted: TimelineFilter | None = None,
    *,
    before: tuple[datetime, int] | None = None,
    limit: int = TIMELINE_PAGE,
) -> TimelinePage:
    """One page of an account's timeline, with what is pinned on the first one; at most five queries."""
    wanted = wanted or TimelineFilter()
    found = _narrowed(tenant, pk, wanted)
    if before is None and wanted.entry:
        start = TimelineEntry.objects.filter(tenant=tenant, account_id=pk, pk=int(wanted.entry)).first()
        if start is not None:
            found = found.filter(Q(at__lt=start.at) | Q(at=start.at, pk__lte=start.pk))
    if before is not None:
        found = found.filter(Q(at__lt=before[0]) | Q(at=before[0], pk__lt=before[1]))
    entries = list(found.order_by("-at", "-pk")[: limit + 1])
    more, entries = len(entries) > limit, entries[:limit]
    pinned = [] if before is not None or wanted.narrows else pinned_entries(tenant, pk)
    return TimelinePage(
        entries=entries,
        pinned=pinned,
        next=f"{entries[-1].at.isoformat()}~{entries[-1].pk}" if more else "",
        names=_contact_names(tenant, [*entries, *pinned]),
        members=_member_names(tenant, [*entries, *pinned]),
    )


def pinned_entries(tenant: Tenant, pk: int) -> list[TimelineEntry]:
    """The notes that were pinned, the newest pin first; one query."""
    found = TimelineEntry.objects.filter(
        tenant=tenant,
        account_id=pk,
        kind=NOTE,
        notes__tenant=tenant,
        notes__account_id=pk,
        notes__pinned_at__isnull=False,
        notes__deleted_at=None,
    )
    return list(found.select_related("actor__user").order_by("-notes__pinned_at")[:PINNED])


def read_before(text: str) -> tuple[datetime, int] | None:
    """Where the last page of the timeline ended."""
    at_text, _tilde, pk = text.partition("~")
    try:
        at = parse_datetime(at_text)
    except ValueError:
        return None
    return (at, int(pk)) if at and at.tzinfo and pk.isascii() and pk.isdigit() and len(pk) < 19 else None


def people_of_timeline(tenant: Tenant, pk: int, limit: int = 200) -> list[tuple[int, str]]:
    """Contacts that the filter offers; one query."""
    found = Contact.objects.filter(tenant=tenant, account_id=pk, merged_into=None).order_by("name", "pk")
    return [(contact.pk, str(contact)) for contact in found[:limit]]


def _narrowed(tenant: Tenant, pk: int, wanted: TimelineFilter) -> QuerySet[TimelineEntry]:
    found = TimelineEntry.objects.filter(tenant=tenant, account_id=pk).select_related("actor__user")
    if wanted.group:
        found = found.filter(kind__in=keys_of(wanted.group))
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    if wanted.actor:
        found = found.filter(actor_id=int(wanted.actor))
    if wanted.contact:
        contact = int(wanted.contact)
        values = [contact, tenant.pk, contact, tenant.pk, contact]
        found = found.annotate(about=RawSQL(ABOUT_CONTACT, values)).filter(about=True)
    if wanted.since:
        found = found.filter(at__gte=_midnight(tenant, date.fromisoformat(wanted.since)))
    if wanted.until:
        after = date.fromisoformat(wanted.until)
        if after < date.max:
            found = found.filter(at__lt=_midnight(tenant, after + timedelta(days=1)))
    if wanted.q:
        found = found.filter(Q(title__icontains=wanted.q) | Q(data__text__icontains=wanted.q))
    return found


def _midnight(tenant: Tenant, day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=tenant.tz)


def _contact_names(tenant: Tenant, entries: Sequence[TimelineEntry]) -> dict[int, str]:
    ids = {pk for entry in entries for pk in entry.data.get("contacts", [])}
    found = Contact.objects.filter(
        tenant=tenant, pk__in=ids
    )  # asked even for none: the count of queries is fixed
    return {contact.pk: str(contact) for contact in found}


def _member_names(tenant: Tenant, entries: Sequence[TimelineEntry]) -> dict[int, str]:
    ids = {pk for entry in entries for pk in entry.data.get("mentions", [])}
    found = Membership.objects.filter(tenant=tenant, pk__in=ids).select_related("user")
    return {member.pk: str(member) for member in found}
