"""Probe of a tenant's own conditions: each comparison becomes a column, then the condition is evaluated for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from alerts.conditions import Array, Column, Group, Leaf, evaluate, leaves_of
from alerts.conditions.evaluate import bound_of
from alerts.conditions.parse import fact_as_data
from alerts.conditions.tree import (
    LONGEST_SILENCE,
    SEVERITIES,
    BandFact,
    ChangeFact,
    ComponentFact,
    DateFact,
    FieldFact,
    MetricFact,
    MetricShare,
    PastShare,
    ScoreFact,
    TargetShare,
    TicketFact,
    Words,
)
from alerts.lifecycle import Key
from alerts.params import Conditions
from alerts.weeks import DAYS, last_complete_week_end

from .accounts import AccountColumn, target_of
from .columns import read_columns
from .night import Evidence, Needs, Night, OpenAlert, Reading, number, reading_of
from .scores import BAND_CODES, change_within, component_values, scores_on
from .sources import ANY_EVENT
from .windows import Window

WORD_SQL = {
    "segment": "CASE WHEN lower(a.segment) = ANY({0}) THEN 1 ELSE 0 END",
    "stage": "CASE WHEN lower(a.stage) = ANY({0}) THEN 1 ELSE 0 END",
    "plan": "CASE WHEN lower(a.plan) = ANY({0}) THEN 1 ELSE 0 END",
    "plan_kind": "CASE WHEN lower(a.plan_kind) = ANY({0}) THEN 1 ELSE 0 END",
    "touch_model": "CASE WHEN lower(a.touch_model) = ANY({0}) THEN 1 ELSE 0 END",
    "tags": "CASE WHEN EXISTS (SELECT 1 FROM unnest(a.tags) AS tag WHERE lower(tag) = ANY({0})) THEN 1 ELSE 0 END",
}
NUMBER_SQL = {"mrr": "a.mrr_cents / 100.0", "seats": "a.seats"}
DATE_SQL = {
    "days_to_renewal": "a.renewal_on - {day}",
    "days_since_go_live": "{day} - a.go_live_on",
    "days_since_first_seen": "{day} - a.first_seen_on",
}
TICKET_SQL = {
    "count": "count(*)",
    "oldest_hours": "extract(epoch FROM %(until)s - min(t.opened_at)) / 3600",
    "worst_severity": "max(array_position(%(severities)s, t.severity::text))",
}


def _ends(night: Night, fact: MetricFact) -> date:
    return last_complete_week_end(night.day) if fact.complete_weeks else night.day


def _windows(night: Night, leaf: Leaf) -> list[Window]:
    """The window itself, then what it is compared with: another metric, or the windows before it."""
    fact = leaf.fact
    if not isinstance(fact, MetricFact):
        return []
    end, length = _ends(night, fact), timedelta(days=fact.days)
    spans = [end]
    if isinstance(leaf.bound, PastShare):
        spans += [end - n * length for n in range(1, leaf.bound.times + 1)]
    windows = [Window(fact.metric, last - length + timedelta(days=1), last) for last in spans]
    if isinstance(leaf.bound, MetricShare):
        windows.append(windows[0]._replace(metric=leaf.bound.metric))
    return windows


def account_columns(leaf: Leaf) -> list[AccountColumn]:
    """What a comparison reads from the account itself."""
    fact = leaf.fact
    if isinstance(fact, FieldFact):
        if isinstance(leaf.bound, Words):
            return [AccountColumn(WORD_SQL[fact.field], (tuple(word.lower() for word in leaf.bound.words),))]
        return [AccountColumn(NUMBER_SQL[fact.field])]
    if isinstance(fact, DateFact) and fact.date in DATE_SQL:
        return [AccountColumn(DATE_SQL[fact.date])]
    if isinstance(fact, MetricFact) and isinstance(leaf.bound, TargetShare):
        return [target_of(fact.metric)]
    return []


def needs_conditions(night: Night, params: Conditions) -> Needs:
    """Every window and account column of every comparison."""
    leaves = list(leaves_of(params.tree))
    return Needs(
        [window for leaf in leaves for window in _windows(night, leaf)],
        [column for leaf in leaves for column in account_columns(leaf)],
        night.day - timedelta(days=LONGEST_SILENCE)
        if any(_looks_for_events(leaf) for leaf in leaves)
        else None,
    )


def _looks_for_events(leaf: Leaf) -> bool:
    return isinstance(leaf.fact, DateFact) and leaf.fact.date == "days_since_last_event"


def probe_conditions(night: Night, params: Conditions, watched: Mapping[Key, OpenAlert]) -> Reading:
    """Where the condition holds, and where it surely does not by the thresholds that release an alert."""
    leaves = list(leaves_of(params.tree))
    if all(_is_silent(night, leaf) for leaf in leaves):
        return Reading(suspended=True)
    columns = {leaf.path: _column(night, leaf) for leaf in leaves}
    fires = evaluate(params.tree, columns).yes & night.accounts.exists
    clears = evaluate(params.tree, columns, releasing=True).no & ~fires

    def describe(row: int) -> Evidence:
        return evidence_at(params.tree, leaves, columns, row)

    return reading_of(night, fires, clears, watched, describe)


def evidence_at(tree: Group, leaves: Sequence[Leaf], columns: Mapping[str, Column], row: int) -> Evidence:
    """The comparisons that hold at one account, with value and bound of that day."""
    facts = []
    for leaf in leaves:
        column = columns[leaf.path]
        one = Column(column.value[row : row + 1], None if column.base is None else column.base[row : row + 1])
        if not evaluate(leaf, {leaf.path: one}).yes[0]:
            continue
        found: Evidence = {"path": leaf.path, **fact_as_data(leaf.fact), "op": leaf.op}
        if isinstance(leaf.bound, Words):
            found["values"] = list(leaf.bound.words)
        else:
            found["value"] = number(one.value[0])
            found["bound"] = number(bound_of(leaf, one)[0])
        facts.append(found)
    return {"facts": facts}


def _is_silent(night: Night, leaf: Leaf) -> bool:
    """Whether a comparison says nothing tonight because its metric is not delivered."""
    fact = leaf.fact
    if _looks_for_events(leaf):
        return not night.unbroken([ANY_EVENT], since=night.day - timedelta(days=DAYS))
    if not isinstance(fact, MetricFact):
        return False
    return not night.unbroken([fact.metric], since=_ends(night, fact) - timedelta(days=fact.days))


def _was_delivered(night: Night, leaf: Leaf) -> bool:
    """Whether somebody ever delivered it: what never came is not waited for."""
    key = leaf.fact.metric if isinstance(leaf.fact, MetricFact) else ANY_EVENT
    return any(part.pk in night.first_delivery for part in night.parts(key))


def _column(night: Night, leaf: Leaf) -> Column:
    fact, missing = leaf.fact, np.full(len(night.accounts), np.nan)
    if _is_silent(night, leaf):
        return Column(missing, missing, blocked=_was_delivered(night, leaf))
    match fact:
        case MetricFact():
            return _metric(night, leaf, fact)
        case ScoreFact(kind):
            return Column(scores_on(night, kind).score)
        case BandFact(kind):
            band = scores_on(night, kind).band
            wanted = [BAND_CODES[kind][word] for word in _words(leaf)]
            return Column(np.where(np.nan_to_num(band) > 0, np.isin(band, wanted).astype(np.float64), np.nan))
        case ChangeFact(kind, days):
            return Column(change_within(night, kind, days))
        case ComponentFact(key):
            return Column(component_values(night, key))
        case DateFact("days_since_last_event"):
            return Column(_since_last_event(night))
        case TicketFact():
            return Column(_tickets(night, fact))
        case _:
            return Column(night.account(account_columns(leaf)[0]))


def _words(leaf: Leaf) -> tuple[str, ...]:
    return leaf.bound.words if isinstance(leaf.bound, Words) else ()


def _metric(night: Night, leaf: Leaf, fact: MetricFact) -> Column:
    first, *others = _windows(night, leaf)
    value = night.values([fact.metric], until=first.last, days=fact.days)[fact.metric]
    bound = leaf.bound
    if isinstance(bound, TargetShare):
        return Column(value, night.account(target_of(fact.metric)) * fact.days / DAYS)
    if isinstance(bound, MetricShare):
        return Column(value, night.values([bound.metric], until=first.last, days=fact.days)[bound.metric])
    if isinstance(bound, PastShare):
        since = others[-1].first
        if not night.unbroken([fact.metric], since=since):
            return Column(value, np.full(value.shape, np.nan))
        past = np.stack(
            [night.values([fact.metric], until=other.last, days=fact.days)[fact.metric] for other in others]
        )
        # Every window before must be known: half a past is no basis.
        return Column(value, past.mean(axis=0))
    return Column(value)


def _since_last_event(night: Night) -> Array:
    """Days since the last day with an event, at most as far as anybody looks; missing for who was never seen."""
    metric = next((m for m in night.metrics.values() if m.kind == "all_events" and m.slot), None)
    out = np.where(night.accounts.first_seen <= night.day.toordinal(), float(LONGEST_SILENCE), np.nan)
    if metric is None:
        return np.full(len(night.accounts), np.nan)
    first = night.day - timedelta(days=LONGEST_SILENCE)
    found = read_columns(
        f"FROM {night.relations_from(first).day_table} AS u WHERE u.tenant_id = %(tenant)s "
        "AND u.day > %(first)s AND u.day <= %(day)s AND u.known_on <= %(day)s "
        f'AND u."values"[{int(metric.slot or 0)}] > 0 GROUP BY u.account_id',
        ["u.account_id", "%(day)s::date - max(u.day)"],
        {"tenant": night.tenant.pk, "first": first, "day": night.day},
    )
    rows = night.rows(found[:, 0].astype(np.int64).tolist())
    for account, days in found:
        if int(account) in rows:
            out[rows[int(account)]] = days
    return out


def _tickets(night: Night, fact: TicketFact) -> Array:
    """Open tickets from a severity on, as they were known when the day ended; missing for a tenant that never sent any."""
    parameters = {
        "tenant": night.tenant.pk,
        "until": night.known_until,
        "severities": list(SEVERITIES),
        "least": list(SEVERITIES[SEVERITIES.index(fact.severity) :]),
    }
    sent = read_columns(
        "FROM accounts_ticket t WHERE t.tenant_id = %(tenant)s AND t.received_at <= %(until)s LIMIT 1",
        ["1"],
        parameters,
    )
    if not len(sent):
        return np.full(len(night.accounts), np.nan)
    found = read_columns(
        "FROM accounts_ticket t WHERE t.tenant_id = %(tenant)s AND t.received_at <= %(until)s "
        "AND t.opened_at < %(until)s AND (t.resolved_at IS NULL OR t.resolved_at > %(until)s) "
        "AND t.severity = ANY(%(least)s) GROUP BY t.account_id",
        ["t.account_id", TICKET_SQL[fact.measure]],
        parameters,
    )
    out = np.zeros(len(night.accounts))
    rows = night.rows(found[:, 0].astype(np.int64).tolist())
    for account, value in found:
        if int(account) in rows:
            out[rows[int(account)]] = value
    return out
