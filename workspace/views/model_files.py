"""Score models as files: download a version, paste or upload one, see what it changes before it is saved."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import TenantRequest
from scoring.model_yaml import MAX_CHARACTERS
from scoring.models import ScoreModel
from scoring.services import FileProblem, FileRefused, check_file, export_version, import_file
from workspace.access import admin_only, member_only
from workspace.selectors.versions import file_words
from workspace.views.versions import version_or_404


@require_safe
@member_only
def as_yaml(request: TenantRequest, pk: int) -> HttpResponse:
    """A version as a file."""
    version = version_or_404(request, pk)
    name = f"{version.model.key}-{version.number}.yaml"
    return HttpResponse(
        export_version(version),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@admin_only
def import_model(request: TenantRequest, pk: int) -> HttpResponse:
    """A file into the draft: checked first, saved when the same text is sent again after its changes were seen."""
    model = ScoreModel.objects.filter(tenant=request.tenant, pk=pk).first()
    if model is None:
        raise Http404
    context: dict[str, Any] = {"model": model, "text": "", "problems": [], "checked": None, "seen": ""}
    if request.method != "POST":
        return render(request, "workspace/setup/import_model.html", context)
    text, problem = _given(request)
    seen = hashlib.sha256(text.encode()).hexdigest()
    context["text"] = text
    if problem:
        context["problems"] = [FileProblem(None, problem)]
        return render(request, "workspace/setup/import_model.html", context)
    try:
        if request.POST.get("seen") == seen and "save" in request.POST:
            draft = import_file(tenant=request.tenant, model=model, text=text, member=request.member)
            messages.success(request, _("Saved as the draft, version %(number)d.") % {"number": draft.number})
            return redirect("workspace:score_whatif", draft.pk)
        checked = check_file(tenant=request.tenant, model=model, text=text)
    except FileRefused as error:
        context["problems"] = error.problems
    else:
        context |= {"checked": checked, "seen": seen, "changes": file_words(request.tenant, checked)}
    return render(request, "workspace/setup/import_model.html", context)


def _given(request: TenantRequest) -> tuple[str, str]:
    """The text that was pasted or uploaded, and what is wrong with it as a whole."""
    upload = request.FILES.get("file")
    if upload is not None:
        if upload.size is not None and upload.size > 4 * MAX_CHARACTERS:
            return "", _("The file is too long for a model: it may have at most 200,000 characters.")
        try:
            text = upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            return "", _("The file is not UTF-8 text. Save it as UTF-8 and choose it again.")
    else:
        text = request.POST.get("text", "")
    # A form sends line ends as CR LF.
    text = text.replace("\r\n", "\n")
    return text, "" if text.strip() else _("Paste a model or choose a file.")
