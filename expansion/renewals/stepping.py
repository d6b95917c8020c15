"""What a night makes of one renewal: the subscription's line and the facts of the day in, the new state out. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from . import judging
from .amounts import AT_RISK, GONE, LOST, OPEN, RENEWED, forecast_of, outcome_of, target_of
from .terms import MOST_MONTHS, is_new_term, months_between, term_of

VOID = "void"
RETURN_DAYS = 31  # a subscription that takes over so soon after another's end has renewed it


@dataclass(frozen=True)
class Line:
    """A subscription as it stands, or an account that has none."""

    renews_on: date | None
    ended_on: date | None
    mrr_cents: int
    currency: str
    plan: str = ""


@dataclass(frozen=True)
class Facts:
    """What the day says of the account: the health band, engagement of 100, whether a severe alert is open."""

    band: int = judging.UNKNOWN_BAND
    engagement: float | None = None
    severe: bool = False


@dataclass(frozen=True)
class Standing:
    """Where a renewal stands; the fields are those of the table."""

    due_on: date
    term_months: int
    currency: str
    mrr_cents: int
    target_cents: int
    forecast_cents: int
    category: str
    computed_category: str
    plan: str = ""
    said_cents: int | None = None
    category_by_hand: bool = False
    at_risk: bool = False
    risks: tuple[str, ...] = ()
    ends_on: date | None = None
    state: str = OPEN
    outcome: str = ""
    final_cents: int | None = None


def opened(line: Line, usual_months: int, last: tuple[date, int] | None, starts_on: date | None) -> Standing:
    """A new renewal; `last` are due date and term of the one before, which say how long a term is."""
    if line.renews_on is None:
        raise ValueError("A line without a date of renewal has no renewal.")
    if last is not None and last[0] < line.renews_on:
        months = min(max(months_between(last[0], line.renews_on), 1), MOST_MONTHS)
    else:
        months = term_of(starts_on, line.renews_on, usual_months)
    target = target_of(line.mrr_cents, months)
    return Standing(
        due_on=line.renews_on,
        term_months=months,
        currency=line.currency,
        mrr_cents=line.mrr_cents,
        target_cents=target,
        forecast_cents=target,
        category=AT_RISK,
        computed_category=AT_RISK,
        plan=line.plan,
        ends_on=announced_end(line),
    )


def announced_end(line: Line) -> date | None:
    """The end that is known to come before the renewal; an end on the very day is how fixed terms are written."""
    if line.ended_on is None or line.renews_on is None or line.ended_on >= line.renews_on:
        return None
    return line.ended_on


def closed(one: Standing, final_cents: int) -> Standing:
    """Renewed at this amount, or lost with nothing."""
    if final_cents <= 0:
        return replace(one, state=GONE, outcome="", final_cents=0, at_risk=False, risks=())
    outcome = outcome_of(final_cents, one.target_cents)
    return replace(one, state=RENEWED, outcome=outcome, final_cents=final_cents, at_risk=False, risks=())


def follow(one: Standing, line: Line | None, successor_cents: int | None, day: date) -> Standing:
    """What the subscription says: ended, renewed, moved, or only worth something else.

    `successor_cents` is the MRR of a subscription that took over around the end. A term that closes keeps the target it had:
    what the subscription is worth now is what it came to.
    """
    if line is None:
        return replace(one, state=VOID, at_risk=False, risks=())
    if line.ended_on is not None and line.ended_on <= day:
        return closed(one, target_of(successor_cents or 0, one.term_months))
    if line.renews_on is None:
        return replace(one, state=VOID, at_risk=False, risks=())
    if is_new_term(one.due_on, line.renews_on, one.term_months):
        return closed(one, target_of(line.mrr_cents, one.term_months))
    target = target_of(line.mrr_cents, one.term_months)
    said = (
        one.said_cents if line.currency == one.currency else None
    )  # what was said was said in another currency
    return replace(
        one,
        due_on=line.renews_on,
        currency=line.currency,
        said_cents=said,
        plan=line.plan,
        mrr_cents=line.mrr_cents,
        target_cents=target,
        forecast_cents=forecast_of(said, target, one.category),
        ends_on=announced_end(line),
    )


def judge(one: Standing, facts: Facts) -> Standing:
    """Category, forecast and risk by the facts of the day; what a person chose stays."""
    if one.state != OPEN:
        return one
    notice = one.ends_on is not None
    computed = judging.default_category(facts.band, facts.engagement, severe=facts.severe, notice=notice)
    category = one.category if one.category_by_hand else computed
    causes = {
        judging.CATEGORY: category in (AT_RISK, LOST),
        judging.CRITICAL: facts.band == judging.CRITICAL_BAND,
        judging.SEVERE: facts.severe,
        judging.NOTICE: notice,
    }
    risks = tuple(cause for cause, holds in causes.items() if holds)
    return replace(
        one,
        category=category,
        computed_category=computed,
        forecast_cents=forecast_of(one.said_cents, one.target_cents, category),
        risks=risks,
        at_risk=bool(risks),
    )


def events(before: Standing, after: Standing) -> list[tuple[str, dict[str, Any]]]:
    """What the history says of a step: kind and values."""
    found: list[tuple[str, dict[str, Any]]] = []
    if after.state != OPEN:
        if after.state != before.state:
            found.append(
                ("closed", {"state": after.state, "outcome": after.outcome, "final": after.final_cents})
            )
        return found
    if after.due_on != before.due_on:
        found.append(("date", _pair(before.due_on.isoformat(), after.due_on.isoformat())))
    if (after.target_cents, after.currency) != (before.target_cents, before.currency):
        found.append(("target", _pair(before.target_cents, after.target_cents)))
    if after.category != before.category:
        found.append(("category", _pair(before.category, after.category)))
    if after.at_risk != before.at_risk:
        found.append(("risk" if after.at_risk else "safe", {"risks": list(after.risks)}))
    return found


def _pair(before: Any, after: Any) -> dict[str, Any]:
    return {"from": before, "to": after}


def needs_plan(one: Standing, *, category: str, has_plan: bool, risks: Collection[str]) -> bool:
    """Whether nothing may be said of a renewal before there is a plan: it is at risk, or would be with this category."""
    causes = {risk for risk in risks if risk != judging.CATEGORY}
    return one.state == OPEN and not has_plan and (bool(causes) or category in (AT_RISK, LOST))
