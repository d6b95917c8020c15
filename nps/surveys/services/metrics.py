"""The metrics `nps` and `csat`: what the answers of an account say on a day, pushed like any other number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.fence.planning import prefer_hash_joins
from accounts.models import Tenant
from nps.surveys.events import METRIC_SOURCE
from nps.surveys.models import Survey, SurveySettings
from usage.copying import copy_rows
from usage.models import Metric, Source
from usage.services import install_starter_metrics, push_metric_values

from .installing import settings_of

NEVER_QUIET_HOURS = 24 * 365 * 100  # customers are no feed: that nobody answers is not a source gone quiet
METRICS = {Survey.Kind.NPS: "nps", Survey.Kind.CSAT: "csat"}
SOURCE_NAME = {"en": "Survey answers", "es": "Respuestas a encuestas"}
# NPS: the mean of each contact's latest answer, on the scale of 0 to 10 that the rule "Low NPS" and the disagreement queue
# read. A balance of −100 to 100 of the two or three people of an account would jump by 50 with every answer. CSAT: the mean
# of all answers. Both within their window, which ends with the day.
_VALUES = """
WITH asked AS (SELECT DISTINCT account_id, day FROM survey_day), inside AS (
  SELECT d.account_id, d.day, a.kind, a.score,
         row_number() OVER (PARTITION BY d.account_id, d.day, a.kind, coalesce(a.contact_id, -a.id)
                            ORDER BY a.answered_at DESC, a.id DESC) AS place
  FROM asked d
  JOIN nps_answer a ON a.tenant_id = %(tenant)s AND a.account_id = d.account_id
    AND a.answered_at < (d.day + 1)::timestamp AT TIME ZONE %(zone)s
    AND a.answered_at >= (d.day + 1 - CASE a.kind WHEN 'nps' THEN %(nps_days)s ELSE %(csat_days)s END)::timestamp
        AT TIME ZONE %(zone)s
)
SELECT x.external_id, i.day, i.kind, avg(i.score)::float8
FROM inside i JOIN accounts_account x ON x.tenant_id = %(tenant)s AND x.id = i.account_id
WHERE i.kind = 'csat' OR i.place = 1
GROUP BY x.external_id, i.day, i.kind ORDER BY x.external_id, i.day, i.kind
"""
# On the day on which an answer leaves its window the others alone count.
_LEAVING = """
SELECT DISTINCT a.account_id FROM nps_answer a
WHERE a.tenant_id = %(tenant)s
  AND (a.answered_at AT TIME ZONE %(zone)s)::date
      = %(day)s::date - CASE a.kind WHEN 'nps' THEN %(nps_days)s ELSE %(csat_days)s END
"""


def push_metrics(
    *, tenant: Tenant, accounts: Collection[tuple[int, date]], received_at: datetime | None = None
) -> int:
    """Push what the answers say for these accounts and days; returns how many values."""
    if not accounts:
        return 0
    keys = _keys(tenant)
    choices = settings_of(tenant)
    prefer_hash_joins()
    with connection.cursor() as cursor:
        lines = [f"{account_id}\t{day.isoformat()}" for account_id, day in sorted(accounts)]
        copy_rows(cursor, "survey_day", "account_id bigint, day date", lines)
        cursor.execute(_VALUES, _windows(tenant, choices))
        items = [
            {"account_id": external_id, "metric": keys[kind], "day": day, "value": value}
            for external_id, day, kind, value in cursor.fetchall()
            if kind in keys
        ]
    if items:
        push_metric_values(
            tenant=tenant, items=items, source=METRIC_SOURCE, received_at=received_at or timezone.now()
        )
    return len(items)


def refresh_metrics(*, tenant: Tenant, day: date) -> int:
    """In the night: accounts whose oldest answers have just left the window; answers of the day are pushed by their jobs."""
    choices = settings_of(tenant)
    with connection.cursor() as cursor:
        cursor.execute(_LEAVING, _windows(tenant, choices) | {"day": day})
        leaving = {(row[0], day) for row in cursor.fetchall()}
    return push_metrics(tenant=tenant, accounts=leaving)


def _windows(tenant: Tenant, choices: SurveySettings) -> dict[str, Any]:
    return {
        "tenant": tenant.pk,
        "zone": tenant.timezone,
        "nps_days": choices.nps_days,
        "csat_days": choices.csat_days,
    }


def _keys(tenant: Tenant) -> Mapping[str, str]:
    """The metrics that are there and active; the shipped ones are made where somebody removed them all."""
    if not Metric.objects.filter(tenant=tenant, key__in=METRICS.values()).exists():
        install_starter_metrics(tenant=tenant)
    Source.objects.get_or_create(
        tenant=tenant,
        key=METRIC_SOURCE,
        defaults={
            "name": SOURCE_NAME.get(tenant.language, SOURCE_NAME["en"]),
            "fresh_hours": NEVER_QUIET_HOURS,
        },
    )
    found = set(
        Metric.objects.filter(
            tenant=tenant, key__in=METRICS.values(), kind=Metric.Kind.PUSHED, active=True
        ).values_list("key", flat=True)
    )
    return {str(kind): key for kind, key in METRICS.items() if key in found}
