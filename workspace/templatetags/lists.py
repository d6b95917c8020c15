"""Parts of lists and of declared fields as tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from accounts.custom_fields import declared_fields, rest_of, sections_of
from accounts.field_kinds import LINK_SHAPE
from accounts.models import Account, CustomField
from scoring.selectors.trends import Trend
from workspace import formatting
from workspace.lists import columns as c
from workspace.lists.columns import Column
from workspace.navigation import same_words
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
def account_rows(context: dict[str, Any], rows: Sequence[AccountRow], heads: Sequence[Any]) -> SafeString:
    """The lines of the list of accounts; a tag of all of them, because a template asks each cell what it is."""
    ticked, keys = bool(context.get("is_csm")), [head.key for head in heads]
    home, tick, new = reverse("workspace:accounts"), _("Tick %(name)s"), escape(_("new"))
    # What is the same in every line is asked once.
    words, weeks = same_words()[1:], _("score of the last 12 weeks")
    drawn = []
    for row in rows:
        name = escape(row.name)
        box = ""
        if ticked:
            label = escape(tick % {"name": row.name})
            box = (
                f'<td><input class="form-check-input" type="checkbox" name="account" value="{row.pk}" data-pick '
                f'aria-label="{label}"></td>'
            )
        tags = [f' <span class="tag flag">{new}</span>'] if row.is_new else []
        tags += [f' <span class="tag">{escape(tag)}</span>' for tag in row.tags[:2]]
        cells = "".join([_cell(context, row, key, words, weeks) for key in keys])
        drawn.append(
            f'<tr class="is-link">{box}<th scope="row" class="row-name"><a class="row-title" href="{home}{row.pk}/">'
            f"{name}</a>{''.join(tags)}</th>{cells}</tr>"
        )
    return mark_safe("\n".join(drawn))


def _cell(context: dict[str, Any], row: AccountRow, key: str, words: tuple[str, str], weeks: str) -> str:
    """One cell, escaped; `words` is what it is the same in (`same_words`), `weeks` what a sparkline is called."""
    nothing = formatting.NO_VALUE
    match key:
        case "score":
            return f'<td class="nowrap">{_health(row, words)}</td>'
        case "spark":
            return f"<td>{shell.spark(row.spark, weeks)}</td>"
        case "owner" | "segment" | "plan":
            return f'<td class="soft nowrap">{escape(getattr(row, key) or nothing)}</td>'
        case "stage":
            return f'<td class="soft nowrap">{escape(shell.stage_word(row.stage))}</td>'
        case "mrr":
            return f'<td class="num">{escape(shell.money(row.mrr_cents, row.currency))}</td>'
        case "renewal":
            return f'<td class="num">{shell.day(context, row.renewal_on)}</td>'
    column = context["wanted"].book[key]
    classes = "num" if column.kind in (c.NUMBER, c.MONEY, c.DATE, c.MOMENT) else "soft"
    value = row.cells.get(key)
    if column.kind == c.NUMBER and value is not None:
        shown: SafeString | str = formatting.number(float(value), context["found"].decimals[key])
    else:
        shown = _shown(context, column, value, row.currency)
    return f'<td class="{classes}">{conditional_escape(shown)}</td>'


def _health(row: AccountRow, words: tuple[str, str]) -> SafeString:
    if row.override is not None:
        return shell.health(row.score, row.band, row.coverage, row.override, row.trend)
    moved = row.trend and replace(
        row.trend, change=row.trend.change and float(round(row.trend.change)), since=None
    )
    figure = None if row.score is None else float(round(row.score))
    return _computed(figure, row.band, row.coverage, moved, *words)


@lru_cache(maxsize=4096)  # as whole numbers a list says the same few scores over and over
def _computed(
    figure: float | None,
    band: int | None,
    coverage: float | None,
    moved: Trend | None,
    _language: str,
    _word: str,
) -> SafeString:
    return shell.health(figure, band, coverage, None, moved)


def _shown(context: dict[str, Any], column: Column, value: Any, currency: str) -> SafeString | str:
    """A value as its kind is shown."""
    if column.kind == c.BAND:
        return shell.band(value or 0)
    if value is None or value in ("", []):
        return formatting.NO_VALUE
    match column.kind:
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
