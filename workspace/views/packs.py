"""Reviews: the list and the calendar, one pack, everything that is done with it, the cadence."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import get_or_404, has_role, may_work_on
from accounts.models import Membership, Role
from accounts.requests import TenantRequest
from qbr.models import Pack
from qbr.services import (
    add_action,
    back_to_draft,
    change_language,
    hold_pack,
    mark_ready,
    prepare_month,
    prepare_pack,
    preview_refresh,
    refresh_pack,
    remove_action,
    reopen_pack,
    save_section,
    save_summary,
    send_pack,
    settings_of,
    skip_pack,
    skip_review,
    suggest_summary,
    verify_pack,
)
from workspace.access import csm_only, member_only, with_money
from workspace.paging import CURSOR_PARAMETER, address, page_of, read_cursor
from workspace.review_charts import chart_of
from workspace.review_forms import ActionForm
from workspace.selectors import packs as selectors
from workspace.selectors import people
from workspace.views.going_back import back


def workers(request: TenantRequest) -> list[Membership]:
    """Members who may work on accounts."""
    return [member for member in people.members(request.tenant) if has_role(member, Role.CSM)]


@require_safe
@member_only
def pack_list(request: TenantRequest) -> HttpResponse:
    """Every review: what is due, overdue, to prepare, sent; as a list or a month."""
    tenant, member, today = request.tenant, request.member, request.tenant.today()
    wanted = selectors.read_pack_filter(request.GET, member)
    default = selectors.default_who(member)
    parameters = wanted.parameters(default)
    first = wanted.first_day(today)
    context: dict[str, Any] = {
        "wanted": wanted,
        "default_who": default,
        "members": people.members(tenant),
        "states": Pack.State.choices,
        "tiles": selectors.tiles(tenant, wanted, member, today),
        "today": today,
        "month": first,
        "running": selectors.running_job(tenant),
        "list_url": address(request.path, parameters, view=""),
        "calendar_url": address(request.path, parameters, view="calendar", state=""),
        "due_url": address(request.path, parameters, view="", state="", month=today.isoformat()[:7]),
        "prepare_url": address(request.path, parameters, view="", month="", state=selectors.TO_PREPARE),
        "overdue_url": address(request.path, parameters, view="", month="", state=selectors.OVERDUE),
        "sent_url": address(request.path, parameters, view="", month="", state=Pack.State.SENT),
    }
    if not wanted.state:
        settings = settings_of(tenant)
        context["upcoming"], context["upcoming_total"] = selectors.upcoming(
            tenant, wanted, member, today, settings
        )
    if wanted.view == "calendar":
        before, after = first - timedelta(days=1), first + timedelta(days=32)
        context |= {
            "weeks": selectors.calendar(tenant, wanted, member, today),
            "before_url": address(request.path, parameters, month=before.isoformat()[:7]),
            "after_url": address(request.path, parameters, month=after.isoformat()[:7]),
        }
        return render(request, "workspace/packs/calendar.html", context)
    cursor = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    found = selectors.pack_list(tenant, wanted, member, today, cursor)
    context["found"] = found
    context["page"] = page_of(
        path=request.path,
        parameters=parameters | ({CURSOR_PARAMETER: cursor.encode()} if cursor else {}),
        shown=len(found.packs),
        total=found.total,
        next_cursor=found.next_cursor,
    )
    return render(request, "workspace/packs/list.html", context)


def _view(request: TenantRequest, pk: int) -> selectors.PackView:
    view = selectors.pack_view(request.tenant, pk, chart_of)
    if view is None:
        raise Http404
    return view


def _page(request: TenantRequest, view: selectors.PackView, status: int = 200, **more: Any) -> HttpResponse:
    """The editor of a pack."""
    may_work = may_work_on(request.member, view.pack.account)
    context = {
        "view": view,
        "pack": view.pack,
        "account": view.pack.account,
        "content": view.content,
        "today": request.tenant.today(),
        "may_work": may_work,
        "may_edit": may_work and not view.pack.is_frozen,
        "overdue": view.pack.is_overdue(request.tenant.today()),
        "action_form": ActionForm(
            members=workers(request), initial={"due_on": request.tenant.today() + timedelta(days=14)}
        ),
        "summary": view.content.summary_md,
        "title": view.content.title,
    } | more
    return render(request, "workspace/packs/pack.html", context, status=status)


@require_safe
@member_only
@with_money
def pack(request: TenantRequest, pk: int) -> HttpResponse:
    """One pack: its sections with their figures, what is agreed, what can be done."""
    return _page(request, _view(request, pk))


def _say(request: TenantRequest, error: ValidationError) -> None:
    messages.error(request, " ".join(error.messages))


def _done(request: TenantRequest, pk: int, text: str, part: str = "") -> HttpResponse:
    messages.success(request, text)
    target = redirect("workspace:qbr", pk)
    if part:
        target["Location"] += f"#{part}"
    return target


@require_POST
@csm_only
def pack_prepare(request: TenantRequest, pk: int) -> HttpResponse:
    """Draft the pack of an account."""
    due_on = _day(request.POST.get("due_on", ""))
    try:
        made = prepare_pack(tenant=request.tenant, account_id=pk, due_on=due_on, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return back(request, "workspace:qbrs")
    return _done(request, made.pk, _("The pack is drafted. Read it, put it right, and send it."))


@require_POST
@csm_only
def pack_skip_ahead(request: TenantRequest, pk: int) -> HttpResponse:
    """Leave out a review of an account that has no pack yet."""
    due_on = _day(request.POST.get("due_on", ""))
    if due_on is None:
        messages.error(request, _("Choose the date of the review that is left out."))
        return back(request, "workspace:qbrs")
    try:
        skip_review(
            tenant=request.tenant,
            account_id=pk,
            due_on=due_on,
            reason=request.POST.get("reason", ""),
            member=request.member,
        )
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
    else:
        messages.success(request, _("The review is left out; the cadence goes on with the next one."))
    return back(request, "workspace:qbrs")


@require_POST
@csm_only
def packs_prepare(request: TenantRequest) -> HttpResponse:
    """Draft all packs that are missing in a month, in the background."""
    wanted = selectors.read_pack_filter(request.POST, request.member)
    owner = wanted.owner_id(request.member)
    if not has_role(request.member, Role.MANAGER):
        owner = request.member.pk  # a CSM prepares the own ones
    first = wanted.first_day(request.tenant.today())
    prepare_month(tenant=request.tenant, month=first, owner_id=owner, member=request.member)
    messages.success(request, _("The packs are being drafted. You can leave this page."))
    return back(request, "workspace:qbrs")


@require_POST
@csm_only
def pack_summary(request: TenantRequest, pk: int) -> HttpResponse:
    """Save the title and the executive summary."""
    said = {name: request.POST.get(name, "") for name in ("title", "summary")}
    try:
        save_summary(tenant=request.tenant, pack_id=pk, member=request.member, **said)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        errors = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
        return _page(request, _view(request, pk), 400, errors=errors, **said)
    return _done(request, pk, _("The summary is saved."), "summary")


@require_POST
@csm_only
def pack_suggest(request: TenantRequest, pk: int) -> HttpResponse:
    """Take the suggested summary again."""
    try:
        suggest_summary(tenant=request.tenant, pack_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return redirect("workspace:qbr", pk)
    return _done(request, pk, _("The summary is the suggested one again."), "summary")


@require_POST
@csm_only
@with_money
def pack_section(request: TenantRequest, pk: int, key: str) -> HttpResponse:
    """Save a section: own words, what is hidden, texts and lists, what is left out."""
    texts = {
        int(name.removeprefix("text-")): str(value)
        for name, value in request.POST.items()
        if name.startswith("text-") and name[5:].isdigit() and len(name) < 10
    }
    left_out = [
        int(value) for value in request.POST.getlist("leave_out") if value.isdigit() and len(value) < 5
    ]
    try:
        save_section(
            tenant=request.tenant,
            pack_id=pk,
            key=key,
            intro=request.POST.get("intro", ""),
            hidden=request.POST.get("hidden") == "on",
            texts=texts,
            left_out=left_out,
            member=request.member,
        )
    except (ObjectDoesNotExist, KeyError) as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return redirect("workspace:qbr", pk)
    return _done(request, pk, _("The section is saved."), f"section-{key}")


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
@with_money
def pack_refresh(request: TenantRequest, pk: int) -> HttpResponse:
    """What newer figures would change, and taking them."""
    if request.method == "POST":
        try:
            refresh_pack(tenant=request.tenant, pack_id=pk, member=request.member)
        except ObjectDoesNotExist as error:
            raise Http404 from error
        except ValidationError as error:
            _say(request, error)
            return redirect("workspace:qbr", pk)
        return _done(request, pk, _("The figures are up to date."))
    view = _view(request, pk)
    if view.pack.is_frozen:
        messages.error(request, _("This pack is frozen. Open it again, with a reason, to change it."))
        return redirect("workspace:qbr", pk)
    context = {
        "pack": view.pack,
        "account": view.pack.account,
        "differences": preview_refresh(tenant=request.tenant, pack=view.pack),
        "may_edit": may_work_on(request.member, view.pack.account),
    }
    return render(request, "workspace/packs/refresh.html", context)


@require_POST
@member_only
def pack_verify(request: TenantRequest, pk: int) -> HttpResponse:
    """Ask every figure of the pack again."""
    found = Pack.objects.filter(tenant=request.tenant, pk=pk).first()
    if found is None:
        raise Http404
    verdicts = verify_pack(tenant=request.tenant, pack=found).values()
    wrong = sum(not verdict.holds for verdict in verdicts)
    if wrong:
        text = ngettext(
            "%(wrong)d of %(all)d figures does not hold any more; it is marked.",
            "%(wrong)d of %(all)d figures do not hold any more; they are marked.",
            wrong,
        )
        messages.warning(request, text % {"wrong": wrong, "all": len(verdicts)})
    else:
        words = ngettext("%(count)d figure holds.", "All %(count)d figures hold.", len(verdicts))
        messages.success(request, words % {"count": len(verdicts)})
    return redirect("workspace:qbr", pk)


@require_POST
@csm_only
def pack_language(request: TenantRequest, pk: int) -> HttpResponse:
    """Write the pack in the other language."""
    language = request.POST.get("language", "")
    try:
        change_language(tenant=request.tenant, pack_id=pk, language=language, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return redirect("workspace:qbr", pk)
    return _done(
        request, pk, _("The pack is written anew in that language; your own words are as you wrote them.")
    )


@require_POST
@csm_only
def pack_state(request: TenantRequest, pk: int) -> HttpResponse:
    """Ready, back to draft, sent, held, skipped, opened again."""
    tenant, member = request.tenant, request.member
    reason = request.POST.get("reason", "")
    deed = request.POST.get("deed", "")
    get_or_404(Pack, tenant=tenant, pk=pk)
    try:
        match deed:
            case "ready":
                mark_ready(tenant=tenant, pack_id=pk, member=member)
                text = _("The pack is ready to be sent.")
            case "draft":
                back_to_draft(tenant=tenant, pack_id=pk, member=member)
                text = _("The pack is a draft again.")
            case "send":
                send_pack(tenant=tenant, pack_id=pk, member=member)
                text = _("The pack is frozen as it was sent. Share it below.")
            case "hold":
                on = _day(request.POST.get("held_on", ""))
                hold_pack(tenant=tenant, pack_id=pk, held_on=on, member=member)
                text = _("Noted: the review took place. What was agreed goes below.")
            case "skip":
                skip_pack(tenant=tenant, pack_id=pk, reason=reason, member=member)
                text = _("The review is left out; the cadence goes on with the next one.")
            case "reopen":
                reopen_pack(tenant=tenant, pack_id=pk, reason=reason, member=member)
                text = _("The pack is open again. What was sent before is kept.")
            case _:
                raise ValidationError(_("Choose what to do with the pack."))
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return redirect("workspace:qbr", pk)
    return _done(request, pk, text)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


@require_POST
@csm_only
def pack_action(request: TenantRequest, pk: int) -> HttpResponse:
    """Note something that was agreed."""
    form = ActionForm(request.POST, members=workers(request))
    if not form.is_valid():
        return _page(request, _view(request, pk), 400, action_form=form)
    data = form.cleaned_data
    try:
        add_action(
            tenant=request.tenant,
            pack_id=pk,
            title=data["title"],
            due_on=data["due_on"],
            owner_id=data["owner"],
            customer_owner=data["customer_owner"],
            member=request.member,
        )
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        _say(request, error)
        return redirect("workspace:qbr", pk)
    return _done(request, pk, _("Noted; the task is made."), "actions")


@require_POST
@csm_only
def pack_action_remove(request: TenantRequest, pk: int) -> HttpResponse:
    """Take back something that was noted as agreed."""
    try:
        changed = remove_action(tenant=request.tenant, action_id=pk, member=request.member)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    return _done(request, changed.pk, _("Taken back, and its task with it."), "actions")
