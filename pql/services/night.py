"""The night of the leads: who comes to the board, whose time is over, what became of whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Account, Tenant
from playbooks.moments import known_until
from pql import timeline
from pql.clock import WorkingTime, due_at
from pql.models import Lead, LeadSettings, Standing
from pql.selectors.scope import lead_plan_kinds
from scoring.bands import HIGH
from scoring.models import KIND_CODES

from .contacts import note_peers, score_contacts
from .conversion import count_conversions
from .definitions import lead_settings
from .standing import disqualify, note_activation, note_conversions

PQL = KIND_CODES["pql"]


@dataclass(frozen=True)
class LeadsSummary:
    """What a night did; `skipped` when the board already stands at a later day."""

    opened: int = 0
    converted: int = 0
    expired: int = 0
    contacts: int = 0
    skipped: bool = False


class _Found(NamedTuple):
    """What is told of a lead."""

    pk: int
    account_id: int
    cause: str
    score: float | None


def lock_leads(tenant: Tenant) -> None:
    """Take turns per tenant until the transaction ends: the night must not race with a lead opened again by hand."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"leads:{tenant.pk}"])


def working_time(tenant: Tenant, settings: LeadSettings) -> WorkingTime:
    """The tenant's working hours."""
    return WorkingTime(tenant.tz, settings.work_from, settings.work_until, settings.weekends)


def evaluate_leads(*, tenant: Tenant, day: date, figures: bool = True, people: bool = True) -> LeadsSummary:
    """Bring the board to the end of a day; twice the same day changes nothing, and the board never goes back.

    Reads the day's stored PQL scores and the standings that `measure_signals` has written. The number of queries does not
    depend on the accounts. Without `figures` the scores of people and the conversions stay as they are: for nights of a past
    told in a row, of which only the last one is looked at. Without `people` only their peers are counted, and the caller
    goes on with `score_contacts`, range by range.
    """
    lock_leads(tenant)
    settings = lead_settings(tenant)
    if settings.evaluated_on and settings.evaluated_on > day:
        return LeadsSummary(skipped=True)
    prefer_hash_joins()
    at = known_until(day, tz=tenant.tz, now=timezone.now())
    note_activation(tenant=tenant, settings=settings, day=day)
    disqualify(tenant=tenant, day=day)
    note_conversions(tenant=tenant, day=day)
    converted = _close_converted(tenant, day, at)
    expired = _expire(tenant, settings, day, at)
    _place(tenant, settings, day)
    opened = _open(tenant, settings, day, at)
    LeadSettings.objects.filter(tenant=tenant).update(evaluated_on=day)
    contacts = 0
    if figures:
        note_peers(tenant=tenant, day=day)
        contacts = score_contacts(tenant=tenant, day=day) if people else 0
        count_conversions(tenant=tenant, day=day)
    return LeadsSummary(opened, converted, expired, contacts)


def _close_converted(tenant: Tenant, day: date, at: datetime) -> int:
    """Leads whose account moved to a contract or began to pay while they were open have converted.

    So have those of an account that had left a contract and has one again, though it does not count as a conversion twice.
    """
    bought = Standing.objects.filter(tenant=tenant, account_id=OuterRef("account_id")).filter(
        Q(converted_on__gte=OuterRef("opened_on")) | Q(paid_on__gte=OuterRef("opened_on"))
    )
    ended = Q(Exists(bought))
    if Account.PlanKind.CONTRACT not in lead_plan_kinds(tenant):
        alive = Q(account__churned_on=None) | Q(account__churned_on__gt=day)
        ended |= Q(account__plan_kind=Account.PlanKind.CONTRACT) & alive
    open_leads = Lead.objects.filter(tenant=tenant, state__in=Lead.OPEN, opened_on__lte=day)
    leads = _found(open_leads.filter(ended))
    _close(tenant, leads, Lead.State.CONVERTED, day, at)
    _tell(tenant, leads, timeline.LEAD_CONVERTED, at)
    return len(leads)


def _expire(tenant: Tenant, settings: LeadSettings, day: date, at: datetime) -> int:
    """New leads that nobody took in time, and open ones whose account is gone."""
    open_leads = Lead.objects.filter(tenant=tenant, state__in=Lead.OPEN, opened_on__lte=day)
    late = open_leads.filter(state=Lead.State.NEW, opened_on__lte=day - timedelta(days=settings.expire_days))
    gone = open_leads.filter(account__churned_on__lte=day)
    leads = list({lead.pk: lead for lead in (*_found(late), *_found(gone))}.values())
    _close(tenant, leads, Lead.State.EXPIRED, day, at)
    _tell(tenant, leads, timeline.LEAD_EXPIRED, at)
    return len(leads)


def _found(leads: QuerySet[Lead]) -> list[_Found]:
    return [_Found(*row) for row in leads.values_list("pk", "account_id", "cause", "score")]


def _close(tenant: Tenant, leads: Sequence[_Found], state: str, day: date, at: datetime) -> None:
    if leads:
        found = Lead.objects.filter(tenant=tenant, pk__in=[lead.pk for lead in leads])
        found.update(state=state, closed_on=day, closed_at=at)


