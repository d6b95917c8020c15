"""Lists as files: streamed in the tenant's own scope, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from accounts.csv_text import EXCEL_TYPE, csv_lines, xlsx_blocks
from accounts.custom_fields import declared_fields
from accounts.fence.scope import tenant_scope
from accounts.field_kinds import written
from accounts.models import CustomField, Tenant
from workspace.bands import band_of
from workspace.lists import columns as c
from workspace.lists.columns import Column
from workspace.selectors.account_filter import SPARK, AccountFilter
from workspace.selectors.account_list import AccountRow, export_rows


def _usual(tenant: Tenant, wanted: AccountFilter) -> tuple[list[str], list[CustomField]]:
    """The columns of a file where none were chosen: what every account has, and the declared fields."""
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
    fields = [field for key, field in declared_fields(tenant).fields.items() if f"f.{key}" in wanted.book]
    if "mrr" not in wanted.book:
        header.remove(_("MRR"))
    return [*header, *(str(field) for field in fields)], fields


def _usual_cells(row: AccountRow, fields: list[CustomField], words: dict[int, str], money: bool) -> list[Any]:
    return [
        row.external_id,
        row.name,
        row.owner,
        row.segment,
        row.stage,
        row.plan,
        *([row.mrr_cents / 100] if money else []),
        row.currency,
        row.renewal_on,
        ", ".join(row.tags),
        None if row.score is None else round(row.score, 1),
        words[row.band or 0],
        row.coverage,
        row.scored_on,
        words[row.override_band] if row.override_band else None,
        row.override_until,
        *(_field_cell(field, row.cells.get(f"f.{field.key}")) for field in fields),
    ]


def _field_cell(field: CustomField, value: Any) -> Any:
    """A declared field's value; amounts of money in whole units."""
    return value if field.kind == CustomField.Kind.DATE else written(field.kind, value)


@dataclass(frozen=True)
class Words:
    """Words of the reader's language, said before the stream is read: by then nobody's language is set any more."""

    bands: dict[int, str]
    yes: str
    no: str
    options: dict[str, dict[str, str]]


def _words(columns: list[Column]) -> Words:
    options = {column.key: {key: str(word) for key, word in column.options} for column in columns}
    return Words({code: str(band_of(code).word) for code in range(4)}, _("yes"), _("no"), options)


def _chosen_cell(row: AccountRow, column: Column, words: Words) -> Any:
    """One cell of a column that somebody chose."""
    match column.key:
        case "owner" | "segment" | "stage" | "plan":
            return getattr(row, column.key)
        case "mrr":
            return row.mrr_cents / 100
        case "renewal":
            return row.renewal_on
        case "score":
            return None if row.score is None else round(row.score, 1)
    value = row.cells.get(column.key)
    match column.kind:
        case c.BAND:
            return words.bands[value or 0]
        case c.MONEY:
            return None if value is None else value / 100
        case c.NUMBER:
            return None if value is None else float(value)
        case c.WORDS:
            return "; ".join(value or [])
        case c.BOOL:
            return None if value is None else words.yes if value else words.no
        case c.ONE:
            return words.options[column.key].get(str(value), value)
        case _:
            return value


def _table(tenant: Tenant, wanted: AccountFilter) -> tuple[list[str], Iterator[list[Any]]]:
    """Header and rows; the rows open their own scope, because the request's is over when a stream is read."""
    columns = wanted.book.chosen(key for key in wanted.shown if key != SPARK)
    words = _words(columns)
    if wanted.columns:

        def chosen() -> Iterator[list[Any]]:
            with tenant_scope(tenant):
                for row in export_rows(tenant, wanted, today=tenant.today()):
                    yield [row.external_id, row.name, *(_chosen_cell(row, each, words) for each in columns)]

        return [_("external id"), _("name"), *(str(column.label) for column in columns)], chosen()
    header, fields = _usual(tenant, wanted)
    money = "mrr" in wanted.book
    shown = replace(wanted, columns=",".join(["owner", *(f"f.{field.key}" for field in fields)]))

    def usual() -> Iterator[list[Any]]:
        with tenant_scope(tenant):
            for row in export_rows(tenant, shown, today=tenant.today()):
                yield _usual_cells(row, fields, words.bands, money)

    return header, usual()


def _named(tenant: Tenant, end: str) -> dict[str, str]:
    name = f"accounts-{tenant.slug}-{tenant.today().isoformat()}.{end}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def accounts_csv(tenant: Tenant, wanted: AccountFilter) -> StreamingHttpResponse:
    """The filtered list of accounts, all pages of it."""
    header, rows = _table(tenant, wanted)
    return StreamingHttpResponse(
        csv_lines(header, rows), content_type="text/csv; charset=utf-8", headers=_named(tenant, "csv")
    )


def accounts_xlsx(tenant: Tenant, wanted: AccountFilter) -> StreamingHttpResponse:
    """The same as an Excel file."""
    header, rows = _table(tenant, wanted)
    return StreamingHttpResponse(
        xlsx_blocks(_("Accounts"), header, rows), content_type=EXCEL_TYPE, headers=_named(tenant, "xlsx")
    )
