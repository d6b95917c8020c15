"""Saved views: keeping a list, choosing its conditions and columns, and what may be done with views."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.requests import TenantRequest
from workspace.access import member_only
from workspace.lists.account_columns import DEFAULT_COLUMNS
from workspace.lists.builder import builder_of, read_builder, stepped
from workspace.lists.conditions import write_tree
from workspace.lists.words import tree_words
from workspace.paging import capped
from workspace.selectors import people
from workspace.selectors.account_filter import SPARK
from workspace.selectors.account_list import filter_options
from workspace.selectors.list_state import ListState, list_state
from workspace.selectors.saved_views import (
    ACCOUNTS,
    ViewLine,
    users_of,
    view_of,
    visible_views,
)
from workspace.selectors.view_counts import row_counts, view_counts
from workspace.selectors.view_kinds import KINDS, ViewKind, ViewState, kind_of, view_state
from workspace.services.saved_views import delete_view, mark_view, save_view
from workspace.view_forms import ViewForm


def _in_sheet(request: TenantRequest) -> bool:
    return bool(request.htmx) and request.htmx.target in ("sheet-content", "conditions")


def _leave(request: TenantRequest, address: str) -> HttpResponse:
    return HttpResponseClientRedirect(address) if _in_sheet(request) else redirect(address)


def _page(request: TenantRequest, name: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    """A form as a page, or as the content of the dialog."""
    sheet = _in_sheet(request)
    template = f"workspace/accounts/{'_' if sheet else ''}{name}.html"
    return render(request, template, context | {"in_sheet": sheet}, status=200 if sheet else status)


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def conditions(request: TenantRequest) -> HttpResponse:
    """Build the conditions of the list: groups of AND and OR over any column."""
    state = list_state(request.tenant, request.member, request.GET)
    members = people.members(request.tenant)
    book = state.wanted.book
    if request.method != "POST":
        builder = builder_of(state.wanted.tree, book, members)
        return _page(request, "conditions", _conditions(request, state, builder))
    deed = request.POST.get("do", "apply")
    sent = {name: request.POST.getlist(name) for name in request.POST}
    builder = read_builder(sent, book, members, judge=deed == "apply")
    if deed == "apply" and not builder.wrong:
        return _leave(
            request,
            state.link(
                reverse("workspace:accounts"), replace(state.wanted, where=write_tree(builder.tree()))
            ),
        )
    if deed != "apply":
        builder = stepped(builder, deed, book, members)
    context = _conditions(request, state, builder)
    if request.htmx and request.htmx.target == "conditions":
        return render(request, "workspace/accounts/_condition_rows.html", context)
    return _page(request, "conditions", context, status=400 if builder.wrong else 200)


def _conditions(request: TenantRequest, state: ListState, builder: object) -> dict[str, object]:
    options = filter_options(request.tenant)
    return {
        "suggestions": [
            ("segment", options.segments),
            ("stage", options.stages),
            ("plan", options.plans),
            ("tags", options.tags),
        ],
        "builder": builder,
        "book": state.wanted.book,
        "action": state.link(reverse("workspace:account_conditions")),
        "list_url": state.link(reverse("workspace:accounts")),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def columns(request: TenantRequest) -> HttpResponse:
    """Choose the columns of the list and their order."""
    state = list_state(request.tenant, request.member, request.GET)
    if request.method == "POST":
        chosen = [key for key in request.POST.getlist("column") if key in state.wanted.book or key == SPARK]
        chosen.sort(key=lambda key: _place(request.POST.get(f"place-{key}", "")))
        said = "" if tuple(chosen) == DEFAULT_COLUMNS else ",".join(chosen)
        return _leave(request, state.link(reverse("workspace:accounts"), replace(state.wanted, columns=said)))
    shown = state.wanted.shown
    groups = [
        (
            heading,
            [
                (column.key, str(column.label), shown.index(column.key) + 1 if column.key in shown else None)
                for column in offered
                if column.key != "name"
            ],
        )
        for heading, offered in state.wanted.book.grouped
    ]
    groups[0][1].append((SPARK, _("12 weeks"), shown.index(SPARK) + 1 if SPARK in shown else None))
    context: dict[str, object] = {
        "state": state,
        "offered_columns": groups,
        "action": state.link(reverse("workspace:account_columns")),
        "list_url": state.link(reverse("workspace:accounts")),
    }
    return _page(request, "columns", context)


def _place(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 9999


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def view_save(request: TenantRequest) -> HttpResponse:
    """Keep a list under a name, or over the view that is open."""
    kind = kind_of(request.GET.get("list", ""))
    state, words = _open_list(request, kind)
    current = state.current if state.current is not None and state.current.may_change else None
    over = view_of(state.lines, request.POST.get("over", "")) if request.method == "POST" else None
    form = ViewForm(request.POST or None, initial=_initial(current))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            view = save_view(
                tenant=request.tenant,
                member=request.member,
                list_key=kind.key,
                parameters=state.kept,
                name=said["name"],
                shared=said["shared"],
                folder=said["folder"],
                view=over.view if over is not None and over.may_change else None,
            )
        except ValidationError as error:
            form.refuse(error)
        else:
            mark_view(
                tenant=request.tenant,
                member=request.member,
                view=view,
                favourite=said["favourite"],
                default=said["default"],
            )
            messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
            return _leave(request, kind.address(view.pk))
    context: dict[str, object] = {
        "form": form,
        "current": current,
        "kind": kind,
        "words": words,
        "action": request.get_full_path(),
    }
    return _page(request, "save_view", context, status=400 if form.errors else 200)


def _open_list(request: TenantRequest, kind: ViewKind) -> tuple[ListState | ViewState, str]:
    """The list that the address is of, and its conditions in words where it has any."""
    if kind.key == ACCOUNTS:
        state = list_state(request.tenant, request.member, request.GET)
        names = {str(member.pk): str(member) for member in people.members(request.tenant)}
        return state, tree_words(state.wanted.tree, state.wanted.book, names)
    return view_state(request.tenant, request.member, kind.key, request.GET), ""


def _initial(current: ViewLine | None) -> dict[str, object]:
    if current is None:
        return {"shared": "private", "favourite": True}
    view = current.view
    return {
        "name": view.name,
        "shared": view.shared,
        "folder": view.folder,
        "favourite": current.is_favourite,
        "default": current.is_default,
    }


@require_safe
@member_only
def view_list(request: TenantRequest) -> HttpResponse:
    """Every view the member may open, by list and folder."""
    folders: dict[tuple[str, str], list[ViewLine]] = {}
    for line in visible_views(request.tenant, request.member, list_key=None):
        folders.setdefault((line.view.list_key, line.view.folder), []).append(line)
    order = list(KINDS)
    found = sorted(folders.items(), key=lambda one: (order.index(one[0][0]), one[0][1].lower()))
    context = {
        "folders": [(KINDS[key], folder, lines) for (key, folder), lines in found],
        "kinds": KINDS.values(),
    }
    return render(request, "workspace/accounts/views.html", context)


@require_safe
@member_only
def view_bar_counts(request: TenantRequest) -> HttpResponse:
    """How many rows each view of the member's bar has; asked for once the list is there."""
    tenant, member = request.tenant, request.member
    kind = kind_of(request.GET.get("list", ""))
    state: ListState | ViewState
    if kind.read is None:
        state = list_state(tenant, member, request.GET)
        counts = view_counts(tenant, member, state.bar, state.wanted.book, tenant.today())
    else:
        state = view_state(tenant, member, kind.key, request.GET)
        counts = row_counts(tenant, member, kind.key, state.bar)
    shown = [(line, capped(counts[line.view.pk]) if line.view.pk in counts else "") for line in state.bar]
    return render(
        request, "workspace/accounts/_view_bar.html", {"state": state, "shown": shown, "counted": True}
    )


