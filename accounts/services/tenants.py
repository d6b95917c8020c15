"""Making a tenant, whole or not at all."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.utils.translation import gettext as _

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant, TenantSettings
from accounts.provisioning import provision

from .jobs import enqueue_job
from .journal import record_audit
from .settings import REDATE


def create_tenant(
    *,
    slug: str,
    name: str,
    timezone: str = "UTC",
    language: str = "en",
    currency: str = "USD",
    is_demo: bool = False,
) -> Tenant:
    """Make a tenant with its settings and everything the apps give a new one, in one transaction.

    Opens the scope itself. Raises a ValidationError that says by field what is wrong.
    """
    tenant = Tenant(
        slug=slug, name=name.strip(), timezone=timezone, language=language, currency=currency, is_demo=is_demo
    )
    if Tenant.objects.filter(slug=slug).exists():
        raise slug_taken(slug)
    tenant.full_clean()
    # The scope must be the outermost block and needs the id, so the id comes first.
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('accounts_tenant', 'id'))")
        tenant.pk = cursor.fetchone()[0]
    try:
        with tenant_scope(tenant):
            tenant.save(force_insert=True)
            TenantSettings.objects.create()
            provision(tenant=tenant)
    except IntegrityError as error:
        if Tenant.objects.filter(slug=slug).exists():  # somebody else was a moment faster
            raise slug_taken(slug) from error
        raise
    return tenant


def change_timezone(*, tenant: Tenant, timezone: str) -> Tenant:
    """Let the tenant's days begin in another time zone; a job then puts every event on its new day and rebuilds.

    Opens the scope itself. Raises a ValidationError when there is no such zone. Stored scores stay as they were.
    """
    before, tenant.timezone = Tenant.objects.get(pk=tenant.pk).timezone, timezone
    tenant.clean_fields(exclude={"slug", "name", "language", "currency", "brand_color"})
    if timezone == before:
        return tenant
    with tenant_scope(tenant):
        tenant.save(update_fields=["timezone"])
        enqueue_job(tenant=tenant, kind=REDATE, key="all", again=True)
        record_audit(
            tenant=tenant,
            actor=None,
            action="tenant.timezone.changed",
            target=tenant.slug,
            before={"timezone": before},
            after={"timezone": timezone},
        )
    return tenant


def slug_taken(slug: str) -> ValidationError:
    """The error of a slug that another tenant has."""
    return ValidationError({"slug": _("There is already a tenant “%(slug)s”.") % {"slug": slug}})
