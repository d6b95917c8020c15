"""The list of accounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.requests import TenantRequest
from playbooks.selectors import startable_playbooks
from workspace import exports
from workspace.access import member_only
from workspace.bands import HEALTH_BANDS, band_of
from workspace.lists.columns import BOOL, DATE, MOMENT, MONEY, NUMBER
from workspace.lists.conditions import without, write_tree
from workspace.lists.words import Chip, chips
from workspace.paging import CURSOR_PARAMETER, page_of, read_cursor
from workspace.selectors import people
from workspace.selectors.account_filter import GROUPS, SPARK, AccountFilter
from workspace.selectors.account_groups import AccountGroup, account_groups, narrowed_to
from workspace.selectors.account_list import account_page, filter_options, overrides_beside, usable
from workspace.selectors.day import newest_day
from workspace.selectors.list_state import ListState, list_state
from workspace.templatetags.shell import stage_word

RIGHT = (NUMBER, MONEY, DATE, MOMENT)


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    key: str
    label: str
    classes: str
    link: dict[str, str] | None


@require_safe
@member_only
def account_list(request: TenantRequest) -> HttpResponse:
    """Accounts by view, filter and order, page by page, or in groups."""
    state = list_state(request.tenant, request.member, request.GET)
    wanted, today = state.wanted, request.tenant.today()
    members = people.members(request.tenant)
    names = {str(member.pk): str(member) for member in members}
    after = usable(read_cursor(request.GET.get(CURSOR_PARAMETER, "")), wanted)
    context: dict[str, Any] = {
        "state": state,
        "wanted": wanted,
        "today": today,
        "bands": HEALTH_BANDS,
        "options": filter_options(request.tenant),
        "members": members,
        "summary": newest_day(request.tenant),
        "chips": [replace(chip, url=_without(request.path, state, chip)) for chip in _chips(wanted, names)],
        "joined": len({g.join for g in wanted.tree.groups} | {wanted.tree.join}) > 1 or "any" in wanted.where,
        "lost": wanted.read[1],
        "group_words": [(key, word, _grouped(request.path, state, key)) for key, word in group_words()],
        "ungrouped_url": state.link(request.path, replace(wanted, group="")),
        "has_default": any(line.is_default for line in state.lines),
        "export_url": state.link(f"{request.path}export.csv"),
        "excel_url": state.link(f"{request.path}export.xlsx"),
        "bulk_url": state.link(f"{request.path}bulk/"),
        "filter_url": state.link(reverse("workspace:account_conditions")),
        "columns_url": state.link(reverse("workspace:account_columns")),
        "save_url": state.link(reverse("workspace:view_save")),
    }
    if wanted.group:
        groups, total = account_groups(request.tenant, wanted, today=today)
        context["found_groups"] = [
            (_group_word(wanted, one, names), one, _inside(request.path, state, one)) for one in groups
        ]
        context["total"] = total
        return render(request, "workspace/accounts/groups.html", context)
    found = account_page(request.tenant, wanted, today=today, after=after)
    shown = state.parameters() | ({CURSOR_PARAMETER: after.encode()} if after else {})
    context |= {
        "found": found,
        "heads": heads(request.path, state),
        "name_head": sort_link(request.path, state, "name"),
        "plays": startable_playbooks(request.tenant),
        "fields": wanted.book.fields,
        "overridden": overrides_beside(request.tenant, wanted, today),
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.rows),
            total=found.total,
            next_cursor=found.next_cursor,
        ),
    }
    return render(request, "workspace/accounts/list.html", context)


def _chips(wanted: AccountFilter, names: dict[str, str]) -> list[Chip]:
    return chips(wanted.tree, wanted.book, names)


def _without(path: str, state: ListState, chip: Chip) -> str:
    """The list without one of its conditions."""
    return state.link(path, replace(state.wanted, where=write_tree(without(state.wanted.tree, *chip.place))))


def _grouped(path: str, state: ListState, key: str) -> str:
    return state.link(path, replace(state.wanted, group=key))


def _inside(path: str, state: ListState, group: AccountGroup) -> str:
    """The accounts of a group."""
    wanted = narrowed_to(state.wanted, group)
    return state.link(path, wanted) if wanted is not None else ""


def group_words() -> list[tuple[str, str]]:
    """What a list can be grouped by."""
    words = {
        "owner": _("Owner"),
        "segment": _("Segment"),
        "stage": _("Stage"),
        "band": _("Health band"),
        "renewal_month": _("Month of renewal"),
    }
    return [(key, words[key]) for key in GROUPS]


def _group_word(wanted: AccountFilter, group: AccountGroup, names: dict[str, str]) -> str:
    """What a group is called."""
    match wanted.group:
        case "owner":
            return names.get(group.key or "", _("A member who has left")) if group.key else _("Nobody")
        case "band":
            return str(band_of(int(group.key or 0)).word)
        case "stage" if group.key:
            return stage_word(group.key)
        case _:
            return group.key or _("Nothing said")


def heads(path: str, state: ListState) -> list[Head]:
    """The heads of the chosen columns."""
    found = []
    for key in state.wanted.shown:
        if key == SPARK:
            found.append(Head(SPARK, _("12 weeks"), "", None))
            continue
        column = state.wanted.book[key]
        label = _("Health") if key == "score" else str(column.label)
        classes = "num" if column.kind in RIGHT and key != "score" else ""
        found.append(Head(key, label, classes, sort_link(path, state, key) if column.sorts else None))
    return found


def sort_link(path: str, state: ListState, name: str) -> dict[str, str]:
    """Where the head of a column leads, and how the list is sorted by it now."""
    wanted = state.wanted
    current = wanted.sort == name
    largest_first = name != "score" and wanted.book[name].kind in (NUMBER, MONEY, BOOL)
    turned = "" if current and wanted.descending else "desc" if current or largest_first else ""
    word = ("descending" if wanted.descending else "ascending") if current else ""
    return {"url": state.link(path, replace(wanted, sort=name, dir=turned)), "state": word}


@require_safe
@member_only
def account_export(request: TenantRequest) -> HttpResponseBase:
    """The filtered list as a CSV file."""
    state = list_state(request.tenant, request.member, request.GET)
    return exports.accounts_csv(request.tenant, state.wanted)


@require_safe
@member_only
def account_excel(request: TenantRequest) -> HttpResponseBase:
    """The filtered list as an Excel file."""
    state = list_state(request.tenant, request.member, request.GET)
    return exports.accounts_xlsx(request.tenant, state.wanted)
