"""What became of accounts in the days after a date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db import connection

from accounts.models import Tenant
from scoring.matrix import AccountFacts
from scoring.matrix.accounts import NEVER

from .cases import Flags, Ints
from .parameters import CHURN, CONVERSION, INACTIVITY, NON_RENEWAL

_ACTIVE = """
SELECT DISTINCT account_id FROM usage_day
WHERE tenant_id = %(tenant)s AND account_id = ANY(%(ids)s) AND day > %(on)s AND day <= %(end)s AND "values"[%(slot)s] > 0"""

# What ran on the date, and what of it or of anything newer runs at the end; a subscription ends on its last day.
_SUBSCRIBED = """
SELECT account_id,
  coalesce(sum(mrr_cents) FILTER (WHERE runs_before), 0), coalesce(sum(mrr_cents) FILTER (WHERE runs_after), 0),
  bool_or(runs_before), bool_or(runs_after),
  min(ends_on) FILTER (WHERE runs_before AND ends_on <= %(end)s), min(starts_on) FILTER (WHERE starts_on > %(on)s)
FROM (
  SELECT *, (starts_on IS NULL OR starts_on <= %(on)s) AND (ends_on IS NULL OR ends_on > %(on)s) AS runs_before,
    (starts_on IS NULL OR starts_on <= %(end)s) AND (ends_on IS NULL OR ends_on > %(end)s) AS runs_after
  FROM accounts_subscription WHERE tenant_id = %(tenant)s AND account_id = ANY(%(ids)s)
) AS s
WHERE starts_on IS NULL OR starts_on <= %(end)s
GROUP BY account_id"""


@dataclass(frozen=True)
class Fates:
    """For each account: whether the question makes sense for it, whether it happened, and when."""

    asked: Flags
    outcome: Flags
    outcome_on: Ints


def fates(
    tenant: Tenant, outcome: str, accounts: AccountFacts, day: date, horizon_days: int, slot: int | None
) -> Fates:
    """What became of these accounts in the days after `day`; `slot` is where all events are counted."""
    end = day + timedelta(days=horizon_days)
    if outcome == CHURN:
        happened = (accounts.churned_from > day.toordinal()) & (accounts.churned_from <= end.toordinal())
        when = np.where(accounts.churned_from < NEVER, accounts.churned_from, end.toordinal())
        return Fates(np.ones(len(accounts), dtype=bool), happened, when)
    if outcome == INACTIVITY:
        return _inactivity(tenant, accounts, day, end, slot or 0)
    return _subscribed(tenant, outcome, accounts, day, end)


def _inactivity(tenant: Tenant, accounts: AccountFacts, day: date, end: date, slot: int) -> Fates:
    """Nothing happened in all these days; the silence is certain on the last one."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ACTIVE,
            {"tenant": tenant.pk, "ids": accounts.ids.tolist(), "on": day, "end": end, "slot": slot},
        )
        active = np.array([row[0] for row in cursor.fetchall()], dtype=np.int64)
    asked = accounts.seen_from <= day.toordinal()
    return Fates(asked, ~np.isin(accounts.ids, active), np.full(len(accounts), end.toordinal()))


def _subscribed(tenant: Tenant, outcome: str, accounts: AccountFacts, day: date, end: date) -> Fates:
    """Nothing runs any more, or less than before, or for the first time."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SUBSCRIBED, {"tenant": tenant.pk, "ids": accounts.ids.tolist(), "on": day, "end": end}
        )
        rows = cursor.fetchall()
    count = len(accounts)
    asked = np.full(count, outcome == CONVERSION)
    happened = np.zeros(count, dtype=bool)
    when = np.full(count, end.toordinal())
    places, _there = accounts.rows_of(np.array([row[0] for row in rows], dtype=np.int64))
    for place, row in zip(places, rows, strict=True):
        _account, before, after, ran_before, runs_after, ended, started = row
        if outcome == CONVERSION:
            asked[place] = not ran_before
            happened[place] = bool(not ran_before and started)
            change = started
        else:
            asked[place] = bool(ran_before)
            lost = bool(ran_before and not runs_after)
            happened[place] = lost if outcome == NON_RENEWAL else lost or after < before
            change = ended
        if happened[place] and change:
            when[place] = change.toordinal()
    return Fates(asked, happened & asked, when)
