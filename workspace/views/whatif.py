"""What-if: what a draft would change before it is published, over all accounts and for one of them."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.csv_text import csv_lines
from accounts.fence.scope import tenant_scope
from accounts.models import Account
from accounts.requests import TenantRequest
from scoring.engine import SpecError
from scoring.models import Version
from scoring.places import fault_words, version_names
from scoring.what_if import WhatIfRefused, start_what_if
from workspace.access import manager_only, member_only, over_all
from workspace.charts import Chart, bin_label
from workspace.formatting import money_cell, number
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.selectors import whatif as selectors
from workspace.selectors.versions import difference_words
from workspace.views.versions import tell
from workspace.whatif_charts import before_after


def _chart(found: selectors.WhatIfPage) -> Chart:
    """The distribution under the version that scores and under this one."""
    names = (_("now"), _("with this version"))
    now = found.result.against if found.result else None
    edges: dict[float, str] = {}
    for version, word in ((now, names[0]), (found.version, "")):
        for edge in (version.critical_below, version.healthy_above) if version else ():
            edges[edge] = word if edge not in edges else ""
    kept = {found.version.critical_below, found.version.healthy_above}
    words = [
        (edge, f"{number(edge)} {word}".strip() if edge not in kept else number(edge))
        for edge, word in edges.items()
    ]
    before, after = found.numbers.before.histogram, found.numbers.after.histogram
    return Chart(
        id="chart-whatif",
        figure=before_after(
            before, after, edges=words, names=names, axis=_("Accounts"), score_axis=_("Score")
        ),
        summary=_("Distribution of scores now and with this version."),
        columns=[_("Score"), names[0], names[1]],
        rows=[
            [bin_label(i), number(b), number(a)] for i, (b, a) in enumerate(zip(before, after, strict=True))
        ],
    )


@require_safe
@member_only
@over_all
def what_if(request: TenantRequest, pk: int) -> HttpResponse:
    """How many accounts change band, which, and how much money that is."""
    found = selectors.whatif_page(request.tenant, pk)
    if found is None:
        raise Http404
    against = found.result.against if found.result and found.is_complete else found.published
    if against is not None and against.pk == found.version.pk:
        against = None
    context = {
        "found": found,
        "version": found.version,
        "against": against,
        "running": found.running,
        "changes": difference_words(request.tenant, against, found.version) if against else [],
        "kind": found.version.model.kind,
    }
    if found.result is not None and found.is_complete:
        wanted = selectors.read_move_filter(request.GET)
        after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
        page = selectors.move_page(request.tenant, found.result, wanted, after=after)
        parameters = wanted.parameters()
        shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
        bands = selectors.bands_of(found.version.model.kind)
        context |= {
            "chart": _chart(found),
            "bands": [bands[code] for code in selectors.BEST_FIRST],
            "wanted": wanted,
            "rows": [(row, bands[row.band_before], bands[row.band_after]) for row in page.rows],
            "narrow": (
                bands.get(wanted.start) if wanted.start is not None else None,
                bands.get(wanted.end) if wanted.end is not None else None,
            ),
            "page": page_of(
                path=request.path,
                parameters=shown,
                shown=len(page.rows),
                total=page.total,
                next_cursor=page.next_cursor,
            ),
            "export_url": address(f"{request.path}accounts.csv", parameters),
        }
    return render(request, "workspace/setup/what_if.html", context)


@require_POST
@manager_only
@over_all
def what_if_run(request: TenantRequest, pk: int) -> HttpResponse:
    """Compare the draft with what scores now, on the worker."""
    version = Version.objects.filter(tenant=request.tenant, pk=pk).select_related("model").first()
    if version is None:
        raise Http404
    try:
        start_what_if(tenant=request.tenant, version=version, member=request.member)
    except WhatIfRefused as error:
        tell(request, error, version)
    else:
        messages.success(request, _("The draft is being tried on every account. You can leave this page."))
    return redirect("workspace:score_whatif", pk)


@require_safe
@member_only
@over_all
def what_if_export(request: TenantRequest, pk: int) -> StreamingHttpResponse:
    """The accounts that move, as a file."""
    found = selectors.whatif_page(request.tenant, pk)
    if found is None or found.result is None or not found.is_complete:
        raise Http404
    result, wanted = found.result, selectors.read_move_filter(request.GET)
    bands = {code: str(band.word) for code, band in selectors.bands_of(found.version.model.kind).items()}
    header = [
        _("external id"),
        _("name"),
        _("owner"),
        _("segment"),
        _("MRR"),
        _("score now"),
        _("score with this version"),
        _("band now"),
        _("band with this version"),
    ]

    def rows() -> Iterator[list[object]]:
        # The request's transaction is over when the stream is read.
        with tenant_scope(request.tenant):
            for row in selectors.move_rows(request.tenant, result, wanted):
                yield [
                    row.external_id,
                    row.name,
                    row.owner,
                    row.segment,
                    money_cell(row.mrr_cents),
                    row.score_before,
                    row.score_after,
                    bands[row.band_before],
                    bands[row.band_after],
                ]

    name = f"what-if-{found.version.model.key}-{found.version.number}-{result.day.isoformat()}.csv"
    return StreamingHttpResponse(
        csv_lines(header, rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
@member_only
@over_all
def what_if_account(request: TenantRequest, pk: int, account_pk: int) -> HttpResponse:
    """What a version would say of one account, component by component."""
    version = Version.objects.filter(tenant=request.tenant, pk=pk).select_related("model").first()
    account = Account.objects.filter(tenant=request.tenant, pk=account_pk).first()
    if version is None or account is None:
        raise Http404
    found = selectors.whatif_page(request.tenant, pk)
    against = found.result.against if found and found.result else found.published if found else None
    context = {"version": version, "against": against, "account": account, "found": None, "problem": ""}
    try:
        context["found"] = selectors.account_comparison(request.tenant, version, against, account)
    except SpecError as error:
        names = version_names(request.tenant, version)
        context["problem"] = " ".join(fault_words(where, _(text), names) for where, text in error.problems)
    return render(request, "workspace/setup/what_if_account.html", context)
