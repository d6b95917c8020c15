"""Where each kind of trigger looks: a SELECT of (account_id, hint, evidence, since) for the accounts it holds for.

`hint` is the metric that hit, by which the offering is chosen; `since` the newest day of what was seen: what is not newer
than the end of an earlier opportunity sets nothing off again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from accounts.models import Tenant
from expansion.models import Trigger
from playbooks.moments import end_of_day
from scoring.bands import HIGH
from scoring.models import KIND_CODES
from usage.models import Metric

MONTH, STRETCH = 31, 28
STATE_DAYS = 3  # a state that was not written for longer is not known
ADDED = (Metric.Kind.ALL_EVENTS, Metric.Kind.COUNT, Metric.Kind.SUM)
HITS_METRIC = "limit_hits"
TEXT_LENGTH = 200


@dataclass(frozen=True)
class Look:
    """A statement with its parameters."""

    sql: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """What all looks of a night share."""

    tenant: Tenant
    day: date
    metrics: Mapping[str, Metric]

    @property
    def until(self) -> datetime:
        """When the day is over."""
        return end_of_day(self.day, self.tenant.tz)


# The newest value of each month of 31 days, none of whose values may be at or under the amount.
_ROI_SQL = """
SELECT account_id, metric AS hint, max(latest_on) AS since,
       jsonb_build_object('metric', metric, 'at_least', %(at_least)s::float8, 'periods', %(periods)s,
                          'values', jsonb_agg(jsonb_build_object('on', latest_on, 'value', latest) ORDER BY n DESC))
         AS evidence
FROM (
  SELECT u.account_id, k.metric, (%(day)s::date - u.day) / 31 AS n, min(u."values"[k.slot]) AS least,
         max(u.day) AS latest_on, (array_agg(u."values"[k.slot] ORDER BY u.day DESC))[1] AS latest
  FROM usage_day u CROSS JOIN unnest(%(slots)s::int[], %(keys)s::text[]) AS k(slot, metric)
  WHERE u.tenant_id = %(tenant)s AND u.day > %(day)s::date - 31 * %(periods)s AND u.day <= %(day)s
    AND u."values"[k.slot] IS NOT NULL
  GROUP BY 1, 2, 3
) AS months GROUP BY 1, 2 HAVING count(*) = %(periods)s AND min(least) > %(at_least)s
"""
# So many in each stretch of 28 days.
_WINNERS_SQL = """
SELECT account_id, metric AS hint, max(latest_on) AS since,
       jsonb_build_object('metric', metric, 'at_least', %(at_least)s::float8, 'periods', %(periods)s,
                          'values', jsonb_agg(jsonb_build_object('on', latest_on, 'value', total) ORDER BY n DESC))
         AS evidence
FROM (
  SELECT u.account_id, k.metric, (%(day)s::date - u.day) / 28 AS n, sum(u."values"[k.slot]) AS total, max(u.day) AS latest_on
  FROM usage_day u CROSS JOIN unnest(%(slots)s::int[], %(keys)s::text[]) AS k(slot, metric)
  WHERE u.tenant_id = %(tenant)s AND u.day > %(day)s::date - 28 * %(periods)s AND u.day <= %(day)s AND u."values"[k.slot] > 0
  GROUP BY 1, 2, 3 HAVING sum(u."values"[k.slot]) >= %(at_least)s
) AS stretches GROUP BY 1, 2 HAVING count(*) = %(periods)s
"""
# Events by their metrics, tickets by their tags, notes by their words; the newest first.
_ASKS_SQL = """
SELECT account_id, (array_agg(source ORDER BY seen_on DESC))[1] AS hint, max(seen_on) AS since,
       jsonb_build_object('window_days', %(window)s, 'asks',
         (array_agg(jsonb_build_object('source', source, 'on', seen_on, 'text', words, 'value', n)
                    ORDER BY seen_on DESC))[1:5]) AS evidence
FROM (
  SELECT u.account_id, 'event' AS source, max(u.day) AS seen_on, k.metric AS words, sum(u."values"[k.slot]) AS n
  FROM usage_day u CROSS JOIN unnest(%(slots)s::int[], %(keys)s::text[]) AS k(slot, metric)
  WHERE u.tenant_id = %(tenant)s AND u.day > %(day)s::date - %(window)s AND u.day <= %(day)s AND u."values"[k.slot] > 0
  GROUP BY u.account_id, k.metric HAVING sum(u."values"[k.slot]) >= %(at_least)s
  UNION ALL
  SELECT t.account_id, 'ticket', (t.opened_at AT TIME ZONE %(zone)s)::date,
         left(coalesce(nullif(t.title, ''), t.external_id), %(length)s), 1
  FROM accounts_ticket t
  WHERE t.tenant_id = %(tenant)s AND t.opened_at < %(until)s AND t.opened_at >= %(until)s - make_interval(days => %(window)s)
    AND EXISTS (SELECT 1 FROM unnest(t.tags) AS g(tag) WHERE lower(g.tag) = ANY(%(tags)s))
  UNION ALL
  SELECT e.account_id, 'note', (e.at AT TIME ZONE %(zone)s)::date, left(e.title, %(length)s), 1
  FROM accounts_timelineentry e
  WHERE e.tenant_id = %(tenant)s AND e.kind = 'note' AND e.at < %(until)s
    AND e.at >= %(until)s - make_interval(days => %(window)s)
    AND %(pattern)s <> '' AND (e.title || ' ' || coalesce(e.data->>'text', '')) ~* %(pattern)s
) AS asked GROUP BY 1
"""
# The newest of the last days, or the events of people who ran into a limit.
_LIMIT_SQL = """
SELECT DISTINCT ON (account_id) account_id, metric AS hint, seen_on AS since,
       jsonb_build_object('metric', metric, 'at_least', least, 'values',
                          jsonb_build_array(jsonb_build_object('on', seen_on, 'value', value))) AS evidence
