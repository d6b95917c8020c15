"""The ground floor's tables in the tenant's admin; the directory is in `operator_admin`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import operator_admin  # noqa: F401  (Django looks for tables in this module only)
from accounts.admin_site import TenantModelAdmin, tenant_admin_site
from accounts.attribution import accounts_forgotten
from accounts.models import (
    Account,
    AuditEntry,
    Contact,
    Invoice,
    Membership,
    Subscription,
    TenantSettings,
    Ticket,
)
from accounts.requests import of_member
from accounts.upserts import roll_up_subscriptions
from accounts.upserts.contacts import join_accounts


class OwnerFilter(admin.SimpleListFilter):
    """Accounts by owner; Django's own filter would list the members of every tenant."""

    title = _("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The tenant's members."""
        members = (
            Membership.objects.filter(tenant=of_member(request).tenant)
            .select_related("user")
            .order_by("user__email")
        )
        return [("none", str(_("Nobody"))), *((str(member.pk), str(member)) for member in members)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen member."""
        value = self.value()
        if value == "none":
            return queryset.filter(owner=None)
        return (
            queryset.filter(owner_id=int(value))
            if value and value.isdigit() and len(value) < 19
            else queryset
        )


@admin.register(TenantSettings, site=tenant_admin_site)
class TenantSettingsAdmin(TenantModelAdmin):
    """One row, changed and never added or deleted."""

    fields = ["unknown_accounts", "raw_retention_days", "nightly_hour"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The row came with the tenant."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The tenant needs it."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Straight to the row."""
        return redirect(
            reverse("admin:accounts_tenantsettings_change", args=[TenantSettings.objects.get().pk])
        )


@admin.register(Account, site=tenant_admin_site)
class AccountAdmin(TenantModelAdmin):
    """Accounts; the API and the import are the usual way in."""

    list_display = [
        "name",
        "external_id",
        "owner",
        "segment",
        "stage",
        "plan",
        "seats",
        "mrr_cents",
        "renewal_on",
    ]
    list_filter = ["stage", "plan_kind", "touch_model", OwnerFilter]
    list_select_related = ["owner__user"]
    search_fields = ["name_search__icontains", "external_id__startswith"]
    ordering = ["name_search", "id"]
    autocomplete_fields = ["parent"]
    readonly_fields = ["first_seen_on", "created_at", "updated_at"]

    def get_form(
        self, request: HttpRequest, obj: Account | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form, which keeps an account from being its own ancestor."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type("AccountForm", (_NoOwnAncestor, form), {})

    def delete_model(self, request: HttpRequest, obj: Account) -> None:
        """Children stay, without a parent; what other apps keep about the account goes."""
        Account.objects.filter(parent=obj).update(parent=None)
        accounts_forgotten(tenant=of_member(request).tenant, account_ids=[obj.pk])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        """Children stay, without a parent; what other apps keep about the accounts goes."""
        chosen = list(queryset.values_list("pk", flat=True))
        Account.objects.filter(parent__in=chosen).update(parent=None)
        accounts_forgotten(tenant=of_member(request).tenant, account_ids=chosen)
        Account.objects.filter(pk__in=chosen).delete()


class _NoOwnAncestor:
    """Mixed into the form of accounts."""

    instance: Account
    cleaned_data: dict[str, Any]

    def clean_parent(self) -> Account | None:
        """Refuse a parent that is the account or below it."""
        parent: Account | None = self.cleaned_data["parent"]
        above, seen = parent, set[int]()
        while above is not None and above.pk not in seen:
            if above.pk == self.instance.pk:
                raise ValidationError(_("An account cannot be its own ancestor."))
            seen.add(above.pk)
            above = above.parent
        return parent


@admin.register(Contact, site=tenant_admin_site)
class ContactAdmin(TenantModelAdmin):
    """People at accounts."""

    list_display = ["__str__", "email", "user_id", "account", "last_seen_at"]
    list_select_related = ["account"]
    search_fields = ["name__icontains", "email__istartswith", "user_id__startswith"]
    ordering = ["id"]
    autocomplete_fields = ["account"]
    fields = ["account", "user_id", "email", "name", "roles", "traits", "first_seen_at", "last_seen_at"]
    readonly_fields = ["first_seen_at", "last_seen_at"]

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        """Note on the timeline of memberships that the contact came to an account."""
        super().save_model(request, obj, form, change)
        if "account" in form.changed_data and obj.account_id is not None:
            join_accounts(tenant=of_member(request).tenant, joined={obj.pk: obj.account_id}, source="admin")

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        """Aliases of the contact go with it."""
        Contact.objects.filter(merged_into=obj).delete()
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        """Aliases of the contacts go with them."""
        chosen = list(queryset.values_list("pk", flat=True))
        Contact.objects.filter(merged_into__in=chosen).delete()
        Contact.objects.filter(pk__in=chosen).delete()


class _RecordAdmin(TenantModelAdmin):
    """What belongs to an account and came from another system."""

    list_select_related = ["account"]
    search_fields = ["external_id__startswith", "account__name_search__icontains"]
    autocomplete_fields = ["account"]
    readonly_fields = ["received_at"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without what the database fills in, until it has."""
        shown = super().get_fields(request, obj)
        return shown if obj is not None else [name for name in shown if name not in self.readonly_fields]


@admin.register(Subscription, site=tenant_admin_site)
class SubscriptionAdmin(_RecordAdmin):
    """Subscriptions; saving one brings its account up to date."""

    list_display = [
        "external_id",
        "account",
        "plan",
        "seats",
        "mrr_cents",
        "currency",
        "renews_on",
        "ends_on",
    ]
    ordering = ["external_id"]

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        """Save, then plan, seats, MRR and renewal of the account it is with, and of the one it was with."""
        super().save_model(request, obj, form, change)
        touched = {obj.account_id, form.initial.get("account") or obj.account_id}
        roll_up_subscriptions(tenant=of_member(request).tenant, account_ids=sorted(touched))

    def delete_model(self, request: HttpRequest, obj: Subscription) -> None:
        """Delete, then what the account pays."""
        super().delete_model(request, obj)
        roll_up_subscriptions(tenant=of_member(request).tenant, account_ids=[obj.account_id])


@admin.register(Ticket, site=tenant_admin_site)
class TicketAdmin(_RecordAdmin):
    """Support requests."""

    list_display = ["external_id", "account", "title", "status", "severity", "opened_at", "resolved_at"]
    list_filter = ["severity", ("resolved_at", admin.EmptyFieldListFilter)]
    ordering = ["-opened_at", "id"]


@admin.register(Invoice, site=tenant_admin_site)
class InvoiceAdmin(_RecordAdmin):
    """Bills."""

    list_display = ["external_id", "account", "amount_cents", "currency", "due_on", "paid_at", "state"]
    list_filter = ["state"]
    ordering = ["-id"]


@admin.register(AuditEntry, site=tenant_admin_site)
class AuditEntryAdmin(TenantModelAdmin):
    """The audit log, to be read."""

    list_display = ["at", "actor_label", "action", "target"]
    list_filter = ["action"]
    search_fields = ["target__icontains", "actor_label__icontains"]
    ordering = ["-at", "-id"]
    fields = ["at", "actor_label", "action", "target", "before", "after"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only services write here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody rewrites it; the database refuses too."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes from it."""
        return False
