"""The list of accounts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import TenantRequest
from playbooks.selectors import startable_playbooks
from workspace import exports
from workspace.access import csm_only, member_only
from workspace.bands import HEALTH_BANDS
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.selectors import people
from workspace.selectors.account_filter import SORTS, AccountFilter, read_filter
from workspace.selectors.account_list import account_page, filter_options, overrides_beside, usable
from workspace.selectors.day import newest_day
from workspace.services.accounts import change_accounts
from workspace.services.plays import start_play_at
from workspace.views.plays import say_started


@require_safe
@member_only
def account_list(request: TenantRequest) -> HttpResponse:
    """Accounts by filter and order, page by page."""
    wanted = read_filter(request.GET)
    after = usable(read_cursor(request.GET.get(CURSOR_PARAMETER, "")), wanted)
    today = request.tenant.today()
    found = account_page(request.tenant, wanted, today=today, after=after)
    parameters = wanted.parameters()
    shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
    context: dict[str, Any] = {
        "wanted": wanted,
        "found": found,
        "today": today,
        "bands": HEALTH_BANDS,
        "options": filter_options(request.tenant),
        "members": people.members(request.tenant),
        "plays": startable_playbooks(request.tenant),
        "summary": newest_day(request.tenant),
        "overridden": overrides_beside(request.tenant, wanted, today),
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.rows),
            total=found.total,
            next_cursor=found.next_cursor,
        ),
        "sorts": {name: sort_link(request.path, wanted, name) for name in SORTS},
        "export_url": address(f"{request.path}export.csv", parameters),
        "bulk_url": address(f"{request.path}bulk/", parameters),
    }
    return render(request, "workspace/accounts/list.html", context)


def sort_link(path: str, wanted: AccountFilter, name: str) -> dict[str, str]:
    """Where the head of a column leads, and how the list is sorted by it now."""
    current = wanted.sort == name
    turned = "" if current and wanted.descending else "desc" if current or name == "mrr" else ""
    state = ("descending" if wanted.descending else "ascending") if current else ""
    return {"url": address(path, wanted.parameters(), sort=name, dir=turned), "state": state}


@require_safe
@member_only
def account_export(request: TenantRequest) -> HttpResponseBase:
    """The filtered list as a CSV file."""
    return exports.accounts_csv(request.tenant, read_filter(request.GET))


@require_POST
@csm_only
def account_bulk(request: TenantRequest) -> HttpResponse:
    """Give the ticked accounts an owner or a tag, or start a play at them."""
    ids = [
        int(pk) for pk in request.POST.getlist("account") if pk.isascii() and pk.isdigit() and len(pk) < 19
    ]
    owner, tag = request.POST.get("owner", ""), request.POST.get("tag", "").strip()[:50]
    after = redirect(address(request.path.removesuffix("bulk/"), read_filter(request.GET).parameters()))
    play = (
        startable_playbooks(request.tenant)
        .filter(key=request.POST.get("playbook", "").replace("\0", "")[:60])
        .first()
    )
    if play is not None and ids:
        started, left_out = start_play_at(
            tenant=request.tenant, actor=request.member, playbook_key=play.key, account_ids=ids
        )
        say_started(request, play.name, started, left_out)
        if not owner and not tag:
            return after
    changed = change_accounts(
        tenant=request.tenant,
        actor=request.member,
        account_ids=ids,
        owner_id=int(owner) if owner.isascii() and owner.isdigit() and len(owner) < 19 else None,
        tag=tag,
    )
    if changed:
        messages.success(
            request,
            ngettext("%(count)d account was changed.", "%(count)d accounts were changed.", changed)
            % {"count": changed},
        )
    else:
        messages.error(
            request, _("Nothing was changed: tick accounts you may work on, and choose an owner or a tag.")
        )
    return after
