"""Doing the same to many alerts at once, and taking it back for a moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership, Tenant, TimelineEntry
from accounts.services import record_audit
from alerts import timeline
from alerts.models import Alert, Deed
from alerts.rights import may_handle
from outreach.services import notify_members
from playbooks.services import assignable

from .delivery import NOTICE
from .evaluation import OPEN_STATES, lock_alerts
from .findings import check_snooze, check_verdict

MOST_AT_ONCE = 500
UNDO_SECONDS = 10  # that people are shown
UNDO_PATIENCE = timedelta(seconds=UNDO_SECONDS + 20)  # for who presses in the last moment on a slow line
KEPT = (
    *("state", "ended_on", "snoozed_until", "snooze_reason", "close_verdict", "close_note"),
    *("closed_at", "closed_by_id", "first_action_at"),
)
ASSIGN = "assign"
KEPT_ASSIGNING = ("assignee_id", "first_action_at")


# In which states an alert must still be for a deed to be taken back.
UNDOES = {"close": [Alert.State.CLOSED], "snooze": [Alert.State.SNOOZED], ASSIGN: list(OPEN_STATES)}


@dataclass(frozen=True)
class Done:
    """What was done to how many, and how many could not be: not theirs, or ended meanwhile."""

    deed: Deed | None
    done: int
    left_out: int


def close_alerts(
    *,
    tenant: Tenant,
    member: Membership | None,
    alert_ids: Collection[int],
    verdict: str,
    note: str = "",
) -> Done:
    """Close many alerts with one verdict."""
    check_verdict(verdict)
    changes: dict[str, Any] = {
        "state": Alert.State.CLOSED,
        "close_verdict": verdict,
        "close_note": note,
        "closed_by": member,
        "closed_at": timezone.now(),
        "ended_on": tenant.today(),
    }
    said = {"verdict": verdict, "note": note}
    return _do(tenant, member, alert_ids, "close", timeline.ALERT_CLOSED, changes, said)


def snooze_alerts(
    *,
    tenant: Tenant,
    member: Membership | None,
    alert_ids: Collection[int],
    until: date,
    reason: str,
) -> Done:
    """Put many alerts aside until one date, for one reason."""
    check_snooze(tenant, until, reason)
    reason = reason.strip()[:300]
    changes = {"state": Alert.State.SNOOZED, "snoozed_until": until, "snooze_reason": reason}
    said = {"until": until.isoformat(), "reason": reason}
    return _do(tenant, member, alert_ids, "snooze", timeline.ALERT_SNOOZED, changes, said)


def assign_alerts(
    *, tenant: Tenant, member: Membership | None, alert_ids: Collection[int], assignee_id: int
) -> Done:
    """Give many alerts to one member, who is told once however many they are."""
    assignable(tenant, assignee_id)
    changes = {"assignee_id": assignee_id}
    done = _do(tenant, member, alert_ids, ASSIGN, timeline.ALERT_ASSIGNED, changes, {"assignee": assignee_id})
    if done.done and (member is None or member.pk != assignee_id):
        _tell_assignee(tenant, assignee_id, done)
    return done


def _tell_assignee(tenant: Tenant, assignee_id: int, done: Done) -> None:
    assignee = Membership.objects.select_related("user").get(tenant=tenant, pk=assignee_id)
    with translation.override(assignee.user.language or tenant.language):
        title = ngettext(
            "%(count)s alert was assigned to you", "%(count)s alerts were assigned to you", done.done
        )
        title %= {"count": done.done}
    stamp = str(done.deed.pk) if done.deed is not None else timezone.now().isoformat()
    notify_members(
        tenant=tenant,
        members=[assignee],
        kind=NOTICE,
        title=title,
        body="",
        url="/alerts/?who=mine",
        dedupe_key=f"alerts-assigned-{stamp}",
    )


def _do(
    tenant: Tenant,
    member: Membership | None,
    alert_ids: Collection[int],
    action: str,
    kind: str,
    changes: dict[str, Any],
    said: dict[str, Any],
) -> Done:
    if not alert_ids:
        raise ValidationError(_("Choose at least one alert."), code="none")
    if len(alert_ids) > MOST_AT_ONCE:
        raise ValidationError(
            _("Choose at most %(most)s alerts at once.") % {"most": MOST_AT_ONCE}, code="too_many"
        )
    lock_alerts(tenant)
    found = Alert.objects.filter(tenant=tenant, pk__in=set(alert_ids), state__in=OPEN_STATES)
    chosen = [
        alert for alert in found.select_related("account", "rule").order_by("pk") if may_handle(member, alert)
    ]
    left_out = len(set(alert_ids)) - len(chosen)
    if not chosen:
        return Done(None, 0, left_out)
    now = timezone.now()
    deed = (
        Deed.objects.create(
            tenant=tenant,
            member=member,
            action=action,
            before=[{"id": alert.pk, **_kept(alert, action), **_aim(action, changes)} for alert in chosen],
            created_at=now,
        )
        if member is not None
        else None
    )
    Alert.objects.filter(tenant=tenant, pk__in=[alert.pk for alert in chosen]).update(
        **changes, first_action_at=Coalesce(F("first_action_at"), now)
    )
    _note(tenant, chosen, kind, member, said, now)
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target="alerts",
        before={"alerts": [alert.pk for alert in chosen]},
        after=said,
    )
    return Done(deed, len(chosen), left_out)


def _aim(action: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Whom a deed gives its alerts to: only what is still theirs is taken back."""
    return {"to": changes["assignee_id"]} if action == ASSIGN else {}