# One word for each account; `lead` is also who has none open yet and will get one.
PLACES_SQL = """
SELECT s.id, s.account_id, c.score, c.band, c.version_id, raised.yes AS raised, o.id AS open_id,
  CASE
    WHEN o.id IS NOT NULL THEN 'lead'
    WHEN s.converted_on IS NOT NULL AND (a.plan_kind = 'contract' OR s.converted_by = 'lead') THEN 'converted'
    WHEN s.disqualifier_id IS NOT NULL OR a.churned_on <= %(day)s THEN 'disqualified'
    WHEN NOT (a.plan_kind = ANY(%(plans)s)) THEN 'disqualified'
    WHEN raised.yes THEN 'lead'
    WHEN c.score IS NULL OR c.band = 0 THEN 'unscored'
    WHEN c.band < %(high)s THEN 'below'
    WHEN s.activated_on IS NULL THEN 'no_value'
    WHEN l.closed_on > %(day)s::date - %(cooldown)s THEN 'cooling'
    ELSE 'lead'
  END AS status
FROM pql_standing s
JOIN accounts_account a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
LEFT JOIN scoring_score c
  ON c.tenant_id = s.tenant_id AND c.account_id = s.account_id AND c.kind = %(kind)s AND c.day = %(day)s
LEFT JOIN pql_lead o ON o.tenant_id = s.tenant_id AND o.account_id = s.account_id AND o.state IN ('new', 'accepted')
LEFT JOIN (
  SELECT account_id, max(closed_on) AS closed_on FROM pql_lead
  WHERE tenant_id = %(tenant)s AND state NOT IN ('new', 'accepted') GROUP BY 1
) AS l ON l.account_id = s.account_id
CROSS JOIN LATERAL (
  SELECT coalesce(
    s.raised_on <= %(day)s AND s.raised_on > %(day)s::date - %(raise_days)s
    AND s.raised_on > coalesce(l.closed_on, '-infinity'), false) AS yes
) AS raised
WHERE s.tenant_id = %(tenant)s
"""
PLACE_SQL = f"""
UPDATE pql_standing p SET status = n.status FROM ({PLACES_SQL}) AS n
WHERE p.tenant_id = %(tenant)s AND p.id = n.id AND p.status <> n.status
"""


def _values(tenant: Tenant, settings: LeadSettings, day: date) -> dict[str, Any]:
    return {
        "tenant": tenant.pk,
        "day": day,
        "kind": PQL,
        "high": HIGH,
        "plans": lead_plan_kinds(tenant),
        "cooldown": settings.cooldown_days,
        "raise_days": settings.hand_raise_days,
    }


def _place(tenant: Tenant, settings: LeadSettings, day: date) -> None:
    """Write where each account stands, where it changed."""
    with connection.cursor() as cursor:
        cursor.execute(PLACE_SQL, _values(tenant, settings, day))


# Every lead that opens is written by one statement: on a first night there may be as many as accounts.
_OPEN_SQL = f"""
INSERT INTO pql_lead (tenant_id, account_id, state, cause, opened_on, opened_at, due_at, score, band, version_id,
                      handoff, handoff_to, handoff_note, reject_reason, close_note, plan_before)
SELECT %(tenant)s, account_id, 'new', CASE WHEN raised THEN 'hand_raise' ELSE 'score' END, %(day)s, %(at)s, %(due)s, score,
       coalesce(band, 0), version_id, '', '', '', '', '', ''
FROM ({PLACES_SQL}) AS n
WHERE status = 'lead' AND open_id IS NULL ORDER BY account_id
RETURNING id, account_id, cause, score
"""


def _open(tenant: Tenant, settings: LeadSettings, day: date, at: datetime) -> int:
    """Leads for the accounts that have come to the board; returns how many."""
    due = due_at(at, settings.sla_hours, working_time(tenant, settings))
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_SQL, _values(tenant, settings, day) | {"at": at, "due": due})
        found = [_Found(*row) for row in cursor.fetchall()]
    _tell(tenant, found, timeline.LEAD_OPENED, at)
    return len(found)


_TELL_SQL = """
INSERT INTO accounts_timelineentry (tenant_id, account_id, kind, at, title, data)
SELECT %(tenant)s, n.account_id, %(kind)s, %(at)s, n.title,
       jsonb_build_object('lead', n.id, 'cause', n.cause, 'score', n.score)
FROM unnest(%(ids)s::bigint[], %(accounts)s::bigint[], %(causes)s::text[], %(scores)s::float8[], %(titles)s::text[])
  AS n(id, account_id, cause, score, title)
ON CONFLICT DO NOTHING
"""


def _tell(tenant: Tenant, leads: Sequence[_Found], kind: str, at: datetime) -> None:
    if not leads:
        return
    with override(tenant.language):
        titles = [_title(lead, kind) for lead in leads]
    with connection.cursor() as cursor:
        cursor.execute(
            _TELL_SQL,
            {
                "tenant": tenant.pk,
                "kind": kind,
                "at": at,
                "ids": [lead.pk for lead in leads],
                "accounts": [lead.account_id for lead in leads],
                "causes": [lead.cause for lead in leads],
                "scores": [lead.score for lead in leads],
                "titles": titles,
            },
        )


def _title(lead: _Found, kind: str) -> str:
    """What the night found, in the tenant's language."""
    if kind == timeline.LEAD_EXPIRED:
        return _("Nobody took it in time, or the account is gone")
    if kind == timeline.LEAD_CONVERTED:
        return _("Moved to a contract or began to pay")
    if lead.cause == Lead.Cause.SCORE and lead.score is not None:
        return _("PQL score %(score)s") % {"score": round(lead.score)}
    return str(Lead.Cause(lead.cause).label)
