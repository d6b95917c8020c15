"""What a note said, version by version."""

from __future__ import annotations

from accounts.models import NoteRevision, Tenant, TimelineEntry


def history(tenant: Tenant, entry: TimelineEntry) -> list[NoteRevision]:
    """The former versions of a note, the newest first; one query."""
    found = NoteRevision.objects.filter(tenant=tenant, note__tenant=tenant, note__entry=entry)
    return list(found.select_related("changed_by__user").order_by("-changed_at", "-pk"))
