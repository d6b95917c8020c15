"""What people change at many accounts from the workspace: owner, tags."""

from __future__ import annotations

from accounts.access import has_role
from accounts.models import Account, Membership, Role, Tenant
from accounts.services import record_audit
from workspace.services.notes import add_note

__all__ = ["add_note", "change_accounts"]


def change_accounts(
    *, tenant: Tenant, actor: Membership, account_ids: list[int], owner_id: int | None = None, tag: str = ""
) -> int:
    """Give accounts an owner, a tag or both; how many were changed. Those the member may not work on stay as they are."""
    if owner_id is None and not tag:
        return 0
    if (
        owner_id is not None
        and not Membership.objects.filter(tenant=tenant, pk=owner_id, is_active=True).exists()
    ):
        return 0
    found = Account.objects.select_for_update().filter(tenant=tenant, pk__in=account_ids).order_by("pk")
    if not has_role(actor, Role.MANAGER):
        found = found.filter(owner_id__in=[actor.pk]) | found.filter(owner_id=None)
    accounts = list(found)
    before = {
        str(account.pk): {"owner": account.owner_id, "tags": list(account.tags)} for account in accounts
    }
    for account in accounts:
        if owner_id is not None:
            account.owner_id = owner_id
        if tag and tag not in account.tags:
            account.tags = [*account.tags, tag]
    Account.objects.bulk_update(accounts, ["owner", "tags"], batch_size=500)
    if accounts:
        record_audit(
            tenant=tenant,
            actor=actor,
            action="accounts.bulk_changed",
            target=f"{len(accounts)} accounts",
            before=before,
            after={"owner": owner_id, "tag": tag},
        )
    return len(accounts)
