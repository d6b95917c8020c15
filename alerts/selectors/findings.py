"""Reads of alerts; each takes a number of queries that does not depend on how many rows there are."""

from __future__ import annotations

from datetime import date
from math import log

from django.db.models import (
    Case,
    DateField,
    F,
    FilteredRelation,
    FloatField,
    Func,
    IntegerField,
    Q,
    QuerySet,
    SmallIntegerField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Floor, Greatest, Least, Ln

from accounts.models import Membership, Tenant
from alerts import ranking
from alerts.models import Alert
from alerts.ranking import EXTRA_URGENCY, HORIZON_DAYS, LEAST_RISK, SEVERITY_WEIGHT, UNKNOWN_SCORE
from scoring.models import KIND_CODES


def with_priority(alerts: QuerySet[Alert], today: date) -> QuerySet[Alert]:
    """Annotate the account's current `score` and `band` and the `priority` of `alerts.ranking`."""
    # A join: a sub-select for each of 100,000 open alerts takes seconds.
    current = FilteredRelation(
        "account__current_scores", condition=Q(account__current_scores__kind=KIND_CODES["health"])
    )
    return alerts.annotate(  # type: ignore[no-redef]  # the model declares them for its readers
        current=current, score=F("current__score"), band=F("current__band")
    ).annotate(priority=_priority(today))


def ranked(alerts: QuerySet[Alert], today: date) -> QuerySet[Alert, tuple[int, int]]:
    """`(id, rank_now)` of each: what `Alert.rank` is to be, the logarithm of the priority in steps of a ninth."""
    steps = Floor(Ln(F("priority")) * Value(ranking.RANK_STEPS / log(2)))
    found = with_priority(alerts, today).annotate(rank_now=Cast(steps, SmallIntegerField()))
    return found.order_by().values_list("id", "rank_now")


def most_deserving(alerts: QuerySet[Alert], limit: int, *, today: date) -> list[Alert]:
    """The first ones by the rank of last night, of equal ranks the newest; two queries, of which neither sorts them all."""
    keys = list(alerts.order_by("-rank", "-pk").values_list("pk", flat=True)[:limit])
    return list(with_priority(alerts.filter(pk__in=keys), today).order_by("-rank", "-pk")) if keys else []


def first_of(alerts: QuerySet[Alert], limit: int) -> list[Alert]:
    """The first ones of an order; two queries: what hangs on an alert is read of these only, not of all that are sorted."""
    keys = list(alerts.values_list("pk", flat=True)[:limit])
    return list(alerts.filter(pk__in=keys)) if keys else []


def _priority(today: date) -> Combinable:
    """`ranking.priority` as an SQL expression."""
    number = FloatField()
    value = Greatest(Cast("account__mrr_cents", number), Value(0.0)) / Value(100.0) + Value(1.0)
    weight = Case(
        *(When(severity=key, then=Value(weight)) for key, weight in SEVERITY_WEIGHT.items()),
        output_field=number,
    )
    lost = (Value(100.0) - Coalesce(F("score"), Value(UNKNOWN_SCORE), output_field=number)) / Value(100.0)
    risk = weight * (Value(LEAST_RISK) + Value(1 - LEAST_RISK) * lost)
    left = Least(Greatest(_days_until(today), Value(0.0)), Value(float(HORIZON_DAYS)))
    urgency = Case(
        When(account__renewal_on=None, then=Value(1.0)),
        default=Value(1.0) + Value(EXTRA_URGENCY) * (Value(1.0) - left / Value(float(HORIZON_DAYS))),
        output_field=number,
    )
    return value * risk * urgency


def _days_until(today: date) -> Combinable:
    day = Value(today, output_field=DateField())
    return Cast(
        Func(F("account__renewal_on"), day, template="(%(expressions)s)", arg_joiner=" - "), FloatField()
    )


FREE = Q(assignee=None) | Q(assignee__is_active=False)  # given to nobody who is here


def alerts_of(
    tenant: Tenant,
    *,
    state: str = "",
    account_id: int | None = None,
    rule_key: str = "",
    severity: str = "",
    owner_id: int | None = None,
    verdict: str = "",
) -> QuerySet[Alert]:
    """Alerts with rule, account, people and run, the newest first; each filter is optional.

    An alert is its assignee's, else that of its account's owner, to whom it comes back when the assignee leaves.
    """
    alerts = Alert.objects.filter(tenant=tenant).select_related(
        "rule", "account__owner__user", "assignee__user", "run__playbook"
    )
    if state:
        alerts = alerts.filter(state=state)
    if account_id is not None:
        alerts = alerts.filter(account_id=account_id)
    if rule_key:
        alerts = alerts.filter(rule__key=rule_key)
    if severity:
        alerts = alerts.filter(severity=severity)
    if owner_id is not None:
        alerts = alerts.filter(
            Q(assignee_id=owner_id, assignee__is_active=True) | Q(FREE, account__owner_id=owner_id)
        )
    if verdict:
        alerts = alerts.filter(close_verdict=verdict)
    return alerts.order_by("-id")


def open_alerts(
    tenant: Tenant,
    *,
    account_id: int | None = None,
    rule_key: str = "",
    severity: str = "",
    owner_id: int | None = None,
    unowned: bool = False,
    today: date | None = None,
) -> QuerySet[Alert]:
    """What waits for somebody: open alerts, and snoozed ones whose date has come; the most deserving first."""
    today = today or tenant.today()
    alerts = alerts_of(tenant, account_id=account_id, rule_key=rule_key, severity=severity, owner_id=owner_id)
    if unowned:
        alerts = alerts.filter(FREE, account__owner=None)
    return with_priority(waiting(alerts, today), today).order_by(F("priority").desc(), "-id")


def waiting(alerts: QuerySet[Alert], today: date) -> QuerySet[Alert]:
    """Those that wait for somebody: open ones, and snoozed ones whose date has come."""
    return alerts.filter(Q(state=Alert.State.OPEN) | Q(state=Alert.State.SNOOZED, snoozed_until__lte=today))


def my_alerts(member: Membership, *, today: date | None = None) -> QuerySet[Alert]:
    """The open alerts of the member's own accounts: those that go to a person first, then the most deserving."""
    found = open_alerts(member.tenant, owner_id=member.pk, today=today)
    automated = Case(When(person_reason="", then=Value(1)), default=Value(0), output_field=IntegerField())
    return found.order_by(automated, F("priority").desc(), "-id")


def alerts_for_account(tenant: Tenant, account_id: int, *, ended: int = 20) -> list[Alert]:
    """The account's open and snoozed alerts, then the ones that ended last."""
    alerts = alerts_of(tenant, account_id=account_id)
    alive = Q(state__in=[Alert.State.OPEN, Alert.State.SNOOZED])
    return [*alerts.filter(alive), *alerts.filter(~alive).order_by("-ended_on", "-id")[:ended]]
