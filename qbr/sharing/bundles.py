"""All packs of a month: which they are, and their files as one archive that is written while it is sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from accounts.fence.scope import tenant_scope
from accounts.models import Job, Tenant
from qbr.models import Pack, PackFile
from qbr.sharing.files import name_of

AT_ONCE = 20  # files that are read in one go


@dataclass(frozen=True)
class Entry:
    """A file of the archive."""

    file_id: int
    name: str
    size: int


def bundle_packs(tenant: Tenant, *, month: date, owner_id: int | None) -> list[Pack]:
    """The packs that are due in this month and not skipped, of a CSM or of everybody."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    packs = Pack.objects.filter(tenant=tenant, due_on__gte=month.replace(day=1), due_on__lt=following)
    packs = packs.exclude(state=Pack.State.SKIPPED)
    if owner_id is not None:
        packs = packs.filter(account__owner_id=owner_id)
    return list(packs.only("id", "tenant_id").order_by("due_on", "id"))


def bundled(tenant: Tenant, job: Job) -> list[Entry]:
    """The files that a job has made, each under a name of its own; one query."""
    files = (
        PackFile.objects.select_related("pack__account")
        .filter(tenant=tenant, pack__in=job.params["packs"], kind__in=job.params["kinds"])
        .defer("data", "pack__content")
        .order_by("pack_id", "kind", "-version")
    )
    entries: dict[tuple[int, str], Entry] = {}
    taken: set[str] = set()
    for file in files:
        key = (file.pack_id, file.kind)
        if key in entries:
            continue  # an older version
        name = name_of(file.pack.account, file.pack, file.kind)
        if name.lower() in taken:
            name = f"{file.pack_id} {name}"
        taken.add(name.lower())
        entries[key] = Entry(file.pk, name, file.size)
    return list(entries.values())


class _Pipe(io.RawIOBase):
    """What the archive writes, until it is taken away; never the whole archive."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        taken = bytes(data)  # type: ignore[call-overload]  # any buffer
        self.waiting += taken
        return len(taken)

    def take(self) -> bytes:
        taken = bytes(self.waiting)
        self.waiting.clear()
        return taken


def zip_stream(tenant: Tenant, entries: Sequence[Entry]) -> Iterator[bytes]:
    """The archive in pieces; opens a scope of its own for each handful of files, since it runs after the request's."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:  # PDF and PPTX are compressed already
        for start in range(0, len(entries), AT_ONCE):
            some = {entry.file_id: entry.name for entry in entries[start : start + AT_ONCE]}
            with tenant_scope(tenant):
                found = list(PackFile.objects.filter(tenant=tenant, pk__in=some).order_by("id"))
            for file in found:
                archive.writestr(some[file.pk], bytes(file.data))
                yield pipe.take()
    yield pipe.take()
