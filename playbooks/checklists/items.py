"""The items of the checklists and the periods they are for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MONTH, QUARTER = "month", "quarter"
CADENCES = {MONTH: _("Monthly"), QUARTER: _("Quarterly")}
RENEWAL_DAYS = 120  # a renewal further away than this after the quarter's end needs no preparation yet


@dataclass(frozen=True)
class Item:
    """One thing to do in each period, and how the system knows that it is done."""

    key: str
    cadence: str
    title: Promise
    known: Promise
    live: bool = False  # may be opened again by the system while its period lasts


ITEMS = (
    Item("health_updated", MONTH, _("Health score updated"), _("The account has been scored in this month.")),
    Item(
        "qbr_ready",
        MONTH,
        _("QBR prepared and scheduled"),
        _("The metric “QBR scheduled” has a value of at least 1 in this month; else by hand."),
    ),
    Item(
        "expansion_evaluated",
        MONTH,
        _("Expansion play evaluated"),
        _("“Open opportunities” was reported in this month, or an expansion play ran; else by hand."),
    ),
    Item(
        "risks_mitigated",
        MONTH,
        _("Risks mitigated"),
        _("No alert of high severity is open, or a play has ended with “recovered” in this month."),
        live=True,
    ),
    Item(
        "roi_consolidated",
        QUARTER,
        _("ROI consolidated"),
        _("“ROI per month” was reported in this quarter; else by hand."),
    ),
    Item(
        "case_study_proposed",
        QUARTER,
        _("Case study proposed"),
        _("The metric “Case study proposed” has a value of at least 1 in this quarter; else by hand."),
    ),
    Item(
        "expansion_closed",
        QUARTER,
        _("Expansion plan closed"),
        _("An expansion play has ended in this quarter, or “Open opportunities” fell to 0; else by hand."),
    ),
    Item(
        "renewal_prepared",
        QUARTER,
        _("Renewal prepared"),
        _(
            "No renewal falls within 120 days after the quarter, or “Save the renewal” has ended; else by hand."
        ),
    ),
)
BY_KEY = {item.key: item for item in ITEMS}


def items_of(cadence: str) -> tuple[Item, ...]:
    """The items of a cadence in their order."""
    return tuple(item for item in ITEMS if item.cadence == cadence)


def period_start(cadence: str, day: date) -> date:
    """The first day of the month or quarter that a day is in."""
    month = day.month if cadence == MONTH else day.month - (day.month - 1) % 3
    return date(day.year, month, 1)


def period_end(cadence: str, start: date) -> date:
    """The last day of the period that starts then."""
    months = start.month - 1 + (1 if cadence == MONTH else 3)
    return date(start.year + months // 12, months % 12 + 1, 1) - timedelta(days=1)


def previous_start(cadence: str, start: date) -> date:
    """The first day of the period before."""
    return period_start(cadence, start - timedelta(days=1))
