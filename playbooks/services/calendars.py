"""When people work, and the feed of their tasks: the company's week and holidays, a member's own, days off."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from accounts.access import has_role
from accounts.models import Membership, Role, Tenant
from accounts.services import record_audit
from playbooks.calendars import countries
from playbooks.models import DayOff, MemberCalendar, WorkSettings
from playbooks.models.calendars import validate_week

MAX_DAYS_OFF = 366
MAX_ESCALATION_DAYS = 60


def save_work_settings(
    *,
    tenant: Tenant,
    week: Sequence[int],
    country: str,
    region: str,
    escalate_after_days: int,
    member: Membership | None = None,
) -> WorkSettings:
    """Keep the company's working week, its holidays and when managers hear of overdue tasks."""
    validate_week(list(week))
    check_place(country, region)
    if not 0 <= escalate_after_days <= MAX_ESCALATION_DAYS:
        raise ValidationError(
            _("The days are a whole number from 0 to %(most)s.") % {"most": MAX_ESCALATION_DAYS}, code="days"
        )
    row, _made = WorkSettings.objects.get_or_create(tenant=tenant)
    before = _of(row)
    row.week, row.country, row.region = sorted(set(week)), country, region if country else ""
    row.escalate_after_days = escalate_after_days
    row.save()
    record_audit(
        tenant=tenant, actor=member, action="work.settings", target="work", before=before, after=_of(row)
    )
    return row


def save_member_calendar(
    *, tenant: Tenant, member: Membership, week: Sequence[int] | None, country: str, region: str
) -> MemberCalendar:
    """Keep what is different for a member; None and empty words mean as the company."""
    if week is not None:
        validate_week(list(week))
    check_place(country, region)
    row, _made = MemberCalendar.objects.get_or_create(tenant=tenant, member=member)
    row.week = sorted(set(week)) if week is not None else None
    row.country, row.region = country, region if country else ""
    row.save(update_fields=["week", "country", "region"])
    record_audit(
        tenant=tenant,
        actor=member,
        action="work.calendar",
        target=f"member:{member.pk}",
        after={"week": row.week, "country": country, "region": row.region},
    )
    return row


def add_days_off(
    *,
    tenant: Tenant,
    first: date,
    last: date,
    note: str = "",
    for_member: Membership | None,
    member: Membership,
) -> DayOff:
    """Add days off, of oneself or, by an admin, of the whole company."""
    _demand(member, for_member.pk if for_member is not None else None)
    if last < first:
        raise ValidationError(_("The last day is before the first one."), code="order")
    if (last - first).days > MAX_DAYS_OFF:
        raise ValidationError(_("At most a year at once."), code="long")
    row = DayOff.objects.create(
        tenant=tenant, member=for_member, first=first, last=last, note=note.strip()[:100]
    )
    record_audit(
        tenant=tenant,
        actor=member,
        action="work.days_off",
        target=f"member:{for_member.pk}" if for_member is not None else "company",
        after={"first": first.isoformat(), "last": last.isoformat()},
    )
    return row


def remove_days_off(*, tenant: Tenant, day_off_id: int, member: Membership) -> None:
    """Take days off back."""
    row = DayOff.objects.get(tenant=tenant, pk=day_off_id)
    _demand(member, row.member_id)
    before = {"first": row.first.isoformat(), "last": row.last.isoformat()}
    target = f"member:{row.member_id}" if row.member_id is not None else "company"
    row.delete()
    record_audit(tenant=tenant, actor=member, action="work.days_off", target=target, before=before)


def new_feed_key(*, tenant: Tenant, member: Membership) -> MemberCalendar:
    """Give the member's calendar feed a new address; the old one stops working at once."""
    row, _made = MemberCalendar.objects.get_or_create(tenant=tenant, member=member)
    row.feed_key = secrets.token_urlsafe(18)
    row.save(update_fields=["feed_key"])
    record_audit(tenant=tenant, actor=member, action="work.feed", target=f"member:{member.pk}")
    return row


def revoke_feed(*, tenant: Tenant, member: Membership) -> None:
    """Take the feed's address back; whoever has it sees nothing any more."""
    MemberCalendar.objects.filter(tenant=tenant, member=member).update(feed_key="")
    record_audit(tenant=tenant, actor=member, action="work.feed.revoked", target=f"member:{member.pk}")


def check_place(country: str, region: str) -> None:
    """Raise a ValidationError unless the holidays of this country and region are known."""
    known = countries()
    if country and country not in known:
        raise ValidationError(_("The holidays of “%(country)s” are not known.") % {"country": country})
    if region and region not in known.get(country, ()):
        raise ValidationError(
            _("“%(region)s” is not a region of this country; choose one of: %(known)s.")
            % {"region": region, "known": ", ".join(known.get(country, [])) or "-"}
        )


def _demand(member: Membership, for_member_id: int | None) -> None:
    own = for_member_id == member.pk and has_role(member, Role.CSM)
    if not own and not has_role(member, Role.MANAGER if for_member_id is not None else Role.ADMIN):
        raise PermissionDenied


def _of(row: WorkSettings) -> dict[str, object]:
    return {
        "week": list(row.week),
        "country": row.country,
        "region": row.region,
        "escalate_after_days": row.escalate_after_days,
    }
