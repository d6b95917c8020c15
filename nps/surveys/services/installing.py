"""What a tenant starts with, and what one that was there before gets."""

from __future__ import annotations

from typing import Any

from accounts.models import Account, Tenant
from nps.surveys.models import Survey, SurveySettings
from nps.surveys.shipped import shipped_surveys
from usage.models import Metric


def install_surveys(*, tenant: Tenant, switched_on: bool | None = None) -> int:
    """Give the tenant the shipped surveys and its settings row; what is there stays. Returns how many are new.

    A new tenant's go-live programme is on from the start. One that has accounts already gets it switched off, unless the
    caller says otherwise: a newer release must not begin to write to customers.
    """
    if switched_on is None:
        switched_on = not Account.objects.filter(tenant=tenant).exists()
    SurveySettings.objects.bulk_create([SurveySettings(tenant=tenant)], ignore_conflicts=True)
    known = set(Survey.objects.filter(tenant=tenant).values_list("key", flat=True))
    language = "es" if tenant.language == "es" else "en"
    made = [
        Survey(tenant=tenant, **_fields(entry, language, switched_on))
        for entry in shipped_surveys()
        if entry["key"] not in known
    ]
    Survey.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def propose_surveys(*, tenant: Tenant) -> int:
    """In the night: a tenant that has never had surveys gets them switched off; nobody is asked before an admin says so."""
    if Survey.objects.filter(tenant=tenant).exists():
        return 0
    # A mean of answers has decimals, which the metric was not shipped with; what was pushed before stays as it is.
    Metric.objects.filter(tenant=tenant, key="nps", kind=Metric.Kind.PUSHED, decimals=0).update(decimals=2)
    return install_surveys(tenant=tenant, switched_on=False)


def _fields(entry: dict[str, Any], language: str, switched_on: bool) -> dict[str, Any]:
    names = entry["name"]
    return entry | {"name": names[language], "enabled": entry["enabled"] and switched_on}


def settings_of(tenant: Tenant) -> SurveySettings:
    """The tenant's choices; the defaults where it has made none."""
    return SurveySettings.objects.filter(tenant=tenant).first() or SurveySettings(tenant=tenant)
