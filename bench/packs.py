"""All packs of a month as files: packs per second, memory and CPU of one worker, against an empty page and an empty deck."""

from __future__ import annotations

import io
import multiprocessing
import queue
import resource
import time
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from django.db import connections
from django.utils import timezone
from pptx import Presentation

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Account, Job, Tenant
from accounts.services import create_tenant
from bench.table import Row
from outreach.documents.brand import Brand
from outreach.documents.pdf import render_pdf
from outreach.documents.spec import ChartSpec
from qbr.content import Bullets, Chart, Kpi, Kpis, PackContent, Section, Table, Text, to_json
from qbr.models import Pack, PackFile
from qbr.sharing.files import ask_files

WEEKS = tuple(f"W{n}" for n in range(1, 14))
EMPTY = 50
TARGET = "<= 4"
T = TypeVar("T")


class _Done(NamedTuple):
    """What the worker took: seconds, CPU seconds, MB at most, and the bytes that it made."""

    seconds: float
    cpu: float
    peak: float
    size: int


def run(packs: int = 1_000) -> list[Row]:
    """Measure PDFs, decks, and both; the ratio is CPU of a pack ÷ CPU of what is empty."""
    tenant, ids = _packs(packs)
    page, deck = _apart(_cpu_of, _empty_page), _apart(_cpu_of, _empty_deck)
    rows = []
    for name, kinds, floor, said, target in (
        ("PDF", ["pdf"], page, "an empty typst page", ""),
        ("PPTX", ["pptx"], deck, "an empty deck", ""),
        ("PDF and PPTX", ["pdf", "pptx"], page + deck, "an empty typst page and deck", TARGET),
    ):
        done = _measured(tenant, ids, kinds)
        rows.append(
            Row(
                f"packs as {name}",
                f"{packs:,} packs, 3 charts, {done.size / packs / 1024:.0f} kB each",
                f"{packs / done.seconds:.2f} packs/s, {done.cpu / packs * 1000:.0f} ms CPU, {done.peak:.0f} MB peak",
                f"{said}: {floor * 1000:.1f} ms CPU",
                done.cpu / packs / floor,
                target,
            )
        )
    return rows


def _empty_page() -> None:
    render_pdf(template="bench/empty.typ", data={}, brand=Brand("Bench"), language="en")


def _empty_deck() -> None:
    Presentation().save(io.BytesIO())


def _cpu_of(make: Callable[[], None]) -> float:
    """CPU seconds of one, once everything is loaded."""
    make()
    started = time.process_time()
    for _ in range(EMPTY):
        make()
    return (time.process_time() - started) / EMPTY


def _measured(tenant: Tenant, ids: list[int], kinds: list[str]) -> _Done:
    """The job as one worker does it."""
    started = time.perf_counter()
    cpu, peak, size = _apart(_work, tenant.pk, ids, kinds)
    return _Done(time.perf_counter() - started, cpu, peak, size)


def _apart(work: Callable[..., T], *given: Any) -> T:
    """What the work answers in a process of its own; this one never starts typst's threads, which a fork would not have."""
    context = multiprocessing.get_context("fork")
    connections.close_all()
    answer: multiprocessing.Queue[T] = context.Queue()
    process = context.Process(target=_answer, args=(answer, work, given))
    process.start()
    found = _first(answer, process)
    process.join()
    return found


def _first(answer: multiprocessing.Queue[T], process: Any) -> T:
    while True:
        try:
            return answer.get(timeout=1)
        except queue.Empty:
            if process.exitcode is not None:
                raise RuntimeError("The files could not be made.") from None


def _answer(answer: multiprocessing.Queue[T], work: Callable[..., T], given: tuple[Any, ...]) -> None:
    connections.close_all()
    answer.put(work(*given))


def _work(tenant_id: int, ids: list[int], kinds: list[str]) -> tuple[float, float, int]:
    tenant = Tenant.objects.get(pk=tenant_id)
    with tenant_scope(tenant):
        PackFile.objects.filter(tenant=tenant).delete()
        job = ask_files(tenant=tenant, pack_ids=ids, kinds=kinds, key=f"bench-{uuid.uuid4()}")
    if finish_job(tenant, job.pk, patience_seconds=7200).state != Job.State.DONE:
        raise RuntimeError("The files could not be made.")
    with tenant_scope(tenant):
        size = sum(PackFile.objects.filter(tenant=tenant).values_list("size", flat=True))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, size


def _packs(count: int) -> tuple[Tenant, list[int]]:
    """A tenant with so many packs of usual size, all different."""
    tenant = create_tenant(slug=f"bench-packs-{uuid.uuid4().hex[:8]}", name="Bench packs")
    today = date(2026, 7, 1)
    with tenant_scope(tenant):
        accounts = Account.objects.bulk_create(
            Account(tenant=tenant, external_id=f"p{n}", name=f"Account {n}", name_search=f"account {n}")
            for n in range(count)
        )
        packs = Pack.objects.bulk_create(
            Pack(
                tenant=tenant,
                account=account,
                due_on=today,
                period_first=today - timedelta(days=91),
                period_last=today - timedelta(days=1),
                state=Pack.State.SENT,
                sent_at=timezone.now(),
                language="es" if n % 2 else "en",
                content=to_json(_content(n)),
            )
            for n, account in enumerate(accounts)
        )
        return tenant, [pack.pk for pack in packs]


def _content(n: int) -> PackContent:
    """Eleven sections as the drafting writes them: tiles, three charts, tables, texts."""
    values = tuple(float((n * 31 + at * 17) % 97) for at in range(len(WEEKS)))
    line = ChartSpec("line", "Sends", "a week", WEEKS, (("Sends", values),), 60.0)
    bars = ChartSpec("bar", "Return", "EUR", WEEKS[:6], (("Return", values[:6]),))
    stacked = ChartSpec(
        "stacked", "Tickets", "", WEEKS[:6], (("Opened", values[:6]), ("Resolved", values[6:12]))
    )
    tiles = Kpis(tuple(Kpi(f"Figure {at}", f"{value:.0f}", "", "+3") for at, value in enumerate(values[:8])))
    rows = tuple((f"Row {at}", f"{n + at:,}", "Planned", "A few words about it") for at in range(8))
    table = Table(("What", "n", "State", "Note"), rows)
    words = Text("A **paragraph** about what was done, why, and what comes next. " * 3)
    return PackContent(
        title=f"Business review {n}",
        account_name=f"Account {n}",
        period_label="Q2 2026",
        language="es" if n % 2 else "en",
        summary_md="**Sends** rose. " * 6,
        sections=(
            Section("kpis", "Key figures", "", (tiles, Chart(line, (), "Sends rose"))),
            Section("experiments", "Tests", "", (table, words)),
            Section("blockers", "What is in the way", "", (Bullets(("One", "Two", "Three")), Chart(stacked))),
            Section("roi", "Return", "", (Chart(bars, (), "Return by month"), table)),
            Section("risks", "Risks", "", (table,)),
            Section("roadmap", "Roadmap", "", (table,)),
            Section("highlights", "Highlights", "", (Bullets(("One", "Two", "Three")),)),
            Section("cases", "Cases", empty_reason="No case fits."),
            Section("proposal", "Proposal", "", (words,)),
            Section("actions", "Actions", "", (table,)),
        ),
    )
