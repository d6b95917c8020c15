"""Evidence in a sentence, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.percent import with_percent

from .rule_words import facts_sentence

Evidence = Mapping[str, Any]


def evidence_sentence(kind: str, evidence: Evidence, names: Mapping[str, str] | None = None) -> str:
    """Why the alert fired, with the values of that day; `names` gives metrics and components by key."""
    if kind == "conditions":
        return facts_sentence(evidence, names or {})
    return _SENTENCES[kind](_named(evidence, names or {}))


def _named(evidence: Evidence, names: Mapping[str, str]) -> Evidence:
    """The evidence with names in place of keys, where they are known."""
    named = dict(evidence)
    for field in ("metric", "weakest"):
        if field in named:
            named[field] = names.get(named[field], named[field])
    if "metrics" in evidence:
        named["metrics"] = [
            {**item, "metric": names.get(item["metric"], item["metric"])} for item in evidence["metrics"]
        ]
    return named


def _figure(value: float, decimals: int = 1) -> str:
    value = round(float(value), decimals)  # number_format would cut, not round
    whole = value.is_integer()
    return str(number_format(value, decimal_pos=0 if whole else decimals, force_grouping=True))


def _percent(share: float) -> str:
    return with_percent(_figure(round(share * 100, 1)))


def _usage(evidence: Evidence) -> str:
    parts = [
        _("%(metric)s: %(values)s of a target of %(target)s a week")
        % {
            "metric": item["metric"],
            "values": ", ".join(_figure(value) for value in item["values"]),
            "target": _figure(item["target"]),
        }
        for item in evidence["metrics"]
    ]
    return _("Under %(share)s of the target for %(weeks)s complete weeks. %(parts)s.") % {
        "share": _percent(evidence["below"]),
        "weeks": len(evidence["weeks"]),
        "parts": "; ".join(parts),
    }


def _rate(evidence: Evidence) -> str:
    return _(
        "%(metric)s was %(rate)s in the last complete week, %(baseline)s in the %(weeks)s weeks before."
    ) % {
        "metric": evidence["metric"],
        "rate": _percent(evidence["rate"]),
        "baseline": _percent(evidence["baseline"]),
        "weeks": evidence["baseline_weeks"],
    }


def _too_little(evidence: Evidence) -> str:
    return _("%(metric)s is %(value)s; at least %(minimum)s is expected.") % {
        "metric": evidence["metric"],
        "value": _figure(evidence["value"]),
        "minimum": _figure(evidence["minimum"]),
    }


def _ticket(evidence: Evidence) -> str:
    name = " ".join(part for part in (evidence["ticket"], evidence["title"]) if part)
    return _("Ticket %(ticket)s has waited %(hours)s hours; the limit is %(limit)s.") % {
        "ticket": name,
        "hours": _figure(evidence["hours"]),
        "limit": _figure(evidence["limit"]),
    }


def _health(evidence: Evidence) -> str:
    sentence = _("Health went from %(before)s to %(score)s since %(since)s.") % {
        "before": _figure(evidence["from_score"]),
        "score": _figure(evidence["score"]),
        "since": date_format(date.fromisoformat(evidence["since"])),
    }
    if "weakest" not in evidence:
        return sentence
    lost = _("Most points are lost in %(component)s (%(lost)s).") % {
        "component": evidence["weakest"],
        "lost": _figure(evidence["lost"]),
    }
    return f"{sentence} {lost}"


def _feature(evidence: Evidence) -> str:
    return _("%(feature)s was used by %(users)s of %(access)s contacts with access in %(days)s days.") % {
        "feature": evidence["feature"],
        "users": _figure(evidence["users"]),
        "access": _figure(evidence["access"]),
        "days": evidence["days"],
    }


def _champion(evidence: Evidence) -> str:
    if "removed_on" in evidence:
        return _("%(contact)s is champion no more since %(day)s.") % {
            "contact": evidence["contact"],
            "day": date_format(date.fromisoformat(evidence["removed_on"])),
        }
    return _("%(contact)s, champion, was last seen on %(day)s.") % {
        "contact": evidence["contact"],
        "day": date_format(date.fromisoformat(evidence["last_seen_on"])),
    }


def _source(evidence: Evidence) -> str:
    sentence = _("Nothing has come from %(source)s since %(day)s.") % {
        "source": evidence["source"],
        "day": date_format(date.fromisoformat(evidence["last_received_on"])),
    }
    waiting = len(evidence.get("rules", ()))
    if not waiting:
        return sentence
    rules = ngettext(
        "%(number)s rule waits until it is back.", "%(number)s rules wait until it is back.", waiting
    ) % {"number": waiting}
    return f"{sentence} {rules}"


_SENTENCES: dict[str, Callable[[Evidence], str]] = {
    "usage_under_target": _usage,
    "rate_falling": _rate,
    "metric_at_zero": _too_little,
    "ticket_unresolved": _ticket,
    "health_dropped": _health,
    "feature_adoption": _feature,
    "champion_gone": _champion,
    "source_quiet": _source,
}
