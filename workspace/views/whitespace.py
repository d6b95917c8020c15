"""The whitespace matrix, and the files of it and of the opportunities."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import has_role
from accounts.csv_text import csv_lines
from accounts.fence.scope import tenant_scope
from accounts.models import Role
from accounts.requests import TenantRequest
from expansion.models import OpportunityType
from expansion.selectors import export_matrix
from expansion.services import expansion_settings
from workspace.access import member_only
from workspace.formatting import money_cell
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.selectors import expansion as selectors
from workspace.selectors import people
from workspace.whitespace_words import cell_words, state_choices

PART = 500


@require_safe
@member_only
def whitespace(request: TenantRequest) -> HttpResponse:
    """Which account has what, could have what, and what is being sold to it."""
    tenant, member = request.tenant, request.member
    wanted = selectors.read_matrix_filter(request.GET)
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    found = selectors.matrix(tenant, wanted, member, after)
    parameters = wanted.parameters()
    shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
    context = {
        "wanted": wanted,
        "matrix": found,
        "settings": expansion_settings(tenant),
        "workers": [one for one in people.members(tenant) if one.is_active and has_role(one, Role.CSM)],
        "types": OpportunityType.choices,
        "segments": selectors.segments(tenant),
        "states": state_choices(),
        "export_url": address(f"{request.path}export.csv", parameters),
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.rows),
            total=found.total,
            next_cursor=found.next_cursor,
        ),
    }
    return render(request, "workspace/expansion/whitespace.html", context)


@require_safe
@member_only
def whitespace_export(request: TenantRequest) -> HttpResponseBase:
    """The filtered matrix as a CSV file."""
    tenant, member = request.tenant, request.member
    wanted = selectors.read_matrix_filter(request.GET)
    offerings = selectors.matrix_columns(tenant, wanted)
    header = [_("External id"), _("Account"), _("Owner"), _("Segment"), _("MRR"), _("Currency")]
    header += [one.name for one in offerings]

    def rows() -> Iterator[list[object]]:
        # The request's transaction is over when the stream is read.
        with tenant_scope(tenant):
            found = selectors.matrix_found(tenant, wanted, member, offerings)
            for row in export_matrix(tenant, found, offerings):
                account = row.account
                yield [
                    account.external_id,
                    account.name,
                    str(account.owner or ""),
                    account.segment,
                    money_cell(account.mrr_cents),
                    account.currency,
                    *[cell_words(cell.state) for cell in row.cells],
                ]

    return _file(request, "whitespace", header, rows())


@require_safe
@member_only
def opportunity_export(request: TenantRequest) -> HttpResponseBase:
    """The filtered opportunities as a CSV file."""
    tenant, member = request.tenant, request.member
    wanted = selectors.read_filter(request.GET)
    header = [
        _("Opportunity"), _("External id"), _("Account"), _("Type"), _("What is sold"), _("Stage"), _("Value"),
        _("After discounts"), _("Currency"), _("Paid every month"), _("Probability, %"), _("Opened"),
        _("Expected to close"), _("Closed"), _("Why it was lost"), _("Owner"), _("Next step"),
    ]  # fmt: skip

    def rows() -> Iterator[list[object]]:
        with tenant_scope(tenant):
            last = None
            while True:
                found = selectors.filtered(tenant, wanted, member)
                part = list((found.filter(pk__lt=last) if last else found)[:PART])
                for one in part:
                    yield [
                        one.pk, one.account.external_id, one.account.name, one.get_type_display(), one.title,
                        one.get_stage_display(), money_cell(one.value_cents), money_cell(one.net_cents), one.currency,
                        _("yes") if one.recurring else _("no"), one.probability_pct, one.opened_on, one.close_on,
                        one.closed_on or "", one.get_lost_reason_display(), str(one.owner or ""), one.next_step,
                    ]  # fmt: skip
                if len(part) < PART:
                    return
                last = part[-1].pk

    return _file(request, "opportunities", header, rows())


def _file(
    request: TenantRequest, name: str, header: list[str], rows: Iterator[list[object]]
) -> StreamingHttpResponse:
    file = f"{name}-{request.tenant.slug}-{request.tenant.today().isoformat()}.csv"
    return StreamingHttpResponse(
        csv_lines(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )
