"""Everything the account page shows, part by part; each part has a constant number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

from django.db import connection
from django.db.models import Count, F, Q, QuerySet

from accounts.models import Account, AccountFile, Invoice, Subscription, Tenant, Ticket
from alerts.models import Alert
from playbooks.models import Run, Task
from scoring.models import CurrentScore, Override, Sentiment, StoredScore, Version
from scoring.overrides.selectors import override_history, sentiment_history
from scoring.selectors.trends import Trend, score_trends

HEALTH = 1
HISTORY_DAYS = 366
NEXT_STEPS = 5
# In one statement, because every tab of every account asks both.
_OPEN = """
SELECT (SELECT count(*) FROM alerts_alert WHERE tenant_id = %(tenant)s AND account_id = %(account)s AND state = %(alert)s),
       (SELECT count(*) FROM playbooks_task WHERE tenant_id = %(tenant)s AND account_id = %(account)s AND state = %(task)s)
"""
_ROOM = """
SELECT (SELECT coalesce(sum(size), 0) FROM accounts_filecontent WHERE tenant_id = %(tenant)s),
       (SELECT file_quota_mb FROM accounts_tenantsettings WHERE tenant_id = %(tenant)s)
"""
Scored: TypeAlias = tuple[date, float | None, int]  # day, score, version


@dataclass(frozen=True)
class Header:
    """The account, its newest score, and how much is open."""

    account: Account
    current: CurrentScore | None
    open_alerts: int
    open_tasks: int
    days_to_renewal: int | None
    override: Override | None  # the one that stands
    overrides: list[Override]
    trend: Trend | None
    sentiments: list[Sentiment]

    @property
    def sentiment(self) -> Sentiment | None:
        """The one that counts: the newest, unless it was a former owner's."""
        return next((one for one in self.sentiments if one.ended_on is None), None)


def header(tenant: Tenant, pk: int, today: date) -> Header | None:
    """The head of the page; None when there is no such account. Six queries."""
    account = Account.objects.filter(tenant=tenant, pk=pk).select_related("owner__user", "parent").first()
    if account is None:
        return None
    current = (
        CurrentScore.objects.filter(tenant=tenant, kind=HEALTH, account_id=pk)
        .select_related("version__model", "exception")
        .first()
    )
    alerts, tasks = _open_work(tenant, pk)
    overrides = override_history(tenant, pk)
    renewal = account.renewal_on
    return Header(
        account=account,
        current=current,
        open_alerts=alerts,
        open_tasks=tasks,
        days_to_renewal=(renewal - today).days if renewal and renewal >= today else None,
        override=next((one for one in overrides if one.counts_on(today)), None),
        overrides=overrides,
        trend=score_trends(tenant, [pk]).get(pk),
        sentiments=sentiment_history(tenant, pk),
    )


