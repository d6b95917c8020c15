"""A member's list of the day: looking at it, and each deed on it. Plain posts do; with htmx the list stays where it is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import get_or_404, has_role, may_work_on
from accounts.models import Account, Membership, Role
from accounts.requests import TenantRequest
from alerts.models import Alert
from playbooks.models import Run
from workspace.access import csm_only, member_only
from workspace.agenda import NO_ACCOUNT, Item, Kind, Part
from workspace.paging import address
from workspace.selectors import agenda as selectors
from workspace.selectors.timeline import timeline_page
from workspace.services.agenda import (
    Outcome,
    finish,
    log_note,
    open_again,
    put_off,
    skip,
    start_play,
    take_back,
)
from workspace.views.going_back import back
from workspace.views.work import in_panel

NOW, NEXT, DONE = "now", "next", "done"
TABS = (NOW, NEXT, DONE)
NOTE_LENGTH = 4000
BESIDE_TIMELINE = 5
LATER_DAYS = (1, 3, 7, 14, 30)


def whose(request: TenantRequest) -> Membership:
    """Whose list it is: one's own, or that of whom a manager asks for."""
    who = request.POST.get("who") or request.GET.get("who") or ""
    if has_role(request.member, Role.MANAGER) and who.isascii() and who.isdigit() and len(who) < 19:
        found = Membership.objects.select_related("user", "tenant").filter(
            tenant=request.tenant, pk=int(who), is_active=True
        )
        return found.first() or request.member
    return request.member


def list_context(request: TenantRequest, tab: str) -> dict[str, Any]:
    """The list, of one tab; the others are counted."""
    owner, today = whose(request), request.tenant.today()
    day = selectors.day_of(owner, today)
    return {
        "day": day,
        "done": selectors.done_today(owner, today),
        "tab": tab if tab in TABS else NOW,
        "owner": owner,
        "is_own": owner.pk == request.member.pk,
        "today": today,
        "list_url": list_url(request, owner, tab),
        "tabs": {name: list_url(request, owner, name) for name in TABS},
    }


def list_url(request: TenantRequest, owner: Membership, tab: str) -> str:
    """The address of somebody's list."""
    wanted = {"view": "mine", "tab": tab if tab in (NEXT, DONE) else ""}
    if owner.pk != request.member.pk:
        wanted["who"] = str(owner.pk)
    return address(reverse("workspace:today"), {name: value for name, value in wanted.items() if value})


@require_safe
@member_only
def item(request: TenantRequest, pk: int) -> HttpResponse:
    """What waits at one account, beside the list or alone: why it is where it is, and every deed."""
    owner, today = whose(request), request.tenant.today()
    account = get_or_404(Account, tenant=request.tenant, pk=pk) if pk != NO_ACCOUNT else None
    found = selectors.day_of(owner, today).item(pk)
    context = {
        "item": found,
        "account": account,
        "list_url": list_url(request, owner, NOW),
        "owner": owner,
        "is_own": owner.pk == request.member.pk,
        "may_work": has_role(request.member, Role.CSM)
        and found is not None
        and (account is None or may_work_on(request.member, account) or _theirs(found)),
        "later_dates": [(today + timedelta(days=days), days) for days in LATER_DAYS],
        "verdicts": Alert.Verdict.choices,
        "around": timeline_page(request.tenant, pk, limit=BESIDE_TIMELINE).entries,
        "today": today,
    }
    if in_panel(request):
        return render(request, "workspace/today/_beside.html", context)
    return render(request, "workspace/today/item.html", context | {"alone": True})


def _theirs(found: Item) -> bool:
    """Whether somebody may have been given a task or an alert at an account of somebody else."""
    return any(part.kind in (Kind.TASK, Kind.ALERT) for part in found.parts)


@require_POST
@csm_only
def deed(request: TenantRequest) -> HttpResponse:
    """Do something with parts of the list: done, put off, not for me, start the play, a note."""
    owner = whose(request)
    known = selectors.day_of(owner, request.tenant.today()).parts()
    parts = [known[key] for key in request.POST.getlist("part")[:200] if key in known]
    if not parts:
        messages.info(request, _("That was no longer on the list."))
        return _answer(request)
    try:
        with transaction.atomic():
            _do(request, owner, parts)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except ObjectDoesNotExist:
        messages.error(request, _("Somebody else has just changed this. Look at it again."))
    return _answer(request)


