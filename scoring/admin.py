"""The model editor in the tenant's admin: model → draft → components → measures, preview, publish, history."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import TenantModelAdmin, tenant_admin_site
from accounts.models import Account
from accounts.requests import of_member
from accounts.services import enqueue_job
from scoring.component_admin import DraftInline, DraftOnly
from scoring.engine import SpecError
from scoring.forms import ComponentForm, ComponentFormSet, ExceptionForm, ExceptionFormSet, VersionForm
from scoring.models import Component, ExceptionRule, Measure, ScoreModel, Version
from scoring.places import fault_words, version_names
from scoring.selectors.preview import preview
from scoring.selectors.versions import published_version
from scoring.services import DefinitionError, create_draft, discard_draft, make_default, publish_version
from scoring.templatetags.scoring_words import band_label
from usage.models import Metric
from usage.starter import shown_name


class PostButton:
    """Names of the buttons that change something: each is a form with a token, never a link."""

    draft = "scoring_model_draft"
    default = "scoring_model_default"
    publish = "scoring_version_publish"
    discard = "scoring_version_discard"


@admin.register(ScoreModel, site=tenant_admin_site)
class ScoreModelAdmin(TenantModelAdmin):
    """Which accounts a model scores, and its versions."""

    list_display = (
        "label",
        "key",
        "kind",
        "is_default",
        "active",
        "position",
        "segment",
        "stage",
        "scoring_version",
    )
    list_filter = ("kind", "active")
    ordering = ("kind", "position", "id")
    fields = (
        "name",
        "key",
        "kind",
        "active",
        "is_default",
        "position",
        "segment",
        "stage",
        "plan_kinds",
        "history",
    )
    readonly_fields = ("is_default", "history")
    change_form_template = "scoring/admin/model_change.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Key and kind are what the API and the stored scores know a model by."""
        return (*self.readonly_fields, "key", "kind") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Stored scores point at it; a model is switched off instead."""
        return False

    @admin.display(description=gettext_lazy("name"))
    def label(self, obj: ScoreModel) -> str:
        """The name in the reader's language."""
        return obj.label

    @admin.display(description=gettext_lazy("version"))
    def scoring_version(self, obj: ScoreModel) -> str:
        """The number of the version that scores."""
        number = obj.newest_published  # type: ignore[attr-defined]  # get_queryset adds it
        return str(number) if number else "–"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScoreModel]:
        """With the number of the published version, in one query."""
        newest = Max("versions__number", filter=Q(versions__state=Version.State.PUBLISHED))
        models: QuerySet[ScoreModel] = super().get_queryset(request)
        return models.annotate(newest_published=newest)

    @admin.display(description=gettext_lazy("version history"))
    def history(self, obj: ScoreModel) -> str:
        """Every version with its state, a link to each."""
        versions = Version.objects.filter(model=obj).order_by("-number")
        rows = format_html_join(
            "",
            '<li><a href="{}">{}</a> · {} · {}{}</li>',
            (
                (
                    reverse("admin:scoring_version_change", args=[version.pk]),
                    _("version %(number)d") % {"number": version.number},
                    version.get_state_display(),
                    version.get_origin_display(),
                    f" · {_('in force from')} {version.in_force_from}" if version.in_force_from else "",
                )
                for version in versions
            ),
        )
        return format_html("<ul>{}</ul>", rows) if versions else "–"

    def get_urls(self) -> list[URLPattern]:
        """The buttons."""
        return [
            path("<int:pk>/draft/", tenant_admin_site.admin_view(self.draft_view), name=PostButton.draft),
            path(
                "<int:pk>/default/", tenant_admin_site.admin_view(self.default_view), name=PostButton.default
            ),
            *super().get_urls(),
        ]

    def draft_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open the draft of a model, making one of the newest version if there is none."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        model = get_object_or_404(ScoreModel, pk=pk)
        draft = create_draft(tenant=of_member(request).tenant, model=model)
        return redirect("admin:scoring_version_change", draft.pk)

    def default_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a model score every account that no other one claims."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        model = get_object_or_404(ScoreModel, pk=pk)
        try:
            make_default(tenant=of_member(request).tenant, model=model, member=of_member(request).member)
        except DefinitionError as error:
            _tell(request, error)
        else:
            words = _("“%(name)s” is the default now. Recompute to see its scores.")
            messages.success(request, words % {"name": model.label})
        return redirect("admin:scoring_scoremodel_change", pk)


class ComponentInline(DraftInline):
    """The components of a version."""

    model = Component
    form = ComponentForm
    formset = ComponentFormSet
    fields = ("position", "key", "name", "weight", "missing_policy", "hold_days", "combine", "measure_list")
    readonly_fields = ("measure_list",)
    extra = 0
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Component]:
        """With the measures and the names of what they read, in one more query."""
        name = Metric.objects.filter(tenant=OuterRef("tenant"), key=OuterRef("metric_key")).values("name")[:1]
        measures = Measure.objects.annotate(metric_name=Subquery(name)).order_by("position", "id")
        found = super().get_queryset(request).prefetch_related(Prefetch("measures", queryset=measures))
        return found.order_by("position", "id")

    @admin.display(description=gettext_lazy("measures"))
    def measure_list(self, obj: Component) -> str:
        """What the component reads; they are edited on its own page."""
        if not obj.pk:
            return _("Save first, then add measures.")
        measures = obj.measures.all()
        if not measures:
            return _("None yet: open the component and add one.")
        names = (
            shown_name(measure.metric_key, measure.metric_name) if measure.metric_name else measure.metric_key  # type: ignore[attr-defined]  # annotated above
            for measure in measures
        )
        return format_html_join(mark_safe("<br>"), "{}", ((name,) for name in names))


