"""What the parts of a member's list are made of, each read in one statement that goes by the member's accounts.

All bounds are of the last day that is shown, so that one reading serves today's list and the next day's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext

from accounts.models import Membership, Tenant
from alerts.models import Alert, Rule
from expansion.models import Renewal
from nps.surveys.models import Answer
from playbooks.models import Run, SetAside
from playbooks.selectors import my_open_tasks, startable_playbooks
from qbr.models import Pack
from scoring.models import KIND_CODES
from workspace.agenda import DROP_DAYS, DROP_POINTS, Said, Standing
from workspace.selectors.agenda.words import RENEWAL_DAYS, REVIEW_DAYS, Drop, DueTask, Plays, WaitingAlert

MOST = 1_000  # of a kind; nobody's day is longer, and a page must end
SENT_LOOKED_BACK = 60  # days: a review that was never said to be held is old news after that

# Given to the member, or of an account of theirs and given to nobody who is here. Two indexes; what is open elsewhere is
# not looked at: OFFSET 0 keeps the planner at asking account by account, where the fence of a book misleads its guesses.
_ALERTS = """
SELECT x.id FROM alerts_alert x
WHERE x.tenant_id = %s AND x.state IN ('open', 'snoozed') AND x.assignee_id = %s
UNION ALL
SELECT x.id FROM accounts_account a
CROSS JOIN LATERAL (
  SELECT w.id, w.tenant_id, w.assignee_id FROM alerts_alert w
  WHERE w.tenant_id = a.tenant_id AND w.account_id = a.id AND w.state IN ('open', 'snoozed') OFFSET 0
) x
LEFT JOIN accounts_membership m ON m.tenant_id = x.tenant_id AND m.id = x.assignee_id
WHERE a.tenant_id = %s AND a.owner_id = %s AND (x.assignee_id IS NULL OR NOT m.is_active)
"""
# The oldest score of the week that the same version made; the difference of the points of each component adds up to that of
# the scores (but for exceptions), so the largest one is the cause. Not where an alert about the fall is open already.
_DROPS = """
SELECT a.id, s.day, h.day, s.score, h.score, s.band, s.points, h.points,
  (SELECT array_agg(c.key ORDER BY c.position, c.id) FROM scoring_component c
   WHERE c.tenant_id = s.tenant_id AND c.version_id = s.version_id),
  (SELECT array_agg(c.name ORDER BY c.position, c.id) FROM scoring_component c
   WHERE c.tenant_id = s.tenant_id AND c.version_id = s.version_id)
FROM accounts_account a
JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = %(kind)s AND s.account_id = a.id
CROSS JOIN LATERAL (
  SELECT o.day, o.score, o.points FROM scoring_score o
  WHERE o.tenant_id = s.tenant_id AND o.kind = s.kind AND o.account_id = s.account_id
    AND o.day >= s.day - %(days)s AND o.day < s.day AND o.version_id = s.version_id AND o.score IS NOT NULL
  ORDER BY o.day LIMIT 1
) h
WHERE a.tenant_id = %(tenant)s AND a.owner_id = %(member)s AND (a.churned_on IS NULL OR a.churned_on > %(today)s)
  AND s.day >= %(today)s::date - %(days)s AND h.score - s.score >= %(points)s
  AND NOT EXISTS (
    SELECT 1 FROM alerts_alert x JOIN alerts_rule r ON r.tenant_id = x.tenant_id AND r.id = x.rule_id
    WHERE x.tenant_id = a.tenant_id AND x.account_id = a.id AND x.state IN ('open', 'snoozed')
      AND r.kind = 'health_dropped')
ORDER BY h.score - s.score DESC, a.id LIMIT %(most)s
"""
_STANDINGS = """
SELECT a.id, a.name, a.mrr_cents, a.currency, a.renewal_on, a.owner_id, s.score, s.band, s.coverage,
  o.band, o.score, o.until
FROM accounts_account a
LEFT JOIN scoring_current s ON s.tenant_id = a.tenant_id AND s.kind = %(kind)s AND s.account_id = a.id
LEFT JOIN scoring_override o ON o.tenant_id = a.tenant_id AND o.account_id = a.id
  AND o.ended_on IS NULL AND o.until > %(today)s
WHERE a.tenant_id = %(tenant)s AND a.id = ANY(%(ids)s)
"""


def due_tasks(member: Membership, until: date) -> list[DueTask]:
    """The member's tasks and those of their pools, due by a day; only what a list says of them."""
    found = my_open_tasks(member, due_by=until).select_related(None)
    fields = ("pk", "account_id", "title", "priority", "due_on", "assignee_id", "pool", "run_id")
    return [DueTask(*row) for row in found.values_list(*fields, "run__playbook__name")[:MOST]]