def _names(action: str) -> tuple[str, ...]:
    return KEPT_ASSIGNING if action == ASSIGN else KEPT


def _kept(alert: Alert, action: str) -> dict[str, Any]:
    values = {name: getattr(alert, name) for name in _names(action)}
    return {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in values.items()
    }


def undo_deed(*, tenant: Tenant, member: Membership, deed_id: int) -> int:
    """Take a deed back: its alerts are as they were, but for those that somebody touched since; returns how many."""
    lock_alerts(tenant)
    deed = Deed.objects.select_for_update().get(tenant=tenant, pk=deed_id)
    if deed.undone_at is not None:
        raise ValidationError(_("This has been taken back already."), code="undone")
    if timezone.now() - deed.created_at > UNDO_PATIENCE:
        raise ValidationError(_("It is too late to take this back; open the alerts one by one."), code="late")
    before = {row["id"]: row for row in deed.before}
    found = Alert.objects.filter(tenant=tenant, pk__in=list(before), state__in=UNDOES[deed.action])
    chosen = list(found.select_related("account", "rule").order_by("pk"))
    if deed.action == ASSIGN:  # who gave it away may not handle it any more, and may still take it back
        chosen = [alert for alert in chosen if alert.assignee_id == before[alert.pk]["to"]]
        mine = deed.member_id == member.pk
    else:
        mine = False
    chosen = [alert for alert in chosen if mine or may_handle(member, alert)]
    taken = _open_again(tenant, chosen) if deed.action == "close" else set()
    chosen = [alert for alert in chosen if (alert.rule_id, alert.account_id, alert.subject) not in taken]
    for alert in chosen:
        for name in _names(deed.action):
            field: Any = Alert._meta.get_field(name.removesuffix("_id"))
            setattr(alert, name, field.to_python(before[alert.pk][name]))
    Alert.objects.bulk_update(chosen, [name.removesuffix("_id") for name in _names(deed.action)])
    deed.undone_at = timezone.now()
    deed.save(update_fields=["undone_at"])
    kind = timeline.ALERT_ASSIGNED if deed.action == ASSIGN else timeline.ALERT_REOPENED
    _note(tenant, chosen, kind, member, {"undone": True} if deed.action == ASSIGN else {}, deed.undone_at)
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target="alerts",
        before={"action": deed.action},
        after={"alerts": [alert.pk for alert in chosen]},
    )
    return len(chosen)


def _open_again(tenant: Tenant, chosen: Sequence[Alert]) -> set[tuple[int, int | None, str]]:
    """What the rules have opened again meanwhile."""
    rows = Alert.objects.filter(
        tenant=tenant, state__in=OPEN_STATES, rule_id__in={alert.rule_id for alert in chosen}
    )
    return set(rows.values_list("rule_id", "account_id", "subject"))


def _note(
    tenant: Tenant,
    alerts: Sequence[Alert],
    kind: str,
    member: Membership | None,
    said: dict[str, Any],
    at: datetime,
) -> None:
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            tenant=tenant,
            account_id=alert.account_id,
            kind=kind,
            at=at,
            actor=member,
            title=alert.rule.name[:300],
            data={"alert": alert.pk, "rule": alert.rule.key, "subject": alert.subject, **said},
        )
        for alert in alerts
        if alert.account_id is not None
    )
