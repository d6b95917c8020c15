"""What a company decides about its renewals."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from expansion.renewals.models import RenewalSettings

FIELDS = ("usual_term_months", "shortest_term_months", "commit_pct", "best_case_pct", "at_risk_pct", "rates")
MOST_RATE = Decimal(1_000_000)


def settings_of(tenant: Tenant) -> RenewalSettings:
    """The stored settings, else the defaults; they have no row until somebody changes them."""
    return RenewalSettings.objects.filter(tenant=tenant).first() or RenewalSettings(tenant=tenant)


def rates_of(settings: RenewalSettings) -> dict[str, Decimal]:
    """The configured rates as numbers; the tenant's own currency is 1 as soon as there is any."""
    rates = {currency: Decimal(text) for currency, text in settings.rates.items()}
    return {settings.tenant.currency: Decimal(1), **rates} if rates else {}


def save_settings(
    *, tenant: Tenant, fields: Mapping[str, Any], member: Membership | None = None
) -> RenewalSettings:
    """Store what is given; the night goes by it from then on."""
    settings = RenewalSettings.objects.select_for_update().filter(tenant=tenant).first() or settings_of(
        tenant
    )
    before = {name: getattr(settings, name) for name in FIELDS}
    for name in FIELDS:
        if name in fields:
            setattr(settings, name, fields[name])
    settings.rates = check_rates(settings.rates, tenant.currency)
    if not settings.commit_pct >= settings.best_case_pct >= settings.at_risk_pct:
        raise ValidationError(
            {"best_case_pct": _("Commit is at least as likely as best case, and that as at risk.")}
        )
    settings.full_clean(exclude=["tenant"])
    settings.save()
    after = {name: getattr(settings, name) for name in FIELDS}
    if after != before:
        record_audit(
            tenant=tenant,
            actor=member,
            action="renewals.settings",
            target="renewal settings",
            before=before,
            after=after,
        )
    return settings


def check_rates(rates: Any, own: str) -> dict[str, str]:
    """Rates as they are stored; raises a ValidationError that names the one that is wrong."""
    if not isinstance(rates, Mapping):
        raise ValidationError({"rates": _("Write one rate a line, such as “USD 0.92”.")})
    found: dict[str, str] = {}
    for currency, text in rates.items():
        name = str(currency).strip().upper()
        try:
            rate = Decimal(str(text).strip().replace(",", "."))
        except InvalidOperation:
            rate = Decimal(0)
        if len(name) != 3 or not name.isascii() or not name.isalpha() or name == own:
            raise ValidationError(
                {
                    "rates": _("“%(currency)s” is no other currency than yours; write its three letters.")
                    % {"currency": name}
                }
            )
        if not rate.is_finite() or not 0 < rate <= MOST_RATE:
            raise ValidationError(
                {"rates": _("The rate of %(currency)s must be a number above 0.") % {"currency": name}}
            )
        found[name] = format(rate.normalize(), "f")
    return dict(sorted(found.items()))
