"""Making a tenant, whole or not at all."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.utils.translation import gettext as _

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant, TenantSettings
from accounts.provisioning import provision


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


def slug_taken(slug: str) -> ValidationError:
    """The error of a slug that another tenant has."""
    return ValidationError({"slug": _("There is already a tenant “%(slug)s”.") % {"slug": slug}})
