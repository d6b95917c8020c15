"""The milestones that every tenant starts with: 30, 60 and 90 days. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import milestones as kinds

EXPANSION_PLAYS = ("expansion_sequence",)


@dataclass(frozen=True)
class ShippedMilestone:
    """A milestone as it comes with the product; its words are in `words.TITLES`."""

    key: str
    phase: int
    kind: str
    params: dict[str, Any]


SHIPPED = (
    # Activation. Weekly usage of at least 2: active on two days in each of two complete weeks in a row. The other way to
    # read it, twice the first week's volume, is the kind `growth`, which an admin can choose.
    ShippedMilestone("weekly_usage", 1, kinds.WEEKS, {"metric": "active_days", "at_least": 2, "weeks": 2}),
    ShippedMilestone("first_demos", 1, kinds.TOTAL, {"metric": "demos_booked", "at_least": 2, "aim": 3}),
    ShippedMilestone("dashboard", 1, kinds.TOTAL, {"metric": "dashboards_active", "at_least": 1}),
    # Productivity. An account that sends nothing but direct messages is measured on those.
    ShippedMilestone(
        "reply_rate",
        2,
        kinds.RATIO,
        {
            "numerator": "replies",
            "denominator": "sends",
            "else_denominator": "dms",
            "at_least_pct": 20,
            "weeks": 4,
            "empty_weeks": "break",
        },
    ),
    ShippedMilestone("winning_variants", 2, kinds.PER_VALUE, {"metric": "ab_winners", "at_least": 2}),
    ShippedMilestone("email_sequence", 2, kinds.TOTAL, {"metric": "email_sequences", "at_least": 1}),
    # Impact. Weeks without a demo say nothing about closing.
    ShippedMilestone(
        "close_rate",
        3,
        kinds.RATIO,
        {
            "numerator": "closes",
            "denominator": "demos_held",
            "at_least_pct": 20,
            "aim_pct": 30,
            "weeks": 4,
            "empty_weeks": "skip",
        },
    ),
    ShippedMilestone("roi", 3, kinds.KNOWN, {"metric": "roi_cents"}),
    ShippedMilestone(
        "expansion",
        3,
        kinds.PLAY,
        {"metric": "expansion_open", "at_least": 1, "plays": list(EXPANSION_PLAYS)},
    ),
)
BY_KEY = {milestone.key: milestone for milestone in SHIPPED}
