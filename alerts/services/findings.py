"""What people do with an alert: close it with a verdict, snooze it, open it again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit, record_timeline
from alerts import timeline
from alerts.models import Alert
from alerts.rights import demand_alert

from .evaluation import OPEN_STATES, lock_alerts
from .ranks import rank_alerts

MAX_SNOOZE_DAYS = 180


def close_alert(
    *, tenant: Tenant, alert_id: int, verdict: str, note: str = "", member: Membership | None = None
) -> Alert:
    """Close an alert and say whether it was useful, noise or already known; its play goes on."""
    check_verdict(verdict)
    alert = _open(tenant, alert_id, member)
    before = alert.state
    alert.state, alert.close_verdict, alert.close_note = Alert.State.CLOSED, verdict, note
    alert.closed_by, alert.closed_at, alert.ended_on = member, timezone.now(), tenant.today()
    _save(alert, "state", "close_verdict", "close_note", "closed_by", "closed_at", "ended_on")
    _journal(
        tenant, alert, timeline.ALERT_CLOSED, member, {"state": before}, {"verdict": verdict, "note": note}
    )
    return alert


def snooze_alert(
    *, tenant: Tenant, alert_id: int, until: date, reason: str, member: Membership | None = None
) -> Alert:
    """Put an alert aside until a date; until then the rule does not fire again for the same thing."""
    check_snooze(tenant, until, reason)
    alert = _open(tenant, alert_id, member)
    before = {"state": alert.state, "until": alert.snoozed_until.isoformat() if alert.snoozed_until else None}
    alert.state, alert.snoozed_until, alert.snooze_reason = Alert.State.SNOOZED, until, reason.strip()[:300]
    _save(alert, "state", "snoozed_until", "snooze_reason")
    after = {"until": until.isoformat(), "reason": alert.snooze_reason}
    _journal(tenant, alert, timeline.ALERT_SNOOZED, member, before, after)
    return alert


def check_verdict(verdict: str) -> None:
    """Raise `ValidationError` unless it is a verdict."""
    if verdict not in Alert.Verdict.values:
        raise ValidationError({"verdict": _("Say whether the alert was useful, noise or already known.")})


def check_snooze(tenant: Tenant, until: date, reason: str) -> None:
    """Raise `ValidationError` unless the date lies ahead, not too far, and there is a reason."""
    problems = {}
    today = tenant.today()
    if not today < until <= today + timedelta(days=MAX_SNOOZE_DAYS):
        problems["until"] = _("Choose a date from tomorrow to %(days)s days ahead.") % {
            "days": MAX_SNOOZE_DAYS
        }
    if not reason.strip():
        problems["reason"] = _("Say why it can wait.")
    if problems:
        raise ValidationError(problems)


def reopen_alert(*, tenant: Tenant, alert_id: int, member: Membership | None = None) -> Alert:
    """Undo closing, resolving or snoozing; refused when the rule has meanwhile opened another one for the same thing."""
    alert = _locked(tenant, alert_id, member)
    if alert.state == Alert.State.OPEN:
        return alert
    same = Alert.objects.filter(
        tenant=tenant,
        rule_id=alert.rule_id,
        account=alert.account,
        subject=alert.subject,
        state__in=OPEN_STATES,
    )
    if same.exclude(pk=alert.pk).exists():
        raise ValidationError(_("The same alert is already open again."), code="open")
    before, alert.state = alert.state, Alert.State.OPEN
    alert.ended_on = alert.snoozed_until = alert.closed_at = alert.closed_by = None
    alert.close_verdict = alert.close_note = alert.snooze_reason = ""
    _save(
        alert,
        "state",
        "ended_on",
        "snoozed_until",
        "closed_at",
        "closed_by",
        "close_verdict",
        "close_note",
        "snooze_reason",
    )
    rank_alerts(tenant, tenant.today(), only=alert.pk)  # while it had ended no night ranked it
    alert.refresh_from_db(fields=["rank"])
    _journal(tenant, alert, timeline.ALERT_REOPENED, member, {"state": before}, {"state": alert.state})
    return alert


def _locked(tenant: Tenant, alert_id: int, member: Membership | None) -> Alert:
    lock_alerts(tenant)
    alert = Alert.objects.select_related("account", "rule").get(tenant=tenant, pk=alert_id)
    demand_alert(member, alert)
    return alert


def _open(tenant: Tenant, alert_id: int, member: Membership | None) -> Alert:
    alert = _locked(tenant, alert_id, member)
    if alert.state not in OPEN_STATES:
        raise ValidationError(_("This alert has already ended."), code="ended")
    return alert


def _save(alert: Alert, *fields: str) -> None:
    if alert.first_action_at is None:
        alert.first_action_at = timezone.now()
        fields = (*fields, "first_action_at")
    alert.save(update_fields=fields)


def _journal(
    tenant: Tenant,
    alert: Alert,
    kind: str,
    member: Membership | None,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    if alert.account_id is not None:
        record_timeline(
            tenant=tenant,
            account_id=alert.account_id,
            kind=kind,
            at=timezone.now(),
            title=alert.rule.name,
            actor=member,
            data={"alert": alert.pk, "rule": alert.rule.key, "subject": alert.subject, **after},
        )
    record_audit(
        tenant=tenant,
        actor=member,
        action=kind.replace("_", ".", 1),
        target=f"alert:{alert.pk}",
        before=before,
        after=after,
    )
