"""Bringing a file in: upload, columns, trying it, storing it, what became of its rows."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import get_or_404
from accounts.csv_text import csv_lines
from accounts.custom_fields import declared_fields
from accounts.fence.scope import tenant_scope
from accounts.imports.cells import DATE_ORDERS
from accounts.imports.files import MOST_BYTES
from accounts.imports.resources import Resource, resource_of, resources
from accounts.imports.taking_back import DAYS, left_lines, undo_until
from accounts.imports.undo_jobs import begin_undo
from accounts.imports.work import (
    CHECK,
    STORE,
    choose,
    discard,
    fault_lines,
    go_on,
    job_of,
    preview,
    start,
    take_in,
    targets_of,
)
from accounts.models import FileImport, Job
from accounts.requests import TenantRequest
from accounts.visibility import sees_all
from workspace.access import manager_only
from workspace.import_words import LEFT_WORDS, fault_words, field_words, left_words

SHOWN_FAULTS = 50
SHOWN_IMPORTS = 30
BUSY = (FileImport.State.CHECKING, FileImport.State.STORING, FileImport.State.UNDOING)


def _whole_sight() -> None:
    """A file names any account, so whoever brings it in must see all of them."""
    if not sees_all():
        raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
@manager_only
def imports(request: TenantRequest) -> HttpResponse:
    """The newest imports, and the form that takes a file in."""
    _whole_sight()
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None:
            problem = _("Choose a file.")
        else:
            try:
                made = take_in(
                    tenant=request.tenant,
                    member=request.member,
                    resource=request.POST.get("resource", ""),
                    name=file.name or "",
                    file=file,
                    size=file.size or 0,
                )
            except ValidationError as error:
                problem = " ".join(error.messages)
            else:
                return redirect("workspace:import", made.pk)
    newest = FileImport.objects.filter(tenant=request.tenant).select_related("member__user").order_by("-id")
    context = {
        "resources": resources(),
        "chosen": request.POST.get("resource", "accounts"),
        "imports": [(one, resource_of(one.resource)) for one in newest[:SHOWN_IMPORTS]],
        "problem": problem,
        "most": MOST_BYTES // 2**20,
    }
    return render(request, "workspace/imports/list.html", context, status=400 if problem else 200)


@require_safe
@manager_only
def import_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One import: the columns and first rows, how far it is, what became of it."""
    _whole_sight()
    return _page(request, get_or_404(FileImport, pk=pk))


def _page(request: TenantRequest, source: FileImport, problem: str = "", status: int = 200) -> HttpResponse:
    kind = resource_of(source.resource)
    if kind is None:
        raise Http404
    job = job_of(request.tenant, source)
    broken = job is not None and job.state == Job.State.FAILED
    busy = source.state in BUSY
    context: dict[str, Any] = {
        "source": source,
        "kind": kind,
        "problem": problem,
        "running": job,
        "busy": busy and not broken,
        "broken": broken,
        "stored_some": source.state == FileImport.State.UNDOING
        or (source.state == FileImport.State.STORING and not source.whole),
        "faults": [],
        "undo_until": undo_until(source) if source.changes.exists() else None,
        "undo_days": DAYS,
        "can_undo_kind": kind.key != "metrics",
        "left": left_words(source.taken_back.get("left", {})),
    }
    if source.state in (FileImport.State.MAPPING, FileImport.State.CHECKED):
        context |= _columns(request, source, kind)
    if source.failed:
        context["faults"] = [
            {**fault, "words": fault_words(fault["reason"])}
            for fault, _place in zip(fault_lines(source), range(SHOWN_FAULTS), strict=False)
        ]
    return render(request, "workspace/imports/import.html", context, status=status)


def _columns(request: TenantRequest, source: FileImport, kind: Resource) -> dict[str, Any]:
    """The form of the columns with the first rows."""
    try:
        seen = preview(request.tenant, source)
    except ValidationError as error:
        return {"unreadable": " ".join(error.messages)}
    fields = [*(one.name for one in kind.fields), *kind.amounts]
    declared = list(declared_fields(request.tenant).fields.values()) if kind.takes_custom else []
    known = {*fields, *(f"custom.{field.key}" for field in declared), ""}
    return {
        "preview": seen,
        "missing": [" / ".join(field_words(one) for one in need.split("|")) for need in seen.missing],
        "fields": sorted(((name, field_words(name)) for name in fields), key=lambda one: one[1].lower()),
        "declared": declared,
        "others": {target for target in targets_of(source) if target not in known},
        "faulty": [(look, fault_words(look.fault)[0]) for look in seen.columns if look.faults],
        "orders": [
            (DATE_ORDERS[0], "2026-01-31"),
            (DATE_ORDERS[1], _("31/01/2026, day first")),
            (DATE_ORDERS[2], _("01/31/2026, month first")),
        ],
        "encodings": [
            ("utf-8", "UTF-8"),
            ("cp1252", _("Western European")),
            ("latin-1", "ISO-8859-1"),
            ("utf-16", "UTF-16"),
        ],
        "delimiters": [(",", _("comma")), (";", _("semicolon")), ("\t", _("tab"))],
    }