def _view(request: TenantRequest, pk: int) -> ViewLine:
    line = view_of(visible_views(request.tenant, request.member, list_key=None), str(pk))
    if line is None:
        raise Http404
    return line


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def view_delete(request: TenantRequest, pk: int) -> HttpResponse:
    """Delete a view; says first who uses it."""
    line = _view(request, pk)
    if not line.may_change:
        messages.error(
            request, _("This view is %(owner)s's; managers may delete it, too.") % {"owner": line.view.owner}
        )
        return redirect("workspace:views")
    if request.method == "POST":
        delete_view(tenant=request.tenant, member=request.member, view=line.view)
        messages.success(request, _("The view “%(name)s” is deleted.") % {"name": line.view.name})
        return redirect("workspace:views")
    kind = kind_of(line.view.list_key)
    context = {"view": line.view, "kind": kind, "users": users_of(request.tenant, line.view)}
    return render(request, "workspace/accounts/delete_view.html", context)


@require_POST
@member_only
def view_mark(request: TenantRequest, pk: int) -> HttpResponse:
    """Put a view over the list or take it away; open the list with it or no longer."""
    line = _view(request, pk)
    what = request.POST.get("what", "")
    if what == "favourite":
        mark_view(
            tenant=request.tenant, member=request.member, view=line.view, favourite=not line.is_favourite
        )
    elif what == "default":
        mark_view(tenant=request.tenant, member=request.member, view=line.view, default=not line.is_default)
    return redirect("workspace:views")
