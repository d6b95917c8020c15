"""Merging an account into another one: asked for by a manager, done by a job, not to be undone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import get_or_404, has_role
from accounts.models import Account, AccountAlias, AccountMerge, Contact, Job, Membership, Role, Tenant
from accounts.services import enqueue_job, record_audit, record_timeline
from accounts.timeline import ACCOUNT_MERGED
from accounts.upserts.rollup import roll_up_subscriptions
from accounts.upserts.rows import hold
from scoring.services import score_accounts
from usage.services import merge_usage
from workspace.services.relations import ABOVE_SQL

from .ending import end_collisions
from .fields import COLUMNS, FIELDS, GOES, STAYS, chosen_values
from .rules import END, KEEP, OWN, how
from .tables import counts, drop_collisions, move_rows, naming_tables

JOB = "account_merge"
KEPT_COLUMNS = (*COLUMNS, "id", "external_id", "parent_id", "tags", "targets", "custom", "first_seen_on")


def merge_accounts(
    *,
    tenant: Tenant,
    actor: Membership,
    into_id: int,
    from_id: int,
    choices: Mapping[str, str],
    confirmation: str,
) -> Job:
    """Write the merge down and let its job begin; from now on the other one's external id means the account that stays."""
    if not has_role(actor, Role.MANAGER):
        raise PermissionDenied
    stays, goes = (get_or_404(Account, tenant=tenant, pk=pk) for pk in (into_id, from_id))
    if stays.pk == goes.pk:
        raise ValidationError(_("An account cannot be merged with itself."))
    if confirmation.strip() != goes.name.strip():
        raise ValidationError(
            {"confirmation": _("Type the name of the account that goes, letter by letter.")}
        )
    hold(tenant)  # no drain turn is under way that has looked the old id up already
    locked = {
        one.pk: one
        for one in Account.objects.select_for_update().filter(tenant=tenant, pk__in=[into_id, from_id])
    }
    if (
        AccountMerge.objects.filter(tenant=tenant, state=AccountMerge.State.RUNNING)
        .filter(_touching(into_id, from_id))
        .exists()
    ):
        raise ValidationError(_("One of the two is being merged at this moment. Wait until that is done."))
    wanted = {field: who for field, who in choices.items() if field in FIELDS and who in (STAYS, GOES)}
    merge = AccountMerge.objects.create(
        tenant=tenant,
        account=stays,
        absorbed_id=goes.pk,
        external_id=goes.external_id,
        name=goes.name,
        choices=wanted,
        before={"stays": row_of(locked[stays.pk]), "goes": row_of(locked[goes.pk])},
        requested_by=actor,
    )
    AccountAlias.objects.create(tenant=tenant, external_id=goes.external_id, account=stays, former_id=goes.pk)
    record_audit(
        tenant=tenant,
        actor=actor,
        action="account.merge",
        target=stays.external_id,
        before=merge.before,
        after={"merge": merge.pk, "choices": wanted},
    )
    return enqueue_job(
        tenant=tenant, kind=JOB, key=str(merge.pk), params={"merge": merge.pk}, requested_by=actor
    )


def resume_merge(*, tenant: Tenant, actor: Membership, merge_id: int) -> Job:
    """Let the job of a merge that failed try again; what is done stays done."""
    if not has_role(actor, Role.MANAGER):
        raise PermissionDenied
    merge = get_or_404(AccountMerge, tenant=tenant, pk=merge_id, state=AccountMerge.State.RUNNING)
    return enqueue_job(
        tenant=tenant,
        kind=JOB,
        key=str(merge.pk),
        params={"merge": merge.pk},
        requested_by=actor,
        again=True,
    )


def row_of(account: Account) -> dict[str, Any]:
    """An account as it can be kept as JSON."""
    found = {name: getattr(account, name) for name in KEPT_COLUMNS}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in found.items()}


def move_usage(*, tenant: Tenant, merge: AccountMerge, days: tuple[date, date]) -> None:
    """What usage knows of some days."""
    merge_usage(tenant=tenant, from_id=merge.absorbed_id, into_id=merge.account_id, days=days)


