"""Conditions, reasons and faults of plays in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import criteria as c
from .criteria import Condition, InvalidCondition, Seen, Verdict
from .engine import Fault

COMPARES: dict[str, str | Promise] = {
    c.AT_LEAST: gettext_lazy("at least"),
    c.AT_MOST: gettext_lazy("at most"),
    c.ABOVE: gettext_lazy("above"),
    c.BELOW: gettext_lazy("below"),
    c.IS: gettext_lazy("is"),
    c.IS_NOT: gettext_lazy("is not"),
}
SUBJECTS: dict[str, str | Promise] = {
    c.METRIC: gettext_lazy("Metric"),
    c.SCORE: gettext_lazy("Score"),
    c.BAND: gettext_lazy("Band"),
    c.FIELD: gettext_lazy("Account"),
    c.TICKETS: gettext_lazy("Tickets"),
    c.TASKS: gettext_lazy("Tasks of this run"),
}
KINDS: dict[str, str | Promise] = {"health": gettext_lazy("health"), "pql": gettext_lazy("PQL")}
FIELDS: dict[str, str | Promise] = {
    "mrr": gettext_lazy("MRR"),
    "seats": gettext_lazy("seats"),
    "days_to_renewal": gettext_lazy("days to renewal"),
    "days_since_go_live": gettext_lazy("days since go-live"),
    "segment": gettext_lazy("segment"),
    "stage": gettext_lazy("lifecycle stage"),
    "plan": gettext_lazy("plan"),
    "plan_kind": gettext_lazy("kind of plan"),
    "touch_model": gettext_lazy("touch model"),
    "tags": gettext_lazy("tags"),
}
TICKET_FACTS: dict[str, str | Promise] = {
    "open": gettext_lazy("open tickets"),
    "oldest_hours": gettext_lazy("hours the oldest ticket is open"),
    "open_urgent": gettext_lazy("open tickets of high severity"),
}
BANDS: dict[str, str | Promise] = {
    "healthy": gettext_lazy("healthy"),
    "at_risk": gettext_lazy("at risk"),
    "critical": gettext_lazy("critical"),
    "unknown": gettext_lazy("unknown"),
    "high": gettext_lazy("high"),
    "medium": gettext_lazy("medium"),
    "none": gettext_lazy("none"),
}
Names = Mapping[str, str]  # what the tenant calls its metrics


def fact(condition: Condition, names: Names | None = None) -> str:
    """What a condition looks at: "sends within 7 days", "health band"."""
    if condition.subject == c.METRIC:
        name = (names or {}).get(condition.name, condition.name)
        return ngettext(
            "%(metric)s within %(days)d day", "%(metric)s within %(days)d days", condition.window_days
        ) % {"metric": name, "days": condition.window_days}
    if condition.subject == c.SCORE:
        return _("%(kind)s score") % {"kind": KINDS[condition.name]}
    if condition.subject == c.BAND:
        return _("%(kind)s band") % {"kind": KINDS[condition.name]}
    if condition.subject == c.TICKETS:
        return str(TICKET_FACTS[condition.name])
    return _("open tasks of this run") if condition.subject == c.TASKS else str(FIELDS[condition.name])


def shown(condition: Condition, value: float | str | None) -> str:
    """A value as people read it."""
    if value is None:
        return _("unknown")
    if condition.subject == c.BAND:
        return str(BANDS.get(str(value), value))
    if isinstance(value, str):
        return value or _("nothing")
    return str(localize(int(value) if float(value).is_integer() else round(value, 2)))


def sentence(condition: Condition, names: Names | None = None) -> str:
    """A condition in words: "health band is healthy"."""
    return _("%(fact)s %(compare)s %(value)s") % {
        "fact": fact(condition, names),
        "compare": COMPARES[condition.compare],
        "value": shown(condition, condition.value),
    }


def sentences(conditions: Sequence[Condition], names: Names | None = None) -> str:
    """All of them; they hold together."""
    return _(" and ").join(sentence(condition, names) for condition in conditions)


def seen_sentence(seen: Seen, names: Names | None = None) -> str:
    """A condition with what was there: "health band is healthy: at risk"."""
    return _("%(condition)s: it was %(value)s") % {
        "condition": sentence(seen.condition, names),
        "value": shown(seen.condition, seen.observed),
    }


def stored_seen(raw: Sequence[Mapping[str, Any]]) -> list[Seen]:
    """What a run has stored of a verdict."""
    return [
        Seen(
            Condition(
                str(each["subject"]),
                str(each["name"]),
                str(each["compare"]),
                each["value"],
                int(each.get("window_days", 7)),
            ),
            each.get("observed"),
            bool(each.get("holds")),
        )
        for each in raw
    ]


def entry_refusal(verdict: Verdict) -> str:
    """Why an account is not one that a play is for."""
    return _("The play is not for this account: %(why)s.") % {"why": "; ".join(unmet_words(verdict))}


def unmet_words(verdict: Verdict) -> list[str]:
    """The criteria that do not hold, each with what was seen instead."""
    return [seen_sentence(seen) for seen in verdict.seen if not seen.holds]


def invalid_words(error: InvalidCondition) -> str:
    """A condition that cannot be read, and how to mend it."""
    texts = {
        "subject": _("Condition %(number)d: choose what it looks at."),
        "name": _("Condition %(number)d: choose which one, “%(value)s” is not known."),
        "compare": _("Condition %(number)d: this comparison does not fit what is compared."),
        "value": _("Condition %(number)d: “%(value)s” is not a value it can have."),
        "number": _("Condition %(number)d: “%(value)s” is not a number."),
        "window": _("Condition %(number)d: the window is 1 to 365 days."),
        "days": _("Criterion %(number)d: the days are a whole number from 0 to 365."),
        "outcome": _("Criterion %(number)d: choose an outcome."),
        "no_condition": _("Criterion %(number)d: it needs at least one condition."),
        "too_many": _("At most %(value)s fit here."),
    }
    text = texts.get(error.code, _("Condition %(number)d cannot be read."))
    return text % {"number": error.index + 1, "value": error.value}


def fault_words(fault: Fault, title: str) -> str:
    """What is wrong with the order of the steps, and how to mend it."""
    texts = {
        "label_twice": _("Step %(position)d, “%(title)s”: the label “%(value)s” is used twice or reserved."),
        "no_such_label": _(
            "Step %(position)d, “%(title)s”: it goes on with “%(value)s”, but no step has this label."
        ),
        "no_condition": _("Step %(position)d, “%(title)s”: a branch needs at least one condition."),
        "unreachable": _(
            "Step %(position)d, “%(title)s”: no way leads here; let a step go on with its label."
        ),
        "restless": _(
            "Step %(position)d, “%(title)s”: the way leads back here without a wait in between; add one."
        ),
    }
    return texts[fault.code] % {"position": fault.position, "title": title, "value": fault.value}


def days_words(days: int, working: bool) -> str:
    """A length of time."""
    if working:
        return ngettext("%(days)d working day", "%(days)d working days", days) % {"days": days}
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
