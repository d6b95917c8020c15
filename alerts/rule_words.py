"""Rules and their conditions in words, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from accounts.models import Account, Ticket
from accounts.percent import with_percent
from accounts.visibility import money_hidden

from .conditions import ConditionError, Group, Leaf, Node, parse_tree
from .conditions.tree import (
    BandFact,
    ChangeFact,
    ComponentFact,
    DateFact,
    Fact,
    FieldFact,
    MetricFact,
    MetricShare,
    Number,
    PastShare,
    ScoreFact,
    TargetShare,
    TicketFact,
    Words,
)

Names = Mapping[str, str]
CURRENCY = "currency of money"  # in the names, before what money is in: no metric's key has a space

BAND_WORDS: dict[str, Promise] = {
    "healthy": gettext_lazy("healthy"),
    "at_risk": gettext_lazy("at risk"),
    "critical": gettext_lazy("critical"),
    "high": gettext_lazy("high"),
    "medium": gettext_lazy("medium"),
    "none": gettext_lazy("low (no lead)"),
}
DATE_WORDS: dict[str, Promise] = {
    "days_to_renewal": gettext_lazy("days to the renewal"),
    "days_since_go_live": gettext_lazy("days since go-live"),
    "days_since_first_seen": gettext_lazy("days since the first usage"),
    "days_since_last_event": gettext_lazy("days since the last event"),
}
TICKET_WORDS: dict[str, Promise] = {
    "count": gettext_lazy("open tickets"),
    "oldest_hours": gettext_lazy("hours that the oldest open ticket waits"),
    "worst_severity": gettext_lazy("worst severity of open tickets (1 low to 4 urgent)"),
}
FIELD_WORDS: dict[str, Promise] = {
    "segment": gettext_lazy("the segment"),
    "stage": gettext_lazy("the lifecycle stage"),
    "plan": gettext_lazy("the plan"),
    "plan_kind": gettext_lazy("the kind of plan"),
    "touch_model": gettext_lazy("the touch model"),
    "tags": gettext_lazy("a tag"),
    "mrr": gettext_lazy("the MRR"),
    "seats": gettext_lazy("the seats"),
}
SCORE_WORDS: dict[str, Promise] = {
    "health": gettext_lazy("health score"),
    "pql": gettext_lazy("PQL score"),
}


def figure(value: float, decimals: int = 2) -> str:
    """A number as people write it."""
    value = round(float(value), decimals)
    shown = next(places for places in range(decimals + 1) if round(value, places) == value)
    return str(number_format(value, decimal_pos=shown, force_grouping=True))


def amount_figure(cents: float) -> str:
    """An amount in the currency's unit, with both decimals or none."""
    value = round(float(cents) / 100, 2)
    return str(number_format(value, decimal_pos=0 if value.is_integer() else 2, force_grouping=True))


def share_words(share: float) -> str:
    """A share as a percentage."""
    return with_percent(figure(share * 100, 1))


def is_money(metric: str) -> bool:
    """Whether a metric is an amount: stored in cents, typed and read in the unit of its currency."""
    return metric.endswith("_cents")


def measured(value: float, fact: Fact, names: Names) -> str:
    """A value of a comparison: money is stored in cents and read in its currency."""
    in_cents = isinstance(fact, MetricFact) and is_money(fact.metric)
    if money_hidden() and (in_cents or fact == FieldFact("mrr")):
        return pgettext("an amount of money", "hidden")
    if in_cents:
        return f"{amount_figure(value)}\N{NO-BREAK SPACE}{names.get(CURRENCY, '')}".strip()
    return figure(value)


def fact_words(fact: Fact, names: Names) -> str:
    """What a comparison looks at."""
    match fact:
        case MetricFact(metric, days, True):
            weeks = days // 7
            return ngettext(
                "%(metric)s in the last complete week",
                "%(metric)s in the last %(weeks)s complete weeks",
                weeks,
            ) % {"metric": names.get(metric, metric), "weeks": weeks}
        case MetricFact(metric, days, _weekly):
            return ngettext("%(metric)s on the day", "%(metric)s in the last %(days)s days", days) % {
                "metric": names.get(metric, metric),
                "days": days,
            }
        case ScoreFact(score):
            return str(SCORE_WORDS[score])
        case BandFact(score):
            return _("band of the %(score)s") % {"score": SCORE_WORDS[score]}
        case ChangeFact(score, days):
            return _("change of the %(score)s in %(days)s days") % {
                "score": SCORE_WORDS[score],
                "days": days,
            }
        case ComponentFact(component):
            return _("component %(component)s of the health score") % {
                "component": names.get(f"component {component}", component)
            }
        case DateFact(name):
            return str(DATE_WORDS[name])
        case TicketFact(measure, severity):
            words = str(TICKET_WORDS[measure])
            if severity == "low":
                return words
            return _("%(what)s, from severity %(severity)s on") % {
                "what": words,
                "severity": str(Ticket.Severity(severity).label).lower(),
            }
        case FieldFact(field):
            return str(FIELD_WORDS[field])


