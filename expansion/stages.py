"""The way of an opportunity: internal case and ROI, proposal, a short pilot where it pays, closing, won or lost. Pure.

Going back is always free; going forward asks for what the stage before has to leave behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CASE, PROPOSAL, PILOT, CLOSING, WON, LOST = "case", "proposal", "pilot", "closing", "won", "lost"
OPEN = (CASE, PROPOSAL, PILOT, CLOSING)
CLOSED = (WON, LOST)
ORDER = (*OPEN, *CLOSED)

# What keeps an opportunity from a stage, as codes; `expansion.words` says them.
NOT_OPEN = "not_open"
PROPOSAL_FIRST, CLOSING_FIRST = "proposal_first", "closing_first"
NO_WHAT, NO_VALUE, NO_CASE, NO_ROI = "no_what", "no_value", "no_case", "no_roi"
NO_PROPOSAL, NO_PILOT_PLAN, NO_PILOT_RESULT, DISCOUNT_WAITS = (
    "no_proposal",
    "no_pilot_plan",
    "no_pilot_result",
    "discount_waits",
)


@dataclass(frozen=True)
class Standing:
    """What the rules look at."""

    stage: str
    what: bool = False  # it is said what is sold
    value: bool = False
    case: bool = False
    roi: bool = False
    proposed: bool = False  # a proposal was made here, or sent from elsewhere
    pilot_planned: bool = False  # a goal and an end
    pilot_judged: bool = False
    discount_waits: bool = False


def refusals(standing: Standing, to: str) -> list[str]:
    """Why the opportunity may not move to a stage, as codes; empty when it may. Its own stage is always allowed."""
    if to not in ORDER:
        raise ValueError(f"{to!r} is no stage.")
    if standing.stage == to:
        return []
    if standing.stage in CLOSED:
        return [NOT_OPEN]
    if to == LOST or ORDER.index(to) < ORDER.index(standing.stage):
        return []
    if standing.stage == CASE and to != PROPOSAL:
        return [PROPOSAL_FIRST]
    if to == WON and standing.stage != CLOSING:
        return [CLOSING_FIRST]
    return _missing(standing, to)


def _missing(standing: Standing, to: str) -> list[str]:
    needs = [(standing.what, NO_WHAT), (standing.value, NO_VALUE)]
    if to == PROPOSAL:
        needs += [(standing.case, NO_CASE), (standing.roi, NO_ROI)]
    if to in (PILOT, CLOSING) and standing.stage == PROPOSAL:
        needs.append((standing.proposed, NO_PROPOSAL))
    if to == PILOT:
        needs.append((standing.pilot_planned, NO_PILOT_PLAN))
    if to == CLOSING and standing.stage == PILOT:
        needs.append((standing.pilot_judged, NO_PILOT_RESULT))
    if to == WON:
        needs.append((not standing.discount_waits, DISCOUNT_WAITS))
    return [code for fulfilled, code in needs if not fulfilled]


def next_stages(stage: str) -> Sequence[str]:
    """Where an opportunity may go at all, what it has left behind aside; the way forward first."""
    return {
        CASE: (PROPOSAL, LOST),
        PROPOSAL: (PILOT, CLOSING, LOST, CASE),
        PILOT: (CLOSING, LOST, PROPOSAL, CASE),
        CLOSING: (WON, LOST, PILOT, PROPOSAL, CASE),
    }.get(stage, ())
