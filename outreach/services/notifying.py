"""Telling members: the bell, and mail where they want it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils import timezone

from accounts.mail import EMAIL
from accounts.models import Account, Membership, Outbox, Tenant
from accounts.visibility import visibilities_of
from outreach.delivery.slack import here
from outreach.formatting import as_text
from outreach.keys import short_key
from outreach.models import Notification, NotificationChoice
from outreach.notices import choice_key, notice_kinds


def notify_members(
    *,
    tenant: Tenant,
    members: Iterable[Membership],
    kind: str,
    title: str,
    body: str = "",
    url: str = "",
    account: Account | None = None,
    dedupe_key: str,
    email: bool = False,
    markup: str = "",
    values: Mapping[str, str] | None = None,
) -> int:
    """Put a line behind the bell of each active member, and send it by mail where they (or else the caller) want that.

    `url` is a path inside the tenant or a whole address. A mail may say more than the bell: its `markup` with the `values`
    of its merge fields, as bodies of messages have them. Whoever does not see the account is told nothing of it; what is
    about several accounts is composed by the caller with the receiver's eyes (`accounts.visibility.seeing`). Returns how
    many members were told something new.
    """
    key = short_key(dedupe_key)
    people = {member.pk: member for member in members if member.is_active}
    if account is not None:
        eyes = visibilities_of(tenant, people.values())
        people = {pk: member for pk, member in people.items() if eyes[pk].shows(account.owner_id)}
    known = set(
        Notification.objects.filter(tenant=tenant, member__in=people, dedupe_key=key).values_list(
            "member_id", flat=True
        )
    )
    fresh = [member for pk, member in people.items() if pk not in known]
    if not fresh:
        return 0
    choices = {
        row.member_id: row
        for row in NotificationChoice.objects.filter(
            tenant=tenant, member__in=[member.pk for member in fresh], kind=choice_key(kind)
        )
    }
    now, rows, mails = timezone.now(), [], []
    for member in fresh:
        choice = choices.get(member.pk)
        by_bell, by_mail = (choice.bell, choice.mail) if choice else (True, email)
        rows.append(
            Notification(
                tenant=tenant,
                member=member,
                kind=kind[:40],
                title=title[:200],
                body=body[:1000],
                url=url[:500],
                account=account,
                dedupe_key=key,
                in_bell=by_bell,
                at=now,
                read_at=None if by_bell else now,
            )
        )
        if by_mail:
            mails.append(
                _mail(tenant, member, key, title=title, body=body, url=url, markup=markup, values=values)
            )
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    Outbox.objects.bulk_create(mails, ignore_conflicts=True)
    return len(rows)


def _mail(
    tenant: Tenant,
    member: Membership,
    key: str,
    *,
    title: str,
    body: str,
    url: str,
    markup: str,
    values: Mapping[str, str] | None,
) -> Outbox:
    more = {"markup": markup, "values": dict(values or {})} if markup else {}
    return Outbox(
        tenant=tenant,
        kind=EMAIL,
        key=f"notice-{member.pk}-{key}",
        payload={
            "to": [member.user.email],
            "subject": title[:200],
            "text": as_text(markup, values or {}) if markup else body or title,
            "language": member.user.language or tenant.language,
            "action_url": here(tenant, url) if url else "",
            **more,
        },
        next_at=timezone.now(),
    )


def mark_read(*, tenant: Tenant, member: Membership, notification_id: int) -> Notification:
    """Take one line off the bell; raises `Notification.DoesNotExist` for another member's."""
    found = Notification.objects.get(tenant=tenant, member=member, pk=notification_id)
    if found.read_at is None:
        found.read_at = timezone.now()
        found.save(update_fields=["read_at"])
    return found


def mark_all_read(*, tenant: Tenant, member: Membership) -> int:
    """Empty the bell."""
    return Notification.objects.filter(tenant=tenant, member=member, read_at=None).update(
        read_at=timezone.now()
    )


def save_choices(*, tenant: Tenant, member: Membership, choices: Mapping[str, tuple[bool, bool]]) -> None:
    """Keep where a member wants to see which kinds: `{kind: (bell, mail)}`; unknown kinds are left out."""
    names = {kind.name for kind in notice_kinds()}
    for kind, (bell, mail) in choices.items():
        if kind in names:
            NotificationChoice.objects.update_or_create(
                tenant=tenant, member=member, kind=kind, defaults={"bell": bell, "mail": mail}
            )
