"""All data of a company as one archive: a job writes each table into pieces, the download strings them together."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import IO, Any, cast

from django.db import connection
from django.utils import timezone

from accounts.fence.scope import tenant_scope
from accounts.jobs import Chunk, JobKind, Step, register_job_kind
from accounts.models import CompanyExport, ExportPart, Job, Membership, Tenant
from accounts.services import enqueue_job, record_audit

from .tables import Table, tables_of_tenants

KIND = "company_export"
WRITE, FINISH = "write", "finish"
DAYS_OPEN = 7
PART_BYTES = 4 * 1024 * 1024
# The export itself, work that is on its way, and other companies' keys: nothing that anybody misses.
LEFT_OUT = frozenset(
    {
        "accounts_companyexport",
        "accounts_exportpart",
        "accounts_idempotencyrecord",
        "accounts_job",
        "accounts_jobchunk",
        "usage_event_key",
        "usage_inbox",
    }
)
MEMBERS_SQL = (
    "SELECT m.id, u.email, u.name, u.language, u.timezone, m.role, m.scope, m.is_active, m.created_at "
    "FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id WHERE m.tenant_id = {tenant} ORDER BY m.id"
)


def ask_export(*, tenant: Tenant, actor: Membership) -> Job:
    """Have an export of everything written by a job; those of before are deleted."""
    CompanyExport.objects.filter(tenant=tenant).delete()
    export = CompanyExport.objects.create(tenant=tenant, asked_by=actor)
    record_audit(tenant=tenant, actor=actor, action="company.export_asked", target=tenant.slug)
    return enqueue_job(
        tenant=tenant, kind=KIND, key=str(export.pk), params={"export": export.pk}, requested_by=actor
    )


def exported_tables() -> list[Table]:
    """The tables whose rows are given out."""
    with connection.cursor() as cursor:
        return [table for table in tables_of_tenants(cursor) if table.name not in LEFT_OUT]


def plan_export(tenant: Tenant, job: Job) -> Sequence[Chunk]:
    """A chunk for each table, then one that sets the end of the link."""
    chunks = [Chunk(0, WRITE, {"table": table.name}) for table in exported_tables()]
    return [*chunks, Chunk(1, FINISH, {})]


def run_write(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Write a table's rows, as packed CSV, in pieces; in a temporary file meanwhile, never in memory."""
    table = next(one for one in exported_tables() if one.name == params["table"])
    export = CompanyExport.objects.get(tenant=tenant, pk=job.params["export"])
    name = f"{table.name}.csv.gz"
    ExportPart.objects.filter(tenant=tenant, export=export, name=name).delete()
    with tempfile.TemporaryFile() as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            rows = _copy(tenant, table, cast(IO[bytes], packed))
        if not rows:
            return
        file.seek(0)
        position = 0
        while block := file.read(PART_BYTES):
            ExportPart.objects.create(tenant=tenant, export=export, name=name, position=position, data=block)
            position += 1
    # Counted in the row of the export by one statement: chunks run side by side.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_companyexport SET rows = rows || jsonb_build_object(%s::text, %s::bigint) "
            "WHERE tenant_id = %s AND id = %s",
            [table.name, rows, tenant.pk, export.pk],
        )


def _copy(tenant: Tenant, table: Table, file: IO[bytes]) -> int:
    columns = ", ".join(f'"{name}"' for name in table.shown)
    inner = (
        MEMBERS_SQL.format(tenant=int(tenant.pk))
        if table.name == "accounts_membership"
        else f'SELECT {columns} FROM "{table.name}" WHERE tenant_id = {int(tenant.pk)}'
    )
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({inner}) TO STDOUT (FORMAT csv, HEADER)", file)
        return int(cursor.rowcount)


def run_finish(tenant: Tenant, job: Job, params: Mapping[str, Any]) -> None:
    """Say that it is done, how large it is and when the link ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(length(data)), 0) FROM accounts_exportpart WHERE tenant_id = %s AND export_id = %s",
            [tenant.pk, job.params["export"]],
        )
        size = int(cursor.fetchone()[0])
    now = timezone.now()
    CompanyExport.objects.filter(tenant=tenant, pk=job.params["export"]).update(
        done_at=now, expires_at=now + timedelta(days=DAYS_OPEN), size=size
    )


def register_export_job() -> None:
    """Make the job known; called from the app's `ready()`."""
    register_job_kind(
        KIND, JobKind(plan=plan_export, steps={WRITE: Step(run_write), FINISH: Step(run_finish)})
    )


def newest_export(tenant: Tenant) -> CompanyExport | None:
    """The export that there is, done or not; none whose link has ended."""
    found = (
        CompanyExport.objects.filter(tenant=tenant).select_related("asked_by__user").order_by("-pk").first()
    )
    if found is None or (found.expires_at is not None and found.expires_at <= timezone.now()):
        return None
    return found


def forget_exports(*, tenant: Tenant) -> int:
    """Delete exports whose link has ended; the night calls it."""
    ended = CompanyExport.objects.filter(tenant=tenant, expires_at__lte=timezone.now())
    # One that was never finished has no end of its own; nobody waits for it after the days a link would have had.
    ended |= CompanyExport.objects.filter(
        tenant=tenant, done_at=None, asked_at__lte=timezone.now() - timedelta(days=DAYS_OPEN)
    )
    numbers = list(ended.values_list("pk", flat=True))
    for number in numbers:
        record_audit(
            tenant=tenant, actor=None, action="company.export_forgotten", target=f"{tenant.slug}: {number}"
        )
    CompanyExport.objects.filter(tenant=tenant, pk__in=numbers).delete()
    return len(numbers)


class Pipe(io.RawIOBase):
    """What an archive writes, until it is taken away; never the whole archive."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        taken = bytes(data)
        self.waiting += taken
        return len(taken)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self.waiting)
        self.waiting.clear()
        return taken


def archive(tenant: Tenant, export_id: int) -> Iterator[bytes]:
    """The archive in pieces; a scope of its own for each piece, since it runs after the request's."""
    pipe = Pipe()
    with tenant_scope(tenant):
        keys = list(
            ExportPart.objects.filter(tenant=tenant, export_id=export_id)
            .order_by("name", "position")
            .values_list("name", "pk")
        )
    names = list(dict.fromkeys(name for name, _pk in keys))
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as packed:
        for name in names:
            with packed.open(name, "w", force_zip64=True) as entry:
                for part in (pk for part_name, pk in keys if part_name == name):
                    with tenant_scope(tenant):
                        data = ExportPart.objects.values_list("data", flat=True).get(pk=part)
                    entry.write(bytes(data))
                    yield pipe.take()
    yield pipe.take()
