"""Somebody leaves the company: the access ends, and what was theirs goes to somebody else or to the pool."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Role, Tenant
from accounts.services import deactivate_member, record_audit
from alerts.models import Alert
from playbooks.models import Task


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


def work_of(tenant: Tenant, member: Membership) -> Work:
    """What would be left without anybody; three queries."""
    return Work(
        accounts=Account.objects.filter(tenant=tenant, owner=member).count(),
        tasks=Task.objects.filter(tenant=tenant, assignee=member, state=Task.State.OPEN).count(),
        alerts=Alert.objects.filter(
            tenant=tenant, assignee=member, state__in=[Alert.State.OPEN, Alert.State.SNOOZED]
        ).count(),
    )


def let_go(*, tenant: Tenant, member: Membership, to: Membership | None, actor: Membership) -> Work:
    """End a member's access and give accounts, open tasks and alerts to another member, or to the managers' pool.

    Three statements however much it is; what was done before stays signed with the member's name.
    """
    if to is not None and (to.pk == member.pk or not to.is_active):
        raise ValidationError(_("Choose an active member who stays."))
    with transaction.atomic():
        deactivate_member(tenant=tenant, member=member, actor=actor)
        accounts = Account.objects.filter(tenant=tenant, owner=member).update(owner=to)
        open_tasks = Task.objects.filter(tenant=tenant, assignee=member, state=Task.State.OPEN)
        tasks = open_tasks.update(assignee=to, pool="" if to else Role.MANAGER)
        alerts = Alert.objects.filter(
            tenant=tenant, assignee=member, state__in=[Alert.State.OPEN, Alert.State.SNOOZED]
        ).update(assignee=to)
        done = Work(accounts, tasks, alerts)
        if done.is_any:
            record_audit(
                tenant=tenant,
                actor=actor,
                action="member.work_given",
                target=member.user.email,
                before={"owner": member.pk},
                after={
                    "owner": to.pk if to else None,
                    "accounts": accounts,
                    "tasks": tasks,
                    "alerts": alerts,
                },
            )
    return done
