"""Reads of the ground floor."""

from __future__ import annotations

from typing import Any

from accounts.models import Account, Tenant

AS_JSON = (
    "external_id",
    "name",
    "segment",
    "stage",
    "plan",
    "plan_kind",
    "seats",
    "volume_limit",
    "mrr_cents",
    "currency",
    "go_live_on",
    "renewal_on",
    "churned_on",
    "touch_model",
    "tags",
    "targets",
    "custom",
    "first_seen_on",
    "created_at",
    "updated_at",
)


def accounts_as_json(
    tenant: Tenant,
    *,
    external_id: str | None = None,
    after: str = "",
    limit: int = 1,
    segment: str | None = None,
    stage: str | None = None,
    plan: str | None = None,
    owner_email: str | None = None,
) -> list[dict[str, Any]]:
    """Accounts in the words of the API, by external_id, starting after the given one."""
    found = Account.objects.filter(tenant=tenant).order_by("external_id")
    if external_id is not None:
        found = found.filter(external_id=external_id)
    if after:
        found = found.filter(external_id__gt=after)
    for name, value in (("segment", segment), ("stage", stage), ("plan", plan)):
        if value is not None:
            found = found.filter(**{name: value})
    if owner_email is not None:
        found = found.filter(owner__user__email=owner_email.lower())
    rows = found.values(*AS_JSON, "owner__user__email", "parent__external_id")[:limit]
    return [
        {
            "external_id": row.pop("external_id"),
            "owner_email": row.pop("owner__user__email"),
            "parent_id": row.pop("parent__external_id"),
            **row,
        }
        for row in rows
    ]