@require_POST
@manager_only
def import_check(request: TenantRequest, pk: int) -> HttpResponse:
    """Choose the columns and try the file; nothing is stored."""
    _whole_sight()
    source = get_or_404(FileImport, pk=pk)
    read_as = (source.encoding, source.delimiter)
    try:
        choose(
            tenant=request.tenant,
            source=source,
            targets=[_target(request, source, place) for place in range(len(source.header))],
            dates=request.POST.get("dates", ""),
            encoding=request.POST.get("encoding", source.encoding),
            delimiter=request.POST.get("delimiter", source.delimiter),
        )
        if read_as != (source.encoding, source.delimiter):
            messages.success(request, _("The file is read otherwise now; look at its columns again."))
        elif request.POST.get("do") == "look":
            messages.success(request, _("The preview follows your choice."))
        else:
            start(tenant=request.tenant, member=request.member, source=source, mode=CHECK)
    except ValidationError as error:
        source.refresh_from_db()
        return _page(request, source, " ".join(error.messages), status=400)
    return redirect("workspace:import", pk)


def _target(request: TenantRequest, source: FileImport, place: int) -> str:
    """Where the form sends a column; a new custom field is named as the column is."""
    said = request.POST.get(f"column-{place}", "").replace("\0", "")[:220]
    return f"custom.{source.header[place]}" if said == "new" else said


@require_POST
@manager_only
def import_store(request: TenantRequest, pk: int) -> HttpResponse:
    """Store what was tried: the good rows, or all or nothing."""
    _whole_sight()
    source = get_or_404(FileImport, pk=pk)
    try:
        start(
            tenant=request.tenant,
            member=request.member,
            source=source,
            mode=STORE,
            whole=request.POST.get("whole") == "yes",
        )
    except ValidationError as error:
        return _page(request, source, " ".join(error.messages), status=400)
    return redirect("workspace:import", pk)


@require_POST
@manager_only
def import_discard(request: TenantRequest, pk: int) -> HttpResponse:
    """Give an import up; nothing of it stays."""
    _whole_sight()
    source = get_or_404(FileImport, pk=pk)
    if source.state in (FileImport.State.DONE, FileImport.State.UNDONE):
        messages.error(request, _("This import is stored; take it back instead."))
        return redirect("workspace:import", pk)
    try:
        discard(tenant=request.tenant, source=source)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("workspace:import", pk)
    messages.success(request, _("The import is given up; nothing was stored."))
    return redirect("workspace:imports")


@require_POST
@manager_only
def import_again(request: TenantRequest, pk: int) -> HttpResponse:
    """Let work that broke off go on."""
    _whole_sight()
    source = get_or_404(FileImport, pk=pk)
    try:
        go_on(tenant=request.tenant, member=request.member, source=source)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("workspace:import", pk)


@require_POST
@manager_only
def import_undo(request: TenantRequest, pk: int) -> HttpResponse:
    """Take an import back: a job does it."""
    _whole_sight()
    source = get_or_404(FileImport, pk=pk)
    try:
        begin_undo(tenant=request.tenant, member=request.member, source=source)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("workspace:import", pk)


@require_safe
@manager_only
def import_left(request: TenantRequest, pk: int) -> HttpResponseBase:
    """Which rows stayed when the import was taken back, and why, as CSV."""
    _whole_sight()
    source = get_or_404(FileImport, pk=pk)
    header, tenant = [_("row"), _("why it stays")], request.tenant
    said = {why: str(words) for why, words in LEFT_WORDS.items()}

    def rows() -> Any:
        with tenant_scope(tenant):
            for name, why in left_lines(tenant, source):
                yield [name, said[why]]

    return StreamingHttpResponse(
        csv_lines(header, rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="import-{source.pk}-left.csv"'},
    )


@require_safe
@manager_only
def import_errors(request: TenantRequest, pk: int) -> HttpResponseBase:
    """Every fault of the file as CSV: line, column, value, reason, how to mend it."""
    _whole_sight()
    source = get_or_404(FileImport, pk=pk)
    header = [_("line"), _("column"), _("value"), _("reason"), _("how to mend it")]
    tenant = request.tenant
    # Said now: when the stream is read, nobody's language is set any more.
    said = {reason: fault_words(reason) for reason in {str(fault["reason"]) for fault in fault_lines(source)}}

    def rows() -> Any:
        with tenant_scope(tenant):
            for fault in fault_lines(source):
                words, mend = said[fault["reason"]]
                yield [fault["line"], fault["column"], fault["value"], words, mend]

    return StreamingHttpResponse(
        csv_lines(header, rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="import-{source.pk}-errors.csv"'},
    )
