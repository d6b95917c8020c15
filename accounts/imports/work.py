"""Importing a file in steps: taken in, its columns chosen, tried by a job that stores nothing, stored by another."""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import IO, Any

import orjson
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.custom_fields import declared_fields
from accounts.models import FileImport, ImportBlock, ImportPart, Job, Membership, Tenant
from accounts.services.jobs import enqueue_job, resume_job
from accounts.services.journal import record_audit

from .cells import DATE_ORDERS, ISO, columns_of, date_order, item_of
from .files import (
    CSV,
    DELIMITERS,
    ENCODINGS,
    Faulty,
    NotReadable,
    Row,
    Shape,
    first_row,
    fitted,
    header_of,
    is_blank,
    reading,
    shape_of,
)
from .resources import Resource, guess_targets, missing_fields, resource_of

KIND = "file_import"
UNDO_KIND = "file_import_undo"
BLOCK = 2**20
SHOWN_ROWS, SAMPLED_ROWS, SAMPLED_LINES = 8, 300, 5_000
CHECK, STORE, UNDO = "check", "store", "undo"
DATES = "dates"  # beside the columns in the mapping: how dates are written


def take_in(
    *, tenant: Tenant, member: Membership, resource: str, name: str, file: IO[bytes], size: int
) -> FileImport:
    """Keep an uploaded file and guess what its columns are; raises `ValidationError` for one that cannot be read."""
    kind = resource_of(resource)
    if kind is None:
        raise ValidationError(_("Choose what the file holds."))
    try:
        shape = shape_of(file, size)
        header = header_of(first_row(file, shape))
    except NotReadable as error:
        raise ValidationError(str(error)) from error
    made = FileImport.objects.create(
        tenant=tenant,
        member=member,
        resource=kind.key,
        name=PurePath(name.replace("\\", "/")).name[:200] or "file",
        size=size,
        form=shape.form,
        encoding=shape.encoding,
        delimiter=shape.delimiter,
        header=header,
        header_hash=_hash(kind.key, header),
    )
    file.seek(0)
    ordinal = 0
    while block := file.read(BLOCK):
        ImportBlock.objects.create(tenant=tenant, source=made, ordinal=ordinal, data=zlib.compress(block, 1))
        ordinal += 1
    made.mapping = _remembered(tenant, made) or _guessed(tenant, made, kind)
    made.save(update_fields=["mapping"])
    return made


def _hash(resource: str, header: Sequence[str]) -> str:
    return hashlib.sha256(orjson.dumps([resource, list(header)])).hexdigest()


def _remembered(tenant: Tenant, made: FileImport) -> dict[str, Any]:
    """What somebody chose for a file with the same columns."""
    settled = [FileImport.State.CHECKED, FileImport.State.DONE]
    same = FileImport.objects.filter(tenant=tenant, header_hash=made.header_hash, state__in=settled)
    newest = same.order_by("-id").values_list("mapping", flat=True).first()
    return dict(newest) if newest else {}


def _guessed(tenant: Tenant, made: FileImport, kind: Resource) -> dict[str, Any]:
    targets = guess_targets(made.header, kind, declared_fields(tenant).fields)
    rows = _sample(made)
    days = {one.name for one in kind.fields if one.schema.get("format") == "date"}
    samples = [row[place] for row in rows for place, target in enumerate(targets) if target in days]
    return {str(place): target for place, target in enumerate(targets)} | {DATES: date_order(samples)}


def shape_kept(source: FileImport) -> Shape:
    """How the file is read."""
    return Shape(source.form, source.encoding or "utf-8", source.delimiter or ",")


@contextmanager
def opened(source: FileImport) -> Iterator[IO[bytes]]:
    """The file as it came, on the disk."""
    with tempfile.TemporaryFile() as file:
        blocks = ImportBlock.objects.filter(tenant_id=source.tenant_id, source=source).order_by("ordinal")
        for data in blocks.values_list("data", flat=True).iterator(chunk_size=4):
            file.write(zlib.decompress(bytes(data)))
        file.seek(0)
        yield file


def _sample(source: FileImport) -> list[list[str]]:
    """The first readable rows below the header; raises `ValidationError` where there is something else than a table."""
    try:
        with opened(source) as file, reading(file, shape_kept(source)) as rows:
            return list(islice(_cells(islice(rows, 1, SAMPLED_LINES), source), SAMPLED_ROWS))
    except NotReadable as error:
        raise ValidationError(str(error)) from error


def _cells(rows: Iterator[Row], source: FileImport) -> Iterator[list[str]]:
    for _line, read in rows:
        if isinstance(read, Faulty) or is_blank(read):
            continue
        cells = fitted(read, len(source.header), source.form)
        if not isinstance(cells, Faulty):
            yield cells


