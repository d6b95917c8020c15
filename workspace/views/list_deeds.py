"""Deeds to many accounts of the list."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404
from accounts.models import AccountDeed, Job
from accounts.requests import TenantRequest
from playbooks.models import Playbook
from playbooks.selectors import startable_playbooks
from workspace.access import csm_only
from workspace.formatting import number
from workspace.play_words import start_words
from workspace.selectors.account_list import all_ids
from workspace.selectors.list_state import list_state
from workspace.services.bulk import (
    AT_ONCE,
    KIND,
    UNDO_KIND,
    Bulk,
    begin_deed,
    can_undo,
    may_oversee,
    undo_bulk,
)
from workspace.services.plays import PlayStart
from workspace.views.going_back import back


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _bulk(request: TenantRequest) -> Bulk:
    """What the form asks for."""
    said = {name: str(request.POST.get(name, "")).replace("\0", "").strip() for name in request.POST}
    owner = said.get("owner", "")
    play = startable_playbooks(request.tenant).filter(key=said.get("playbook", "")[:60]).first()
    return Bulk(
        owner_id=0 if owner == "none" else _whole(owner),
        tag=said.get("tag", "")[:50],
        untag=said.get("untag", "")[:50],
        segment=said.get("segment") or None,
        stage=said.get("stage") or None,
        field_key=said.get("field", "")[:100],
        field_text=said.get("value", "")[:1000],
        play=play.key if play is not None else "",
    )


@require_POST
@csm_only
def account_bulk(request: TenantRequest) -> HttpResponse:
    """Do the same to the ticked accounts, or to all of the list; it can be taken back for a moment."""
    state = list_state(request.tenant, request.member, request.GET)
    after = redirect(state.link(reverse("workspace:accounts")))
    if request.POST.get("everything") == "yes":
        ids = all_ids(request.tenant, state.wanted, today=request.tenant.today())
    else:
        ids = [pk for pk in (_whole(text) for text in request.POST.getlist("account")) if pk is not None]
    try:
        deed = begin_deed(tenant=request.tenant, actor=request.member, account_ids=ids, bulk=_bulk(request))
    except ValidationError as error:
        messages.error(request, _("Nothing was changed: %(reason)s") % {"reason": " ".join(error.messages)})
        return after
    if len(deed.account_ids) > AT_ONCE:
        return redirect("workspace:account_deed", deed.pk)
    say_done(request, deed)
    return after


def say_done(request: TenantRequest, deed: AccountDeed) -> None:
    """What became of a deed, with the way back."""
    begun, not_begun = play_words_of(deed)
    if not deed.changed and not begun:
        reason = not_begun or _("the accounts are not yours, or have it already.")
        messages.error(request, _("Nothing was changed: %(reason)s") % {"reason": reason})
        return
    parts = []
    if deed.changed:
        text = ngettext("%(count)s account was changed.", "%(count)s accounts were changed.", deed.changed)
        parts.append(text % {"count": number(deed.changed)})
    parts += [part for part in (begun and f"{begun}.", not_begun) if part]
    if deed.left_out:
        text = ngettext(
            "%(count)s was left out: it is not yours.",
            "%(count)s were left out: they are not yours.",
            deed.left_out,
        )
        parts.append(text % {"count": number(deed.left_out)})
    undo = f"undo:{reverse('workspace:account_deed_undo', args=[deed.pk])}" if can_undo(deed) else ""
    messages.success(request, " ".join(parts), extra_tags=undo)


def play_words_of(deed: AccountDeed) -> tuple[str, str]:
    """At how many accounts the deed's play began, and at how many it did not and why."""
    key = deed.what.get("play")
    if not key or not deed.play:
        return "", ""
    book = Playbook.objects.filter(tenant_id=deed.tenant_id, key=key).first()
    done = PlayStart(**deed.play)
    return start_words(book.name if book is not None else key, done.started, done.held_out, done.left_out)


@require_safe
@csm_only
def account_deed(request: TenantRequest, pk: int) -> HttpResponse:
    """How far a deed to many accounts is, what came of it, and the way back."""
    deed = get_or_404(AccountDeed, pk=pk)
    if deed.member_id != request.member.pk and not may_oversee(request.member):
        raise Http404
    kind = UNDO_KIND if deed.undone_at else KIND
    job = Job.objects.filter(tenant=request.tenant, kind=kind, key=str(deed.pk)).first()
    running = job if job is not None and job.state != Job.State.DONE else None
    context = {
        "deed": deed,
        "running": running,
        "can_undo": can_undo(deed),
        "count": len(deed.account_ids),
        "play": [words for words in play_words_of(deed) if words],
    }
    return render(request, "workspace/accounts/deed.html", context)


@require_POST
@csm_only
def account_deed_undo(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a deed back."""
    try:
        deed, job = undo_bulk(tenant=request.tenant, member=request.member, deed_id=pk)
    except AccountDeed.DoesNotExist as error:
        raise Http404 from error
    except PermissionDenied as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:accounts")
    if job is not None:
        return redirect("workspace:account_deed", deed.pk)
    messages.success(request, _("The accounts are as they were, but for what somebody changed since."))
    return back(request, "workspace:accounts")
