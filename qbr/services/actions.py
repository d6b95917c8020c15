"""What is agreed at a review: each action is a task of the team, and the next pack opens with it."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit, record_timeline
from playbooks.models import Task
from playbooks.services import cancel_task, create_task
from qbr import timeline
from qbr.building.actions import action_blocks
from qbr.building.words import empty_reasons
from qbr.models import Pack, PackAction

from .editing import rewrite_actions
from .states import locked_pack
from .writing import material_of

TITLE_LENGTH = 200


def add_action(
    *,
    tenant: Tenant,
    pack_id: int,
    title: str,
    due_on: date,
    owner_id: int | None = None,
    customer_owner: str = "",
    member: Membership | None = None,
) -> PackAction:
    """Note an action and make its task: for the owner, or for whoever looks after the account where the customer acts."""
    pack = locked_pack(tenant, pack_id, member)
    if pack.state == Pack.State.SKIPPED:
        raise ValidationError(_("Nothing was agreed at a review that was skipped."), code="skipped")
    title, customer_owner = title.strip(), customer_owner.strip()[:200]
    problems = {}
    if not title:
        problems["title"] = _("Say what has to be done.")
    elif len(title) > TITLE_LENGTH:
        problems["title"] = _("Use at most %(most)s characters.") % {"most": TITLE_LENGTH}
    if problems:
        raise ValidationError(problems)
    task = create_task(
        tenant=tenant,
        account_id=pack.account_id,
        title=_for_customer(tenant, title, customer_owner),
        due_on=due_on,
        assignee_id=owner_id,
        member=member,
    )
    action = PackAction.objects.create(
        tenant=tenant,
        pack=pack,
        title=title,
        side=PackAction.Side.CUSTOMER if customer_owner else PackAction.Side.US,
        owner_id=task.assignee_id,
        customer_owner=customer_owner,
        due_on=due_on,
        task=task,
    )
    record_timeline(
        tenant=tenant,
        account_id=pack.account_id,
        kind=timeline.AGREED,
        at=timezone.now(),
        title=title,
        actor=member,
        data={"pack": pack.pk, "action": action.pk, "task": task.pk},
    )
    _journal(tenant, pack, action, "qbr.action", member)
    _show(tenant, pack)
    return action


def _for_customer(tenant: Tenant, title: str, customer_owner: str) -> str:
    """What the team does about something that the customer has to do."""
    if not customer_owner:
        return title
    with translation.override(tenant.language):
        return (_("Follow up with %(person)s: %(title)s") % {"person": customer_owner, "title": title})[
            :TITLE_LENGTH
        ]


def remove_action(*, tenant: Tenant, action_id: int, member: Membership | None = None) -> Pack:
    """Take an action back; its task is cancelled unless it is done."""
    pack_id = PackAction.objects.values_list("pack_id", flat=True).get(tenant=tenant, pk=action_id)
    pack = locked_pack(tenant, pack_id, member)
    action = PackAction.objects.select_related("task").get(tenant=tenant, pk=action_id)
    if action.task is not None and action.task.state == Task.State.OPEN:
        cancel_task(tenant=tenant, task_id=action.task.pk, member=member)
    _journal(tenant, pack, action, "qbr.action_removed", member)
    action.delete()
    _show(tenant, pack)
    return pack


def _show(tenant: Tenant, pack: Pack) -> None:
    """A pack that can still be changed shows its actions; a frozen one says what it said."""
    if pack.is_frozen or not pack.content:
        return
    material = material_of(
        tenant, pack.account_id, due_on=pack.due_on, language=pack.language, pack_id=pack.pk
    )
    with translation.override(pack.language):
        rewrite_actions(tenant, pack, action_blocks(material, pack.language), empty_reasons()["actions"])


def _journal(tenant: Tenant, pack: Pack, action: PackAction, what: str, member: Membership | None) -> None:
    record_audit(
        tenant=tenant,
        actor=member,
        action=what,
        target=f"pack:{pack.pk}",
        after={"action": action.title, "due_on": action.due_on.isoformat(), "owner": action.owner_id},
    )
