"""Editing plays: drafts, their steps and their terms; admins edit, managers read."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import get_or_404, has_role
from accounts.models import Role
from accounts.requests import TenantRequest
from playbooks import engine
from playbooks.models import Playbook, PlaybookVersion, Step
from playbooks.services import (
    create_play,
    discard_draft,
    draft_from_published,
    label_of,
    move_step,
    publish_version,
    remove_step,
    save_step,
    save_terms,
)
from playbooks.stepconfig import conditions_of
from workspace.access import admin_only, manager_only
from workspace.condition_rows import ConditionRows, condition_choices
from workspace.selectors import people
from workspace.selectors import plays as selectors
from workspace.step_forms import FORMS, StepForm, initial_of
from workspace.terms_forms import NewPlayForm, TermsForm

WITH_CONDITIONS = (engine.WAIT, engine.BRANCH)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def play_new(request: TenantRequest) -> HttpResponse:
    """Make a play from nothing; its first draft is opened."""
    form = NewPlayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        draft = create_play(tenant=request.tenant, member=request.member, **form.cleaned_data)
        return redirect("workspace:play_version", draft.pk)
    status = 400 if form.errors else 200
    return render(request, "workspace/plays/new.html", {"form": form}, status=status)


@require_POST
@admin_only
def play_draft(request: TenantRequest, pk: int) -> HttpResponse:
    """Open the draft of a play, made from its published version when there is none."""
    get_or_404(Playbook, pk=pk)
    draft = draft_from_published(tenant=request.tenant, playbook_id=pk, member=request.member)
    return redirect("workspace:play_version", draft.pk)


@require_safe
@manager_only
def play_version(request: TenantRequest, pk: int) -> HttpResponse:
    """A version, step by step; a draft is edited here."""
    version = _version(request, pk)
    return render(request, "workspace/plays/version.html", _context(request, version))


def _version(request: TenantRequest, pk: int) -> PlaybookVersion:
    version = selectors.version(request.tenant, pk)
    if version is None:
        raise Http404
    return version


def _context(request: TenantRequest, version: PlaybookVersion) -> dict[str, Any]:
    return {
        "found": selectors.version_page(request.tenant, version),
        "version": version,
        "playbook": version.playbook,
        "may_edit": version.state == PlaybookVersion.State.DRAFT and has_role(request.member, Role.ADMIN),
        "kinds": [(key, word, selectors.ICONS[key]) for key, word in Step.Kind.choices],
    }


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def step_add(request: TenantRequest, pk: int) -> HttpResponse:
    """Add a step of a kind to a draft, behind another one or at the end."""
    version = _version(request, pk)
    if refused := _refused(request, version):
        return refused
    kind = request.GET.get("kind", engine.TASK)
    kind = kind if kind in FORMS else engine.TASK
    after = request.GET.get("after", "")
    step = Step(tenant=request.tenant, version=version, kind=kind)
    return _step_form(
        request, version, step, after=int(after) if after.isdigit() and len(after) < 5 else None
    )


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def step_edit(request: TenantRequest, pk: int) -> HttpResponse:
    """Change a step of a draft."""
    step = get_or_404(Step, pk=pk)
    version = _version(request, step.version_id)
    return _refused(request, version) or _step_form(request, version, step)


def _refused(request: TenantRequest, version: PlaybookVersion) -> HttpResponse | None:
    """Back to the version for whoever has an old page open; None when it may be edited."""
    if version.state == PlaybookVersion.State.DRAFT:
        return None
    messages.error(request, _("Only a draft can be edited. Make one from the published version."))
    return redirect("workspace:play_version", version.pk)


def _step_form(
    request: TenantRequest, version: PlaybookVersion, step: Step, after: int | None = None
) -> HttpResponse:
    members = [m for m in people.members(request.tenant) if has_role(m, Role.CSM)]
    stored = step if step.pk else None
    choices = selectors.form_choices(request.tenant, version, members, stored)
    labels = {each.label: each.pk for each in version.steps.all() if each.label}
    form_class = FORMS[step.kind]
    status = 200
    if request.method == "POST":
        form = form_class(request.POST, choices=choices)
        rows = ConditionRows.typed("if", request.POST, more="more" in request.POST)
        if "more" not in request.POST:
            if form.is_valid() and not rows.problem and _save(request, version, step, form, rows, after):
                return redirect("workspace:play_version", version.pk)
            status = 400
    else:
        form = form_class(choices=choices, initial=initial_of(step, labels) if stored else {})
        rows = ConditionRows.of("if", conditions_of(step) if stored else ())
    context = {
        "form": form,
        "rows": rows if step.kind in WITH_CONDITIONS else None,
        "choices": condition_choices(request.tenant),
        "version": version,
        "playbook": version.playbook,
        "step": stored,
        "kind": Step.Kind(step.kind).label,
        "icon": selectors.ICONS[step.kind],
    }
    return render(request, "workspace/plays/step.html", context, status=status)


def _save(
    request: TenantRequest,
    version: PlaybookVersion,
    step: Step,
    form: StepForm,
    rows: ConditionRows,
    after: int | None,
) -> bool:
    """Keep the step; False when the service refuses it, with the reason on the form."""
    config = form.config()
    if step.kind in WITH_CONDITIONS:
        config["until" if step.kind == engine.WAIT else "when"] = rows.stored
        config["otherwise"] = _label(request, version, form.cleaned_data.get("otherwise", ""))
    fields = {
        "kind": step.kind,
        "next_label": _label(request, version, form.cleaned_data.get("next", "")),
        "config": config,
        **form.columns(),
    }
    try:
        save_step(
            tenant=request.tenant,
            version_id=version.pk,
            step_id=step.pk,
            after=after,
            fields=fields,
            member=request.member,
        )
    except ValidationError as error:
        form.refuse(error)
        return False
    return True


def _label(request: TenantRequest, version: PlaybookVersion, way: str) -> str:
    """The label of the step that was chosen as a way on."""
    if way in ("", engine.END):
        return way
    step_id = int(way.removeprefix("step:"))
    return label_of(tenant=request.tenant, version_id=version.pk, step_id=step_id, member=request.member)


@require_POST
@admin_only
def step_move(request: TenantRequest, pk: int) -> HttpResponse:
    """Move a step of a draft up or down."""
    step = get_or_404(Step, pk=pk)
    by = 1 if request.POST.get("by") == "down" else -1
    return _changed(
        request,
        step.version_id,
        lambda: move_step(tenant=request.tenant, step_id=pk, by=by, member=request.member),
    )


@require_POST
@admin_only
def step_remove(request: TenantRequest, pk: int) -> HttpResponse:
    """Take a step out of a draft."""
    step = get_or_404(Step, pk=pk)
    return _changed(
        request,
        step.version_id,
        lambda: remove_step(tenant=request.tenant, step_id=pk, member=request.member),
    )


def _changed(request: TenantRequest, version_id: int, change: Any) -> HttpResponse:
    """Do it, and show the steps: alone where the page asked for them alone."""
    try:
        change()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    if request.htmx and request.htmx.target == "editor":
        version = _version(request, version_id)
        return render(request, "workspace/plays/_editor.html", _context(request, version))
    return redirect("workspace:play_version", version_id)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def play_terms(request: TenantRequest, pk: int) -> HttpResponse:
    """For whom, how often and until when a draft runs."""
    version = _version(request, pk)
    if refused := _refused(request, version):
        return refused
    status = 200
    if request.method == "POST":
        form = TermsForm(request.POST, version=version)
        if not form.asks_for_more:
            if form.is_valid():
                try:
                    save_terms(
                        tenant=request.tenant,
                        version_id=pk,
                        terms=form.terms(),
                        member=request.member,
                    )
                except ValidationError as error:
                    form.refuse(error)
                else:
                    messages.success(request, _("Saved in the draft."))
                    return redirect("workspace:play_version", pk)
            status = 400
    else:
        form = TermsForm(version=version)
    context = {
        "form": form,
        "version": version,
        "playbook": version.playbook,
        "choices": condition_choices(request.tenant, with_tasks=False),
        "segments": selectors.segments_and_stages(request.tenant),
    }
    return render(request, "workspace/plays/terms.html", context, status=status)


@require_POST
@admin_only
def play_publish(request: TenantRequest, pk: int) -> HttpResponse:
    """Publish a draft, or say everything that is in the way."""
    version = _version(request, pk)
    try:
        publish_version(
            tenant=request.tenant,
            version_id=pk,
            note=request.POST.get("note", "")[:300],
            member=request.member,
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("workspace:play_version", pk)
    messages.success(
        request, _("Version %(number)s is published; new runs follow it.") % {"number": version.number}
    )
    return redirect("workspace:playbook", version.playbook_id)


@require_POST
@admin_only
def play_discard(request: TenantRequest, pk: int) -> HttpResponse:
    """Throw a draft away."""
    version = _version(request, pk)
    try:
        discard_draft(tenant=request.tenant, version_id=pk, member=request.member)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("workspace:play_version", pk)
    messages.success(request, _("The draft is gone."))
    return redirect("workspace:playbook", version.playbook_id)
