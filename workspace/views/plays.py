"""Plays: the list, one of them with its results, who it is for now, and trying it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account
from accounts.requests import TenantRequest
from playbooks.audience import audience
from playbooks.models import Playbook
from playbooks.rehearsal import rehearse
from workspace.access import csm_only, manager_only, member_only
from workspace.play_words import REFUSALS, start_words
from workspace.selectors import plays as selectors
from workspace.selectors import work
from workspace.selectors.tries import tried_lines
from workspace.services.plays import PlayStart, start_play_at, switch_play
from workspace.views.going_back import back

MOST_STARTS = 500
SUGGESTIONS = 8


@require_safe
@member_only
def playbook_list(request: TenantRequest) -> HttpResponse:
    """The plays and how they have been used."""
    return render(request, "workspace/plays/list.html", {"plays": work.plays(request.tenant)})


@require_safe
@member_only
def playbook_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One play, step by step, with what it achieved."""
    found = selectors.play_page(request.tenant, pk)
    if found is None:
        raise Http404
    return render(request, "workspace/plays/play.html", {"found": found, "playbook": found.playbook})


@require_POST
@manager_only
def playbook_switch(request: TenantRequest, pk: int) -> HttpResponse:
    """Switch a play on or off; running ones go on."""
    book = switch_play(
        tenant=request.tenant,
        actor=request.member,
        playbook_id=pk,
        enabled=request.POST.get("enabled") == "yes",
    )
    if book is None:
        raise Http404
    messages.success(
        request,
        _("“%(play)s” is on.") % {"play": book.name}
        if book.enabled
        else _("“%(play)s” is off.") % {"play": book.name},
    )
    return back(request, "workspace:playbooks")


@require_safe
@member_only
def play_audience(request: TenantRequest, pk: int) -> HttpResponse:
    """Which accounts a version is for now; from here it can be started at many of them."""
    version = selectors.version(request.tenant, pk)
    if version is None:
        raise Http404
    search = request.GET.get("q", "").replace("\0", "").strip()[:100]
    found = audience(request.tenant, version, request.tenant.today(), search=search)
    context = {
        "version": version,
        "found": found,
        "search": search,
        "refused": [(REFUSALS.get(code, code), count) for code, count in found.refused],
        "may_start": version.state == "published" and version.playbook.enabled,
    }
    return render(request, "workspace/plays/audience.html", context)


@require_POST
@csm_only
def play_start(request: TenantRequest, pk: int) -> HttpResponse:
    """Start the published version at chosen accounts."""
    book = Playbook.objects.filter(tenant=request.tenant, pk=pk).first()
    if book is None:
        raise Http404
    ids = {int(t) for t in request.POST.getlist("account") if t.isascii() and t.isdigit() and len(t) < 19}
    if not ids or len(ids) > MOST_STARTS:
        messages.error(request, _("Tick from 1 to %(most)s accounts.") % {"most": MOST_STARTS})
        return back(request, "workspace:playbooks")
    done = start_play_at(tenant=request.tenant, actor=request.member, playbook_key=book.key, account_ids=ids)
    say_started(request, book.name, done)
    return redirect("workspace:playbook", pk)


def say_started(request: TenantRequest, name: str, done: PlayStart) -> None:
    """Say at how many accounts a play began, and at how many it did not and why."""
    begun, left = start_words(name, done.started, done.held_out, done.left_out)
    if begun:
        messages.success(request, begun)
    if left:
        messages.warning(request, left)


@require_safe
@member_only
def play_try(request: TenantRequest, pk: int) -> HttpResponse:
    """Walk one account through a version; nothing is written and nothing is sent."""
    version = selectors.version(request.tenant, pk)
    if version is None:
        raise Http404
    chosen, typed = None, request.GET.get("account", "").replace("\0", "").strip()[:200]
    if typed:
        accounts = Account.objects.filter(tenant=request.tenant).select_related("owner__user")
        chosen = accounts.filter(pk=int(typed)).first() if _is_id(typed) else None
        chosen = chosen or accounts.filter(external_id=typed).first() or _by_name(request, typed)
    rehearsal = rehearse(request.tenant, version, chosen, request.tenant.today()) if chosen else None
    context = {
        "version": version,
        "account": chosen,
        "typed": typed,
        "rehearsal": rehearsal,
        "tried": tried_lines(request.tenant, version, chosen, rehearsal) if chosen and rehearsal else None,
        "suggestions": list(
            Account.objects.filter(tenant=request.tenant, churned_on=None).order_by("-mrr_cents", "id")[
                :SUGGESTIONS
            ]
        ),
    }
    return render(request, "workspace/plays/try.html", context)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _by_name(request: TenantRequest, text: str) -> Account | None:
    key = text.lower()
    found = Account.objects.filter(
        tenant=request.tenant, name_search__gte=key, name_search__lt=f"{key}\U0010ffff"
    )
    return found.select_related("owner__user").order_by("name_search", "id").first()
