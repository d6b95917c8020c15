"""Notes at accounts: written, changed, deleted, pinned; who took part is touched, who is named is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import get_or_404, has_role, may_work_on
from accounts.models import (
    Account,
    Contact,
    Membership,
    Note,
    NoteContact,
    NoteRevision,
    Role,
    Tenant,
    TimelineEntry,
)
from accounts.services import record_audit, record_timeline
from accounts.timeline import NOTE
from outreach.services import notify_members
from workspace.mentions import mentioned

TITLE_LENGTH = 300
MENTIONED = "mentioned"


def entry_path(account_id: int, entry_id: int) -> str:
    """Where an entry of a timeline is read, as a path inside the company."""
    return f"/accounts/{account_id}/everything/?entry={entry_id}"


def add_note(
    *,
    tenant: Tenant,
    actor: Membership,
    account: Account,
    text: str,
    kind: str = Note.Kind.NOTE,
    contact_ids: Collection[int] = (),
    mention_ids: Collection[int] = (),
) -> TimelineEntry:
    """Put a note on an account's timeline; its first line is the title."""
    if not may_work_on(actor, account):
        raise PermissionDenied
    entry = record_timeline(
        tenant=tenant, account_id=account.pk, kind=NOTE, at=timezone.now(), title="", actor=actor
    )
    note = Note.objects.create(
        tenant=tenant, account=account, entry=entry, author=actor, happened_at=entry.at, text="", kind=kind
    )
    _write(tenant, note, entry, text=text, kind=kind, contact_ids=contact_ids)
    _tell(tenant, note, actor, mention_ids)
    _show(note, entry)
    return entry


def edit_note(
    *,
    tenant: Tenant,
    actor: Membership,
    entry_id: int,
    text: str,
    kind: str,
    contact_ids: Collection[int] = (),
    mention_ids: Collection[int] = (),
) -> Note:
    """Change an own note; what it said before is kept, and who is named for the first time is told."""
    note, entry = _own(tenant, actor, entry_id)
    if note.deleted_at is not None:
        raise ValidationError(_("This note was deleted."))
    if (text.strip(), kind, set(contact_ids)) == (note.text, note.kind, set(_people(note))):
        return note
    _keep(tenant, note, actor)
    note.edited_at = timezone.now()
    _write(tenant, note, entry, text=text, kind=kind, contact_ids=contact_ids)
    _tell(tenant, note, actor, mention_ids)
    _show(note, entry)
    return note


def delete_note(*, tenant: Tenant, actor: Membership, entry_id: int) -> Note:
    """Take a note's words away; that there was one, whose and when stays to be seen."""
    note, entry = _own(tenant, actor, entry_id, or_manager=True)
    if note.deleted_at is None:
        _keep(tenant, note, actor)
        note.deleted_at, note.deleted_by, note.pinned_at = timezone.now(), actor, None
        note.save(update_fields=["deleted_at", "deleted_by", "pinned_at"])
        NoteContact.objects.filter(tenant=tenant, note=note).delete()
        _show(note, entry)
        record_audit(
            tenant=tenant, actor=actor, action="note.deleted", target=str(note.pk), before={"kind": note.kind}
        )
    return note


def restore_note(*, tenant: Tenant, actor: Membership, entry_id: int) -> Note:
    """Bring a deleted note back as it was."""
    note, entry = _own(tenant, actor, entry_id, or_manager=True)
    if note.deleted_at is not None:
        last = NoteRevision.objects.filter(tenant=tenant, note=note).latest("id")
        note.deleted_at = note.deleted_by = None
        _write(tenant, note, entry, text=last.text, kind=last.kind, contact_ids=last.contacts)
        _show(note, entry)
        last.delete()
    return note


def pin_note(*, tenant: Tenant, actor: Membership, entry_id: int, pinned: bool) -> Note:
    """Keep a note at the top of its account, or let it go again."""
    note, entry = _note(tenant, entry_id)
    if not may_work_on(actor, note.account):
        raise PermissionDenied
    if note.deleted_at is not None:
        raise ValidationError(_("This note was deleted."))
    note.pinned_at, note.pinned_by = (timezone.now(), actor) if pinned else (None, None)
    note.save(update_fields=["pinned_at", "pinned_by"])
    _show(note, entry)
    return note