@dataclass(frozen=True)
class ColumnLook:
    """A column as the preview shows it: where it goes, some cells, how many of the sampled ones do not fit."""

    place: int
    name: str
    target: str
    cells: list[str]
    faults: int
    fault: str


@dataclass(frozen=True)
class Preview:
    """What would be read of a file."""

    columns: list[ColumnLook]
    missing: list[str]
    sampled: int
    dates: str


def preview(tenant: Tenant, source: FileImport) -> Preview:
    """The columns with where they go, the first rows, and what does not fit among the first hundreds."""
    kind = _kind(source)
    targets = targets_of(source)
    dates = dates_of(source)
    columns = columns_of(source.header, targets, kind.fields, kind.amounts)
    declared = declared_fields(tenant)
    rows = _sample(source)
    faults: dict[str, list[str]] = {}
    fields = {field.name: field for field in kind.fields}
    for row in rows:
        item, wrong = item_of(row, columns, declared, dates)
        for fault in wrong:
            faults.setdefault(fault.path, []).append(fault.message)
        for name, value in item.items():
            if name in fields:
                try:
                    fields[name].read_value(value)
                except ValueError as error:
                    faults.setdefault(name, []).append(str(error))
    looks = []
    for place, column in enumerate(columns):
        found = faults.get(column.target, []) + (faults.get(column.amount_of, []) if column.amount_of else [])
        cells = [row[place][:80] for row in rows[:SHOWN_ROWS]]
        looks.append(
            ColumnLook(place, column.name, column.target, cells, len(found), found[0] if found else "")
        )
    return Preview(looks, missing_fields(targets, kind), len(rows), dates)


def _kind(source: FileImport) -> Resource:
    kind = resource_of(source.resource)
    if kind is None:
        raise ValidationError(_("This kind of import is not known (any more)."))
    return kind


def targets_of(source: FileImport) -> list[str]:
    """Where each column goes; empty: nowhere."""
    return [str(source.mapping.get(str(place), "")) for place in range(len(source.header))]


def dates_of(source: FileImport) -> str:
    """How dates are written in the file."""
    said = source.mapping.get(DATES, ISO)
    return said if said in DATE_ORDERS else ISO


def choose(
    *, tenant: Tenant, source: FileImport, targets: Sequence[str], dates: str, encoding: str, delimiter: str
) -> FileImport:
    """Say where the columns go and how the file is read; raises `ValidationError` where that cannot be."""
    kind = _kind(source)
    if source.state not in (FileImport.State.MAPPING, FileImport.State.CHECKED):
        raise ValidationError(_("This import is on its way already."))
    allowed = {one.name for one in kind.fields} | set(kind.amounts)
    for name, target in zip(source.header, targets, strict=True):
        inside = target.startswith("custom.") and kind.takes_custom and len(target) > 7
        if target and target not in allowed and not inside and not target.startswith("targets."):
            raise ValidationError(_("“%(name)s” cannot be put there.") % {"name": name})
    used = [kind.amounts.get(target, target) for target in targets if target]
    twice = sorted({target for target in used if used.count(target) > 1})
    if twice:
        raise ValidationError(_("Two columns go to the same field: %(names)s.") % {"names": ", ".join(twice)})
    missing = missing_fields(targets, kind)
    if missing:
        words = ", ".join(need.replace("|", _(" or ")) for need in missing)
        raise ValidationError(_("A column must give: %(fields)s.") % {"fields": words})
    changed = (encoding, delimiter) != (source.encoding, source.delimiter) and source.form == CSV
    if changed and encoding in ENCODINGS and delimiter in DELIMITERS:
        _read_otherwise(tenant, source, kind, encoding, delimiter)
    else:
        source.mapping = {str(place): target for place, target in enumerate(targets)} | {
            DATES: dates if dates in DATE_ORDERS else ISO
        }
    source.state, source.problem = FileImport.State.MAPPING, ""
    source.save()
    return source


def _read_otherwise(
    tenant: Tenant, source: FileImport, kind: Resource, encoding: str, delimiter: str
) -> None:
    """Read the file in another encoding or with another separator: its columns are other ones then."""
    source.encoding, source.delimiter = encoding, delimiter
    try:
        with opened(source) as file:
            header = header_of(first_row(file, shape_kept(source)))
    except NotReadable as error:
        raise ValidationError(str(error)) from error
    source.header, source.header_hash = header, _hash(kind.key, header)
    source.mapping = _remembered(tenant, source) or _guessed(tenant, source, kind)


