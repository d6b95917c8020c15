"""The life of a pack: draft, ready, sent, held; skipped with a reason; opened again as a new version."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Tenant
from accounts.services import record_audit, record_timeline
from playbooks.rights import demand_account
from qbr import timeline
from qbr.figures.canonical import record_hash
from qbr.models import Pack, PackVersion

from .drafting import lock_packs

State = Pack.State
REASON_LENGTH = 500


class PackFrozen(ValidationError):
    """Somebody tried to change a pack that was sent."""


def locked_pack(tenant: Tenant, pack_id: int, member: Membership | None) -> Pack:
    """The pack, locked; raises `Pack.DoesNotExist`, and `PermissionDenied` for who may not work on its account."""
    pack = (
        Pack.objects.select_for_update(of=("self",))
        .select_related("account__owner")
        .get(tenant=tenant, pk=pack_id)
    )
    demand_account(member, pack.account)
    return pack


def editable_pack(tenant: Tenant, pack_id: int, member: Membership | None) -> Pack:
    """The same; raises `PackFrozen` where nothing may be changed any more."""
    pack = locked_pack(tenant, pack_id, member)
    if pack.is_frozen:
        raise PackFrozen(_("This pack is frozen. Open it again, with a reason, to change it."), code="frozen")
    return pack


def mark_ready(*, tenant: Tenant, pack_id: int, member: Membership | None = None) -> Pack:
    """Say that a draft can be sent."""
    pack = editable_pack(tenant, pack_id, member)
    return _move(tenant, pack, State.READY, timeline.READY, member)


def back_to_draft(*, tenant: Tenant, pack_id: int, member: Membership | None = None) -> Pack:
    """Work on a pack again that was said to be ready."""
    pack = editable_pack(tenant, pack_id, member)
    return _move(tenant, pack, State.DRAFT, "", member)


def send_pack(*, tenant: Tenant, pack_id: int, member: Membership | None = None) -> Pack:
    """Freeze a pack: what it says now is what the customer got. Sent twice changes nothing."""
    pack = locked_pack(tenant, pack_id, member)
    if pack.state in (State.SENT, State.HELD):
        return pack
    if pack.state == State.SKIPPED:
        raise ValidationError(_("A skipped review has nothing to send. Open it again first."), code="skipped")
    _freeze(tenant, pack, member)
    return _move(tenant, pack, State.SENT, timeline.SENT, member)


def _freeze(tenant: Tenant, pack: Pack, member: Membership | None) -> None:
    pack.sent_at, pack.sent_by = timezone.now(), member
    PackVersion.objects.create(
        tenant=tenant,
        pack=pack,
        number=pack.version,
        content=pack.content,
        content_hash=record_hash(pack.content),
        as_of=pack.as_of,
        sent_at=pack.sent_at,
        sent_by=member,
    )


def hold_pack(
    *, tenant: Tenant, pack_id: int, held_on: date | None = None, member: Membership | None = None
) -> Pack:
    """Say that the review took place; a pack that was not sent before is frozen with it."""
    pack = locked_pack(tenant, pack_id, member)
    if pack.state == State.SKIPPED:
        raise ValidationError(_("This review was skipped. Open it again first."), code="skipped")
    held_on = held_on or tenant.today()
    if held_on > tenant.today() + timedelta(days=1):
        raise ValidationError({"held_on": _("A review that lies in the future has not been held yet.")})
    if pack.state in (State.DRAFT, State.READY):
        _freeze(tenant, pack, member)
    pack.held_on = held_on
    return _move(tenant, pack, State.HELD, timeline.HELD, member, held_on=held_on.isoformat())


def skip_pack(*, tenant: Tenant, pack_id: int, reason: str, member: Membership | None = None) -> Pack:
    """Leave a review out and say why; the cadence goes on with the next one."""
    pack = editable_pack(tenant, pack_id, member)
    pack.skip_reason = _reason(reason)
    return _move(tenant, pack, State.SKIPPED, timeline.SKIPPED, member, text=pack.skip_reason)


def skip_review(
    *, tenant: Tenant, account_id: int, due_on: date, reason: str, member: Membership | None = None
) -> Pack:
    """Leave a review out that has no pack yet; `due_on` is its date."""
    lock_packs(tenant)
    account = Account.objects.get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    words = _reason(reason)
    there = Pack.objects.filter(tenant=tenant, account=account, due_on=due_on).first()
    if there is not None:
        return skip_pack(tenant=tenant, pack_id=there.pk, reason=reason, member=member)
    pack = Pack(
        tenant=tenant,
        account=account,
        due_on=due_on,
        period_first=due_on - timedelta(days=1),
        period_last=due_on - timedelta(days=1),
        skip_reason=words,
        created_by=member,
    )
    return _move(tenant, pack, State.SKIPPED, timeline.SKIPPED, member, text=words)


def reopen_pack(*, tenant: Tenant, pack_id: int, reason: str, member: Membership | None = None) -> Pack:
    """Open a frozen pack as a new version; what was sent stays as it was."""
    pack = locked_pack(tenant, pack_id, member)
    if not pack.is_frozen:
        return pack
    words = _reason(reason)
    if pack.sent_at is not None:
        PackVersion.objects.filter(tenant=tenant, pack=pack, number=pack.version).update(
            reopened_at=timezone.now(), reopened_by=member, reopen_reason=words
        )
        pack.version += 1
    pack.sent_at, pack.sent_by, pack.held_on, pack.skip_reason = None, None, None, ""
    return _move(tenant, pack, State.DRAFT, timeline.REOPENED, member, text=words)


def _reason(text: str) -> str:
    words = text.strip()
    if not words:
        raise ValidationError({"reason": _("Say why: whoever reads this later cannot ask you.")})
    if len(words) > REASON_LENGTH:
        raise ValidationError({"reason": _("Use at most %(most)s characters.") % {"most": REASON_LENGTH}})
    return words


def _move(tenant: Tenant, pack: Pack, state: str, kind: str, member: Membership | None, **data: Any) -> Pack:
    before, pack.state = pack.state, State(state)
    pack.edited_at, pack.edited_by = timezone.now(), member
    pack.save()
    if kind:
        record_timeline(
            tenant=tenant,
            account_id=pack.account_id,
            kind=kind,
            at=timezone.now(),
            title=pack.due_on.isoformat(),
            actor=member,
            data={"pack": pack.pk, "version": pack.version, **data},
        )
    record_audit(
        tenant=tenant,
        actor=member,
        action=f"qbr.{state}",
        target=f"pack:{pack.pk}",
        before={"state": before},
        after={"state": state, "version": pack.version, **data},
    )
    return pack