def _do(request: TenantRequest, owner: Membership, parts: list[Part]) -> None:
    post = request.POST
    given: dict[str, Any] = {"tenant": request.tenant, "whose": owner, "actor": request.member}
    note = post.get("note", "").replace("\0", "")[:NOTE_LENGTH]
    match post.get("deed", ""):
        case "done":
            verdict = post.get("verdict") or Alert.Verdict.USEFUL
            _say(
                request, parts, finish(parts=parts, verdict=verdict, note=note, **given), _("Done: %(what)s")
            )
        case "later":
            until, reason = _day(post.get("until", "")), post.get("reason", "")[:300]
            _say(
                request,
                parts,
                put_off(parts=parts, until=until, reason=reason, **given),
                _("Put off: %(what)s"),
            )
        case "skip":
            outcome = skip(parts=parts, reason=post.get("reason", "")[:300], **given)
            _say(request, parts, outcome, _("Off the list: %(what)s"))
        case "play":
            run, outcome = start_play(part=parts[0], **given)
            _say_started(request, run, outcome)
        case "note":
            ticked = post.get("tick") == "yes"
            outcome = log_note(part=parts[0], text=note, done=ticked, **given)
            _say(
                request,
                parts[:1],
                outcome,
                _("Noted, and done: %(what)s") if ticked else _("The note is on the timeline."),
            )
        case _:
            raise ValidationError(_("Choose what to do with it."))  # fmt: skip


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValidationError(_("Choose until when.")) from error


def _undo(outcome: Outcome) -> str:
    """The address that takes a deed back, as toasts want it."""
    if not outcome.undo:
        return ""
    return f"undo:{reverse('workspace:today_undo')}?what={'.'.join(outcome.undo)}"


def _say(request: TenantRequest, parts: list[Part], outcome: Outcome, words: str) -> None:
    what = str(parts[0].title)
    if len(parts) > 1:
        more = len(parts) - 1
        what += " " + ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}
    text = words % {"what": what}
    if outcome.left:
        text += " " + ngettext(
            "%(count)d was left as it is: it is not yours to change.",
            "%(count)d were left as they are: they are not yours to change.",
            outcome.left,
        ) % {"count": outcome.left}
    if outcome.left and not outcome.done:
        messages.error(request, _("Nothing was changed: this is not yours to change."))
    else:
        messages.success(request, text, extra_tags=_undo(outcome))


def _say_started(request: TenantRequest, run: Run, outcome: Outcome) -> None:
    if run.held_out:
        text = _("This account is in the group that is held out of “%(play)s”; nothing was started.")
    else:
        text = _("Play started: %(play)s")
    messages.success(request, text % {"play": run.playbook.name}, extra_tags=_undo(outcome))


@require_POST
@csm_only
def undo(request: TenantRequest) -> HttpResponse:
    """Take back what was just done from the list."""
    references = request.GET.get("what", "")[:400].split(".")
    try:
        with transaction.atomic():
            count = take_back(tenant=request.tenant, actor=request.member, references=references)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = ngettext("%(count)d change taken back.", "%(count)d changes taken back.", count)
        messages.success(request, text % {"count": count})
    return _answer(request)


@require_POST
@csm_only
def reopen(request: TenantRequest) -> HttpResponse:
    """Open something again that was done today."""
    kind, _dash, pk = request.POST.get("thing", "").partition("-")
    if kind not in set(Kind) or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        messages.error(request, _("There is nothing to take back."))
        return _answer(request)
    title = " ".join(request.POST.get("title", "").replace("\0", "").split())[:200]
    given: dict[str, Any] = {"tenant": request.tenant, "whose": whose(request), "actor": request.member}
    try:
        with transaction.atomic():
            open_again(kind=kind, pk=int(pk), title=title, **given)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Open again: %(what)s") % {"what": title})
    return _answer(request)


def _answer(request: TenantRequest) -> HttpResponse:
    """The list as it is now, for htmx; else the page it was on."""
    if request.htmx and request.htmx.target == "agenda":
        context = list_context(request, request.POST.get("tab", ""))
        response = render(request, "workspace/today/_after.html", context)
        response["HX-Replace-Url"] = context["list_url"]  # the panel beside it is closed
        return response
    return back(request, "workspace:today")