def move_records(*, tenant: Tenant, merge: AccountMerge) -> None:
    """Everything else in one transaction: what ends, what is dropped, what moves; then the other account is gone."""
    if merge.state == AccountMerge.State.DONE:
        return
    hold(tenant)
    params = {"tenant": tenant.pk, "from": merge.absorbed_id, "into": merge.account_id}
    found = {
        one.pk: one
        for one in Account.objects.select_for_update()
        .filter(tenant=tenant, pk__in=[merge.absorbed_id, merge.account_id])
        .order_by("pk")
    }
    stays, goes = found[merge.account_id], found[merge.absorbed_id]
    moved = _join_contacts(tenant, params)
    moved["accounts_account"] = _join_family(tenant, stays, goes)
    tables = [one for one in naming_tables() if how(one.table) != OWN]
    for one in tables:
        if how(one.table) == END:
            end_collisions(tenant, one, params)
    with connection.cursor() as cursor:
        _join_own_lines(cursor, params)
        for one in tables:
            if how(one.table) == KEEP:
                drop_collisions(cursor, one, params)
            count = move_rows(cursor, one, params)
            if count:
                moved[one.table] = moved.get(one.table, 0) + count
    left = counts(tenant, goes.pk, naming_tables())
    if left:  # deleting the account would take these along without a word
        raise RuntimeError(f"Rows still name the account that goes: {left}")
    values = chosen_values(_columns(stays), _columns(goes), merge.choices)
    Account.objects.filter(tenant=tenant, pk=goes.pk).delete()
    Account.objects.filter(tenant=tenant, pk=stays.pk).update(**values, updated_at=timezone.now())
    roll_up_subscriptions(tenant=tenant, account_ids=[stays.pk])
    merge.state, merge.moved, merge.done_at = AccountMerge.State.DONE, moved, timezone.now()
    merge.save(update_fields=["state", "moved", "done_at"])
    record_timeline(
        tenant=tenant,
        account_id=stays.pk,
        kind=ACCOUNT_MERGED,
        at=merge.done_at,
        title=f"{merge.name} ({merge.external_id})",
        data={"merge": merge.pk},
        actor=merge.requested_by,
    )
    record_audit(
        tenant=tenant,
        actor=merge.requested_by,
        action="account.merged",
        target=stays.external_id,
        before=merge.before,
        after={"merge": merge.pk, "moved": moved, "account": row_of(Account.objects.get(pk=stays.pk))},
    )


def score_again(*, tenant: Tenant, merge: AccountMerge) -> None:
    """The score of the account that stays, from what both have done."""
    score_accounts(tenant=tenant, day=tenant.today(), account_ids=[merge.account_id])


def _columns(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in KEPT_COLUMNS}


def _touching(into_id: int, from_id: int) -> Q:
    ids = [into_id, from_id]
    return Q(account_id__in=ids) | Q(absorbed_id__in=ids)


def _join_contacts(tenant: Tenant, params: Mapping[str, Any]) -> dict[str, int]:
    """Two contacts with one e-mail address are one person, unless both have a user id: then they are two logins."""
    people = Contact.objects.select_for_update().filter(
        tenant=tenant, account_id__in=[params["from"], params["into"]], merged_into=None
    )
    known: dict[str, list[Contact]] = {}
    for contact in people.exclude(email="").order_by("pk"):
        known.setdefault(contact.email.lower(), []).append(contact)
    joined = 0
    for same in known.values():
        stays = next((one for one in same if one.user_id), None) or next(
            (one for one in same if one.account_id == params["into"]), same[0]
        )
        for other in same:
            if other.pk == stays.pk or other.user_id or other.account_id == stays.account_id:
                continue
            other.merged_into = stays
            other.save(update_fields=["merged_into"])
            stays.roles = list(dict.fromkeys([*stays.roles, *other.roles]))
            stays.name = stays.name or other.name
            stays.save(update_fields=["roles", "name"])
            joined += 1
    return {"contacts_joined": joined} if joined else {}


def _join_family(tenant: Tenant, stays: Account, goes: Account) -> int:
    """Accounts below the one that goes stand below the one that stays; none comes to stand above itself."""
    with connection.cursor() as cursor:
        cursor.execute(ABOVE_SQL, {"tenant": tenant.pk, "start": stays.pk})
        above = {row[0] for row in cursor.fetchall()}
    if goes.pk in above:  # the one that stays was below: it takes the place of the other one
        Account.objects.filter(tenant=tenant, pk=stays.pk).update(parent_id=goes.parent_id)
    elif stays.parent_id is None and goes.parent_id != stays.pk:
        with connection.cursor() as cursor:
            cursor.execute(ABOVE_SQL, {"tenant": tenant.pk, "start": goes.pk})
            if stays.pk not in {row[0] for row in cursor.fetchall()}:
                Account.objects.filter(tenant=tenant, pk=stays.pk).update(parent_id=goes.parent_id)
    below = Account.objects.filter(tenant=tenant, parent_id=goes.pk).exclude(pk=stays.pk)
    return int(below.update(parent_id=stays.pk))


def _join_own_lines(cursor: Any, params: Mapping[str, Any]) -> None:
    """Of accounts without subscriptions the MRR is one line; two histories of it cannot be read as one."""
    cursor.execute(
        "DELETE FROM expansion_mrrchange WHERE tenant_id = %(tenant)s AND account_id = %(from)s AND line_id = 0 "
        "AND EXISTS (SELECT 1 FROM expansion_mrrchange s WHERE s.tenant_id = %(tenant)s "
        "AND s.account_id = %(into)s AND s.line_id = 0)",
        params,
    )
