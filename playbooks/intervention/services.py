"""Writes of intervention: hand-offs, settings, training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Tenant
from accounts.services import record_audit, record_timeline
from outreach.services import notify_members
from playbooks.models import Priority
from playbooks.rights import demand_account
from playbooks.services import create_task
from playbooks.workdays import add_working_days

from . import timeline
from .models import Handoff, InterventionSettings, TrainingCompletion, TrainingModule
from .selectors import modules_of

Way = Handoff.Way
LEAST_WORDS = 3  # of what happened: "see ticket" tells nobody anything
TASK_WORKING_DAYS = 1


def hand_off(
    *,
    tenant: Tenant,
    account_id: int,
    way: str,
    case: str,
    situation: str,
    tried: str = "",
    next_step: str = "",
    to_member_id: int | None = None,
    outside: str = "",
    member: Membership | None = None,
) -> Handoff:
    """Hand an account over with the summary that the receiver needs.

    The receiver gets a task and a notification; an account that a CSM takes over belongs to that CSM from now on and is no
    longer looked after by automation alone; one that goes back is.
    """
    account = Account.objects.select_related("owner__user").get(tenant=tenant, pk=account_id)
    demand_account(member, account)
    receiver = _check(
        tenant, way, case, situation=situation, tried=tried, next_step=next_step,
        to_member_id=to_member_id, outside=outside,
    )  # fmt: skip
    handoff = Handoff(
        tenant=tenant,
        account=account,
        way=way,
        case=case,
        situation=situation.strip()[:4000],
        tried=tried.strip()[:4000],
        next_step=next_step.strip()[:4000],
        from_member=member,
        to_member=receiver,
        outside="" if receiver else outside.strip()[:200],
        at=timezone.now(),
    )
    before = {"owner": account.owner_id, "touch_model": account.touch_model}
    _move(account, handoff)
    handoff.task = _task(tenant, handoff, account, member)
    handoff.save()
    after = {"owner": account.owner_id, "touch_model": account.touch_model, "to": str(receiver or outside)}
    record_timeline(
        tenant=tenant,
        account_id=account.pk,
        kind=timeline.HANDED,
        at=handoff.at,
        title=f"{handoff.get_way_display()}: {handoff.situation}"[:300],
        actor=member,
        data={
            "handoff": handoff.pk,
            "way": way,
            "case": case,
            "situation": handoff.situation,
            "tried": handoff.tried,
            "next_step": handoff.next_step,
            **after,
        },
    )
    record_audit(
        tenant=tenant, actor=member, action="handoff.made", target=f"account:{account.pk}",
        before=before, after=after | {"way": way, "case": case},
    )  # fmt: skip
    if receiver is not None and (member is None or receiver.pk != member.pk):
        _tell(tenant, handoff, receiver)
    return handoff


def _check(
    tenant: Tenant,
    way: str,
    case: str,
    *,
    situation: str,
    tried: str,
    next_step: str,
    to_member_id: int | None,
    outside: str,
) -> Membership | None:
    """The receiver; what is missing is raised by field."""
    wrong: dict[str, str] = {}
    if way not in Way.values:
        wrong["way"] = _("Choose who takes over.")
    if case not in Handoff.Case.values:
        wrong["case"] = _("Choose why.")
    if len(situation.split()) < LEAST_WORDS:
        wrong["situation"] = _("Say in a sentence what happened; whoever takes over has not seen it.")
    if way != Way.TO_AUTOMATION:
        if not tried.strip():
            wrong["tried"] = _("Say what was tried, or that nothing was.")
        if not next_step.strip():
            wrong["next_step"] = _("Say what is missing, and what should happen next.")
    receiver = None
    if way == Way.TO_CSM or (way == Way.TO_SALES and to_member_id is not None):
        receiver = (
            Membership.objects.select_related("user")
            .filter(tenant=tenant, pk=to_member_id or 0, is_active=True)
            .exclude(role="viewer")
            .first()
        )
        if receiver is None:
            wrong["to"] = _("Choose an active member who may work on accounts.")
    elif way == Way.TO_SALES and not outside.strip():
        wrong["to"] = _("Choose a member, or name somebody outside.")
    if wrong:
        raise ValidationError(wrong)
    return receiver


def _move(account: Account, handoff: Handoff) -> None:
    """Whose the account is from now on."""
    fields = []
    if handoff.way == Way.TO_CSM and handoff.to_member is not None:
        if account.owner_id != handoff.to_member.pk:
            account.owner = handoff.to_member
            fields.append("owner")
        if account.touch_model in ("", Account.TouchModel.TECH):
            account.touch_model = Account.TouchModel.NAMED
            fields.append("touch_model")
    elif handoff.way == Way.TO_AUTOMATION and account.touch_model != Account.TouchModel.TECH:
        account.touch_model = Account.TouchModel.TECH
        fields.append("touch_model")
    if fields:
        account.save(update_fields=[*fields, "updated_at"])


def _task(tenant: Tenant, handoff: Handoff, account: Account, member: Membership | None) -> Any:
    """The receiver's first task; of somebody outside the sender keeps watch."""
    if handoff.way == Way.TO_AUTOMATION:
        return None
    receiver = handoff.to_member or member
    reader = handoff.to_member.user.language if handoff.to_member else ""
    with translation.override(reader or tenant.language):
        if handoff.to_member is None:
            title = _("Ask %(who)s what became of %(account)s") % {
                "who": handoff.outside,
                "account": account.name,
            }
        elif handoff.way == Way.TO_CSM:
            title = _("Take over %(account)s: read the summary, get in touch") % {"account": account.name}
        else:
            title = _("Take over %(account)s for sales: read the summary, get in touch") % {
                "account": account.name
            }
        body = "\n\n".join(
            f"{word}: {text}"
            for word, text in (
                (_("What happened"), handoff.situation),
                (_("What was tried"), handoff.tried),
                (_("Next step"), handoff.next_step),
            )
            if text
        )
    return create_task(
        tenant=tenant,
        account_id=account.pk,
        title=title,
        body=body,
        due_on=add_working_days(tenant.today(), TASK_WORKING_DAYS),
        assignee_id=receiver.pk if receiver else None,
        priority=Priority.HIGH,
    )