def _bound_words(leaf: Leaf, names: Names) -> str:
    match leaf.bound:
        case Number(value, None):
            return measured(value, leaf.fact, names)
        case Number(value, upper):
            return _("%(least)s and %(most)s") % {
                "least": measured(value, leaf.fact, names),
                "most": measured(upper or 0, leaf.fact, names),
            }
        case TargetShare(share):
            return _("%(share)s of the account's target") % {"share": share_words(share)}
        case PastShare(share, times, least):
            words = ngettext(
                "%(share)s of what it was just before",
                "%(share)s of the mean of the %(times)s times before",
                times,
            ) % {"share": share_words(share), "times": times}
            if least:
                words += " " + _("(if that was at least %(least)s)") % {
                    "least": measured(least, leaf.fact, names)
                }
            return words
        case MetricShare(share, metric):
            return _("%(share)s of %(metric)s") % {
                "share": share_words(share),
                "metric": names.get(metric, metric),
            }
        case Words(words):
            return _join([_word(leaf.fact, word) for word in words], _("or"))


def _word(fact: Fact, word: str) -> str:
    if isinstance(fact, BandFact):
        return str(BAND_WORDS[word])
    if isinstance(fact, FieldFact) and fact.field == "plan_kind" and word in Account.PlanKind.values:
        return str(Account.PlanKind(word).label)
    if isinstance(fact, FieldFact) and fact.field == "touch_model" and word in Account.TouchModel.values:
        return str(Account.TouchModel(word).label)
    return f"“{word}”"


OP_WORDS: dict[str, Promise] = {
    "under": gettext_lazy("%(fact)s is under %(bound)s"),
    "at_most": gettext_lazy("%(fact)s is %(bound)s or less"),
    "over": gettext_lazy("%(fact)s is over %(bound)s"),
    "at_least": gettext_lazy("%(fact)s is %(bound)s or more"),
    "between": gettext_lazy("%(fact)s is between %(bound)s"),
    "is": gettext_lazy("%(fact)s is %(bound)s"),
    "is_not": gettext_lazy("%(fact)s is not %(bound)s"),
}


def leaf_words(leaf: Leaf, names: Names) -> str:
    """One comparison as part of a sentence."""
    return str(OP_WORDS[leaf.op]) % {
        "fact": fact_words(leaf.fact, names),
        "bound": _bound_words(leaf, names),
    }


def tree_words(node: Node, names: Names) -> str:
    """A condition as part of a sentence; groups inside stand in brackets."""
    if isinstance(node, Leaf):
        return leaf_words(node, names)
    parts = []
    for part in node.parts:
        words = tree_words(part, names)
        if isinstance(part, Group) and len(part.parts) > 1 and len(node.parts) > 1:
            words = f"({words})"
        parts.append(words)
    return _join(parts, _("and") if node.joined == "all" else _("or"))


def _join(parts: Sequence[str], word: str) -> str:
    return f" {word} ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def sentence(words: str) -> str:
    """A sentence of it."""
    return f"{words[:1].upper()}{words[1:]}."


def facts_sentence(evidence: Mapping[str, Any], names: Names) -> str:
    """The comparisons that held, with the values of that day."""
    parts = []
    for found in evidence["facts"]:
        shown = {key: value for key, value in found.items() if key not in ("path", "value", "bound")}
        if "values" in shown:
            leaf = next(iter(parse_tree({"all": [shown]}).parts))
            parts.append(tree_words(leaf, names))
            continue
        leaf = next(iter(parse_tree({"all": [{**shown, "op": "at_least", "value": 0}]}).parts))
        assert isinstance(leaf, Leaf)
        words = _("%(fact)s: %(value)s (limit %(bound)s)") % {
            "fact": fact_words(leaf.fact, names),
            "value": measured(found["value"], leaf.fact, names),
            "bound": measured(found["bound"], leaf.fact, names),
        }
        parts.append(words)
    return sentence("; ".join(parts))


FAULTS: dict[str, Promise] = {
    "empty": gettext_lazy("Add at least one condition."),
    "too_many": gettext_lazy("At most %(most)s conditions fit into a rule."),
    "too_deep": gettext_lazy("Conditions may be nested %(most)s deep."),
    "not_an_object": gettext_lazy("A condition must be an object."),
    "all_or_any": gettext_lazy("A group says either all or any, and nothing else."),
    "one_of": gettext_lazy("Choose one of: %(allowed)s."),
    "key": gettext_lazy("Choose a metric: small letters, digits and underscores."),
    "number": gettext_lazy("Enter a number."),
    "whole": gettext_lazy("Enter a whole number."),
    "range": gettext_lazy("Enter a number from %(least)s to %(most)s."),
    "unknown": gettext_lazy("Nobody knows this setting; leave it out."),
    "yes_or_no": gettext_lazy("Say true or false."),
    "whole_weeks": gettext_lazy("Complete weeks need a number of days that is a multiple of 7."),
    "words": gettext_lazy("Enter at least one word, each at most 100 letters long."),
    "one_bound": gettext_lazy(
        "Say what it is compared with: a number, the target, earlier times or another metric."
    ),
    "metrics_only": gettext_lazy("Only a metric can be compared with this; enter a number."),
    "between_numbers": gettext_lazy("“Between” needs two numbers."),
    "upper": gettext_lazy("The upper number must not be under the lower one."),
    "no_release": gettext_lazy("This comparison resolves by itself; leave the release empty."),
    "release_under": gettext_lazy(
        "It must resolve at %(bound)s or more, else the alert would open and resolve at once."
    ),
    "release_over": gettext_lazy(
        "It must resolve at %(bound)s or less, else the alert would open and resolve at once."
    ),
}


def fault_words(error: ConditionError) -> str:
    """What is wrong with a condition and how to mend it."""
    values = {
        name: figure(value) if isinstance(value, int | float) else value
        for name, value in error.values.items()
    }
    return str(FAULTS[error.code]) % values
