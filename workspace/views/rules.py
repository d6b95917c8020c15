"""Rules: how they do, building and changing them, trying them, switching them on."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import TenantRequest
from alerts.conditions import Group, parse_tree, tree_as_data
from alerts.models import Rule
from alerts.rule_words import sentence, tree_words
from alerts.selectors import advice_for, metric_names, precision_ledger, with_threshold
from alerts.services import add_rule, change_rule, delete_rule, start_dry_run, switch_rule
from workspace.access import admin_only, member_only
from workspace.rule_builder import Builder, blank_builder, builder_of, read_builder
from workspace.rule_forms import RuleForm
from workspace.selectors import rules as selectors
from workspace.views.going_back import back


def _rule(request: TenantRequest, pk: int) -> Rule:
    rule = Rule.objects.filter(tenant=request.tenant, pk=pk).first()
    if rule is None:
        raise Http404
    return rule


@require_safe
@member_only
def rule_list(request: TenantRequest) -> HttpResponse:
    """The rules, how often they fired, and how often that was worth it."""
    return render(request, "workspace/rules/list.html", {"records": precision_ledger(request.tenant)})


@require_safe
@member_only
def rule_page(request: TenantRequest, pk: int) -> HttpResponse:
    """One rule: when it fires, how it has done, what it would have done."""
    found = selectors.rule_page(request.tenant, pk)
    if found is None:
        raise Http404
    running = None
    if found.trial is not None and not found.trial.is_done:
        running = found.trial.run.job
    return render(
        request, "workspace/rules/rule.html", {"found": found, "rule": found.rule, "running": running}
    )


def _builder(request: TenantRequest, data: QueryDict | None, tree: Group | None) -> Builder | None:
    metrics, components = (
        selectors.metric_choices(request.tenant),
        selectors.component_choices(request.tenant),
    )
    currency = request.tenant.currency
    if data is not None:
        return read_builder(data, metrics, components, currency)
    if tree is not None:
        return builder_of(tree, metrics, components, currency)
    return blank_builder(metrics, components, currency)


def _is_step(request: TenantRequest) -> bool:
    """Whether a button of the form asks for something else than saving."""
    return request.method == "POST" and bool(request.POST.get("do"))


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def rule_new(request: TenantRequest) -> HttpResponse:
    """Build a rule from nothing; it is off until it is switched on."""
    posted = request.method == "POST"
    builder = _builder(request, request.POST if posted else None, None)
    form = RuleForm(request.POST if posted else None, tenant=request.tenant)
    if posted and not _is_step(request) and builder is not None:
        tree, valid = builder.parsed(), form.is_valid()
        if tree is not None and valid:
            try:
                rule = add_rule(
                    tenant=request.tenant,
                    actor=request.member,
                    values=form.changes() | {"params": {"tree": tree_as_data(tree)}},
                )
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(
                    request,
                    _("“%(rule)s” is saved and off. Try it on the last 90 days, then switch it on.")
                    % {"rule": rule.name},
                )
                return redirect("workspace:rule", rule.pk)
    return _form_page(request, None, form, builder)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def rule_edit(request: TenantRequest, pk: int) -> HttpResponse:
    """Change a rule; the next nightly run uses it."""
    rule = _rule(request, pk)
    posted, builder = request.method == "POST", None
    own = rule.kind == Rule.Kind.CONDITIONS
    if own:
        tree = parse_tree(rule.params["tree"])
        builder = _builder(request, None, tree)
        if builder is not None and posted:
            builder = _builder(request, request.POST, None)
    form = RuleForm(request.POST if posted else None, tenant=request.tenant, rule=rule)
    if posted and not _is_step(request):
        parsed = builder.parsed() if builder is not None else None
        if form.is_valid() and (builder is None or parsed is not None):
            values = form.changes()
            if parsed is not None:
                values["params"] = {"tree": tree_as_data(parsed)}
            try:
                change_rule(tenant=request.tenant, actor=request.member, rule=rule, values=values)
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(
                    request, _("“%(rule)s” is saved; the next nightly run uses it.") % {"rule": rule.name}
                )
                return redirect("workspace:rule", pk)
    return _form_page(request, rule, form, builder)


def _form_page(
    request: TenantRequest, rule: Rule | None, form: RuleForm, builder: Builder | None
) -> HttpResponse:
    step = _is_step(request)
    context: dict[str, Any] = {"rule": rule, "form": form, "builder": builder}
    if step and request.POST["do"] == "affects":
        context |= _affects(request, rule, form, builder)
        if request.htmx:
            return render(request, "workspace/rules/_affects.html", context)
    elif step and builder is not None:  # nobody asked for a verdict yet
        for row in [row for group in builder.groups for row in group.rows]:
            row.errors.clear()
    if step and request.POST["do"] != "affects" and request.htmx:
        return render(request, "workspace/rules/_conditions.html", context)
    if step:
        form.errors.clear()  # nobody asked for saving yet
    wrong = bool(form.errors) or bool(builder is not None and builder.error)
    refused = request.method == "POST" and not step
    return render(request, "workspace/rules/form.html", context, status=400 if refused or wrong else 200)


def _affects(
    request: TenantRequest, rule: Rule | None, form: RuleForm, builder: Builder | None
) -> dict[str, Any]:
    """What the rule as it stands in the form matches now; nothing is stored."""
    tree = builder.parsed() if builder is not None else None
    form.full_clean()
    about = {"name", *RuleForm.AUDIENCE, *form.thresholds}
    wrong = [field for field in form.errors if field in about - {"name"}]
    if (builder is not None and tree is None) or wrong:
        return {"affects_error": _("Mend what is marked in the form first.")}
    kind = Rule.Kind.CONDITIONS if rule is None else rule.kind
    tried = Rule(tenant=request.tenant, kind=kind)
    for name in RuleForm.AUDIENCE:
        setattr(
            tried, name, form.cleaned_data[name] or (0 if name == "volume_least" else form.cleaned_data[name])
        )
    if tree is not None:
        tried.params = {"tree": tree_as_data(tree)}
    elif rule is not None and rule.kind == Rule.Kind.CONDITIONS:
        tried.params = rule.params
    else:
        tried.params = form.params()
    found, lines = selectors.affected_lines(request.tenant, tried)
    said = sentence(tree_words(tree, metric_names(request.tenant))) if tree is not None else ""
    return {"affects": found, "affects_lines": lines, "sentence": said}


@require_POST
@admin_only
def rule_switch(request: TenantRequest, pk: int) -> HttpResponse:
    """Switch a rule on or off; its open alerts stay."""
    existing = "new" if request.POST.get("existing") == "new" else "now"
    rule = switch_rule(
        tenant=request.tenant,
        actor=request.member,
        rule_id=pk,
        enabled=request.POST.get("enabled") == "yes",
        existing=existing,
    )
    if rule is None:
        raise Http404
    if not rule.enabled:
        text = _("“%(rule)s” is off.") % {"rule": rule.name}
    elif existing == "new":
        text = _("“%(rule)s” is on; what it matches already stays quiet until it has cleared once.") % {
            "rule": rule.name
        }
    else:
        text = _("“%(rule)s” is on.") % {"rule": rule.name}
    messages.success(request, text)
    return back(request, "workspace:rules")


@require_POST
@admin_only
def rule_dry_run(request: TenantRequest, pk: int) -> HttpResponse:
    """Try the rule on the last 90 days."""
    rule = _rule(request, pk)
    try:
        start_dry_run(tenant=request.tenant, rule=rule, member=request.member)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("workspace:rule", pk)


def _is_number(text: str, value: float) -> bool:
    try:
        return abs(float(text) - value) < 1e-9
    except ValueError:
        return False


@require_POST
@admin_only
def rule_threshold(request: TenantRequest, pk: int) -> HttpResponse:
    """Take over the suggested threshold, unless the verdicts suggest another one by now."""
    rule = _rule(request, pk)
    advice = advice_for(request.tenant, rule)
    if advice is None or not _is_number(request.POST.get("threshold", ""), advice.threshold):
        messages.error(request, _("The suggestion has changed meanwhile; look at it again."))
        return redirect("workspace:rule", pk)
    values = {"params": with_threshold(rule, advice)}
    change_rule(tenant=request.tenant, actor=request.member, rule=rule, values=values)
    spared = advice.found.noise_spared
    messages.success(
        request,
        ngettext(
            "The threshold is changed; it would have spared %(count)s alert that was noise.",
            "The threshold is changed; it would have spared %(count)s alerts that were noise.",
            spared,
        )
        % {"count": spared},
    )
    return redirect("workspace:rule", pk)


@require_POST
@admin_only
def rule_delete(request: TenantRequest, pk: int) -> HttpResponse:
    """Delete a rule of one's own that never found anything."""
    rule = _rule(request, pk)
    try:
        delete_rule(tenant=request.tenant, actor=request.member, rule=rule)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("workspace:rule", pk)
    messages.success(request, _("“%(rule)s” is deleted.") % {"rule": rule.name})
    return redirect(reverse("workspace:rules"))