def waiting_alerts(member: Membership, until: date, runs_with_tasks: Collection[int]) -> list[WaitingAlert]:
    """The member's alerts that are open, or come back by a day; only what a list says of them. Three queries.

    Not those whose play runs and asks nothing of the member now: somebody, or automation, is on it.
    """
    tenant = member.tenant
    with connection.cursor() as cursor:
        cursor.execute(_ALERTS, [tenant.pk, member.pk, tenant.pk, member.pk])
        # No alert is number 0: with it every day costs the same number of queries, an empty one too.
        ids = [0, *(row[0] for row in cursor.fetchall())]
    found = Alert.objects.filter(tenant=tenant, pk__in=ids).filter(
        Q(state=Alert.State.OPEN) | Q(state=Alert.State.SNOOZED, snoozed_until__lte=until)
    )
    found = found.filter(Q(run=None) | ~Q(run__state=Run.State.RUNNING) | Q(run_id__in=list(runs_with_tasks)))
    # Rows and not models: of some hundreds only the first ones are said in words.
    fields = (
        "account_id",
        "subject",
        "state",
        "severity",
        "opened_on",
        "snoozed_until",
        "person_reason",
        "run_id",
    )
    rows = found.order_by("-id").values_list("pk", "rule_id", *fields, Cast("evidence", TextField()))[:MOST]
    rules = {
        rule.pk: rule for rule in Rule.objects.filter(tenant=tenant)
    }  # a few, of hundreds of alerts each
    return [WaitingAlert(pk, rules[rule_id], *row) for pk, rule_id, *row in rows]


def drops(member: Membership, today: date) -> list[Drop]:
    """Accounts of the member whose score fell within a week, with the component that lost most."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DROPS,
            {
                "kind": KIND_CODES["health"],
                "tenant": member.tenant_id,
                "member": member.pk,
                "today": today,
                "days": DROP_DAYS,
                "points": DROP_POINTS,
                "most": MOST,
            },
        )
        return [_drop(*row) for row in cursor.fetchall()]


def _drop(
    account_id: int,
    day: date,
    before_on: date,
    score: float,
    before: float,
    band: int,
    points: list[float | None],
    points_before: list[float | None],
    keys: list[str] | None,
    names: list[str] | None,
) -> Drop:
    lost = [
        ((old or 0.0) - (new or 0.0), place)
        for place, (old, new) in enumerate(zip(points_before, points, strict=False))
        if old is not None
    ]
    most, place = max(lost, default=(0.0, 0))
    known = keys is not None and names is not None and most > 0 and place < len(keys)
    return Drop(
        account_id=account_id,
        day=day,
        before_on=before_on,
        score=score,
        before=before,
        band=band,
        component=gettext(names[place]) if known and names else "",
        component_key=keys[place] if known and keys else "",
        points=points[place] if known else None,
        points_before=(points_before[place] or 0.0) if known else 0.0,
    )


def renewals(member: Membership, until: date) -> list[Renewal]:
    """Open renewals of the member's accounts, due within 90 days of a day."""
    found = Renewal.objects.filter(
        tenant=member.tenant,
        account__owner_id=member.pk,
        state=Renewal.State.OPEN,
        due_on__lte=until + timedelta(days=RENEWAL_DAYS),
    )
    fields = ("tenant", "account", "due_on", "category", "state", "at_risk", "has_plan")
    return list(found.only(*fields).order_by("due_on", "id")[:MOST])


def reviews(member: Membership, today: date, until: date) -> list[Pack]:
    """Packs of the member's accounts to prepare, to send, and sent ones whose day has passed."""
    soon = Q(state__in=[Pack.State.DRAFT, Pack.State.READY], due_on__lte=until + timedelta(days=REVIEW_DAYS))
    past = Q(
        state=Pack.State.SENT, due_on__lt=until, due_on__gte=today - timedelta(days=SENT_LOOKED_BACK)
    )  # fmt: skip
    found = Pack.objects.filter(tenant=member.tenant, account__owner_id=member.pk).filter(soon | past)
    return list(found.defer("content").order_by("due_on", "id")[:MOST])


def unhappy_answers(member: Membership) -> list[Answer]:
    """Detractors at the member's accounts with whom nobody has closed the loop and for whom no play runs."""
    found: QuerySet[Answer] = Answer.objects.filter(
        tenant=member.tenant, category="detractor", closed_at=None, account__owner_id=member.pk
    )
    found = found.filter(Q(run=None) | ~Q(run__state=Run.State.RUNNING))
    return list(found.select_related("contact", "survey", "run").order_by("answered_at", "id")[:MOST])


def set_asides(member: Membership, today: date) -> dict[tuple[str, int], SetAside]:
    """What is off the member's list, by kind and subject."""
    found = SetAside.objects.filter(tenant=member.tenant, member=member)
    found = found.filter(Q(until=None) | Q(until__gt=today))
    return {(row.kind, row.subject_id): row for row in found}


def standings(tenant: Tenant, account_ids: Collection[int], today: date) -> dict[int, Standing]:
    """How the accounts stand."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STANDINGS,
            {
                "kind": KIND_CODES["health"],
                "tenant": tenant.pk,
                "today": today,
                "ids": sorted(account_ids),
            },
        )
        found = {}
        for *facts, band, score, until in cursor.fetchall():
            standing = Standing(*facts)
            said = None if band is None else Said(band, score, until)
            found[standing.pk] = standing if said is None else replace(standing, override=said)
        return found


def plays(tenant: Tenant) -> Plays:
    """The plays that can be started now."""
    names: dict[str, str] = {}
    by_component: dict[str, str] = {}
    for key, name, components in startable_playbooks(tenant).values_list("key", "name", "components"):
        names[key] = name
        for component in components:
            by_component.setdefault(component, key)
    return Plays(names, by_component)


def midnight(tenant: Tenant, day: date) -> datetime:
    """When the day began where the company is."""
    return datetime.combine(day, time.min, tenant.tz)