def _open_work(tenant: Tenant, pk: int) -> tuple[int, int]:
    """How many alerts and tasks are open; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN,
            {"tenant": tenant.pk, "account": pk, "alert": Alert.State.OPEN, "task": Task.State.OPEN},
        )
        alerts, tasks = cursor.fetchone()
        return alerts, tasks


@dataclass(frozen=True)
class Step:
    """One thing to do next at an account: an alert to look at or a task to do."""

    alert: Alert | None = None
    task: Task | None = None


def next_steps(tenant: Tenant, pk: int) -> list[Step]:
    """Open alerts, worst first, then open tasks by date. Two queries."""
    rank = {"high": 0, "medium": 1, "low": 2}
    alerts = sorted(
        Alert.objects.filter(tenant=tenant, account_id=pk, state=Alert.State.OPEN).select_related(
            "rule", "run__playbook"
        ),
        key=lambda alert: (rank[alert.severity], alert.opened_on, alert.pk),
    )
    tasks = (
        Task.objects.filter(tenant=tenant, account_id=pk, state=Task.State.OPEN)
        .select_related("assignee__user", "run__playbook")
        .order_by("due_on", "priority", "pk")[:NEXT_STEPS]
    )
    return [*(Step(alert=alert) for alert in alerts[:NEXT_STEPS]), *(Step(task=task) for task in tasks)]


@dataclass(frozen=True)
class History:
    """One score per day, with the versions that made them."""

    days: list[date]
    scores: list[float | None]
    versions: list[tuple[date, str]]
    healthy_above: float
    critical_below: float


def year_of_scores(tenant: Tenant, pk: int, today: date) -> list[Scored]:
    """What was stored in a year, rising; one query."""
    return list(
        StoredScore.objects.filter(
            tenant=tenant, kind=HEALTH, account_id=pk, day__gte=today - timedelta(days=HISTORY_DAYS)
        )
        .order_by("day")
        .values_list("day", "score", "version_id")
    )


def score_history(rows: Sequence[Scored], versions: Mapping[int, Version]) -> History | None:
    """The scores of a year with the day on which each version began."""
    if not rows:
        return None
    starts, last = [], None
    for day, _score, version_id in rows:
        if version_id != last and last is not None:
            starts.append((day, str(versions[version_id])))
        last = version_id
    newest = versions[rows[-1][2]]
    return History(
        days=[row[0] for row in rows],
        scores=[row[1] for row in rows],
        versions=starts,
        healthy_above=newest.healthy_above,
        critical_below=newest.critical_below,
    )


@dataclass(frozen=True)
class Work:
    """Alerts, runs and tasks of an account."""

    alerts: list[Alert]
    runs: list[Run]
    tasks: list[Task]


def work(tenant: Tenant, pk: int, limit: int = 100) -> Work:
    """What was found and what is being done, open things first; three queries."""
    alerts = Alert.objects.filter(tenant=tenant, account_id=pk).select_related("rule").order_by("-pk")[:limit]
    runs: QuerySet[Run] = (
        Run.objects.filter(tenant=tenant, account_id=pk)
        .select_related("playbook")
        .annotate(  # type: ignore[no-redef]  # the model declares tasks_done for its readers
            tasks_all=Count("tasks", filter=~Q(tasks__state=Task.State.CANCELLED)),
            tasks_done=Count("tasks", filter=Q(tasks__state=Task.State.DONE)),
        )
        .order_by("-started_on", "-pk")[:limit]
    )
    tasks = (
        Task.objects.filter(tenant=tenant, account_id=pk)
        .select_related("assignee__user", "run__playbook", "account")
        .order_by("due_on", "pk")[:limit]
    )
    ended = {Alert.State.CLOSED, Alert.State.RESOLVED}
    return Work(
        alerts=sorted(alerts, key=lambda alert: alert.state in ended),
        runs=sorted(runs, key=lambda run: run.state != Run.State.RUNNING),
        tasks=sorted(tasks, key=lambda task: (task.state != Task.State.OPEN, task.due_on)),
    )


@dataclass(frozen=True)
class Records:
    """What other systems report about an account."""

    tickets: list[Ticket]
    invoices: list[Invoice]
    subscriptions: list[Subscription]


def records(tenant: Tenant, pk: int, limit: int = 100) -> Records:
    """Tickets, invoices and subscriptions, newest first; three queries."""
    return Records(
        tickets=sorted(
            Ticket.objects.filter(tenant=tenant, account_id=pk).order_by("-opened_at")[:limit],
            key=lambda ticket: ticket.resolved_at is not None,
        ),
        invoices=list(
            Invoice.objects.filter(tenant=tenant, account_id=pk).order_by(
                F("due_on").desc(nulls_last=True), "-pk"
            )[:limit]
        ),
        subscriptions=list(
            Subscription.objects.filter(tenant=tenant, account_id=pk).order_by("ends_on", "-starts_on")[
                :limit
            ]
        ),
    )


@dataclass(frozen=True)
class Files:
    """The files of an account, newest first, and how much room the company has left."""

    files: list[AccountFile]
    used_mb: int
    quota_mb: int


def files(tenant: Tenant, pk: int, limit: int = 200) -> Files:
    """What was put at an account; two queries."""
    found = AccountFile.objects.filter(tenant=tenant, account_id=pk, deleted_at=None)
    with connection.cursor() as cursor:
        cursor.execute(_ROOM, {"tenant": tenant.pk})
        used, quota = cursor.fetchone()
    return Files(
        files=list(found.select_related("uploaded_by__user").order_by("-uploaded_at", "-pk")[:limit]),
        used_mb=round(int(used) / 1024 / 1024),
        quota_mb=quota,
    )
