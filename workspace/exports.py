"""Lists as CSV files: streamed in the tenant's own scope, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from accounts.csv_text import csv_lines
from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from workspace.bands import band_of
from workspace.formatting import money_cell
from workspace.selectors.account_filter import AccountFilter
from workspace.selectors.account_list import export_rows


def accounts_csv(tenant: Tenant, wanted: AccountFilter) -> StreamingHttpResponse:
    """The filtered list of accounts, all pages of it."""
    header = [
        _("external id"),
        _("name"),
        _("owner"),
        _("segment"),
        _("stage"),
        _("plan"),
        _("MRR"),
        _("currency"),
        _("renewal"),
        _("tags"),
        _("score"),
        _("band"),
        _("coverage"),
        _("scored on"),
        _("overridden to"),
        _("overridden until"),
    ]
    words = {code: str(band_of(code).word) for code in range(4)}

    def rows() -> Iterator[list[object]]:
        # The request's transaction is over when the stream is read.
        with tenant_scope(tenant):
            for row in export_rows(tenant, wanted, today=tenant.today()):
                yield [
                    row.external_id,
                    row.name,
                    row.owner,
                    row.segment,
                    row.stage,
                    row.plan,
                    money_cell(row.mrr_cents),
                    row.currency,
                    row.renewal_on,
                    ", ".join(row.tags),
                    None if row.score is None else round(row.score, 1),
                    words[row.band or 0],
                    row.coverage,
                    row.scored_on,
                    words[row.override_band] if row.override_band else None,
                    row.override_until,
                ]

    name = f"accounts-{tenant.slug}-{tenant.today().isoformat()}.csv"
    return StreamingHttpResponse(
        csv_lines(header, rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
