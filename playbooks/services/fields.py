"""Changes that plays make to accounts: a short list of fields, for many accounts at once, audited with before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.custom_fields import Declared, declared_fields
from accounts.field_kinds import BadValue
from accounts.models import Account, AuditEntry, Tenant
from accounts.services.fields import coerced
from playbooks.stepconfig import SetFieldConfig

TAG_LENGTH, MOST_TAGS = 50, 100
LIMITS = {"stage": 50, "segment": 100, "touch_model": 10}


@dataclass(frozen=True)
class Change:
    """A field of an account that a step of a run sets."""

    account_id: int
    run_id: int
    config: SetFieldConfig


def set_fields(*, tenant: Tenant, changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Set them, later ones over earlier ones; for each change what was there before and after. Four statements,
    one more where custom fields are set."""
    if not changes:
        return []
    accounts = {
        account.pk: account
        for account in Account.objects.select_for_update()
        .filter(tenant=tenant, pk__in={change.account_id for change in changes})
        .order_by("pk")
    }
    found, audits = [], []
    declared = (
        declared_fields(tenant) if any(c.config.field == "custom" for c in changes) else Declared(tenant, {})
    )
    for change in changes:
        account = accounts[change.account_id]
        name, before, after = _apply(account, change.config, declared)
        found.append({"field": name, "before": before, "after": after})
        if before != after:
            audits.append(
                AuditEntry(
                    tenant=tenant,
                    actor=None,
                    actor_label="playbook",
                    action="account.changed",
                    target=f"account:{account.external_id}"[:200],
                    before={name: before},
                    after={name: after, "run": change.run_id},
                )
            )
    Account.objects.bulk_update(
        accounts.values(), ["stage", "segment", "touch_model", "tags", "custom"], batch_size=2000
    )
    AuditEntry.objects.bulk_create(audits)
    return found


def _apply(account: Account, config: SetFieldConfig, declared: Declared) -> tuple[str, Any, Any]:
    if config.field in ("add_tag", "remove_tag"):
        tag, before = config.value.strip()[:TAG_LENGTH], list(account.tags)
        others = [each for each in before if each != tag]
        account.tags = [*others, tag][:MOST_TAGS] if config.field == "add_tag" else others
        if config.field == "add_tag" and tag in before:
            account.tags = before
        return "tags", before, list(account.tags)
    if config.field == "custom":
        before_value = account.custom.get(config.key)
        try:
            value = coerced(declared, config.key, config.value)
        except (
            BadValue
        ):  # declared otherwise since the play was published: what is there stays, and the run says so
            return f"custom.{config.key}", before_value, before_value
        account.custom = {**account.custom, config.key: value}
        return f"custom.{config.key}", before_value, value
    earlier = getattr(account, config.field)
    setattr(account, config.field, config.value.strip()[: LIMITS[config.field]])
    return config.field, earlier, getattr(account, config.field)
