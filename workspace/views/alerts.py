"""Alerts and the rules that raise them."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import has_role
from accounts.models import Role
from accounts.requests import TenantRequest
from alerts.models import Alert, Deed, Severity
from alerts.rights import may_handle
from alerts.services import (
    assign_alerts,
    close_alert,
    close_alerts,
    reopen_alert,
    save_attention,
    save_my_attention,
    snooze_alert,
    snooze_alerts,
    undo_deed,
)
from workspace.access import csm_only, member_only
from workspace.attention_forms import CompanyAttentionForm, MyAttentionForm
from workspace.paging import CURSOR_PARAMETER, page_of, read_cursor
from workspace.selectors import alerts as selectors
from workspace.selectors import people
from workspace.selectors.view_kinds import view_state
from workspace.views.going_back import back
from workspace.views.work import in_panel

SNOOZE_DAYS = (3, 7, 14, 30)
NOTE_LENGTH = 4000


def _snooze_dates(today: date) -> list[tuple[date, int]]:
    return [(today + timedelta(days=days), days) for days in SNOOZE_DAYS]


@require_safe
@member_only
def alert_list(request: TenantRequest) -> HttpResponse:
    """What the rules found, the most deserving first."""
    state = view_state(request.tenant, request.member, "alerts", request.GET)
    wanted = selectors.read_alert_filter(state.said, request.member)
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    found = selectors.alert_page(
        request.tenant, wanted, request.member, today=request.tenant.today(), after=after
    )
    parameters = state.parameters(wanted.parameters(selectors.default_who(request.member)))
    everybody = people.members(request.tenant)
    shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
    context = {
        "state": state,
        "wanted": wanted,
        "found": found,
        "members": everybody,
        "workers": [one for one in everybody if has_role(one, Role.CSM)],
        "rules": selectors.rules(request.tenant),
        "severities": Severity.choices,
        "verdicts": Alert.Verdict.choices,
        "snooze_dates": _snooze_dates(request.tenant.today()),
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.rows) + len(found.now),
            total=found.total,
            next_cursor=found.next_cursor,
        ),
    }
    return render(request, "workspace/work/alerts.html", context)


@require_safe
@member_only
def alert_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One alert, beside the list or alone."""
    detail = selectors.alert_detail(request.tenant, pk)
    if detail is None:
        raise Http404
    today = request.tenant.today()
    context = {
        "detail": detail,
        "alert": detail.alert,
        "today": today,
        "verdicts": Alert.Verdict.choices,
        "may_work": may_handle(request.member, detail.alert),
        "snooze_dates": _snooze_dates(today),
    }
    return render(
        request, "workspace/work/_alert.html" if in_panel(request) else "workspace/work/alert.html", context
    )


def _named(alert: Alert) -> dict[str, str]:
    return {"rule": alert.rule.name, "account": str(alert.account or alert.subject)}


@require_POST
@csm_only
def alert_close(request: TenantRequest, pk: int) -> HttpResponse:
    """Close an alert with a verdict on the rule."""
    try:
        alert = close_alert(
            tenant=request.tenant,
            alert_id=pk,
            verdict=request.POST.get("verdict", ""),
            note=request.POST.get("note", "")[:NOTE_LENGTH],
            member=request.member,
        )
    except Alert.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:alerts")
    text = _("Closed: %(rule)s at %(account)s") % _named(alert)
    messages.success(request, text, extra_tags=f"undo:{reverse('workspace:alert_reopen', args=[pk])}")
    return redirect("workspace:alerts")


@require_POST
@csm_only
def alert_snooze(request: TenantRequest, pk: int) -> HttpResponse:
    """Put an alert aside until a date, with a reason."""
    try:
        until = date.fromisoformat(request.POST.get("until", ""))
        alert = snooze_alert(
            tenant=request.tenant,
            alert_id=pk,
            until=until,
            reason=request.POST.get("reason", "")[:300],
            member=request.member,
        )
    except Alert.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:alerts")
    except ValueError:
        messages.error(request, _("Choose until when."))
        return back(request, "workspace:alerts")
    text = _("Snoozed: %(rule)s at %(account)s") % _named(alert)
    messages.success(request, text, extra_tags=f"undo:{reverse('workspace:alert_reopen', args=[pk])}")
    return redirect("workspace:alerts")


