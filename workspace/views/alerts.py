"""Alerts and the rules that raise them."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import TenantRequest
from alerts.models import Alert, Severity
from alerts.rights import may_handle
from alerts.selectors import precision_ledger
from alerts.services import close_alert, reopen_alert, snooze_alert
from workspace.access import admin_only, csm_only, member_only
from workspace.paging import CURSOR_PARAMETER, page_of, read_cursor
from workspace.rule_forms import RuleForm
from workspace.selectors import alerts as selectors
from workspace.selectors import people
from workspace.services.rules import save_rule, switch_rule
from workspace.views.going_back import back
from workspace.views.work import in_panel

SNOOZE_DAYS = (3, 7, 14, 30)
NOTE_LENGTH = 4000


@require_safe
@member_only
def alert_list(request: TenantRequest) -> HttpResponse:
    """What the rules found, the most deserving first."""
    wanted = selectors.read_alert_filter(request.GET, request.member)
    after = read_cursor(request.GET.get(CURSOR_PARAMETER, ""))
    found = selectors.alert_page(
        request.tenant, wanted, request.member, today=request.tenant.today(), after=after
    )
    parameters = wanted.parameters(selectors.default_who(request.member))
    shown = parameters | ({CURSOR_PARAMETER: after.encode()} if after else {})
    context = {
        "wanted": wanted,
        "found": found,
        "members": people.members(request.tenant),
        "rules": selectors.rules(request.tenant),
        "severities": Severity.choices,
        "page": page_of(
            path=request.path,
            parameters=shown,
            shown=len(found.rows),
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
        "snooze_dates": [(today + timedelta(days=days), days) for days in SNOOZE_DAYS],
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


@require_safe
@member_only
def rule_list(request: TenantRequest) -> HttpResponse:
    """The rules, how often they fired, and how often that was worth it."""
    return render(request, "workspace/work/rules.html", {"records": precision_ledger(request.tenant)})


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def rule_page(request: TenantRequest, pk: int) -> HttpResponse:
    """Edit the thresholds of a rule."""
    rule = next((r for r in selectors.rules(request.tenant) if r.pk == pk), None)
    if rule is None:
        raise Http404
    form = RuleForm(request.POST or None, rule=rule)
    if request.method == "POST" and form.is_valid():
        save_rule(tenant=request.tenant, actor=request.member, rule=rule, **form.changes())
        messages.success(
            request, _("“%(rule)s” is saved; the next nightly run uses it.") % {"rule": rule.name}
        )
        return redirect("workspace:rules")
    return render(
        request, "workspace/work/rule.html", {"rule": rule, "form": form}, status=400 if form.errors else 200
    )


@require_POST
@admin_only
def rule_switch(request: TenantRequest, pk: int) -> HttpResponse:
    """Switch a rule on or off; its open alerts stay."""
    rule = switch_rule(
        tenant=request.tenant, actor=request.member, rule_id=pk, enabled=request.POST.get("enabled") == "yes"
    )
    if rule is None:
        raise Http404
    messages.success(
        request,
        _("“%(rule)s” is on.") % {"rule": rule.name}
        if rule.enabled
        else _("“%(rule)s” is off.") % {"rule": rule.name},
    )
    return back(request, "workspace:rules")