def start(*, tenant: Tenant, member: Membership, source: FileImport, mode: str, whole: bool = False) -> Job:
    """Try a file, or store what was tried; the work is a job. Raises `ValidationError` where it cannot begin."""
    states = FileImport.State
    held = FileImport.objects.select_for_update().get(tenant=tenant, pk=source.pk)
    if held.state not in ((states.MAPPING, states.CHECKED) if mode == CHECK else (states.CHECKED,)):
        raise ValidationError(_("This import is on its way already."))
    missing = missing_fields(targets_of(held), _kind(held))
    if missing:
        raise ValidationError(_("A column must give: %(fields)s.") % {"fields": ", ".join(missing)})
    if mode == STORE and whole and held.failed:
        raise ValidationError(
            _(
                "All or nothing is not possible: %(count)s rows have faults. Mend them in the file, or store the good rows."
            )
            % {"count": held.failed}
        )
    held.state = states.CHECKING if mode == CHECK else states.STORING
    held.whole, held.problem = whole, ""
    held.save(update_fields=["state", "whole", "problem"])
    if mode == STORE:
        record_audit(
            tenant=tenant,
            actor=member,
            action="import.started",
            target=f"import:{held.pk}",
            after={
                "resource": held.resource,
                "file": held.name,
                "rows": held.rows,
                "whole": whole,
                "mapping": held.mapping,
            },
        )
    source.state = held.state
    return enqueue_job(
        tenant=tenant,
        kind=KIND,
        key=f"{held.token}-{mode}",
        params={"import": held.pk, "mode": mode},
        requested_by=member,
        again=True,
    )


def rows_of(part: ImportPart) -> list[tuple[int, list[str]]]:
    """The rows of a part: line numbers and cells."""
    return [(line, cells) for line, cells in orjson.loads(zlib.decompress(bytes(part.data)))]


def packed(rows: Sequence[tuple[int, list[str]]]) -> bytes:
    """Rows as a part keeps them."""
    return zlib.compress(orjson.dumps(rows), 1)


def forget(*, tenant: Tenant, source: FileImport) -> None:
    """Let go of the file once its import is over: what became of the rows stays, the cells of the good ones do not."""
    ImportBlock.objects.filter(tenant=tenant, source=source).delete()
    ImportPart.objects.filter(tenant=tenant, source=source, faults=[]).delete()
    ImportPart.objects.filter(tenant=tenant, source=source).update(data=b"", keys=[], waiting=[], refused=[])


def job_of(tenant: Tenant, source: FileImport) -> Job | None:
    """What works on the file in the state it is in."""
    key = {
        FileImport.State.CHECKING: (KIND, CHECK),
        FileImport.State.STORING: (KIND, STORE),
        FileImport.State.UNDOING: (UNDO_KIND, UNDO),
    }.get(FileImport.State(source.state))
    if key is None:
        return None
    return Job.objects.filter(tenant=tenant, kind=key[0], key=f"{source.token}-{key[1]}").first()


def job_broke_off(tenant: Tenant, source: FileImport) -> bool:
    """Whether the work on the file was given up after several tries."""
    job = job_of(tenant, source)
    return job is not None and job.state == Job.State.FAILED


def go_on(*, tenant: Tenant, member: Membership, source: FileImport) -> Job:
    """Let work that broke off go on where it stood; raises a ValidationError where it did not break off."""
    held = FileImport.objects.select_for_update().get(tenant=tenant, pk=source.pk)
    job = job_of(tenant, held)
    if job is None:
        raise ValidationError(_("This did not fail; there is nothing to try again."))
    found = resume_job(tenant=tenant, job=job)
    record_audit(
        tenant=tenant,
        actor=member,
        action="import.resumed",
        target=f"import:{held.pk}",
        after={"done": job.done, "of": job.total},
    )
    return found


def discard(*, tenant: Tenant, source: FileImport) -> None:
    """Give an import up before anything of it is stored."""
    states = FileImport.State
    stored_nothing = source.state == states.CHECKING or (source.state == states.STORING and source.whole)
    busy = source.state in (states.CHECKING, states.STORING, states.UNDOING)
    if busy and not (stored_nothing and job_broke_off(tenant, source)):
        raise ValidationError(_("This import is on its way; wait until it is over."))
    for model in (ImportBlock, ImportPart):
        model.objects.filter(tenant=tenant, source=source).delete()
    FileImport.objects.filter(tenant=tenant, pk=source.pk).delete()


def fault_lines(source: FileImport) -> Iterator[Mapping[str, Any]]:
    """Every fault: line, column, value, reason."""
    parts = (
        ImportPart.objects.filter(tenant_id=source.tenant_id, source=source)
        .exclude(faults=[])
        .order_by("ordinal")
    )
    for faults in parts.values_list("faults", flat=True).iterator(chunk_size=10):
        for line, column, value, reason in faults:
            yield {"line": line, "column": column, "value": value, "reason": reason}
