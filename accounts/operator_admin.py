"""The directory in the operator's admin: tenants, members, logins."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin_site import operator_admin_site
from accounts.fence.scope import tenant_scope
from accounts.models import Membership, Role, Tenant, User
from accounts.services import (
    add_member,
    change_role,
    change_timezone,
    create_tenant,
    deactivate_member,
    reactivate_member,
)


class DirectoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Directory rows are never deleted here; their services open the tenant's scope."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Without Django's transaction around it: a tenant's scope must be the outermost one."""
        answer: HttpResponse = self._changeform_view(  # type: ignore[attr-defined]  # Django's, the stubs hide it
            request, object_id, form_url, extra_context
        )
        return answer

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tenants and members are not deleted by a click."""
        return False


@admin.register(Tenant, site=operator_admin_site)
class TenantAdmin(DirectoryAdmin):
    """Tenants; a new one gets everything the apps give it."""

    list_display = ["slug", "name", "timezone", "language", "is_demo", "created_at"]
    search_fields = ["slug__startswith", "name__icontains"]
    fields = ["slug", "name", "timezone", "language", "currency", "brand_color"]

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        """Every address hangs on the slug."""
        return ["slug"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        """Make a new tenant by its service; a changed time zone moves its events to other days."""
        if change:
            wanted = obj.timezone
            obj.timezone = Tenant.objects.get(pk=obj.pk).timezone
            super().save_model(request, obj, form, change)
            change_timezone(tenant=obj, timezone=wanted)
            return
        made = create_tenant(
            slug=obj.slug, name=obj.name, timezone=obj.timezone, language=obj.language, currency=obj.currency
        )
        obj.pk, obj.created_at = made.pk, made.created_at
        obj._state.adding = False
        if obj.brand_color:
            obj.save(update_fields=["brand_color"])


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A member of a tenant, by e-mail address."""

    email = forms.EmailField(label=_("e-mail address"))

    class Meta:
        model = Membership
        fields = ["tenant", "email", "role"]

    def clean(self) -> dict[str, Any]:
        """One membership for each login and tenant."""
        data: dict[str, Any] = super().clean() or {}
        email, tenant = data.get("email", "").strip().lower(), data.get("tenant")
        if tenant and Membership.objects.filter(tenant=tenant, user__email=email).exists():
            raise ValidationError({"email": _("%(email)s is already a member.") % {"email": email}})
        return data


class MembershipChangeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Role and access of a member."""

    class Meta:
        model = Membership
        fields = ["role", "is_active"]

    def clean(self) -> dict[str, Any]:
        """A tenant keeps an admin."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("role") != Role.ADMIN or not data.get("is_active"):
            admins = Membership.objects.filter(tenant=self.instance.tenant, role=Role.ADMIN, is_active=True)
            if admins.filter(pk=self.instance.pk).exists() and admins.count() == 1:
                raise ValidationError(_("A tenant needs at least one active admin."))
        return data


@admin.register(Membership, site=operator_admin_site)
class MembershipAdmin(DirectoryAdmin):
    """Members of all tenants: the operator lets the first admin in."""

    list_display = ["who", "company", "role", "is_active"]
    list_filter = ["role", "is_active"]
    list_select_related = ["user", "tenant"]
    search_fields = ["user__email__startswith", "tenant__slug__startswith"]

    @admin.display(description=_("User"), ordering="user")
    def who(self, member: Membership) -> str:
        """The person."""
        return str(member.user)

    @admin.display(description=_("Company"), ordering="tenant")
    def company(self, member: Membership) -> str:
        """Where they are a member."""
        return str(member.tenant)

    def get_form(
        self, request: HttpRequest, obj: Membership | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """A new member is named by address; later only role and access change."""
        kwargs["form"] = MembershipForm if obj is None else MembershipChangeForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[Any]:
        """As the form."""
        return ["tenant", "email", "role"] if obj is None else ["tenant", "user", "role", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        """Who and where stays."""
        return [] if obj is None else ["tenant", "user"]

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Through the services, so that the tenant's audit log knows."""
        tenant = obj.tenant
        with tenant_scope(tenant):
            if not change:
                made = add_member(tenant=tenant, email=form.cleaned_data["email"], role=obj.role)
                obj.pk, obj.user = made.pk, made.user
                return
            if "role" in form.changed_data:
                change_role(tenant=tenant, member=obj, role=obj.role)
            if "is_active" in form.changed_data:
                (reactivate_member if obj.is_active else deactivate_member)(tenant=tenant, member=obj)


class HouseUserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Django's form with the address as the login."""

    class Meta:
        model = User
        fields = ("email",)


@admin.register(User, site=operator_admin_site)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Logins of all tenants."""

    form = UserChangeForm
    add_form = HouseUserCreationForm
    list_display = ["email", "name", "is_active", "is_superuser"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email__startswith", "name__icontains"]
    ordering = ["email"]
    filter_horizontal = ()
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (None, {"fields": ["name", "language", "timezone", "is_active", "is_staff", "is_superuser"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "usable_password", "password1", "password2"]})]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A login is closed, not deleted: its work stays signed."""
        return False
