"""Doing the same to many accounts at once, at once or as a job, and taking it back for a moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import has_role, may_work_on
from accounts.custom_fields import declared_fields
from accounts.models import (
    Account,
    AccountDeed,
    AccountDeedPart,
    Job,
    Membership,
    Role,
    Tenant,
    TimelineEntry,
)
from accounts.services import enqueue_job, record_audit
from accounts.services.fields import CHANGED, typed_values, with_values
from accounts.visibility import sees_all
from workspace.services.plays import PlayStart, start_play_at

AT_ONCE = 500  # more of them are a job
MOST = 200_000
UNDO_PATIENCE = timedelta(seconds=30)  # ten are shown; for who presses in the last moment on a slow line
UNDO_PATIENCE_OF_JOBS = timedelta(minutes=15)  # nobody sits and waits for a job
KEPT = timedelta(days=1)
KIND, UNDO_KIND = "account_bulk", "account_bulk_undo"
NOBODY = 0
LIMITS = {"segment": 100, "stage": 50, "tag": 50, "untag": 50}


@dataclass(frozen=True)
class Bulk:
    """What is to be done; what is None stays as it is."""

    owner_id: int | None = None  # `NOBODY` takes the owner away
    tag: str = ""
    untag: str = ""
    segment: str | None = None
    stage: str | None = None
    field_key: str = ""
    field_text: str = ""  # as it was typed; empty clears
    play: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be done."""
        return self == Bulk()

    @property
    def changes_fields(self) -> bool:
        """Whether it changes accounts beside starting a play."""
        return self != Bulk(play=self.play)


def begin_deed(*, tenant: Tenant, actor: Membership, account_ids: Collection[int], bulk: Bulk) -> AccountDeed:
    """Do it now to up to 500 accounts, or write a job down for more; accounts of others stay as they are."""
    ids = sorted(set(account_ids))
    if bulk.is_empty:
        raise ValidationError(_("Choose what shall be done to the accounts."), code="nothing")
    if not ids:
        raise ValidationError(_("Tick at least one account."), code="none")
    if len(ids) > MOST:
        raise ValidationError(_("At most %(most)s accounts at once.") % {"most": MOST}, code="many")
    what = _checked(tenant, bulk)
    _forget_old(tenant)
    deed = AccountDeed.objects.create(tenant=tenant, member=actor, what=what, account_ids=ids)
    if len(ids) > AT_ONCE:
        enqueue_job(tenant=tenant, kind=KIND, key=str(deed.pk), params={"deed": deed.pk}, requested_by=actor)
        return deed
    do_part(tenant=tenant, deed=deed, ordinal=0, ids=ids)
    finish_deed(tenant=tenant, deed=deed)
    return deed


def _checked(tenant: Tenant, bulk: Bulk) -> dict[str, Any]:
    """What is to be done as it is stored; raises `ValidationError` in words."""
    what: dict[str, Any] = {}
    if bulk.owner_id is not None:
        people = Membership.objects.filter(tenant=tenant, pk=bulk.owner_id, is_active=True)
        if bulk.owner_id != NOBODY and not people.exists():
            raise ValidationError(_("The new owner is not an active member."), code="owner")
        what["owner"] = bulk.owner_id
    for name in ("tag", "untag", "segment", "stage"):
        text = getattr(bulk, name)
        if text:
            what[name] = text.strip()[: LIMITS[name]]
    if bulk.field_key:
        declared = declared_fields(tenant)
        if bulk.field_key not in declared.fields:
            raise ValidationError(_("This field is not declared (any more)."), code="field")
        try:
            values = typed_values(declared, {bulk.field_key: bulk.field_text})
        except ValidationError as error:
            field = declared.fields[bulk.field_key]
            raise ValidationError(f"{field}: {' '.join(error.messages)}", code="value") from error
        what["field"], what["value"] = bulk.field_key, values[bulk.field_key]
    if bulk.play:
        what["play"] = bulk.play
    return what


def _forget_old(tenant: Tenant) -> None:
    """What can no longer be taken back need not be kept."""
    AccountDeedPart.objects.filter(tenant=tenant, deed__created_at__lt=timezone.now() - KEPT).delete()


def do_part(*, tenant: Tenant, deed: AccountDeed, ordinal: int, ids: Sequence[int]) -> int:
    """Do one portion of a deed; how many accounts were changed. What became of its play stands in the deed."""
    actor, what = deed.member, deed.what
    found = Account.objects.select_for_update().filter(tenant=tenant, pk__in=ids).order_by("pk")
    accounts = [account for account in found if may_work_on(actor, account)]
    before = []
    changed = []
    for account in accounts:
        was = _apply(account, what)
        if was:
            changed.append(account)
            before.append(
                {"id": account.pk, "was": was, "now": {name: getattr(account, name) for name in was}}
            )
    _store(changed)
    _record(tenant, actor, changed, before, _names(what))
    AccountDeedPart.objects.create(tenant=tenant, deed=deed, ordinal=ordinal, before=before)
    deed.changed, deed.left_out = deed.changed + len(changed), deed.left_out + len(ids) - len(accounts)
    if what.get("play"):
        done = _start(tenant, actor, what["play"], [account.pk for account in accounts])
        deed.play = asdict(PlayStart(**deed.play).plus(done))
    AccountDeed.objects.filter(pk=deed.pk).update(
        changed=deed.changed, left_out=deed.left_out, play=deed.play
    )
    if changed:
        record_audit(
            tenant=tenant,
            actor=actor,
            action="accounts.bulk_changed",
            target=f"{len(changed)} accounts",
            before={str(row["id"]): row["was"] for row in before},
            after=what,
        )
    return len(changed)