class ExceptionInline(DraftInline):
    """The exceptions of a version: any of them holds the score down."""

    model = ExceptionRule
    form = ExceptionForm
    formset = ExceptionFormSet
    fields = ExceptionForm.Meta.fields
    ordering = ("position", "id")
    extra = 0


@admin.register(Version, site=tenant_admin_site)
class VersionAdmin(DraftOnly):
    """Thresholds and components of a version; buttons to preview, publish and discard."""

    form = VersionForm
    inlines = (ComponentInline, ExceptionInline)
    list_display = (
        "__str__",
        "state",
        "origin",
        "in_force_from",
        "published_at",
        "healthy_above",
        "critical_below",
    )
    list_filter = ("state",)
    list_select_related = ("model",)
    ordering = ("-published_at", "-id")
    fields = (
        "model_name",
        "number",
        "state",
        "origin",
        "in_force_from",
        "published_at",
        "healthy_above",
        "critical_below",
        "coverage_min",
        "hysteresis",
        "hysteresis_points",
        "hysteresis_runs",
        "note",
    )
    readonly_fields = ("model_name", "number", "state", "origin", "in_force_from", "published_at")
    change_form_template = "scoring/admin/version_change.html"

    @admin.display(description=gettext_lazy("score model"))
    def model_name(self, obj: Version) -> str:
        """Link back to the model and its history."""
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:scoring_scoremodel_change", args=[obj.model_id]),
            obj.model.label,
        )

    def get_urls(self) -> list[URLPattern]:
        """The buttons and the preview."""
        return [
            path(
                "<int:pk>/publish/", tenant_admin_site.admin_view(self.publish_view), name=PostButton.publish
            ),
            path(
                "<int:pk>/discard/", tenant_admin_site.admin_view(self.discard_view), name=PostButton.discard
            ),
            path(
                "<int:pk>/preview/",
                tenant_admin_site.admin_view(self.preview_view),
                name="scoring_version_preview",
            ),
            *super().get_urls(),
        ]

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Publish a draft; with `recompute`, score everybody anew right away."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        version = get_object_or_404(Version.objects.select_related("model"), pk=pk)
        try:
            version = publish_version(
                tenant=of_member(request).tenant, version=version, member=of_member(request).member
            )
        except DefinitionError as error:
            _tell(request, error, version)
            return redirect("admin:scoring_version_change", pk)
        messages.success(
            request, _("Published: %(version)s. It scores from today on.") % {"version": version}
        )
        if request.POST.get("recompute"):
            day = of_member(request).tenant.today().isoformat()
            enqueue_job(
                tenant=of_member(request).tenant,
                kind="recompute",
                key=day,
                params={"day": day},
                requested_by=of_member(request).member,
                again=True,
            )
            messages.info(request, _("The scores are being recomputed; the start page shows how far it is."))
        return redirect("admin:scoring_scoremodel_change", version.model_id)

    def discard_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw a draft away."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        version = get_object_or_404(Version.objects.select_related("model"), pk=pk)
        try:
            discard_draft(tenant=of_member(request).tenant, version=version, member=of_member(request).member)
        except DefinitionError as error:
            _tell(request, error)
        else:
            messages.success(request, _("The draft is gone."))
        return redirect("admin:scoring_scoremodel_change", version.model_id)

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One account under this version and under the published one, side by side; nothing is stored."""
        version = get_object_or_404(Version.objects.select_related("model"), pk=pk)
        wanted = request.GET.get("account", "").strip()
        context: dict[str, Any] = {
            **tenant_admin_site.each_context(request),
            "title": _("Preview of %(version)s") % {"version": version},
            "version": version,
            "wanted": wanted,
            "opts": self.opts,
            "found": None,
            "some_accounts": Account.objects.order_by("name_search", "id")[:200],
        }
        if wanted:
            account = Account.objects.filter(external_id=wanted).first()
            if account is None:
                context["problem"] = _("There is no account with the id “%(id)s”.") % {"id": wanted}
            else:
                context |= self._previewed(request, version, account)
        return render(request, "scoring/admin/preview.html", context)

    def _previewed(self, request: HttpRequest, version: Version, account: Account) -> dict[str, Any]:
        """The two scores, or why they cannot be computed."""
        try:
            ours = preview(of_member(request).tenant, version, account)
        except SpecError as error:
            names = version_names(of_member(request).tenant, version)
            return {
                "problem": " ".join(fault_words(where, _(words), names) for where, words in error.problems)
            }
        published = published_version(of_member(request).tenant, version.model.key)
        theirs = (
            preview(of_member(request).tenant, published, account)
            if published and published.pk != version.pk
            else None
        )
        kind = version.model.kind
        return {
            "found": ours,
            "published": theirs,
            "account": account,
            "band": band_label(ours.band, kind),
            "published_band": band_label(theirs.band, kind) if theirs else "",
        }


def _tell(request: HttpRequest, error: DefinitionError, version: Version | None = None) -> None:
    """Each fault as a message of its own, with the place it is at in words."""
    names = version_names(of_member(request).tenant, version) if version else {}
    for where, message in error.problems:
        messages.error(request, fault_words(where, message, names))
