"""What people change at accounts from the workspace: owner, tags, notes."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.access import has_role, may_work_on
from accounts.models import Account, Membership, Role, Tenant, TimelineEntry
from accounts.services import record_audit, record_timeline

NOTE = "note"
TITLE_LENGTH = 300


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


def add_note(*, tenant: Tenant, actor: Membership, account: Account, text: str) -> TimelineEntry:
    """Put a note on an account's timeline; its first line is the title."""
    if not may_work_on(actor, account):
        raise PermissionDenied
    first, _newline, rest = text.strip().partition("\n")
    data = {"text": rest.strip()} if rest.strip() else {}
    if len(first) > TITLE_LENGTH:
        data = {"text": text.strip()}
    return record_timeline(
        tenant=tenant,
        account_id=account.pk,
        kind=NOTE,
        at=timezone.now(),
        title=first,
        data=data,
        actor=actor,
    )
