"""The inbox of alerts, and one of them with what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db.models import F, Q, QuerySet

from accounts.models import Membership, Role, Tenant, TimelineEntry
from alerts.models import Alert, Rule, Severity
from alerts.selectors import (
    alerts_of,
    budget_of,
    finding_sentence,
    first_of,
    metric_names,
    most_deserving,
    waiting,
    with_priority,
)
from playbooks.models import Task
from workspace.paging import COUNT_CAP, PAGE_SIZE, Cursor
from workspace.selectors.work import EVERYBODY, MINE

WAITING = "waiting"
STATES = (WAITING, Alert.State.SNOOZED, Alert.State.CLOSED, Alert.State.RESOLVED)


@dataclass(frozen=True)
class AlertFilter:
    """What a list of alerts is narrowed to; each field is a parameter of the address."""

    who: str
    state: str = WAITING
    rule: str = ""
    severity: str = ""

    def parameters(self, default_who: str) -> dict[str, str]:
        """What the address says beside its defaults."""
        said = {
            "who": "" if self.who == default_who else self.who,
            "state": "" if self.state == WAITING else self.state,
            "rule": self.rule,
            "severity": self.severity,
        }
        return {name: value for name, value in said.items() if value}


def default_who(member: Membership) -> str:
    """Whose alerts a member looks at first."""
    return MINE if member.role == Role.CSM else EVERYBODY


def read_alert_filter(parameters: Mapping[str, str], member: Membership) -> AlertFilter:
    """The filter of an address; what cannot be understood is left out."""
    who, state, severity = (parameters.get(name, "") for name in ("who", "state", "severity"))
    if who not in (MINE, EVERYBODY) and not (who.isascii() and who.isdigit() and len(who) < 19):
        who = default_who(member)
    return AlertFilter(
        who=who,
        state=state if state in STATES else WAITING,
        rule=parameters.get("rule", "").replace("\0", "")[:60],
        severity=severity if severity in Severity.values else "",
    )


def _owner(wanted: AlertFilter, member: Membership) -> int | None:
    return member.pk if wanted.who == MINE else None if wanted.who == EVERYBODY else int(wanted.who)


@dataclass(frozen=True)
class AlertLine:
    """An alert with why it fired."""

    alert: Alert
    sentence: str


@dataclass(frozen=True)
class AlertPage:
    """A page of alerts, how many there are up to the cap, and where the next page starts."""

    rows: list[AlertLine]
    total: int
    next_cursor: Cursor | None
    now: list[AlertLine] = field(default_factory=list)  # within the attention budget of who looks
    budget: int = 0  # 0: nobody's inbox, so nothing is held back


def line(alert: Alert, names: Mapping[str, str]) -> AlertLine:
    """An alert with its sentence in the reader's language."""
    return AlertLine(alert, finding_sentence(alert.rule.kind, alert.evidence, names))


def alert_page(
    tenant: Tenant,
    wanted: AlertFilter,
    member: Membership,
    *,
    today: date,
    after: Cursor | None = None,
    limit: int = PAGE_SIZE,
) -> AlertPage:
    """Alerts: waiting ones the most deserving first, the others newest first. At most eight queries.

    Everybody's are sorted by the rank of last night: there may be 100,000 of them.

    In an inbox, those that go to a person and fit into their attention budget stand apart; the rest is in the digest.
    """
    owner = _owner(wanted, member)
    narrowed = alerts_of(tenant, owner_id=owner, rule_key=wanted.rule, severity=wanted.severity)
    now: list[Alert] = []
    budget = 0
    if wanted.state != WAITING:
        counted = narrowed.filter(state=wanted.state)
        found = counted.filter(pk__lt=after.pk) if after is not None else counted
        rows = first_of(found, limit + 1)
        value = None
    elif owner is None:
        counted = waiting(narrowed, today)
        rows = most_deserving(_behind(counted, "rank", after), limit + 1, today=today)
        value = "rank"
    else:
        counted = waiting(narrowed, today)
        found = with_priority(counted, today).order_by(F("priority").desc(), "-pk")
        budget = budget_of_owner(tenant, owner)
        now = first_of(found.exclude(person_reason=""), budget)
        found = found.exclude(pk__in=[alert.pk for alert in now])
        rows = first_of(_behind(found, "priority", after), limit + 1)
        value = "priority"
    total = counted.order_by()[: COUNT_CAP + 1].count()
    more, rows = len(rows) > limit, rows[:limit]
    last = Cursor(getattr(rows[-1], value) if value else None, rows[-1].pk) if more else None
    names = metric_names(tenant)
    shown = [] if after is not None else [line(alert, names) for alert in now]
    return AlertPage([line(alert, names) for alert in rows], total, last, shown, budget)


def _behind(found: QuerySet[Alert], value: str, after: Cursor | None) -> QuerySet[Alert]:
    """What comes behind a place in an order by this value and then by age."""
    if after is None or not isinstance(after.value, int if value == "rank" else (int, float)):
        return found
    return found.filter(Q(**{f"{value}__lt": after.value}) | Q(**{value: after.value}, pk__lt=after.pk))


def budget_of_owner(tenant: Tenant, owner_id: int) -> int:
    """How many alerts may interrupt a member at once."""
    member = Membership.objects.filter(tenant=tenant, pk=owner_id).first()
    return budget_of(tenant, member).alerts if member is not None else 0


@dataclass(frozen=True)
class AlertDetail:
    """An alert, the tasks of its play, and what happened around it."""

    alert: Alert
    sentence: str
    tasks: list[Task]
    around: list[TimelineEntry]


def alert_detail(tenant: Tenant, pk: int) -> AlertDetail | None:
    """One alert; four queries."""
    alert = (
        alerts_of(tenant)
        .filter(pk=pk)
        .select_related("closed_by__user", "rule", "account__owner__user", "assignee__user", "run__playbook")
        .first()
    )
    if alert is None:
        return None
    tasks = Task.objects.filter(tenant=tenant, run_id=alert.run_id or 0).select_related(
        "assignee__user", "account", "run__playbook"
    )
    around = (
        TimelineEntry.objects.filter(tenant=tenant, account_id=alert.account_id or 0)
        .select_related("actor__user")
        .order_by("-at", "-pk")
    )
    return AlertDetail(
        alert,
        line(alert, metric_names(tenant)).sentence,
        list(tasks.order_by("due_on", "pk")),
        list(around[:6]),
    )


def rules(tenant: Tenant) -> list[Rule]:
    """Every rule in its order."""
    return list(Rule.objects.filter(tenant=tenant).order_by("position", "key"))
