"""What the conditions of plays ask about, read for many accounts at once.

Two queries for accounts and tickets, one for scores, and the metric reader once for each window that is asked for: how many
accounts there are does not matter. Only what the conditions name is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import Account, Tenant
from scoring.models import KIND_CODES
from scoring.selectors.explanation import band_name
from usage.selectors import metric_values

from .criteria import BAND, FIELD, METRIC, SCORE, TICKETS, Condition, Facts
from .moments import known_until

SCORE_MAX_AGE_DAYS = 7  # an older score says nothing about the day

SCORES_SQL = """
SELECT DISTINCT ON (kind, account_id) kind, account_id, score, band FROM scoring_score
WHERE tenant_id = %(tenant)s AND kind = ANY(%(kinds)s) AND account_id = ANY(%(accounts)s)
  AND day <= %(day)s AND day > %(oldest)s
ORDER BY kind, account_id, day DESC
"""
TICKETS_SQL = """
SELECT account_id, count(*), max(extract(epoch FROM %(at)s - opened_at)) / 3600,
       count(*) FILTER (WHERE severity IN ('high', 'urgent'))
FROM accounts_ticket
WHERE tenant_id = %(tenant)s AND account_id = ANY(%(accounts)s) AND opened_at <= %(at)s
  AND (resolved_at IS NULL OR resolved_at > %(at)s)
GROUP BY account_id
"""


@dataclass(frozen=True)
class Wanted:
    """Which facts some conditions ask for."""

    metrics: frozenset[tuple[str, int]]
    kinds: frozenset[str]
    fields: bool
    tickets: bool

    @property
    def nothing(self) -> bool:
        """Whether no fact is asked for."""
        return not (self.metrics or self.kinds or self.fields or self.tickets)


def wanted_by(conditions: Iterable[Condition]) -> Wanted:
    """What has to be read for these conditions."""
    found = list(conditions)
    return Wanted(
        metrics=frozenset((c.name, c.window_days) for c in found if c.subject == METRIC),
        kinds=frozenset(c.name for c in found if c.subject in (SCORE, BAND)),
        fields=any(c.subject == FIELD for c in found),
        tickets=any(c.subject == TICKETS for c in found),
    )


def facts_of(tenant: Tenant, account_ids: Collection[int], day: date, wanted: Wanted) -> dict[int, Facts]:
    """The facts of these accounts at the end of a day, or now while it lasts; every account has an entry."""
    ids = sorted(set(account_ids))
    if not ids or wanted.nothing:
        return dict.fromkeys(ids, Facts())
    metrics = _metrics(tenant, ids, day, wanted.metrics)
    scores, bands = _scores(tenant, ids, day, wanted.kinds)
    fields = _fields(tenant, ids, day) if wanted.fields else {}
    tickets = _tickets(tenant, ids, day) if wanted.tickets else {}
    nothing_open = {"open": 0.0, "oldest_hours": 0.0, "open_urgent": 0.0} if wanted.tickets else {}
    return {
        pk: Facts(
            metrics=metrics.get(pk, {}),
            scores=scores.get(pk, {}),
            bands=bands.get(pk, {}),
            fields=fields.get(pk, {}),
            tickets=tickets.get(pk, nothing_open),
        )
        for pk in ids
    }


def _metrics(
    tenant: Tenant, ids: Sequence[int], day: date, asked: Collection[tuple[str, int]]
) -> dict[int, dict[tuple[str, int], float | None]]:
    by_window: dict[int, list[str]] = defaultdict(list)
    for key, window in sorted(asked):
        by_window[window].append(key)
    out: dict[int, dict[tuple[str, int], float | None]] = defaultdict(dict)
    for window, keys in by_window.items():
        for pk, values in metric_values(tenant, keys, day, window, ids).items():
            out[pk].update({(key, window): value for key, value in values.items()})
    return out


def _scores(
    tenant: Tenant, ids: Sequence[int], day: date, kinds: Collection[str]
) -> tuple[dict[int, dict[str, float | None]], dict[int, dict[str, str]]]:
    scores: dict[int, dict[str, float | None]] = defaultdict(dict)
    bands: dict[int, dict[str, str]] = defaultdict(dict)
    if not kinds:
        return scores, bands
    names = {KIND_CODES[kind]: kind for kind in kinds}
    with connection.cursor() as cursor:
        cursor.execute(
            SCORES_SQL,
            {
                "tenant": tenant.pk,
                "kinds": list(names),
                "accounts": list(ids),
                "day": day,
                "oldest": day - timedelta(days=SCORE_MAX_AGE_DAYS),
            },
        )
        for code, pk, score, band in cursor.fetchall():
            scores[pk][names[code]] = score
            bands[pk][names[code]] = band_name(code, band)
    return scores, bands


def _fields(
    tenant: Tenant, ids: Sequence[int], day: date
) -> dict[int, Mapping[str, float | str | tuple[str, ...] | None]]:
    rows = Account.objects.filter(tenant=tenant, pk__in=ids).values_list(
        "pk",
        "segment",
        "stage",
        "plan",
        "plan_kind",
        "touch_model",
        "tags",
        "mrr_cents",
        "seats",
        "renewal_on",
        "go_live_on",
    )
    return {
        pk: {
            "segment": segment,
            "stage": stage,
            "plan": plan,
            "plan_kind": plan_kind,
            "touch_model": touch,
            "tags": tuple(tags),
            "mrr": mrr_cents / 100,
            "seats": None if seats is None else float(seats),
            "days_to_renewal": None if renewal is None else float((renewal - day).days),
            "days_since_go_live": None if go_live is None else float((day - go_live).days),
        }
        for pk, segment, stage, plan, plan_kind, touch, tags, mrr_cents, seats, renewal, go_live in rows
    }


def _tickets(tenant: Tenant, ids: Sequence[int], day: date) -> dict[int, dict[str, float]]:
    at = known_until(day, tz=tenant.tz, now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(TICKETS_SQL, {"tenant": tenant.pk, "accounts": list(ids), "at": at})
        return {
            pk: {"open": float(count), "oldest_hours": float(oldest), "open_urgent": float(urgent)}
            for pk, count, oldest, urgent in cursor.fetchall()
        }
