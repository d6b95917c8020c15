"""The job of an import: the file becomes parts of a thousand rows, each is tried, then stored.

Trying goes the way of storing up to where rows are written, so it finds what storing would. It leaves no trace: rows that
are written and rolled back are dead ones; a hundred thousand of them had PostgreSQL take the table for empty, and then each
check of a reference read all of it. All or nothing is one transaction over all parts; good rows only is a transaction for
each. What refers to a later row of the file is tried again at the end (`parents.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone, translation

from accounts.custom_fields import Declared, declared_fields
from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import FileImport, ImportPart, Job, Tenant
from accounts.progress import forget_progress, note_progress
from accounts.services.journal import record_audit
from accounts.upserts.items import Fault, Outcome
from accounts.upserts.rows import account_ids

from .cells import Column, columns_of, item_of
from .parents import PARENT, UNKNOWN_PARENT, refuse_lost
from .resources import Resource, resource_of
from .splitting import LONGEST_VALUE, Shown, split
from .taking_back import keep_changes
from .work import CHECK, KIND, dates_of, forget, rows_of, targets_of

Good = tuple[int, list[str], dict[str, Any]]  # line, cells, item


def _source(tenant: Tenant, job: Job) -> FileImport:
    return FileImport.objects.select_related("member__user").get(tenant=tenant, pk=job.params["import"])


def _plan(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    source = _source(tenant, job)
    if job.params["mode"] == CHECK:
        with translation.override(source.member.user.language or tenant.language):
            if not split(tenant, source, job):
                return []
    ordinals = list(source.parts.order_by("ordinal").values_list("ordinal", flat=True))
    if job.params["mode"] == CHECK:
        return [*(Chunk(1, "check", {"part": n}) for n in ordinals), Chunk(2, "checked", {})]
    if source.whole:
        return [Chunk(1, "whole", {})]
    return [*(Chunk(1, "store", {"part": n}) for n in ordinals), Chunk(2, "late", {}), Chunk(3, "stored", {})]


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
        # A fault names what the form calls a column, or the field in cents that it fills.
        used = [column for column in self.columns if column.target]
        self.names = {name: one for one in used for name in (one.target, one.amount_of) if name}
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
    good: list[Good] = []
    readable = {line for line, _cells in rows_of(part)}
    faults: list[Shown] = [
        fault for fault in part.faults if fault[0] not in readable
    ]  # found when it was split
    for line, cells, item, wrong in reading.items(part):
        if wrong:
            faults += reading.shown(line, cells, wrong, "")
        else:
            good.append((line, cells, item))
    items = [item for _line, _cells, item in good]
    outcome: Outcome = reading.kind.upsert(tenant=reading.tenant, items=items, store=keep)
    if keep:
        keep_changes(
            tenant=reading.tenant, source=reading.source, ordinal=2 * part.ordinal, changes=outcome.changes
        )
    part.created, part.unchanged = outcome.created, outcome.unchanged
    part.updated = outcome.updated - outcome.unchanged
    part.waiting = _waiting(reading, outcome, good)
    # Trying counts what waits as stored: its parent comes with another part, or the row is refused at the end.
    passed = set() if keep else {line for line, *_names in part.waiting}
    for rejection in outcome.rejected:
        line, cells, _item = good[rejection.index]
        if line not in passed:
            faults += reading.shown(line, cells, rejection.faults, rejection.message)
    if not keep:
        known = sum(known for *_names, known in part.waiting)
        part.updated += known
        part.created += len(part.waiting) - known
    part.faults = sorted(faults, key=lambda fault: fault[0])
    part.refused = _refused(reading, part, readable)
    part.save(update_fields=["created", "updated", "unchanged", "faults", "waiting", "refused"])


def _waiting(reading: Reading, outcome: Outcome, good: Sequence[Good]) -> list[Shown]:
    """Rows whose only fault is a parent that is not there: line, id, parent, whether the account itself is there."""
    found = []
    for one in outcome.rejected:
        if {fault.code for fault in one.faults} == {UNKNOWN_PARENT}:
            line, _cells, item = good[one.index]
            found.append((line, str(item[reading.kind.identity]), str(item[PARENT])))
    there = account_ids(reading.tenant, (key for _line, key, _parent in found)) if found else {}
    return [[line, key, parent, key in there] for line, key, parent in found]


def _refused(reading: Reading, part: ImportPart, readable: Collection[int]) -> list[Shown]:
    """Rows with faults that others may hang on: line and id."""
    if PARENT not in reading.names or reading.kind.identity not in reading.names:
        return []
    faulty = {fault[0] for fault in part.faults} - {line for line, *_names in part.waiting}
    if not faulty & set(readable):
        return []
    place = reading.places[reading.names[reading.kind.identity].name]
    return [
        [line, cells[place].strip()]
        for line, cells in rows_of(part)
        if line in faulty and cells[place].strip()
    ]


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
    _store_waiting(reading)
    _refuse_lost(reading, counted=False)


def _store_waiting(reading: Reading) -> None:
    """Store what waited for another row, again and again: a parent may itself have waited."""
    while sum([_again(reading, part) for part in _one_by_one(reading.source, waiting=True)]):
        pass


def _refuse_lost(reading: Reading, *, counted: bool) -> None:
    if PARENT in reading.names:
        column = reading.names[PARENT].name
        refuse_lost(tenant=reading.tenant, source=reading.source, column=column, counted=counted)


def _one_by_one(source: FileImport, *, waiting: bool = False) -> Iterator[ImportPart]:
    """The parts in their order, never more than one of them in memory."""
    parts = source.parts.exclude(waiting=[]) if waiting else source.parts.all()
    for pk in list(parts.order_by("ordinal").values_list("pk", flat=True)):
        yield source.parts.select_for_update().get(pk=pk)


def _next_ordinal(source: FileImport) -> int:
    """Behind all that is kept so far: taken back in the opposite order, children go before their parents."""
    return int(source.changes.aggregate(newest=Max("ordinal", default=0))["newest"]) + 1


def _again(reading: Reading, part: ImportPart) -> int:
    """Store those rows of a part that waited and need not any more; how many there were."""
    waited = {line for line, *_names in part.waiting}
    rows = [(line, cells, item) for line, cells, item, _wrong in reading.items(part) if line in waited]
    outcome = reading.kind.upsert(tenant=reading.tenant, items=[item for _line, _cells, item in rows])
    keep_changes(
        tenant=reading.tenant,
        source=reading.source,
        ordinal=_next_ordinal(reading.source),
        changes=outcome.changes,
    )
    faults: list[Shown] = [fault for fault in part.faults if fault[0] not in waited]
    for one in outcome.rejected:
        line, cells, _item = rows[one.index]
        faults += reading.shown(line, cells, one.faults, one.message)
    part.faults = sorted(faults, key=lambda fault: fault[0])
    part.waiting = _waiting(reading, outcome, rows)
    part.created += outcome.created
    part.updated += outcome.updated - outcome.unchanged
    part.unchanged += outcome.unchanged
    part.save(update_fields=["created", "updated", "unchanged", "faults", "waiting"])
    return len(rows) - len(outcome.rejected)


class NotWhole(Exception):
    """A row failed after all had been tried: nothing is stored."""


def _whole(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """All parts in this one transaction; a fault that came up since the file was tried stores nothing of it."""
    source = _source(tenant, job)
    reading, done = Reading(tenant, source), 0
    try:
        with transaction.atomic():
            for part in _one_by_one(source):
                _try(reading, part, keep=True)
                done += part.rows
                note_progress(job, done, source.rows)
            _store_waiting(reading)
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
    finally:
        forget_progress(job)
    _finish(tenant, source, FileImport.State.DONE)


def _checked(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    source = _source(tenant, job)
    _refuse_lost(Reading(tenant, source), counted=True)
    _finish(tenant, source, FileImport.State.CHECKED)


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
