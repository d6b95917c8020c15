"""How alerts reach people and other systems besides the inbox, which always has them.

Only alerts that go to a person interrupt one, by the channels of their rule, and nobody more often a night than their
attention budget allows: the rest waits in the digest. Other systems are told of every alert of a rule with that channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F
from django.utils import translation

from accounts.models import Membership, Role, Tenant
from accounts.visibility import Visibility, seeing, visibilities_of
from alerts.events import ALERT_OPENED, ALERT_RESOLVED
from alerts.models import Alert, Channel
from alerts.probes import Night
from alerts.selectors import budgets_of, finding_sentence, metric_names, with_priority
from outreach.models import Endpoint
from outreach.services import notify_members, post_to_slack, publish_event

from .writing import Change, Opened

NOTICE = "alert"
TO_PEOPLE = (Channel.IN_APP, Channel.EMAIL, Channel.SLACK)


def deliver(night: Night, opened: Sequence[Opened], changes: Sequence[Change]) -> None:
    """Tell people and systems about a night's alerts, everybody in their language."""
    tenant = night.tenant
    wanted = [a.id for a in opened if a.person_reason and set(a.rule.channels) & set(TO_PEOPLE)]
    if wanted:
        _tell_people(tenant, _read(tenant, wanted))
    if Endpoint.objects.filter(tenant=tenant).exists():
        hooked = [a.id for a in opened if Channel.WEBHOOK in a.rule.channels]
        ended = [
            change.before.memory.open[key].id
            for change in changes
            if Channel.WEBHOOK in change.rule.channels
            for key in change.moves.resolved
        ]
        for event, ids in ((ALERT_OPENED, hooked), (ALERT_RESOLVED, ended)):
            for alert in _read(tenant, ids) if ids else ():
                publish_event(
                    tenant=tenant,
                    event_type=event,
                    data=_data(alert),
                    account=alert.account,
                    dedupe_key=f"{event}-{alert.pk}-{night.day.isoformat()}",
                )


def _read(tenant: Tenant, ids: Sequence[int]) -> list[Alert]:
    """These alerts with what is said of them, the most deserving first."""
    found = Alert.objects.filter(tenant=tenant, pk__in=ids).select_related("rule", "account__owner__user")
    return list(with_priority(found, tenant.today()).order_by(F("priority").desc(), "-pk"))


def _tell_people(tenant: Tenant, alerts: Sequence[Alert]) -> None:
    managers = list(
        Membership.objects.filter(tenant=tenant, role=Role.MANAGER, is_active=True).select_related("user")
    )
    by_member: dict[int, list[Alert]] = {}
    people: dict[int, Membership] = {}
    for alert in alerts:
        for member in recipients(alert, managers):
            people[member.pk] = member
            by_member.setdefault(member.pk, []).append(alert)
    budgets = budgets_of(tenant, list(people.values()))
    names: dict[str, Mapping[str, str]] = {}
    eyes = visibilities_of(tenant, people.values())
    for pk, mine in by_member.items():
        language = people[pk].user.language or tenant.language
        # Only how amounts are worded: whether an account is seen is asked where it is told.
        with translation.override(language), seeing(Visibility(money=eyes[pk].money)):
            if language not in names:
                names[language] = metric_names(tenant)
            for alert in mine[: budgets[pk].alerts]:
                if {Channel.IN_APP, Channel.EMAIL} & set(alert.rule.channels):
                    _notify(tenant, people[pk], alert, names[language])
    with translation.override(tenant.language):
        called = metric_names(tenant)
        most = max((budget.alerts for budget in budgets.values()), default=0)
        for alert in [a for a in alerts if Channel.SLACK in a.rule.channels][:most]:
            post_to_slack(
                tenant=tenant,
                text=f"{title_of(alert)}. {finding_sentence(alert.rule.kind, alert.evidence, called)}",
                url=path_of(alert),
                dedupe_key=f"alert-{alert.pk}",
                account=alert.account,
            )


def recipients(alert: Alert, managers: Sequence[Membership]) -> list[Membership]:
    """The account's owner; where nobody owns it, or it is about no account, the managers."""
    owner = alert.account.owner if alert.account is not None else None
    return [owner] if owner is not None and owner.is_active else list(managers)


def _notify(tenant: Tenant, member: Membership, alert: Alert, names: Mapping[str, str]) -> None:
    notify_members(
        tenant=tenant,
        members=[member],
        kind=NOTICE,
        title=title_of(alert),
        body=finding_sentence(alert.rule.kind, alert.evidence, names),
        url=path_of(alert),
        account=alert.account,
        dedupe_key=f"alert-{alert.pk}",
        email=Channel.EMAIL in alert.rule.channels,
    )


def title_of(alert: Alert) -> str:
    """Account and rule."""
    return f"{alert.account or alert.subject}: {alert.rule.name}"


def path_of(alert: Alert) -> str:
    """Where the alert's page is, inside the tenant."""
    return f"/alerts/{alert.pk}/"


def _data(alert: Alert) -> dict[str, Any]:
    """An alert as other systems get it."""
    return {
        "id": alert.pk,
        "account_id": alert.account.external_id if alert.account else None,
        "rule": alert.rule.key,
        "name": alert.rule.name,
        "subject": alert.subject or None,
        "severity": alert.severity,
        "state": alert.state,
        "opened_on": alert.opened_on.isoformat(),
        "ended_on": alert.ended_on.isoformat() if alert.ended_on else None,
        "person_reason": alert.person_reason or None,
        "evidence": alert.evidence,
    }
