"""The job of an import: the file becomes parts of a thousand rows, each is tried, then stored.

Trying stores in a savepoint and rolls it back, so it finds exactly what storing would. All or nothing is one transaction
over all parts; good rows only is a transaction for each. What refers to a later row of the file is tried again at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone, translation

from accounts.custom_fields import Declared, declared_fields
from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import FileImport, ImportPart, Job, Tenant
from accounts.services.journal import record_audit
from accounts.upserts.items import Fault, Outcome

from .cells import Column, columns_of, item_of
from .files import Faulty, NotReadable, fitted, read_rows
from .resources import Resource, resource_of
from .work import (
    CHECK,
    KIND,
    ROWS_PER_PART,
    dates_of,
    forget,
    opened,
    packed,
    rows_of,
    shape_kept,
    targets_of,
)

LONGEST_VALUE = 200
Shown = list[Any]  # line, column, value, reason


def _source(tenant: Tenant, job: Job) -> FileImport:
    return FileImport.objects.select_related("member__user").get(tenant=tenant, pk=job.params["import"])


def _plan(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    source = _source(tenant, job)
    if job.params["mode"] == CHECK:
        with translation.override(source.member.user.language or tenant.language):
            if not _split(tenant, source):
                return []
    ordinals = list(source.parts.order_by("ordinal").values_list("ordinal", flat=True))
    if job.params["mode"] == CHECK:
        return [*(Chunk(1, "check", {"part": n}) for n in ordinals), Chunk(2, "checked", {})]
    if source.whole:
        return [Chunk(1, "whole", {})]
    return [*(Chunk(1, "store", {"part": n}) for n in ordinals), Chunk(2, "late", {}), Chunk(3, "stored", {})]


def _split(tenant: Tenant, source: FileImport) -> bool:
    """Write the file's rows down in parts; false where it cannot be read to its end, which the import then says."""
    source.parts.all().delete()
    kind = resource_of(source.resource)
    targets = targets_of(source)
    place = targets.index(kind.identity) if kind is not None and kind.identity in targets else None
    count = 0
    try:
        with opened(source) as file:
            rows = islice(read_rows(file, shape_kept(source)), 1, None)
            ordinal = 0
            while lines := list(islice(rows, ROWS_PER_PART)):
                good: list[tuple[int, list[str]]] = []
                faults: list[Shown] = []
                for line, read in lines:
                    if isinstance(read, list) and not any(cell.strip() for cell in read):
                        continue
                    cells = read if isinstance(read, Faulty) else fitted(read, len(targets), source.form)
                    if isinstance(cells, Faulty):
                        faults.append([line, "", "", str(cells)])
                    else:
                        good.append((line, cells))
                count += len(good) + len(faults)
                keys = [cells[place].strip() for _line, cells in good] if place is not None else []
                ImportPart.objects.create(
                    tenant=tenant,
                    source=source,
                    ordinal=ordinal,
                    data=packed(good),
                    keys=keys,
                    rows=len(good) + len(faults),
                    faults=faults,
                )
                ordinal += 1
    except NotReadable as error:
        source.parts.all().delete()
        source.state, source.problem, source.finished_at = (
            FileImport.State.REFUSED,
            str(error)[:500],
            timezone.now(),
        )
        source.save(update_fields=["state", "problem", "finished_at"])
        return False
    source.rows = count
    source.save(update_fields=["rows"])
    return True


class Reading:
    """What every part of an import needs."""

    def __init__(self, tenant: Tenant, source: FileImport) -> None:
        kind = resource_of(source.resource)
        if kind is None:
            raise LookupError(source.resource)
        self.tenant, self.source = tenant, source
        self.kind: Resource = kind
        self.columns: list[Column] = columns_of(source.header, targets_of(source), kind.fields, kind.amounts)
        self.declared: Declared = declared_fields(tenant)
        self.names = {column.amount_of or column.target: column for column in self.columns if column.target}
        self.places = {column.name: place for place, column in enumerate(self.columns)}

    def items(self, part: ImportPart) -> Iterator[tuple[int, list[str], dict[str, Any], list[Fault]]]:
        """Each row of a part: line, cells, item, what is wrong with its cells."""
        for line, cells in rows_of(part):
            item, faults = item_of(cells, self.columns, self.declared, dates_of(self.source))
            yield line, cells, item, faults

    def shown(self, line: int, cells: list[str], faults: Sequence[Fault], message: str) -> list[Shown]:
        """Faults as the file of errors shows them: which column, what stood there, why."""
        if not faults:
            return [[line, "", "", message]]
        found = []
        for fault in faults:
            column = self.names.get(fault.path)
            value = cells[self.places[column.name]] if column is not None else ""
            found.append([line, column.name if column else fault.path, value[:LONGEST_VALUE], fault.message])
        return found


def _try(reading: Reading, part: ImportPart, *, keep: bool) -> None:
    """Store a part's rows, or do as if; the part says what became of them."""
    good: list[tuple[int, list[str], dict[str, Any]]] = []
    readable = {line for line, _cells in rows_of(part)}
    faults: list[Shown] = [
        fault for fault in part.faults if fault[0] not in readable
    ]  # found when it was split
    for line, cells, item, wrong in reading.items(part):
        if wrong:
            faults += reading.shown(line, cells, wrong, "")
        else:
            good.append((line, cells, item))
    with transaction.atomic():
        outcome: Outcome = reading.kind.upsert(tenant=reading.tenant, items=[item for _l, _c, item in good])
        if not keep:
            transaction.set_rollback(True)
    waiting = _elsewhere(reading, outcome, good) if not keep else set()
    created = outcome.created
    for rejection in outcome.rejected:
        line, cells, _item = good[rejection.index]
        if line in waiting:
            created += 1  # its parent comes with a later part of the file
            continue
        faults += reading.shown(line, cells, rejection.faults, rejection.message)
    part.created, part.updated, part.unchanged = (
        created,
        outcome.updated - outcome.unchanged,
        outcome.unchanged,
    )
    part.faults = sorted(faults, key=lambda fault: fault[0])
    part.save(update_fields=["created", "updated", "unchanged", "faults"])


