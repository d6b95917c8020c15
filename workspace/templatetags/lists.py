"""Parts of lists and of declared fields as tags."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.custom_fields import declared_fields, rest_of, sections_of
from accounts.field_kinds import LINK_SHAPE
from accounts.models import Account, CustomField
from workspace import formatting
from workspace.lists import columns as c
from workspace.lists.columns import Column
from workspace.selectors.account_list import AccountRow
from workspace.templatetags import shell

register = template.Library()


@register.inclusion_tag("workspace/fields/_card.html", takes_context=True)
def account_fields(context: dict[str, Any], account: Account) -> dict[str, Any]:
    """The declared fields of an account as a card; one query."""
    declared = declared_fields(context["tenant"])
    return {
        "account": account,
        "sections": sections_of(declared, account.custom),
        "rest": rest_of(declared, account.custom),
        "may_change": bool(context.get("may_work") and context.get("is_csm") and declared.fields),
    }


@register.simple_tag
def field_value(field: CustomField, value: Any, currency: str = "") -> SafeString | str:
    """What an account has in a declared field; what does not fit its kind is shown as it is."""
    if value is None or value in ("", []):
        return formatting.NO_VALUE
    kinds = CustomField.Kind
    match field.kind:
        case kinds.BOOL if isinstance(value, bool):
            return _("Yes") if value else _("No")
        case kinds.MONEY if isinstance(value, int) and not isinstance(value, bool):
            return formatting.money(value, currency, 2 if value % 100 else 0)
        case kinds.NUMBER if isinstance(value, (int, float)) and not isinstance(value, bool):
            return formatting.number(value)
        case kinds.DATE if isinstance(value, str):
            return _day_words(value)
        case kinds.CHOICES if isinstance(value, list):
            return ", ".join(str(one) for one in value)
        case kinds.LINK if isinstance(value, str) and LINK_SHAPE.fullmatch(value):
            return format_html('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', value, value)
        case _:
            return str(value)


def _day_words(text: str) -> str:
    try:
        return formatting.short_date(date.fromisoformat(text))
    except ValueError:
        return text


@register.simple_tag
def amounts(by_currency: Mapping[str, int]) -> str:
    """Amounts of several currencies, which are never added."""
    found = [formatting.money(cents, currency) for currency, cents in sorted(by_currency.items())]
    return " · ".join(found) or formatting.NO_VALUE


@register.simple_tag(takes_context=True)
def account_cell(context: dict[str, Any], row: AccountRow, key: str) -> SafeString:
    """One cell of the list of accounts."""
    nothing = formatting.NO_VALUE
    soft = '<td class="soft nowrap">{}</td>'
    match key:
        case "score":
            drawn = shell.health(row.score, row.band, row.coverage, row.override, row.trend)
            return format_html('<td class="nowrap">{}</td>', drawn)
        case "spark":
            return format_html("<td>{}</td>", shell.spark(row.spark, _("score of the last 12 weeks")))
        case "owner":
            return format_html(soft, row.owner or nothing)
        case "segment":
            return format_html(soft, row.segment or nothing)
        case "stage":
            return format_html(soft, shell.stage_word(row.stage))
        case "plan":
            return format_html(soft, row.plan or nothing)
        case "mrr":
            return format_html('<td class="num">{}</td>', shell.money(row.mrr_cents, row.currency))
        case "renewal":
            return format_html('<td class="num">{}</td>', shell.day(context, row.renewal_on))
    column = context["wanted"].book[key]
    classes = "num" if column.kind in (c.NUMBER, c.MONEY, c.DATE, c.MOMENT) else "soft"
    return format_html(
        '<td class="{}">{}</td>', classes, _shown(context, column, row.cells.get(key), row.currency)
    )


def _shown(context: dict[str, Any], column: Column, value: Any, currency: str) -> SafeString | str:
    """A value as its kind is shown."""
    if column.kind == c.BAND:
        return shell.band(value or 0)
    if value is None or value in ("", []):
        return formatting.NO_VALUE
    match column.kind:
        case c.NUMBER:
            return formatting.number(float(value))
        case c.MONEY:
            return formatting.money(value, currency)
        case c.DATE:
            return shell.day(context, value)
        case c.MOMENT if isinstance(value, datetime):
            return shell.ago(value)
        case c.BOOL:
            return _("Yes") if value else _("No")
        case c.WORDS:
            return ", ".join(value)
        case c.LINK if LINK_SHAPE.fullmatch(value):
            return format_html('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', value, value)
        case c.ONE:
            return str(dict(column.options).get(value, value))
        case _:
            return str(value)
