"""What a proposal says to the customer, from the opportunity as it stands; texts are made in the active language.

Nothing that is said inside the team is in it: not the internal case, not the notes, not the probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from accounts.percent import with_percent

from .models import Opportunity
from .pricing import net_cents, share

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "BRL": "R$"}
SIGN_LAST = ("es",)


@dataclass(frozen=True)
class Sender:
    """Who makes the proposal."""

    company: str
    name: str
    email: str


def amount(cents: int, currency: str) -> str:
    """Money as a document says it: with cents only where there are any."""
    places = 0 if cents % 100 == 0 else 2
    figure = formats.number_format(cents / 100, decimal_pos=places, force_grouping=True)
    sign = SIGNS.get(currency, currency)
    if (get_language() or "en")[:2] in SIGN_LAST:
        return f"{figure}\N{NO-BREAK SPACE}{sign}"
    return f"{sign}{figure}" if currency in SIGNS else f"{sign}\N{NO-BREAK SPACE}{figure}"


def proposal_content(
    one: Opportunity,
    *,
    sender: Sender,
    number: int,
    made_on: date,
    valid_until: date,
    names: Mapping[str, str],
    partners: Sequence[str] = (),
    title: str = "",
    pitch: str = "",
) -> dict[str, Any]:
    """Everything the document says, as JSON; what is not known is left out with a sentence in its place."""
    title = title or one.title
    return {
        "title": _("Proposal: %(what)s") % {"what": title},
        "subtitle": _("For %(account)s") % {"account": one.account.name},
        "made": _("Version %(number)d of %(day)s")
        % {"number": number, "day": formats.date_format(made_on, "DATE_FORMAT")},
        "page_label": _("Page"),
        "why": {
            "heading": _("Why now"),
            "lines": why_lines(one, names),
            "figures": figures(one, names),
        },
        "what": {
            "heading": _("What we propose"),
            "text": pitch,
            "name": title,
            "kind": str(one.get_type_display()),
        },
        "pilot": _pilot(one),
        "price": _price(one, partners),
        "valid": _("This proposal is valid until %(day)s.")
        % {"day": formats.date_format(valid_until, "DATE_FORMAT")},
        "next": {
            "heading": _("Next step"),
            "text": _("Answer this mail or talk to %(name)s (%(email)s); we set it up for you.")
            % {"name": sender.name, "email": sender.email}
            if sender.email
            else _("Talk to your contact at %(company)s; we set it up for you.")
            % {"company": sender.company},
        },
    }


def why_lines(one: Opportunity, names: Mapping[str, str]) -> list[str]:
    """What the customer's own figures say, in sentences for the customer."""
    evidence = one.evidence
    key, values = evidence.get("metric", ""), evidence.get("values", [])
    lines = []
    if one.roi_cents and one.roi_cents > 0:
        lines.append(
            _("What you use today brings you %(roi)s a month.") % {"roi": amount(one.roi_cents, one.currency)}
        )
    if evidence.get("asks"):
        lines.append(_("Your team has asked for more."))
    elif key.endswith("_pct") and values:
        lines.append(
            _("%(figure)s%% of what your plan includes is in use.")
            % {"figure": formats.number_format(values[-1]["value"], decimal_pos=0)}
        )
    elif key == "limit_hits" and values:
        times = round(values[-1]["value"])
        lines.append(
            ngettext(
                "Your people ran into a limit of the plan %(n)d time in the last days.",
                "Your people ran into a limit of the plan %(n)d times in the last days.",
                times,
            )
            % {"n": times}
        )
    elif key == "ab_winners" and values:
        total = round(sum(value["value"] for value in values))
        lines.append(
            ngettext(
                "Your tests found %(n)d winning variant in the last weeks: what works is known.",
                "Your tests found %(n)d winning variants in the last weeks: what works is known.",
                total,
            )
            % {"n": total}
        )
    if not lines:
        lines.append(_("We have looked at how you work with what you have, and see a next step."))
    return lines


def figures(one: Opportunity, names: Mapping[str, str]) -> dict[str, Any]:
    """The figures behind the sentences with the days on which they were measured."""
    evidence = one.evidence
    key, values = evidence.get("metric", ""), evidence.get("values", [])
    if not values or key == "pql_score":
        return {"headers": [], "rows": []}
    rows = [
        [
            formats.date_format(date.fromisoformat(value["on"]), "DATE_FORMAT"),
            amount(round(value["value"]), one.currency)
            if key.endswith("_cents")
            else _plain(value["value"], key),
        ]
        for value in values
    ]
    return {"headers": [_("Measured on"), names.get(key, key)], "rows": rows}


def _plain(value: float, key: str) -> str:
    figure = str(formats.number_format(value, decimal_pos=0))
    return with_percent(figure) if key.endswith("_pct") else figure


def _pilot(one: Opportunity) -> dict[str, str] | None:
    if not one.pilot_goal or one.pilot_until is None or one.pilot_result:
        return None
    return {
        "heading": _("A short pilot first"),
        "text": one.pilot_goal,
        "until": _("Until %(day)s; after it you decide.")
        % {"day": formats.date_format(one.pilot_until, "DATE_FORMAT")},
    }


def _price(one: Opportunity, partners: Sequence[str]) -> dict[str, Any]:
    period = pgettext("a price", "a month") if one.recurring else pgettext("a price", "once")
    rows = [[_("List price"), amount(one.value_cents, one.currency)]]
    if one.seats:
        rows.insert(0, [_("Seats"), formats.number_format(one.seats)])
    if one.discount_pct:
        taken = share(one.value_cents, one.discount_pct)
        rows.append(
            [_("Discount of %(pct)d%%") % {"pct": one.discount_pct}, f"−{amount(taken, one.currency)}"]
        )
    if one.bundle_pct:
        own = net_cents(one.value_cents, one.discount_pct)
        taken = own - net_cents(one.value_cents, one.discount_pct, one.bundle_pct)
        label = _("Bundle discount of %(pct)d%%") % {"pct": one.bundle_pct}
        if partners:
            label += f" ({', '.join(partners)})"
        rows.append([label, f"−{amount(taken, one.currency)}"])
    return {
        "heading": _("Price"),
        "headers": ["", period],
        "rows": rows,
        "total": [_("Total"), f"{amount(one.net_cents, one.currency)} {period}"],
    }
