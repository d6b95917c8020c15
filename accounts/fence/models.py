"""Base model, manager and foreign key of everything that a tenant owns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Col, Func
from django.db.models.lookups import Exact
from django.db.models.sql.where import AND, WhereNode

from .scope import current_tenant_id

if TYPE_CHECKING:
    from django.db.models import Model

M = TypeVar("M", bound="models.Model")


class TenantQuerySet(models.QuerySet[M]):
    """A query set that is born with `tenant_id = <the scope's tenant>`."""


class TenantManager(models.Manager[M], Generic[M]):
    """Filters by the scope's tenant; raises `NoTenant` without one.

    Row-level security would hide other tenants' rows anyway; naming the tenant keeps the query on its index and, on a
    sharded database, on one node.
    """

    use_in_migrations = False

    def get_queryset(self) -> models.QuerySet[M]:
        return TenantQuerySet[M](self.model, using=self._db).filter(tenant_id=current_tenant_id())


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]  # generic in the stubs only
    """A foreign key between two tables of one tenant.

    Django makes no constraint for it: `FenceTables` makes the composite one, `(tenant_id, x_id)`. Joins over it also compare
    `tenant_id`, which PostgreSQL needs for its indexes and Citus for co-location.
    """

    def __init__(self, to: Any, on_delete: Any, **options: Any) -> None:
        options.setdefault("db_constraint", False)
        options.setdefault("db_index", False)  # FenceTables makes (tenant_id, x_id) instead
        super().__init__(to, on_delete, **options)

    def formfield(self, **kwargs: Any) -> Any:
        """A choice field whose rows are looked up when it is used; forms are declared before any tenant is known."""
        model = self.remote_field.model
        tenant = Func(function="app_tenant", output_field=models.BigIntegerField())
        kwargs.setdefault("queryset", TenantQuerySet(model).filter(tenant_id=tenant))
        return super().formfield(**kwargs)

    def get_extra_restriction(self, alias: str | None, related_alias: str | None) -> WhereNode | None:
        """Add `alias.tenant_id = related_alias.tenant_id` to the ON clause of every join over this key."""
        if alias is None or related_alias is None:
            return None
        own: Any = self.model._meta.get_field("tenant")
        other: Any = self.remote_field.model._meta.get_field("tenant")
        same_tenant: Any = Exact(
            Col(alias, other), Col(related_alias, own)
        )  # the stubs know no look-ups in it
        return WhereNode([same_tenant], connector=AND)


class TenantModel(models.Model):
    """A row that belongs to one tenant; its table is fenced by `FenceTables` in the migration that makes it."""

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.DO_NOTHING, related_name="+", editable=False, db_index=False
    )

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save under the scope's tenant: a new row without one is given it."""
        if self.tenant_id is None:
            self.tenant_id = current_tenant_id()
        super().save(*args, **kwargs)

    def validate_constraints(self, exclude: Any = None) -> None:
        """Check the unique constraints, all of which begin with the tenant, though no form has a field for it."""
        if self.tenant_id is None:
            self.tenant_id = current_tenant_id()
        super().validate_constraints(exclude={*(exclude or ())} - {"tenant"})

    def unique_error_message(self, model_class: Any, unique_check: Any) -> ValidationError:
        """Name the fields that people see."""
        seen = tuple(name for name in unique_check if name != "tenant")
        return super().unique_error_message(model_class, seen or unique_check)


def tenant_models() -> list[type[Model]]:
    """Every concrete model that derives from `TenantModel`."""
    from django.apps import apps

    return [m for m in apps.get_models() if issubclass(m, TenantModel)]
