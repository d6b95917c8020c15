"""What a tenant's admins choose for the company; every change is in the audit log with what it was before.

All of these run inside the tenant's scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.brand import HEX_COLOUR
from accounts.models import Membership, Role, Tenant, TenantSettings

from .jobs import enqueue_job
from .journal import record_audit

REDATE = "redate"  # the job that puts every event on its day in another time zone
CURRENCY_LETTERS = 3


def change_company(
    *, tenant: Tenant, name: str, language: str, currency: str, timezone: str, actor: Membership | None = None
) -> bool:
    """Name, language, currency and time zone of the company; whether a new time zone has queued the rebuild of all days."""
    currency = currency.strip().upper()
    if len(currency) != CURRENCY_LETTERS or not currency.isascii() or not currency.isalpha():
        raise ValidationError({"currency": _("Use the three letters of a currency, such as EUR.")})
    wanted = {
        "name": " ".join(name.split()),
        "language": language,
        "currency": currency,
        "timezone": timezone,
    }
    with transaction.atomic():
        moved = wanted["timezone"] != tenant.timezone
        _change_tenant(tenant, wanted, "tenant.company.changed", actor)
        if moved:
            enqueue_job(tenant=tenant, kind=REDATE, key="all", again=True, requested_by=actor)
    return moved


def change_look(*, tenant: Tenant, brand_color: str, actor: Membership | None = None) -> None:
    """The company's colour; empty for ours."""
    brand_color = brand_color.strip().lower()
    if brand_color and not HEX_COLOUR.match(brand_color):
        raise ValidationError({"brand_color": _("Write a colour as # and six digits, such as #1f6feb.")})
    _change_tenant(tenant, {"brand_color": brand_color}, "tenant.look.changed", actor)


def hide_money_from(*, tenant: Tenant, roles: Iterable[str], actor: Membership | None = None) -> None:
    """Say which roles see no amounts of money; admins always do. It holds from the next request on."""
    wanted = [role for role in Role.values if role in set(roles) and role != Role.ADMIN]
    _change_tenant(tenant, {"hidden_money_roles": wanted}, "tenant.money.changed", actor)


def change_data_rules(
    *,
    tenant: Tenant,
    unknown_accounts: str,
    raw_retention_days: int,
    nightly_hour: int,
    actor: Membership | None = None,
) -> None:
    """How events of unknown accounts are treated, how long raw events are kept, at which hour the night runs."""
    wanted = {
        "unknown_accounts": unknown_accounts,
        "raw_retention_days": raw_retention_days,
        "nightly_hour": nightly_hour,
    }
    with transaction.atomic():
        row = TenantSettings.objects.select_for_update().get(tenant=tenant)
        before = {field: getattr(row, field) for field in wanted}
        if before == wanted:
            return
        for field, value in wanted.items():
            setattr(row, field, value)
        row.full_clean(exclude=["tenant"])
        row.save(update_fields=list(wanted))
        record_audit(
            tenant=tenant,
            actor=actor,
            action="tenant.data.changed",
            target=tenant.slug,
            before=before,
            after=wanted,
        )


def _change_tenant(tenant: Tenant, wanted: dict[str, Any], action: str, actor: Membership | None) -> None:
    """Write the fields that differ and what they were."""
    before = {field: getattr(tenant, field) for field in wanted}
    changed = {field: value for field, value in wanted.items() if value != before[field]}
    if not changed:
        return
    with transaction.atomic():
        for field, value in changed.items():
            setattr(tenant, field, value)
        kept = {field.name for field in tenant._meta.fields} - set(changed)
        try:
            tenant.clean_fields(exclude=kept)
        except ValidationError:
            for field, value in before.items():
                setattr(tenant, field, value)
            raise
        tenant.save(update_fields=list(changed))
        record_audit(
            tenant=tenant,
            actor=actor,
            action=action,
            target=tenant.slug,
            before={field: before[field] for field in changed},
            after=changed,
        )