def _start(tenant: Tenant, actor: Membership, play: str, ids: Sequence[int]) -> PlayStart:
    """Start the play at those of a portion that are the member's; the others are counted by the deed."""
    if not ids:
        return PlayStart()
    return start_play_at(tenant=tenant, actor=actor, playbook_key=play, account_ids=ids)


def _apply(account: Account, what: Mapping[str, Any]) -> dict[str, Any]:
    """Change an account in memory; what was there in the columns that are different now."""
    wanted: dict[str, Any] = {}
    if "owner" in what:
        wanted["owner_id"] = what["owner"] or None
    tags = list(account.tags)
    if what.get("tag") and what["tag"] not in tags and len(tags) < 100:
        tags.append(what["tag"])
    wanted["tags"] = [tag for tag in tags if tag != what.get("untag")]
    for name in ("segment", "stage"):
        if name in what:
            wanted[name] = what[name]
    if "field" in what:
        wanted["custom"] = with_values(account.custom, {what["field"]: what["value"]})
    was = {name: getattr(account, name) for name, value in wanted.items() if getattr(account, name) != value}
    for name in was:
        setattr(account, name, wanted[name])
    return was


def _store(accounts: Sequence[Account]) -> None:
    now = timezone.now()
    for account in accounts:
        account.updated_at = now
    fields = ["owner", "tags", "segment", "stage", "custom", "updated_at"]
    Account.objects.bulk_update(accounts, fields, batch_size=500)


def _names(what: Mapping[str, Any]) -> str:
    """What is changed, for the line of the timeline."""
    words = {
        "owner": _("owner"),
        "tag": _("tags"),
        "untag": _("tags"),
        "segment": _("segment"),
        "stage": _("stage"),
        "field": str(what.get("field", "")),
    }
    return ", ".join(dict.fromkeys(words[name] for name in words if name in what))


def _record(
    tenant: Tenant,
    actor: Membership,
    accounts: Sequence[Account],
    rows: Sequence[Mapping[str, Any]],
    title: str,
    *,
    undone: bool = False,
) -> None:
    """A line on the timeline of each account."""
    now = timezone.now()
    TimelineEntry.objects.bulk_create(
        [
            TimelineEntry(
                tenant=tenant,
                account_id=account.pk,
                kind=CHANGED,
                at=now,
                title=title[:300],
                actor=actor,
                data={"before": row["was"], "after": row["now"]} | ({"undone": True} if undone else {}),
            )
            for account, row in zip(accounts, rows, strict=True)
        ],
        batch_size=1000,
    )


def finish_deed(*, tenant: Tenant, deed: AccountDeed) -> None:
    """Say when it was over: from then on the time to take it back runs."""
    deed.finished_at = timezone.now()
    AccountDeed.objects.filter(tenant=tenant, pk=deed.pk).update(finished_at=deed.finished_at)


def can_undo(deed: AccountDeed) -> bool:
    """Whether a deed can still be taken back; starting a play cannot, a run is stopped on its page."""
    if deed.undone_at is not None or deed.finished_at is None or set(deed.what) <= {"play"}:
        return False
    patience = UNDO_PATIENCE if len(deed.account_ids) <= AT_ONCE else UNDO_PATIENCE_OF_JOBS
    return timezone.now() - deed.finished_at <= patience


def may_oversee(member: Membership) -> bool:
    """Whether the member may look at and take back what others did: managers who see every account."""
    return has_role(member, Role.MANAGER) and sees_all()


def undo_bulk(*, tenant: Tenant, member: Membership, deed_id: int) -> tuple[AccountDeed, Job | None]:
    """Take a deed back: what somebody changed since stays. Who did it may, and managers; many are a job."""
    deed = AccountDeed.objects.select_for_update().get(tenant=tenant, pk=deed_id)
    if deed.member_id != member.pk and not may_oversee(member):
        raise PermissionDenied
    if deed.undone_at is not None:
        raise ValidationError(_("This has been taken back already."), code="undone")
    if not can_undo(deed):
        raise ValidationError(_("It is too late to take this back; change the accounts again."), code="late")
    deed.undone_at = timezone.now()
    deed.save(update_fields=["undone_at"])
    if len(deed.account_ids) > AT_ONCE:
        job = enqueue_job(
            tenant=tenant, kind=UNDO_KIND, key=str(deed.pk), params={"deed": deed.pk}, requested_by=member
        )
        return deed, job
    for part in deed.parts.order_by("ordinal"):
        undo_part(tenant=tenant, deed=deed, part=part)
    return deed, None


def undo_part(*, tenant: Tenant, deed: AccountDeed, part: AccountDeedPart) -> int:
    """Take one portion back; how many accounts are as they were."""
    rows = {row["id"]: row for row in part.before}
    found = Account.objects.select_for_update().filter(tenant=tenant, pk__in=list(rows)).order_by("pk")
    changed, back = [], []
    for account in found:
        row = rows[account.pk]
        names = [name for name in row["was"] if getattr(account, name) == row["now"][name]]
        if not names:
            continue
        back.append(
            {"was": {n: getattr(account, n) for n in names}, "now": {n: row["was"][n] for n in names}}
        )
        for name in names:
            setattr(account, name, row["was"][name])
        changed.append(account)
    _store(changed)
    _record(tenant, deed.member, changed, back, _names(deed.what), undone=True)
    if changed:
        record_audit(
            tenant=tenant,
            actor=deed.member,
            action="accounts.bulk_undone",
            target=f"{len(changed)} accounts",
            before=deed.what,
            after={"deed": deed.pk, "accounts": [account.pk for account in changed]},
        )
    return len(changed)