def _tell(tenant: Tenant, handoff: Handoff, receiver: Membership) -> None:
    with translation.override(receiver.user.language or tenant.language):
        title = _("%(account)s is handed over to you") % {"account": handoff.account.name}
    notify_members(
        tenant=tenant,
        members=[receiver],
        kind=timeline.HANDED,
        title=title,
        body=handoff.situation,
        url=f"/accounts/{handoff.account_id}/work/",
        account=handoff.account,
        dedupe_key=f"handoff:{handoff.pk}",
        email=True,
    )


SETTINGS_FIELDS = (
    "back_after_days", "named_least", "named_most", "pooled_least", "pooled_most", "to_csm_process",
    "to_sales_process",
)  # fmt: skip


def save_intervention(
    *, tenant: Tenant, values: Mapping[str, Any], member: Membership | None = None
) -> InterventionSettings:
    """Keep how intervention is done here; saving it says that it was decided."""
    row = InterventionSettings.objects.filter(tenant=tenant).first() or InterventionSettings(tenant=tenant)
    before = {name: getattr(row, name) for name in SETTINGS_FIELDS}
    for name in SETTINGS_FIELDS:
        if name in values:
            setattr(row, name, values[name])
    wrong = {}
    if row.named_least > row.named_most:
        wrong["named_most"] = _("The range ends below its beginning.")
    if row.pooled_least > row.pooled_most:
        wrong["pooled_most"] = _("The range ends below its beginning.")
    if wrong:
        raise ValidationError(wrong)
    row.full_clean(exclude=["tenant", "confirmed_by"], validate_constraints=False, validate_unique=False)
    row.confirmed_at, row.confirmed_by = timezone.now(), member
    row.save()
    record_audit(
        tenant=tenant, actor=member, action="intervention.saved", target="intervention",
        before=before, after={name: getattr(row, name) for name in SETTINGS_FIELDS},
    )  # fmt: skip
    return row


def complete_training(*, tenant: Tenant, member: Membership, key: str, done: bool = True) -> None:
    """Say that a member has done a module, or take it back."""
    versions = {module.key: module.version for module in modules_of(tenant)}
    if key not in versions:
        raise TrainingModule.DoesNotExist(key)
    if not done:
        TrainingCompletion.objects.filter(tenant=tenant, member=member, key=key).delete()
        return
    TrainingCompletion.objects.update_or_create(
        tenant=tenant, member=member, key=key,
        defaults={"version": versions[key], "done_at": timezone.now()},
    )  # fmt: skip


def save_module(
    *,
    tenant: Tenant,
    key: str = "",
    title: str,
    body: str,
    read_again: bool = False,
    member: Membership | None = None,
) -> TrainingModule:
    """Rewrite a module, or with no key add one; with `read_again` everybody has to do it anew."""
    wrong = {}
    if not title.strip():
        wrong["title"] = _("Give the module a title.")
    if not body.strip():
        wrong["body"] = _("Write what CSMs should know.")
    if wrong:
        raise ValidationError(wrong)
    known = {module.key: module for module in modules_of(tenant)}
    if key and key not in known:
        raise TrainingModule.DoesNotExist(key)
    if not key:
        word = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40] or "module"
        key = next(one for one in (f"own_{word}{n or ''}" for n in range(len(known) + 1)) if one not in known)
    version = known[key].version + int(read_again) if key in known else 1
    position = known[key].position if key in known else 1000 + len(known)
    module, _created = TrainingModule.objects.update_or_create(
        tenant=tenant,
        key=key,
        defaults={
            "title": title.strip()[:200],
            "body": body.strip()[:20000],
            "version": version,
            "position": position,
        },
    )
    record_audit(
        tenant=tenant, actor=member, action="training.saved", target=f"training:{key}",
        before={"title": known[key].title} if key in known else None,
        after={"title": module.title, "version": version},
    )  # fmt: skip
    return module


def restore_module(*, tenant: Tenant, key: str, member: Membership | None = None) -> None:
    """Go back to the shipped text of a module, or remove one of the tenant's own."""
    TrainingModule.objects.get(tenant=tenant, key=key).delete()
    record_audit(tenant=tenant, actor=member, action="training.restored", target=f"training:{key}")
