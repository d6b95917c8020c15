"""From a file to its parts: a thousand rows each, what cannot be read of them, and ids that stand in it twice."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby, islice
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import FileImport, ImportPart, Job, Tenant
from accounts.progress import forget_progress, note_progress

from .files import Faulty, NotReadable, Row, fitted, is_blank, reading
from .resources import resource_of
from .work import opened, packed, rows_of, shape_kept, targets_of

ROWS_PER_PART = 1000
LONGEST_VALUE = 200
Shown = list[Any]  # line, column, value, reason


def split(tenant: Tenant, source: FileImport, job: Job) -> bool:
    """Write the file's rows down in parts; false where it cannot be read to its end, which the import then says."""
    source.parts.all().delete()
    try:
        with opened(source) as file, reading(file, shape_kept(source)) as rows:
            source.rows = _write_parts(tenant, source, islice(rows, 1, None), job)
    except NotReadable as error:
        source.parts.all().delete()
        source.state, source.problem = FileImport.State.REFUSED, str(error)[:500]
        source.finished_at = timezone.now()
        source.save(update_fields=["state", "problem", "finished_at"])
        return False
    finally:
        forget_progress(job)
    source.save(update_fields=["rows"])
    _refuse_doubles(tenant, source)
    return True


def _write_parts(tenant: Tenant, source: FileImport, rows: Iterator[Row], job: Job) -> int:
    """The rows as parts; how many there are."""
    targets = targets_of(source)
    place = _place_of_id(source, targets)
    count = ordinal = 0
    while lines := list(islice(rows, ROWS_PER_PART)):
        good: list[tuple[int, list[str]]] = []
        faults: list[Shown] = []
        for line, read in lines:
            if is_blank(read):
                continue
            cells = read if isinstance(read, Faulty) else fitted(read, len(targets), source.form)
            if isinstance(cells, Faulty):
                faults.append([line, "", "", str(cells)])
            else:
                good.append((line, cells))
        if not good and not faults:
            continue
        count += len(good) + len(faults)
        ImportPart.objects.create(
            tenant=tenant,
            source=source,
            ordinal=ordinal,
            data=packed(good),
            keys=[cells[place].strip() for _line, cells in good] if place is not None else [],
            rows=len(good) + len(faults),
            faults=faults,
        )
        ordinal += 1
        note_progress(job, count)
    return count


def _place_of_id(source: FileImport, targets: list[str]) -> int | None:
    """The column whose values name the rows."""
    kind = resource_of(source.resource)
    return targets.index(kind.identity) if kind is not None and kind.identity in targets else None


# Every row but the first of those that name the same thing, with where the first one stands. The last part comes first:
# it is written anew without them, and places in the parts before it still hold.
DOUBLES_SQL = """
SELECT ordinal, place, first_ordinal, first_place FROM (
  SELECT p.ordinal, k.place, row_number() OVER same AS nth,
    first_value(p.ordinal) OVER same AS first_ordinal, first_value(k.place) OVER same AS first_place
  FROM accounts_importpart p CROSS JOIN LATERAL unnest(p.keys) WITH ORDINALITY AS k(key, place)
  WHERE p.tenant_id = %s AND p.source_id = %s AND k.key <> ''
  WINDOW same AS (PARTITION BY k.key ORDER BY p.ordinal, k.place)
) named WHERE nth > 1 ORDER BY ordinal DESC, place
"""


def _refuse_doubles(tenant: Tenant, source: FileImport) -> None:
    """A row whose id stands in an earlier row is a fault: which of the two is right nobody can know."""
    targets = targets_of(source)
    place = _place_of_id(source, targets)
    if place is None:
        return

    @lru_cache(maxsize=64)
    def lines_of(ordinal: int) -> array[int]:
        return array("q", [line for line, _cells in rows_of(source.parts.get(ordinal=ordinal))])

    with connection.chunked_cursor() as cursor:  # a file may consist of doubles
        cursor.execute(DOUBLES_SQL, [tenant.pk, source.pk])
        found = iter(lambda: cursor.fetchmany(2000), [])
        doubles = (row for rows in found for row in rows)
        for ordinal, group in groupby(doubles, key=lambda row: row[0]):
            first = {at - 1: lines_of(part)[before - 1] for _ordinal, at, part, before in group}
            _without(source, ordinal, first, place)


def _without(source: FileImport, ordinal: int, first: dict[int, int], place: int) -> None:
    """Take the rows at these places out of a part; each becomes a fault that names the line that came first."""
    part = source.parts.get(ordinal=ordinal)
    rows = rows_of(part)
    part.faults += [
        [line, source.header[place], cells[place][:LONGEST_VALUE], f"stands in line {first[at]} already"]
        for at, (line, cells) in enumerate(rows)
        if at in first
    ]
    part.data = packed([row for at, row in enumerate(rows) if at not in first])
    part.keys = [key for at, key in enumerate(part.keys) if at not in first]
    part.save(update_fields=["faults", "data", "keys"])