ELSEWHERE_SQL = """
SELECT DISTINCT key FROM accounts_importpart p, unnest(p.keys) AS key
WHERE p.tenant_id = %s AND p.source_id = %s AND key = ANY(%s)
"""


def _elsewhere(
    reading: Reading, outcome: Outcome, good: Sequence[tuple[int, list[str], dict[str, Any]]]
) -> set[int]:
    """Lines whose only fault is a parent that another row of the file will have made by then."""
    wanted = {
        good[one.index][0]: str(good[one.index][2].get("parent_id", ""))
        for one in outcome.rejected
        if {fault.code for fault in one.faults} == {"unknown_parent"}
    }
    if not wanted:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(ELSEWHERE_SQL, [reading.tenant.pk, reading.source.pk, sorted(set(wanted.values()))])
        known = {row[0] for row in cursor.fetchall()}
    return {line for line, parent in wanted.items() if parent in known}


def _part(tenant: Tenant, source: FileImport, params: Mapping[str, Any]) -> ImportPart:
    return ImportPart.objects.select_for_update().get(tenant=tenant, source=source, ordinal=params["part"])


def _check(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    source = _source(tenant, job)
    _try(Reading(tenant, source), _part(tenant, source, params), keep=False)


def _store(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    source = _source(tenant, job)
    _try(Reading(tenant, source), _part(tenant, source, params), keep=True)


def _late(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Rows that named something which a later row made: once more, now that it is there."""
    source = _source(tenant, job)
    reading = Reading(tenant, source)
    for part in source.parts.select_for_update().exclude(faults=[]).order_by("ordinal"):
        _again(reading, part)


def _again(reading: Reading, part: ImportPart) -> None:
    faulty = {fault[0] for fault in part.faults}
    rows = [
        (line, cells, item)
        for line, cells, item, wrong in reading.items(part)
        if line in faulty and not wrong
    ]
    if not rows:
        return
    outcome = reading.kind.upsert(tenant=reading.tenant, items=[item for _line, _cells, item in rows])
    still = {rows[one.index][0] for one in outcome.rejected}
    mended = {line for line, _cells, _item in rows} - still
    part.faults = [fault for fault in part.faults if fault[0] not in mended]
    part.created += outcome.created
    part.updated += outcome.updated - outcome.unchanged
    part.unchanged += outcome.unchanged
    part.save(update_fields=["created", "updated", "unchanged", "faults"])


class NotWhole(Exception):
    """A row failed after all had been tried: nothing is stored."""


def _whole(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """All parts in this one transaction; a fault that came up since the file was tried stores nothing of it."""
    source = _source(tenant, job)
    reading = Reading(tenant, source)
    try:
        with transaction.atomic():
            for part in source.parts.order_by("ordinal"):
                _try(reading, part, keep=True)
            for part in source.parts.exclude(faults=[]).order_by("ordinal"):
                _again(reading, part)
            if source.parts.exclude(faults=[]).exists():
                raise NotWhole
    except NotWhole:
        source.state, source.finished_at = FileImport.State.REFUSED, timezone.now()
        with translation.override(source.member.user.language or tenant.language):
            source.problem = translation.gettext(
                "Something changed since the file was tried, so not all rows could be stored, and none was. Try it again."
            )
        source.save(update_fields=["state", "problem", "finished_at"])
        return
    _finish(tenant, source, FileImport.State.DONE)


def _checked(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    _finish(tenant, _source(tenant, job), FileImport.State.CHECKED)


def _stored(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    _finish(tenant, _source(tenant, job), FileImport.State.DONE)


FAILED_SQL = """
SELECT count(DISTINCT fault ->> 0) FROM accounts_importpart p, jsonb_array_elements(p.faults) AS fault
WHERE p.tenant_id = %s AND p.source_id = %s
"""


def _finish(tenant: Tenant, source: FileImport, state: str) -> None:
    """Add the parts up; once stored, let go of the file."""
    sums = source.parts.aggregate(c=Sum("created"), u=Sum("updated"), s=Sum("unchanged"))
    with connection.cursor() as cursor:
        cursor.execute(FAILED_SQL, [tenant.pk, source.pk])
        source.failed = int(cursor.fetchone()[0])
    source.created, source.updated, source.unchanged = sums["c"] or 0, sums["u"] or 0, sums["s"] or 0
    source.state, source.finished_at = state, timezone.now()
    source.save(update_fields=["created", "updated", "unchanged", "failed", "state", "finished_at"])
    if state == FileImport.State.DONE:
        forget(tenant=tenant, source=source)
        record_audit(
            tenant=tenant,
            actor=source.member,
            action="import.finished",
            target=f"import:{source.pk}",
            after={
                "resource": source.resource,
                "created": source.created,
                "updated": source.updated,
                "unchanged": source.unchanged,
                "failed": source.failed,
            },
        )


def register_import_jobs() -> None:
    """Make the job known; called when the ground floor is ready."""
    steps = {
        "check": Step(_check),
        "checked": Step(_checked),
        "store": Step(_store),
        "late": Step(_late),
        "whole": Step(_whole),
        "stored": Step(_stored),
    }
    register_job_kind(KIND, JobKind(_plan, steps))
