"""How an account stands to others: the roles of its people, the account above it."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import get_or_404, may_work_on
from accounts.models import Account, Contact, Membership, Tenant
from accounts.services import record_audit, record_timeline
from accounts.timeline import CONTACT_ROLES, PARENT_SET
from accounts.visibility import seeing_everything

MOST_ROLES = 10
ROLE_LENGTH = 50
# The accounts above one, itself first; UNION and not UNION ALL, so that an old circle ends.
ABOVE_SQL = """
WITH RECURSIVE up AS (
  SELECT id, parent_id FROM accounts_account WHERE tenant_id = %(tenant)s AND id = %(start)s
  UNION
  SELECT a.id, a.parent_id FROM accounts_account a JOIN up ON a.id = up.parent_id WHERE a.tenant_id = %(tenant)s
)
SELECT id FROM up
"""


def set_roles(*, tenant: Tenant, actor: Membership, contact_id: int, roles: Sequence[str]) -> Contact:
    """Say what somebody is at their account."""
    contact = get_or_404(Contact, tenant=tenant, pk=contact_id, merged_into=None)
    if contact.account_id is None:
        raise PermissionDenied
    account = Account.objects.get(tenant=tenant, pk=contact.account_id)
    if not may_work_on(actor, account):
        raise PermissionDenied
    wanted = list(dict.fromkeys(role.strip()[:ROLE_LENGTH] for role in roles if role.strip()))
    if len(wanted) > MOST_ROLES:
        raise ValidationError(_("At most %(count)s roles.") % {"count": MOST_ROLES})
    held = Contact.objects.select_for_update().get(tenant=tenant, pk=contact.pk)
    before = list(held.roles)
    if before != wanted:
        held.roles = wanted
        held.save(update_fields=["roles"])
        record_timeline(
            tenant=tenant,
            account_id=account.pk,
            kind=CONTACT_ROLES,
            at=timezone.now(),
            title=f"{held}: {', '.join(wanted) or '–'}",
            data={"contacts": [held.pk]},
            actor=actor,
        )
        record_audit(
            tenant=tenant,
            actor=actor,
            action="contact.roles",
            target=f"contact {held.pk}",
            before={"roles": before},
            after={"roles": wanted},
        )
    return held


def set_parent(*, tenant: Tenant, actor: Membership, account_id: int, parent_id: int | None) -> Account:
    """Put an account below another one, or below none; never below itself or one of its own."""
    account = get_or_404(Account, tenant=tenant, pk=account_id)
    if not may_work_on(actor, account):
        raise PermissionDenied
    parent = None if parent_id is None else get_or_404(Account, tenant=tenant, pk=parent_id)
    if account.parent_id == parent_id:
        return account
    with connection.cursor() as cursor:
        # One at a time: two that are put below each other at once would both find no circle.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('accounts.parents'), %s)", [tenant.pk % 2**31])
        if parent is not None:
            with seeing_everything():  # a circle may go through accounts that whoever asks does not see
                cursor.execute(ABOVE_SQL, {"tenant": tenant.pk, "start": parent.pk})
            if account.pk in {row[0] for row in cursor.fetchall()}:
                raise ValidationError(
                    _("%(parent)s is below %(account)s already, so it cannot be above it.")
                    % {"parent": parent.name, "account": account.name}
                )
    before = account.parent_id
    account.parent = parent
    account.save(update_fields=["parent", "updated_at"])
    record_timeline(
        tenant=tenant,
        account_id=account.pk,
        kind=PARENT_SET,
        at=timezone.now(),
        title=parent.name if parent else "–",
        data={"parent": parent_id},
        actor=actor,
    )
    record_audit(
        tenant=tenant,
        actor=actor,
        action="account.parent",
        target=account.external_id,
        before={"parent": before},
        after={"parent": parent_id},
    )
    return account
