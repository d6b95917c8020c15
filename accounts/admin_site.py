"""Two admin sites: the tenant's, inside the fence, and the operator's, for the directory."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import DateTimeField
from django.forms import CheckboxInput
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import gate
from accounts.access import has_role
from accounts.models import Membership, Role
from accounts.requests import of_member
from accounts.services import record_audit

AdminView = TypeVar("AdminView", bound=Callable[..., HttpResponseBase])


class HouseAdminSite(admin.AdminSite):
    """Logs in and out and changes passwords where everybody does, with the same limits on guessing."""

    def admin_view(self, view: AdminView, cacheable: bool = False) -> AdminView:
        """Django's door sends everybody to the login; who is logged in already is refused instead."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise self.refusal
            return inner(request, *args, **kwargs)

        return cast(AdminView, door)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Visitors go to the login page; who is logged in and may not come in learns that."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or request.path, settings.LOGIN_URL)
        if not self.has_permission(request):
            raise self.refusal
        return redirect(f"{self.name}:index")

    refusal: Exception = PermissionDenied()

    # Django itself asks only for a response; the stubs name the page that its own views make.
    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        """The logout page."""
        return redirect("account_logout")

    def password_change(  # type: ignore[override]  # as for logout
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """The page that changes a password."""
        return redirect("account_change_password")

    def password_change_done(  # type: ignore[override]  # as for logout
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """The start of the site."""
        return redirect(f"{self.name}:index")


class TenantAdminSite(HouseAdminSite):
    """`/t/<slug>/admin/`: for admins of the tenant only; the scope of the request fences everything in it."""

    site_header = _("Settings")
    site_title = _("Settings")
    index_title = _("Tables of this tenant")
    enable_nav_sidebar = True
    index_template = "accounts/admin/index.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the member is an admin of this tenant; platform operators have no special right here."""
        member = getattr(request, "member", None)
        return bool(member and member.user.is_active and has_role(member, Role.ADMIN))


class NamedSplitDateTime(AdminSplitDateTime):
    """A day and a time, each with its name for who does not see the words before them."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for widget, name in zip(self.widgets, (_("Date"), _("Time")), strict=True):
            widget.attrs["aria-label"] = name


class TenantModelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Rights by the tenant role instead of Django's permissions; changes go to our audit log instead of LogEntry."""

    show_full_result_count = False
    formfield_overrides = {DateTimeField: {"widget": NamedSplitDateTime}}  # as Django declares it

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Members are offered with their names read along."""
        if db_field.remote_field.model is Membership and "queryset" not in kwargs:
            members = Membership.objects.filter(tenant=of_member(request).tenant, is_active=True)
            kwargs["queryset"] = members.select_related("user").order_by("user__name", "user__email")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Admins of the tenant see every registered table."""
        return tenant_admin_site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As for viewing."""
        return tenant_admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for viewing; subclasses may close it."""
        return tenant_admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for viewing; subclasses may close it."""
        return tenant_admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for viewing; subclasses may close it."""
        return tenant_admin_site.has_permission(request)

    # Django ignores what these return; there is no LogEntry to return.
    def log_addition(  # type: ignore[override]
        self, request: HttpRequest, obj: Any, message: Any
    ) -> None:
        """Write the audit row of an addition."""
        self._audit(request, obj, "added", message)

    def log_change(  # type: ignore[override]  # as for additions
        self, request: HttpRequest, obj: Any, message: Any
    ) -> None:
        """Write the audit row of a change."""
        self._audit(request, obj, "changed", message)

    def log_deletions(  # type: ignore[override]  # as for additions
        self, request: HttpRequest, queryset: Any
    ) -> None:
        """Write an audit row for each deleted object."""
        for obj in queryset:
            self._audit(request, obj, "deleted", None)

    def _audit(self, request: HttpRequest, obj: Any, verb: str, message: Any) -> None:
        record_audit(
            tenant=of_member(request).tenant,
            actor=of_member(request).member,
            action=f"{obj._meta.label_lower}.{verb}",
            target=f"{obj._meta.verbose_name} {obj}",
            after={"message": message} if message else None,
        )

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Django's history reads LogEntry, which we do not write; the audit log is the history."""
        return redirect("admin:accounts_auditentry_changelist")


class TenantInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Inline rows with the rights of their parent; each field says its column to who does not see it."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The heads of the table name the columns for the eye only."""
        made = super().get_formset(request, obj, **kwargs)
        for name, field in made.form.base_fields.items():
            field.widget.attrs.setdefault("aria-label", field.label or name)
        box = CheckboxInput(attrs={"aria-label": _("Delete this row")})
        made.deletion_widget = box  # type: ignore[assignment]  # Django takes either; the stubs know the class only
        return made

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the parent."""
        return tenant_admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the parent."""
        return tenant_admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the parent."""
        return tenant_admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the parent."""
        return tenant_admin_site.has_permission(request)


class OperatorAdminSite(HouseAdminSite):
    """`/operator/`: for superusers; the directory (tenants, users, members), nothing of a tenant's data."""

    refusal = Http404()

    site_header = _("Platform operator")
    site_title = _("Platform operator")
    index_title = _("Tenants and logins")

    def has_permission(self, request: HttpRequest) -> bool:
        """Superusers only, in a session that no company's provider made and, where it is asked, with a second factor."""
        operator = request.user.is_active and request.user.is_superuser
        return bool(operator and gate.may_operate(request))

    def admin_view(self, view: AdminView, cacheable: bool = False) -> AdminView:
        """An operator without a second factor is led to where one is set up."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self._lacks_factor(request):
                return gate.to_second_factor(request, request.path)
            return inner(request, *args, **kwargs)

        return cast(AdminView, door)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """As everywhere, with the way to a second factor."""
        if self._lacks_factor(request):
            return gate.to_second_factor(request, reverse("operator:index"))
        return super().login(request, extra_context)

    def _lacks_factor(self, request: HttpRequest) -> bool:
        user = request.user
        known = user.is_authenticated and user.is_active and user.is_superuser
        return known and gate.signed_on_tenant(request) is None and not gate.may_operate(request)


tenant_admin_site = TenantAdminSite(name="admin")
operator_admin_site = OperatorAdminSite(name="operator")
