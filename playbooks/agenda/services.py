"""Putting things of a member's list aside, and taking that back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import may_work_on
from accounts.models import Account, Membership, Tenant
from accounts.services import record_audit, record_timeline
from playbooks.models import Undo

from . import timeline
from .models import SetAside

Deed = SetAside.Deed
MOST_DAYS = 180  # as for alerts
REASON_LENGTH = 300
KINDS = {Deed.DONE: timeline.SEEN_TO, Deed.SNOOZED: timeline.PUT_OFF, Deed.SKIPPED: timeline.NOT_MINE}


@dataclass(frozen=True)
class Thing:
    """Something derived that is on a list: what it is, in words for the timeline, and when it comes back by itself."""

    kind: str
    subject_id: int
    account_id: int
    title: str
    until: date | None = None
    value: float | None = None


def put_aside(
    *,
    tenant: Tenant,
    member: Membership,
    things: Sequence[Thing],
    deed: str,
    until: date | None = None,
    reason: str = "",
    actor: Membership,
) -> Undo | None:
    """Take things off a member's list: seen to (until they matter again), put off until a day, or not for them at all.

    Putting off asks for a day and a reason, as everywhere. Everything is taken back by the `Undo` that is returned.
    """
    if deed not in Deed.values:
        raise ValidationError(_("Choose what to do with it."), code="deed")
    reason = " ".join(reason.replace("\0", "").split())[:REASON_LENGTH]
    if deed == Deed.SNOOZED:
        until = check_put_off(tenant, until, reason)
    if not things:
        return None
    _demand(tenant, actor, {thing.account_id for thing in things})
    now = timezone.now()
    before = _standing(tenant, member, things)
    rows = [
        SetAside(
            tenant=tenant,
            member=member,
            account_id=thing.account_id,
            kind=thing.kind,
            subject_id=thing.subject_id,
            deed=deed,
            until=None if deed == Deed.SKIPPED else until if deed == Deed.SNOOZED else thing.until,
            value=thing.value,
            reason=reason,
            by=actor,
            at=now,
        )
        for thing in things
    ]
    SetAside.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["tenant", "member", "kind", "subject_id"],
        update_fields=["account", "deed", "until", "value", "reason", "by", "at"],
    )
    undo = Undo.objects.create(
        tenant=tenant,
        kind=Undo.Kind.ASIDE,
        member=actor,
        before={"whose": member.pk, "rows": before},
        after={
            "things": [
                {"kind": thing.kind, "subject": thing.subject_id, "account": thing.account_id, "title": thing.title}
                for thing in things
            ],
            "at": now.isoformat(),
        },
    )  # fmt: skip
    said: dict[str, Any] = {"until": until.isoformat() if until else None, "reason": reason, "undo": undo.pk}
    for row, thing in zip(rows, things, strict=True):
        thing_said = said | {"until": row.until.isoformat() if row.until else None}
        _journal(tenant, thing, KINDS[Deed(deed)], actor, thing_said)
    return undo


def check_put_off(tenant: Tenant, until: date | None, reason: str) -> date:
    """The day until which something is put off; raises `ValidationError` unless it lies ahead and there is a reason."""
    today, problems = tenant.today(), {}
    if until is None or not today < until <= today + timedelta(days=MOST_DAYS):
        problems["until"] = _("Choose a date from tomorrow to %(days)s days ahead.") % {"days": MOST_DAYS}
    if not reason.strip():
        problems["reason"] = _("Say why it can wait.")
    if problems or until is None:
        raise ValidationError(problems)
    return until


def bring_back(*, tenant: Tenant, undo: Undo, member: Membership) -> int:
    """Take back what was put aside; what somebody has put aside anew since stays as it is. How many came back."""
    things = [
        Thing(row["kind"], row["subject"], row["account"], row["title"]) for row in undo.after["things"]
    ]
    _demand(tenant, member, {thing.account_id for thing in things})
    whose = undo.before["whose"]
    before = {(row["kind"], row["subject_id"]): row for row in undo.before["rows"]}
    found = SetAside.objects.select_for_update().filter(
        tenant=tenant, member_id=whose, subject_id__in=[thing.subject_id for thing in things]
    )
    still = {(row.kind, row.subject_id): row for row in found if row.at.isoformat() == undo.after["at"]}
    back, gone = 0, []
    for thing in things:
        row = still.get((thing.kind, thing.subject_id))
        if row is None:
            continue
        back += 1
        old = before.get((thing.kind, thing.subject_id))
        if old is None:
            gone.append(row.pk)
        else:
            row.deed, row.value, row.reason = old["deed"], old["value"], old["reason"]
            row.until = date.fromisoformat(old["until"]) if old["until"] else None
            row.save(update_fields=["deed", "value", "reason", "until"])
        _journal(tenant, thing, timeline.BACK, member, {"undo": undo.pk})
    SetAside.objects.filter(tenant=tenant, pk__in=gone).delete()
    return back


def put_back(
    *, tenant: Tenant, member: Membership, kind: str, subject_id: int, title: str, actor: Membership
) -> None:
    """Put one thing on a member's list again, however long ago it was taken off."""
    row = SetAside.objects.select_for_update().get(
        tenant=tenant, member=member, kind=kind, subject_id=subject_id
    )
    _demand(tenant, actor, {row.account_id})
    thing = Thing(row.kind, row.subject_id, row.account_id, title)
    row.delete()
    _journal(tenant, thing, timeline.BACK, actor, {})


def _standing(tenant: Tenant, member: Membership, things: Sequence[Thing]) -> list[dict[str, Any]]:
    """What is set aside of these already."""
    wanted = {(thing.kind, thing.subject_id) for thing in things}
    found = SetAside.objects.select_for_update().filter(
        tenant=tenant, member=member, subject_id__in=[thing.subject_id for thing in things]
    )
    return [
        {
            "kind": row.kind,
            "subject_id": row.subject_id,
            "deed": row.deed,
            "until": row.until.isoformat() if row.until else None,
            "value": row.value,
            "reason": row.reason,
        }
        for row in found
        if (row.kind, row.subject_id) in wanted
    ]


def _demand(tenant: Tenant, actor: Membership, account_ids: set[int]) -> None:
    accounts = list(Account.objects.filter(tenant=tenant, pk__in=account_ids))
    if len(accounts) < len(account_ids) or not all(may_work_on(actor, account) for account in accounts):
        raise PermissionDenied


def _journal(tenant: Tenant, thing: Thing, kind: str, actor: Membership, said: dict[str, Any]) -> None:
    record_timeline(
        tenant=tenant,
        account_id=thing.account_id,
        kind=kind,
        at=timezone.now(),
        title=thing.title,
        data={"what": thing.kind, "subject": thing.subject_id, **said},
        actor=actor,
    )
    record_audit(
        tenant=tenant,
        actor=actor,
        action=kind.replace("_", ".", 1),
        target=f"{thing.kind}:{thing.subject_id}",
        after=said,
    )