def _note(tenant: Tenant, entry_id: int) -> tuple[Note, TimelineEntry]:
    """The note of an entry, held; one that was written before notes had rows gets its row now."""
    entry = get_or_404(TimelineEntry, tenant=tenant, pk=entry_id, kind=NOTE)
    note = (
        Note.objects.select_for_update(of=("self",))
        .select_related("account")
        .filter(tenant=tenant, entry=entry)
        .first()
    )
    if note is None:
        text = str(entry.data.get("text", ""))
        whole = text if text.startswith(entry.title) else "\n".join(filter(None, (entry.title, text)))
        note = Note.objects.create(
            tenant=tenant,
            account_id=entry.account_id,
            entry=entry,
            author_id=entry.actor_id,
            text=whole,
            happened_at=entry.at,
        )
    return note, entry


def _own(
    tenant: Tenant, actor: Membership, entry_id: int, *, or_manager: bool = False
) -> tuple[Note, TimelineEntry]:
    note, entry = _note(tenant, entry_id)
    if note.author_id != actor.pk and not (or_manager and has_role(actor, Role.MANAGER)):
        raise PermissionDenied
    return note, entry


def _people(note: Note) -> list[int]:
    return list(note.people.values_list("contact_id", flat=True))


def _keep(tenant: Tenant, note: Note, actor: Membership) -> None:
    """What the note says now, before it says something else."""
    NoteRevision.objects.create(
        tenant=tenant, note=note, kind=note.kind, text=note.text, contacts=_people(note), changed_by=actor
    )


def _write(
    tenant: Tenant, note: Note, entry: TimelineEntry, *, text: str, kind: str, contact_ids: Collection[int]
) -> None:
    if kind not in Note.Kind.values:
        raise ValidationError({"kind": _("Choose what it was.")})
    note.text, note.kind = text.strip(), kind
    if not note.text:
        raise ValidationError({"text": _("Write something first.")})
    note.save()
    wanted = Contact.objects.filter(tenant=tenant, account_id=note.account_id, pk__in=list(contact_ids))
    NoteContact.objects.filter(tenant=tenant, note=note).delete()
    NoteContact.objects.bulk_create(
        NoteContact(tenant=tenant, note=note, contact_id=pk) for pk in wanted.values_list("pk", flat=True)
    )


def _tell(tenant: Tenant, note: Note, actor: Membership, chosen: Collection[int]) -> None:
    """Who is named now and was not before gets a line behind the bell, and a mail if they want mails."""
    members = list(Membership.objects.filter(tenant=tenant, is_active=True).select_related("user", "tenant"))
    named = mentioned(note.text, ((member.pk, str(member)) for member in members), chosen)
    fresh = [member for member in members if member.pk in named and member.pk not in note.mentions]
    note.mentions = [*note.mentions, *(member.pk for member in fresh)]
    note.save(update_fields=["mentions"])
    others = [member for member in fresh if member.pk != actor.pk]
    if others:
        notify_members(
            tenant=tenant,
            members=others,
            kind=MENTIONED,
            title=_("%(who)s named you in a note at %(account)s")
            % {"who": actor, "account": note.account.name},
            body=note.text,
            url=entry_path(note.account_id, note.entry_id),
            account=note.account,
            dedupe_key=f"note:{note.pk}:{','.join(str(member.pk) for member in others)}",
        )


def _show(note: Note, entry: TimelineEntry) -> None:
    """What people read: the entry on the timeline says what the note says."""
    first, _newline, rest = note.text.partition("\n")
    data: dict[str, Any] = {"note": note.pk, "type": note.kind}
    if note.deleted_at is not None:
        entry.title = ""
        data["deleted"] = note.deleted_at.isoformat()
    else:
        entry.title = first[:TITLE_LENGTH]
        body = note.text if len(first) > TITLE_LENGTH else rest.strip()
        data |= {"text": body} if body else {}
        data |= _lists(note, _people(note))
        if note.edited_at is not None:
            data["edited"] = note.edited_at.isoformat()
        if note.pinned_at is not None:
            data["pinned"] = note.pinned_at.isoformat()
    entry.data = data
    entry.save(update_fields=["title", "data"])


def _lists(note: Note, contact_ids: Sequence[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if contact_ids:
        found["contacts"] = sorted(contact_ids)
    if note.mentions:
        found["mentions"] = list(note.mentions)
    return found
