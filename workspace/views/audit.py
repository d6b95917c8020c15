"""The audit log, for admins: who changed what, from where; and taken away as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from accounts.csv_text import csv_lines
from accounts.fence.scope import tenant_scope
from accounts.origin import Door
from accounts.requests import TenantRequest
from workspace.access import admin_only
from workspace.audit_words import all_words
from workspace.paging import CURSOR_PARAMETER, read_cursor
from workspace.selectors import audit
from workspace.views.messages import foot

MOST_ROWS = 100_000  # of a file; a period makes it smaller
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@admin_only
def audit_log(request: TenantRequest) -> HttpResponse:
    """What happened, newest first."""
    wanted = audit.read_filter(request.GET)
    found = audit.audit_page(request.tenant, wanted, after=read_cursor(request.GET.get(CURSOR_PARAMETER, "")))
    context = {
        "wanted": wanted,
        "found": found,
        "people": audit.people(request.tenant),
        "doors": Door.choices,
        "actions": all_words(),
        "back_days": audit.TEXT_DAYS if wanted.looks_back else 0,
        "query": request.GET.urlencode(),
    }
    return render(request, "workspace/access/audit.html", context | foot(request, wanted.parameters(), found))


@require_safe
@admin_only
def audit_csv(request: TenantRequest) -> HttpResponseBase:
    """The rows that fit, as CSV."""
    wanted, tenant = audit.read_filter(request.GET), request.tenant
    zone = timezone.get_current_timezone()

    def rows() -> Iterator[list[object]]:
        # The request's transaction is over when the stream is read.
        with tenant_scope(tenant), timezone.override(zone):
            yield from map(_cells, audit.audit_rows(tenant, wanted, most=MOST_ROWS))

    return StreamingHttpResponse(
        csv_lines(_header(), rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{_name(request, "csv")}"'},
    )


@require_safe
@admin_only
def audit_xlsx(request: TenantRequest) -> HttpResponseBase:
    """The rows that fit, as a workbook; every cell is text, so nothing in it is run as a formula."""
    wanted = audit.read_filter(request.GET)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Audit log"))

    def line(cells: list[object]) -> list[WriteOnlyCell]:
        made = []
        for value in cells:
            cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", str(value))[:32_000])
            cell.data_type = "s"
            made.append(cell)
        return made

    sheet.append(line(list(_header())))
    for row in audit.audit_rows(request.tenant, wanted, most=MOST_ROWS):
        sheet.append(line(_cells(row)))
    file = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=_name(request, "xlsx"), content_type=XLSX)


def _name(request: TenantRequest, ending: str) -> str:
    return f"audit-{request.tenant.slug}-{request.tenant.today().isoformat()}.{ending}"


def _header() -> list[str]:
    return [
        _("time"),
        _("who"),
        _("what was done"),
        _("code"),
        _("to what"),
        _("before"),
        _("after"),
        _("also written"),
        _("door"),
        _("address"),
        _("browser"),
        _("route"),
        _("request"),
        _("cause"),
        _("to what, as a code"),
    ]


def _cells(row: audit.AuditRow) -> list[object]:
    return [
        timezone.localtime(row.at).isoformat(timespec="seconds"),
        row.who,
        row.action_words,
        row.action,
        row.to.words,
        "; ".join(f"{one.field}: {one.before}" for one in row.differences if one.before),
        "; ".join(f"{one.field}: {one.after}" for one in row.differences if one.after),
        "; ".join(one.words for one in row.written),
        row.door,
        row.address,
        row.browser,
        row.route,
        row.request_id,
        row.cause,
        row.target,
    ]
