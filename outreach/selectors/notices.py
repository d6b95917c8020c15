"""What is behind a member's bell."""

from __future__ import annotations

from django.db import connection

from accounts.models import Membership, Tenant
from outreach.models import Notification, NotificationChoice
from outreach.notices import NoticeKind, notice_kinds

BELL_CAP = 99
# Every page asks it.
_UNREAD = """
SELECT count(*) FROM (
  SELECT 1 FROM outreach_notification WHERE tenant_id = %s AND member_id = %s AND read_at IS NULL AND in_bell LIMIT %s
) unread
"""


def unread_count(tenant: Tenant, member: Membership) -> int:
    """How many lines nobody has looked at, up to one more than the bell shows."""
    with connection.cursor() as cursor:
        cursor.execute(_UNREAD, [tenant.pk, member.pk, BELL_CAP + 1])
        return int(cursor.fetchone()[0])


def notifications(
    tenant: Tenant, member: Membership, *, before: int | None = None, limit: int = 10
) -> list[Notification]:
    """A member's lines, newest first."""
    found = Notification.objects.filter(tenant=tenant, member=member, in_bell=True).select_related("account")
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found.order_by("-pk")[:limit])


def choices_of(tenant: Tenant, member: Membership) -> list[tuple[NoticeKind, bool, bool]]:
    """Every kind with where the member sees it: `(kind, bell, mail)`."""
    said = {
        row.kind: (row.bell, row.mail)
        for row in NotificationChoice.objects.filter(tenant=tenant, member=member)
    }
    return [(kind, *said.get(kind.name, (True, kind.mail))) for kind in notice_kinds()]