FROM (
  SELECT account_id, metric, seen_on, value, %(at_least)s::float8 AS least, 0 AS rank FROM (
    SELECT DISTINCT ON (u.account_id, k.metric) u.account_id, k.metric, u.day AS seen_on, u."values"[k.slot] AS value
    FROM usage_day u CROSS JOIN unnest(%(slots)s::int[], %(keys)s::text[]) AS k(slot, metric)
    WHERE u.tenant_id = %(tenant)s AND u.day > %(day)s::date - %(state_days)s AND u.day <= %(day)s
      AND u."values"[k.slot] IS NOT NULL
    ORDER BY u.account_id, k.metric, u.day DESC
  ) AS newest WHERE value >= %(at_least)s
  UNION ALL
  SELECT u.account_id, %(hits_key)s, max(u.day), sum(u."values"[%(hits_slot)s]), %(hits)s, 1
  FROM usage_day u
  WHERE u.tenant_id = %(tenant)s AND %(hits_slot)s > 0 AND %(hits)s > 0
    AND u.day > %(day)s::date - %(window)s AND u.day <= %(day)s AND u."values"[%(hits_slot)s] > 0
  GROUP BY u.account_id HAVING sum(u."values"[%(hits_slot)s]) >= %(hits)s
) AS reached ORDER BY account_id, rank, value DESC
"""
_PQL_SQL = """
SELECT s.account_id, 'pql_score' AS hint, s.day AS since,
       jsonb_build_object('metric', 'pql_score', 'band', 'high', 'least_score', %(at_least)s::float8,
                          'values', jsonb_build_array(jsonb_build_object('on', s.day, 'value', round(s.score::numeric, 1))))
         AS evidence
FROM scoring_score s
WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.day = %(day)s AND s.band = %(high)s AND s.score >= %(at_least)s
"""


def look_of(trigger: Trigger, context: Context) -> Look | None:
    """The statement of a trigger; None where nothing that it reads is there."""
    return LOOKS[trigger.kind](trigger, context)


def _base(trigger: Trigger, context: Context) -> dict[str, Any]:
    read = [context.metrics[key] for key in trigger.metrics if key in context.metrics]
    return {
        "tenant": context.tenant.pk,
        "day": context.day,
        "at_least": trigger.at_least,
        "periods": trigger.periods,
        "window": trigger.window_days,
        "slots": [metric.slot for metric in read],
        "keys": [metric.key for metric in read],
    }


def _roi(trigger: Trigger, context: Context) -> Look | None:
    params = _base(trigger, context)
    return Look(_ROI_SQL, params) if params["slots"] else None


def _winners(trigger: Trigger, context: Context) -> Look | None:
    params = _base(trigger, context)
    return Look(_WINNERS_SQL, params) if params["slots"] else None


def _asks(trigger: Trigger, context: Context) -> Look | None:
    return Look(
        _ASKS_SQL,
        _base(trigger, context)
        | {
            "zone": context.tenant.timezone,
            "until": context.until,
            "tags": [tag.strip().lower() for tag in trigger.tags],
            "pattern": phrase_pattern(trigger.phrases),
            "length": TEXT_LENGTH,
        },
    )


def phrase_pattern(phrases: list[str]) -> str:
    """Whole words or phrases as one regular expression of PostgreSQL; any blanks between the words of a phrase."""
    parts = [
        r"\s+".join(re.sub(r"([^\w\s])", r"\\\1", word) for word in phrase.split())
        for phrase in phrases
        if phrase.strip()
    ]
    return rf"(^|\W)({'|'.join(parts)})(\W|$)" if parts else ""


def _limit(trigger: Trigger, context: Context) -> Look | None:
    hits = context.metrics.get(HITS_METRIC)
    params = _base(trigger, context)
    if not params["slots"] and (hits is None or not trigger.hits):
        return None
    return Look(
        _LIMIT_SQL,
        params
        | {
            "hits": trigger.hits,
            "hits_key": HITS_METRIC,
            "hits_slot": hits.slot if hits else 0,
            "state_days": STATE_DAYS,
        },
    )


def _pql(trigger: Trigger, context: Context) -> Look | None:
    return Look(_PQL_SQL, _base(trigger, context) | {"kind": KIND_CODES["pql"], "high": HIGH})


LOOKS: dict[str, Callable[[Trigger, Context], Look | None]] = {
    Trigger.Kind.ROI: _roi,
    Trigger.Kind.WINNERS: _winners,
    Trigger.Kind.ASKS: _asks,
    Trigger.Kind.LIMIT: _limit,
    Trigger.Kind.PQL: _pql,
}
