"""Somebody leaves the company: the access ends; what was theirs goes to somebody else, to the pool, or waits as a book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Account, ApiKey, Membership, Role, Tenant, TimelineEntry
from accounts.services import deactivate_member, record_audit
from alerts.models import Alert
from playbooks.handover.timeline import MOVED
from playbooks.models import Handover, Task
from reports.services import end_subscriptions_of

from .handover import hand_over
from .people import revoke_key

NAMED = 100  # tasks whose titles the log keeps
AT_ONCE = 1000


@dataclass(frozen=True)
class Work:
    """How much hangs on a member."""

    accounts: int
    tasks: int
    alerts: int

    @property
    def is_any(self) -> bool:
        """Whether somebody has to take over."""
        return bool(self.accounts or self.tasks or self.alerts)


@dataclass(frozen=True)
class Left:
    """What happened to the things of somebody who left."""

    work: Work
    mails: int = 0
    keys: list[str] = field(default_factory=list)
    book: Handover | None = None


def work_of(tenant: Tenant, member: Membership) -> Work:
    """What would be left without anybody; three queries."""
    return Work(
        accounts=Account.objects.filter(tenant=tenant, owner=member).count(),
        tasks=_tasks_of(tenant, member).count(),
        alerts=_alerts_of(tenant, member).count(),
    )


def open_tasks_of(tenant: Tenant, member: Membership, most: int) -> list[Task]:
    """The open tasks by name, the most urgent first; one query."""
    return list(_tasks_of(tenant, member).select_related("account").order_by("due_on", "pk")[:most])


def keys_of(tenant: Tenant, member: Membership) -> list[ApiKey]:
    """The keys of the API that the member made and that still work: whoever made one has seen it."""
    found = ApiKey.objects.filter(tenant=tenant, created_by=member, revoked_at=None)
    return [key for key in found.order_by("pk") if key.expires_at is None or key.expires_at > timezone.now()]


def let_go(
    *,
    tenant: Tenant,
    member: Membership,
    to: Membership | None,
    actor: Membership,
    keep_book: bool = False,
    with_keys: bool = False,
) -> Left:
    """End a member's access, sessions, mails of reports and, if wanted, keys; and give the work to somebody.

    To another member the accounts go as a hand-over, with how they stand on their timelines; without one they wait in the
    managers' pool. With `keep_book` everything stays as it is for the page of hand-overs, which asks for a note.
    """
    if to is not None and (to.pk == member.pk or not to.is_active):
        raise ValidationError(_("Choose an active member who stays."))
    with transaction.atomic():
        work = work_of(tenant, member)
        named = [task.title for task in open_tasks_of(tenant, member, NAMED)]
        deactivate_member(tenant=tenant, member=member, actor=actor)
        mails = end_subscriptions_of(tenant=tenant, member=member)
        keys = keys_of(tenant, member) if with_keys else []
        for key in keys:
            revoke_key(tenant=tenant, actor=actor, key_id=key.pk)
        book = None
        if not keep_book:
            book = _give(tenant, member, to, actor)
        record_audit(
            tenant=tenant,
            actor=actor,
            action="member.left",
            target=member.user.email,
            before={"owner": member.pk},
            after={
                "owner": to.pk if to else None,
                "accounts": work.accounts,
                "tasks": work.tasks,
                "alerts": work.alerts,
                "open tasks": named,
                "book waits": keep_book,
                "mails ended": mails,
                "keys revoked": [key.prefix for key in keys],
            },
        )
    return Left(work, mails, [str(key) for key in keys], book)


def _tasks_of(tenant: Tenant, member: Membership) -> QuerySet[Task]:
    return Task.objects.filter(tenant=tenant, assignee=member, state=Task.State.OPEN)


def _alerts_of(tenant: Tenant, member: Membership) -> QuerySet[Alert]:
    states = [Alert.State.OPEN, Alert.State.SNOOZED]
    return Alert.objects.filter(tenant=tenant, assignee=member, state__in=states)


def _give(tenant: Tenant, member: Membership, to: Membership | None, actor: Membership) -> Handover | None:
    """Everything to one receiver: the accounts first, with what is open at them, then what hangs elsewhere."""
    ids = list(
        Account.objects.filter(tenant=tenant, owner=member).order_by("pk").values_list("pk", flat=True)
    )
    book = None
    if ids and to is not None:
        with translation.override(tenant.language):
            note = _("%(who)s has left the company.") % {"who": member}
        book = hand_over(
            tenant=tenant, actor=actor, from_id=member.pk, to_id=to.pk, account_ids=ids, note=note
        )
    elif ids:
        _to_pool(tenant, member, actor, ids)
    # A book of many accounts moves in a job; what is open at them moves at once either way.
    _tasks_of(tenant, member).update(assignee=to, pool="" if to else Role.MANAGER)
    _alerts_of(tenant, member).update(assignee=to)
    return book


def _to_pool(tenant: Tenant, member: Membership, actor: Membership, ids: Sequence[int]) -> None:
    """Accounts without an owner, said on the timeline of each."""
    Account.objects.filter(tenant=tenant, pk__in=ids).update(owner=None, updated_at=timezone.now())
    with translation.override(tenant.language):
        title = _("%(who)s has left the company; nobody owns the account.") % {"who": member}
    now = timezone.now()
    TimelineEntry.objects.bulk_create(
        (
            TimelineEntry(
                tenant=tenant,
                account_id=pk,
                kind=MOVED,
                at=now,
                title=title[:300],
                actor=actor,
                data={"from": member.pk, "to": None},
            )
            for pk in ids
        ),
        batch_size=AT_ONCE,
    )
