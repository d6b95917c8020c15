"""Packs as stored files: made on the worker, kept as long as they are what they would be, final once the pack is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import Account, Job, Membership, Tenant
from accounts.services import enqueue_job
from outreach.documents.brand import Brand, brand_of
from qbr.content import PackContent, from_json
from qbr.figures.canonical import canonical
from qbr.models import Pack, PackFile
from qbr.rendering.deck import pack_deck
from qbr.rendering.pdf import pack_pdf
from qbr.rendering.printing import Print
from qbr.rendering.words import facts_of, words_of

JOB = "pack_files"
KINDS = tuple(PackFile.Kind.values)
LOOK = 2  # raised when page or slides are laid out anew: files of packs that are not sent are then made again
TYPES = {
    PackFile.Kind.PDF: "application/pdf",
    PackFile.Kind.PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}


@dataclass(frozen=True)
class FileState:
    """What there is of a kind of file: the newest one, and whether it is what would be made now."""

    kind: str
    label: str
    file: PackFile | None
    is_current: bool


def ask_files(
    *,
    tenant: Tenant,
    pack_ids: Sequence[int],
    kinds: Iterable[str],
    member: Membership | None = None,
    key: str = "",
) -> Job:
    """Have files made by a worker; the job says how far it is. Asking again while it runs changes nothing."""
    wanted = [kind for kind in KINDS if kind in set(kinds)]
    name = key or f"{'-'.join(map(str, pack_ids[:3]))}-{'-'.join(wanted)}"
    params = {"packs": list(pack_ids), "kinds": wanted}
    return enqueue_job(
        tenant=tenant, kind=JOB, key=name[:100], params=params, requested_by=member, again=True
    )


def make_file(*, tenant: Tenant, pack: Pack, kind: str, brand: Brand | None = None) -> PackFile:
    """The file of the pack's version as it is now: the stored one where it still says the same, else made anew."""
    brand = brand or brand_of(tenant)
    stored = PackFile.objects.filter(tenant=tenant, pack=pack, version=pack.version, kind=kind).first()
    made_from = fingerprint(pack, brand)
    if stored is not None and (pack.is_frozen or stored.made_from == made_from):
        return stored
    data = rendered(tenant, from_json(pack.content), kind, brand)
    file, _made = PackFile.objects.update_or_create(
        tenant=tenant,
        pack=pack,
        version=pack.version,
        kind=kind,
        defaults={
            "made_from": made_from,
            "data": data,
            "digest": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "made_at": timezone.now(),
        },
    )
    return file


def rendered(tenant: Tenant, content: PackContent, kind: str, brand: Brand) -> bytes:
    """The content as a file of this kind."""
    shown = print_of(tenant, content, brand)
    return pack_pdf(shown) if kind == PackFile.Kind.PDF else pack_deck(shown)


def print_of(tenant: Tenant, content: PackContent, brand: Brand) -> Print:
    """The content with where its figures come from, in one query."""
    ids = [pk for section in content.shown for pk in section.figure_ids]
    return Print(content, facts_of(tenant, ids, content.language), words_of(content.language), brand)


def fingerprint(pack: Pack, brand: Brand) -> str:
    """What a file is made from: the content, the look and how we lay it out. Figures never change, their ids say them."""
    logo = hashlib.sha256(brand.logo or b"").hexdigest()
    look = [brand.name, brand.colour, brand.footer, logo, LOOK]
    return hashlib.sha256(canonical([pack.content, look]).encode()).hexdigest()


def states_of(tenant: Tenant, pack: Pack) -> list[FileState]:
    """Each kind of file of a pack's present version, without its bytes; two queries."""
    files = PackFile.objects.filter(tenant=tenant, pack=pack, version=pack.version).defer("data")
    found = {file.kind: file for file in files}
    now = fingerprint(pack, brand_of(tenant))
    return [
        FileState(
            kind.value,
            str(kind.label),
            found.get(kind.value),
            kind.value in found and (pack.is_frozen or found[kind.value].made_from == now),
        )
        for kind in PackFile.Kind
    ]


def running_job(tenant: Tenant, pack: Pack) -> Job | None:
    """The newest job that makes files of this pack alone and is not over, or failed."""
    jobs = Job.objects.filter(tenant=tenant, kind=JOB, key__startswith=f"{pack.pk}-")
    return jobs.exclude(state=Job.State.DONE).order_by("-id").first()


def name_of(account: Account, pack: Pack, kind: str) -> str:
    """A file name that says what is in it; letters that every system takes."""
    plain = "".join(sign if sign.isalnum() or sign in " -_." else "-" for sign in account.name).strip(" .")
    return f"{plain[:80] or account.pk} {pack.due_on.isoformat()}.{kind}"


# ── The job ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _plan(tenant: Tenant, job: Job) -> list[Chunk]:
    return [
        Chunk(0, "make", {"pack": pack, "kind": kind})
        for pack in job.params["packs"]
        for kind in job.params["kinds"]
    ]


def _make(tenant: Tenant, job: Job, params: Any) -> None:
    pack = Pack.objects.select_related("account").filter(tenant=tenant, pk=params["pack"]).first()
    if pack is not None:  # deleted in the meantime: nothing to make
        make_file(tenant=tenant, pack=pack, kind=params["kind"])


def register_pack_files() -> None:
    """Make the kind of job known; called from the app's `ready()`."""
    register_job_kind(JOB, JobKind(_plan, {"make": Step(_make)}))