@require_POST
@csm_only
def alerts_bulk(request: TenantRequest) -> HttpResponse:
    """Close, snooze or assign the ticked alerts; it can be taken back for a moment."""
    ids = [int(pk) for pk in request.POST.getlist("alert") if pk.isascii() and pk.isdigit() and len(pk) < 19]
    try:
        if request.POST.get("action") == "snooze":
            done = snooze_alerts(
                tenant=request.tenant,
                member=request.member,
                alert_ids=ids,
                until=date.fromisoformat(request.POST.get("until", "")),
                reason=request.POST.get("reason", ""),
            )
            text = ngettext("%(count)s alert is snoozed.", "%(count)s alerts are snoozed.", done.done)
        elif request.POST.get("action") == "assign":
            to = request.POST.get("assignee", "")
            done = assign_alerts(
                tenant=request.tenant,
                member=request.member,
                alert_ids=ids,
                assignee_id=int(to) if to.isascii() and to.isdigit() and len(to) < 19 else 0,
            )
            text = ngettext("%(count)s alert is assigned.", "%(count)s alerts are assigned.", done.done)
        else:
            done = close_alerts(
                tenant=request.tenant,
                member=request.member,
                alert_ids=ids,
                verdict=request.POST.get("verdict", ""),
            )
            text = ngettext("%(count)s alert is closed.", "%(count)s alerts are closed.", done.done)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:alerts")
    except ValueError:
        messages.error(request, _("Choose until when."))
        return back(request, "workspace:alerts")
    text %= {"count": done.done}
    if done.left_out:
        text += " " + ngettext(
            "%(count)s was left out: it is not yours or has ended meanwhile.",
            "%(count)s were left out: they are not yours or have ended meanwhile.",
            done.left_out,
        ) % {"count": done.left_out}
    if done.deed is None:
        messages.error(request, text)
    else:
        undo = reverse("workspace:alerts_undo", args=[done.deed.pk])
        messages.success(request, text, extra_tags=f"undo:{undo}")
    return back(request, "workspace:alerts")


@require_POST
@csm_only
def alerts_undo(request: TenantRequest, pk: int) -> HttpResponse:
    """Take back what was done to many alerts."""
    try:
        count = undo_deed(tenant=request.tenant, member=request.member, deed_id=pk)
    except Deed.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:alerts")
    text = ngettext("%(count)s alert is as it was.", "%(count)s alerts are as they were.", count)
    messages.success(request, text % {"count": count})
    return back(request, "workspace:alerts")


@require_http_methods(["GET", "HEAD", "POST"])
@csm_only
def attention(request: TenantRequest) -> HttpResponse:
    """How many alerts may interrupt me, and when the digest comes; admins also say what holds for everybody."""
    mine = MyAttentionForm(request.POST or None, tenant=request.tenant, member=request.member)
    company = (
        CompanyAttentionForm(request.POST or None, tenant=request.tenant)
        if has_role(request.member, Role.ADMIN)
        else None
    )
    if request.method == "POST" and mine.is_valid() and (company is None or company.is_valid()):
        save_my_attention(tenant=request.tenant, member=request.member, **mine.cleaned_data)
        if company is not None:
            save_attention(tenant=request.tenant, actor=request.member, values=company.values())
        messages.success(request, _("Saved."))
        return redirect("workspace:attention")
    wrong = bool(mine.errors) or bool(company is not None and company.errors)
    context = {"mine": mine, "company": company}
    return render(request, "workspace/rules/attention.html", context, status=400 if wrong else 200)


@require_POST
@csm_only
def alert_reopen(request: TenantRequest, pk: int) -> HttpResponse:
    """Undo closing or snoozing."""
    try:
        alert = reopen_alert(tenant=request.tenant, alert_id=pk, member=request.member)
    except Alert.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back(request, "workspace:alerts")
    messages.success(
        request,
        _("Open again: %(rule)s at %(account)s") % _named(alert),
    )
    return redirect("workspace:alert", pk)
