"""Handing a book of accounts over: what it holds, doing it, how far it is, taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import has_role
from accounts.models import Job, Role, Tenant
from accounts.requests import TenantRequest
from playbooks.models import Handover
from workspace.access import csm_only, manager_only
from workspace.selectors import handover as selectors
from workspace.selectors import people
from workspace.selectors.account_list import filter_options
from workspace.services.handover import UNDO_FOR, hand_over, undo_handover

ALL, TICKED = "all", "ticked"
NOTE_LENGTH = 4000
MOST_TICKED = 1000


@dataclass(frozen=True)
class Said:
    """What the form says; it is kept when something is missing."""

    from_id: int
    to_id: int
    segment: str
    stage: str
    of: int  # the hand-over whose accounts go back
    which: str
    ticked: tuple[int, ...]
    note: str
    with_tasks: bool
    with_alerts: bool
    ask_sentiment: bool


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _read(given: QueryDict, *, posted: bool) -> Said:
    ticked = tuple(pk for text in given.getlist("account")[:MOST_TICKED] if (pk := _number(text)))
    return Said(
        from_id=_number(given.get("from", "")),
        to_id=_number(given.get("to", "")),
        segment=given.get("segment", "").replace("\0", "")[:100],
        stage=given.get("stage", "").replace("\0", "")[:50],
        of=_number(given.get("of", "")),
        which=TICKED if given.get("which", TICKED if ticked and not posted else ALL) == TICKED else ALL,
        ticked=ticked,
        note=given.get("note", "").replace("\0", "")[:NOTE_LENGTH],
        with_tasks=not posted or "with_tasks" in given,
        with_alerts=not posted or "with_alerts" in given,
        ask_sentiment=not posted or "ask_sentiment" in given,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@manager_only
def hand_over_book(request: TenantRequest) -> HttpResponse:
    """Choose whose accounts, to whom, and which; see what goes along; hand them over."""
    tenant, today = request.tenant, request.tenant.today()
    posted = request.method == "POST"
    said = _read(request.POST if posted else request.GET, posted=posted)
    errors: dict[str, list[str]] = {}
    narrow = selectors.Narrow(
        said.segment, said.stage, tuple(selectors.accounts_of(tenant, said.of)) if said.of else None
    )
    if posted:
        ids = (
            list(said.ticked)
            if said.which == TICKED
            else selectors.account_ids(tenant, said.from_id, narrow, today)
        )
        try:
            with transaction.atomic():
                made = hand_over(
                    tenant=tenant,
                    actor=request.member,
                    from_id=said.from_id,
                    to_id=said.to_id,
                    account_ids=ids,
                    note=said.note,
                    with_tasks=said.with_tasks,
                    with_alerts=said.with_alerts,
                    ask_sentiment=said.ask_sentiment,
                )
        except ValidationError as error:
            errors = error.message_dict
        else:
            _say_made(request, made, len(ids))
            return redirect("workspace:handover", made.pk)
    owners = selectors.owners(tenant)
    book = selectors.preview(tenant, said.from_id, narrow, today) if said.from_id else None
    made_before = list(selectors.handovers(tenant, request.member)[: selectors.RECENT])
    context = {
        "said": said,
        "errors": errors,
        "owners": owners,
        "receivers": [one for one in people.members(tenant) if has_role(one, Role.CSM)],
        "book": book,
        "options": filter_options(tenant),
        "handovers": _lines(tenant, made_before),
    }
    return render(request, "workspace/handover/new.html", context, status=400 if errors else 200)


def _say_made(request: TenantRequest, made: Handover, count: int) -> None:
    if made.state == Handover.State.MOVING:
        text = ngettext(
            "%(count)d account is being handed over. You can leave this page.",
            "%(count)d accounts are being handed over. You can leave this page.",
            count,
        )
        messages.success(request, text % {"count": count})
        return
    text = ngettext("%(count)d account was handed over.", "%(count)d accounts were handed over.", count)
    undo = reverse("workspace:handover_undo", args=[made.pk])
    messages.success(request, text % {"count": count}, extra_tags=f"undo:{undo}")


def _lines(tenant: Tenant, found: list[Handover]) -> list[tuple[Handover, selectors.Counted]]:
    counts = selectors.counted(tenant, [made.pk for made in found])
    return [(made, counts.get(made.pk, selectors.Counted(0, 0))) for made in found]


@require_safe
@csm_only
def handover_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One hand-over: the note, its accounts as they stood, how far it is."""
    made = selectors.handovers(request.tenant, request.member).filter(pk=pk).first()
    if made is None:
        raise Http404
    running = made.job if made.job is not None and made.job.state != Job.State.DONE else None
    context: dict[str, Any] = {
        "made": made,
        "counts": _lines(request.tenant, [made])[0][1],
        "rows": selectors.handed(request.tenant, pk),
        "running": running,
        "may_undo": has_role(request.member, Role.MANAGER) and made.state == Handover.State.DONE,
        "undo_minutes": int(UNDO_FOR.total_seconds() // 60),
    }
    return render(request, "workspace/handover/handover.html", context)


@require_POST
@manager_only
def handover_undo(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a hand-over back."""
    if not selectors.handovers(request.tenant, request.member).filter(pk=pk).exists():
        raise Http404
    try:
        with transaction.atomic():
            count = undo_handover(tenant=request.tenant, handover_id=pk, actor=request.member)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = ngettext("%(count)d account is back.", "%(count)d accounts are back.", count)
        messages.success(request, text % {"count": count})
    return redirect("workspace:handover", pk)
